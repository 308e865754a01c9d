/* Convolutions and fully connected layers as an indirect GEMM over a tier's tiles.
 *
 * Output channels are cut into column blocks, each packed for the kernel that computes it; output pixels are taken in chunks
 * whose tables of pointers live in scratch. Within a chunk a block's weights stay in cache while the
 * chunk's tiles go by. */
#ifndef EDGECORE_OPS_GEMM_DRIVER_H
#define EDGECORE_OPS_GEMM_DRIVER_H

#include "ops/weights.h"

typedef struct edgecore_gemm_block {
    const edgecore_gemm_kernel *kernel;
    const void *packed;
    int32_t first, cols; /* output channels */
    size_t taps;         /* of the operator's, those parts of the weights in which this block has any but zeros */
    size_t a_offset;     /* of this block's group within an input pixel */
} edgecore_gemm_block;

/* Begins as every operator's struct does: conv_2d and fully_connected are this. */
typedef struct edgecore_gemm_op {
    edgecore_op base;
    const edgecore_tier *tier;
    edgecore_window window;
    edgecore_gemm_block *blocks;
    int32_t block_count;
    size_t taps, k;          /* as the kernels see them: by rows, a tap is a whole row of the convolution's kernel */
    size_t part_taps;        /* those of one part of the weights; they follow each other as often as there are parts */
    bool by_rows;            /* table of kernel rows, copied where they are no run of bytes; else of single pixels */
    bool patch;              /* by rows, all of a pixel copied one after the other as its only tap */
    size_t pixel_bytes;      /* of the input */
    int32_t chunk;           /* pixels whose tables are in scratch at once */
    size_t driver_scratch;   /* of base.scratch_bytes; an operator may use what it adds behind that */
    uint8_t zero, flip_in;
    uint8_t *zero_row;       /* a kernel row of the input's zero point */
    void *memory;            /* blocks and zero_row */
} edgecore_gemm_op;

/* What a layer is, in plain numbers. */
typedef struct edgecore_gemm_layer {
    edgecore_window window;
    int32_t in_channels, out_channels, groups;
    int32_t parts;           /* of which each weight is the sum */
    const int8_t *weights;   /* [out_channels][parts][kernel_h][kernel_w][in_channels / groups] */
    bool float_scale_product;
} edgecore_gemm_layer;

/* What a layer costs in the unit of the kernels' costs; a block that is not full, only for the channels that it has. */
double edgecore_gemm_cost(const edgecore_gemm_layer *layer, const edgecore_tier *tier);

edgecore_status edgecore_gemm_prepare(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                      const edgecore_gemm_layer *layer, const edgecore_tier *tier, edgecore_op **op,
                                      edgecore_message *message);
void edgecore_gemm_destroy(edgecore_op *op);
void edgecore_gemm_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                       edgecore_region region, void *scratch);
void edgecore_gemm_input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                              int32_t *in_y1);

#endif
