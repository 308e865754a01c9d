/* Cases of the byte rows: 4 KB of bytes, or of the sums between bytes. */
#include <stdio.h>
#include <string.h>

#include "micro.h"

enum { BYTES = 4096, SUMS = BYTES / 4, SUMMED = 512, PIXEL = 64, SECOND = 64, CLASSES = 8, FLIP = 0x80 };

/* All rows of a tier share it. */
typedef struct row_state {
    const edgecore_tier *tier;
    uint8_t *out;
    const uint8_t *in, *flips; /* random bytes, and those that count 0 in a sum, which so stays the same */
    int32_t *sums;
    float *floats;
    int32_t *exps; /* Q0.31, by the distance below the maximum */
    void *scratch;
    edgecore_row_arithmetic sum, product;
    edgecore_affine_block affine;
} row_state;

static void xor_row(const void *memory)
{
    const row_state *s = memory;
    s->tier->xor_row(s->out, s->in, BYTES, FLIP);
}

static void lookup_row(const void *memory)
{
    const row_state *s = memory;
    s->tier->lookup_row(s->out, s->in, BYTES, s->in + BYTES);
}

static void max_row(const void *memory)
{
    const row_state *s = memory;
    const uint8_t *rows[] = {s->in, s->in + BYTES, s->in + 2 * BYTES, s->in + 3 * BYTES};
    s->tier->max_row(s->out, rows, 4, BYTES, FLIP);
}

static void max_windows(const void *memory)
{
    enum { COUNT = BYTES / PIXEL, ROW = (2 * COUNT + 1) * PIXEL };
    const row_state *s = memory;
    const edgecore_row_windows windows = {{s->in, s->in + ROW, s->in + 2 * ROW}, 3, COUNT, PIXEL, PIXEL, PIXEL, FLIP};
    s->tier->max_windows(s->out, &windows);
}

static void sum_rows(const void *memory)
{
    const row_state *s = memory;
    s->tier->sum_rows(s->sums, s->flips, SUMMED, BYTES / SUMMED, SUMMED, FLIP);
}

static void sum_long(const void *memory)
{
    const row_state *s = memory;
    s->tier->sum_rows(s->sums, s->flips, PIXEL, BYTES / PIXEL, PIXEL, FLIP);
}

static void add_row(const void *memory)
{
    const row_state *s = memory;
    s->tier->add_row(s->out, s->in, s->in + BYTES, BYTES, &s->sum);
}

static void mul_row(const void *memory)
{
    const row_state *s = memory;
    s->tier->mul_row(s->out, s->in, s->in + BYTES, BYTES, &s->product);
}

static void line_pixels(const void *memory)
{
    const row_state *s = memory;
    const edgecore_row_lines lines = {
        .slopes = s->sums,
        .offsets = s->sums + PIXEL,
        .n = PIXEL,
        .in_stride = PIXEL,
        .out_stride = PIXEL,
        .zero_point = 120,
        .shift = 12,
        .max = 255,
    };
    s->tier->line_pixels(s->out, s->in, BYTES / PIXEL, &lines);
}

static void affine_pixels(const void *memory)
{
    enum { CHANNELS = EDGECORE_AFFINE_CHANNELS };
    const row_state *s = memory;
    const edgecore_affine_pixels args = {
        .in = s->in,
        .out = s->out,
        .in_stride = CHANNELS,
        .out_stride = CHANNELS,
        .pixels = BYTES / CHANNELS,
        .channels = CHANNELS,
        .block = &s->affine,
        .zero_point = 120,
        .slope = 0.6f,
    };
    s->tier->affine_pixels(&args);
}

static void average_row(const void *memory)
{
    const row_state *s = memory;
    const edgecore_row_average how = {.count = 49, .zero = 128, .max = 255, .flip = FLIP};
    s->tier->average_row(s->out, s->sums, SUMS, &how);
}

static void blend_rows(const void *memory)
{
    const row_state *s = memory;
    s->tier->blend_rows(s->sums + 2 * SUMS, s->in, s->in + BYTES, SUMS, 300, 724, FLIP);
}

static void blend_sums(const void *memory)
{
    const row_state *s = memory;
    s->tier->blend_sums(s->out, s->sums, s->sums + SECOND, SUMS, 300, 724, FLIP);
}

static void scale_row(const void *memory)
{
    const row_state *s = memory;
    s->tier->scale_row(s->floats, s->in, SUMS, 0.25f, FLIP);
}

static void blend_scaled(const void *memory)
{
    const row_state *s = memory;
    const float weights[2] = {0.25f, 0.75f};
    s->tier->blend_scaled(s->out, s->floats, s->floats + 2 * SUMS, 0, SECOND, SUMS, weights, FLIP);
}

