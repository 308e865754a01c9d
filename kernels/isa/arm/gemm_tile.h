/* What the assembly of dotprod and i8mm tiles shares. Whole tiles are assembly because compilers find no allocation of these 32
 * vectors that does without spilling, and because a tile's last instructions count as much as its loops where K is short.
 *
 *   x1 pointers to the tile's rows    x2 pointers to its outputs   x3-x10 rows, then outputs      x11 taps left
 *   x12 K left                        x13 weights                  x14 pointers to the tap's rows
 *   x15-x17, x19-x25: the struct below, from `pitch` on */
#ifndef EDGECORE_ISA_ARM_GEMM_TILE_H
#define EDGECORE_ISA_ARM_GEMM_TILE_H

#include <stddef.h>
#include <stdint.h>

/* Some tiles of a block, in the order in which assembly loads it. */
typedef struct tile_run {
    const uint8_t *const *a;
    uint8_t *const *out;
    size_t pitch;          /* x15: bytes from the pointers of a tap to those of the next */
    size_t offset;         /* x16: bytes added to each of them */
    size_t groups;         /* x17: of K in a tap */
    size_t tiles;          /* x19 */
    size_t taps;           /* x20 */
    const int8_t *weights; /* x21: what requantises them lies before them */
    size_t out_offset;     /* x22 */
    size_t finish;         /* x23: enum finish */
    int32_t *sums;         /* x24: for FINISH_GENERAL */
    size_t double_steps;   /* x25: of 32 K in a tap, rounded up; 0 where there is an offset, or K are no whole steps of 16 */
} tile_run;

#define LOAD_RUN                                                                                                        \
    "ldp x1, x2, [%[run]]\n"                                                                                            \
    "ldp x15, x16, [%[run], #16]\n"                                                                                     \
    "ldp x17, x19, [%[run], #32]\n"                                                                                     \
    "ldp x20, x21, [%[run], #48]\n"                                                                                     \
    "ldp x22, x23, [%[run], #64]\n"                                                                                     \
    "ldp x24, x25, [%[run], #80]\n"

#define RUN_CLOBBERS                                                                                                    \
    "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",       \
    "x19", "x20", "x21", "x22", "x23", "x24", "x25", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",        \
    "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",     \
    "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory"

/* DO(row, ...) for each row. */
#define EACH_1(DO, ...) DO(0, __VA_ARGS__)
#define EACH_2(DO, ...) EACH_1(DO, __VA_ARGS__) DO(1, __VA_ARGS__)
#define EACH_3(DO, ...) EACH_2(DO, __VA_ARGS__) DO(2, __VA_ARGS__)
#define EACH_4(DO, ...) EACH_3(DO, __VA_ARGS__) DO(3, __VA_ARGS__)
#define EACH_5(DO, ...) EACH_4(DO, __VA_ARGS__) DO(4, __VA_ARGS__)
#define EACH_6(DO, ...) EACH_5(DO, __VA_ARGS__) DO(5, __VA_ARGS__)
#define EACH_7(DO, ...) EACH_6(DO, __VA_ARGS__) DO(6, __VA_ARGS__)
#define EACH_8(DO, ...) EACH_7(DO, __VA_ARGS__) DO(7, __VA_ARGS__)

#define POINTER_0 "x3"
#define POINTER_1 "x4"
#define POINTER_2 "x5"
#define POINTER_3 "x6"
#define POINTER_4 "x7"
#define POINTER_5 "x8"
#define POINTER_6 "x9"
#define POINTER_7 "x10"

/* One pointer for each row. */
#define POINTERS_1(from) "ldr x3, [" from "]\n"
#define POINTERS_2(from) "ldp x3, x4, [" from "]\n"
#define POINTERS_3(from) POINTERS_2(from) "ldr x5, [" from ", #16]\n"
#define POINTERS_4(from) POINTERS_2(from) "ldp x5, x6, [" from ", #16]\n"
#define POINTERS_5(from) POINTERS_4(from) "ldr x7, [" from ", #32]\n"
#define POINTERS_6(from) POINTERS_4(from) "ldp x7, x8, [" from ", #32]\n"
#define POINTERS_7(from) POINTERS_6(from) "ldr x9, [" from ", #48]\n"
#define POINTERS_8(from) POINTERS_6(from) "ldp x9, x10, [" from ", #48]\n"

#define LOAD_ROW(r, ...) "ldr q" #r ", [" POINTER_##r "], #16\n"
#define ADD_OFFSET(r, ...) "add " POINTER_##r ", " POINTER_##r ", x16\n"

/* Requantising, with v0-v7 free: vectors by their numbers; the bounds lie before the weights. RELU's flip is from uint8. */
#define SCALE_RELU(v, multiplier, right)                                                                                \
    "sqrdmulh v" v ".4s, v" v ".4s, v" multiplier ".4s\n"                                                               \
    "srshl v" v ".4s, v" v ".4s, v" right ".4s\n"
#define SCALE_AWAY(v, multiplier, right)                                                                                \
    "sqrdmulh v" v ".4s, v" v ".4s, v" multiplier ".4s\n"                                                               \
    "ssra v" v ".4s, v" v ".4s, #31\n"                                                                                  \
    "srshl v" v ".4s, v" v ".4s, v" right ".4s\n"

#define BOUNDS_RELU "ldr q0, [x21, #-64]\n"
#define BOUNDS_AWAY                                                                                                     \
    "ldp q0, q1, [x21, #-64]\n"                                                                                         \
    "ldp q2, q3, [x21, #-32]\n"

