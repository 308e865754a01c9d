/* A tier: one constant table of micro-kernels for one level of instruction set; isa/tiers.c lists them, weakest first.
 *
 * GEMM, depthwise and Winograd kernels pack weights in layouts of their own; a tier lists its own, and those of weaker tiers that
 * it does not better. Byte rows are portable C that every x86 tier compiles with its own flags; ARM tiers have them in NEON.
 * Micro-kernels neither allocate nor thread; they trust their arguments. Names: <what>_<rows>x<cols>c<k>__<isa>. */
#ifndef EDGECORE_ISA_TIER_H
#define EDGECORE_ISA_TIER_H

#include "edgecore/types.h"

/* How int32 sums become bytes, TFLite's reference arithmetic: saturating rounding doubling high multiply by a Q31 multiplier,
 * rounding shift with ties away from zero, zero point, clamp. All in the uint8 domain (byte ^ flip). */
typedef struct edgecore_requant {
    const int32_t *bias;       /* [channels], corrected for the input's zero point in the tier's storage type */
    const int32_t *multiplier; /* [channels], 0 or 2^30 and above */
    const int32_t *shift;      /* [channels]; positive is a left shift, as TFLite has it */
    int32_t zero_point;        /* output's */
    int32_t min, max;          /* activation clamp, 0 <= min <= max <= 255 */
    uint8_t flip;              /* 0x80 where the output is stored as int8 */
} edgecore_requant;

/* Some output channels of a layer as the operator has them: what a micro-kernel packs into one block of its own layout. */
typedef struct edgecore_columns {
    const int8_t *weights;     /* GEMM: [cols][taps][k]; depthwise: [kernel_h][kernel_w][weight_stride], `cols` of each */
    size_t cols;
    size_t taps, k;            /* GEMM */
    size_t kernel_h, kernel_w, weight_stride; /* depthwise */
    edgecore_requant requant;  /* pointers already at the first of these channels */
} edgecore_columns;

/* One tile of an indirect GEMM: rows are output pixels, columns output channels; K runs over kernel taps and over the bytes
 * of a tap.
 *   acc[r][c] = bias[c] + sum over t, k of a[t * row_pitch + r][k] * w[c][t][k]
 * A tap that falls into the padding points at a row of zero points. A tap is read in steps of kernel->k_step bytes, so that
 * up to k_step - 1 bytes past its k are. */
typedef struct edgecore_gemm_args {
    const uint8_t *const *a;  /* [taps][row_pitch] pointers to bytes of the tier's storage type */
    size_t row_pitch;
    size_t a_offset;          /* bytes added to every pointer of `a`: the first channel of a group */
    size_t rows;              /* 1 .. kernel->rows, or where kernel->takes_rows any number */
    size_t tiles;             /* 1, or where kernel->takes_tiles any number: the next begins at a + rows, out + rows */
    size_t taps, k;
    const void *block;        /* made by kernel->pack, 64-byte aligned */
    uint8_t *const *out;      /* [tiles][rows] output pixels */
    size_t out_offset;        /* bytes added to every pointer of `out`: the block's first channel */
    size_t cols;              /* those of the block, 1 .. kernel->cols */
} edgecore_gemm_args;

typedef struct edgecore_gemm_kernel {
    const char *name;
    int32_t rows, cols;       /* the largest tile */
    int32_t k_step;           /* 4 .. 16, a multiple of 4 */
    bool takes_tiles, takes_rows;
    /* What a full tile costs in cycles: per group of 4 K, and once for requantising and storing. Only ratios matter. */
    float group_cost, tile_cost;
    size_t (*block_bytes)(size_t taps, size_t k);
    void (*pack)(void *block, const edgecore_columns *columns);
    void (*run)(const edgecore_gemm_args *args);
} edgecore_gemm_kernel;

/* Output pixels of one row of a depthwise convolution, one block of channels:
 *   acc[p][c] = bias[c] + sum over ky, kx of a[p * pixel_step + kx * tap_step][ky][c] * w[ky][kx][c]
 * An input column under all kernel rows is what a vector kernel interleaves, once for all pixels that share it. Whole vectors
 * are read: up to kernel->cols bytes from each pointer, whatever the block's `cols`. */
