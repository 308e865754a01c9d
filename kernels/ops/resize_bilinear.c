/* RESIZE_BILINEAR: every output pixel is a mean of the four input pixels around it.
 *
 * The reference weighs int8 values in units of 2^-10, of which the products are whole numbers whatever their order, and uint8
 * values in float, of which every product and sum is rounded: there the order is the reference's. */
#include <math.h>
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/resize.h"
#include "ops/view.h"

/* Along one axis: the input pixels on both sides and what they count. */
typedef struct neighbours {
    int32_t first, second;
    union {
        int32_t whole[2]; /* int8: of 2^10 */
        float real[2];    /* uint8 */
    } weights;
} neighbours;

typedef struct bilinear {
    edgecore_op base;
    const edgecore_tier *tier;
    bool in_float;
    uint8_t flip_in, flip_out;
    neighbours *rows, *columns; /* for every output row and column; one allocation */
} bilinear;

static neighbours clipped(int32_t floor, int32_t ceiling, int32_t size)
{
    return (neighbours){.first = floor > 0 ? floor : 0, .second = ceiling < size - 1 ? ceiling : size - 1};
}

static neighbours whole_neighbours(const edgecore_resize_axis *axis, int32_t at)
{
    const bool corners = axis->align_corners && axis->out > 1;
    const int32_t in = corners ? axis->in - 1 : axis->in, out = corners ? axis->out - 1 : axis->out;
    const int64_t scale = ((INT64_C(1) << 10) * in + out / 2) / out;
    const int64_t position = at * scale + (axis->half_pixel_centers ? scale / 2 - (1 << 9) : 0);
    neighbours found = clipped((int32_t)(position / (1 << 10)), (int32_t)((position + (1 << 10) - 1) / (1 << 10)), axis->in);
    found.weights.whole[1] = (int32_t)(position - (int64_t)found.first * (1 << 10));
    found.weights.whole[0] = (1 << 10) - found.weights.whole[1];
    return found;
}

static neighbours real_neighbours(const edgecore_resize_axis *axis, int32_t at)
{
    const float scale = axis->align_corners && axis->out > 1 ? (float)(axis->in - 1) / (float)(axis->out - 1)
                                                             : (float)axis->in / (float)axis->out;
    const float position = axis->half_pixel_centers ? ((float)at + 0.5f) * scale - 0.5f : (float)at * scale;
    neighbours found = clipped((int32_t)floorf(position), (int32_t)ceilf(position), axis->in);
    found.weights.real[1] = position - (float)found.first;
    found.weights.real[0] = 1.0f - found.weights.real[1];
    return found;
}

static neighbours neighbours_of(const edgecore_resize_axis *axis, int32_t at, bool in_float)
{
    return in_float ? real_neighbours(axis, at) : whole_neighbours(axis, at);
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_resize(desc, message);
    if (status != EDGECORE_OK)
        return status;
    for (int32_t i = 0; i < 2; i++) {
        const edgecore_resize_axis axis = edgecore_resize_axis_of(desc, i);
        /* The reference rounds int8's scale, and with thousands of outputs reads behind the map. */
        if (axis.in > EDGECORE_MAX_CHANNELS / 4 || axis.out > EDGECORE_MAX_CHANNELS / 4 ||
            neighbours_of(&axis, axis.out - 1, desc->model_dtype == EDGECORE_UINT8).first >= axis.in)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a resize from %d to %d", axis.in, axis.out);
    }
    return EDGECORE_OK;
}

static void destroy(edgecore_op *op)
{
    if (op)
        free(((bilinear *)op)->rows);
    free(op);
}

