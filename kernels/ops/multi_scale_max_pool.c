/* Several stride 1 max pools of one map, each flattened, one behind another in a vector (the head of SPP-COVID-Net).
 *
 * A square window of w over a map is a window of w - v + 1 over the map that a window of v gave, exactly, because
 * the maximum does not care how often an element takes part. So the windows are run from the smallest to the
 * largest, each on the previous one's result, which lies ready in the output; the input is read once. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct scale {
    int32_t window;
    int64_t offset; /* of its map in the output */
} scale;

typedef struct multi_scale {
    edgecore_op base;
    const edgecore_tier *tier;
    int32_t height, width, channels;
    uint8_t flip_in, flip_out;
    int32_t count;
    scale scales[EDGECORE_MAX_WINDOWS]; /* by window, ascending */
} multi_scale;

static int64_t map_size(const edgecore_shape4 *in, int32_t window)
{
    return (int64_t)(in->dims[1] - window + 1) * (in->dims[2] - window + 1) * in->dims[3];
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_op_params *p = desc->params;
    edgecore_shape4 in = edgecore_shape4_of(desc->inputs[0]), out = edgecore_shape4_of(desc->output);
    if (p->window_count < 1 || p->window_count > EDGECORE_MAX_WINDOWS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%d windows; 1 to %d are handled", p->window_count,
                             EDGECORE_MAX_WINDOWS);
    int64_t total = 0;
    for (int32_t i = 0; i < p->window_count; i++) {
        if (p->windows[i] < 1 || p->windows[i] > in.dims[1] || p->windows[i] > in.dims[2])
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a window of %d does not fit the map", p->windows[i]);
        total += map_size(&in, p->windows[i]);
    }
    if (out.dims[1] != 1 || out.dims[2] != 1 || out.dims[3] != total)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the output is not a vector of all the pools' elements");
    return edgecore_check_same_quantisation(desc->inputs[0], desc->output, message);
}

static void destroy(edgecore_op *op)
{
    free(op);
}

/* The input as dense rows of the output's storage type: itself where it is that already. */
static const uint8_t *dense_map(const multi_scale *self, const edgecore_view *in, uint8_t *copy)
{
    const size_t n = (size_t)self->channels;
    const uint8_t flip = self->flip_in ^ self->flip_out;
    if (flip == 0 && edgecore_view_dense(in) && in->row_stride == (ptrdiff_t)(n * (size_t)self->width))
        return edgecore_view_at(in, 0, 0, 0);
    for (int32_t y = 0; y < self->height; y++)
        for (int32_t x = 0; x < self->width; x++)
            self->tier->xor_row(copy + ((size_t)y * (size_t)self->width + (size_t)x) * n, edgecore_view_at(in, y, x, 0),
                                n, flip);
    return copy;
}

/* A maximum of `window` rows that lie `step` bytes apart. */
static void max_of_steps(const multi_scale *self, uint8_t *out, const uint8_t *in, size_t step, int32_t window, size_t n)
{
    const uint8_t *rows[8];
    size_t count = 0;
    for (int32_t i = 0; i < window; i++) {
        if (count == 8) {
            self->tier->max_row(out, rows, count, n, self->flip_out);
            rows[0] = out;
            count = 1;
        }
        rows[count++] = in + (size_t)i * step;
    }
    self->tier->max_row(out, rows, count, n, self->flip_out);
}

/* One window over a dense map: down the columns into `columns`, then along them, a whole row at a time. */
static void pool_map(const multi_scale *self, uint8_t *out, const uint8_t *map, int32_t height, int32_t width,
                     int32_t window, uint8_t *columns)
{
    const size_t n = (size_t)self->channels, row = (size_t)width * n;
    const size_t out_row = (size_t)(width - window + 1) * n;
    for (int32_t y = 0; y + window <= height; y++) {
        max_of_steps(self, columns, map + (size_t)y * row, row, window, row);
        max_of_steps(self, out + (size_t)y * out_row, columns, n, window, out_row);
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const multi_scale *self = (const multi_scale *)op;
    uint8_t *columns = scratch;
    uint8_t *copy = columns + (size_t)self->width * (size_t)self->channels + EDGECORE_SLACK;
    const uint8_t *map = dense_map(self, &inputs[0], copy);
    int32_t height = self->height, width = self->width, done = 1;
    (void)region;
    for (int32_t i = 0; i < self->count; i++) {
        uint8_t *out = edgecore_view_at(output, 0, 0, 0) + self->scales[i].offset;
        int32_t window = self->scales[i].window - done + 1;
        pool_map(self, out, map, height, width, window, columns);
        map = out;
        height -= window - 1;
        width -= window - 1;
        done = self->scales[i].window;
    }
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_multi_scale_max_pool_class = {
    .name = "multi_scale_max_pool",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = NULL,
};

static int by_window(const void *a, const void *b)
{
    return ((const scale *)a)->window - ((const scale *)b)->window;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    multi_scale *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    edgecore_shape4 in = edgecore_shape4_of(desc->inputs[0]);
    self->tier = tier;
    self->height = in.dims[1];
    self->width = in.dims[2];
    self->channels = in.dims[3];
    self->flip_in = edgecore_flip_of(desc->inputs[0]->dtype);
    self->flip_out = edgecore_flip_of(desc->output->dtype);
    self->count = desc->params->window_count;
    int64_t offset = 0;
    for (int32_t i = 0; i < self->count; i++) {
        self->scales[i] = (scale){desc->params->windows[i], offset};
        offset += map_size(&in, desc->params->windows[i]);
    }
    qsort(self->scales, (size_t)self->count, sizeof self->scales[0], by_window);
    size_t row = (size_t)self->width * (size_t)self->channels + EDGECORE_SLACK;
    self->base.klass = &edgecore_multi_scale_max_pool_class;
    self->base.scratch_bytes = row + (size_t)self->height * row;
    self->base.activation_inputs = 1;
    *op = &self->base;
    return EDGECORE_OK;
}
