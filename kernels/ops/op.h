/* The contract between the graph and the operators.
 *
 * A prepared operator computes any region of its output, rows [y0, y1) of channels [c0, c1), from views of
 * its inputs, and regions may be computed in any order and on any thread: the graph cuts a step into tasks
 * by regions, and chains operators strip by strip in fused blocks. The bytes never depend on the cut.
 *
 * Storage: an activation is one byte an element, int8 or uint8. A zero point moves by 128 with the type, so
 * the arithmetic is the same: u = byte ^ flip (flip = 0x80 for int8, 0 for uint8) with zero_point + (flip).
 * A tier names the type that its micro-kernels want (edgecore_tier.storage) and the graph stores every
 * activation so; operators accept any mix of both. */
#ifndef EDGECORE_OPS_OP_H
#define EDGECORE_OPS_OP_H

#include "edgecore/types.h"

struct edgecore_tier;

/* Bytes that may be read (never written) past the last element of any view's buffer. */
#define EDGECORE_SLACK 64

/* An NHWC activation in memory, batch 1. A tensor of rank 2 has height and width 1; of rank 3, height 1. What lies
 * between operators that only move elements has its dims laid over these three: edgecore_tensor_layout. */
typedef struct edgecore_view {
    uint8_t *data;           /* row first_row, column 0, channel 0 */
    int32_t height, width, channels; /* of the whole tensor */
    int32_t first_row;       /* a strip of a fused block holds only some rows */
    ptrdiff_t row_stride;    /* bytes */
    ptrdiff_t pixel_stride;  /* bytes; above `channels` where the tensor is a slice of a concatenation */
} edgecore_view;

typedef struct edgecore_region {
    int32_t y0, y1; /* output rows */
    int32_t c0, c1; /* output channels */
} edgecore_region;

/* What an operator is made from. Views' dims follow from the tensors. */
typedef struct edgecore_op_desc {
    edgecore_op_kind kind;
    const edgecore_op_params *params;
    const edgecore_tensor *const *inputs; /* [input_count], NULL where an optional one is absent */
    int32_t input_count;
    const edgecore_tensor *output;
    /* The output's type in the model, before the graph changed the storage: averages round around that type's zero,
     * so their bytes depend on it. */
    edgecore_dtype model_dtype;
} edgecore_op_desc;

typedef struct edgecore_op edgecore_op;

/* One operator's functions; one constant table per kind, listed in ops/registry.c. */
typedef struct edgecore_op_class {
    const char *name;
    /* Says whether the engine runs this: EDGECORE_OK, or why not. Looks at types, ranks, dims, quantisation and
     * parameters; every later call may trust them. */
    edgecore_status (*check)(const edgecore_op_desc *desc, edgecore_message *message);
    /* Packs weights, computes multipliers and tables. Keeps no pointer into `desc`. */
    edgecore_status (*prepare)(const edgecore_op_desc *desc, const struct edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);
    void (*destroy)(edgecore_op *op);
    /* Computes a region. `inputs` are the activation inputs in order (constants live in the op).
     * The output's memory is apart from the inputs', but a unary operator or an ADD of equal shapes may be given the
     * very view of an input as its output.
     * `scratch` is op->scratch_bytes of the calling thread, 64-byte aligned. */
    void (*run)(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch);
    /* Rows [*in_y0, *in_y1) of activation input `index` that output rows [y0, y1) need, clipped to the input. NULL: the
     * operator needs all rows and cannot be part of a strip. */
    void (*input_rows)(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                       int32_t *in_y1);
} edgecore_op_class;

/* The input_rows of operators that need of every input just the rows they compute. */
static inline void edgecore_same_input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                                            int32_t *in_y1)
{
    (void)op;
    (void)index;
    *in_y0 = y0;
    *in_y1 = y1;
}

/* Every operator's struct begins with this. */
struct edgecore_op {
    const edgecore_op_class *klass;
    size_t scratch_bytes;   /* per calling thread */
    size_t weight_bytes;    /* memory held by packed constants */
    int64_t macs;           /* of the whole output */
    int32_t activation_inputs;
    int32_t channel_step;   /* regions may cut channels at multiples of this; 0: never cut channels */
    bool splits_rows;       /* false: a region must hold all rows */
    int32_t row_step;       /* 0, or regions cost least where they cut rows at multiples of this */
};

/* The class for a kind, or NULL where the kind is out of range or not an operator of its own. */
const edgecore_op_class *edgecore_op_class_of(edgecore_op_kind kind);

/* Height, width and channels of an activation tensor as a view sees it: a batch of one is no axis, the last dim is the channels,
 * the first of three or more the height, and those between are the width together. False where a view is too large. */
bool edgecore_tensor_layout(const edgecore_tensor *tensor, int32_t *height, int32_t *width, int32_t *channels);

/* The same for what operators compute with: rank 1 to 4, batch 1; false for others. */
bool edgecore_tensor_hwc(const edgecore_tensor *tensor, int32_t *height, int32_t *width, int32_t *channels);

/* Writes a formatted line into `message` (which may be NULL) and returns `status`. */
edgecore_status edgecore_fail(edgecore_message *message, edgecore_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