static void run_whole(const bilinear *self, const edgecore_view *in, const edgecore_view *output, int32_t y, int32_t *sums)
{
    const neighbours *row = &self->rows[y];
    const int32_t *weights = row->weights.whole;
    const uint8_t *a = edgecore_view_at(in, row->first, 0, 0), *b = edgecore_view_at(in, row->second, 0, 0);
    const size_t n = (size_t)in->channels;
    if (edgecore_view_dense(in)) {
        self->tier->blend_rows(sums, a, b, n * (size_t)in->width, weights[0], weights[1], self->flip_in);
    } else {
        for (int32_t x = 0; x < in->width; x++, a += in->pixel_stride, b += in->pixel_stride)
            self->tier->blend_rows(sums + (size_t)x * n, a, b, n, weights[0], weights[1], self->flip_in);
    }
    uint8_t *out = edgecore_view_at(output, y, 0, 0);
    for (int32_t x = 0; x < output->width; x++, out += output->pixel_stride) {
        const neighbours *column = &self->columns[x];
        self->tier->blend_sums(out, sums + (size_t)column->first * n, sums + (size_t)column->second * n, n,
                               column->weights.whole[0], column->weights.whole[1], self->flip_out);
    }
}

static void scale_rows(const bilinear *self, const edgecore_view *in, int32_t y, float weight, float *out)
{
    const uint8_t *row = edgecore_view_at(in, y, 0, 0);
    const size_t n = (size_t)in->channels;
    if (edgecore_view_dense(in)) {
        self->tier->scale_row(out, row, n * (size_t)in->width, weight, self->flip_in);
        return;
    }
    for (int32_t x = 0; x < in->width; x++, row += in->pixel_stride)
        self->tier->scale_row(out + (size_t)x * n, row, n, weight, self->flip_in);
}

static void run_real(const bilinear *self, const edgecore_view *in, const edgecore_view *output, int32_t y, float *above)
{
    const neighbours *row = &self->rows[y];
    const size_t n = (size_t)in->channels;
    float *below = above + n * (size_t)in->width;
    scale_rows(self, in, row->first, row->weights.real[0], above);
    scale_rows(self, in, row->second, row->weights.real[1], below);
    uint8_t *out = edgecore_view_at(output, y, 0, 0);
    for (int32_t x = 0; x < output->width; x++, out += output->pixel_stride) {
        const neighbours *column = &self->columns[x];
        self->tier->blend_scaled(out, above, below, (size_t)column->first * n, (size_t)column->second * n, n,
                                 column->weights.real, self->flip_out);
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const bilinear *self = (const bilinear *)op;
    for (int32_t y = region.y0; y < region.y1; y++) {
        if (self->in_float)
            run_real(self, inputs, output, y, scratch);
        else
            run_whole(self, inputs, output, y, scratch);
    }
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const bilinear *self = (const bilinear *)op;
    (void)index;
    *in_y0 = self->rows[y0].first;
    *in_y1 = self->rows[y1 - 1].second + 1;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_resize_bilinear_class = {
    .name = "resize_bilinear",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_resize_axis height = edgecore_resize_axis_of(desc, 0), width = edgecore_resize_axis_of(desc, 1);
    bilinear *self = calloc(1, sizeof *self);
    neighbours *tables = calloc((size_t)height.out + (size_t)width.out, sizeof *tables);
    if (!self || !tables) {
        free(self);
        free(tables);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    }
    self->tier = tier;
    self->in_float = desc->model_dtype == EDGECORE_UINT8;
    self->flip_in = edgecore_flip_of(desc->inputs[0]->dtype);
    self->flip_out = edgecore_flip_of(desc->output->dtype);
    self->rows = tables;
    self->columns = tables + height.out;
    for (int32_t y = 0; y < height.out; y++)
        self->rows[y] = neighbours_of(&height, y, self->in_float);
    for (int32_t x = 0; x < width.out; x++)
        self->columns[x] = neighbours_of(&width, x, self->in_float);
    self->base.klass = &edgecore_resize_bilinear_class;
    const size_t row = (size_t)width.in * (size_t)desc->output->dims[3];
    self->base.scratch_bytes = self->in_float ? 2 * row * sizeof(float) : row * sizeof(int32_t);
    self->base.activation_inputs = 1;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