typedef struct edgecore_depthwise_args {
    const uint8_t *const *a;  /* [columns][kernel_h rounded up to kernel->row_step] pointers; padding: a row of zero points */
    size_t columns, pixels;
    size_t pixel_step, tap_step; /* in columns */
    size_t kernel_h, kernel_w;
    const void *block;
    uint8_t *out;             /* first output pixel */
    ptrdiff_t out_stride;     /* bytes from one pixel to the next */
    size_t offset;            /* bytes added to every pointer of `a` and to `out`: the block's first channel */
    size_t cols;
    void *scratch;            /* 64-byte aligned, kernel->scratch_bytes(columns, kernel_h) */
} edgecore_depthwise_args;

typedef struct edgecore_depthwise_kernel {
    const char *name;
    int32_t cols, row_step;
    float cost;               /* of a block, in ratio to the tier's other kernels */
    size_t (*block_bytes)(size_t kernel_h, size_t kernel_w);
    size_t (*scratch_bytes)(size_t columns, size_t kernel_h);
    void (*pack)(void *block, const edgecore_columns *columns);
    void (*run)(const edgecore_depthwise_args *args);
} edgecore_depthwise_kernel;

/* 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3) in integers: 36 products make 16 outputs, where the sum itself takes
 * 144. A tile is 4x4 outputs, made from the 6x6 input pixels under them; `positions` are the 36 elements of a transformed tile.
 * Inputs are not distances from the zero point: as in a GEMM the bias holds that correction. Transformed sums wrap, and only
 * the outputs, 64 times what they should be when the last division is left, have to fit 32 bits: the transform is exact
 * where every output's sum and bias lie within +-EDGECORE_WINOGRAD_MOST. */
#define EDGECORE_WINOGRAD_TILE 4
#define EDGECORE_WINOGRAD_INPUT 6
#define EDGECORE_WINOGRAD_POSITIONS 36
#define EDGECORE_WINOGRAD_CHANNELS 8 /* of a chunk: input channels go in chunks */
#define EDGECORE_WINOGRAD_MOST ((1 << 25) - 1)

/* Tiles beside each other become int16, kernel->tiles at a time in kernel->tiles_bytes, [position] and then [chunk][tile][channel]
 * or in another order that the kernel likes. Whole chunks are read: up to 7 bytes past a pixel. Columns left and right of the
 * image are the `zero` pixel; a row above or below is that pixel with a step of 0. */
typedef struct edgecore_winograd_input {
    const uint8_t *rows[EDGECORE_WINOGRAD_INPUT]; /* first pixel inside the image */
    ptrdiff_t steps[EDGECORE_WINOGRAD_INPUT];     /* bytes from a pixel to the next */
    const uint8_t *zero;
    size_t before, inside;  /* columns; what is missing to 4 * tiles + 2 lies after */
    size_t channels;
    size_t first, tiles;    /* where in `to` the tiles go */
    int16_t *to;
    void *scratch;          /* kernel->column_bytes for each column */
} edgecore_winograd_input;

/* Where a tile's outputs go; those past rows and cols are not stored. */
typedef struct edgecore_winograd_output {
    uint8_t *to;
    int32_t rows, cols; /* 1 .. 4 */
} edgecore_winograd_output;

/* Output channels of one block for up to kernel->tiles tiles. */
typedef struct edgecore_winograd_args {
    const int16_t *tiles;
    size_t count;
    size_t channels;
    const void *block;        /* made by kernel->pack, 64-byte aligned */
    const edgecore_winograd_output *out; /* [count] */
    ptrdiff_t row_stride, pixel_stride;
    size_t out_offset;        /* bytes added to every `to`: the block's first channel */
    size_t cols;              /* those of the block */
    int32_t *scratch;         /* [positions][kernel->tiles][kernel->cols] */
} edgecore_winograd_args;

