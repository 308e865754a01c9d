#include "ops/binary.h"

#include <stdlib.h>
#include <string.h>

#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct binary {
    edgecore_op base;
    edgecore_binary_row row;
    edgecore_row_arithmetic how;
    uint8_t *constant[2];      /* owned; NULL where the input is an activation */
    edgecore_view view[2];     /* of the constants */
    int32_t activation[2];     /* index among the activation inputs, of the others */
    int32_t in_height[2];      /* of the activation inputs, by that index */
} binary;

static bool broadcasts(int32_t in, int32_t out)
{
    return in == out || in == 1;
}

/* The reference right-aligns shapes, as the mapping to height, width and channels does. */
static edgecore_status check_shapes(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_shape4 a = edgecore_shape4_of(desc->inputs[0]), b = edgecore_shape4_of(desc->inputs[1]);
    edgecore_shape4 out = edgecore_shape4_of(desc->output);
    for (int32_t i = 1; i < 4; i++) {
        int32_t largest = a.dims[i] > b.dims[i] ? a.dims[i] : b.dims[i];
        if (!broadcasts(a.dims[i], largest) || !broadcasts(b.dims[i], largest) || out.dims[i] != largest)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the inputs' shapes do not give the output's");
    }
    return EDGECORE_OK;
}

edgecore_status edgecore_check_binary(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_description(desc, 2, 2, message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->inputs[0], "the first input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->inputs[1], "the second input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->output, "the output", message);
    if (status != EDGECORE_OK)
        return status;
    if (desc->inputs[0]->data && desc->inputs[1]->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "both inputs are constants");
    if ((int32_t)desc->params->activation < EDGECORE_ACT_NONE || desc->params->activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)desc->params->activation);
    return check_shapes(desc, message);
}

edgecore_row_arithmetic edgecore_binary_arithmetic(const edgecore_op_desc *desc)
{
    edgecore_row_arithmetic how = {
        .a = {.zero_point = edgecore_zero_point_u8(desc->inputs[0]), .flip = edgecore_flip_of(desc->inputs[0]->dtype)},
        .b = {.zero_point = edgecore_zero_point_u8(desc->inputs[1]), .flip = edgecore_flip_of(desc->inputs[1]->dtype)},
        .zero_point = edgecore_zero_point_u8(desc->output),
        .flip = edgecore_flip_of(desc->output->dtype),
    };
    edgecore_activation_range(desc->params->activation, desc->output, &how.min, &how.max);
    return how;
}

static bool copy_constant(binary *self, int32_t index, const edgecore_tensor *tensor)
{
    size_t bytes = (size_t)edgecore_element_count(tensor);
    edgecore_shape4 shape = edgecore_shape4_of(tensor);
    uint8_t *copy = malloc(bytes + EDGECORE_SLACK);
    if (!copy)
        return false;
    memcpy(copy, tensor->data, bytes);
    memset(copy + bytes, 0, EDGECORE_SLACK);
    self->constant[index] = copy;
    self->view[index] = (edgecore_view){.data = copy,
                                        .height = shape.dims[1],
                                        .width = shape.dims[2],
                                        .channels = shape.dims[3],
                                        .row_stride = (ptrdiff_t)shape.dims[2] * shape.dims[3],
                                        .pixel_stride = shape.dims[3]};
    self->base.weight_bytes += bytes;
    return true;
}

edgecore_status edgecore_binary_prepare(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                        edgecore_binary_row row, const edgecore_row_arithmetic *how, edgecore_op **op,
                                        edgecore_message *message)
{
    binary *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->base.klass = klass;
    self->row = row;
    self->how = *how;
    for (int32_t i = 0; i < 2; i++) {
        if (!desc->inputs[i]->data) {
            self->in_height[self->base.activation_inputs] = edgecore_shape4_of(desc->inputs[i]).dims[1];
            self->activation[i] = self->base.activation_inputs++;
        } else if (!copy_constant(self, i, desc->inputs[i])) {
            edgecore_binary_destroy(&self->base);
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
        }
    }
    /* A row of each input, for one that does not have its row in one run. */
    const edgecore_shape4 out = edgecore_shape4_of(desc->output);
    self->base.scratch_bytes = 2 * (size_t)out.dims[2] * (size_t)out.dims[3];
    self->base.channel_step = 16;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}

