/* What operators with weights have in common: their checks, and the per-channel numbers of requantisation. */
#ifndef EDGECORE_OPS_WEIGHTS_H
#define EDGECORE_OPS_WEIGHTS_H

#include "isa/tier.h"
#include "ops/op.h"

/* A convolution's or depthwise convolution's window over its input. */
typedef struct edgecore_window {
    int32_t in_h, in_w, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int32_t pad_top, pad_left;
} edgecore_window;

/* Taps of a kernel: pointers of a chunk's taps live in scratch, so their number is bounded. */
#define EDGECORE_MAX_TAPS (1 << 14)

/* Activations of one shape each, constant weights of `rank` and an int32 bias or none. Weights are int8 with zero points 0 and one
 * scale or one per output channel, or uint8 with one scale and any zero point. The weights' dims are only known to be positive. */
edgecore_status edgecore_check_weighted(const edgecore_op_desc *desc, int32_t rank, int32_t channel_axis,
                                        bool per_channel, edgecore_message *message);

/* That the output's size is what kernel, stride, dilation and padding make of the input's. */
edgecore_status edgecore_check_window(const edgecore_op_desc *desc, edgecore_message *message);

/* Of a description that edgecore_check_window accepted. */
edgecore_window edgecore_window_of(const edgecore_op_desc *desc);

/* Input rows that output rows [y0, y1) need, clipped to the input; never empty. */
void edgecore_window_rows(const edgecore_window *window, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1);

/* Weights as micro-kernels multiply them. Those of int8 are the model's own; uint8 ones less their zero point have 9 bits and become
 * sums of two int8 parts, or of three where one is 255: the taps are gone through as often. */
typedef struct edgecore_int8_weights {
    const int8_t *data; /* [filters][parts][weights of a filter] */
    int32_t parts;
    void *memory;       /* free() it */
} edgecore_int8_weights;

edgecore_status edgecore_make_int8_weights(const edgecore_tensor *weights, int32_t filters, edgecore_int8_weights *made,
                                           edgecore_message *message);

/* Parts beyond the first hold the few weights that are far from the zero point: how many of the `parts`, of n weights each, are
 * not all zeros in these filters. */
int32_t edgecore_parts_needed(const int8_t *weights, int32_t filters, int32_t parts, size_t n);

/* Arrays of a requantisation, in one allocation. */
typedef struct edgecore_channel_scales {
    edgecore_requant requant;
    uint8_t zero;    /* the input's zero point as a byte of the tier's storage type */
    uint8_t flip_in; /* makes the input's bytes those of the tier's storage type */
    void *memory;
} edgecore_channel_scales;

/* How the weights of one output channel lie. */
typedef struct edgecore_weight_layout {
    const int8_t *weights;
    int32_t channels;
    int64_t per_channel;               /* weights of one output channel, all parts */
    int64_t channel_stride, weight_stride;
    bool float_scale_product;          /* input scale times weight scale is rounded to float, as in FULLY_CONNECTED */
} edgecore_weight_layout;

/* Multipliers and shifts, and biases that hold the correction for the input's zero point: free(scales->memory). */
edgecore_status edgecore_make_channel_scales(const edgecore_op_desc *desc, const edgecore_tier *tier,
                                             const edgecore_weight_layout *layout,
                                             edgecore_channel_scales *scales, edgecore_message *message);

/* The real multiplier of an output channel, in the reference's own precision. */
double edgecore_channel_multiplier(const edgecore_op_desc *desc, int32_t channel, bool float_scale_product);

#endif
