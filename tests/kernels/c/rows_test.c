/* Every byte row and image micro-kernel of every tier that this CPU has, against the scalar tier's: all lengths around vectors',
 * extreme values, in place where that is allowed. Buffers end at guard pages; bytes before the outputs must stay as they were. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgecore/cpu.h"
#include "guarded.h"
#include "image/axis.h"
#include "image/rows.h"
#include "isa/image.h"
#include "isa/tier.h"

enum { MOST = 700, MARGIN = 64, CANARY = 0xA5, MOST_INPUTS = 9, LENGTHS = 74 };

static const edgecore_tier *scalar, *tested;

/* Ends of readable memory: inputs, what the scalar tier gives and what the tested one gives. */
static uint8_t *ends[MOST_INPUTS], *expected_end, *given_end, *sums_end;
static int32_t *expected_sums_end, *given_sums_end;

static void fail(const char *what, size_t n, size_t i)
{
    printf("%s of %s: wrong at %zu of %zu\n", what, tested->name, i, n);
    exit(1);
}

/* 0 to 67, and some that take the widest loops more than once. */
static size_t length_of(int32_t index)
{
    static const size_t longer[] = {127, 128, 200, 256, 395, 513};
    return index < 68 ? (size_t)index : longer[index - 68];
}

static uint8_t extreme_byte(void)
{
    static const uint8_t extremes[] = {0, 1, 127, 128, 129, 255};
    return random_between(0, 3) ? (uint8_t)random_32() : extremes[random_between(0, 5)];
}

static uint8_t random_flip(void)
{
    return random_between(0, 1) ? 0x80 : 0;
}

static uint8_t *input(int32_t index, size_t n)
{
    for (size_t i = 1; i <= n; i++)
        *(ends[index] - i) = extreme_byte();
    return ends[index] - n;
}

static void clear_outputs(size_t n)
{
    memset(expected_end - n - MARGIN, CANARY, n + MARGIN);
    memset(given_end - n - MARGIN, CANARY, n + MARGIN);
}

static void compare(const char *what, size_t n)
{
    for (size_t i = 0; i < n + MARGIN; i++)
        if (*(expected_end - n - MARGIN + i) != *(given_end - n - MARGIN + i))
            fail(what, n, i - MARGIN);
}

/* The output starts as a copy of an input where that is worked on in place. */
static const uint8_t *place(uint8_t *out, const uint8_t *in, size_t n, bool in_place)
{
    if (!in_place)
        return in;
    if (n)
        memcpy(out, in, n);
    return out;
}

static void xor_and_lookup(size_t n)
{
    uint8_t table[256];
    for (int32_t i = 0; i < 256; i++)
        table[i] = (uint8_t)random_32();
    for (int32_t round = 0; round < 6; round++) {
        const uint8_t *in = input(0, n), flip = round < 2 ? 0 : (uint8_t)random_32();
        const bool in_place = round % 2;
        clear_outputs(n);
        scalar->xor_row(expected_end - n, place(expected_end - n, in, n, in_place), n, flip);
        tested->xor_row(given_end - n, place(given_end - n, in, n, in_place), n, flip);
        compare("xor_row", n);
        scalar->lookup_row(expected_end - n, place(expected_end - n, in, n, in_place), n, table);
        tested->lookup_row(given_end - n, place(given_end - n, in, n, in_place), n, table);
        compare("lookup_row", n);
    }
}

static void maxima(size_t n)
{
    for (size_t count = 1; count <= MOST_INPUTS; count++) {
        const bool in_place = random_between(0, 1);
        const uint8_t *rows[MOST_INPUTS], flip = random_flip();
        for (size_t r = 0; r < count; r++)
            rows[r] = input((int32_t)r, n);
        const uint8_t *first = rows[0];
        clear_outputs(n);
        rows[0] = place(expected_end - n, first, n, in_place);
        scalar->max_row(expected_end - n, rows, count, n, flip);
        rows[0] = place(given_end - n, first, n, in_place);
        tested->max_row(given_end - n, rows, count, n, flip);
        compare("max_row", n);
    }
}