void edgecore_binary_destroy(edgecore_op *op)
{
    binary *self = (binary *)op;
    if (self) {
        free(self->constant[0]);
        free(self->constant[1]);
    }
    free(self);
}

/* n channels of a pixel, an axis of size 1 being read again and again. */
static const uint8_t *pixel_of(const edgecore_view *in, const edgecore_view *output, int32_t y, int32_t x, int32_t c,
                               size_t n, uint8_t *spread)
{
    bool spreads = in->channels == 1 && output->channels > 1;
    const uint8_t *at = edgecore_view_at(in, in->height == 1 ? 0 : y, in->width == 1 ? 0 : x, spreads ? 0 : c);
    if (!spreads)
        return at;
    memset(spread, *at, n);
    return spread;
}

/* A row as one run of bytes: where it lies, or gathered into `gathered`, which `have` says is done already. */
static const uint8_t *row_of(const edgecore_view *in, const edgecore_view *output, int32_t y, uint8_t *gathered,
                             bool have)
{
    const size_t n = (size_t)output->channels;
    if (in->width == output->width && in->channels == output->channels && edgecore_view_dense(in))
        return edgecore_view_at(in, in->height == 1 ? 0 : y, 0, 0);
    for (int32_t x = 0; x < output->width && !have; x++) {
        uint8_t *to = gathered + (size_t)x * n;
        const uint8_t *from = pixel_of(in, output, y, x, 0, n, to);
        if (from != to)
            memcpy(to, from, n);
    }
    return gathered;
}

static void run_rows(const binary *self, const edgecore_view *a, const edgecore_view *b, const edgecore_view *output,
                     edgecore_region region, uint8_t *scratch)
{
    const size_t n = (size_t)output->width * (size_t)output->channels;
    for (int32_t y = region.y0; y < region.y1; y++) {
        const bool later = y > region.y0;
        const uint8_t *row_a = row_of(a, output, y, scratch, later && a->height == 1);
        const uint8_t *row_b = row_of(b, output, y, scratch + n, later && b->height == 1);
        self->row(edgecore_view_at(output, y, 0, 0), row_a, row_b, n, &self->how);
    }
}

static void run_pixels(const binary *self, const edgecore_view *a, const edgecore_view *b, const edgecore_view *output,
                       edgecore_region region, uint8_t *scratch)
{
    const size_t n = (size_t)(region.c1 - region.c0);
    for (int32_t y = region.y0; y < region.y1; y++) {
        for (int32_t x = 0; x < output->width; x++) {
            const uint8_t *from_a = pixel_of(a, output, y, x, region.c0, n, scratch);
            const uint8_t *from_b = pixel_of(b, output, y, x, region.c0, n, scratch + n);
            self->row(edgecore_view_at(output, y, x, region.c0), from_a, from_b, n, &self->how);
        }
    }
}

void edgecore_binary_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                         edgecore_region region, void *scratch)
{
    const binary *self = (const binary *)op;
    const edgecore_view *a = self->constant[0] ? &self->view[0] : &inputs[self->activation[0]];
    const edgecore_view *b = self->constant[1] ? &self->view[1] : &inputs[self->activation[1]];
    if (region.c1 - region.c0 == output->channels && edgecore_view_dense(output))
        run_rows(self, a, b, output, region, scratch);
    else
        run_pixels(self, a, b, output, region, scratch);
}

void edgecore_binary_input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                                int32_t *in_y1)
{
    bool one_row = ((const binary *)op)->in_height[index] == 1;
    *in_y0 = one_row ? 0 : y0;
    *in_y1 = one_row ? 1 : y1;
}
