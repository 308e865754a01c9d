/* Rows of tiles with columns and rows of padding, every number of tiles and channels around the kernel's own, sums up to the
 * largest for which it is exact. Input rows end at guard pages; bytes around the outputs must stay as they were. */
#include "winograd_tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "ops/arithmetic.h"

enum {
    TILE = EDGECORE_WINOGRAD_TILE,
    SIDE = EDGECORE_WINOGRAD_INPUT,
    CHUNK = EDGECORE_WINOGRAD_CHANNELS,
    MOST_CHANNELS = 40,
    MOST_COLS = 32,
    MOST_TILES = 20,
    MOST_WIDTH = 4 * MOST_TILES + 2,
    GAP = 3,
    CANARY = 0xA5,
};

static int8_t weights[MOST_COLS * 9 * MOST_CHANNELS];
static int32_t biases[MOST_COLS], multipliers[MOST_COLS], shifts[MOST_COLS];

typedef struct shape {
    size_t channels, cols, tiles, before, inside;
    edgecore_dtype storage; /* of the input */
} shape;

/* `farthest`: all weights and inputs are the number of their type that is farthest from 0. */
static edgecore_requant draw_requant(const shape *s, bool farthest, bool left_shifts)
{
    const int32_t input = s->storage == EDGECORE_INT8 ? 128 : 255;
    const int32_t most = EDGECORE_WINOGRAD_MOST - input * 128 * 9 * (int32_t)s->channels;
    for (size_t c = 0; c < s->cols; c++) {
        const int32_t edge = random_between(0, 3);
        biases[c] = edge == 0 ? most : edge == 1 ? -most : random_between(-30000, 30000);
        multipliers[c] = (int32_t)(UINT32_C(1) << 30) + random_between(0, (1 << 30) - 1);
        shifts[c] = edge < 2 ? -17 : left_shifts ? random_between(-2, 3) : -random_between(6, 12);
        for (size_t i = 0; i < 9 * s->channels; i++)
            weights[c * 9 * s->channels + i] = farthest ? -128 : (int8_t)random_between(-128, 127);
    }
    const int32_t zero = random_between(0, 255);
    const int32_t min = random_between(0, 1) ? zero : random_between(0, zero);
    return (edgecore_requant){biases, multipliers, shifts, zero, min, random_between(zero, 255), random_between(0, 1) ? 0x80 : 0};
}

/* Six rows of pixels; pixel x of row i, padding or not. */
typedef struct input {
    uint8_t *rows[SIDE], *zero;
    size_t stride;
    bool padding[SIDE];
} input;

static input draw_input(const shape *s, bool farthest)
{
    static uint8_t *ends[SIDE + 1];
    const size_t whole = (s->channels + CHUNK - 1) / CHUNK * CHUNK, room = MOST_WIDTH * (MOST_CHANNELS + GAP) + CHUNK;
    input in = {.stride = s->channels + (size_t)random_between(0, GAP)};
    for (size_t i = 0; i <= SIDE; i++) {
        if (!ends[i])
            ends[i] = guarded(room) + room;
        const size_t bytes = whole + (i < SIDE && s->inside ? (s->inside - 1) * in.stride : 0);
        for (size_t b = 1; b <= bytes; b++)
            *(ends[i] - b) = farthest ? (s->storage == EDGECORE_INT8 ? 0x80 : 0xff) : (uint8_t)random_32();
        if (i < SIDE) {
            in.rows[i] = ends[i] - bytes;
            in.padding[i] = random_between(0, 5) == 0;
        }
    }
    in.zero = ends[SIDE] - whole;
    return in;
}

static const uint8_t *pixel(const input *in, const shape *s, size_t i, size_t x)
{
    return in->padding[i] || x < s->before || x >= s->before + s->inside ? in->zero : in->rows[i] + (x - s->before) * in->stride;
}

static uint8_t expected(const input *in, const shape *s, const edgecore_requant *q, size_t x, size_t y, size_t c)
{
    uint32_t acc = (uint32_t)biases[c];
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t k = 0; k < s->channels; k++) {
            const uint8_t byte = pixel(in, s, y + tap / 3, x + tap % 3)[k];
            const int32_t value = s->storage == EDGECORE_INT8 ? (int8_t)byte : byte;
            acc += (uint32_t)(value * weights[(c * 9 + tap) * s->channels + k]);
        }
    const edgecore_multiplier m = {multipliers[c], shifts[c]};
    const int64_t value = (int64_t)edgecore_rescale((int32_t)acc, m) + q->zero_point;
    return (uint8_t)(value < q->min ? q->min : value > q->max ? q->max : value) ^ q->flip;
}

