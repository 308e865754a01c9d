/* One axis of the resize: which inputs make an output, and with which weights. */
#ifndef EDGECORE_IMAGE_RESAMPLE_H
#define EDGECORE_IMAGE_RESAMPLE_H

#include "edgecore/image.h"

#define EDGECORE_WEIGHT_BITS 22 /* weights of an output sum to about 1 << 22; 8-bit pixels leave room for the sum */

/* Output i is the rounded sum over t < counts[i] of weights[i * taps + t] * input[firsts[i] + t].
 * Where `copies`, the axis keeps its size and output i is input[firsts[0] + i]. */
typedef struct edgecore_axis {
    int32_t size;
    int32_t taps;      /* the most that any output has */
    bool copies;
    int32_t *firsts;   /* [size] */
    int32_t *counts;   /* [size] */
    int32_t *weights;  /* [size][taps], zero past the count */
} edgecore_axis;

/* The triangle filter that maps inputs [box_first, box_first + box_size) of `input_size` to `size` outputs. Its ends
 * reach past the box where the input does. False: no memory. */
bool edgecore_axis_init(edgecore_axis *axis, edgecore_filter filter, int32_t input_size, int32_t box_first,
                        int32_t box_size, int32_t size);
void edgecore_axis_release(edgecore_axis *axis);

/* One row through the horizontal pass; `row` starts at input pixel 0, pixels have 1 or 3 interleaved channels. */
void edgecore_resample_row(const edgecore_axis *axis, const uint8_t *row, int32_t channels, uint8_t *out);

/* One output row of the vertical pass: `n` bytes from `count` rows. */
void edgecore_resample_column(const uint8_t *const *rows, const int32_t *weights, int32_t count, size_t n,
                              uint8_t *out);

#endif