/* The expected maxima are made window by window. */
static void windows(size_t n)
{
    for (size_t count = 1; count <= 4 && tested->max_windows && n >= EDGECORE_WINDOW_BYTES; count++)
        for (size_t size = 2; size <= 3; size++) {
            const size_t in_stride = n + (size_t)random_between(0, 2), out_stride = n + (size_t)random_between(0, 2);
            const size_t in_bytes = (2 * (count - 1) + size - 1) * in_stride + n, out_bytes = (count - 1) * out_stride + n;
            if (in_bytes > MOST || out_bytes > MOST)
                continue;
            edgecore_row_windows how = {
                .size = size,
                .count = count,
                .pixel_stride = (ptrdiff_t)in_stride,
                .out_stride = (ptrdiff_t)out_stride,
                .n = n,
                .flip = random_flip(),
            };
            for (size_t r = 0; r < size; r++)
                how.rows[r] = input((int32_t)r, in_bytes);
            clear_outputs(out_bytes);
            for (size_t p = 0; p < count; p++) {
                const uint8_t *pixels[9];
                for (size_t i = 0; i < size * size; i++)
                    pixels[i] = how.rows[i / size] + (2 * p + i % size) * in_stride;
                scalar->max_row(expected_end - out_bytes + p * out_stride, pixels, size * size, n, how.flip);
            }
            tested->max_windows(given_end - out_bytes, &how);
            compare("max_windows", out_bytes);
        }
}

static void sums(size_t n)
{
    static const size_t counts[] = {1, 2, 3, 49, 255, 256, 700};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        const size_t rows = counts[k], stride = n + (size_t)random_between(0, 3);
        if (n > 128 && rows > 49)
            continue;
        uint8_t *in = sums_end - (n ? (rows - 1) * stride + n : 0);
        const bool backwards = random_between(0, 1), constant = random_between(0, 2) == 0;
        const uint8_t flip = random_flip(), value = random_between(0, 1) ? 255 : 0;
        for (uint8_t *at = in; at < sums_end; at++)
            *at = constant ? value ^ flip : extreme_byte();
        for (size_t i = 1; i <= n; i++)
            *(expected_sums_end - i) = *(given_sums_end - i) = random_between(-1000000, 1000000);
        const uint8_t *from = backwards ? in + (rows - 1) * stride : in;
        const ptrdiff_t step = backwards ? -(ptrdiff_t)stride : (ptrdiff_t)stride;
        scalar->sum_rows(expected_sums_end - n, from, step, rows, n, flip);
        tested->sum_rows(given_sums_end - n, from, step, rows, n, flip);
        for (size_t i = 0; i < n; i++)
            if (*(expected_sums_end - n + i) != *(given_sums_end - n + i))
                fail("sum_rows", n, i);
    }
}

static void averages(size_t n)
{
    static const int32_t counts[] = {1, 2, 3, 4, 9, 49, 196, 255, 2047, 2048, 2049, 32768, 32769, 1000000};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        const int32_t count = counts[k];
        const edgecore_row_average how = {
            .count = count,
            .zero = random_between(0, 1) * 128,
            .min = random_between(0, 3) ? 0 : random_between(0, 128),
            .max = random_between(0, 3) ? 255 : random_between(128, 255),
            .flip = random_flip(),
        };
        int32_t *in = expected_sums_end - n;
        for (size_t i = 0; i < n; i++) {
            const int32_t whole = random_between(0, 255) * count, near = count / 2 + random_between(-1, 1);
            const int32_t sum = random_between(0, 1) ? random_between(0, 255 * count) : whole - near;
            in[i] = sum < 0 ? 0 : sum;
        }
        clear_outputs(n);
        scalar->average_row(expected_end - n, in, n, &how);
        tested->average_row(given_end - n, in, n, &how);
        compare("average_row", n);
    }
}

static int32_t random_multiplier(void)
{
    static const int32_t extremes[] = {1 << 30, (1 << 30) + 1, INT32_MAX, INT32_MAX - 1};
    return random_between(0, 4) ? (1 << 30) + random_between(0, (1 << 30) - 1) : extremes[random_between(0, 3)];
}

static edgecore_row_input random_input(void)
{
    return (edgecore_row_input){
        .zero_point = random_between(0, 2) ? random_between(0, 255) : random_between(0, 1) * 255,
        .multiplier = random_multiplier(),
        .right_shift = random_between(0, 3) ? random_between(0, 6) : random_between(0, 31),
        .flip = random_flip(),
    };
}

static edgecore_row_arithmetic random_arithmetic(void)
{
    const int32_t zero = random_between(0, 2) ? random_between(0, 255) : random_between(0, 1) * 255;
    edgecore_row_arithmetic how = {
        .a = random_input(),
        .b = random_input(),
        .multiplier = random_multiplier(),
        .zero_point = zero,
        .min = random_between(0, 1) ? zero : random_between(zero > 2 ? zero - 2 : 0, zero),
        .max = random_between(zero, 255),
        .flip = random_flip(),
    };
    if (random_between(0, 2) == 0)
        how.min = random_between(0, zero);
    if (random_between(0, 1))
        how.a.flip = how.b.flip = how.flip = 0x80;
    return how;
}

