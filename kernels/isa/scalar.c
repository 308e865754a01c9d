/* The scalar tier: portable C, the norm that every other tier equals to the byte. Activations are int8, as in the model. */
#include <string.h>

#include "isa/rows_template.h"
#include "isa/tiers.h"

enum { ROWS = 4, COLS = 4, DEPTHWISE_COLS = 8 };

/* Both blocks begin with this; the weights follow as the operator has them. */
typedef struct scalar_block {
    int32_t bias[DEPTHWISE_COLS];
    int32_t multiplier[DEPTHWISE_COLS], shift[DEPTHWISE_COLS];
    int32_t zero_point, min, max;
    uint8_t flip;
    int8_t weights[]; /* GEMM: [COLS][taps][k]; depthwise: [kernel_h][kernel_w][DEPTHWISE_COLS] */
} scalar_block;

static void pack_head(scalar_block *block, const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    for (size_t c = 0; c < columns->cols; c++) {
        block->bias[c] = q->bias[c];
        block->multiplier[c] = q->multiplier[c];
        block->shift[c] = q->shift[c];
    }
    block->zero_point = q->zero_point;
    block->min = q->min;
    block->max = q->max;
    block->flip = q->flip;
}

static uint8_t requantise(const scalar_block *block, uint32_t acc, size_t c)
{
    int32_t left = block->shift[c] > 0 ? block->shift[c] : 0, right = left ? 0 : -block->shift[c];
    int32_t scaled = row_high_mul((int32_t)(acc << left), block->multiplier[c]);
    int64_t moved = (int64_t)row_rounding_shift(scaled, right, row_half(right), -(right > 0)) + block->zero_point;
    moved = moved < block->min ? block->min : moved > block->max ? block->max : moved;
    return (uint8_t)moved ^ block->flip;
}

static size_t gemm_bytes(size_t taps, size_t k)
{
    return sizeof(scalar_block) + COLS * taps * k;
}

static void gemm_pack(void *memory, const edgecore_columns *columns)
{
    scalar_block *block = memory;
    memset(block, 0, gemm_bytes(columns->taps, columns->k));
    pack_head(block, columns);
    memcpy(block->weights, columns->weights, columns->cols * columns->taps * columns->k);
}

/* Sums are unsigned: they wrap, as the vector tiers' do. */
static void gemm_run(const edgecore_gemm_args *args)
{
    const scalar_block *block = args->block;
    const size_t taps = args->taps, k = args->k, depth = taps * k;
    for (size_t r = 0; r < args->rows; r++) {
        uint32_t acc[COLS];
        for (size_t c = 0; c < COLS; c++)
            acc[c] = (uint32_t)block->bias[c];
        for (size_t t = 0; t < taps; t++) {
            const int8_t *a = (const int8_t *)args->a[t * args->row_pitch + r] + args->a_offset;
            for (size_t c = 0; c < COLS; c++) {
                const int8_t *w = block->weights + c * depth + t * k;
                uint32_t sum = 0;
                for (size_t i = 0; i < k; i++)
                    sum += (uint32_t)(a[i] * w[i]);
                acc[c] += sum;
            }
        }
        for (size_t c = 0; c < args->cols; c++)
            args->out[r][args->out_offset + c] = requantise(block, acc[c], c);
    }
}

static size_t depthwise_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(scalar_block) + DEPTHWISE_COLS * kernel_h * kernel_w;
}

static size_t depthwise_scratch(size_t columns, size_t kernel_h)
{
    (void)columns, (void)kernel_h;
    return 0;
}

static void depthwise_pack(void *memory, const edgecore_columns *columns)
{
    scalar_block *block = memory;
    memset(block, 0, depthwise_bytes(columns->kernel_h, columns->kernel_w));
    pack_head(block, columns);
    for (size_t t = 0; t < columns->kernel_h * columns->kernel_w; t++)
        memcpy(block->weights + t * DEPTHWISE_COLS, columns->weights + t * columns->weight_stride, columns->cols);
}

static void depthwise_run(const edgecore_depthwise_args *args)
{
    const scalar_block *block = args->block;
    for (size_t p = 0; p < args->pixels; p++) {
        uint32_t acc[DEPTHWISE_COLS];
        for (size_t c = 0; c < DEPTHWISE_COLS; c++)
            acc[c] = (uint32_t)block->bias[c];
        const int8_t *w = block->weights;
        for (size_t ky = 0; ky < args->kernel_h; ky++)
            for (size_t kx = 0; kx < args->kernel_w; kx++, w += DEPTHWISE_COLS) {
                const size_t column = p * args->pixel_step + kx * args->tap_step;
                const int8_t *a = (const int8_t *)args->a[column * args->kernel_h + ky] + args->offset;
                for (size_t c = 0; c < DEPTHWISE_COLS; c++)
                    acc[c] += (uint32_t)(a[c] * w[c]);
            }
        uint8_t *out = args->out + (ptrdiff_t)p * args->out_stride + args->offset;
        for (size_t c = 0; c < args->cols; c++)
            out[c] = requantise(block, acc[c], c);
    }
}

static const edgecore_gemm_kernel gemm = {
    .name = "gemm_4x4c1__scalar",
    .rows = ROWS,
    .cols = COLS,
    .k_step = 4,
    .group_cost = 64.0f,
    .tile_cost = 200.0f,
    .block_bytes = gemm_bytes,
    .pack = gemm_pack,
    .run = gemm_run,
};

static const edgecore_depthwise_kernel depthwise = {
    .name = "depthwise_8__scalar",
    .cols = DEPTHWISE_COLS,
    .row_step = 1,
    .cost = 1.0f,
    .block_bytes = depthwise_bytes,
    .scratch_bytes = depthwise_scratch,
    .pack = depthwise_pack,
    .run = depthwise_run,
};

const edgecore_tier edgecore_tier_scalar = {
    .name = "scalar",
    .storage = EDGECORE_INT8,
    .gemms = {&gemm},
    .gemm_count = 1,
    .depthwises = {&depthwise},
    .depthwise_count = 1,
    EDGECORE_PORTABLE_ROWS,
};
