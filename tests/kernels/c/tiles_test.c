/* Every GEMM, depthwise and Winograd micro-kernel of every tier that this CPU has, against the arithmetic of the specification:
 * all tile boundaries, extreme values, all roundings. Buffers end at guard pages; bytes around the outputs must stay as they
 * were. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgecore/cpu.h"
#include "guarded.h"
#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "winograd_tiles.h"

enum { MOST_ROWS = 136, MOST_COLS = 64, MOST_TAPS = 49, MOST_K = 80, CANARY = 0xA5, MARGIN = 32 };

static int8_t weights[MOST_COLS * MOST_TAPS * MOST_K];
static int32_t biases[MOST_COLS], multipliers[MOST_COLS], shifts[MOST_COLS];

enum rounding { UP, AWAY, GENERAL, RELU, ROUNDINGS };
enum values { ANY, HIGHEST, LOWEST, VALUES };

static int8_t weight_of(enum values values)
{
    return values == ANY ? (int8_t)random_between(-128, 127) : values == HIGHEST ? 127 : -128;
}

/* Scales that bring sums of `depth` products near the range of a byte, as in networks (RELU, and half of the others), or for some
 * channels far from it. */
static edgecore_requant draw_requant(enum rounding rounding, size_t depth)
{
    const int32_t usual = depth < 64 ? -8 : -11;
    const bool near = rounding == RELU || random_between(0, 1);
    for (size_t c = 0; c < MOST_COLS; c++) {
        biases[c] = near || random_between(0, 9) ? random_between(-30000, 30000) : (int32_t)random_32();
        multipliers[c] = (int32_t)(UINT32_C(1) << 30) + random_between(0, (1 << 30) - 1);
        shifts[c] = near || random_between(0, 4) ? random_between(usual - 2, usual + 2) : random_between(-31, -1);
        if (random_between(0, 7) == 0)
            multipliers[c] = random_between(0, 1) ? 1 << 30 : INT32_MAX;
        if (rounding == GENERAL && random_between(0, 2) == 0)
            shifts[c] = random_between(0, 12);
        if (rounding == GENERAL && random_between(0, 9) == 0)
            multipliers[c] = shifts[c] = 0;
    }
    if (rounding == RELU)
        return (edgecore_requant){biases, multipliers, shifts, 0, 0, 255, random_between(0, 1) ? 0x80 : 0};
    const int32_t zero = random_between(0, 3) ? random_between(0, 255) : random_between(0, 1) * 255;
    return (edgecore_requant){
        .bias = biases,
        .multiplier = multipliers,
        .shift = shifts,
        .zero_point = zero,
        .min = rounding == UP ? zero : random_between(0, zero),
        .max = random_between(zero, 255),
        .flip = random_between(0, 1) ? 0x80 : 0,
    };
}

/* The first channel's sums are all halfway between the zero point and one below it, which the clamp lets through: weights of 0, and
 * a bias that scales to -1/2. Its `count` weights are `step` apart. */
static void make_tie(edgecore_requant *q, size_t count, size_t step)
{
    if (q->zero_point == 0)
        return;
    for (size_t i = 0; i < count; i++)
        weights[i * step] = 0;
    shifts[0] = random_between(-15, -1);
    multipliers[0] = 1 << 30;
    biases[0] = -(1 << -shifts[0]);
    q->min = q->zero_point - 1;
}

static int64_t rescaled(const edgecore_requant *q, int64_t acc, size_t c)
{
    return edgecore_rescale((int32_t)acc, (edgecore_multiplier){q->multiplier[c], q->shift[c]});
}

/* Sums of channel `c` all on the edge of a byte's values, or one off it, where arithmetic that is not exact errs: weights of 0,
 * and a bias from which on the scaled sum is what the byte needs. Its `count` weights, from `first` on, are `step` apart. */
static void make_close(edgecore_requant *q, enum rounding rounding, size_t c, size_t first, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        weights[first + i * step] = 0;
    shifts[c] = rounding == GENERAL ? random_between(-3, 3) : random_between(-21, -1);
    const int32_t value = random_between(-1, 256) - q->zero_point;
    const int32_t shift = shifts[c] > 0 ? shifts[c] : 0; /* sums shifted left are to stay within 32 bits */
    int64_t below = INT32_MIN >> shift, least = INT32_MAX >> shift;
    while (least - below > 1) {
        const int64_t middle = (below + least) / 2;
        if (rescaled(q, middle, c) >= value)
            least = middle;
        else
            below = middle;
    }
    biases[c] = (int32_t)(random_between(0, 1) ? least : below);
}