/* 16 scaled sums, or the 8 of `a` and `b`, become the bytes of `a`. */
#define LOW_HALVES(a, b) "uzp1 v" a ".8h, v" a ".8h, v" b ".8h\n"
#define NARROW_16_RELU(a, b, c, d)                                                                                      \
    LOW_HALVES(a, b)                                                                                                    \
    LOW_HALVES(c, d)                                                                                                    \
    "sqxtun v" a ".8b, v" a ".8h\n"                                                                                     \
    "sqxtun2 v" a ".16b, v" c ".8h\n"                                                                                   \
    "eor v" a ".16b, v" a ".16b, v0.16b\n"
#define NARROW_8_RELU(a, b)                                                                                             \
    LOW_HALVES(a, b)                                                                                                    \
    "sqxtun v" a ".8b, v" a ".8h\n"                                                                                     \
    "eor v" a ".8b, v" a ".8b, v0.8b\n"
#define ADD_ZERO_POINT(a) "add v" a ".8h, v" a ".8h, v1.8h\n"
#define CLAMP_AND_FLIP(a)                                                                                               \
    "smax v" a ".16b, v" a ".16b, v2.16b\n"                                                                             \
    "smin v" a ".16b, v" a ".16b, v3.16b\n"                                                                             \
    "eor v" a ".16b, v" a ".16b, v0.16b\n"
#define NARROW_16_AWAY(a, b, c, d)                                                                                      \
    LOW_HALVES(a, b)                                                                                                    \
    LOW_HALVES(c, d)                                                                                                    \
    ADD_ZERO_POINT(a)                                                                                                   \
    ADD_ZERO_POINT(c)                                                                                                   \
    "sqxtn v" a ".8b, v" a ".8h\n"                                                                                      \
    "sqxtn2 v" a ".16b, v" c ".8h\n" CLAMP_AND_FLIP(a)
#define NARROW_8_AWAY(a, b)                                                                                             \
    LOW_HALVES(a, b)                                                                                                    \
    ADD_ZERO_POINT(a)                                                                                                   \
    "sqxtn v" a ".8b, v" a ".8h\n" CLAMP_AND_FLIP(a)

/* All tiles of a run. The file that includes this one says ODD_STEPS_BIT (the bit of the number of groups that is set where a tap
 * has an odd number of steps of 16 K) and, for tiles of rows x cols: BIASES, STEP (16 K, with one more instruction among them),
 * REST (the groups behind a tap's steps, or on to 14), FINISH_<cols>(rows, RELU or AWAY), KEEPS (sums). Where taps are whole steps,
 * the loop makes two of them a round; an odd number begins with the second. */
#define TILES(rows, cols)                                                                                               \
    static void tiles_##rows##x##cols(const tile_run *run)                                                              \
    {                                                                                                                   \
        __asm__ volatile(                                                                                               \
            LOAD_RUN                                                                                                    \
            "1: mov x13, x21\n"                                                                                         \
            "mov x14, x1\n"                                                                                             \
            "mov x11, x20\n"                                                                                            \
            BIASES(rows, cols)                                                                                          \
            "cbz x25, 10f\n"                                                                                            \
            "2: " POINTERS_##rows("x14")                                                                                \
            "mov x12, x25\n"                                                                                            \
            "add x14, x14, x15\n"                                                                                       \
            "tbnz x17, #" ODD_STEPS_BIT ", 4f\n"                                                                        \
            "3:\n" STEP(rows, cols, "")                                                                                 \
            "4:\n" STEP(rows, cols, "subs x12, x12, #1\n")                                                              \
            "b.ne 3b\n"                                                                                                 \
            "subs x11, x11, #1\n"                                                                                       \
            "b.ne 2b\n"                                                                                                 \
            "5: " POINTERS_##rows("x2")                                                                                 \
            "cbnz x23, 7f\n"                                                                                            \
            FINISH_##cols(rows, RELU)                                                                                   \
            "6: add x1, x1, #8 * " #rows "\n"                                                                           \
            "add x2, x2, #8 * " #rows "\n"                                                                              \
            "subs x19, x19, #1\n"                                                                                       \
            "b.ne 1b\n"                                                                                                 \
            "b 15f\n"                                                                                                   \
            "7: tbnz x23, #1, 8f\n"                                                                                     \
            FINISH_##cols(rows, AWAY)                                                                                   \
            "b 6b\n"                                                                                                    \
            "8:\n" KEEPS(rows, cols)                                                                                    \
            "b 6b\n"                                                                                                    \
            "9:\n" EACH_##rows(ADD_OFFSET, )                                                                            \
            "b 11f\n"                                                                                                   \
            "10: " POINTERS_##rows("x14")                                                                               \
            "lsr x12, x17, #" ODD_STEPS_BIT "\n"                                                                        \
            "add x14, x14, x15\n"                                                                                       \
            "cbnz x16, 9b\n"                                                                                            \
            "11: cbz x12, 13f\n"                                                                                        \
            "12:\n" STEP(rows, cols, "subs x12, x12, #1\n")                                                             \
            "b.ne 12b\n"                                                                                                \
            "13: " REST(rows, cols)                                                                                     \
            "14: subs x11, x11, #1\n"                                                                                   \
            "b.ne 10b\n"                                                                                                \
            "b 5b\n"                                                                                                    \
            "15:\n"                                                                                                     \
            :                                                                                                           \
            : [run] "r"(run)                                                                                            \
            : RUN_CLOBBERS);                                                                                            \
    }

#endif
