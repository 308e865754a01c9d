#include "ops/resize.h"

#include "ops/validate.h"

edgecore_resize_axis edgecore_resize_axis_of(const edgecore_op_desc *desc, int32_t axis)
{
    return (edgecore_resize_axis){
        .in = desc->inputs[0]->dims[1 + axis],
        .out = desc->output->dims[1 + axis],
        .align_corners = desc->params->align_corners,
        .half_pixel_centers = desc->params->half_pixel_centers,
    };
}

edgecore_status edgecore_check_resize(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    if (in->rank != 4 || out->rank != 4 || in->dims[3] != out->dims[3])
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a resize of other axes than height and width");
    if (desc->params->align_corners && desc->params->half_pixel_centers)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a resize with aligned corners and half pixel centres");
    return edgecore_check_same_quantisation(in, out, message);
}
