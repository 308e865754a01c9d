/* RESIZE_NEAREST_NEIGHBOR: every output pixel is a copy of one input pixel. */
#include <math.h>
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/resize.h"
#include "ops/view.h"

typedef struct nearest {
    edgecore_op base;
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    uint8_t flip; /* from the input's storage to the output's */
    int32_t *rows, *columns; /* of the input, for every output row and column; one allocation */
} nearest;

/* In float, as the reference has it. */
static int32_t source_of(const edgecore_resize_axis *axis, int32_t at)
{
    const float scale = axis->align_corners && axis->out > 1 ? (float)(axis->in - 1) / (float)(axis->out - 1)
                                                             : (float)axis->in / (float)axis->out;
    const float centre = ((float)at + (axis->half_pixel_centers ? 0.5f : 0.0f)) * scale;
    const int32_t nearest = (int32_t)(axis->align_corners ? roundf(centre) : floorf(centre));
    return nearest < axis->in ? nearest : axis->in - 1;
}

static void destroy(edgecore_op *op)
{
    if (op)
        free(((nearest *)op)->rows);
    free(op);
}

static void copy_row(const nearest *self, const edgecore_view *in, const edgecore_view *output, int32_t y,
                     edgecore_region region)
{
    const size_t n = (size_t)(region.c1 - region.c0);
    const uint8_t *row = edgecore_view_at(in, self->rows[y], 0, region.c0);
    uint8_t *out = edgecore_view_at(output, y, 0, region.c0);
    for (int32_t x = 0; x < output->width; x++, out += output->pixel_stride)
        self->xor_row(out, row + self->columns[x] * in->pixel_stride, n, self->flip);
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const nearest *self = (const nearest *)op;
    const size_t n = (size_t)(region.c1 - region.c0);
    const bool one_run = n == (size_t)output->channels && edgecore_view_dense(output);
    (void)scratch;
    for (int32_t y = region.y0; y < region.y1; y++) {
        if (one_run && y > region.y0 && self->rows[y] == self->rows[y - 1])
            self->xor_row(edgecore_view_at(output, y, 0, 0), edgecore_view_at(output, y - 1, 0, 0),
                          n * (size_t)output->width, 0);
        else
            copy_row(self, inputs, output, y, region);
    }
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const nearest *self = (const nearest *)op;
    (void)index;
    *in_y0 = self->rows[y0];
    *in_y1 = self->rows[y1 - 1] + 1;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_resize_nearest_neighbor_class = {
    .name = "resize_nearest_neighbor",
    .check = edgecore_check_resize,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_resize_axis height = edgecore_resize_axis_of(desc, 0), width = edgecore_resize_axis_of(desc, 1);
    nearest *self = calloc(1, sizeof *self);
    int32_t *tables = calloc((size_t)height.out + (size_t)width.out, sizeof *tables);
    if (!self || !tables) {
        free(self);
        free(tables);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    }
    self->rows = tables;
    self->columns = tables + height.out;
    for (int32_t y = 0; y < height.out; y++)
        self->rows[y] = source_of(&height, y);
    for (int32_t x = 0; x < width.out; x++)
        self->columns[x] = source_of(&width, x);
    self->xor_row = tier->xor_row;
    self->flip = edgecore_flip_of(desc->inputs[0]->dtype) ^ edgecore_flip_of(desc->output->dtype);
    self->base.klass = &edgecore_resize_nearest_neighbor_class;
    self->base.activation_inputs = 1;
    self->base.channel_step = 16;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