static uint8_t expected(const edgecore_requant *q, uint32_t acc, size_t c)
{
    const int64_t value = rescaled(q, (int32_t)acc, c) + q->zero_point;
    return (uint8_t)(value < q->min ? q->min : value > q->max ? q->max : value) ^ q->flip;
}

static int32_t element(const edgecore_tier *tier, uint8_t byte)
{
    return tier->storage == EDGECORE_INT8 ? (int8_t)byte : byte;
}

static void fill(const edgecore_tier *tier, uint8_t *bytes, size_t n, enum values values)
{
    const uint8_t flip = edgecore_flip_of(tier->storage);
    for (size_t i = 0; i < n; i++)
        bytes[i] = values == ANY ? (uint8_t)random_32() : (uint8_t)((values == HIGHEST ? 255 : 0) ^ flip);
}

static void fail(const char *kernel, const char *what, size_t a, size_t b, size_t c, size_t d)
{
    printf("%s: %s (%zu, %zu, %zu, %zu)\n", kernel, what, a, b, c, d);
    exit(1);
}

/* Output rows of `bytes` each, the last byte before a guard page and MARGIN canaries before the first. */
static uint8_t *outputs[MOST_ROWS];

static void clear_outputs(size_t rows, size_t bytes)
{
    for (size_t r = 0; r < rows; r++)
        memset(outputs[r] - bytes - MARGIN, CANARY, bytes + MARGIN);
}

static bool margin_kept(const uint8_t *row)
{
    for (size_t i = 1; i <= MARGIN; i++)
        if (*(row - i) != CANARY)
            return false;
    return true;
}

static void gemm_tiles(const edgecore_tier *tier, const edgecore_gemm_kernel *kernel, const edgecore_columns *columns,
                       const void *block, size_t rows_of_tile, size_t tiles, enum values values)
{
    static uint8_t *ends[MOST_ROWS]; /* each row of taps ends at a guard page */
    const uint8_t *a[MOST_TAPS * MOST_ROWS];
    uint8_t *out[MOST_ROWS];
    const size_t taps = columns->taps, k = columns->k, cols = columns->cols, offset = random_between(0, 1) ? 5 : 0;
    const size_t rows = rows_of_tile * tiles;
    const size_t step = (size_t)kernel->k_step, read = (k + step - 1) / step * step;
    for (size_t r = 0; r < rows; r++) {
        if (!ends[r])
            ends[r] = guarded(MOST_TAPS * (MOST_K + 15)) + MOST_TAPS * (MOST_K + 15);
        uint8_t *first = ends[r] - (taps - 1) * k - read;
        fill(tier, first, (taps - 1) * k + read, values);
        for (size_t t = 0; t < taps; t++)
            a[t * MOST_ROWS + r] = first + t * k - offset;
        out[r] = outputs[r] - cols - offset;
    }
    clear_outputs(rows, cols);
    const edgecore_gemm_args args = {
        .a = a,
        .row_pitch = MOST_ROWS,
        .a_offset = offset,
        .rows = rows_of_tile,
        .tiles = tiles,
        .taps = taps,
        .k = k,
        .block = block,
        .out = out,
        .out_offset = offset,
        .cols = cols,
    };
    kernel->run(&args);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) {
            uint32_t acc = (uint32_t)columns->requant.bias[c];
            for (size_t t = 0; t < taps; t++)
                for (size_t i = 0; i < k; i++)
                    acc += (uint32_t)(element(tier, a[t * MOST_ROWS + r][offset + i]) * weights[(c * taps + t) * k + i]);
            if (out[r][offset + c] != expected(&columns->requant, acc, c))
                fail(kernel->name, "wrong byte: rows, row, cols, col", rows, r, cols, c);
        }
        if (!margin_kept(out[r] + offset))
            fail(kernel->name, "wrote before its output: rows, row, cols, k", rows, r, cols, k);
    }
}

