/* The products of four tiles on 16 registers, in assembly: compilers order them so that they spill.
 *
 * q0-q3 hold 8 channels of four tiles, q4-q7 the weights of four channels, two of which are read while the other two are in use,
 * q8-q15 the sums, two for each tile. */
#ifndef EDGECORE_ISA_ARM_WINOGRAD_ARMV7_H
#define EDGECORE_ISA_ARM_WINOGRAD_ARMV7_H

#include "isa/arm/winograd_neon.h"

/* One channel: `low` and `high` weights, the tiles' registers that hold it, its lane there. */
#define WINOGRAD_CHANNEL(multiply, low, high, t0, t1, t2, t3, lane)                                                      \
    multiply " q8, " low ", " t0 "[" lane "]\n" multiply " q9, " high ", " t0 "[" lane "]\n"                             \
    multiply " q10, " low ", " t1 "[" lane "]\n" multiply " q11, " high ", " t1 "[" lane "]\n"                           \
    multiply " q12, " low ", " t2 "[" lane "]\n" multiply " q13, " high ", " t2 "[" lane "]\n"                           \
    multiply " q14, " low ", " t3 "[" lane "]\n" multiply " q15, " high ", " t3 "[" lane "]\n"

#define WINOGRAD_EARLY(multiply, low, high, lane) WINOGRAD_CHANNEL(multiply, low, high, "d0", "d2", "d4", "d6", lane)
#define WINOGRAD_LATE(multiply, low, high, lane) WINOGRAD_CHANNEL(multiply, low, high, "d1", "d3", "d5", "d7", lane)

/* 8 channels, the first of which begins the sums (vmull.s16) or not (vmlal.s16). */
#define WINOGRAD_CHUNK(first)                                                                                             \
    "vld1.16 {d0-d3}, [%[v]:128]!\n"                                                                                     \
    "vld1.16 {d8-d11}, [%[u]:128]!\n"                                                                                    \
    "vld1.16 {d4-d7}, [%[v]:128]!\n"                                                                                     \
    "vld1.16 {d12-d15}, [%[u]:128]!\n"                                                                                   \
    WINOGRAD_EARLY(first, "d8", "d9", "0")                                                                                \
    WINOGRAD_EARLY("vmlal.s16", "d10", "d11", "1")                                                                        \
    "vld1.16 {d8-d11}, [%[u]:128]!\n"                                                                                    \
    WINOGRAD_EARLY("vmlal.s16", "d12", "d13", "2")                                                                        \
    WINOGRAD_EARLY("vmlal.s16", "d14", "d15", "3")                                                                        \
    "vld1.16 {d12-d15}, [%[u]:128]!\n"                                                                                   \
    WINOGRAD_LATE("vmlal.s16", "d8", "d9", "0")                                                                           \
    WINOGRAD_LATE("vmlal.s16", "d10", "d11", "1")                                                                         \
    WINOGRAD_LATE("vmlal.s16", "d12", "d13", "2")                                                                         \
    WINOGRAD_LATE("vmlal.s16", "d14", "d15", "3")

static void multiply_4(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to)
{
    for (size_t p = 0; p < POSITIONS; p++) {
        size_t left = chunks;
        __asm__ volatile(WINOGRAD_CHUNK("vmull.s16")
                         "subs %[left], %[left], #1\n"
                         "beq 2f\n"
                         "1:\n"
                         WINOGRAD_CHUNK("vmlal.s16")
                         "subs %[left], %[left], #1\n"
                         "bne 1b\n"
                         "2:\n"
                         "vst1.32 {d16-d19}, [%[to]:128]!\n"
                         "vst1.32 {d20-d23}, [%[to]:128]!\n"
                         "vst1.32 {d24-d27}, [%[to]:128]!\n"
                         "vst1.32 {d28-d31}, [%[to]:128]!\n"
                         : [v] "+r"(v), [u] "+r"(u), [to] "+r"(to), [left] "+r"(left)
                         :
                         : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15",
                           "cc", "memory");
    }
}

#endif
