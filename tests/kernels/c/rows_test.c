/* Every byte row and image micro-kernel of every tier that this CPU has, against the scalar tier's: all lengths around vectors',
 * extreme values, in place where that is allowed. */
#include <stdio.h>

#include "edgecore/cpu.h"
#include "guarded.h"
#include "rows_samples.h"

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

int main(void)
{
    make_buffers();
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
            pixel_rows(n);
            blends(n);
            scaled_blends(n);
        }
        image_kernels(edgecore_image_kernels_of(t));
        printf("rows__%s\n", tested->name);
    }
    return 0;
}
