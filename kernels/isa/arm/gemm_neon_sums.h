/* Sums of up to 4 pixels by 4 channels without dot product instructions, in assembly: compilers find no order of these
 * instructions that does without spilling, which costs more than all that is not a multiplication here.
 *
 *   v0-v3, v4-v7   16 K of each pixel, and the next 16
 *   v8-v11         weights of each channel
 *   v12-v15        sums of two products in 16 bits
 *   v16-v31        accumulators [pixel][channel], whose lanes are partial sums over K
 *
 * Products are taken 4 (pixel, channel) at a time: what depends on one another stands far enough apart for a core that
 * executes in order. */
#ifndef EDGECORE_ISA_ARM_GEMM_NEON_SUMS_H
#define EDGECORE_ISA_ARM_GEMM_NEON_SUMS_H

#include <arm_neon.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define X_0 "0"
#define X_1 "1"
#define X_2 "2"
#define X_3 "3"
#define NEXT_0 "4"
#define NEXT_1 "5"
#define NEXT_2 "6"
#define NEXT_3 "7"
#define W_0 "8"
#define W_1 "9"
#define W_2 "10"
#define W_3 "11"
#define ACC_00 "16"
#define ACC_01 "17"
#define ACC_02 "18"
#define ACC_03 "19"
#define ACC_10 "20"
#define ACC_11 "21"
#define ACC_12 "22"
#define ACC_13 "23"
#define ACC_20 "24"
#define ACC_21 "25"
#define ACC_22 "26"
#define ACC_23 "27"
#define ACC_30 "28"
#define ACC_31 "29"
#define ACC_32 "30"
#define ACC_33 "31"

#define LOW(t, x, r, c) "smull v" t ".8h, v" x##_##r ".8b, v" W_##c ".8b\n"
#define HIGH(t, x, r, c) "smlal2 v" t ".8h, v" x##_##r ".16b, v" W_##c ".16b\n"
#define SUM(op, t, r, c) op " v" ACC_##r##c ".4s, v" t ".8h\n"

/* 16 K of (pixel, channel) pairs. */
#define MANY_4(x, op, r0, c0, r1, c1, r2, c2, r3, c3)                                                                  \
    LOW("12", x, r0, c0) LOW("13", x, r1, c1) LOW("14", x, r2, c2) LOW("15", x, r3, c3)                                \
    HIGH("12", x, r0, c0) HIGH("13", x, r1, c1) HIGH("14", x, r2, c2) HIGH("15", x, r3, c3)                            \
    SUM(op, "12", r0, c0) SUM(op, "13", r1, c1) SUM(op, "14", r2, c2) SUM(op, "15", r3, c3)
#define MANY_3(x, op, r0, c0, r1, c1, r2, c2)                                                                          \
    LOW("12", x, r0, c0) LOW("13", x, r1, c1) LOW("14", x, r2, c2)                                                     \
    HIGH("12", x, r0, c0) HIGH("13", x, r1, c1) HIGH("14", x, r2, c2)                                                  \
    SUM(op, "12", r0, c0) SUM(op, "13", r1, c1) SUM(op, "14", r2, c2)

#define LOAD_W_01 "ldp q8, q9, [%[w]], #32\n"
#define LOAD_W_23 "ldp q10, q11, [%[w]], #32\n"

/* 16 K of some pixels by 4 channels; `then_01` and `then_23` follow the last use of these channels' weights. */
#define STEP_4(x, op, then_01, then_23)                                                                                \
    MANY_4(x, op, 0, 0, 1, 0, 2, 0, 3, 0) MANY_4(x, op, 0, 1, 1, 1, 2, 1, 3, 1) then_01                                \
    MANY_4(x, op, 0, 2, 1, 2, 2, 2, 3, 2) MANY_4(x, op, 0, 3, 1, 3, 2, 3, 3, 3) then_23
#define STEP_3(x, op, then_01, then_23)                                                                                \
    MANY_3(x, op, 0, 0, 1, 0, 2, 0) MANY_3(x, op, 0, 1, 1, 1, 2, 1) then_01                                            \
    MANY_3(x, op, 0, 2, 1, 2, 2, 2) MANY_3(x, op, 0, 3, 1, 3, 2, 3) then_23
