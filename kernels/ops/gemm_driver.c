#include "ops/gemm_driver.h"

#include <stdlib.h>
#include <string.h>

#include "ops/pixel_tables.h"

enum {
    ALIGNMENT = 64,
    TABLE_BYTES = 16 << 10, /* of a chunk's pointers: half of a usual L1 cache */
    COPY_BYTES = 64 << 10,  /* of a chunk's copied kernel rows */
    CHUNK_MOST = 256,
    ROW_TAP_CHANNELS = 64,  /* up to which kernel rows are better taps than single pixels */
    ROW_COPY_COST = 10,     /* cycles to copy a kernel row of a few channels */
};

static size_t align_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* What a kernel multiplies for each pixel and channel: a layer's taps, each of k bytes. */
typedef struct layer_depth {
    size_t taps, k;
} layer_depth;

/* What `pixels` rows of one block cost. Tiles are evened out over the pixels; a kernel that takes all rows makes whole ones. */
static double block_cost(const edgecore_gemm_kernel *kernel, int64_t pixels, layer_depth depth)
{
    const size_t step = (size_t)kernel->k_step;
    const double groups = (double)(depth.taps * ((depth.k + step - 1) / step) * step / 4);
    const double fewest = 5.0 * groups, per_call = 30.0; /* latency of a multiply-accumulate; the call */
    const double tiles = (double)((pixels + kernel->rows - 1) / kernel->rows);
    if (kernel->takes_rows)
        return tiles * (kernel->group_cost * groups + kernel->tile_cost);
    const double filled = (double)pixels / tiles / kernel->rows, compute = kernel->group_cost * filled * groups;
    return tiles * ((compute > fewest ? compute : fewest) + kernel->tile_cost * filled + per_call);
}

/* The cheapest kernel for `cols` channels in blocks of its own. */
static const edgecore_gemm_kernel *cheapest(const edgecore_tier *tier, int32_t cols, int64_t pixels, layer_depth depth,
                                            double *cost)
{
    const edgecore_gemm_kernel *best = NULL;
    *cost = 0.0;
    for (int32_t i = 0; i < tier->gemm_count; i++) {
        const edgecore_gemm_kernel *kernel = tier->gemms[i];
        const double blocks = (cols + kernel->cols - 1) / kernel->cols;
        const double c = blocks * block_cost(kernel, pixels, depth);
        if (!best || c < *cost) {
            best = kernel;
            *cost = c;
        }
    }
    return best;
}

/* The kernel for all blocks but the last, whose channels may suit another; *least is what all cost. */
static const edgecore_gemm_kernel *choose_kernel(const edgecore_tier *tier, int32_t cols, int64_t pixels, layer_depth depth,
                                                 double *least)
{
    const edgecore_gemm_kernel *best = NULL;
    for (int32_t i = 0; i < tier->gemm_count; i++) {
        const edgecore_gemm_kernel *kernel = tier->gemms[i];
        double rest_cost = 0.0;
        if (cols % kernel->cols)
            cheapest(tier, cols % kernel->cols, pixels, depth, &rest_cost);
        const double cost = (cols / kernel->cols) * block_cost(kernel, pixels, depth) + rest_cost;
        if (!best || cost < *least) {
            best = kernel;
            *least = cost;
        }
    }
    return best;
}

/* Fills `blocks` (which may be NULL) and returns their number; *bytes is what their packed weights need. */
static int32_t plan_blocks(const edgecore_gemm_op *op, const edgecore_gemm_layer *layer, edgecore_gemm_block *blocks,
                           int32_t *step, size_t *bytes)
{
    const int32_t group_cols = layer->out_channels / layer->groups, group_k = layer->in_channels / layer->groups;
    const int64_t pixels = (int64_t)layer->window.out_h * layer->window.out_w;
    const layer_depth depth = {op->taps, op->k};
    double unused;
    const edgecore_gemm_kernel *widest = choose_kernel(op->tier, group_cols, pixels, depth, &unused);
    int32_t count = 0;
    *bytes = 0;
    for (int32_t g = 0; g < layer->groups; g++) {
        for (int32_t c = 0, cols; c < group_cols; c += cols, count++) {
            const int32_t left = group_cols - c;
            const edgecore_gemm_kernel *kernel =
                left >= widest->cols ? widest : cheapest(op->tier, left, pixels, depth, &unused);
            cols = left < kernel->cols ? left : kernel->cols;
            const int32_t first = g * group_cols + c;
            const size_t part = op->part_taps * op->k;
            const int8_t *weights = layer->weights + (size_t)first * (size_t)layer->parts * part;
            const size_t taps = op->part_taps * (size_t)edgecore_parts_needed(weights, cols, layer->parts, part);
            if (blocks)
                blocks[count] = (edgecore_gemm_block){kernel, NULL, first, cols, taps, (size_t)(g * group_k)};
            *bytes += align_up(kernel->block_bytes(taps, op->k));
        }
    }
    *step = layer->groups > 1 ? group_cols : widest->cols;
    return count;
}

