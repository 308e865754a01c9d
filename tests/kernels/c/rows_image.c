/* Image micro-kernels: planes, colours, and both passes of a resize. */
#include <stdio.h>
#include <stdlib.h>

#include "guarded.h"
#include "image/axis.h"
#include "image/rows.h"
#include "rows_samples.h"

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

void image_kernels(const edgecore_image_kernels *kernels)
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