static void additions_and_products(size_t n)
{
    for (int32_t round = 0; round < 24; round++) {
        const uint8_t *a = input(0, n), *b = round % 8 == 7 ? a : input(1, n);
        const bool in_place = round % 2;
        edgecore_row_arithmetic how = random_arithmetic();
        edgecore_row_input *half = round % 3 == 1 ? &how.a : &how.b;
        if (round % 3) { /* as it always is: the input with the larger scale is half of the common one */
            half->multiplier = 1 << 30;
            half->right_shift = 0;
        }
        how.right_shift = random_between(0, 3) ? random_between(17, 21) : random_between(0, 31);
        if (round % 6 == 5) { /* the other counts nothing or as much, and odd distances become ties */
            edgecore_row_input *other = half == &how.a ? &how.b : &how.a;
            other->multiplier = 1 << 30;
            other->right_shift = random_between(0, 1) ? 31 : 0;
            how.multiplier = 1 << 30;
            how.right_shift = 19;
            if (how.zero_point > 0 && random_between(0, 1))
                how.min = how.zero_point - 1; /* the clamp lets the first tie below through */
        }
        clear_outputs(n);
        scalar->add_row(expected_end - n, place(expected_end - n, a, n, in_place), b, n, &how);
        tested->add_row(given_end - n, place(given_end - n, a, n, in_place), b, n, &how);
        compare("add_row", n);
        how.left_shift = random_between(0, 2) ? 0 : random_between(0, 13);
        how.right_shift = how.left_shift ? 0 : random_between(0, 1) ? random_between(0, 12) : random_between(0, 31);
        scalar->mul_row(expected_end - n, place(expected_end - n, a, n, in_place), b, n, &how);
        tested->mul_row(given_end - n, place(given_end - n, a, n, in_place), b, n, &how);
        compare("mul_row", n);
    }
}

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
static void blends(size_t n)
{
    for (int32_t round = 0; round < 6; round++) {
        const int32_t second = round < 4 ? random_between(0, 1023) : random_between(-512, 0), first = 1024 - second;
        const uint8_t *a = input(0, n), *b = second < 0 ? a : input(1, n), flip = random_flip();
        scalar->blend_rows(expected_sums_end - n, a, b, n, first, second, flip);
        tested->blend_rows(given_sums_end - n, a, b, n, first, second, flip);
        for (size_t i = 0; i < n; i++)
            if (*(expected_sums_end - n + i) != *(given_sums_end - n + i))
                fail("blend_rows", n, i);
        int32_t *sums = expected_sums_end - n;
        for (size_t i = 0; i < n; i++) {
            const int32_t tie = (2 * random_between(-128, 127) + 1) * 512;
            sums[i] = random_between(0, 1) ? tie : random_between(-128, 127) * 1024 + random_between(-1, 1);
        }
        clear_outputs(n);
        scalar->blend_sums(expected_end - n, sums, sums, n, first, second, flip);
        tested->blend_sums(given_end - n, sums, sums, n, first, second, flip);
        compare("blend_sums", n);
    }
}

/* Floats that round at every step; columns of one and the same row of sums. */
static void scaled_blends(size_t n)
{
    float *expected = (float *)(void *)expected_sums_end - n, *given = (float *)(void *)given_sums_end - n;
    for (int32_t round = 0; round < 4; round++) {
        const uint8_t *in = input(0, n), flip = random_flip();
        const float weights[2] = {(float)random_between(0, 1 << 24) / (1 << 24), (float)random_between(0, 1 << 24) / (1 << 24)};
        scalar->scale_row(expected, in, n, weights[0], flip);
        tested->scale_row(given, in, n, weights[0], flip);
        for (size_t i = 0; i < n; i++)
            if (expected[i] != given[i])
                fail("scale_row", n, i);
        clear_outputs(n / 2);
        scalar->blend_scaled(expected_end - n / 2, expected, given, 0, n - n / 2, n / 2, weights, flip);
        tested->blend_scaled(given_end - n / 2, expected, given, 0, n - n / 2, n / 2, weights, flip);
        compare("blend_scaled", n / 2);
    }
}

static void luma_and_reverse(const edgecore_image_kernels *kernels, size_t n)
{
    const uint8_t *pixels = input(0, 3 * n), flip = random_flip();
    for (int32_t blue_first = 0; blue_first < 2; blue_first++) {
        clear_outputs(n);
        edgecore_image_scalar.luma(expected_end - n, pixels, n, blue_first);
        kernels->luma(given_end - n, pixels, n, blue_first);
        compare("luma", n);
    }
    clear_outputs(3 * n);
    edgecore_image_scalar.reverse(expected_end - 3 * n, pixels, n, flip);
    kernels->reverse(given_end - 3 * n, pixels, n, flip);
    compare("reverse", 3 * n);
}

