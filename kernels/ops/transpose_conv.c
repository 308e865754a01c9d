/* TRANSPOSE_CONV: OHWI weights, per channel or per tensor, any kernel and stride.
 *
 * Output rows that are congruent modulo the stride read the same rows of the kernel, and so do columns. Each such phase is a
 * convolution of stride 1 with its taps in reverse, of which the output is every stride-th row and column of the whole. */
#include <stdlib.h>
#include <string.h>

#include "ops/gemm_driver.h"
#include "ops/view.h"

enum { MOST_STRIDE = 16 };

extern const edgecore_op_class edgecore_transpose_conv_class;

/* Along one axis, of the output pixels first, first + stride, ...: taps `tap`, tap + stride, ... of the kernel. */
typedef struct phase_axis {
    int32_t first, count;
    int32_t tap, taps;
    int32_t pad; /* of the convolution; may be negative */
} phase_axis;

typedef struct phase {
    edgecore_op *conv;
    phase_axis rows, columns;
} phase;

typedef struct transpose_conv {
    edgecore_op base;
    int32_t stride_h, stride_w;
    int32_t in_h;
    int32_t count;
    phase phases[];
} transpose_conv;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_weighted(desc, 4, 0, true, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_op_params *p = desc->params;
    const edgecore_window w = edgecore_window_of(desc);
    const int32_t *dims = desc->inputs[1]->dims;
    int32_t height, width, in_channels, out_channels;
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &in_channels);
    edgecore_tensor_hwc(desc->output, &height, &width, &out_channels);
    if (dims[0] != out_channels || dims[3] != in_channels)
        return edgecore_fail(message, EDGECORE_INVALID, "%d filters of depth %d for %d input and %d output channels", dims[0],
                             dims[3], in_channels, out_channels);
    if ((int64_t)w.kernel_h * w.kernel_w > EDGECORE_MAX_TAPS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a kernel of %dx%d", w.kernel_h, w.kernel_w);
    if (w.stride_h < 1 || w.stride_h > MOST_STRIDE || w.stride_w < 1 || w.stride_w > MOST_STRIDE)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a stride of %dx%d", w.stride_h, w.stride_w);
    if (w.pad_top < 0 || w.pad_top >= w.kernel_h || w.pad_left < 0 || w.pad_left >= w.kernel_w)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a padding of %d and %d", w.pad_top, w.pad_left);
    if ((unsigned)p->activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)p->activation);
    return EDGECORE_OK;
}

/* Output pixel o reads input pixel (o + pad - k) / stride through tap k, where that is a whole number. */
static phase_axis phase_of(int32_t tap, int32_t out, int32_t kernel, int32_t stride, int32_t pad)
{
    phase_axis axis = {.tap = tap};
    axis.first = tap >= pad ? tap - pad : (stride - (pad - tap) % stride) % stride;
    axis.count = axis.first < out ? (out - axis.first - 1) / stride + 1 : 0;
    axis.taps = tap < kernel ? (kernel - tap - 1) / stride + 1 : 0;
    axis.pad = (axis.taps ? axis.taps - 1 : 0) - (axis.first + pad - tap) / stride;
    return axis;
}

/* The phase's part of the kernel, in reverse: [out][parts][rows][columns][in]. A phase without taps has one of zeros. */
static void copy_taps(const phase *p, const edgecore_window *whole, const edgecore_int8_weights *weights, int32_t filters,
                      size_t depth, int8_t *to)
{
    const int8_t *from = weights->data;
    const size_t kernel_bytes = (size_t)whole->kernel_h * (size_t)whole->kernel_w * depth;
    const int32_t rows = p->rows.taps ? p->rows.taps : 1, columns = p->columns.taps ? p->columns.taps : 1;
    const bool empty = !p->rows.taps || !p->columns.taps;
    for (int32_t f = 0; f < filters * weights->parts; f++, from += kernel_bytes)
        for (int32_t y = rows - 1; y >= 0; y--)
            for (int32_t x = columns - 1; x >= 0; x--, to += depth) {
                const int32_t ky = p->rows.tap + y * whole->stride_h, kx = p->columns.tap + x * whole->stride_w;
                if (empty)
                    memset(to, 0, depth);
                else
                    memcpy(to, from + (size_t)(ky * whole->kernel_w + kx) * depth, depth);
            }
}

static edgecore_status prepare_phase(const edgecore_op_desc *desc, const edgecore_tier *tier,
                                     const edgecore_int8_weights *weights, phase *p, edgecore_message *message)
{
    const edgecore_window whole = edgecore_window_of(desc);
    const int32_t rows = p->rows.taps ? p->rows.taps : 1, columns = p->columns.taps ? p->columns.taps : 1;
    edgecore_tensor part = *desc->inputs[1];
    const size_t depth = (size_t)part.dims[3];
    const size_t bytes = (size_t)part.dims[0] * (size_t)weights->parts * (size_t)rows * (size_t)columns * depth;
    int8_t *taps = malloc(bytes);
    if (!taps)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", bytes);
    copy_taps(p, &whole, weights, part.dims[0], depth, taps);
    const edgecore_gemm_layer layer = {
        .window = {.in_h = whole.in_h, .in_w = whole.in_w, .out_h = p->rows.count, .out_w = p->columns.count,
                   .kernel_h = rows, .kernel_w = columns, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1,
                   .pad_top = p->rows.pad, .pad_left = p->columns.pad},
        .in_channels = part.dims[3],
        .out_channels = part.dims[0],
        .groups = 1,
        .parts = weights->parts,
        .weights = taps,
        .float_scale_product = part.dtype == EDGECORE_UINT8,
    };
    const edgecore_status status =
        edgecore_gemm_prepare(&edgecore_transpose_conv_class, desc, &layer, tier, &p->conv, message);
    free(taps);
    return status;
}

