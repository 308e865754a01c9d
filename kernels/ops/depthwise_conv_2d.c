/* DEPTHWISE_CONV_2D: 1HWO weights, any kernel, stride, dilation and padding.
 *
 * The tier's kernel multiplies channel by channel. With a depth multiplier above 1, patches are copied to scratch with every
 * input channel repeated, and it need not know. */
#include <stdlib.h>
#include <string.h>

#include "ops/patches.h"
#include "ops/view.h"
#include "ops/weights.h"

extern const edgecore_op_class edgecore_depthwise_conv_2d_class;

enum { ALIGNMENT = 64, TABLE_BYTES = 16 << 10, PATCH_BYTES = 64 << 10, CHUNK_MOST = 256 };

typedef struct depthwise_op {
    edgecore_op base;
    const edgecore_depthwise_kernel *kernel;
    edgecore_window window;
    int32_t channels, multiplier; /* of the output; outputs per input channel */
    size_t taps, padded_taps;     /* the kernel's tap_step */
    size_t block_bytes;
    uint8_t *blocks;              /* one for every kernel->cols channels */
    uint8_t *zero_row;
    size_t patch_bytes;           /* of a copied tap; 0: the kernel reads the input itself */
    int32_t chunk;
    uint8_t zero, flip_in;
} depthwise_op;

static size_t align_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_weighted(desc, 4, 3, true, message);
    if (status != EDGECORE_OK)
        return status;
    const int32_t *dims = desc->inputs[1]->dims;
    int32_t height, width, in_channels, out_channels;
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &in_channels);
    edgecore_tensor_hwc(desc->output, &height, &width, &out_channels);
    if (dims[0] != 1 || dims[3] != out_channels)
        return edgecore_fail(message, EDGECORE_INVALID, "weights of %dx%dx%dx%d for %d output channels", dims[0], dims[1],
                             dims[2], dims[3], out_channels);
    if (out_channels % in_channels != 0)
        return edgecore_fail(message, EDGECORE_INVALID, "%d output channels are no multiple of %d input channels",
                             out_channels, in_channels);
    return edgecore_check_window(desc, message);
}

/* Scratch is [tap pointers][output pointers][patches]. */
static size_t table_bytes(const depthwise_op *op)
{
    return align_up(op->padded_taps * (size_t)op->chunk * sizeof(void *));
}

static size_t output_table_bytes(const depthwise_op *op)
{
    return align_up((size_t)op->chunk * sizeof(void *));
}

static void plan_chunk(depthwise_op *op)
{
    size_t chunk = TABLE_BYTES / (op->padded_taps * sizeof(void *));
    if (op->multiplier > 1 || op->flip_in) {
        op->patch_bytes = align_up((size_t)op->channels + EDGECORE_SLACK);
        const size_t patches = PATCH_BYTES / (op->taps * op->patch_bytes);
        chunk = chunk < patches ? chunk : patches;
    }
    op->chunk = (int32_t)(chunk < 1 ? 1 : chunk > CHUNK_MOST ? CHUNK_MOST : chunk);
    op->base.scratch_bytes = table_bytes(op) + output_table_bytes(op) +
                             (size_t)op->chunk * op->taps * op->patch_bytes;
}

static void pack_blocks(depthwise_op *op, const int8_t *weights, const edgecore_requant *requant)
{
    const edgecore_depthwise_kernel *kernel = op->kernel;
    uint8_t *to = op->blocks;
    for (int32_t c = 0; c < op->channels; c += kernel->cols, to += op->block_bytes) {
        const int32_t left = op->channels - c;
        edgecore_columns columns = {
            .weights = weights + c,
            .weight_stride = (size_t)op->channels,
            .cols = (size_t)(left < kernel->cols ? left : kernel->cols),
            .taps = op->taps,
            .k = 1,
            .requant = *requant,
        };
        columns.requant.bias += c;
        columns.requant.multiplier += c;
        columns.requant.shift += c;
        kernel->pack(to, &columns);
    }
}

