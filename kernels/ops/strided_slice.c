/* STRIDED_SLICE, and with it SLICE and the parts of a SPLIT: every step-th element of each dim. */
#include "ops/rearrange.h"

extern const edgecore_op_class edgecore_strided_slice_class;

/* The next dim from `i` on that holds more than one element, or the rank. */
static int32_t next_long(const int32_t *dims, int32_t rank, int32_t i)
{
    while (i < rank && dims[i] == 1)
        i++;
    return i;
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_rearranged(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    const edgecore_op_params *p = desc->params;
    for (int32_t i = 0; i < in->rank; i++) {
        const int64_t last = p->begin[i] + ((int64_t)p->size[i] - 1) * p->step[i];
        if (p->size[i] < 1 || p->begin[i] < 0 || p->begin[i] >= in->dims[i] || last < 0 || last >= in->dims[i])
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a slice of %d from %d by %d of %d elements", p->size[i],
                                 p->begin[i], p->step[i], in->dims[i]);
    }
    int32_t i = next_long(p->size, in->rank, 0), o = next_long(out->dims, out->rank, 0);
    while (i < in->rank && o < out->rank && p->size[i] == out->dims[o]) {
        i = next_long(p->size, in->rank, i + 1);
        o = next_long(out->dims, out->rank, o + 1);
    }
    if (i < in->rank || o < out->rank)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the slice does not have the output's shape");
    return EDGECORE_OK;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const struct edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    const edgecore_op_params *p = desc->params;
    edgecore_rearrangement how = {{0}, {0}, {0}};
    for (int32_t i = 0; i < in->rank; i++)
        how.begin[i] = p->begin[i];
    int32_t i = next_long(p->size, in->rank, 0);
    for (int32_t o = next_long(out->dims, out->rank, 0); o < out->rank; o = next_long(out->dims, out->rank, o + 1)) {
        how.in_dim[o] = i;
        how.step[o] = p->step[i];
        i = next_long(p->size, in->rank, i + 1);
    }
    return edgecore_rearrange_prepare(&edgecore_strided_slice_class, desc, tier, &how, op, message);
}

const edgecore_op_class edgecore_strided_slice_class = {
    .name = "strided_slice",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_rearrange_destroy,
    .run = edgecore_rearrange_run,
    .input_rows = NULL,
};