static void gemm_kernel(const edgecore_tier *tier, const edgecore_gemm_kernel *kernel)
{
    static const size_t shapes[][2] = {{1, 1},  {1, 2},  {1, 3},  {1, 4},  {1, 5},  {1, 24}, {1, 28},   {1, 64},   {1, 77},  {2, 7},
                                       {2, 64}, {3, 32}, {3, 41}, {9, 3},  {9, 16}, {49, 4}, {1, 3001}, {3, 1072}, {5, 700}};
    const size_t most = (size_t)kernel->cols, some[] = {1, most / 2 + 1, most - 1, most};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t n = 0; n < 4; n++)
            for (int rounding = 0; rounding < ROUNDINGS; rounding++)
                for (int values = 0; values < VALUES; values++) {
                    edgecore_columns columns = {.weights = weights, .cols = some[n], .taps = shapes[s][0], .k = shapes[s][1]};
                    for (size_t i = 0; i < columns.cols * columns.taps * columns.k; i++)
                        weights[i] = weight_of(random_between(0, 1) ? ANY : (enum values)values);
                    columns.requant = draw_requant((enum rounding)rounding, columns.taps * columns.k);
                    if (rounding == AWAY && values == ANY)
                        make_tie(&columns.requant, columns.taps * columns.k, 1);
                    for (size_t c = 1; c < columns.cols; c += 4)
                        make_close(&columns.requant, (enum rounding)rounding, c, c * columns.taps * columns.k,
                                   columns.taps * columns.k, 1);
                    const size_t bytes = (kernel->block_bytes(columns.taps, columns.k) + 63) / 64 * 64;
                    void *block = aligned_alloc(64, bytes);
                    kernel->pack(block, &columns);
                    if (kernel->takes_rows && columns.taps * columns.k < 100)
                        for (size_t rows = MOST_ROWS - 2; rows <= MOST_ROWS; rows++)
                            gemm_tiles(tier, kernel, &columns, block, rows, 1, (enum values)values);
                    const size_t tallest = kernel->takes_rows ? (size_t)kernel->rows * 3 + 1 : (size_t)kernel->rows;
                    for (size_t rows = 1; rows <= tallest; rows++)
                        for (size_t tiles = 1; tiles <= (kernel->takes_tiles ? 2 : 1); tiles++)
                            gemm_tiles(tier, kernel, &columns, block, rows, tiles, (enum values)values);
                    if (kernel->takes_tiles)
                        gemm_tiles(tier, kernel, &columns, block, (size_t)kernel->rows, 5, (enum values)values);
                    free(block);
                }
}