/* Of a map of few classes, as segmentation has it. */
static void softmax_pixels(const void *memory)
{
    const row_state *s = memory;
    const edgecore_row_softmax how = {
        .exps = s->exps,
        .channels = CLASSES,
        .in_stride = CLASSES,
        .out_stride = CLASSES,
        .flip_in = FLIP,
        .flip_out = FLIP,
        .scratch = s->scratch,
    };
    s->tier->softmax_pixels(s->out, s->in, BYTES / CLASSES, &how);
}

static const row_state *state_of(const edgecore_tier *tier)
{
    uint8_t *flips = micro_bytes(BYTES);
    memset(flips, FLIP, BYTES);
    const edgecore_row_arithmetic product = {
        .a = {.zero_point = 120, .multiplier = 1 << 30, .flip = FLIP},
        .b = {.zero_point = 130, .multiplier = 1234567890, .right_shift = 1, .flip = FLIP},
        .multiplier = 1500000000,
        .right_shift = 7,
        .zero_point = 128,
        .max = 255,
        .flip = FLIP,
    };
    row_state *state = micro_bytes(sizeof *state);
    *state = (row_state){
        .tier = tier,
        .out = micro_bytes(BYTES),
        .in = micro_bytes(3 * (2 * BYTES + PIXEL)),
        .flips = flips,
        .sums = micro_bytes(3 * BYTES),
        .floats = micro_bytes(4 * BYTES),
        .exps = micro_bytes(256 * sizeof(int32_t)),
        .scratch = micro_bytes(5 * CLASSES * EDGECORE_SOFTMAX_PIXELS),
        .sum = product,
        .product = product,
    };
    state->sum.right_shift = 18;
    for (size_t i = 0; i < 3 * SUMS; i++)
        state->sums[i] = (int32_t)((uint32_t)state->sums[i] % (49 * 255));
    for (size_t i = 0; i < 4 * SUMS; i++)
        state->floats[i] = (float)(i % 256);
    for (size_t i = 0; i < 256; i++)
        state->exps[i] = i ? (int32_t)(state->exps[i - 1] * INT64_C(15) / 16) : INT32_MAX;
    for (size_t i = 0; i < EDGECORE_AFFINE_CHANNELS; i++) {
        state->affine.factor[i] = 0.8f;
        state->affine.half[i] = 0.5f;
        state->affine.offset[i] = (float)(100 + i);
        state->affine.max[i] = 255;
    }
    return state;
}

static void add_case(const row_state *state, const char *what, const char *shape, size_t bytes, void (*run)(const void *))
{
    char name[sizeof((micro_case *)0)->kernel];
    snprintf(name, sizeof name, "%s__%s", what, state->tier->name);
    micro_case *added = micro_add(name);
    snprintf(added->shape, sizeof added->shape, "%s", shape);
    added->run = run;
    added->state = state;
    added->bytes = (double)bytes;
}

void micro_rows(const edgecore_tier *tier)
{
    const row_state *s = state_of(tier);
    add_case(s, "xor_row", "4096 bytes", 2 * BYTES, xor_row);
    add_case(s, "lookup_row", "4096 bytes", 2 * BYTES, lookup_row);
    add_case(s, "max_row", "4 of 4096 bytes", 5 * BYTES, max_row);
    if (tier->max_windows)
        add_case(s, "max_windows", "64 of 3x3, 64 channels", 3 * (2 * BYTES + PIXEL) + BYTES, max_windows);
    add_case(s, "sum_rows", "8 of 512 bytes", BYTES + 8 * SUMMED, sum_rows);
    add_case(s, "sum_rows", "64 of 64 bytes", BYTES + 8 * PIXEL, sum_long);
    add_case(s, "add_row", "4096 bytes", 3 * BYTES, add_row);
    add_case(s, "mul_row", "4096 bytes", 3 * BYTES, mul_row);
    if (tier->line_pixels)
        add_case(s, "line_pixels", "64 of 64 channels", 2 * BYTES + 8 * PIXEL, line_pixels);
    if (tier->affine_pixels)
        add_case(s, "affine_pixels", "128 of 32 channels", 2 * BYTES + sizeof(edgecore_affine_block), affine_pixels);
    add_case(s, "average_row", "1024 sums", SUMS * 5, average_row);
    add_case(s, "blend_rows", "1024 bytes", SUMS * 6, blend_rows);
    add_case(s, "blend_sums", "1024 sums", SUMS * 5, blend_sums);
    add_case(s, "scale_row", "1024 bytes", SUMS * 5, scale_row);
    add_case(s, "blend_scaled", "1024 floats", SUMS * 9, blend_scaled);
    if (tier->softmax_pixels)
        add_case(s, "softmax_pixels", "512 of 8 channels", 2 * BYTES, softmax_pixels);
}
