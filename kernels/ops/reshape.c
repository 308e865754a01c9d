/* RESHAPE as a copy, for where the graph cannot let two tensors share their bytes. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/rearrange.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct reshape {
    edgecore_op base;
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    uint8_t flip; /* from the input's storage to the output's */
} reshape;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_rearranged(desc, message);
    if (status == EDGECORE_OK && edgecore_element_count(desc->inputs[0]) != edgecore_element_count(desc->output))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "reshaping changes the number of elements");
    return status;
}

static void destroy(edgecore_op *op)
{
    free(op);
}

/* Elements [from, from + n) of the dense order, which may lie in several pixels of the input. */
static void copy_elements(const reshape *self, uint8_t *out, const edgecore_view *in, int64_t from, int64_t n)
{
    int64_t channels = in->channels;
    while (n > 0) {
        int64_t pixel = from / channels, channel = from % channels;
        int32_t y = (int32_t)(pixel / in->width), x = (int32_t)(pixel % in->width);
        int64_t row = edgecore_view_dense(in) ? channels * in->width - x * channels - channel : channels - channel;
        int64_t run = row < n ? row : n;
        self->xor_row(out, edgecore_view_at(in, y, x, (int32_t)channel), (size_t)run, self->flip);
        out += run;
        from += run;
        n -= run;
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const reshape *self = (const reshape *)op;
    (void)scratch;
    int64_t n = region.c1 - region.c0, columns = output->width;
    if (n == output->channels && edgecore_view_dense(output)) {
        n *= columns;
        columns = 1;
    }
    for (int32_t y = region.y0; y < region.y1; y++)
        for (int32_t x = 0; x < columns; x++)
            copy_elements(self, edgecore_view_at(output, y, x, region.c0), &inputs[0],
                          ((int64_t)y * output->width + x) * output->channels + region.c0, n);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_reshape_class = {
    .name = "reshape",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = NULL,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    reshape *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->xor_row = tier->xor_row;
    self->flip = edgecore_flip_of(desc->inputs[0]->dtype) ^ edgecore_flip_of(desc->output->dtype);
    self->base.klass = &edgecore_reshape_class;
    self->base.activation_inputs = 1;
    self->base.channel_step = 64;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
