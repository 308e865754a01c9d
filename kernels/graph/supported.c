/* Whether a node can run: the tensors' own rules first, then the operator's. */
#include "graph/ir.h"

#include <math.h>

int64_t edgecore_tensor_elements(const edgecore_tensor *tensor)
{
    int64_t elements = 1;
    for (int32_t i = 0; i < tensor->rank; i++)
        elements *= tensor->dims[i];
    return elements;
}

static edgecore_status check_dims(const edgecore_tensor *tensor, const char *name, edgecore_message *message)
{
    if (tensor->rank < 0 || tensor->rank > EDGECORE_MAX_RANK)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: rank %d is not in 0..%d", name,
                             (int)tensor->rank, EDGECORE_MAX_RANK);
    int64_t elements = 1;
    for (int32_t i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i] < 1)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: dimension %d is %d", name, (int)i,
                                 (int)tensor->dims[i]);
        elements *= tensor->dims[i];
        /* Offsets, strides and sums of a few tensors then stay far inside 64 bits, and rows inside 32. */
        if (elements > INT32_MAX / 4)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s has more than %d elements", name,
                                 INT32_MAX / 4);
    }
    return EDGECORE_OK;
}

static edgecore_status check_quantisation(const edgecore_tensor *tensor, const char *name, edgecore_message *message)
{
    if (tensor->scale_count < 0 || tensor->scale_count > EDGECORE_MAX_CHANNELS)
        return edgecore_fail(message, EDGECORE_INVALID, "tensor %s: %d scales", name, (int)tensor->scale_count);
    if (tensor->scale_count > 0 && (!tensor->scales || !tensor->zero_points))
        return edgecore_fail(message, EDGECORE_INVALID, "tensor %s: scales or zero points are missing", name);
    if (tensor->scale_count > 1 && !tensor->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: an activation has one scale, not %d", name,
                             (int)tensor->scale_count);
    int32_t low = tensor->dtype == EDGECORE_INT8 ? -128 : 0;
    for (int32_t i = 0; i < tensor->scale_count; i++) {
        if (!isfinite(tensor->scales[i]) || tensor->scales[i] <= 0.0f)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: scale %d is %g", name, (int)i,
                                 (double)tensor->scales[i]);
        if (tensor->dtype != EDGECORE_INT32 &&
            (tensor->zero_points[i] < low || tensor->zero_points[i] > low + 255))
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: zero point %d is outside its type", name,
                                 (int)tensor->zero_points[i]);
    }
    return EDGECORE_OK;
}

edgecore_status edgecore_tensor_check(const edgecore_tensor *tensor, edgecore_message *message)
{
    if (!tensor)
        return edgecore_fail(message, EDGECORE_INVALID, "a tensor is NULL");
    const char *name = tensor->name ? tensor->name : "(unnamed)";
    if (tensor->dtype != EDGECORE_INT8 && tensor->dtype != EDGECORE_UINT8 && tensor->dtype != EDGECORE_INT32)
        return edgecore_fail(message, EDGECORE_INVALID, "tensor %s: unknown type %d", name, (int)tensor->dtype);
    edgecore_status status = check_dims(tensor, name, message);
    return status ? status : check_quantisation(tensor, name, message);
}

static edgecore_status check_activation(const edgecore_tensor *tensor, edgecore_message *message)
{
    const char *name = tensor->name ? tensor->name : "(unnamed)";
    int32_t height, width, channels;
    if (tensor->dtype == EDGECORE_INT32)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: activations are 8-bit, not int32", name);
    if (!edgecore_tensor_layout(tensor, &height, &width, &channels))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %s: not of rank 1 to %d, or too large", name,
                             EDGECORE_MAX_RANK);
    return EDGECORE_OK;
}

edgecore_status edgecore_node_supported(edgecore_op_kind kind, const edgecore_op_params *params,
                                        const edgecore_tensor *const *inputs, int32_t input_count,
                                        const edgecore_tensor *output, edgecore_message *message)
{
    if ((int)kind < 0 || kind >= EDGECORE_OP_KINDS)
        return edgecore_fail(message, EDGECORE_INVALID, "unknown operator %d", (int)kind);
    if (!params || !inputs || !output)
        return edgecore_fail(message, EDGECORE_INVALID, "parameters, inputs or output are NULL");
    if (input_count < 1 || input_count > EDGECORE_MAX_NODE_INPUTS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%d inputs are not in 1..%d", (int)input_count,
                             EDGECORE_MAX_NODE_INPUTS);
    const edgecore_op_class *klass = edgecore_op_class_of(kind);
    if (!klass)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "operator %d is not built in", (int)kind);
    bool has_activation = false;
    for (int32_t i = 0; i < input_count; i++) {
        if (!inputs[i])
            continue;
        edgecore_status status = edgecore_tensor_check(inputs[i], message);
        if (!status && !inputs[i]->data)
            status = check_activation(inputs[i], message);
        if (status)
            return status;
        has_activation = has_activation || !inputs[i]->data;
    }
    if (!has_activation)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s of constants only", klass->name);
    edgecore_status status = edgecore_tensor_check(output, message);
    if (!status && output->data)
        status = edgecore_fail(message, EDGECORE_INVALID, "%s would write a constant", klass->name);
    if (!status)
        status = check_activation(output, message);
    if (status)
        return status;
    const edgecore_op_desc desc = {kind, params, inputs, input_count, output, output->dtype};
    return klass->check(&desc, message);
}
