/* CONV_2D: OHWI weights, int8 per channel or per tensor or uint8, any kernel, stride, dilation and padding; grouped where the weights'
 * depth divides the input's. */
#include <stdlib.h>

#include "ops/gemm_driver.h"
#include "ops/winograd.h"

extern const edgecore_op_class edgecore_conv_2d_class;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_weighted(desc, 4, 0, true, message);
    if (status != EDGECORE_OK)
        return status;
    const int32_t *dims = desc->inputs[1]->dims;
    int32_t height, width, in_channels, out_channels;
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &in_channels);
    edgecore_tensor_hwc(desc->output, &height, &width, &out_channels);
    if (dims[0] != out_channels)
        return edgecore_fail(message, EDGECORE_INVALID, "%d filters for %d output channels", dims[0], out_channels);
    if (in_channels % dims[3] != 0 || out_channels % (in_channels / dims[3]) != 0)
        return edgecore_fail(message, EDGECORE_INVALID, "filters of depth %d do not divide %d input and %d output channels",
                             dims[3], in_channels, out_channels);
    return edgecore_check_window(desc, message);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    int32_t height, width;
    edgecore_int8_weights weights;
    edgecore_status status = edgecore_make_int8_weights(desc->inputs[1], desc->inputs[1]->dims[0], &weights, message);
    if (status != EDGECORE_OK)
        return status;
    edgecore_gemm_layer layer = {
        .window = edgecore_window_of(desc),
        .parts = weights.parts,
        .weights = weights.data,
        /* The reference computes the one scale of uint8 weights in float, those of int8 weights in double. */
        .float_scale_product = desc->inputs[1]->dtype == EDGECORE_UINT8,
    };
    edgecore_tensor_hwc(desc->inputs[0], &height, &width, &layer.in_channels);
    edgecore_tensor_hwc(desc->output, &height, &width, &layer.out_channels);
    layer.groups = layer.in_channels / desc->inputs[1]->dims[3];
    status = edgecore_winograd_prepare(desc, &layer, tier, op, message);
    if (status == EDGECORE_UNSUPPORTED)
        status = edgecore_gemm_prepare(&edgecore_conv_2d_class, desc, &layer, tier, op, message);
    free(weights.memory);
    return status;
}

const edgecore_op_class edgecore_conv_2d_class = {
    .name = "conv_2d",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_gemm_destroy,
    .run = edgecore_gemm_run,
    .input_rows = edgecore_gemm_input_rows,
};
