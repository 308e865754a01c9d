/* CONCATENATION as copies of slices. The graph lets producers write into their slices where it can; this runs where
 * it cannot. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct slice {
    int32_t start, size; /* along the axis */
    uint8_t flip;        /* from the input's storage to the output's */
} slice;

typedef struct concatenation {
    edgecore_op base;
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    int32_t axis; /* 1 height, 2 width, 3 channels */
    int32_t count;
    slice slices[];
} concatenation;

static edgecore_status check_input(const edgecore_op_desc *desc, int32_t index, int32_t axis, int64_t *extent,
                                   edgecore_message *message)
{
    const edgecore_tensor *in = desc->inputs[index];
    edgecore_status status = edgecore_check_activation(in, "an input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_same_quantisation(in, desc->output, message);
    if (status != EDGECORE_OK)
        return status;
    if (in->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "input %d is a constant", index);
    edgecore_shape4 shape = edgecore_shape4_of(in), out = edgecore_shape4_of(desc->output);
    *extent += shape.dims[axis];
    shape.dims[axis] = out.dims[axis];
    for (int32_t i = 0; i < 4; i++)
        if (in->rank != desc->output->rank || shape.dims[i] != out.dims[i])
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "input %d does not fit the output's shape", index);
    return EDGECORE_OK;
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    int64_t extent = 0;
    if (!desc || desc->input_count < 1)
        return edgecore_fail(message, EDGECORE_INVALID, "a concatenation needs inputs");
    edgecore_status status = edgecore_check_description(desc, desc->input_count, desc->input_count, message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->output, "the output", message);
    if (status != EDGECORE_OK)
        return status;
    if (desc->params->activation != EDGECORE_ACT_NONE)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a concatenation has no fused activation");
    int32_t axis = edgecore_axis4(desc->params->axis, desc->output->rank);
    if (axis < 1)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "concatenation along axis %d", desc->params->axis);
    for (int32_t i = 0; i < desc->input_count; i++) {
        status = check_input(desc, i, axis, &extent, message);
        if (status != EDGECORE_OK)
            return status;
    }
    if (extent != edgecore_shape4_of(desc->output).dims[axis])
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the inputs do not fill the output's axis");
    return EDGECORE_OK;
}

static void destroy(edgecore_op *op)
{
    free(op);
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* The part of a slice that lies in a region, moved to where the input has it. */
static void copy_slice(const concatenation *self, const slice *part, const edgecore_view *in,
                       const edgecore_view *output, edgecore_region region)
{
    int32_t dy = self->axis == 1 ? part->start : 0, dx = self->axis == 2 ? part->start : 0;
    int32_t dc = self->axis == 3 ? part->start : 0;
    int32_t y0 = larger(region.y0, dy), y1 = smaller(region.y1, dy + in->height);
    int32_t c0 = larger(region.c0, dc), c1 = smaller(region.c1, dc + in->channels);
    if (c0 >= c1)
        return;
    size_t n = (size_t)(c1 - c0);
    bool one_run = n == (size_t)output->channels && edgecore_view_dense(in) && edgecore_view_dense(output);
    for (int32_t y = y0; y < y1; y++) {
        uint8_t *to = edgecore_view_at(output, y, dx, c0);
        const uint8_t *from = edgecore_view_at(in, y - dy, 0, c0 - dc);
        if (one_run) {
            self->xor_row(to, from, n * (size_t)in->width, part->flip);
            continue;
        }
        for (int32_t x = 0; x < in->width; x++)
            self->xor_row(to + x * output->pixel_stride, from + x * in->pixel_stride, n, part->flip);
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const concatenation *self = (const concatenation *)op;
    (void)scratch;
    for (int32_t i = 0; i < self->count; i++)
        copy_slice(self, &self->slices[i], &inputs[i], output, region);
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const concatenation *self = (const concatenation *)op;
    const slice *part = &self->slices[index];
    *in_y0 = y0;
    *in_y1 = y1;
    if (self->axis != 1)
        return;
    *in_y0 = smaller(larger(y0 - part->start, 0), part->size);
    *in_y1 = larger(smaller(y1 - part->start, part->size), *in_y0);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_concatenation_class = {
    .name = "concatenation",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    size_t count = (size_t)desc->input_count;
    concatenation *self = calloc(1, sizeof *self + count * sizeof self->slices[0]);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->xor_row = tier->xor_row;
    self->axis = edgecore_axis4(desc->params->axis, desc->output->rank);
    self->count = desc->input_count;
    int32_t start = 0;
    for (int32_t i = 0; i < self->count; i++) {
        const edgecore_tensor *in = desc->inputs[i];
        self->slices[i].start = start;
        self->slices[i].size = edgecore_shape4_of(in).dims[self->axis];
        self->slices[i].flip = edgecore_flip_of(in->dtype) ^ edgecore_flip_of(desc->output->dtype);
        start += self->slices[i].size;
    }
    self->base.klass = &edgecore_concatenation_class;
    self->base.activation_inputs = desc->input_count;
    self->base.channel_step = 16;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