static const edgecore_depthwise_kernel *cheapest(const edgecore_tier *tier, int32_t channels)
{
    const edgecore_depthwise_kernel *best = NULL;
    float least = 0.0f;
    for (int32_t i = 0; i < tier->depthwise_count; i++) {
        const edgecore_depthwise_kernel *kernel = tier->depthwises[i];
        const float cost = kernel->cost * (float)((channels + kernel->cols - 1) / kernel->cols);
        if (!best || cost < least) {
            best = kernel;
            least = cost;
        }
    }
    return best;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **result,
                               edgecore_message *message)
{
    const edgecore_window w = edgecore_window_of(desc);
    int32_t height, width, in_channels, channels;
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &in_channels);
    edgecore_tensor_hwc(desc->output, &height, &width, &channels);
    const edgecore_depthwise_kernel *kernel = cheapest(tier, channels);
    const int64_t taps = (int64_t)w.kernel_h * w.kernel_w;
    const edgecore_weight_layout layout = {channels, taps, 1, channels, false};
    edgecore_channel_scales scales;
    edgecore_status status = edgecore_make_channel_scales(desc, tier, &layout, &scales, message);
    if (status != EDGECORE_OK)
        return status;
    const size_t steps = ((size_t)taps + (size_t)kernel->tap_step - 1) / (size_t)kernel->tap_step;
    const size_t blocks = ((size_t)channels + (size_t)kernel->cols - 1) / (size_t)kernel->cols;
    const size_t block_bytes = align_up(kernel->block_bytes((size_t)taps));
    const size_t zero_bytes = align_up((size_t)channels + EDGECORE_SLACK);
    depthwise_op *op = calloc(1, sizeof *op);
    uint8_t *memory = aligned_alloc(ALIGNMENT, blocks * block_bytes + zero_bytes);
    if (!op || !memory) {
        free(op);
        free(memory);
        free(scales.memory);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", blocks * block_bytes);
    }
    op->kernel = kernel;
    op->window = w;
    op->channels = channels;
    op->multiplier = channels / in_channels;
    op->taps = (size_t)taps;
    op->padded_taps = steps * (size_t)kernel->tap_step;
    op->block_bytes = block_bytes;
    op->blocks = memory;
    op->zero_row = memory + blocks * block_bytes;
    op->zero = scales.zero;
    op->flip_in = scales.flip_in;
    memset(op->zero_row, op->zero, zero_bytes);
    pack_blocks(op, desc->inputs[1]->data, &scales.requant);
    free(scales.memory);
    plan_chunk(op);
    op->base.klass = &edgecore_depthwise_conv_2d_class;
    op->base.weight_bytes = blocks * block_bytes + zero_bytes;
    op->base.macs = (int64_t)w.out_h * w.out_w * channels * taps;
    op->base.activation_inputs = 1;
    op->base.channel_step = kernel->cols;
    op->base.splits_rows = true;
    *result = &op->base;
    return EDGECORE_OK;
}

static void destroy(edgecore_op *base)
{
    depthwise_op *op = (depthwise_op *)base;
    if (op)
        free(op->blocks);
    free(op);
}

/* Repeats and flips the pixels that the table points at; the table then points at the copies. */
static void copy_taps(const depthwise_op *op, int32_t count, const uint8_t **table, uint8_t *patches)
{
    const int32_t inputs = op->channels / op->multiplier;
    for (size_t t = 0; t < op->taps; t++)
        for (int32_t i = 0; i < count; i++, patches += op->patch_bytes) {
            const uint8_t **at = &table[t * (size_t)op->chunk + (size_t)i];
            if (*at == op->zero_row)
                continue;
            for (int32_t c = 0, to = 0; c < inputs; c++)
                for (int32_t m = 0; m < op->multiplier; m++)
                    patches[to++] = (*at)[c] ^ op->flip_in;
            *at = patches;
        }
}

static void run(const edgecore_op *base, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const depthwise_op *op = (const depthwise_op *)base;
    const edgecore_depthwise_kernel *kernel = op->kernel;
    const uint8_t **table = scratch;
    uint8_t **out = (uint8_t **)((uint8_t *)scratch + table_bytes(op));
    uint8_t *patches = (uint8_t *)out + output_table_bytes(op);
    const int64_t total = (int64_t)(region.y1 - region.y0) * op->window.out_w;
    for (size_t i = op->taps * (size_t)op->chunk; i < op->padded_taps * (size_t)op->chunk; i++)
        table[i] = op->zero_row;
    for (int64_t first = 0; first < total; first += op->chunk) {
        const int64_t left = total - first;
        const edgecore_pixels pixels = {region.y0, first, left < op->chunk ? (int32_t)left : op->chunk};
        edgecore_tap_pointers(&op->window, inputs, pixels, op->zero_row, table, (size_t)op->chunk);
        edgecore_output_pointers(output, pixels, out);
        if (op->patch_bytes)
            copy_taps(op, pixels.count, table, patches);
        for (int32_t c = region.c0 / kernel->cols * kernel->cols; c < region.c1; c += kernel->cols) {
            const int32_t rest = op->channels - c;
            const edgecore_depthwise_args args = {
                .a = table,
                .row_pitch = (size_t)op->chunk,
                .rows = (size_t)pixels.count,
                .taps = op->taps,
                .block = op->blocks + (size_t)(c / kernel->cols) * op->block_bytes,
                .out = out,
                .offset = (size_t)c,
                .cols = (size_t)(rest < kernel->cols ? rest : kernel->cols),
            };
            kernel->run(&args);
        }
    }
}

static void input_rows(const edgecore_op *base, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    (void)index;
    edgecore_window_rows(&((const depthwise_op *)base)->window, y0, y1, in_y0, in_y1);
}

const edgecore_op_class edgecore_depthwise_conv_2d_class = {
    .name = "depthwise_conv_2d",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};
