/* MAX_POOL_2D. An output row is made of long runs of bytes: the maximum of the window's rows, then the maximum of that
 * row and itself moved by one pixel, by two ..., of which every stride-th pixel is kept. Only windows that reach over
 * the left or right edge are made one by one. */
#include <stdlib.h>
#include <string.h>

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

/* Maxima over the window's height for every column: [in_width][n] bytes, in `memory` unless they lie ready. */
static const uint8_t *columns_of(const max_pool *self, uint8_t *memory, const edgecore_view *in, int32_t y0, int32_t y1,
                                 int32_t c, size_t n)
{
    if (n == (size_t)in->channels && edgecore_view_dense(in)) {
        if (y1 - y0 == 1)
            return edgecore_view_at(in, y0, 0, 0);
        edgecore_view rows = *in;
        rows.channels = (int32_t)(n * (size_t)in->width);
        max_of_window(self, memory, &rows, y0, y1, 0, 1, 0, (size_t)rows.channels);
        return memory;
    }
    for (int32_t x = 0; x < in->width; x++)
        max_of_window(self, memory + (size_t)x * n, in, y0, y1, x, x + 1, c, n);
    return memory;
}

static inline __attribute__((always_inline)) void keep_pixels(uint8_t *out, ptrdiff_t out_step, const uint8_t *in,
                                                             size_t in_step, int32_t count, size_t n)
{
    for (int32_t i = 0; i < count; i++, out += out_step, in += in_step)
        memcpy(out, in, n);
}

/* Every stride-th pixel; common sizes are copied without a call. */
static void keep_every(uint8_t *out, ptrdiff_t out_step, const uint8_t *in, size_t in_step, int32_t count, size_t n)
{
    switch (n) {
    case 8:
        keep_pixels(out, out_step, in, in_step, count, 8);
        break;
    case 16:
        keep_pixels(out, out_step, in, in_step, count, 16);
        break;
    case 32:
        keep_pixels(out, out_step, in, in_step, count, 32);
        break;
    case 64:
        keep_pixels(out, out_step, in, in_step, count, 64);
        break;
    default:
        keep_pixels(out, out_step, in, in_step, count, n);
    }
}

/* Windows inside the row, from `columns`. `wide` holds in_width * n bytes. */
static void run_inner(const max_pool *self, uint8_t *out, ptrdiff_t out_step, const uint8_t *columns, uint8_t *wide,
                      size_t n)
{
    const edgecore_pool_geometry *pool = &self->pool;
    const int32_t count = pool->inner_x1 - pool->inner_x0;
    if (count <= 0)
        return;
    const edgecore_view row = {(uint8_t *)columns, 1, pool->in_width, (int32_t)n, 0, 0, (ptrdiff_t)n};
    const int32_t first = pool->inner_x0 * pool->stride_w - pool->pad_left;
    const size_t bytes = ((size_t)(count - 1) * (size_t)pool->stride_w + 1) * n;
    bool direct = pool->stride_w == 1 && out_step == (ptrdiff_t)n;
    max_of_window(self, direct ? out : wide, &row, 0, 1, first, first + pool->filter_w, 0, bytes);
    if (!direct)
        keep_every(out, out_step, wide, (size_t)pool->stride_w * n, count, n);
}

static void run_edge(const max_pool *self, uint8_t *out, ptrdiff_t out_step, const uint8_t *columns, size_t n,
                     int32_t from, int32_t to)
{
    const edgecore_pool_geometry *pool = &self->pool;
    const edgecore_view row = {(uint8_t *)columns, 1, pool->in_width, (int32_t)n, 0, 0, (ptrdiff_t)n};
    for (int32_t x = from; x < to; x++) {
        int32_t x0, x1;
        edgecore_pool_window(x, pool->stride_w, pool->pad_left, pool->filter_w, pool->in_width, &x0, &x1);
        max_of_window(self, out + x * out_step, &row, 0, 1, x0, x1, 0, n);
    }
}

/* Rows y0 to y1 of the input to one of the output by the tier's windows; false where they are of another kind. */
static bool run_windows(const max_pool *self, uint8_t *out, ptrdiff_t out_step, const edgecore_view *in, int32_t y0,
                        int32_t y1, int32_t c, size_t n)
{
    const edgecore_pool_geometry *pool = &self->pool;
    const int32_t size = pool->filter_w;
    if (!self->tier->max_windows || n < EDGECORE_WINDOW_BYTES || pool->stride_w != 2 || (size != 2 && size != 3) ||
        y1 - y0 != size || pool->inner_x0 == pool->inner_x1)
        return false;
    edgecore_row_windows windows = {
        .size = (size_t)size,
        .count = (size_t)(pool->inner_x1 - pool->inner_x0),
        .pixel_stride = in->pixel_stride,
        .out_stride = out_step,
        .n = n,
        .flip = self->flip,
    };
    for (int32_t r = 0; r < size; r++)
        windows.rows[r] = edgecore_view_at(in, y0 + r, pool->inner_x0 * 2 - pool->pad_left, c);
    self->tier->max_windows(out + pool->inner_x0 * out_step, &windows);
    for (int32_t x = 0; x < pool->out_width; x++) {
        int32_t x0, x1;
        if (x == pool->inner_x0)
            x = pool->inner_x1;
        if (x == pool->out_width)
            break;
        edgecore_pool_window(x, pool->stride_w, pool->pad_left, pool->filter_w, pool->in_width, &x0, &x1);
        max_of_window(self, out + x * out_step, in, y0, y1, x0, x1, c, n);
    }
    return true;
}

static void finish_row(const max_pool *self, uint8_t *out, ptrdiff_t out_step, size_t n)
{
    if (out_step == (ptrdiff_t)n) {
        self->tier->lookup_row(out, out, n * (size_t)self->pool.out_width, self->table);
        return;
    }
    for (int32_t x = 0; x < self->pool.out_width; x++)
        self->tier->lookup_row(out + x * out_step, out + x * out_step, n, self->table);
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const max_pool *self = (const max_pool *)op;
    const edgecore_pool_geometry *pool = &self->pool;
    const size_t n = (size_t)(region.c1 - region.c0);
    uint8_t *memory = scratch, *wide = memory + n * (size_t)pool->in_width;
    for (int32_t y = region.y0; y < region.y1; y++) {
        int32_t y0, y1;
        edgecore_pool_window(y, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, &y0, &y1);
        uint8_t *out = edgecore_view_at(output, y, 0, region.c0);
        const ptrdiff_t step = output->pixel_stride;
        if (!run_windows(self, out, step, &inputs[0], y0, y1, region.c0, n)) {
            const uint8_t *columns = columns_of(self, memory, &inputs[0], y0, y1, region.c0, n);
            run_edge(self, out, step, columns, n, 0, pool->inner_x0);
            run_inner(self, out + pool->inner_x0 * step, step, columns, wide, n);
            run_edge(self, out, step, columns, n, pool->inner_x1, pool->out_width);
        }
        if (self->finish)
            finish_row(self, out, step, n);
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
    self->base.klass = &edgecore_max_pool_2d_class;
    self->base.scratch_bytes = 2 * (size_t)pool.in_width * (size_t)pool.channels;
    self->base.activation_inputs = 1;
    self->base.channel_step = 64;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
