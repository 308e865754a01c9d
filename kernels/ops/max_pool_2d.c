/* MAX_POOL_2D. A window is either the maximum of all its pixels at once, or, where windows overlap enough for that
 * to be less work, of the columns of a row that holds the maxima over the window's height. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/pool.h"
#include "ops/validate.h"
#include "ops/view.h"

/* Rows handed to one call of max_row. */
#define MOST_ROWS 32

typedef struct max_pool {
    edgecore_op base;
    edgecore_pool_geometry pool;
    const edgecore_tier *tier;
    uint8_t flip;       /* of the input */
    bool separable;
    bool finish;        /* the maxima still go through `table`: a clamp, or another storage type */
    uint8_t table[256];
} max_pool;

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

static void destroy(edgecore_op *op)
{
    free(op);
}

/* The maximum of rows [y0, y1), columns [x0, x1), n bytes from channel c. */
static void max_of_window(const max_pool *self, uint8_t *out, const edgecore_view *in, int32_t y0, int32_t y1,
                          int32_t x0, int32_t x1, int32_t c, size_t n)
{
    const uint8_t *rows[MOST_ROWS];
    size_t count = 0;
    for (int32_t y = y0; y < y1; y++) {
        for (int32_t x = x0; x < x1; x++) {
            if (count == MOST_ROWS) {
                self->tier->max_row(out, rows, count, n, self->flip);
                rows[0] = out;
                count = 1;
            }
            rows[count++] = edgecore_view_at(in, y, x, c);
        }
    }
    self->tier->max_row(out, rows, count, n, self->flip);
}

/* Maxima over the window's height for every column: [in_width][n] bytes. */
static void max_of_rows(const max_pool *self, uint8_t *out, const edgecore_view *in, int32_t y0, int32_t y1,
                        int32_t c, size_t n)
{
    if (n == (size_t)in->channels && edgecore_view_dense(in)) {
        max_of_window(self, out, in, y0, y1, 0, 1, 0, n * (size_t)in->width);
        return;
    }
    for (int32_t x = 0; x < in->width; x++)
        max_of_window(self, out + (size_t)x * n, in, y0, y1, x, x + 1, c, n);
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const max_pool *self = (const max_pool *)op;
    const edgecore_pool_geometry *pool = &self->pool;
    const edgecore_view *in = &inputs[0];
    const int32_t c = region.c0;
    const size_t n = (size_t)(region.c1 - region.c0);
    const edgecore_view columns = {scratch, 1, pool->in_width, (int32_t)n, 0, 0, (ptrdiff_t)n};
    for (int32_t y = region.y0; y < region.y1; y++) {
        int32_t in_y0, in_y1, x0, x1;
        edgecore_pool_window(y, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, &in_y0, &in_y1);
        if (self->separable)
            max_of_rows(self, scratch, in, in_y0, in_y1, c, n);
        for (int32_t x = 0; x < pool->out_width; x++) {
            uint8_t *out = edgecore_view_at(output, y, x, c);
            edgecore_pool_window(x, pool->stride_w, pool->pad_left, pool->filter_w, pool->in_width, &x0, &x1);
            if (self->separable)
                max_of_window(self, out, &columns, 0, 1, x0, x1, 0, n);
            else
                max_of_window(self, out, in, in_y0, in_y1, x0, x1, c, n);
            if (self->finish)
                self->tier->lookup_row(out, out, n, self->table);
        }
    }
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    (void)index;
    edgecore_pool_input_rows(&((const max_pool *)op)->pool, y0, y1, in_y0, in_y1);
}

const edgecore_op_class edgecore_max_pool_2d_class = {
    .name = "max_pool_2d",
    .check = edgecore_check_pool,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    max_pool *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    const edgecore_pool_geometry pool = edgecore_pool_geometry_of(desc);
    self->pool = pool;
    self->tier = tier;
    self->flip = edgecore_flip_of(desc->inputs[0]->dtype);
    uint8_t flip_out = edgecore_flip_of(desc->output->dtype);
    int32_t min, max;
    edgecore_activation_range(desc->params->activation, desc->output, &min, &max);
    self->finish = min > 0 || max < 255 || self->flip != flip_out;
    for (int32_t u = 0; u < 256; u++)
        self->table[u ^ self->flip] = edgecore_clamp_u8(u, min, max) ^ flip_out;
    /* Rows read per output pixel: all pixels of a window, or a window's height for each new column and then its width. */
    int64_t at_once = (int64_t)pool.filter_h * pool.filter_w;
    int64_t in_two = (int64_t)pool.filter_h * pool.stride_w + pool.filter_w;
    self->separable = in_two < at_once && (int64_t)pool.out_width * at_once > (int64_t)pool.in_width * pool.filter_h;
    self->base.klass = &edgecore_max_pool_2d_class;
    self->base.scratch_bytes = self->separable ? (size_t)pool.in_width * (size_t)pool.channels + EDGECORE_SLACK : 0;
    self->base.activation_inputs = 1;
    self->base.channel_step = 64;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
