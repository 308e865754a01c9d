/* MEAN over any axes. The reference folds 1 / count into the output multiplier, which costs some of its bits; the same
 * is done here, and the order of the sums does not matter. */
#include <stdlib.h>
#include <string.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct mean {
    edgecore_op base;
    const edgecore_tier *tier;
    int32_t in[3], kept[3]; /* height, width, channels; a reduced one keeps 1 */
    int32_t count;
    uint8_t flip_in, flip_out;
    int32_t zero_in, zero_out;
    edgecore_multiplier multiplier;
} mean;

/* Marks the reduced ones of [batch, height, width, channels]; false where an axis is out of range. */
static bool reduced_axes(const edgecore_op_desc *desc, bool reduced[4])
{
    const edgecore_op_params *p = desc->params;
    memset(reduced, 0, 4 * sizeof *reduced);
    if (p->axis_count < 1 || p->axis_count > EDGECORE_MAX_RANK)
        return false;
    for (int32_t i = 0; i < p->axis_count; i++) {
        int32_t axis = edgecore_axis4(p->axes[i], desc->inputs[0]->rank);
        if (axis < 0)
            return false;
        reduced[axis] = true;
    }
    return true;
}

static edgecore_status check_output(const edgecore_op_desc *desc, const bool reduced[4], edgecore_message *message)
{
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    int32_t rank = 0, dims[EDGECORE_MAX_RANK];
    for (int32_t i = 0; i < in->rank; i++) {
        if (!reduced[edgecore_axis4(i, in->rank)])
            dims[rank++] = in->dims[i];
        else if (desc->params->keep_dims)
            dims[rank++] = 1;
    }
    if (rank != out->rank || memcmp(dims, out->dims, (size_t)rank * sizeof *dims) != 0)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the mean's axes do not give its output's shape");
    return EDGECORE_OK;
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    bool reduced[4];
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    if (!reduced_axes(desc, reduced))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the mean's axes are out of range");
    if (edgecore_element_count(desc->inputs[0]) / edgecore_element_count(desc->output) > INT32_MAX / 256)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the mean is over too many elements for 32-bit sums");
    status = check_output(desc, reduced, message);
    if (status != EDGECORE_OK)
        return status;
    /* The left shift left after 1 / count is at most what keeps a whole sum within 32 bits. */
    return edgecore_check_multiplier((double)desc->inputs[0]->scales[0] / (double)desc->output->scales[0], 9, message);
}

static edgecore_multiplier mean_multiplier(const edgecore_op_desc *desc, int32_t count)
{
    edgecore_multiplier m =
        edgecore_quantize_multiplier((double)desc->inputs[0]->scales[0] / (double)desc->output->scales[0]);
    int32_t shift = 31 - __builtin_clz((uint32_t)count);
    if (shift > 31 + m.shift)
        shift = 31 + m.shift;
    m.multiplier = (int32_t)(((int64_t)m.multiplier << shift) / count);
    m.shift -= shift;
    return m;
}

static uint8_t mean_byte(const mean *self, int32_t sum)
{
    int32_t value = edgecore_rescale(sum - self->zero_in * self->count, self->multiplier);
    return edgecore_clamp_u8(value + self->zero_out, 0, 255) ^ self->flip_out;
}

static void destroy(edgecore_op *op)
{
    free(op);
}

/* Channels stay, the map goes: sums of whole pixels. */
static void run_over_map(const mean *self, const edgecore_view *in, const edgecore_view *output,
                         edgecore_region region, int32_t *sums)
{
    size_t n = (size_t)(region.c1 - region.c0);
    memset(sums, 0, n * sizeof *sums);
    const bool one_run = in->row_stride == in->pixel_stride * in->width;
    const size_t pixels = (size_t)in->width * (size_t)(one_run ? in->height : 1);
    for (int32_t y = 0; y < (one_run ? 1 : in->height); y++)
        self->tier->sum_rows(sums, edgecore_view_at(in, y, 0, region.c0), in->pixel_stride, pixels, n, self->flip_in);
    uint8_t *out = edgecore_view_at(output, 0, 0, region.c0);
    for (size_t i = 0; i < n; i++)
        out[i] = mean_byte(self, sums[i]);
}

static int32_t sum_of(const mean *self, const edgecore_view *in, int32_t y, int32_t x, int32_t c)
{
    int32_t y1 = self->kept[0] == 1 ? self->in[0] : y + 1;
    int32_t x1 = self->kept[1] == 1 ? self->in[1] : x + 1;
    int32_t c1 = self->kept[2] == 1 ? self->in[2] : c + 1;
    int32_t sum = 0;
    for (int32_t in_y = y; in_y < y1; in_y++)
        for (int32_t in_x = x; in_x < x1; in_x++)
            for (int32_t in_c = c; in_c < c1; in_c++)
                sum += *edgecore_view_at(in, in_y, in_x, in_c) ^ self->flip_in;
    return sum;
}

/* Any axes. The kept ones follow each other in the output in the input's order, whatever height, width and channels
 * a dropped axis makes of them there. */
static void run_over_axes(const mean *self, const edgecore_view *in, const edgecore_view *output)
{
    int32_t out_y = 0, out_x = 0, out_c = 0;
    for (int32_t y = 0; y < self->kept[0]; y++) {
        for (int32_t x = 0; x < self->kept[1]; x++) {
            for (int32_t c = 0; c < self->kept[2]; c++) {
                *edgecore_view_at(output, out_y, out_x, out_c) = mean_byte(self, sum_of(self, in, y, x, c));
                if (++out_c == output->channels) {
                    out_c = 0;
                    if (++out_x == output->width) {
                        out_x = 0;
                        out_y++;
                    }
                }
            }
        }
    }
}

static bool over_map(const mean *self)
{
    return self->kept[0] == 1 && self->kept[1] == 1 && self->kept[2] == self->in[2];
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const mean *self = (const mean *)op;
    if (over_map(self))
        run_over_map(self, &inputs[0], output, region, scratch);
    else
        run_over_axes(self, &inputs[0], output);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_mean_class = {
    .name = "mean",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = NULL,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    mean *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    bool reduced[4];
    reduced_axes(desc, reduced);
    edgecore_shape4 in = edgecore_shape4_of(desc->inputs[0]);
    self->count = 1;
    for (int32_t i = 0; i < 3; i++) {
        self->in[i] = in.dims[i + 1];
        self->kept[i] = reduced[i + 1] ? 1 : in.dims[i + 1];
        if (reduced[i + 1])
            self->count *= in.dims[i + 1];
    }
    self->tier = tier;
    self->flip_in = edgecore_flip_of(desc->inputs[0]->dtype);
    self->flip_out = edgecore_flip_of(desc->output->dtype);
    self->zero_in = edgecore_zero_point_u8(desc->inputs[0]);
    self->zero_out = edgecore_zero_point_u8(desc->output);
    self->multiplier = mean_multiplier(desc, self->count);
    self->base.klass = &edgecore_mean_class;
    self->base.activation_inputs = 1;
    if (over_map(self)) {
        self->base.channel_step = 64;
        self->base.scratch_bytes = (size_t)self->in[2] * sizeof(int32_t);
    }
    *op = &self->base;
    return EDGECORE_OK;
}