/* One stretch of pixels with columns shared (steps of a stride and a dilation) or not. */
static void depthwise_case(const edgecore_tier *tier, const edgecore_depthwise_kernel *kernel, size_t kernel_h, size_t kernel_w,
                           size_t pixel_step, size_t pixels, size_t cols, enum rounding rounding, enum values values)
{
    static uint8_t *end;
    enum { SOURCE = 4096 };
    if (!end)
        end = guarded(SOURCE) + SOURCE;
    fill(tier, end - SOURCE, SOURCE, values);
    const size_t tap_step = (size_t)(random_between(0, 1) ? 1 : random_between(2, 3)), offset = 3;
    const size_t count = (pixels - 1) * pixel_step + (kernel_w - 1) * tap_step + 1;
    const size_t padded = (kernel_h + (size_t)kernel->row_step - 1) / (size_t)kernel->row_step * (size_t)kernel->row_step;
    const uint8_t **a = malloc(count * padded * sizeof *a);
    for (size_t i = 0; i < count * padded; i++)
        a[i] = end - kernel->cols - random_between(0, random_between(0, 1) * 500) - offset;
    edgecore_columns columns = {
        .weights = weights, .cols = cols, .kernel_h = kernel_h, .kernel_w = kernel_w, .weight_stride = cols + 1};
    const bool without_lowest = random_between(0, 1); /* as converters make them; kernels may be faster then */
    for (size_t i = 0; i < kernel_h * kernel_w * columns.weight_stride; i++) {
        weights[i] = weight_of(random_between(0, 1) ? ANY : values);
        if (without_lowest && weights[i] == -128)
            weights[i] = -127;
    }
    columns.requant = draw_requant(rounding, kernel_h * kernel_w);
    if (rounding == AWAY && values == ANY)
        make_tie(&columns.requant, kernel_h * kernel_w, columns.weight_stride);
    for (size_t c = 1; c < cols; c += 4)
        make_close(&columns.requant, rounding, c, c, kernel_h * kernel_w, columns.weight_stride);
    void *block = aligned_alloc(64, (kernel->block_bytes(kernel_h, kernel_w) + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (kernel->scratch_bytes(count, kernel_h) + 127) / 64 * 64);
    kernel->pack(block, &columns);
    const size_t stride = cols + 2; /* the output's last pixel ends at the guard page */
    uint8_t *out = outputs[0] - cols - (pixels - 1) * stride;
    memset(out - MARGIN, CANARY, (size_t)(outputs[0] - out) + MARGIN);
    const edgecore_depthwise_args args = {
        .a = a,
        .columns = count,
        .pixels = pixels,
        .pixel_step = pixel_step,
        .tap_step = tap_step,
        .kernel_h = kernel_h,
        .kernel_w = kernel_w,
        .block = block,
        .out = out - offset,
        .out_stride = (ptrdiff_t)stride,
        .offset = offset,
        .cols = cols,
        .scratch = scratch,
    };
    kernel->run(&args);
    for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < cols; c++) {
            uint32_t acc = (uint32_t)biases[c];
            for (size_t ky = 0; ky < kernel_h; ky++)
                for (size_t kx = 0; kx < kernel_w; kx++)
                    acc += (uint32_t)(element(tier, a[(p * pixel_step + kx * tap_step) * padded + ky][offset + c]) *
                                      weights[(ky * kernel_w + kx) * columns.weight_stride + c]);
            if (out[p * stride + c] != expected(&columns.requant, acc, c))
                fail(kernel->name, "wrong byte: kernel_h, kernel_w, pixel, channel", kernel_h, kernel_w, p, c);
        }
        if (p + 1 < pixels && (out[p * stride + cols] != CANARY || out[p * stride + cols + 1] != CANARY))
            fail(kernel->name, "wrote between pixels: kernel_h, kernel_w, pixel, cols", kernel_h, kernel_w, p, cols);
    }
    if (!margin_kept(out))
        fail(kernel->name, "wrote before its output: kernel_h, kernel_w, pixels, cols", kernel_h, kernel_w, pixels, cols);
    free(a);
    free(block);
    free(scratch);
}

static void depthwise_kernel(const edgecore_tier *tier, const edgecore_depthwise_kernel *kernel)
{
    static const size_t shapes[][2] = {{1, 1}, {3, 3}, {4, 3}, {5, 5}, {7, 7}, {2, 3}, {9, 1}, {1, 4}, {3, 5}};
    const size_t most = (size_t)kernel->cols, some[] = {1, most / 2, most / 2 + 1, most - 1, most};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t n = 0; n < 5; n++)
            for (int rounding = 0; rounding < ROUNDINGS; rounding++)
                for (int values = 0; values < VALUES; values++)
                    for (size_t step = 1; step <= 3; step++)
                        for (size_t pixels = 1; pixels <= 9; pixels++)
                            depthwise_case(tier, kernel, shapes[s][0], shapes[s][1], step, pixels, some[n],
                                           (enum rounding)rounding, (enum values)values);
}

int main(void)
{
    for (size_t r = 0; r < MOST_ROWS; r++)
        outputs[r] = guarded(1024) + 1024;
    for (int32_t i = 0; i < edgecore_isa_count(); i++) {
        const edgecore_tier *tier = edgecore_tier_at(i);
        if (!edgecore_isa_available(i)) {
            printf("%s: not on this CPU\n", tier->name);
            continue;
        }
        for (int32_t g = 0; g < tier->gemm_count; g++) {
            gemm_kernel(tier, tier->gemms[g]);
            printf("%s\n", tier->gemms[g]->name);
        }
        for (int32_t d = 0; d < tier->depthwise_count; d++) {
            depthwise_kernel(tier, tier->depthwises[d]);
            printf("%s\n", tier->depthwises[d]->name);
        }
        if (tier->winograd) {
            winograd_kernel(tier, tier->winograd);
            printf("%s\n", tier->winograd->name);
        }
    }
    return 0;
}
