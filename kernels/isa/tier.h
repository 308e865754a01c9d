/* A tier: one table of micro-kernels for one level of instruction set.
 *
 * The table is filled weakest to strongest: a tier starts as a copy of the one below it and overwrites just what it improves.
 * Micro-kernels neither allocate nor thread; they trust their arguments. Names: <what>_<rows>x<cols>c<k>__<isa>. */
#ifndef EDGECORE_ISA_TIER_H
#define EDGECORE_ISA_TIER_H

#include "edgecore/types.h"

/* How int32 sums become bytes, TFLite's reference arithmetic: saturating rounding doubling high multiply by a
 * Q31 multiplier, rounding shift with ties away from zero, zero point, clamp; all in the uint8 domain, then ^ flip. */
typedef struct edgecore_requant {
    const int32_t *multiplier; /* [channels], padded like the bias */
    const int32_t *shift;      /* [channels]; positive is a left shift, as TFLite has it */
    int32_t zero_point;        /* output's, in the uint8 domain */
    int32_t min, max;          /* activation clamp, in the uint8 domain */
    uint8_t flip;              /* 0x80 where the output is stored as int8 */
} edgecore_requant;

/* One tile of an indirect GEMM: rows are output pixels, columns output channels; K runs over kernel taps and
 * over groups of 4 input channels within a tap.
 *   acc[r][c] = bias[c] + sum over t, k of a[t * row_pitch + r][k] * w[t][k / 4][c][k % 4]
 * A tap that falls into the padding points at a row of zero points. Bias already holds the correction for the
 * input's zero point and storage type. */
typedef struct edgecore_gemm_args {
    const uint8_t *const *a;  /* [taps][row_pitch] pointers */
    size_t row_pitch;
    size_t rows;              /* 1 .. tier->gemm.rows */
    size_t taps;
    size_t k_groups;          /* ceil(K bytes of a tap / 4) */
    const void *w;            /* packed by tier->gemm.pack for this column block */
    const int32_t *bias;      /* [tier->gemm.cols], this block's */
    edgecore_requant requant; /* pointers already at this block */
    uint8_t *const *out;      /* [rows] pointers at the first channel of the block */
    size_t cols;              /* valid columns, 1 .. tier->gemm.cols */
} edgecore_gemm_args;

typedef struct edgecore_gemm_kernel {
    int32_t rows, cols;       /* the largest tile */
    void (*run)(const edgecore_gemm_args *args);
} edgecore_gemm_kernel;

/* One input of an element-wise row: u = byte ^ flip, and its distance from the zero point is what counts. */
typedef struct edgecore_row_input {
    int32_t zero_point;  /* in the uint8 domain */
    int32_t multiplier;  /* Q31; ADD only */
    int32_t right_shift; /* 0 .. 31; ADD only */
    uint8_t flip;
} edgecore_row_input;

/* ADD and MUL of two rows. ADD brings both inputs to a common scale of 2^-20 first; MUL multiplies the distances. */
typedef struct edgecore_row_arithmetic {
    edgecore_row_input a, b;
    int32_t left_shift;  /* of the result, before it is multiplied; 0 for ADD */
    int32_t multiplier;  /* Q31, of the result */
    int32_t right_shift; /* 0 .. 31, of the result */
    int32_t zero_point;  /* output's, in the uint8 domain */
    int32_t min, max;    /* activation clamp, in the uint8 domain */
    uint8_t flip;        /* of the output */
} edgecore_row_arithmetic;

#define EDGECORE_MAX_GEMMS 4

typedef struct edgecore_tier {
    const char *name;
    edgecore_dtype storage;   /* how activations lie in the arena */
    /* Tiles of this tier, widest first; a layer takes the one that wastes least of its channels and pixels. */
    edgecore_gemm_kernel gemms[EDGECORE_MAX_GEMMS];
    int32_t gemm_count;
    /* Byte rows, n elements each; isa/rows_template.h has them in portable C. Buffers may overlap only where they are equal. */
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    void (*lookup_row)(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256]);
    /* The largest of `count` >= 1 rows, compared as in[i] ^ flip and stored as it was. */
    void (*max_row)(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip);
    void (*sum_row)(int32_t *sums, const uint8_t *in, size_t n, uint8_t flip); /* sums[i] += in[i] ^ flip */
    void (*add_row)(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
    void (*mul_row)(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
} edgecore_tier;

int32_t edgecore_tier_count(void);
/* The table of tier `index`, weakest first; never NULL for 0 <= index < edgecore_tier_count(). */
const edgecore_tier *edgecore_tier_at(int32_t index);

#endif
