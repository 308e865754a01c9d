/* Byte rows that need no arithmetic but maxima and sums, 16 bytes a vector, for every ARM tier.
 *
 * A row that does not end with a whole vector ends with one that overlaps the one before. It is made before the first store, from
 * inputs as they were, because a row may be worked on in place. */
#include <arm_neon.h>
#include <string.h>

#include "isa/arm/kernels.h"

#define INLINE static inline __attribute__((always_inline))

enum { BYTES = 16 };

void edgecore_xor_row_neon(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip)
{
    if (flip == 0) {
        if (out != in)
            memcpy(out, in, n);
        return;
    }
    if (n < BYTES) {
        for (size_t i = 0; i < n; i++)
            out[i] = in[i] ^ flip;
        return;
    }
    const uint8x16_t flips = vdupq_n_u8(flip), last = veorq_u8(vld1q_u8(in + n - BYTES), flips);
    size_t i = 0;
    for (; i + 4 * BYTES <= n; i += 4 * BYTES)
#pragma GCC unroll 4
        for (size_t v = 0; v < 4; v++)
            vst1q_u8(out + i + v * BYTES, veorq_u8(vld1q_u8(in + i + v * BYTES), flips));
    for (; i + BYTES <= n; i += BYTES)
        vst1q_u8(out + i, veorq_u8(vld1q_u8(in + i), flips));
    vst1q_u8(out + n - BYTES, last);
}

#if defined(__aarch64__)
/* A quarter of the table is looked up at a time; indices that belong to another are out of its range and change nothing. */
typedef struct quarters {
    uint8x16x4_t part[4];
} quarters;

INLINE uint8x16_t lookup_16(const quarters *table, uint8x16_t index)
{
    uint8x16_t found = vqtbl4q_u8(table->part[0], index);
    found = vqtbx4q_u8(found, table->part[1], veorq_u8(index, vdupq_n_u8(0x40)));
    found = vqtbx4q_u8(found, table->part[2], veorq_u8(index, vdupq_n_u8(0x80)));
    return vqtbx4q_u8(found, table->part[3], veorq_u8(index, vdupq_n_u8(0xc0)));
}

void edgecore_lookup_row_neon(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    if (n < BYTES) {
        for (size_t i = 0; i < n; i++)
            out[i] = table[in[i]];
        return;
    }
    quarters parts;
    for (int q = 0; q < 4; q++)
        parts.part[q] = vld1q_u8_x4(table + 64 * q);
    const uint8x16_t last = lookup_16(&parts, vld1q_u8(in + n - BYTES));
    size_t i = 0;
    for (; i + 2 * BYTES <= n; i += 2 * BYTES) {
        const uint8x16_t first = lookup_16(&parts, vld1q_u8(in + i));
        vst1q_u8(out + i + BYTES, lookup_16(&parts, vld1q_u8(in + i + BYTES)));
        vst1q_u8(out + i, first);
    }
    if (i + BYTES <= n)
        vst1q_u8(out + i, lookup_16(&parts, vld1q_u8(in + i)));
    vst1q_u8(out + n - BYTES, last);
}
#else
/* 32-bit cores look up 32 bytes at most, in four steps a register: single loads are as good. */
void edgecore_lookup_row_neon(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    for (; n >= 8; n -= 8, in += 8, out += 8)
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            out[i] = table[in[i]];
    for (size_t i = 0; i < n; i++)
        out[i] = table[in[i]];
}
#endif

/* Bytes are stored as int8 where they are flipped, and are compared as what they are. */
INLINE uint8x16_t larger_16(uint8x16_t a, uint8x16_t b, const bool is_signed)
{
    return is_signed ? vreinterpretq_u8_s8(vmaxq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b))) : vmaxq_u8(a, b);
}

INLINE uint8x16_t largest_16(const uint8_t *const *in, const size_t count, size_t i, const bool is_signed)
{
    uint8x16_t largest = vld1q_u8(in[0] + i);
    for (size_t r = 1; r < count; r++)
        largest = larger_16(largest, vld1q_u8(in[r] + i), is_signed);
    return largest;
}