/* How kernels see the taps. Weights of a kernel row lie the same way whether its pixels are one tap or several. */
static void plan_taps(edgecore_gemm_op *op, const edgecore_gemm_layer *layer)
{
    const edgecore_window *w = &layer->window;
    op->pixel_bytes = (size_t)layer->in_channels;
    op->by_rows = op->flip_in || (w->kernel_w > 1 && layer->in_channels <= ROW_TAP_CHANNELS && layer->groups == 1);
    op->k = op->pixel_bytes / (size_t)layer->groups;
    op->taps = (size_t)w->kernel_h * (size_t)w->kernel_w;
    if (op->by_rows && layer->groups == 1) {
        op->k *= (size_t)w->kernel_w;
        op->taps = (size_t)w->kernel_h;
        const int64_t pixels = (int64_t)w->out_h * w->out_w;
        const layer_depth rows = {op->taps, op->k}, patch = {1, op->taps * op->k};
        double by_rows, by_patches;
        choose_kernel(op->tier, layer->out_channels, pixels, rows, &by_rows);
        choose_kernel(op->tier, layer->out_channels, pixels, patch, &by_patches);
        op->patch = by_patches + (double)pixels * (double)op->taps * ROW_COPY_COST < by_rows;
        if (op->patch) {
            op->k = patch.k;
            op->taps = 1;
        }
    }
    op->part_taps = op->taps;
    op->taps *= (size_t)layer->parts;
}

double edgecore_gemm_cost(const edgecore_gemm_layer *layer, const edgecore_tier *tier)
{
    edgecore_gemm_op taps = {.tier = tier};
    plan_taps(&taps, layer);
    const int64_t pixels = (int64_t)layer->window.out_h * layer->window.out_w;
    const layer_depth depth = {taps.taps, taps.k};
    double padded;
    const edgecore_gemm_kernel *kernel = choose_kernel(tier, layer->out_channels / layer->groups, pixels, depth, &padded);
    return block_cost(kernel, pixels, depth) * layer->out_channels / kernel->cols;
}

/* Scratch is [tap pointers][output pointers][copied kernel rows]. */
static size_t table_bytes(const edgecore_gemm_op *op)
{
    return align_up(op->taps * (size_t)op->chunk * sizeof(void *));
}

static size_t output_table_bytes(const edgecore_gemm_op *op)
{
    return align_up((size_t)op->chunk * sizeof(void *));
}

static void plan_chunk(edgecore_gemm_op *op, int32_t tile_rows)
{
    const size_t copies = op->by_rows ? edgecore_copy_bytes(&op->window, op->pixel_bytes, op->patch) : 0;
    size_t chunk = TABLE_BYTES / (op->taps * sizeof(void *));
    if (copies && chunk > COPY_BYTES / copies)
        chunk = COPY_BYTES / copies;
    if (chunk > CHUNK_MOST)
        chunk = CHUNK_MOST;
    if (chunk < (size_t)tile_rows)
        chunk = (size_t)tile_rows;
    op->chunk = (int32_t)chunk / tile_rows * tile_rows;
    op->driver_scratch = table_bytes(op) + output_table_bytes(op) + align_up((size_t)op->chunk * copies);
    op->base.scratch_bytes = op->driver_scratch;
}