/* `n` pixels of every layout and colour; the planes end where memory does. */
static void colours(const edgecore_image_kernels *kernels, size_t n)
{
    const size_t chroma = (n + 1) / 2;
    for (int32_t round = 0; round < 12; round++) {
        const bool interleaved = round % 2;
        const uint8_t *u = interleaved ? input(1, 2 * chroma) : input(1, chroma);
        const edgecore_yuv_row row = {
            .y = input(0, n),
            .u = u,
            .v = interleaved ? u + 1 : input(2, chroma),
            .interleaved = interleaved,
            .blue_first = round / 2 % 2,
            .factors = edgecore_yuv_factors_of((edgecore_colour)(round / 4)),
        };
        clear_outputs(3 * n);
        edgecore_image_scalar.colour(expected_end - 3 * n, &row, n);
        kernels->colour(given_end - 3 * n, &row, n);
        compare("colour", 3 * n);
    }
}

/* A row of `size` pixels becomes one of `to`, in 1 to 4 rows at once; then that many rows blend into one. */
static void resize(const edgecore_image_kernels *kernels, int32_t size, int32_t to, int32_t channels)
{
    edgecore_axis axis;
    const edgecore_filter filter = random_between(0, 1) ? EDGECORE_FILTER_BILINEAR : EDGECORE_FILTER_TRIANGLE;
    if (!edgecore_axis_init(&axis, filter, size, 0, size, to)) {
        puts("no memory");
        exit(1);
    }
    const size_t in_bytes = (size_t)(size * channels), out_bytes = (size_t)(to * channels);
    const uint8_t *rows[EDGECORE_NARROW_ROWS];
    uint8_t *expected[EDGECORE_NARROW_ROWS], *given[EDGECORE_NARROW_ROWS];
    static uint8_t memory[2 * EDGECORE_NARROW_ROWS][MOST];
    for (int32_t count = 1; count <= EDGECORE_NARROW_ROWS; count++) {
        for (int32_t r = 0; r < count; r++) {
            rows[r] = input(r, in_bytes);
            expected[r] = memory[r];
            given[r] = r ? memory[EDGECORE_NARROW_ROWS + r] : given_end - out_bytes - EDGECORE_NARROW_SLACK;
        }
        edgecore_image_scalar.narrow(&axis, rows, count, in_bytes, channels, expected);
        kernels->narrow(&axis, rows, count, in_bytes, channels, given);
        for (int32_t r = 0; r < count; r++)
            for (size_t i = 0; i < out_bytes; i++)
                if (expected[r][i] != given[r][i])
                    fail("narrow", out_bytes, i);
    }
    const uint8_t *window[MOST];
    for (int32_t y = 0; y < to; y++) {
        const size_t n = length_of(random_between(1, LENGTHS - 1));
        for (int32_t t = 0; t < axis.counts[y]; t++)
            window[t] = input(t % MOST_INPUTS, n);
        clear_outputs(n);
        edgecore_image_scalar.blend(&axis, y, window, n, expected_end - n);
        kernels->blend(&axis, y, window, n, given_end - n);
        compare("blend", n);
    }
    edgecore_axis_release(&axis);
}

static void image(const edgecore_image_kernels *kernels)
{
    static const int32_t sizes[] = {1, 2, 5, 17, 40, 97, 200};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t n = 0; n < 68; n++)
        luma_and_reverse(kernels, n);
    for (size_t n = 0; n < 140; n++)
        colours(kernels, n);
    for (int32_t i = 0; i < SIZES * SIZES; i++) {
        resize(kernels, sizes[i / SIZES], sizes[i % SIZES], 1);
        resize(kernels, sizes[i / SIZES], sizes[i % SIZES], 3);
    }
}

int main(void)
{
    for (int32_t i = 0; i < MOST_INPUTS; i++)
        ends[i] = guarded(MOST) + MOST;
    expected_end = guarded(MOST + MARGIN) + MOST + MARGIN;
    given_end = guarded(MOST + MARGIN) + MOST + MARGIN;
    sums_end = guarded(MOST * 131) + MOST * 131;
    expected_sums_end = (int32_t *)(void *)guarded(MOST * sizeof(int32_t)) + MOST;
    given_sums_end = (int32_t *)(void *)guarded(MOST * sizeof(int32_t)) + MOST;
    scalar = edgecore_tier_at(0);
    for (int32_t t = 1; t < edgecore_isa_count(); t++) {
        tested = edgecore_tier_at(t);
        if (!edgecore_isa_available(t)) {
            printf("%s: not on this CPU\n", tested->name);
            continue;
        }
        for (int32_t length = 0; length < LENGTHS; length++) {
            const size_t n = length_of(length);
            xor_and_lookup(n);
            maxima(n);
            windows(n);
            sums(n);
            averages(n);
            additions_and_products(n);
            lines(n);
            softmaxes(n);
            affine_maps(n);
            blends(n);
            scaled_blends(n);
        }
        image(edgecore_image_kernels_of(t));
        printf("rows__%s\n", tested->name);
    }
    return 0;
}