/* 2 to 4 rows of n >= BYTES. The last vector may be made of bytes that are maxima already: they stay the same. */
INLINE void max_of(uint8_t *out, const uint8_t *const *in, const size_t count, size_t n, const bool is_signed)
{
    const uint8_t *const rows[4] = {in[0], in[1], in[count > 2 ? 2 : 0], in[count > 3 ? 3 : 0]};
    size_t i = 0;
    for (; i + 4 * BYTES <= n; i += 4 * BYTES) {
        uint8x16_t largest[4];
        for (size_t j = 0; j < 4; j++)
            largest[j] = largest_16(rows, count, i + j * BYTES, is_signed);
        for (size_t j = 0; j < 4; j++)
            vst1q_u8(out + i + j * BYTES, largest[j]);
    }
    for (; i + BYTES <= n; i += BYTES)
        vst1q_u8(out + i, largest_16(rows, count, i, is_signed));
    if (i < n)
        vst1q_u8(out + n - BYTES, largest_16(rows, count, n - BYTES, is_signed));
}

INLINE void max_of_some(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, const bool is_signed)
{
    if (count == 2)
        max_of(out, in, 2, n, is_signed);
    else if (count == 3)
        max_of(out, in, 3, n, is_signed);
    else
        max_of(out, in, 4, n, is_signed);
}

static void max_of_signed(uint8_t *out, const uint8_t *const *in, size_t count, size_t n)
{
    max_of_some(out, in, count, n, true);
}

static void max_of_unsigned(uint8_t *out, const uint8_t *const *in, size_t count, size_t n)
{
    max_of_some(out, in, count, n, false);
}

static void max_of_bytes(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t largest = in[0][i] ^ flip;
        for (size_t r = 1; r < count; r++)
            largest = (in[r][i] ^ flip) > largest ? in[r][i] ^ flip : largest;
        out[i] = largest ^ flip;
    }
}

/* Four rows a pass; the passes after the first take what is there already and three more. */
void edgecore_max_row_neon(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip)
{
    void (*const some)(uint8_t *, const uint8_t *const *, size_t, size_t) = flip ? max_of_signed : max_of_unsigned;
    if (n < BYTES) {
        max_of_bytes(out, in, count, n, flip);
        return;
    }
    if (count == 1) {
        edgecore_xor_row_neon(out, in[0], n, 0);
        return;
    }
    some(out, in, count < 4 ? count : 4, n);
    for (size_t r = 4; r < count; r += 3) {
        const size_t more = count - r < 3 ? count - r : 3;
        const uint8_t *rows[4] = {out, in[r], in[r + more / 2], in[r + more - 1]};
        some(out, rows, more + 1, n);
    }
}

/* Some vectors of a column's maxima. */
typedef struct maxima {
    uint8x16_t v[4];
} maxima;

INLINE maxima column_of(const uint8_t *const rows[3], const size_t size, const size_t vectors, const bool is_signed)
{
    maxima largest;
    for (size_t v = 0; v < vectors; v++) {
        largest.v[v] = larger_16(vld1q_u8(rows[0] + v * BYTES), vld1q_u8(rows[1] + v * BYTES), is_signed);
        if (size == 3)
            largest.v[v] = larger_16(largest.v[v], vld1q_u8(rows[2] + v * BYTES), is_signed);
    }
    return largest;
}

INLINE void advance(const uint8_t *rows[3], const size_t size, ptrdiff_t step)
{
    for (size_t r = 0; r < size; r++)
        rows[r] += step;
}

/* One pixel, whose first column is known where windows have it in common; returns its last. */
INLINE maxima window_of(uint8_t *out, const uint8_t *rows[3], ptrdiff_t step, maxima first, const size_t size,
                        const size_t vectors, const bool is_signed)
{
    if (size == 2)
        first = column_of(rows, size, vectors, is_signed);
    advance(rows, size, step);
    const maxima second = column_of(rows, size, vectors, is_signed);
    advance(rows, size, step);
    const maxima last = size == 3 ? column_of(rows, size, vectors, is_signed) : second;
    for (size_t v = 0; v < vectors; v++) {
        const uint8x16_t largest = larger_16(first.v[v], second.v[v], is_signed);
        vst1q_u8(out + v * BYTES, size == 3 ? larger_16(largest, last.v[v], is_signed) : largest);
    }
    return last;
}

/* `vectors` of every pixel from byte i on. */
INLINE void windows_from(uint8_t *out, const edgecore_row_windows *w, size_t i, const size_t size, const size_t vectors,
                         const bool is_signed)
{
    const uint8_t *rows[3] = {w->rows[0] + i, w->rows[1] + i, (size == 3 ? w->rows[2] : w->rows[0]) + i};
    const ptrdiff_t step = w->pixel_stride, out_step = w->out_stride;
    size_t left = w->count;
    out += i;
    /* Else clang keeps the rows and i apart, and adds them for every pixel. */
    __asm__("" : "+r"(out), "+r"(rows[0]), "+r"(rows[1]), "+r"(rows[2]));
    maxima even = column_of(rows, size, vectors, is_signed), odd;
    for (; left >= 2; left -= 2, out += 2 * out_step) {
        odd = window_of(out, rows, step, even, size, vectors, is_signed);
        even = window_of(out + out_step, rows, step, odd, size, vectors, is_signed);
    }
    if (left)
        window_of(out, rows, step, even, size, vectors, is_signed);
}