/* `few` has room for the weights of a block that leaves parts out. */
static void pack_blocks(edgecore_gemm_op *op, const edgecore_gemm_layer *layer, const edgecore_requant *requant,
                        uint8_t *memory, int8_t *few)
{
    const size_t per_channel = op->taps * op->k;
    for (int32_t b = 0; b < op->block_count; b++) {
        edgecore_gemm_block *block = &op->blocks[b];
        const int8_t *weights = layer->weights + (size_t)block->first * per_channel;
        const size_t kept = block->taps * op->k;
        for (size_t c = 0; kept < per_channel && c < (size_t)block->cols; c++)
            memcpy(few + c * kept, weights + c * per_channel, kept);
        edgecore_columns columns = {
            .weights = kept < per_channel ? few : weights,
            .cols = (size_t)block->cols,
            .taps = block->taps,
            .k = op->k,
            .requant = *requant,
        };
        columns.requant.bias += block->first;
        columns.requant.multiplier += block->first;
        columns.requant.shift += block->first;
        block->kernel->pack(memory, &columns);
        block->packed = memory;
        memory += align_up(block->kernel->block_bytes(block->taps, op->k));
    }
}

/* Whether packed weights, padded to the largest block and step, can be addressed: 32 bits are soon used up by layers of many
 * channels with little K. */
static bool weights_fit(const edgecore_gemm_layer *layer)
{
    const uint64_t group_cols = (uint64_t)(layer->out_channels / layer->groups);
    const uint64_t group_k = (uint64_t)(layer->in_channels / layer->groups);
    const uint64_t cols = (uint64_t)layer->groups * ((group_cols + 63) / 64 * 64);
    const uint64_t taps = (uint64_t)layer->parts * (uint64_t)layer->window.kernel_h * (uint64_t)layer->window.kernel_w;
    const uint64_t depth = taps * ((group_k + 15) / 16 * 16);
    return depth <= SIZE_MAX / 8 / cols;
}

edgecore_status edgecore_gemm_prepare(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                      const edgecore_gemm_layer *layer, const edgecore_tier *tier, edgecore_op **result,
                                      edgecore_message *message)
{
    const edgecore_window *w = &layer->window;
    const int64_t per_channel = (int64_t)w->kernel_h * w->kernel_w * (layer->in_channels / layer->groups);
    const int64_t stored = layer->parts * per_channel;
    const edgecore_weight_layout layout = {layer->weights, layer->out_channels, stored, stored, 1, layer->float_scale_product};
    edgecore_channel_scales scales;
    if (!weights_fit(layer))
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "the packed weights would take more than this machine can address");
    edgecore_status status = edgecore_make_channel_scales(desc, tier, &layout, &scales, message);
    if (status != EDGECORE_OK)
        return status;
    edgecore_gemm_op *op = calloc(1, sizeof *op);
    if (!op) {
        free(scales.memory);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for an operator");
    }
    op->tier = tier;
    op->window = *w;
    op->zero = scales.zero;
    op->flip_in = scales.flip_in;
    plan_taps(op, layer);
    size_t packed_bytes;
    int32_t step;
    op->block_count = plan_blocks(op, layer, NULL, &step, &packed_bytes);
    const size_t zero_bytes = align_up(op->pixel_bytes * (size_t)w->kernel_w + EDGECORE_SLACK);
    const size_t block_table = align_up((size_t)op->block_count * sizeof *op->blocks);
    op->memory = aligned_alloc(ALIGNMENT, packed_bytes + zero_bytes + block_table);
    int8_t *few = malloc(layer->parts > 1 ? (size_t)layer->out_channels * op->taps * op->k : 1);
    if (!op->memory || !few) {
        free(few);
        free(op->memory);
        free(scales.memory);
        free(op);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", packed_bytes);
    }
    op->zero_row = (uint8_t *)op->memory + packed_bytes;
    memset(op->zero_row, op->zero, zero_bytes);
    op->blocks = (edgecore_gemm_block *)(op->zero_row + zero_bytes);
    plan_blocks(op, layer, op->blocks, &step, &packed_bytes);
    pack_blocks(op, layer, &scales.requant, op->memory, few);
    free(few);
    free(scales.memory);
    plan_chunk(op, op->blocks[0].kernel->rows);
    op->base.klass = klass;
    op->base.weight_bytes = packed_bytes + zero_bytes + block_table;
    op->base.macs = (int64_t)w->out_h * w->out_w * layer->out_channels * per_channel;
    op->base.activation_inputs = 1;
    op->base.channel_step = step;
    op->base.splits_rows = true;
    *result = &op->base;
    return EDGECORE_OK;
}

