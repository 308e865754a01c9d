/* FULLY_CONNECTED: OI weights, one scale or one per unit. The input is either one vector, whatever its shape,
 * or a map whose pixels are the vectors; both are a 1x1 convolution. */
#include <stdlib.h>
#include <string.h>

#include "ops/gemm_driver.h"
#include "ops/validate.h"
#include "ops/view.h"

extern const edgecore_op_class edgecore_fully_connected_class;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_weighted(desc, 2, 0, true, message);
    if (status != EDGECORE_OK)
        return status;
    const int32_t units = desc->inputs[1]->dims[0], depth = desc->inputs[1]->dims[1];
    int32_t height, width, channels, out_height, out_width, out_channels;
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &channels);
    edgecore_tensor_hwc(desc->output, &out_height, &out_width, &out_channels);
    if ((unsigned)desc->params->activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)desc->params->activation);
    if (desc->inputs[1]->scale_count > 1 && desc->output->rank > 2)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED,
                             "one scale per unit and an output of rank %d, of which the reference writes only a part",
                             desc->output->rank);
    const bool one_vector = edgecore_element_count(desc->inputs[0]) == depth;
    if (!one_vector && channels != depth)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "weights of depth %d for an input of %d channels", depth,
                             channels);
    if (out_channels != units || (one_vector ? out_height * out_width != 1 : out_height != height || out_width != width))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "an output of %dx%dx%d for %d units", out_height, out_width,
                             out_channels, units);
    return EDGECORE_OK;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    edgecore_window window = {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
    int32_t channels;
    edgecore_tensor_hwc(desc->output, &window.out_h, &window.out_w, &channels);
    window.in_h = window.out_h;
    window.in_w = window.out_w;
    edgecore_int8_weights weights;
    edgecore_status status = edgecore_make_int8_weights(desc->inputs[1], desc->inputs[1]->dims[0], &weights, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_gemm_layer layer = {
        .window = window,
        .in_channels = desc->inputs[1]->dims[1],
        .out_channels = channels,
        .groups = 1,
        .parts = weights.parts,
        .weights = weights.data,
        /* The reference computes the scale of all units in float, those of single units in double. */
        .float_scale_product = desc->inputs[1]->scale_count == 1,
    };
    status = edgecore_gemm_prepare(&edgecore_fully_connected_class, desc, &layer, tier, op, message);
    free(weights.memory);
    if (status == EDGECORE_OK)
        (*op)->scratch_bytes += (size_t)edgecore_element_count(desc->inputs[0]) + EDGECORE_SLACK;
    return status;
}

/* The input as pixels of `depth` bytes; copied behind the driver's scratch where it lies with gaps. */
static edgecore_view as_vectors(const edgecore_gemm_op *op, const edgecore_view *input, uint8_t *scratch)
{
    const int32_t height = op->window.in_h, width = op->window.in_w, depth = (int32_t)op->pixel_bytes;
    const ptrdiff_t row_bytes = (ptrdiff_t)input->width * input->channels;
    edgecore_view view = *input;
    if (input->height == height && input->width == width && input->channels == depth)
        return view;
    const bool dense = edgecore_view_dense(input) && (input->height == 1 || input->row_stride == row_bytes);
    if (!dense) {
        uint8_t *to = scratch;
        for (int32_t y = 0; y < input->height; y++)
            for (int32_t x = 0; x < input->width; x++, to += input->channels)
                memcpy(to, edgecore_view_at(input, y, x, 0), (size_t)input->channels);
        view.data = scratch;
    }
    view.height = height;
    view.width = width;
    view.channels = depth;
    view.first_row = 0;
    view.pixel_stride = depth;
    view.row_stride = (ptrdiff_t)width * depth;
    return view;
}

static void run(const edgecore_op *base, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const edgecore_gemm_op *op = (const edgecore_gemm_op *)base;
    const edgecore_view vectors = as_vectors(op, inputs, (uint8_t *)scratch + op->driver_scratch);
    edgecore_gemm_run(base, &vectors, output, region, scratch);
}

const edgecore_op_class edgecore_fully_connected_class = {
    .name = "fully_connected",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_gemm_destroy,
    .run = run,
};
