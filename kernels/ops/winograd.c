#include "ops/winograd.h"

#include <stdlib.h>
#include <string.h>

#include "isa/winograd.h"
#include "ops/view.h"

enum {
    ALIGNMENT = 64,
    TILE = EDGECORE_WINOGRAD_TILE,
    STRIP_BYTES = 320 << 10, /* of transformed inputs: a share of a second-level cache of 1 MB */
    CACHE_BYTES = 512 << 10, /* packed weights that strips after the first find there */
    BLOCKS_PER_CUT = 4,      /* of output channels: every cut transforms its input anew */
};

/* Begins as every operator's struct does. */
typedef struct winograd_op {
    edgecore_op base;
    const edgecore_winograd_kernel *kernel;
    edgecore_window window;
    size_t in_channels;
    int32_t out_channels;
    size_t block_bytes;
    int32_t strip_blocks; /* most blocks of tiles that are in scratch at once */
    uint8_t *zero_pixel;
    uint8_t *memory;      /* blocks of output channels, zero pixel */
} winograd_op;

static size_t align_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int32_t ceil_divide(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

/* Blocks of tiles in a strip, for a region of `tiles`. */
static int32_t strip_blocks(const edgecore_winograd_kernel *kernel, size_t channels, int32_t tiles)
{
    const int32_t most = (int32_t)(STRIP_BYTES / kernel->tiles_bytes(channels)), needed = ceil_divide(tiles, kernel->tiles);
    return most < 1 ? 1 : most < needed ? most : needed;
}

static double packed_bytes_of(const edgecore_gemm_layer *layer, const edgecore_winograd_kernel *kernel)
{
    return ceil_divide(layer->out_channels, kernel->cols) * (double)kernel->block_bytes((size_t)layer->in_channels);
}

/* In the unit of edgecore_gemm_cost, with the weights' way from memory. */
static double cost(const edgecore_gemm_layer *layer, const edgecore_winograd_kernel *kernel)
{
    const size_t channels = (size_t)layer->in_channels;
    const int32_t tiles = ceil_divide(layer->window.out_h, TILE) * ceil_divide(layer->window.out_w, TILE);
    const double blocks = (double)tiles / kernel->tiles;
    const double columns = (double)ceil_divide(layer->out_channels, kernel->lanes) * kernel->lanes / kernel->cols;
    const double chunks = (double)chunks_of(channels);
    const double bytes = packed_bytes_of(layer, kernel);
    const int32_t in_strip = strip_blocks(kernel, channels, tiles);
    const double sweeps = bytes > CACHE_BYTES ? ceil_divide(ceil_divide(tiles, kernel->tiles), in_strip) : 1;
    return blocks * columns * (chunks * kernel->chunk_cost + kernel->tile_cost) + tiles * chunks * kernel->input_cost +
           kernel->byte_cost * sweeps * bytes;
}

static bool suits(const edgecore_gemm_layer *layer, const edgecore_tier *tier)
{
    const edgecore_window *w = &layer->window;
    if (!tier->winograd || layer->parts != 1 || w->kernel_h != 3 || w->kernel_w != 3 || w->stride_h != 1 || w->stride_w != 1 ||
        w->dilation_h != 1 || w->dilation_w != 1 || layer->groups != 1 ||
        packed_bytes_of(layer, tier->winograd) > (double)tier->winograd->most_bytes)
        return false;
    const double direct_bytes = 9.0 * layer->in_channels * layer->out_channels;
    return cost(layer, tier->winograd) < edgecore_gemm_cost(layer, tier) + tier->winograd->byte_cost * direct_bytes;
}

/* Whether no output's sum leaves what the transform brings back, whatever the input. */
static bool is_exact(const edgecore_gemm_layer *layer, const edgecore_requant *requant, edgecore_dtype storage)
{
    const size_t per_channel = 9 * (size_t)layer->in_channels;
    const int32_t least = storage == EDGECORE_INT8 ? -128 : 0, most = least + 255;
    for (int32_t c = 0; c < layer->out_channels; c++) {
        const int8_t *w = layer->weights + (size_t)c * per_channel;
        int64_t lowest = requant->bias[c], highest = lowest;
        for (size_t i = 0; i < per_channel; i++) {
            lowest += w[i] * (w[i] < 0 ? most : least);
            highest += w[i] * (w[i] < 0 ? least : most);
        }
        if (lowest < -EDGECORE_WINOGRAD_MOST || highest > EDGECORE_WINOGRAD_MOST)
            return false;
    }
    return true;
}

/* A thread's scratch: transformed tiles; from these offsets on where they go, columns on their way to tiles, and sums on their
 * way to outputs. */
typedef struct scratch_layout {
    size_t out, columns, sums, bytes;
} scratch_layout;

static scratch_layout layout_of(const winograd_op *op)
{
    const edgecore_winograd_kernel *kernel = op->kernel;
    const size_t blocks = (size_t)op->strip_blocks, tiles = (size_t)kernel->tiles;
    const size_t columns = (size_t)(ceil_divide(op->window.out_w, TILE) * TILE + SIDE - TILE);
    scratch_layout at = {.out = blocks * kernel->tiles_bytes(op->in_channels)};
    at.columns = at.out + align_up(blocks * tiles * sizeof(edgecore_winograd_output));
    at.sums = at.columns + align_up(columns * (size_t)kernel->column_bytes);
    at.bytes = at.sums + align_up(EDGECORE_WINOGRAD_POSITIONS * tiles * (size_t)kernel->cols * sizeof(int32_t));
    return at;
}

static void pack_blocks(winograd_op *op, const edgecore_gemm_layer *layer, const edgecore_requant *requant)
{
    uint8_t *to = op->memory;
    for (int32_t c = 0; c < layer->out_channels; c += op->kernel->cols, to += op->block_bytes) {
        const int32_t left = layer->out_channels - c;
        edgecore_columns columns = {
            .weights = layer->weights + (size_t)c * 9 * op->in_channels,
            .cols = (size_t)(left < op->kernel->cols ? left : op->kernel->cols),
            .taps = 9,
            .k = op->in_channels,
            .requant = *requant,
        };
        columns.requant.bias += c;
        columns.requant.multiplier += c;
        columns.requant.shift += c;
        op->kernel->pack(to, &columns);
    }
}

/* Of tiles [first, end) of a region, counted row by row from its first row on, those that lie in one row of tiles. */
typedef struct tile_run {
    int32_t y;      /* first output row */
    int32_t x0, x1; /* tiles */
} tile_run;

static tile_run next_run(const winograd_op *op, edgecore_region region, int32_t first, int32_t end)
{
    const int32_t width = ceil_divide(op->window.out_w, TILE), x = first % width;
    return (tile_run){region.y0 + first / width * TILE, x, width - x < end - first ? width : x + end - first};
}

/* Rows past those that the region needs may not be there: they count as padding, for outputs that nobody asked for. */
static void transform_run(const winograd_op *op, const edgecore_view *input, edgecore_region region, tile_run run, size_t at,
                          int16_t *to, void *scratch)
{
    const edgecore_window *w = &op->window;
    int32_t in_y0, in_y1;
    edgecore_window_rows(w, region.y0, region.y1, &in_y0, &in_y1);
    const int64_t x = (int64_t)run.x0 * TILE - w->pad_left, columns = (int64_t)(run.x1 - run.x0) * TILE + SIDE - TILE;
    const int64_t before = x < 0 ? (-x < columns ? -x : columns) : 0;
    const int64_t end = x + columns < w->in_w ? x + columns : w->in_w, inside = end - (x + before);
    edgecore_winograd_input args = {
        .zero = op->zero_pixel,
        .before = (size_t)before,
        .inside = (size_t)(inside > 0 ? inside : 0),
        .channels = op->in_channels,
        .first = at,
        .tiles = (size_t)(run.x1 - run.x0),
        .to = to,
        .scratch = scratch,
    };
    for (int32_t i = 0; i < SIDE; i++) {
        const int64_t y = (int64_t)run.y - w->pad_top + i;
        const bool there = y >= in_y0 && y < in_y1 && inside > 0;
        args.rows[i] = there ? edgecore_view_at(input, (int32_t)y, (int32_t)(x + before), 0) : op->zero_pixel;
        args.steps[i] = there ? input->pixel_stride : 0;
    }
    op->kernel->transform(&args);
}

/* Where a run of tiles goes. */
static void fill_outputs(const winograd_op *op, const edgecore_view *output, edgecore_region region, tile_run run,
                         edgecore_winograd_output *to)
{
    const int32_t rows = region.y1 - run.y;
    uint8_t *at = edgecore_view_at(output, run.y, run.x0 * TILE, 0);
    for (int32_t x = run.x0; x < run.x1; x++, at += TILE * output->pixel_stride) {
        const int32_t cols = op->window.out_w - x * TILE;
        *to++ = (edgecore_winograd_output){at, rows < TILE ? rows : TILE, cols < TILE ? cols : TILE};
    }
}

/* A block of output channels from c on, for the `count` tiles in scratch. */
static void run_block(const winograd_op *op, uint8_t *scratch, int32_t count, const edgecore_view *output, int32_t c)
{
    const scratch_layout layout = layout_of(op);
    const edgecore_winograd_output *out = (const edgecore_winograd_output *)(scratch + layout.out);
    const edgecore_winograd_kernel *kernel = op->kernel;
    const int32_t left = op->out_channels - c;
    edgecore_winograd_args args = {
        .channels = op->in_channels,
        .block = op->memory + (size_t)(c / kernel->cols) * op->block_bytes,
        .row_stride = output->row_stride,
        .pixel_stride = output->pixel_stride,
        .out_offset = (size_t)c,
        .cols = (size_t)(left < kernel->cols ? left : kernel->cols),
        .scratch = (int32_t *)(scratch + layout.sums),
    };
    const uint8_t *tiles = scratch;
    for (int32_t t = 0; t < count; t += kernel->tiles, tiles += kernel->tiles_bytes(op->in_channels)) {
        args.tiles = (const int16_t *)tiles;
        args.count = (size_t)(count - t < kernel->tiles ? count - t : kernel->tiles);
        args.out = out + t;
        kernel->run(&args);
    }
}

static void run(const edgecore_op *base, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const winograd_op *op = (const winograd_op *)base;
    const scratch_layout layout = layout_of(op);
    edgecore_winograd_output *out = (edgecore_winograd_output *)((uint8_t *)scratch + layout.out);
    void *columns = (uint8_t *)scratch + layout.columns;
    const int32_t most = op->strip_blocks * op->kernel->tiles;
    const int32_t total = ceil_divide(region.y1 - region.y0, TILE) * ceil_divide(op->window.out_w, TILE);
    for (int32_t first = 0, end; first < total; first = end) {
        end = total - first < most ? total : first + most;
        for (int32_t t = first; t < end;) {
            const tile_run tiles = next_run(op, region, t, end);
            transform_run(op, inputs, region, tiles, (size_t)(t - first), scratch, columns);
            fill_outputs(op, output, region, tiles, out + (t - first));
            t += tiles.x1 - tiles.x0;
        }
        for (int32_t c = region.c0; c < region.c1; c += op->kernel->cols)
            run_block(op, scratch, end - first, output, c);
    }
}

static void input_rows(const edgecore_op *base, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    (void)index;
    edgecore_window_rows(&((const winograd_op *)base)->window, y0, y1, in_y0, in_y1);
}

static void destroy(edgecore_op *base)
{
    winograd_op *op = (winograd_op *)base;
    if (op)
        free(op->memory);
    free(op);
}

/* Of operators that prepare made; which layers there are is CONV_2D's to check. */
static const edgecore_op_class winograd_class = {
    .name = "conv_2d",
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

edgecore_status edgecore_winograd_prepare(const edgecore_op_desc *desc, const edgecore_gemm_layer *layer,
                                          const edgecore_tier *tier, edgecore_op **result, edgecore_message *message)
{
    const int64_t per_channel = 9 * (int64_t)layer->in_channels;
    const edgecore_weight_layout layout = {layer->weights, layer->out_channels, per_channel, per_channel, 1, layer->float_scale_product};
    edgecore_channel_scales scales;
    if (!suits(layer, tier))
        return EDGECORE_UNSUPPORTED;
    const edgecore_status status = edgecore_make_channel_scales(desc, tier, &layout, &scales, message);
    if (status != EDGECORE_OK)
        return status;
    if (scales.flip_in || !is_exact(layer, &scales.requant, tier->storage)) {
        free(scales.memory);
        return EDGECORE_UNSUPPORTED;
    }
    const edgecore_winograd_kernel *kernel = tier->winograd;
    const size_t channels = (size_t)layer->in_channels, block_bytes = align_up(kernel->block_bytes(channels));
    const size_t packed_bytes = block_bytes * (size_t)ceil_divide(layer->out_channels, kernel->cols);
    const size_t zero_bytes = align_up(channels + EDGECORE_WINOGRAD_CHANNELS);
    winograd_op *op = calloc(1, sizeof *op);
    uint8_t *memory = aligned_alloc(ALIGNMENT, packed_bytes + zero_bytes);
    if (!op || !memory) {
        free(scales.memory);
        free(memory);
        free(op);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", packed_bytes);
    }
    const edgecore_window *w = &layer->window;
    *op = (winograd_op){
        .base = {
            .klass = &winograd_class,
            .weight_bytes = packed_bytes + zero_bytes,
            .macs = (int64_t)w->out_h * w->out_w * layer->out_channels * per_channel,
            .activation_inputs = 1,
            .channel_step = BLOCKS_PER_CUT * kernel->cols,
            .splits_rows = true,
            .row_step = TILE,
        },
        .kernel = kernel,
        .window = *w,
        .in_channels = channels,
        .out_channels = layer->out_channels,
        .block_bytes = block_bytes,
        .strip_blocks = strip_blocks(kernel, channels, ceil_divide(w->out_h, TILE) * ceil_divide(w->out_w, TILE)),
        .zero_pixel = memory + packed_bytes,
        .memory = memory,
    };
    op->base.scratch_bytes = layout_of(op).bytes;
    memset(op->zero_pixel, scales.zero, zero_bytes);
    pack_blocks(op, layer, &scales.requant);
    free(scales.memory);
    *result = &op->base;
    return EDGECORE_OK;
}
