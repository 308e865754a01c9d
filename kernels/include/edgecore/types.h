/* Types that every layer of the engine shares: status, tensors, operators and their parameters. */
#ifndef EDGECORE_TYPES_H
#define EDGECORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGECORE_MAX_RANK 6
#define EDGECORE_MAX_CHANNELS (1 << 20)

#if defined(__GNUC__)
#define EDGECORE_API __attribute__((visibility("default")))
#else
#define EDGECORE_API
#endif

typedef enum edgecore_status {
    EDGECORE_OK = 0,
    EDGECORE_INVALID,     /* an argument is wrong: the caller's mistake */
    EDGECORE_UNSUPPORTED, /* well formed, but the engine does not do it: leave it to the interpreter */
    EDGECORE_NO_MEMORY,
} edgecore_status;

/* Why a call did not return EDGECORE_OK, in one line. The caller owns it; a NULL pointer is allowed. */
typedef struct edgecore_message {
    char text[240];
} edgecore_message;

typedef enum edgecore_dtype {
    EDGECORE_INT8 = 0,
    EDGECORE_UINT8,
    EDGECORE_INT32,
} edgecore_dtype;

/* A tensor as a front end describes it. Activations are NHWC with dims[0] == 1, or of any dims between operators that
 * only move elements (reshape, transpose, slice); convolution weights are OHWI, depthwise weights 1HWO, fully connected weights OI. The pointers need to live only until the
 * engine is created. */
typedef struct edgecore_tensor {
    edgecore_dtype dtype;
    int32_t rank;
    int32_t dims[EDGECORE_MAX_RANK];
    int32_t scale_count;         /* 0 not quantised, 1 per tensor, else one scale per output channel */
    const float *scales;         /* [scale_count] */
    const int32_t *zero_points;  /* [scale_count] */
    const void *data;            /* contents of a constant; NULL for an activation */
    const char *name;            /* may be NULL */
} edgecore_tensor;

typedef enum edgecore_op_kind {
    EDGECORE_CONV_2D = 0,      /* x, weights, bias or absent */
    EDGECORE_DEPTHWISE_CONV_2D, /* x, weights, bias or absent */
    EDGECORE_FULLY_CONNECTED,  /* x, weights, bias or absent */
    EDGECORE_TRANSPOSE_CONV,   /* x, weights, bias or absent; the output's dims say the size */
    EDGECORE_MAX_POOL_2D,
    EDGECORE_AVERAGE_POOL_2D,
    EDGECORE_MEAN,             /* x; the axes stand in the parameters */
    EDGECORE_ADD,
    EDGECORE_MUL,
    EDGECORE_CONCATENATION,
    EDGECORE_PAD,              /* x; the paddings stand in the parameters */
    EDGECORE_RESHAPE,          /* x; the output's dims say the shape */
    EDGECORE_SOFTMAX,
    EDGECORE_RELU,
    EDGECORE_RELU6,
    EDGECORE_LEAKY_RELU,
    EDGECORE_LOGISTIC,
    EDGECORE_TANH,
    EDGECORE_HARD_SWISH,
    EDGECORE_QUANTIZE,         /* one 8-bit quantisation to another */
    EDGECORE_RESIZE_NEAREST_NEIGHBOR, /* x; the output's dims say the size */
    EDGECORE_RESIZE_BILINEAR,
    EDGECORE_TRANSPOSE,        /* x; the order of its dims stands in the axes */
    EDGECORE_STRIDED_SLICE,    /* x; begin, step and size stand in the parameters */
    EDGECORE_SWISH,            /* made by a fusion: x times its logistic of 1 / 256 */
    EDGECORE_MULTI_SCALE_MAX_POOL, /* made by a fusion: stride 1 pools of one map, flattened and joined */
    EDGECORE_AFFINE_CHANNEL,   /* made by a fusion: x, factor, addend; the last two constants of one value or one per channel */
    EDGECORE_OP_KINDS,
} edgecore_op_kind;

typedef enum edgecore_activation {
    EDGECORE_ACT_NONE = 0,
    EDGECORE_ACT_RELU,
    EDGECORE_ACT_RELU_N1_TO_1,
    EDGECORE_ACT_RELU6,
} edgecore_activation;

#define EDGECORE_MAX_WINDOWS 8

/* Parameters of all operators; an operator reads those that its name implies and ignores the others. */
typedef struct edgecore_op_params {
    edgecore_activation activation;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t filter_h, filter_w;        /* pools */
    /* Of convolutions and pools, explicit (never "SAME"); of a transposed convolution what it leaves out of its output. */
    int32_t pad_top, pad_bottom, pad_left, pad_right;
    int32_t depth_multiplier;
    int32_t axis;                      /* concatenation; may be negative */
    int32_t axis_count;                /* mean, transpose */
    int32_t axes[EDGECORE_MAX_RANK];
    bool keep_dims;
    int32_t pad_before[EDGECORE_MAX_RANK], pad_after[EDGECORE_MAX_RANK]; /* PAD */
    float alpha;                       /* leaky ReLU's slope */
    float beta;                        /* softmax */
    int32_t window_count;              /* multi-scale max pool: square windows, stride 1, valid */
    int32_t windows[EDGECORE_MAX_WINDOWS];
    int32_t begin[EDGECORE_MAX_RANK], step[EDGECORE_MAX_RANK], size[EDGECORE_MAX_RANK]; /* of a slice, per input dim */
    /* Of an affine channel: what its MUL would have made, the zero point as for uint8; `activation` is that of the sum. */
    edgecore_activation product_activation;
    float product_scale;
    int32_t product_zero_point;
    bool align_corners, half_pixel_centers; /* resizes; not both */
} edgecore_op_params;

#ifdef __cplusplus
}
#endif
#endif