INLINE void windows_of(uint8_t *out, const edgecore_row_windows *w, const size_t size, const bool is_signed)
{
    const size_t n = w->n;
    size_t i = 0;
    for (; i + 4 * BYTES <= n; i += 4 * BYTES)
        windows_from(out, w, i, size, 4, is_signed);
    for (; i + BYTES <= n; i += BYTES)
        windows_from(out, w, i, size, 1, is_signed);
    if (i < n)
        windows_from(out, w, n - BYTES, size, 1, is_signed);
}

void edgecore_max_windows_neon(uint8_t *out, const edgecore_row_windows *windows)
{
    if (windows->size == 3 && windows->flip)
        windows_of(out, windows, 3, true);
    else if (windows->size == 3)
        windows_of(out, windows, 3, false);
    else if (windows->flip)
        windows_of(out, windows, 2, true);
    else
        windows_of(out, windows, 2, false);
}

enum {
    WIDE = 4,        /* vectors of bytes whose sums stay in registers */
    MOST_ROWS = 255, /* whose bytes' sum fits into 16 bits, signed and unsigned */
};

/* 16-bit sums of up to MOST_ROWS rows, then added to the 32-bit ones. What is stored as int8 is summed as such, and is 128 less
 * than what is asked for. */
INLINE void sum_vectors(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, const size_t vectors,
                        const bool is_signed)
{
    for (size_t done = 0, some; done < rows; done += some) {
        uint16x8_t low[WIDE], high[WIDE];
        some = rows - done < MOST_ROWS ? rows - done : MOST_ROWS;
        for (size_t v = 0; v < vectors; v++)
            low[v] = high[v] = vdupq_n_u16(0);
        for (size_t r = 0; r < some; r++, in += stride)
            for (size_t v = 0; v < vectors; v++) {
                const uint8x16_t bytes = vld1q_u8(in + v * BYTES);
                if (is_signed) {
                    const int8x16_t s = vreinterpretq_s8_u8(bytes);
                    low[v] = vreinterpretq_u16_s16(vaddw_s8(vreinterpretq_s16_u16(low[v]), vget_low_s8(s)));
                    high[v] = vreinterpretq_u16_s16(vaddw_s8(vreinterpretq_s16_u16(high[v]), vget_high_s8(s)));
                } else {
                    low[v] = vaddw_u8(low[v], vget_low_u8(bytes));
                    high[v] = vaddw_u8(high[v], vget_high_u8(bytes));
                }
            }
        /* Signed sums become unsigned ones by what they are short of; that wraps to the right value. */
        const uint16x8_t missing = vdupq_n_u16((uint16_t)(is_signed ? 128 * some : 0));
        for (size_t v = 0; v < vectors; v++) {
            const uint16x8_t halves[2] = {vaddq_u16(low[v], missing), vaddq_u16(high[v], missing)};
            for (size_t h = 0; h < 4; h++) {
                uint32_t *to = (uint32_t *)sums + v * BYTES + 4 * h;
                const uint16x8_t half = halves[h / 2];
                vst1q_u32(to, vaddw_u16(vld1q_u32(to), h % 2 ? vget_high_u16(half) : vget_low_u16(half)));
            }
        }
    }
}

INLINE void sum_rows(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, const bool is_signed)
{
    size_t i = 0;
    for (; i + WIDE * BYTES <= n; i += WIDE * BYTES)
        sum_vectors(sums + i, in + i, stride, rows, WIDE, is_signed);
    for (; i + BYTES <= n; i += BYTES)
        sum_vectors(sums + i, in + i, stride, rows, 1, is_signed);
    if (i < n) { /* the last vector overlaps: of its sums some are in already */
        int32_t last[BYTES] = {0};
        sum_vectors(last, in + n - BYTES, stride, rows, 1, is_signed);
        for (; i < n; i++)
            sums[i] += last[i + BYTES - n];
    }
}

void edgecore_sum_rows_neon(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip)
{
    if (n < BYTES)
        for (size_t r = 0; r < rows; r++, in += stride)
            for (size_t i = 0; i < n; i++)
                sums[i] += in[i] ^ flip;
    else if (flip)
        sum_rows(sums, in, stride, rows, n, true);
    else
        sum_rows(sums, in, stride, rows, n, false);
}