typedef struct edgecore_winograd_kernel {
    const char *name;
    int32_t tiles, cols;
    int32_t lanes;          /* `cols` and what a block has of them are computed in whole `lanes` */
    int32_t column_bytes;
    /* In the unit of the GEMM kernels: of a chunk in all positions and of requantising and storing, both for `tiles` x
     * `cols`; of transforming a chunk of one tile; and of a byte of weights on its way from memory. */
    float chunk_cost, tile_cost, input_cost, byte_cost;
    size_t most_bytes;      /* of a layer's packed weights, eight times those of the model: a layer of more is left to the GEMM */
    size_t (*tiles_bytes)(size_t channels); /* of `tiles` transformed tiles, a multiple of 64 */
    size_t (*block_bytes)(size_t channels);
    void (*pack)(void *block, const edgecore_columns *columns); /* 9 taps */
    void (*transform)(const edgecore_winograd_input *args);
    void (*run)(const edgecore_winograd_args *args);
} edgecore_winograd_kernel;

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

/* Pixels along a line for each channel: byte u becomes (x + offset) >> shift, clamped, where x = (u - zero_point) * slope, less
 * `below` where x is below 0. Arrays of slopes and offsets are read in steps of EDGECORE_LINE_STEP. */
#define EDGECORE_LINE_STEP 16

typedef struct edgecore_row_lines {
    const int32_t *slopes, *offsets; /* [n] */
    size_t n;                        /* channels */
    ptrdiff_t in_stride, out_stride; /* bytes from one pixel to the next */
    int32_t zero_point, below;       /* a zero point of 0 where below is */
    int32_t shift;
    uint8_t min, max;
} edgecore_row_lines;

#define EDGECORE_WINDOW_BYTES 16

/* Maxima of `count` windows of size x size pixels, 2 or 3, two pixels apart, n bytes of each pixel. */
typedef struct edgecore_row_windows {
    const uint8_t *rows[3]; /* the first window's first pixel in each of its rows */
    size_t size, count;
    ptrdiff_t pixel_stride, out_stride; /* bytes from one pixel to the next */
    size_t n;               /* at least EDGECORE_WINDOW_BYTES */
    uint8_t flip;           /* bytes are compared as byte ^ flip */
} edgecore_row_windows;

/* Sums of `count` values become averages, rounded half away from `zero`. */
typedef struct edgecore_row_average {
    int32_t count;
    int32_t zero;     /* in the uint8 domain: 128 where the model's type is int8 */
    int32_t min, max; /* activation clamp, in the uint8 domain */
    uint8_t flip;     /* of the output */
} edgecore_row_average;

/* A product and a sum in float that give each of up to 32 channels the bytes of a MUL and an ADD by constants:
 *   product = trunc(fma(x - zero_point, factor, x < zero_point ? -half : half))
 *   out     = clamp(trunc(fma(product, slope, offset)), min, max)
 * A fused product is rounded once. Channel c has its floats at edgecore_affine_lane(c): where unpacking 16 bytes to words and
 * those to 32 bits, within 128 bits each, leaves it. */
#define EDGECORE_AFFINE_CHANNELS 32

typedef struct edgecore_affine_block {
    float factor[EDGECORE_AFFINE_CHANNELS], offset[EDGECORE_AFFINE_CHANNELS];
    float half[EDGECORE_AFFINE_CHANNELS]; /* has the sign of the factor */
    uint8_t min[EDGECORE_AFFINE_CHANNELS], max[EDGECORE_AFFINE_CHANNELS]; /* by channel */
} edgecore_affine_block;

static inline size_t edgecore_affine_lane(size_t channel)
{
    return channel / 4 % 4 * 8 + channel / 16 * 4 + channel % 4;
}

/* Input and output are stored as uint8. */
typedef struct edgecore_affine_pixels {
    const uint8_t *in;
    uint8_t *out;
    ptrdiff_t in_stride, out_stride; /* bytes from one pixel to the next */
    size_t pixels;
    size_t channels;                 /* 1 .. EDGECORE_AFFINE_CHANNELS */
    const edgecore_affine_block *block;
    int32_t zero_point;              /* input's */
    float slope;
} edgecore_affine_pixels;

/* The largest count whose sums of bytes float holds exactly. */
#define EDGECORE_FLOAT_COUNT (1 << 15)