#define STEP_2(x, op, then_01, then_23)                                                                                \
    MANY_4(x, op, 0, 0, 1, 0, 0, 1, 1, 1) then_01 MANY_4(x, op, 0, 2, 1, 2, 0, 3, 1, 3) then_23
#define STEP_1(x, op, then_01, then_23) MANY_4(x, op, 0, 0, 0, 1, 0, 2, 0, 3) then_01 then_23

/* 8 K: a pixel's in both halves of its vector, and two channels in a vector of weights. */
#define EVEN(t, x, r, w) "smull v" t ".8h, v" x##_##r ".8b, v" w ".8b\n"
#define ODD(t, x, r, w) "smull2 v" t ".8h, v" x##_##r ".16b, v" w ".16b\n"
#define HALF_OF(x, r)                                                                                                  \
    EVEN("12", x, r, "8") ODD("13", x, r, "8") EVEN("14", x, r, "9") ODD("15", x, r, "9")                              \
    SUM("sadalp", "12", r, 0) SUM("sadalp", "13", r, 1) SUM("sadalp", "14", r, 2) SUM("sadalp", "15", r, 3)
#define HALF(r) HALF_OF(X, r)
#define NEXT_HALF(r) HALF_OF(NEXT, r)

/* For each pixel. */
#define EACH_1(DO) DO(0)
#define EACH_2(DO) EACH_1(DO) DO(1)
#define EACH_3(DO) EACH_2(DO) DO(2)
#define EACH_4(DO) EACH_3(DO) DO(3)
#define LOAD_FIRST(r) "ldr q" X_##r ", [%[first" #r "]]\n"
#define TO_FIRST(r) "mov %[row" #r "], %[first" #r "]\n"
#define PASS_FIRST(r) "add %[row" #r "], %[first" #r "], #16\n"
#define LOAD_16(r) "ldr q" X_##r ", [%[row" #r "]], #16\n"
#define LOAD_32(r) "ldp q" X_##r ", q" NEXT_##r ", [%[row" #r "]], #32\n"
#define LOAD_8(r) "ld1r {v" X_##r ".2d}, [%[row" #r "]]\n"
#define NEXT_TAP_1 "ldr %[row0], [%[tap]]\n"
#define NEXT_TAP_2 "ldp %[row0], %[row1], [%[tap]]\n"
#define NEXT_TAP_3 NEXT_TAP_2 "ldr %[row2], [%[tap], #16]\n"
#define NEXT_TAP_4 NEXT_TAP_2 "ldp %[row2], %[row3], [%[tap], #16]\n"
#define ADD_OFFSET(r) "add %[row" #r "], %[row" #r "], %[offset]\n"
#define ACROSS(r)                                                                                                      \
    "addp v" ACC_##r##0 ".4s, v" ACC_##r##0 ".4s, v" ACC_##r##1 ".4s\n"                                                \
    "addp v" ACC_##r##2 ".4s, v" ACC_##r##2 ".4s, v" ACC_##r##3 ".4s\n"
#define ACROSS_ALL(r) "addp v" ACC_##r##0 ".4s, v" ACC_##r##0 ".4s, v" ACC_##r##2 ".4s\n"

/* 32 K; sets the flags for what is left. */
#define STEP_OF_32(rows)                                                                                               \
    EACH_##rows(LOAD_32) LOAD_W_01 LOAD_W_23                                                                           \
    "subs %[left], %[left], #32\n"                                                                                     \
    STEP_##rows(X, "sadalp", LOAD_W_01, LOAD_W_23)                                                                     \
    STEP_##rows(NEXT, "sadalp", "", "")

/* On to the next tap, at label `again`; behind the last, sums across lanes. */
#define TAP_END(rows, again)                                                                                           \
    "5: cmp %[tap], %[last]\n"                                                                                         \
    "b.eq 6f\n"                                                                                                        \
    "add %[tap], %[tap], %[pitch]\n"                                                                                   \
    NEXT_TAP_##rows                                                                                                    \
    "mov %[left], %[k]\n"                                                                                              \
    EACH_##rows(ADD_OFFSET)                                                                                            \
    "b " again "\n"                                                                                                    \
    "6:\n"                                                                                                             \
    EACH_##rows(ACROSS) EACH_##rows(ACROSS_ALL)

