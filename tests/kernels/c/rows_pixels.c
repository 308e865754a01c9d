/* Rows of several pixels: ADD and MUL by lines, softmax, MUL then ADD per channel. */
#include <math.h>

#include "guarded.h"
#include "rows_samples.h"

static uint8_t line_byte(uint8_t byte, int32_t slope, int32_t offset, const edgecore_row_lines *how)
{
    int32_t x = (byte - how->zero_point) * slope;
    x = (x - (x < 0 ? how->below : 0) + offset) >> how->shift;
    x = x < how->min ? how->min : x;
    return (uint8_t)(x > how->max ? how->max : x);
}

/* Pixels of n channels, more than go by before the next channels where n is small. */
static void lines(size_t n)
{
    static int32_t slopes[MOST], offsets[MOST];
    for (int32_t round = 0; round < 8 && tested->line_pixels && n > 0; round++) {
        const size_t in_stride = n + (size_t)random_between(0, 2), out_stride = n + (size_t)random_between(0, 2);
        const size_t widest = in_stride > out_stride ? in_stride : out_stride, fits = (MOST - n) / widest + 1;
        const size_t pixels = (size_t)random_between(1, fits < 70 ? (int32_t)fits : 70);
        const size_t in_bytes = (pixels - 1) * in_stride + n, out_bytes = (pixels - 1) * out_stride + n;
        const int32_t bends = random_between(0, 1), shift = random_between(8, 22);
        const edgecore_row_lines how = {
            .slopes = slopes,
            .offsets = offsets,
            .n = n,
            .in_stride = (ptrdiff_t)in_stride,
            .out_stride = (ptrdiff_t)out_stride,
            .zero_point = bends * random_between(0, 255),
            .below = bends << random_between(0, shift),
            .shift = shift,
            .min = (uint8_t)(random_between(0, 1) ? random_between(0, 128) : 0),
            .max = (uint8_t)(random_between(0, 1) ? random_between(128, 255) : 255),
        };
        for (size_t c = 0; c < n; c++) {
            const int32_t steepest = random_between(0, 1) ? 1 << shift : (INT32_MAX - (2 << shift)) / 512;
            slopes[c] = random_between(0, 9) ? random_between(-steepest, steepest) : 0;
            offsets[c] = random_between(0, 255) * (1 << shift) / 4 - random_between(0, 1000);
        }
        const uint8_t *in = input(0, in_bytes);
        clear_outputs(out_bytes);
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < n; c++)
                *(expected_end - out_bytes + p * out_stride + c) = line_byte(in[p * in_stride + c], slopes[c], offsets[c], &how);
        tested->line_pixels(given_end - out_bytes, in, pixels, &how);
        compare("line_pixels", out_bytes);
    }
}

/* Pixels of n channels together against one by one; operators_test and the models hold them against the specification. */
static void softmaxes(size_t n)
{
    static _Alignas(64) uint8_t scratch[5 * EDGECORE_SOFTMAX_CHANNELS * EDGECORE_SOFTMAX_PIXELS];
    int32_t exps[256] = {INT32_MAX};
    for (int32_t i = 1; i < 256; i++)
        exps[i] = exps[i - 1] > 0 ? random_between(0, exps[i - 1] - 1) : 0;
    for (int32_t round = 0; round < 4 && tested->softmax_pixels && n > 0 && n <= EDGECORE_SOFTMAX_CHANNELS; round++) {
        const size_t stride = n + (size_t)random_between(0, 2), fits = (MOST - n) / stride + 1;
        const size_t pixels = (size_t)random_between(1, fits < 70 ? (int32_t)fits : 70), bytes = (pixels - 1) * stride + n;
        const edgecore_row_softmax how = {
            .exps = exps,
            .channels = n,
            .in_stride = (ptrdiff_t)stride,
            .out_stride = (ptrdiff_t)stride,
            .flip_in = random_flip(),
            .flip_out = random_flip(),
            .scratch = scratch,
        };
        const uint8_t *in = input(0, bytes);
        clear_outputs(bytes);
        for (size_t p = 0; p < pixels; p++)
            tested->softmax_pixels(expected_end - bytes + p * stride, in + p * stride, 1, &how);
        tested->softmax_pixels(given_end - bytes, in, pixels, &how);
        compare("softmax_pixels", bytes);
    }
}

/* The definition of isa/tier.h for channel c of a pixel. */
static uint8_t affine_byte(const edgecore_affine_pixels *args, uint8_t byte, size_t c)
{
    const edgecore_affine_block *block = args->block;
    const size_t lane = edgecore_affine_lane(c);
    const float distance = (float)(byte - args->zero_point), half = block->half[lane];
    const float product = truncf(fmaf(distance, block->factor[lane], distance < 0 ? -half : half));
    const float sum = truncf(fmaf(product, args->slope, block->offset[lane]));
    const float most = sum > (float)block->max[c] ? (float)block->max[c] : sum;
    return most < (float)block->min[c] ? block->min[c] : (uint8_t)most;
}

/* n channels of a few pixels. */
static void affine_maps(size_t n)
{
    edgecore_affine_block block;
    for (size_t pixels = 1; pixels <= 5 && tested->affine_pixels && n > 0 && n <= EDGECORE_AFFINE_CHANNELS; pixels++) {
        const size_t in_stride = n + (size_t)random_between(0, 40), out_stride = n + (size_t)random_between(0, 3);
        const size_t in_bytes = (pixels - 1) * in_stride + n, out_bytes = (pixels - 1) * out_stride + n;
        for (size_t i = 0; i < EDGECORE_AFFINE_CHANNELS; i++) {
            const float factor = (float)random_between(-400, 400) / 256;
            block.factor[i] = factor;
            block.half[i] = copysignf(0.5f + (float)random_between(0, 8) / 1024, factor);
            block.offset[i] = (float)random_between(-40000, 80000) / 256;
            block.min[i] = (uint8_t)random_between(0, 60);
            block.max[i] = (uint8_t)random_between(60, 255);
        }
        const edgecore_affine_pixels args = {
            .in = input(0, in_bytes),
            .out = given_end - out_bytes,
            .in_stride = (ptrdiff_t)in_stride,
            .out_stride = (ptrdiff_t)out_stride,
            .pixels = pixels,
            .channels = n,
            .block = &block,
            .zero_point = random_between(0, 255),
            .slope = (float)random_between(1, 700) / 256,
        };
        clear_outputs(out_bytes);
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < n; c++)
                *(expected_end - out_bytes + p * out_stride + c) = affine_byte(&args, args.in[p * in_stride + c], c);
        tested->affine_pixels(&args);
        compare("affine_pixels", out_bytes);
    }
}

/* Weights of two neighbours, also of a pixel outside the first one's centre. */

void pixel_rows(size_t n)
{
    lines(n);
    softmaxes(n);
    affine_maps(n);
}
