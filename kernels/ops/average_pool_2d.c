/* AVERAGE_POOL_2D. Sums are rounded half away from the zero of the model's own type, not from the zero point, so an
 * int8 model keeps its rounding when its bytes are stored as uint8. */
#include <stdlib.h>
#include <string.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/pool.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct average_pool {
    edgecore_op base;
    edgecore_pool_geometry pool;
    const edgecore_tier *tier;
    uint8_t flip_in;
    edgecore_row_average average; /* but for the count */
} average_pool;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_pool(desc, message);
    if (status != EDGECORE_OK)
        return status;
    if ((int64_t)desc->params->filter_h * desc->params->filter_w > INT32_MAX / 256)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the average's window is too large for 32-bit sums");
    return EDGECORE_OK;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

static void destroy(edgecore_op *op)
{
    free(op);
}

/* Sums over the window's height for every column: [in_width][n]. */
static void sum_columns(const average_pool *self, int32_t *columns, const edgecore_view *in, int32_t y0, int32_t y1,
                        int32_t c, size_t n)
{
    const size_t width = (size_t)in->width;
    const bool whole_rows = n == (size_t)in->channels && edgecore_view_dense(in);
    const size_t rows = (size_t)(y1 - y0);
    memset(columns, 0, width * n * sizeof *columns);
    if (whole_rows) {
        self->tier->sum_rows(columns, edgecore_view_at(in, y0, 0, 0), in->row_stride, rows, width * n, self->flip_in);
        return;
    }
    for (int32_t x = 0; x < in->width; x++)
        self->tier->sum_rows(columns + (size_t)x * n, edgecore_view_at(in, y0, x, c), in->row_stride, rows, n, self->flip_in);
}

/* Sums of `count` windows that lie inside the row, from the columns' sums. */
static void add_windows(int32_t *restrict sums, const int32_t *restrict columns, int32_t count, int32_t filter, size_t step,
                        size_t n)
{
    for (int32_t p = 0; p < count; p++, sums += n, columns += step) {
        for (size_t i = 0; i < n; i++)
            sums[i] = columns[i];
        for (size_t k = 1; k < (size_t)filter; k++)
            for (size_t i = 0; i < n; i++)
                sums[i] += columns[k * n + i];
    }
}

/* Pixels of n sums to averages, in one run where they lie so. */
static void average_pixels(const average_pool *self, uint8_t *out, ptrdiff_t step, const int32_t *sums, int32_t count,
                           size_t n, int32_t elements)
{
    edgecore_row_average average = self->average;
    average.count = elements;
    if (step == (ptrdiff_t)n) {
        self->tier->average_row(out, sums, (size_t)count * n, &average);
        return;
    }
    for (int32_t p = 0; p < count; p++)
        self->tier->average_row(out + p * step, sums + (size_t)p * n, n, &average);
}

/* Output columns [x, end), whose windows reach out of the row, from the sums of `rows` input rows. */
static void average_edge(const average_pool *self, uint8_t *out, ptrdiff_t step, const int32_t *columns, int32_t *sums,
                         int32_t rows, int32_t x, int32_t end, size_t n)
{
    const edgecore_pool_geometry *pool = &self->pool;
    for (; x < end; x++) {
        int32_t x0, x1;
        edgecore_pool_window(x, pool->stride_w, pool->pad_left, pool->filter_w, pool->in_width, &x0, &x1);
        add_windows(sums, columns + (size_t)x0 * n, 1, x1 - x0, 0, n);
        average_pixels(self, out + x * step, step, sums, 1, n, rows * (x1 - x0));
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const average_pool *self = (const average_pool *)op;
    const edgecore_pool_geometry *pool = &self->pool;
    const size_t n = (size_t)(region.c1 - region.c0);
    int32_t *columns = scratch, *sums = columns + (size_t)pool->in_width * n;
    const ptrdiff_t step = output->pixel_stride;
    for (int32_t y = region.y0; y < region.y1; y++) {
        int32_t y0, y1;
        uint8_t *out = edgecore_view_at(output, y, 0, region.c0);
        edgecore_pool_window(y, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, &y0, &y1);
        sum_columns(self, columns, &inputs[0], y0, y1, region.c0, n);
        const int32_t inner = pool->inner_x1 - pool->inner_x0;
        if (inner > 0) {
            const size_t first = (size_t)(pool->inner_x0 * pool->stride_w - pool->pad_left);
            add_windows(sums, columns + first * n, inner, pool->filter_w, (size_t)pool->stride_w * n, n);
            average_pixels(self, out + pool->inner_x0 * step, step, sums, inner, n, (y1 - y0) * pool->filter_w);
        }
        average_edge(self, out, step, columns, sums, y1 - y0, 0, pool->inner_x0, n);
        average_edge(self, out, step, columns, sums, y1 - y0, pool->inner_x1, pool->out_width, n);
    }
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    (void)index;
    edgecore_pool_input_rows(&((const average_pool *)op)->pool, y0, y1, in_y0, in_y1);
}

const edgecore_op_class edgecore_average_pool_2d_class = {
    .name = "average_pool_2d",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    average_pool *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->pool = edgecore_pool_geometry_of(desc);
    self->tier = tier;
    self->flip_in = edgecore_flip_of(desc->inputs[0]->dtype);
    self->average.flip = edgecore_flip_of(desc->output->dtype);
    self->average.zero = edgecore_flip_of(desc->model_dtype);
    edgecore_activation_range(desc->params->activation, desc->output, &self->average.min, &self->average.max);
    self->base.klass = &edgecore_average_pool_2d_class;
    const size_t columns = (size_t)self->pool.in_width + (size_t)self->pool.out_width;
    self->base.scratch_bytes = columns * (size_t)self->pool.channels * sizeof(int32_t);
    self->base.activation_inputs = 1;
    self->base.channel_step = 64;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
