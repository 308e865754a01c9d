/* A runtime's tensor as the engine's tensor. */
#include "ops/op.h"
#include "tflite/node.h"

bool edgecore_tfl_is_constant(const tfl_tensor *tensor)
{
    return (tensor->allocation == TFL_ALLOC_MMAP || tensor->allocation == TFL_ALLOC_PERSISTENT) && tensor->data;
}

static bool dtype_of(int type, edgecore_dtype *dtype)
{
    switch (type) {
    case TFL_INT8: *dtype = EDGECORE_INT8; return true;
    case TFL_UINT8: *dtype = EDGECORE_UINT8; return true;
    case TFL_INT32: *dtype = EDGECORE_INT32; return true;
    default: return false;
    }
}

static size_t element_bytes(edgecore_dtype dtype)
{
    return dtype == EDGECORE_INT32 ? 4 : 1;
}

static edgecore_status parse_quantisation(const tfl_tensor *tensor, edgecore_tensor *parsed, edgecore_message *message)
{
    if (tensor->quantisation.type != TFL_AFFINE_QUANTISATION)
        return EDGECORE_OK;
    const tfl_affine *affine = tensor->quantisation.params;
    if (!affine || !affine->scale || affine->scale->size < 1)
        return EDGECORE_OK;
    if (!affine->zero_point || affine->zero_point->size != affine->scale->size)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "scales and zero points differ in number");
    parsed->scale_count = affine->scale->size;
    parsed->scales = affine->scale->data;
    parsed->zero_points = affine->zero_point->data;
    return EDGECORE_OK;
}

edgecore_status edgecore_tfl_parse_tensor(const tfl_tensor *tensor, edgecore_tensor *parsed,
                                          edgecore_message *message)
{
    *parsed = (edgecore_tensor){.name = tensor->name};
    if (tensor->type == TFL_FLOAT32)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a float tensor");
    if (!dtype_of(tensor->type, &parsed->dtype))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a tensor of type %d", tensor->type);
    if (tensor->variable)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a variable tensor");
    if (tensor->sparsity)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a sparse tensor");
    if (tensor->allocation == TFL_ALLOC_DYNAMIC || !tensor->dims)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a shape that is not known before the run");
    if (tensor->dims->size < 0 || tensor->dims->size > EDGECORE_MAX_RANK)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a tensor of rank %d", tensor->dims->size);
    parsed->rank = tensor->dims->size;
    size_t elements = 1;
    for (int i = 0; i < tensor->dims->size; i++) {
        const int n = tensor->dims->data[i];
        if (n < 1 || (size_t)n > INT32_MAX / elements)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "dimension %d is %d", i, n);
        parsed->dims[i] = n;
        elements *= (size_t)n;
    }
    if (edgecore_tfl_is_constant(tensor)) {
        if (parsed->rank == 0) { /* a number: what it is broadcast to has a rank of its own */
            parsed->rank = 1;
            parsed->dims[0] = 1;
        }
        if (tensor->bytes < elements * element_bytes(parsed->dtype))
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a constant shorter than its shape");
        parsed->data = tensor->data;
    }
    return parse_quantisation(tensor, parsed, message);
}

bool edgecore_tfl_scales_along_outputs(const tfl_tensor *tensor, edgecore_op_kind kind, int32_t input)
{
    if (tensor->quantisation.type != TFL_AFFINE_QUANTISATION || !tensor->quantisation.params)
        return true;
    const tfl_affine *affine = tensor->quantisation.params;
    if (!affine->scale || affine->scale->size <= 1)
        return true;
    if (kind != EDGECORE_CONV_2D && kind != EDGECORE_DEPTHWISE_CONV_2D && kind != EDGECORE_FULLY_CONNECTED &&
        kind != EDGECORE_TRANSPOSE_CONV)
        return false;
    if (input < 1)
        return false;
    return affine->dimension == (kind == EDGECORE_DEPTHWISE_CONV_2D && input == 1 ? 3 : 0);
}