/* `left` counts K to the end of a tap: more than 24 are 32, more than 8 are 16, and the rest 8. */
#define SUMS(rows)                                                                                                     \
    EACH_##rows(LOAD_FIRST) LOAD_W_01 LOAD_W_23                                                                        \
    "subs %[left], %[k], #16\n"                                                                                        \
    "mov %[tap], %[a]\n"                                                                                               \
    STEP_##rows(X, "saddlp", "", "")                                                                                   \
    "b.ls 5f\n"                                                                                                        \
    EACH_##rows(PASS_FIRST)                                                                                            \
    "1: subs %[left], %[left], #25\n"                                                                                  \
    "b.lt 3f\n"                                                                                                        \
    "2:\n"                                                                                                             \
    STEP_OF_32(rows)                                                                                                   \
    "b.ge 2b\n"                                                                                                        \
    "3: cmn %[left], #25 - 9\n"                                                                                        \
    "b.lt 4f\n"                                                                                                        \
    EACH_##rows(LOAD_16) LOAD_W_01 LOAD_W_23                                                                           \
    "sub %[left], %[left], #16\n"                                                                                      \
    STEP_##rows(X, "sadalp", "", "")                                                                                   \
    "4: cmn %[left], #25 - 1\n"                                                                                        \
    "b.lt 5f\n"                                                                                                        \
    EACH_##rows(LOAD_8) LOAD_W_01                                                                                      \
    EACH_##rows(HALF)                                                                                                  \
    TAP_END(rows, "1b")

/* The same where k is a multiple of 32. */
#define SUMS_OF_32S(rows)                                                                                              \
    EACH_##rows(TO_FIRST) EACH_##rows(LOAD_32) LOAD_W_01 LOAD_W_23                                                     \
    "subs %[left], %[k], #32\n"                                                                                        \
    "mov %[tap], %[a]\n"                                                                                               \
    STEP_##rows(X, "saddlp", LOAD_W_01, LOAD_W_23)                                                                     \
    STEP_##rows(NEXT, "sadalp", "", "")                                                                                \
    "b.eq 5f\n"                                                                                                        \
    "2:\n"                                                                                                             \
    STEP_OF_32(rows)                                                                                                   \
    "b.ne 2b\n"                                                                                                        \
    TAP_END(rows, "2b")

/* Where a tile's pixels lie. */
typedef struct tile_rows {
    const int8_t *first[4];    /* their first tap */
    const uint8_t *const *a;   /* pointers to their taps, `pitch` bytes from one tap's to the next's, up to `last` */
    const uint8_t *const *last;
    size_t pitch, offset, k;   /* offset: bytes added to each pointer of `a` */
} tile_rows;

/* sums[r] of 4 channels; returns the end of their weights. */
#define SUMS_FUNCTION(name, STEPS)                                                                                     \
    ALWAYS_INLINE const int8_t *name(const tile_rows *t, const int8_t *w, int32x4_t sums[4])                           \
    {                                                                                                                  \
        const int8_t *row[4];                                                                                          \
        const uint8_t *const *tap;                                                                                     \
        size_t left;                                                                                                   \
        register int32x4_t sums_0 __asm__("v16");                                                                      \
        register int32x4_t sums_1 __asm__("v20");                                                                      \
        register int32x4_t sums_2 __asm__("v24");                                                                      \
        register int32x4_t sums_3 __asm__("v28");                                                                      \
        __asm__ volatile(STEPS                                                                                         \
                         : "=w"(sums_0), "=w"(sums_1), "=w"(sums_2), "=w"(sums_3), [w] "+&r"(w), [tap] "=&r"(tap),     \
                           [left] "=&r"(left), [row0] "=&r"(row[0]), [row1] "=&r"(row[1]), [row2] "=&r"(row[2]),       \
                           [row3] "=&r"(row[3])                                                                        \
                         : [first0] "r"(t->first[0]), [first1] "r"(t->first[1]), [first2] "r"(t->first[2]),            \
                           [first3] "r"(t->first[3]), [a] "r"(t->a), [last] "r"(t->last), [pitch] "r"(t->pitch),       \
                           [offset] "r"(t->offset), [k] "r"(t->k)                                                      \
                         : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
                           "v15", "v17", "v18", "v19", "v21", "v22", "v23", "v25", "v26", "v27", "v29", "v30", "v31", "cc", \
                           "memory");                                                                                  \
        sums[0] = sums_0;                                                                                              \
        sums[1] = sums_1;                                                                                              \
        sums[2] = sums_2;                                                                                              \
        sums[3] = sums_3;                                                                                              \
        return w;                                                                                                      \
    }

