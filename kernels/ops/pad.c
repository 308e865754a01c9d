/* PAD with the output's zero point, along height, width and channels. */
#include <stdlib.h>
#include <string.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct pad {
    edgecore_op base;
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    int32_t before[4]; /* batch, height, width, channels */
    int32_t in_height;
    uint8_t flip;      /* from the input's storage to the output's */
    uint8_t zero;      /* as stored in the output */
} pad;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    if (in->rank != out->rank)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "padding changes the rank");
    for (int32_t i = 0; i < in->rank; i++) {
        int64_t before = desc->params->pad_before[i], after = desc->params->pad_after[i];
        if (before < 0 || after < 0 || in->dims[i] + before + after != out->dims[i])
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the paddings do not give the output's shape");
    }
    return edgecore_check_same_quantisation(in, out, message);
}

static void destroy(edgecore_op *op)
{
    free(op);
}

static void fill(const pad *self, const edgecore_view *output, int32_t y, int32_t x0, int32_t x1, int32_t c, size_t n)
{
    if (x0 >= x1)
        return;
    uint8_t *out = edgecore_view_at(output, y, x0, c);
    if (n == (size_t)output->channels && edgecore_view_dense(output)) {
        memset(out, self->zero, n * (size_t)(x1 - x0));
        return;
    }
    for (int32_t x = x0; x < x1; x++, out += output->pixel_stride)
        memset(out, self->zero, n);
}

/* Columns of the input in an output row; channels [c0, c1) of which those of the input are [in_c0, in_c1). */
static void copy_row(const pad *self, const edgecore_view *in, const edgecore_view *output, int32_t y,
                     edgecore_region region)
{
    const int32_t first = self->before[3], left = self->before[2];
    int32_t c0 = region.c0 > first ? region.c0 : first;
    int32_t c1 = region.c1 < first + in->channels ? region.c1 : first + in->channels;
    size_t n = c1 > c0 ? (size_t)(c1 - c0) : 0;
    if (n < (size_t)(region.c1 - region.c0))
        fill(self, output, y, left, left + in->width, region.c0, (size_t)(region.c1 - region.c0));
    if (n == 0)
        return;
    uint8_t *to = edgecore_view_at(output, y, left, c0);
    const uint8_t *from = edgecore_view_at(in, y - self->before[1], 0, c0 - first);
    if (n == (size_t)output->channels && edgecore_view_dense(in) && edgecore_view_dense(output)) {
        self->xor_row(to, from, n * (size_t)in->width, self->flip);
        return;
    }
    for (int32_t x = 0; x < in->width; x++)
        self->xor_row(to + x * output->pixel_stride, from + x * in->pixel_stride, n, self->flip);
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const pad *self = (const pad *)op;
    const edgecore_view *in = &inputs[0];
    const size_t n = (size_t)(region.c1 - region.c0);
    (void)scratch;
    for (int32_t y = region.y0; y < region.y1; y++) {
        int32_t in_y = y - self->before[1];
        if (in_y < 0 || in_y >= in->height) {
            fill(self, output, y, 0, output->width, region.c0, n);
            continue;
        }
        fill(self, output, y, 0, self->before[2], region.c0, n);
        copy_row(self, in, output, y, region);
        fill(self, output, y, self->before[2] + in->width, output->width, region.c0, n);
    }
}

static int32_t clip(int32_t row, int32_t height)
{
    return row < 0 ? 0 : row > height ? height : row;
}

static void input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const pad *self = (const pad *)op;
    (void)index;
    *in_y0 = clip(y0 - self->before[1], self->in_height);
    *in_y1 = clip(y1 - self->before[1], self->in_height);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_pad_class = {
    .name = "pad",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    pad *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    const edgecore_tensor *in = desc->inputs[0];
    for (int32_t i = 0; i < in->rank; i++)
        self->before[edgecore_axis4(i, in->rank)] = desc->params->pad_before[i];
    self->in_height = edgecore_shape4_of(in).dims[1];
    self->xor_row = tier->xor_row;
    self->flip = edgecore_flip_of(in->dtype) ^ edgecore_flip_of(desc->output->dtype);
    self->zero = (uint8_t)desc->output->zero_points[0];
    self->base.klass = &edgecore_pad_class;
    self->base.activation_inputs = 1;
    self->base.channel_step = 16;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
