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

static void add_sums(int32_t *restrict sums, const int32_t *restrict more, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += more[i];
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const average_pool *self = (const average_pool *)op;
    const edgecore_pool_geometry *pool = &self->pool;
    const size_t n = (size_t)(region.c1 - region.c0);
    int32_t *columns = scratch, *sums = columns + (size_t)pool->in_width * n;
    edgecore_row_average average = self->average;
    for (int32_t y = region.y0; y < region.y1; y++) {
        int32_t y0, y1, x0, x1;
        edgecore_pool_window(y, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, &y0, &y1);
        sum_columns(self, columns, &inputs[0], y0, y1, region.c0, n);
        for (int32_t x = 0; x < pool->out_width; x++) {
            edgecore_pool_window(x, pool->stride_w, pool->pad_left, pool->filter_w, pool->in_width, &x0, &x1);
            memcpy(sums, columns + (size_t)x0 * n, n * sizeof *sums);
            for (int32_t in_x = x0 + 1; in_x < x1; in_x++)
                add_sums(sums, columns + (size_t)in_x * n, n);
            average.count = (y1 - y0) * (x1 - x0);
            self->tier->average_row(edgecore_view_at(output, y, x, region.c0), sums, n, &average);
        }
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
    self->base.scratch_bytes = (size_t)(self->pool.in_width + 1) * (size_t)self->pool.channels * sizeof(int32_t);
    self->base.activation_inputs = 1;
    self->base.channel_step = 64;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
