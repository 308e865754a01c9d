/* Micro-kernels of the preprocessing in image/: the two passes of the resize and what else touches every pixel.
 *
 * They trust their arguments, read nothing past a row's end, and give the same bytes at every tier. */
#ifndef EDGECORE_ISA_IMAGE_H
#define EDGECORE_ISA_IMAGE_H

#include "edgecore/types.h"

#define EDGECORE_WEIGHT_BITS 22 /* the weights of an output sum to about 1 << 22; 8-bit pixels leave room for the sum */
#define EDGECORE_HALF_BITS 11   /* a weight is high << 11 | low, and both halves fit into 16 bits */
#define EDGECORE_WEIGHT_DIGITS 3 /* or a sum of three signed digits in base 256 */
#define EDGECORE_NARROW_ROWS 4  /* rows that pass through the horizontal pass together */
#define EDGECORE_NARROW_SLACK 8 /* bytes that may be written past a row of the horizontal pass */

/* One axis of the resize: which inputs make an output, and with which weights. Output i is the rounded sum over t < counts[i] of
 * weights[i][t] * input[firsts[i] + t]. Where `copies`, the axis keeps its size and output i is input[firsts[0] + i]. */
typedef struct edgecore_axis {
    int32_t size;
    int32_t most;      /* the largest count */
    int32_t groups;    /* of 4 weights per output; even */
    bool copies;
    int32_t *firsts;   /* [size], and the last one's up to a multiple of 4 */
    int32_t *counts;   /* [size] */
    int32_t *weights;  /* [size][groups][4], zero past the count */
    int16_t *halves;   /* [size][groups][8]: 4 high halves, then the same weights' 4 low halves */
    int8_t *digits;    /* [size / 4, rounded up][groups][3 digits, the lowest first][4 outputs][4 weights] */
} edgecore_axis;

/* YUV to RGB as sums of rounded products, in 64ths: a term is ((sample - 128) * factor + 64) >> 7, with factors in 8192nds.
 *     red   = offset + Y y_factor                + V v_to_red
 *     green = offset + Y y_factor + U u_to_green + V v_to_green
 *     blue  = offset + Y y_factor + U u_to_blue
 * each then >> 6 and clamped to a byte; `offset` holds black's level and the rounding of that shift. */
typedef struct edgecore_yuv_factors {
    int16_t y, v_to_red, u_to_green, v_to_green, u_to_blue, offset;
} edgecore_yuv_factors;

/* A row of luma with its row of chroma, which begins with that of the first pixel: two pixels each. */
typedef struct edgecore_yuv_row {
    const uint8_t *y, *u, *v;
    bool interleaved; /* u and v in turns, from u on */
    bool blue_first;  /* in the pixels to be made */
    const edgecore_yuv_factors *factors;
} edgecore_yuv_row;

/* One past the last input of an output. */
static inline int32_t edgecore_axis_end(const edgecore_axis *axis, int32_t index)
{
    return axis->firsts[index] + (axis->copies ? 1 : axis->counts[index]);
}

typedef struct edgecore_image_kernels {
    /* The horizontal pass of 1 .. EDGECORE_NARROW_ROWS rows of `row_bytes`; pixels have 1 or 3 interleaved channels. */
    void (*narrow)(const edgecore_axis *axis, const uint8_t *const *rows, int32_t count, size_t row_bytes, int32_t channels,
                   uint8_t *const *out);
    /* Output `index` of the vertical pass: `n` bytes from the counts[index] rows of its window. */
    void (*blend)(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t n, uint8_t *out);
    /* (19595 R + 38470 G + 7471 B + 32768) >> 16 of `n` pixels, RGB or BGR. */
    void (*luma)(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first);
    /* The channels of `n` pixels turned round, every byte ^ flip. */
    void (*reverse)(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip);
    /* `n` pixels of a planar frame as RGB or BGR. */
    void (*colour)(uint8_t *out, const edgecore_yuv_row *row, size_t n);
} edgecore_image_kernels;

extern const edgecore_image_kernels edgecore_image_scalar;
#if defined(__x86_64__)
extern const edgecore_image_kernels edgecore_image_avx2;
extern const edgecore_image_kernels edgecore_image_avx512vnni;
#elif defined(__aarch64__) || defined(__arm__)
extern const edgecore_image_kernels edgecore_image_neon;
#endif

/* Those of tier `index` of edgecore/cpu.h: its own, or the nearest weaker tier's. */
const edgecore_image_kernels *edgecore_image_kernels_of(int32_t index);

#endif
