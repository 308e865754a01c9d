/* Cases of the kernels that multiply. Their data is small enough for the second-level cache, as is a strip of a layer. */
#include <stdio.h>

#include "micro.h"

enum { TILES = 8, PIXELS = 28, SLACK = 128 };

typedef struct gemm_state {
    const edgecore_gemm_kernel *kernel;
    edgecore_gemm_args args;
    size_t calls;
} gemm_state;

static void run_gemm(const void *memory)
{
    const gemm_state *state = memory;
    edgecore_gemm_args args = state->args;
    for (size_t i = 0; i < state->calls; i++, args.a += args.rows, args.out += args.rows)
        state->kernel->run(&args);
}

/* TILES tiles of pixels side by side, under 1 tap or 3x3; `lacking` rows are left out, as many of every tile where the kernel
 * takes them one by one. */
static void gemm_case(const edgecore_tier *tier, const edgecore_gemm_kernel *kernel, size_t lacking, size_t taps, size_t k)
{
    const size_t cols = (size_t)kernel->cols, tiles = kernel->takes_rows ? 1 : TILES;
    const size_t rows = (size_t)kernel->rows * TILES / tiles - lacking, pixels = rows * tiles, width = pixels + 2;
    const uint8_t **a = micro_bytes(taps * pixels * sizeof *a), *image = micro_bytes(3 * width * k + SLACK);
    uint8_t **out = micro_bytes(pixels * sizeof *out), *to = micro_bytes(pixels * cols);
    for (size_t i = 0; i < taps * pixels; i++) {
        const size_t tap = i / pixels, pixel = i % pixels;
        a[i] = image + (tap / 3 * width + tap % 3 + pixel) * k;
    }
    for (size_t p = 0; p < pixels; p++)
        out[p] = to + p * cols;
    edgecore_columns columns = micro_columns(tier, cols, taps * k);
    columns.taps = taps;
    columns.k = k;
    void *block = micro_bytes(kernel->block_bytes(taps, k));
    kernel->pack(block, &columns);
    gemm_state *state = micro_bytes(sizeof *state);
    *state = (gemm_state){
        .kernel = kernel,
        .args = {
            .a = a,
            .row_pitch = pixels,
            .rows = rows,
            .tiles = kernel->takes_tiles ? tiles : 1,
            .taps = taps,
            .k = k,
            .block = block,
            .out = out,
            .cols = cols,
        },
        .calls = kernel->takes_tiles ? 1 : tiles,
    };
    micro_case *added = micro_add(kernel->name);
    snprintf(added->shape, sizeof added->shape, "%zu rows, K %zux%zu", pixels, taps, k);
    added->run = run_gemm;
    added->state = state;
    added->macs = (double)(pixels * cols * taps * k);
}

void micro_gemm(const edgecore_tier *tier, const edgecore_gemm_kernel *kernel)
{
    static const size_t depths[][2] = {{1, 16}, {1, 64}, {1, 256}, {9, 16}, {9, 128}};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        gemm_case(tier, kernel, 0, depths[i][0], depths[i][1]);
    if (kernel->rows > 1)
        gemm_case(tier, kernel, 1, 1, 64);
}

typedef struct depthwise_state {
    const edgecore_depthwise_kernel *kernel;
    edgecore_depthwise_args args;
    const uint8_t *blocks;
    size_t block_bytes, channels;
} depthwise_state;

static void run_depthwise(const void *memory)
{
    const depthwise_state *state = memory;
    const size_t most = (size_t)state->kernel->cols;
    edgecore_depthwise_args args = state->args;
    args.block = state->blocks;
    for (size_t c = 0; c < state->channels; c += most) {
        args.offset = c;
        args.cols = state->channels - c < most ? state->channels - c : most;
        state->kernel->run(&args);
        args.block = (const uint8_t *)args.block + state->block_bytes;
    }
}

/* A row of PIXELS output pixels, all channels. */
static void depthwise_case(const edgecore_tier *tier, const edgecore_depthwise_kernel *kernel, size_t side, size_t stride,
                           size_t channels)
{
    const size_t most = (size_t)kernel->cols, step = (size_t)kernel->row_step, padded = (side + step - 1) / step * step;
    const size_t width = (PIXELS - 1) * stride + side, blocks = (channels + most - 1) / most;
    const size_t block_bytes = (kernel->block_bytes(side, side) + 63) / 64 * 64;
    const uint8_t **a = micro_bytes(width * padded * sizeof *a), *image = micro_bytes(side * width * channels + SLACK);
    const uint8_t *zeros = micro_bytes(channels + SLACK);
    for (size_t i = 0; i < width * padded; i++)
        a[i] = i % padded < side ? image + (i % padded * width + i / padded) * channels : zeros;
    edgecore_columns columns = micro_columns(tier, channels, side * side);
    columns.kernel_h = columns.kernel_w = side;
    columns.weight_stride = channels;
    uint8_t *packed = micro_bytes(blocks * block_bytes);
    for (size_t b = 0; b < blocks; b++) {
        columns.cols = channels - b * most < most ? channels - b * most : most;
        kernel->pack(packed + b * block_bytes, &columns);
        columns.weights += columns.cols;
        columns.requant.bias += columns.cols;
        columns.requant.multiplier += columns.cols;
        columns.requant.shift += columns.cols;
    }
    depthwise_state *state = micro_bytes(sizeof *state);
    *state = (depthwise_state){
        .kernel = kernel,
        .args = {
            .a = a,
            .columns = width,
            .pixels = PIXELS,
            .pixel_step = stride,
            .tap_step = 1,
            .kernel_h = side,
            .kernel_w = side,
            .out = micro_bytes(PIXELS * channels),
            .out_stride = (ptrdiff_t)channels,
            .scratch = micro_bytes(kernel->scratch_bytes(width, side)),
        },
        .blocks = packed,
        .block_bytes = block_bytes,
        .channels = channels,
    };
    micro_case *added = micro_add(kernel->name);
    snprintf(added->shape, sizeof added->shape, "%zux%zu/%zu, %zu channels, %d pixels", side, side, stride, channels, PIXELS);
    added->run = run_depthwise;
    added->state = state;
    added->macs = (double)(PIXELS * channels * side * side);
}

void micro_depthwise(const edgecore_tier *tier, const edgecore_depthwise_kernel *kernel)
{
    static const size_t windows[][2] = {{3, 1}, {3, 2}, {5, 1}}, channels[] = {64, 96, 192};
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++)
            depthwise_case(tier, kernel, windows[w][0], windows[w][1], channels[c]);
}
