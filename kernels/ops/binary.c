#include "ops/binary.h"

#include <stdlib.h>
#include <string.h>

#include "ops/arithmetic.h"
#include "ops/lines.h"
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
    /* Where one input has every element and the other a byte for each channel. */
    void (*line_pixels)(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_lines *lines);
    edgecore_lines *lines;     /* owned; NULL: rows do it */
    int32_t moving;            /* index of the whole input */
    size_t together;           /* pixels that go as one where they lie in one run, so that vectors are filled */
} binary;

/* Outputs of fewer pixels do not pay for their lines. */
#define FEW_PIXELS 8

/* Channels of pixels that go as one. */
#define MOST_TOGETHER 1024

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

/* Bytes of slopes, and of as many offsets, of `n` channels. */
static size_t line_bytes(size_t n)
{
    return (n + EDGECORE_LINE_STEP - 1) / EDGECORE_LINE_STEP * EDGECORE_LINE_STEP * sizeof(int32_t);
}

/* The input that has every element where the other has one byte a channel; -1 where that is not so. */
static int32_t moving_input(const edgecore_op_desc *desc)
{
    const edgecore_shape4 out = edgecore_shape4_of(desc->output);
    if (out.dims[1] * out.dims[2] < FEW_PIXELS)
        return -1;
    for (int32_t i = 0; i < 2; i++) {
        const edgecore_shape4 in = edgecore_shape4_of(desc->inputs[i]), other = edgecore_shape4_of(desc->inputs[1 - i]);
        if (memcmp(in.dims, out.dims, sizeof in.dims) == 0 && other.dims[1] * other.dims[2] == 1 &&
            other.dims[3] == out.dims[3] && !desc->inputs[i]->data)
            return i;
    }
    return -1;
}

/* Lines for the constant's bytes, or for all that an activation may have. */
static bool find_lines(binary *self, const edgecore_tier *tier, const edgecore_binary_kind *kind, const edgecore_op_desc *desc)
{
    const size_t channels = (size_t)edgecore_shape4_of(desc->output).dims[3];
    const uint8_t *constant = self->constant[1 - self->moving];
    bool wanted[256];
    memset(wanted, !constant, sizeof wanted);
    for (size_t c = 0; constant && c < channels; c++)
        wanted[constant[c]] = true;
    if (!edgecore_lines_find(self->lines, tier, kind, &self->how, self->moving, wanted))
        return false;
    for (size_t c = 0; constant && c < channels; c++)
        if (!self->lines->known[constant[c]])
            return false;
    size_t filled = 64;
    while (filled > 1 && channels % (64 / filled * 2) == 0)
        filled /= 2;
    self->together = channels * filled <= MOST_TOGETHER ? filled : 1;
    self->base.weight_bytes += sizeof *self->lines;
    return true;
}

edgecore_status edgecore_binary_prepare(const edgecore_binary_kind *kind, const edgecore_op_desc *desc,
                                        const edgecore_tier *tier, const edgecore_row_arithmetic *how, edgecore_op **op,
                                        edgecore_message *message)
{
    binary *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->base.klass = kind->klass;
    self->row = kind->row;
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
    self->moving = moving_input(desc);
    if (!tier->line_pixels || self->moving < 0)
        return EDGECORE_OK;
    self->line_pixels = tier->line_pixels;
    self->lines = malloc(sizeof *self->lines);
    if (self->lines && !find_lines(self, tier, kind, desc)) {
        free(self->lines);
        self->lines = NULL;
    }
    const size_t bytes = 2 * line_bytes((size_t)out.dims[3] * self->together);
    if (self->lines && self->base.scratch_bytes < bytes)
        self->base.scratch_bytes = bytes;
    return EDGECORE_OK;
}

void edgecore_binary_destroy(edgecore_op *op)
{
    binary *self = (binary *)op;
    if (self) {
        free(self->constant[0]);
        free(self->constant[1]);
        free(self->lines);
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

/* Slopes and offsets of the region's channels, `times` times; false where one of the bytes has no line. */
static bool spread_lines(const edgecore_lines *lines, const uint8_t *bytes, size_t n, size_t times, int32_t *slopes,
                         int32_t *offsets)
{
    bool known = true;
    for (size_t c = 0; c < n; c++) {
        slopes[c] = lines->slopes[bytes[c]];
        offsets[c] = lines->offsets[bytes[c]];
        known &= lines->known[bytes[c]];
    }
    for (size_t i = n; i < n * times; i++) {
        slopes[i] = slopes[i - n];
        offsets[i] = offsets[i - n];
    }
    return known;
}

/* False where rows have to do it. */
static bool run_lines(const binary *self, const edgecore_view *in, const edgecore_view *stays, const edgecore_view *output,
                      edgecore_region region, void *scratch)
{
    const size_t n = (size_t)(region.c1 - region.c0), width = (size_t)output->width;
    const bool dense = n == (size_t)output->channels && edgecore_view_dense(in) && edgecore_view_dense(output);
    const size_t together = dense && self->together <= width ? self->together : 1;
    const size_t runs = width / together, rest = width % together;
    int32_t *slopes = scratch, *offsets = slopes + line_bytes(n * together) / sizeof *slopes;
    if (!spread_lines(self->lines, edgecore_view_at(stays, 0, 0, region.c0), n, together, slopes, offsets))
        return false;
    edgecore_row_lines lines = self->lines->form;
    lines.slopes = slopes;
    lines.offsets = offsets;
    for (int32_t y = region.y0; y < region.y1; y++) {
        const uint8_t *from = edgecore_view_at(in, y, 0, region.c0);
        uint8_t *to = edgecore_view_at(output, y, 0, region.c0);
        lines.n = n * together;
        lines.in_stride = in->pixel_stride * (ptrdiff_t)together;
        lines.out_stride = output->pixel_stride * (ptrdiff_t)together;
        self->line_pixels(to, from, runs, &lines);
        lines.n = n * rest;
        if (rest)
            self->line_pixels(to + (ptrdiff_t)runs * lines.out_stride, from + (ptrdiff_t)runs * lines.in_stride, 1, &lines);
    }
    return true;
}

void edgecore_binary_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                         edgecore_region region, void *scratch)
{
    const binary *self = (const binary *)op;
    const edgecore_view *a = self->constant[0] ? &self->view[0] : &inputs[self->activation[0]];
    const edgecore_view *b = self->constant[1] ? &self->view[1] : &inputs[self->activation[1]];
    if (self->lines && run_lines(self, self->moving ? b : a, self->moving ? a : b, output, region, scratch))
        return;
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