/* SOFTMAX over the channels of pixels, as ops/softmax.c has it for one. */
#define EDGECORE_SOFTMAX_PIXELS 32
#define EDGECORE_SOFTMAX_CHANNELS 256

typedef struct edgecore_row_softmax {
    const int32_t *exps;             /* [256], Q0.31 by the distance below the maximum */
    size_t channels;                 /* 1 .. EDGECORE_SOFTMAX_CHANNELS */
    ptrdiff_t in_stride, out_stride; /* bytes from one pixel to the next */
    uint8_t flip_in, flip_out;
    void *scratch;                   /* 64-byte aligned, 5 * channels * EDGECORE_SOFTMAX_PIXELS */
} edgecore_row_softmax;

#define EDGECORE_MAX_GEMMS 8
#define EDGECORE_MAX_DEPTHWISES 2

typedef struct edgecore_tier {
    const char *name;
    edgecore_dtype storage;   /* how activations lie in the arena */
    /* Tiles of this tier; a layer takes those that cost least for its channels and pixels. */
    const edgecore_gemm_kernel *gemms[EDGECORE_MAX_GEMMS];
    int32_t gemm_count;
    const edgecore_depthwise_kernel *depthwises[EDGECORE_MAX_DEPTHWISES];
    int32_t depthwise_count;
    const edgecore_winograd_kernel *winograd; /* or NULL: where products of 8 bits cost less */
    /* Byte rows, n elements each; isa/rows_template.h has them in portable C. Buffers may overlap only where they are equal. */
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    void (*lookup_row)(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256]);
    /* The largest of `count` >= 1 rows, compared as in[i] ^ flip and stored as it was. */
    void (*max_row)(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip);
    /* May be NULL: it is max_row down the windows, then along them. */
    void (*max_windows)(uint8_t *out, const edgecore_row_windows *windows);
    /* sums[i] += in[r * stride + i] ^ flip, over all r < rows. */
    void (*sum_rows)(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip);
    void (*add_row)(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
    void (*mul_row)(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
    /* May be NULL: ADD and MUL have rows of their own. */
    void (*line_pixels)(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_lines *lines);
    /* NULL where line_pixels is. The offset makes bytes[u] of u, for all 256, where those at a clamp may lie beyond it; false where
     * none does. |slope| * 255 + 257 * 2^shift + below stays within 31 bits. */
    bool (*line_offset)(const edgecore_row_lines *form, const uint8_t bytes[256], int32_t slope, int32_t *offset);
    /* May be NULL: MUL and ADD then stay apart. */
    void (*affine_pixels)(const edgecore_affine_pixels *args);
    void (*average_row)(uint8_t *out, const int32_t *sums, size_t n, const edgecore_row_average *how);
    /* Two rows of a bilinear resize: sums[i] = weight_a * a + weight_b * b of values (byte ^ flip) - 128. */
    void (*blend_rows)(int32_t *sums, const uint8_t *a, const uint8_t *b, size_t n, int32_t weight_a, int32_t weight_b,
                       uint8_t flip);
    /* Two of its columns: (weight_a * a[i] + weight_b * b[i]) / 2^20, ties away from zero, as (byte ^ flip) - 128. */
    void (*blend_sums)(uint8_t *out, const int32_t *a, const int32_t *b, size_t n, int32_t weight_a, int32_t weight_b,
                       uint8_t flip);
    /* The same for uint8, in float: out[i] = value * weight of a row, then of two such rows and two columns in them the sum of
     * products with the columns' weights, rounded, in the order above first, below first, above second, below second. */
    void (*scale_row)(float *out, const uint8_t *in, size_t n, float weight, uint8_t flip);
    void (*blend_scaled)(uint8_t *out, const float *above, const float *below, size_t first, size_t second, size_t n,
                         const float weights[2], uint8_t flip);
    /* May be NULL: it is done pixel by pixel. */
    void (*softmax_pixels)(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_softmax *how);
} edgecore_tier;

/* The table of tier `index` as edgecore/cpu.h counts them; NULL where the index is out of range. */
const edgecore_tier *edgecore_tier_at(int32_t index);

#endif
