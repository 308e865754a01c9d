/* The pixels of a 32-bit tile, laid side by side: [steps of 16 K][4 pixels][16]. The K of all taps runs through without a gap, so
 * that one pointer reads it and only the last step is padded. A tile of 1 pixel is laid by itself: [steps][16]. */
#ifndef EDGECORE_ISA_ARM_GEMM_ARMV7_PIXELS_H
#define EDGECORE_ISA_ARM_GEMM_ARMV7_PIXELS_H

#include "isa/arm/gemm_armv7_block.h"

/* `n` bytes of each pixel, rounded up to whole steps, laid side by side. */
INLINE void interleave_4(int8_t *to, const int8_t *const *from, size_t n)
{
    const int8_t *x0 = from[0], *x1 = from[1], *x2 = from[2], *x3 = from[3];
    ptrdiff_t left = (ptrdiff_t)n;
    __asm__ volatile(
        "1:\n\t"
        "vld1.8 {d0-d1}, [%[x0]]!\n\t"
        "vld1.8 {d2-d3}, [%[x1]]!\n\t"
        "vld1.8 {d4-d5}, [%[x2]]!\n\t"
        "vld1.8 {d6-d7}, [%[x3]]!\n\t"
        "subs %[left], %[left], %[step]\n\t"
        "vstmia %[to]!, {d0-d7}\n\t"
        "bgt 1b\n\t"
        : [x0] "+r"(x0), [x1] "+r"(x1), [x2] "+r"(x2), [x3] "+r"(x3), [to] "+r"(to), [left] "+r"(left)
        : [step] "I"(STEP)
        : "cc", "memory", "q0", "q1", "q2", "q3");
}

INLINE void interleave(int8_t *to, const int8_t *const *from, size_t n, const size_t rows)
{
    if (rows == ROWS)
        interleave_4(to, from, n);
    else
        memcpy(to, from[0], (n + STEP - 1) / STEP * STEP);
}

/* Taps that are no multiple of a step, pixel by pixel without a gap: what is written past a tap's end is overwritten by the next,
 * or meets weights of 0. */
INLINE void join_taps(int8_t dense[][SPAN + STEP], const edgecore_gemm_args *args, const span *s, size_t rows)
{
    const uint8_t *const *a = args->a + s->tap * args->row_pitch;
    const size_t offset = args->a_offset + s->from, last = args->rows - 1;
    for (size_t r = 0; r < rows; r++) {
        int8_t *to = dense[r];
        const uint8_t *const *tap = a + (r < last ? r : last);
        for (size_t t = 0; t < s->taps; t++, tap += args->row_pitch, to += s->k)
            for (size_t k = 0; k < s->k; k += STEP)
                vst1q_s8(to + k, vld1q_s8((const int8_t *)*tap + offset + k));
    }
}

/* Lays pixels side by side; past the last they are copies of it, to fill a tile. */
INLINE void lay_rows(int8_t *to, const edgecore_gemm_args *args, const span *s, const size_t rows)
{
    const int8_t *from[ROWS];
    const size_t offset = args->a_offset + s->from, last = args->rows - 1;
    if (s->k % STEP != 0 && s->taps > 1) {
        int8_t dense[ROWS][SPAN + STEP];
        join_taps(dense, args, s, rows);
        for (size_t r = 0; r < rows; r++)
            from[r] = dense[r];
        interleave(to, from, s->steps * STEP, rows);
        return;
    }
    const uint8_t *const *a = args->a + s->tap * args->row_pitch;
    for (size_t t = 0; t < s->taps; t++, a += args->row_pitch, to += rows * s->k) {
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++)
            from[r] = (const int8_t *)a[r < last ? r : last] + offset;
        interleave(to, from, s->k, rows);
    }
}

__attribute__((noinline)) static void lay_rows_4(int8_t *to, const edgecore_gemm_args *args, const span *s)
{
    lay_rows(to, args, s, ROWS);
}

__attribute__((noinline)) static void lay_rows_1(int8_t *to, const edgecore_gemm_args *args, const span *s)
{
    lay_rows(to, args, s, 1);
}

#endif
