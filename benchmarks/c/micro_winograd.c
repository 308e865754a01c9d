/* Cases of a Winograd kernel: transforming a block of tiles, and then one block of output channels, beside what the sum itself
 * would multiply. */
#include <stdio.h>

#include "micro.h"

typedef struct winograd_state {
    const edgecore_winograd_kernel *kernel;
    edgecore_winograd_input input;
    edgecore_winograd_args args;
} winograd_state;

static void transform(const void *memory)
{
    const winograd_state *state = memory;
    state->kernel->transform(&state->input);
}

static void run(const void *memory)
{
    const winograd_state *state = memory;
    state->kernel->run(&state->args);
}

static winograd_state *state_of(const edgecore_tier *tier, const edgecore_winograd_kernel *kernel, size_t channels)
{
    enum { TILE = EDGECORE_WINOGRAD_TILE, SIDE = EDGECORE_WINOGRAD_INPUT, CHUNK = EDGECORE_WINOGRAD_CHANNELS };
    const size_t tiles = (size_t)kernel->tiles, cols = (size_t)kernel->cols, width = TILE * tiles + SIDE - TILE;
    int16_t *transformed = micro_bytes(kernel->tiles_bytes(channels));
    edgecore_winograd_output *out = micro_bytes(tiles * sizeof *out);
    uint8_t *image = micro_bytes(SIDE * width * channels + CHUNK), *to = micro_bytes(TILE * TILE * tiles * cols);
    void *block = micro_bytes(kernel->block_bytes(channels));
    edgecore_columns columns = micro_columns(tier, cols, 9 * channels);
    columns.taps = 9;
    columns.k = channels;
    kernel->pack(block, &columns);
    for (size_t t = 0; t < tiles; t++)
        out[t] = (edgecore_winograd_output){to + t * TILE * cols, TILE, TILE};
    winograd_state *state = micro_bytes(sizeof *state);
    *state = (winograd_state){
        .kernel = kernel,
        .input = {
            .zero = micro_bytes(channels + CHUNK),
            .inside = width,
            .channels = channels,
            .tiles = tiles,
            .to = transformed,
            .scratch = micro_bytes(width * (size_t)kernel->column_bytes),
        },
        .args = {
            .tiles = transformed,
            .count = tiles,
            .channels = channels,
            .block = block,
            .out = out,
            .row_stride = (ptrdiff_t)(TILE * tiles * cols),
            .pixel_stride = (ptrdiff_t)cols,
            .cols = cols,
            .scratch = micro_bytes(EDGECORE_WINOGRAD_POSITIONS * tiles * cols * sizeof(int32_t)),
        },
    };
    for (size_t i = 0; i < SIDE; i++) {
        state->input.rows[i] = image + i * width * channels;
        state->input.steps[i] = (ptrdiff_t)channels;
    }
    kernel->transform(&state->input);
    return state;
}

void micro_winograd(const edgecore_tier *tier, const edgecore_winograd_kernel *kernel)
{
    static const size_t channels[] = {16, 64, 128};
    const size_t tiles = (size_t)kernel->tiles, cols = (size_t)kernel->cols;
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
        const size_t n = channels[c];
        const winograd_state *state = state_of(tier, kernel, n);
        const size_t read = EDGECORE_WINOGRAD_INPUT * state->input.inside * n;
        const size_t written = EDGECORE_WINOGRAD_POSITIONS * tiles * n * sizeof(int16_t);
        micro_case *in = micro_add(kernel->name), *out = micro_add(kernel->name);
        snprintf(in->shape, sizeof in->shape, "transform, %zu tiles, %zu channels", tiles, n);
        in->run = transform;
        in->state = state;
        in->bytes = (double)(read + written);
        snprintf(out->shape, sizeof out->shape, "run, %zu tiles, %zu to %zu channels", tiles, n, cols);
        out->run = run;
        out->state = state;
        out->macs = (double)(tiles * 16 * cols * 9 * n);
        out->products = (double)(tiles * EDGECORE_WINOGRAD_POSITIONS * cols * n);
    }
}
