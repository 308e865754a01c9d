/* DEPTHWISE_CONV_2D: 1HWO weights, int8 or uint8, any kernel, stride, dilation and padding.
 *
 * Rows are computed in stretches of pixels from a table of input columns. The tier's kernel multiplies channel by channel; with
 * a depth multiplier above 1 the columns are copied to scratch with every input channel repeated, and it need not know. */
#include <stdlib.h>
#include <string.h>

#include "ops/view.h"
#include "ops/weights.h"

extern const edgecore_op_class edgecore_depthwise_conv_2d_class;

enum { ALIGNMENT = 64, TABLE_BYTES = 16 << 10, COLUMN_BYTES = 16 << 10, COPY_BYTES = 64 << 10, STRETCH_MOST = 256 };

typedef struct depthwise_op {
    edgecore_op base;
    const edgecore_depthwise_kernel *kernel;
    edgecore_window window;
    int32_t channels, multiplier;  /* of the output; outputs per input channel */
    size_t rows_h;                 /* the kernel's rows, once for each part of the weights */
    size_t padded_h;               /* rows_h in steps of kernel->row_step */
    size_t block_bytes;
    uint8_t *blocks;               /* one for every kernel->cols channels */
    uint8_t *zero_row;
    int32_t stretch;               /* pixels at once */
    bool shared;                   /* columns are those of the input; else every pixel has columns of its own */
    size_t table_bytes, column_bytes, copy_bytes; /* of scratch; copy_bytes: of one copied pixel, 0 for none */
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

static int64_t column_count(const depthwise_op *op, int64_t pixels)
{
    const edgecore_window *w = &op->window;
    return op->shared ? (pixels - 1) * w->stride_w + (int64_t)(w->kernel_w - 1) * w->dilation_w + 1 : pixels * w->kernel_w;
}

/* Whether a stretch's tables stay within what caches hold. */
static bool fits(const depthwise_op *op, int64_t pixels)
{
    const int64_t columns = column_count(op, pixels);
    if (columns > TABLE_BYTES)
        return false;
    const uint64_t pointers = (uint64_t)columns * op->padded_h; /* copies of many channels may take more than 32 bits count */
    return pointers * sizeof(void *) <= TABLE_BYTES && pointers * op->copy_bytes <= COPY_BYTES &&
           op->kernel->scratch_bytes((size_t)columns, op->rows_h) <= COLUMN_BYTES;
}

/* Scratch is [rows of a stretch][columns' pointers][the kernel's own][copies]. */
static void plan_stretch(depthwise_op *op)
{
    const edgecore_window *w = &op->window;
    if (op->multiplier > 1 || op->flip_in)
        op->copy_bytes = align_up((size_t)op->channels + EDGECORE_SLACK);
    op->shared = true;
    op->shared = column_count(op, w->out_w) <= (int64_t)w->out_w * w->kernel_w;
    int32_t most = w->out_w < STRETCH_MOST ? w->out_w : STRETCH_MOST;
    while (most > 1 && !fits(op, most))
        most--;
    if (!fits(op, most))
        op->shared = false;
    const int32_t stretches = (w->out_w + most - 1) / most;
    op->stretch = (w->out_w + stretches - 1) / stretches;
    const size_t columns = (size_t)column_count(op, op->stretch), pointers = columns * op->padded_h;
    op->table_bytes = align_up((op->padded_h + pointers) * sizeof(void *));
    op->column_bytes = align_up(op->kernel->scratch_bytes(columns, op->rows_h));
    op->base.scratch_bytes = op->table_bytes + op->column_bytes + pointers * op->copy_bytes;
}

static void pack_blocks(depthwise_op *op, const int8_t *weights, const edgecore_requant *requant)
{
    const edgecore_depthwise_kernel *kernel = op->kernel;
    uint8_t *to = op->blocks;
    for (int32_t c = 0; c < op->channels; c += kernel->cols, to += op->block_bytes) {
        const int32_t left = op->channels - c;
        edgecore_columns columns = {
            .weights = weights + c,
            .cols = (size_t)(left < kernel->cols ? left : kernel->cols),
            .kernel_h = op->rows_h,
            .kernel_w = (size_t)op->window.kernel_w,
            .weight_stride = (size_t)op->channels,
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
    edgecore_int8_weights weights;
    edgecore_channel_scales scales;
    edgecore_status status = edgecore_make_int8_weights(desc->inputs[1], 1, &weights, message);
    if (status != EDGECORE_OK)
        return status;
    /* The reference computes the one scale of uint8 weights in float, those of int8 weights in double. */
    const edgecore_weight_layout layout = {weights.data, channels, weights.parts * taps, 1, channels,
                                           desc->inputs[1]->dtype == EDGECORE_UINT8};
    status = edgecore_make_channel_scales(desc, tier, &layout, &scales, message);
    if (status != EDGECORE_OK) {
        free(weights.memory);
        return status;
    }
    const size_t rows_h = (size_t)weights.parts * (size_t)w.kernel_h;
    const size_t row_steps = (rows_h + (size_t)kernel->row_step - 1) / (size_t)kernel->row_step;
    const size_t blocks = ((size_t)channels + (size_t)kernel->cols - 1) / (size_t)kernel->cols;
    const size_t block_bytes = align_up(kernel->block_bytes(rows_h, (size_t)w.kernel_w));
    const size_t zero_bytes = align_up((size_t)channels + EDGECORE_SLACK);
    depthwise_op *op = calloc(1, sizeof *op);
    uint8_t *memory = aligned_alloc(ALIGNMENT, blocks * block_bytes + zero_bytes);
    if (!op || !memory) {
        free(op);
        free(memory);
        free(scales.memory);
        free(weights.memory);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", blocks * block_bytes);
    }
    op->kernel = kernel;
    op->window = w;
    op->channels = channels;
    op->multiplier = channels / in_channels;
    op->rows_h = rows_h;
    op->padded_h = row_steps * (size_t)kernel->row_step;
    op->block_bytes = block_bytes;
    op->blocks = memory;
    op->zero_row = memory + blocks * block_bytes;
    op->zero = scales.zero;
    op->flip_in = scales.flip_in;
    memset(op->zero_row, op->zero, zero_bytes);
    pack_blocks(op, weights.data, &scales.requant);
    free(scales.memory);
    free(weights.memory);
    plan_stretch(op);
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

enum { ROWS_AT_ONCE = 4 };

/* Pointers of `count` columns that follow each other in the input, from column ix on, below `n` kernel rows, 1 or ROWS_AT_ONCE, of
 * which any may be NULL. */
static inline void fill_shared(const depthwise_op *op, const uint8_t *const *rows, const size_t n, ptrdiff_t pixel_stride,
                               int64_t ix, int64_t count, const uint8_t **table)
{
    const int64_t in_w = op->window.in_w;
    const int64_t left = ix < 0 ? (-ix < count ? -ix : count) : 0;
    const int64_t end = in_w - ix < count ? in_w - ix : count, right = end > left ? end : left;
    const uint8_t *from[ROWS_AT_ONCE];
    ptrdiff_t steps[ROWS_AT_ONCE];
    for (size_t r = 0; r < n; r++) {
        from[r] = rows[r] ? rows[r] + (left < right ? (ix + left) * pixel_stride : 0) : op->zero_row;
        steps[r] = rows[r] ? pixel_stride : 0;
    }
    int64_t i = 0;
    for (; i < left; i++, table += op->padded_h)
        for (size_t r = 0; r < n; r++)
            table[r] = op->zero_row;
    for (; i < right; i++, table += op->padded_h)
        for (size_t r = 0; r < n; r++) {
            table[r] = from[r];
            from[r] += steps[r];
        }
    for (; i < count; i++, table += op->padded_h)
        for (size_t r = 0; r < n; r++)
            table[r] = op->zero_row;
}

/* Pointers of `count` columns, those of output pixel x on; rows[ky] is the input's row under kernel row ky, or NULL. */
static void fill_columns(const depthwise_op *op, const uint8_t *const *rows, ptrdiff_t pixel_stride, int32_t x,
                         size_t count, const uint8_t **table)
{
    const edgecore_window *w = &op->window;
    const int64_t first = (int64_t)x * w->stride_w - w->pad_left;
    if (op->shared) {
        size_t ky = 0;
        for (; ky + ROWS_AT_ONCE <= op->padded_h; ky += ROWS_AT_ONCE)
            fill_shared(op, rows + ky, ROWS_AT_ONCE, pixel_stride, first, (int64_t)count, table + ky);
        for (; ky < op->padded_h; ky++)
            fill_shared(op, rows + ky, 1, pixel_stride, first, (int64_t)count, table + ky);
        return;
    }
    for (size_t i = 0; i < count; i++, table += op->padded_h) {
        const int64_t pixel = (int64_t)(i / (size_t)w->kernel_w), tap = (int64_t)(i % (size_t)w->kernel_w);
        const int64_t ix = first + pixel * w->stride_w + tap * w->dilation_w;
        const bool inside = ix >= 0 && ix < w->in_w;
        for (size_t ky = 0; ky < op->padded_h; ky++)
            table[ky] = inside && rows[ky] ? rows[ky] + ix * pixel_stride : op->zero_row;
    }
}

/* Repeats and flips the pixels that the table points at; the table then points at the copies. */
static void copy_columns(const depthwise_op *op, size_t count, const uint8_t **table, uint8_t *copies)
{
    const int32_t inputs = op->channels / op->multiplier;
    for (size_t i = 0; i < count * op->padded_h; i++, copies += op->copy_bytes) {
        if (table[i] == op->zero_row)
            continue;
        for (int32_t c = 0, to = 0; c < inputs; c++)
            for (int32_t m = 0; m < op->multiplier; m++)
                copies[to++] = table[i][c] ^ op->flip_in;
        table[i] = copies;
    }
}

static void run(const edgecore_op *base, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const depthwise_op *op = (const depthwise_op *)base;
    const edgecore_depthwise_kernel *kernel = op->kernel;
    const edgecore_window *w = &op->window;
    const uint8_t **rows = scratch, **table = rows + op->padded_h;
    uint8_t *own = (uint8_t *)scratch + op->table_bytes, *copies = own + op->column_bytes;
    edgecore_depthwise_args args = {
        .a = table,
        .pixel_step = (size_t)(op->shared ? w->stride_w : w->kernel_w),
        .tap_step = (size_t)(op->shared ? w->dilation_w : 1),
        .kernel_h = op->rows_h,
        .kernel_w = (size_t)w->kernel_w,
        .out_stride = output->pixel_stride,
        .scratch = own,
    };
    for (int32_t y = region.y0; y < region.y1; y++) {
        const size_t kernel_h = (size_t)w->kernel_h;
        for (size_t ky = 0; ky < kernel_h; ky++) {
            const int64_t iy = (int64_t)y * w->stride_h - w->pad_top + (int64_t)ky * w->dilation_h;
            rows[ky] = iy >= 0 && iy < w->in_h ? edgecore_view_at(inputs, (int32_t)iy, 0, 0) : NULL;
        }
        for (size_t ky = kernel_h; ky < op->padded_h; ky++)
            rows[ky] = ky < op->rows_h ? rows[ky - kernel_h] : NULL;
        for (int32_t x = 0; x < w->out_w; x += op->stretch) {
            args.pixels = (size_t)(w->out_w - x < op->stretch ? w->out_w - x : op->stretch);
            args.columns = (size_t)column_count(op, (int64_t)args.pixels);
            args.out = edgecore_view_at(output, y, x, 0);
            fill_columns(op, rows, inputs->pixel_stride, x, args.columns, table);
            if (op->copy_bytes)
                copy_columns(op, args.columns, table, copies);
            for (int32_t c = region.c0 / kernel->cols * kernel->cols; c < region.c1; c += kernel->cols) {
                const int32_t rest = op->channels - c;
                args.block = op->blocks + (size_t)(c / kernel->cols) * op->block_bytes;
                args.offset = (size_t)c;
                args.cols = (size_t)(rest < kernel->cols ? rest : kernel->cols);
                kernel->run(&args);
            }
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