static void destroy(edgecore_op *op)
{
    transpose_conv *self = (transpose_conv *)op;
    for (int32_t i = 0; self && i < self->count; i++)
        edgecore_gemm_destroy(self->phases[i].conv);
    free(self);
}

/* Channels may be cut only where all phases cut them alike. */
static void add_phase(transpose_conv *self, const edgecore_op *conv)
{
    edgecore_op *base = &self->base;
    base->macs += conv->macs;
    base->weight_bytes += conv->weight_bytes;
    base->channel_step = self->count == 0 || base->channel_step == conv->channel_step ? conv->channel_step : 0;
    if (base->scratch_bytes < conv->scratch_bytes)
        base->scratch_bytes = conv->scratch_bytes;
}

static edgecore_status prepare_phases(transpose_conv *self, const edgecore_op_desc *desc, const edgecore_tier *tier,
                                      const edgecore_int8_weights *weights, edgecore_message *message)
{
    const edgecore_window w = edgecore_window_of(desc);
    for (int32_t y = 0; y < w.stride_h; y++)
        for (int32_t x = 0; x < w.stride_w; x++) {
            phase *next = &self->phases[self->count];
            next->rows = phase_of(y, w.out_h, w.kernel_h, w.stride_h, w.pad_top);
            next->columns = phase_of(x, w.out_w, w.kernel_w, w.stride_w, w.pad_left);
            if (!next->rows.count || !next->columns.count)
                continue;
            const edgecore_status status = prepare_phase(desc, tier, weights, next, message);
            if (status != EDGECORE_OK)
                return status;
            add_phase(self, next->conv);
            self->count++;
        }
    return EDGECORE_OK;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_window w = edgecore_window_of(desc);
    edgecore_int8_weights weights;
    edgecore_status status = edgecore_make_int8_weights(desc->inputs[1], desc->inputs[1]->dims[0], &weights, message);
    if (status != EDGECORE_OK)
        return status;
    transpose_conv *self = calloc(1, sizeof *self + (size_t)(w.stride_h * w.stride_w) * sizeof self->phases[0]);
    if (self) {
        self->base.klass = &edgecore_transpose_conv_class;
        self->base.activation_inputs = 1;
        self->base.splits_rows = true;
        self->stride_h = w.stride_h;
        self->stride_w = w.stride_w;
        self->in_h = w.in_h;
        status = prepare_phases(self, desc, tier, &weights, message);
    } else {
        status = edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for an operator");
    }
    free(weights.memory);
    if (status != EDGECORE_OK) {
        destroy(&self->base);
        return status;
    }
    *op = &self->base;
    return EDGECORE_OK;
}

/* Of output rows [y0, y1), those of a phase as its own rows. */
static void phase_rows(const phase_axis *rows, int32_t stride, int32_t y0, int32_t y1, int32_t *first, int32_t *end)
{
    *first = y0 > rows->first ? (y0 - rows->first + stride - 1) / stride : 0;
    *end = y1 > rows->first ? (y1 - rows->first + stride - 1) / stride : 0;
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const transpose_conv *self = (const transpose_conv *)op;
    for (int32_t i = 0; i < self->count; i++) {
        const phase *p = &self->phases[i];
        edgecore_region own = region;
        phase_rows(&p->rows, self->stride_h, region.y0, region.y1, &own.y0, &own.y1);
        if (own.y0 >= own.y1)
            continue;
        edgecore_view every = *output;
        every.data = edgecore_view_at(output, p->rows.first, p->columns.first, 0);
        every.first_row = 0;
        every.height = p->rows.count;
        every.width = p->columns.count;
        every.row_stride *= self->stride_h;
        every.pixel_stride *= self->stride_w;
        edgecore_gemm_run(p->conv, inputs, &every, own, scratch);
    }
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const transpose_conv *self = (const transpose_conv *)op;
    *in_y0 = self->in_h - 1;
    *in_y1 = self->in_h;
    for (int32_t i = 0, last = 0; i < self->count; i++) {
        int32_t first, end, from, to;
        phase_rows(&self->phases[i].rows, self->stride_h, y0, y1, &first, &end);
        if (first >= end)
            continue;
        edgecore_gemm_input_rows(self->phases[i].conv, index, first, end, &from, &to);
        *in_y0 = from < *in_y0 ? from : *in_y0;
        last = to > last ? to : last;
        *in_y1 = last;
    }
}

const edgecore_op_class edgecore_transpose_conv_class = {
    .name = "transpose_conv",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};
