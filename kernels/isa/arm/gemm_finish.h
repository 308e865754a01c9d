/* How the sums of dotprod and i8mm tiles become bytes, and running a block's tiles.
 *
 * Packing knows all weights, so it knows the farthest that a sum can go. Where a scaled sum surely fits 16 bits (as it does in
 * real networks), narrowing to 16 bits is one uzp1 for 8 channels in place of two saturating steps; and under a plain ReLU the last
 * step saturates at both ends of the byte, which is the clamp. What does not fit is left to C. */
#ifndef EDGECORE_ISA_ARM_GEMM_FINISH_H
#define EDGECORE_ISA_ARM_GEMM_FINISH_H

#include "isa/arm/gemm_tile.h"
#include "isa/arm/requant.h"

/* The assembly compares these. */
enum finish {
    FINISH_RELU = 0,    /* fits, ROUND_UP, and bytes are 0 .. 255 above a zero point of 0 */
    FINISH_AWAY = 1,    /* fits, and ROUND_AWAY is exact */
    FINISH_GENERAL = 2, /* anything */
};

/* The bounds of requant_head, a vector each, before the weights. */
typedef struct finish_bounds {
    uint8_t flip[16];
    int16_t zero_point[8];
    int8_t min[16], max[16];
} finish_bounds;

typedef struct finish_head {
    requant_head requant;
    int32_t kind, unused[3];
    requant_4 scale[4]; /* of 16 channels, as FINISH_GENERAL reads them */
    int32_t left[16];
} finish_head;

/* Whether all sums scale to within 16 bits with room for a zero point, whatever int8 activations they meet. */
static inline bool scaled_sums_fit(const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    const size_t depth = columns->taps * columns->k;
    for (size_t c = 0; c < columns->cols; c++) {
        int64_t positive = 0, negative = 0;
        for (size_t i = 0; i < depth; i++) {
            const int32_t w = columns->weights[c * depth + i];
            positive += w > 0 ? w : 0;
            negative -= w < 0 ? w : 0;
        }
        const int64_t high = q->bias[c] + 127 * positive + 128 * negative, low = q->bias[c] - 128 * positive - 127 * negative;
        const int64_t most = high > -low ? high : -low;
        const int32_t right = q->shift[c] < -31 ? 31 : -q->shift[c];
        if (right < 0 || most > INT32_MAX || (most * q->multiplier[c] >> (31 + right)) > INT16_MAX - 512)
            return false;
    }
    return true;
}

/* Fills all but the weights; bias is [16]. */
static inline void pack_finish(finish_head *head, int32_t *bias, finish_bounds *bounds, size_t vectors,
                               const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    head->requant = make_head(columns);
    make_requant(head->scale, bias, head->left, vectors, columns);
    head->kind = FINISH_AWAY;
    if (head->requant.rounding == ROUND_GENERAL || !scaled_sums_fit(columns))
        head->kind = FINISH_GENERAL;
    else if (head->requant.rounding == ROUND_UP && q->zero_point == 0 && q->min == 0 && q->max == 255)
        head->kind = FINISH_RELU;
    memset(bounds->flip, head->kind == FINISH_RELU ? q->flip : head->requant.flip, sizeof bounds->flip);
    for (size_t i = 0; i < 8; i++)
        bounds->zero_point[i] = head->requant.zero_point;
    memset(bounds->min, head->requant.min, sizeof bounds->min);
    memset(bounds->max, head->requant.max, sizeof bounds->max);
}

enum { TILE_ROWS_MOST = 8, TILE_COLS_MOST = 16 };

typedef void tiles_function(const tile_run *run);

/* `width` sums of a row to bytes. */
static inline void finish_general(const finish_head *head, const int32_t *sums, size_t width, uint8_t bytes[TILE_COLS_MOST])
{
    const output_bounds bounds = load_bounds(&head->requant);
    int32x4_t v[4];
    for (size_t i = 0; i < 4; i++)
        v[i] = i < width / 4 ? scale_4(vld1q_s32(sums + 4 * i), &head->scale[i], head->left + 4 * i, ROUND_GENERAL) : v[i - 1];
    vst1q_u8(bytes, narrow_16(v[0], v[1], v[2], v[3], &bounds));
}