static void *aligned(size_t bytes)
{
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void run_case(const edgecore_winograd_kernel *kernel, const shape *s, bool farthest, bool left_shifts)
{
    static uint8_t image[TILE][(TILE + 1) * MOST_TILES * (MOST_COLS + GAP)];
    const edgecore_requant requant = draw_requant(s, farthest, left_shifts);
    const edgecore_columns columns = {.weights = weights, .cols = s->cols, .taps = 9, .k = s->channels, .requant = requant};
    const input in = draw_input(s, farthest);
    const size_t most = (size_t)kernel->tiles, first = (size_t)random_between(0, kernel->tiles), pixel_bytes = s->cols + GAP;
    const size_t block = kernel->tiles_bytes(s->channels) / sizeof(int16_t);
    void *weights_block = aligned(kernel->block_bytes(s->channels));
    int16_t *tiles = aligned(((first + s->tiles) / most + 1) * block * sizeof *tiles);
    void *scratch = aligned((4 * s->tiles + 2) * (size_t)kernel->column_bytes);
    int32_t *sums = aligned(EDGECORE_WINOGRAD_POSITIONS * most * (size_t)kernel->cols * sizeof *sums);
    kernel->pack(weights_block, &columns);
    edgecore_winograd_input args = {
        .zero = in.zero, .before = s->before, .inside = s->inside, .channels = s->channels,
        .first = first, .tiles = s->tiles, .to = tiles, .scratch = scratch,
    };
    for (size_t i = 0; i < SIDE; i++) {
        args.rows[i] = in.padding[i] ? in.zero : in.rows[i];
        args.steps[i] = in.padding[i] ? 0 : (ptrdiff_t)in.stride;
    }
    kernel->transform(&args);
    memset(image, CANARY, sizeof image);
    edgecore_winograd_output out[2 * MOST_TILES];
    for (size_t t = 0; t < first + s->tiles; t++) { /* those before the first hold what nobody looks at */
        const size_t at = t < first ? MOST_TILES - 1 : t - first;
        out[t] = (edgecore_winograd_output){&image[0][TILE * at * pixel_bytes], random_between(1, TILE), random_between(1, TILE)};
        if (random_between(0, 1))
            out[t].rows = out[t].cols = TILE;
    }
    for (size_t t = 0; t < first + s->tiles; t += most) {
        const size_t left = first + s->tiles - t;
        const edgecore_winograd_args run = {
            .tiles = tiles + t / most * block, .count = left < most ? left : most, .channels = s->channels,
            .block = weights_block, .out = out + t, .row_stride = sizeof image[0], .pixel_stride = (ptrdiff_t)pixel_bytes,
            .cols = s->cols, .scratch = sums,
        };
        kernel->run(&run);
    }
    for (size_t t = 0; t < s->tiles; t++)
        for (size_t y = 0; y < TILE; y++)
            for (size_t x = 0; x < TILE; x++)
                for (size_t c = 0; c < pixel_bytes; c++) {
                    const bool there = (int32_t)y < out[first + t].rows && (int32_t)x < out[first + t].cols && c < s->cols;
                    const uint8_t want = there ? expected(&in, s, &requant, TILE * t + x, y, c) : CANARY;
                    if (image[y][(TILE * t + x) * pixel_bytes + c] != want) {
                        printf("%s: wrong byte: channels %zu, cols %zu, tile %zu of %zu after %zu, row %zu, pixel %zu, col %zu\n",
                               kernel->name, s->channels, s->cols, t, s->tiles, first, y, x, c);
                        exit(1);
                    }
                }
    free(weights_block);
    free(tiles);
    free(scratch);
    free(sums);
}

void winograd_kernel(const edgecore_tier *tier, const edgecore_winograd_kernel *kernel)
{
    static const size_t channels[] = {1, 7, 8, 9, 16, 23, 24, 33, 40};
    if (2 * kernel->tiles > MOST_TILES - 1 || kernel->cols > MOST_COLS) {
        printf("%s: larger than its test\n", kernel->name);
        exit(1);
    }
    for (size_t k = 0; k < sizeof channels / sizeof *channels; k++)
        for (size_t cols = 1; cols <= (size_t)kernel->cols; cols++)
            for (size_t tiles = 1; tiles <= 2 * (size_t)kernel->tiles; tiles++) {
                const size_t width = 4 * tiles + 2, before = (size_t)random_between(0, 3);
                const size_t after = random_between(0, 9) ? (size_t)random_between(0, 3) : width - before;
                const shape s = {channels[k], cols, tiles, before, width - before - after, tier->storage};
                run_case(kernel, &s, tiles % 3 == 0, random_between(0, 2) == 0);
            }
}