SUMS_FUNCTION(sums_1, SUMS(1))
SUMS_FUNCTION(sums_2, SUMS(2))
SUMS_FUNCTION(sums_3, SUMS(3))
SUMS_FUNCTION(sums_4, SUMS(4))
SUMS_FUNCTION(sums_4_of_32s, SUMS_OF_32S(4))

/* 4 pixels of one tap with few K, which stay in registers while all channels go by. */
typedef struct few_k {
    int8x16_t x[4], next[4]; /* 16 K, and the next 8 (in both halves) or 16 */
} few_k;

#define PIN_NEXT                                                                                                       \
    register int8x16_t next_0 __asm__("v4") = t->next[0];                                                              \
    register int8x16_t next_1 __asm__("v5") = t->next[1];                                                              \
    register int8x16_t next_2 __asm__("v6") = t->next[2];                                                              \
    register int8x16_t next_3 __asm__("v7") = t->next[3];
#define NEXT_INPUTS , "w"(next_0), "w"(next_1), "w"(next_2), "w"(next_3)

#define FEW_FUNCTION(k, PIN_MORE, MORE_INPUTS, STEPS)                                                                  \
    ALWAYS_INLINE const int8_t *sums_of_##k(const few_k *t, const int8_t *w, int32x4_t sums[4])                        \
    {                                                                                                                  \
        register int8x16_t x_0 __asm__("v0") = t->x[0];                                                                \
        register int8x16_t x_1 __asm__("v1") = t->x[1];                                                                \
        register int8x16_t x_2 __asm__("v2") = t->x[2];                                                                \
        register int8x16_t x_3 __asm__("v3") = t->x[3];                                                                \
        PIN_MORE                                                                                                       \
        register int32x4_t sums_0 __asm__("v16");                                                                      \
        register int32x4_t sums_1 __asm__("v20");                                                                      \
        register int32x4_t sums_2 __asm__("v24");                                                                      \
        register int32x4_t sums_3 __asm__("v28");                                                                      \
        __asm__ volatile(LOAD_W_01 LOAD_W_23 STEPS EACH_4(ACROSS) EACH_4(ACROSS_ALL)                                   \
                         : "=w"(sums_0), "=w"(sums_1), "=w"(sums_2), "=w"(sums_3), [w] "+&r"(w)                        \
                         : "w"(x_0), "w"(x_1), "w"(x_2), "w"(x_3) MORE_INPUTS                                          \
                         : "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v17", "v18", "v19", "v21", "v22", "v23", \
                           "v25", "v26", "v27", "v29", "v30", "v31", "memory");                                        \
        sums[0] = sums_0;                                                                                              \
        sums[1] = sums_1;                                                                                              \
        sums[2] = sums_2;                                                                                              \
        sums[3] = sums_3;                                                                                              \
        return w;                                                                                                      \
    }

FEW_FUNCTION(16, , , STEP_4(X, "saddlp", "", ""))
FEW_FUNCTION(24, PIN_NEXT, NEXT_INPUTS, STEP_4(X, "saddlp", LOAD_W_01, "") EACH_4(NEXT_HALF))
FEW_FUNCTION(32, PIN_NEXT, NEXT_INPUTS, STEP_4(X, "saddlp", LOAD_W_01, LOAD_W_23) STEP_4(NEXT, "sadalp", "", ""))

#endif