/* Tiles one by one: for FINISH_GENERAL the assembly stores sums, and else whole vectors, of which not all are the output's. */
static inline void run_by_tile(const edgecore_gemm_args *args, const finish_head *head, tile_run run, size_t width,
                               tiles_function *tiles)
{
    int32_t sums[TILE_ROWS_MOST * TILE_COLS_MOST];
    uint8_t bytes[TILE_ROWS_MOST][TILE_COLS_MOST], *out[TILE_ROWS_MOST];
    for (size_t r = 0; r < TILE_ROWS_MOST; r++)
        out[r] = bytes[r];
    run.tiles = 1;
    run.out = out;
    run.out_offset = 0;
    run.sums = sums;
    for (size_t first = 0; first < args->tiles * args->rows; first += args->rows, run.a += args->rows) {
        tiles(&run);
        for (size_t r = 0; r < args->rows; r++) {
            if (head->kind == FINISH_GENERAL)
                finish_general(head, sums + width * r, width, bytes[r]);
            memcpy(args->out[first + r] + args->out_offset, bytes[r], args->cols);
        }
    }
}

/* `depth`: K of a group of weights, `width`: channels of a tile. */
INLINE void run_tiles(const edgecore_gemm_args *args, const finish_head *head, const int8_t *weights, const size_t depth,
                      const size_t width, tiles_function *tiles)
{
    const tile_run run = {
        .a = args->a,
        .out = args->out,
        .pitch = args->row_pitch * sizeof *args->a,
        .offset = args->a_offset,
        .groups = (args->k + depth - 1) / depth,
        .tiles = args->tiles,
        .taps = args->taps,
        .weights = weights,
        .out_offset = args->out_offset,
        .finish = (size_t)head->kind,
        .double_steps = args->a_offset || (args->k + 15) % 16 < 16 - depth ? 0 : (args->k + 31) / 32,
    };
    if (head->kind != FINISH_GENERAL && args->cols == width)
        tiles(&run);
    else
        run_by_tile(args, head, run, width, tiles);
}

/* The kernel of a tile size, in a file with gemm_block, bytes_of_block, pack and, by rows, tiles_<cols>. `depth`: as above. */
#define TILE_KERNEL(tier_, depth_, rows_, cols_, per_group, per_tile)                                                   \
    static size_t block_bytes_##cols_(size_t taps, size_t k)                                                            \
    {                                                                                                                   \
        return bytes_of_block(taps, k, cols_);                                                                          \
    }                                                                                                                   \
    static void pack_##cols_(void *block, const edgecore_columns *columns)                                              \
    {                                                                                                                   \
        pack(block, columns, cols_);                                                                                    \
    }                                                                                                                   \
    static void run_##cols_(const edgecore_gemm_args *args)                                                             \
    {                                                                                                                   \
        const gemm_block *block = args->block;                                                                          \
        run_tiles(args, &block->head, block->weights, depth_, cols_, tiles_##cols_[args->rows - 1]);                    \
    }                                                                                                                   \
    const edgecore_gemm_kernel edgecore_gemm_##rows_##x##cols_##_##tier_ = {                                            \
        .name = "gemm_" #rows_ "x" #cols_ "c" #depth_ "__" #tier_,                                                      \
        .rows = rows_,                                                                                                  \
        .cols = cols_,                                                                                                  \
        .k_step = 16,                                                                                                   \
        .takes_tiles = true,                                                                                            \
        .group_cost = per_group,                                                                                        \
        .tile_cost = per_tile,                                                                                          \
        .block_bytes = block_bytes_##cols_,                                                                             \
        .pack = pack_##cols_,                                                                                           \
        .run = run_##cols_,                                                                                             \
    }

#endif
