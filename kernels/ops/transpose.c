/* TRANSPOSE: any order of any number of dims. */
#include "ops/rearrange.h"

extern const edgecore_op_class edgecore_transpose_class;

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_rearranged(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    const edgecore_op_params *p = desc->params;
    bool seen[EDGECORE_MAX_RANK] = {false};
    if (p->axis_count != in->rank || out->rank != in->rank)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "an order of %d dims for one of %d", p->axis_count, in->rank);
    for (int32_t i = 0; i < in->rank; i++) {
        const int32_t axis = p->axes[i];
        if (axis < 0 || axis >= in->rank || seen[axis] || out->dims[i] != in->dims[axis])
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the order of dims does not give the output's shape");
        seen[axis] = true;
    }
    return EDGECORE_OK;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const struct edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    edgecore_rearrangement how = {{0}, {0}, {0}};
    for (int32_t i = 0; i < desc->output->rank; i++) {
        how.in_dim[i] = desc->params->axes[i];
        how.step[i] = 1;
    }
    return edgecore_rearrange_prepare(&edgecore_transpose_class, desc, tier, &how, op, message);
}

const edgecore_op_class edgecore_transpose_class = {
    .name = "transpose",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_rearrange_destroy,
    .run = edgecore_rearrange_run,
    .input_rows = NULL,
};
