#include "ops/validate.h"

#include "ops/arithmetic.h"

edgecore_status edgecore_check_description(const edgecore_op_desc *desc, int32_t required, int32_t most,
                                           edgecore_message *message)
{
    if (!desc || !desc->params || !desc->inputs || !desc->output)
        return edgecore_fail(message, EDGECORE_INVALID, "an operator needs parameters, inputs and an output");
    if (desc->input_count < required || desc->input_count > most)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%d inputs; %d to %d are handled", desc->input_count,
                             required, most);
    for (int32_t i = 0; i < required; i++)
        if (!desc->inputs[i])
            return edgecore_fail(message, EDGECORE_INVALID, "input %d is missing", i);
    if (desc->output->data)
        return edgecore_fail(message, EDGECORE_INVALID, "the output is a constant");
    return EDGECORE_OK;
}

edgecore_status edgecore_check_values(const edgecore_tensor *tensor, const char *role, edgecore_message *message)
{
    int32_t height, width, channels;
    if (tensor->dtype != EDGECORE_INT8 && tensor->dtype != EDGECORE_UINT8)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s is neither int8 nor uint8", role);
    if (!edgecore_tensor_layout(tensor, &height, &width, &channels))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s is not of rank 1 to %d, or too large", role,
                             EDGECORE_MAX_RANK);
    if (tensor->scale_count != 1 || !tensor->scales || !tensor->zero_points)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s is not quantised per tensor", role);
    if (!isfinite(tensor->scales[0]) || tensor->scales[0] <= 0.0f)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s has scale %g", role, (double)tensor->scales[0]);
    int32_t low = tensor->dtype == EDGECORE_INT8 ? -128 : 0;
    if (tensor->zero_points[0] < low || tensor->zero_points[0] > low + 255)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s has zero point %d", role, tensor->zero_points[0]);
    return EDGECORE_OK;
}

edgecore_status edgecore_check_activation(const edgecore_tensor *tensor, const char *role, edgecore_message *message)
{
    int32_t height, width, channels;
    edgecore_status status = edgecore_check_values(tensor, role, message);
    if (status == EDGECORE_OK && !edgecore_tensor_hwc(tensor, &height, &width, &channels))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s is not of rank 1 to 4 with batch 1", role);
    return status;
}

edgecore_status edgecore_check_one_to_one(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_description(desc, 1, 1, message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->inputs[0], "the input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->output, "the output", message);
    if (status == EDGECORE_OK && desc->inputs[0]->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the input is a constant");
    return status;
}

edgecore_status edgecore_check_same_quantisation(const edgecore_tensor *a, const edgecore_tensor *b,
                                                 edgecore_message *message)
{
    if (a->scales[0] != b->scales[0] || edgecore_zero_point_u8(a) != edgecore_zero_point_u8(b))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "quantisation differs: scale %g and %g, zero point %d and %d",
                             (double)a->scales[0], (double)b->scales[0], a->zero_points[0], b->zero_points[0]);
    return EDGECORE_OK;
}

bool edgecore_same_dims(const edgecore_tensor *a, const edgecore_tensor *b)
{
    if (a->rank != b->rank)
        return false;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

int64_t edgecore_element_count(const edgecore_tensor *tensor)
{
    int64_t elements = 1;
    for (int32_t i = 0; i < tensor->rank; i++)
        elements *= tensor->dims[i];
    return elements;
}

edgecore_shape4 edgecore_shape4_of(const edgecore_tensor *tensor)
{
    edgecore_shape4 shape = {{1, 1, 1, 1}};
    edgecore_tensor_hwc(tensor, &shape.dims[1], &shape.dims[2], &shape.dims[3]);
    return shape;
}

int32_t edgecore_axis4(int32_t axis, int32_t rank)
{
    if (axis < -rank || axis >= rank)
        return -1;
    if (axis < 0)
        axis += rank;
    /* The first axis is the batch, except of a vector; the others end at the channels. */
    return axis == 0 && rank > 1 ? 0 : axis + 4 - rank;
}

edgecore_status edgecore_check_multiplier(double real, int32_t value_bits, edgecore_message *message)
{
    if (!isfinite(real) || edgecore_quantize_multiplier(real).shift > 31 - value_bits)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "scales are too far apart: a factor of %g", real);
    return EDGECORE_OK;
}