void edgecore_gemm_destroy(edgecore_op *base)
{
    edgecore_gemm_op *op = (edgecore_gemm_op *)base;
    if (op)
        free(op->memory);
    free(op);
}

static void point_at_taps(const edgecore_gemm_op *op, const edgecore_view *input, edgecore_pixels pixels,
                          const uint8_t **table, uint8_t *copies)
{
    const size_t pitch = (size_t)op->chunk, height = (size_t)op->window.kernel_h, width = (size_t)op->window.kernel_w;
    if (!op->by_rows) {
        edgecore_tap_pointers(&op->window, input, pixels, op->zero_row, table, pitch);
        return;
    }
    const edgecore_row_taps rows = {op->pixel_bytes, op->zero, op->flip_in, op->patch, op->zero_row, copies};
    edgecore_row_pointers(&op->window, input, pixels, &rows, table, pitch);
    if (op->patch || op->part_taps == height)
        return;
    /* groups read single pixels: from the last kernel row back, each becomes kernel_w taps */
    for (size_t t = op->part_taps; t-- > 0;)
        for (size_t i = 0; i < (size_t)pixels.count; i++)
            table[t * pitch + i] = table[t / width * pitch + i] + t % width * op->pixel_bytes;
}

static void fill_table(const edgecore_gemm_op *op, const edgecore_view *input, edgecore_pixels pixels,
                       const uint8_t **table, uint8_t *copies)
{
    point_at_taps(op, input, pixels, table, copies);
    const size_t pitch = (size_t)op->chunk;
    for (size_t t = op->part_taps; t < op->taps; t += op->part_taps)
        memcpy(table + t * pitch, table, op->part_taps * pitch * sizeof *table);
}

static void run_block(const edgecore_gemm_op *op, const edgecore_gemm_block *block, int32_t count,
                      const uint8_t *const *table, uint8_t *const *out)
{
    const int32_t most = block->kernel->takes_rows ? count : block->kernel->rows, tiles = (count + most - 1) / most;
    const int32_t rows = count / tiles, longer = count % tiles;
    edgecore_gemm_args args = {
        .row_pitch = (size_t)op->chunk,
        .a_offset = block->a_offset,
        .taps = block->taps,
        .k = op->k,
        .block = block->packed,
        .out_offset = (size_t)block->first,
        .cols = (size_t)block->cols,
    };
    for (int32_t tile = 0, first = 0, run; tile < tiles; tile += run) {
        const int32_t alike = tile < longer ? longer - tile : tiles - tile;
        run = block->kernel->takes_tiles ? alike : 1;
        args.rows = (size_t)(rows + (tile < longer));
        args.tiles = (size_t)run;
        args.a = table + first;
        args.out = out + first;
        block->kernel->run(&args);
        first += (int32_t)args.rows * run;
    }
}

void edgecore_gemm_run(const edgecore_op *base, const edgecore_view *inputs, const edgecore_view *output,
                       edgecore_region region, void *scratch)
{
    const edgecore_gemm_op *op = (const edgecore_gemm_op *)base;
    const uint8_t **table = scratch;
    uint8_t **out = (uint8_t **)((uint8_t *)scratch + table_bytes(op));
    uint8_t *copies = (uint8_t *)out + output_table_bytes(op);
    const int64_t total = (int64_t)(region.y1 - region.y0) * op->window.out_w;
    for (int64_t first = 0; first < total; first += op->chunk) {
        const int64_t left = total - first;
        const edgecore_pixels pixels = {region.y0, first, left < op->chunk ? (int32_t)left : op->chunk};
        fill_table(op, inputs, pixels, table, copies);
        edgecore_output_pointers(output, pixels, out);
        for (int32_t b = 0; b < op->block_count; b++)
            if (op->blocks[b].first >= region.c0 && op->blocks[b].first < region.c1)
                run_block(op, &op->blocks[b], pixels.count, table, out);
    }
}

void edgecore_gemm_input_rows(const edgecore_op *base, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                              int32_t *in_y1)
{
    (void)index;
    edgecore_window_rows(&((const edgecore_gemm_op *)base)->window, y0, y1, in_y0, in_y1);
}
