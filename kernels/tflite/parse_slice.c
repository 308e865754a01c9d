/* SLICE, STRIDED_SLICE, SPLIT and SPLIT_V: the engine has one operator for all, which makes one output. */
#include "tflite/parse.h"

/* Begins and steps of all of x's dims before they are filled in: all of x. The runtime has computed the sizes. */
static edgecore_status begin_slice(const edgecore_tfl_source *from, int x_position, edgecore_op_params *params)
{
    const tfl_tensor *x = edgecore_tfl_input_at(from, x_position);
    if (!x || !x->dims || x->dims->size < 1 || x->dims->size > EDGECORE_MAX_RANK)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a slice of a tensor of an unusual rank");
    for (int i = 0; i < EDGECORE_MAX_RANK; i++) {
        params->begin[i] = 0;
        params->step[i] = 1;
    }
    return EDGECORE_OK;
}

edgecore_status edgecore_tfl_parse_slice(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    int64_t begin[EDGECORE_MAX_RANK], size[EDGECORE_MAX_RANK];
    const edgecore_status status = begin_slice(from, 0, params);
    if (status)
        return status;
    const tfl_ints *dims = edgecore_tfl_input_at(from, 0)->dims;
    if (edgecore_tfl_read_integers(from, 1, EDGECORE_MAX_RANK, begin) != dims->size ||
        edgecore_tfl_read_integers(from, 2, EDGECORE_MAX_RANK, size) != dims->size)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a slice that is not known before the run");
    for (int i = 0; i < dims->size; i++)
        params->begin[i] = begin[i] >= 0 && begin[i] < dims->data[i] ? (int32_t)begin[i] : dims->data[i];
    return EDGECORE_OK;
}

/* A begin as the reference bends it: from the end where it is negative, and no further out than one element. */
static int32_t bent_begin(int64_t begin, int32_t size, int64_t step)
{
    if (begin < 0)
        begin += size;
    const int64_t least = step > 0 ? 0 : -1, most = step > 0 ? size : size - 1;
    return (int32_t)(begin < least ? least : begin > most ? most : begin);
}

edgecore_status edgecore_tfl_parse_strided_slice(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_strided_slice_params *given = from->node->builtin;
    int64_t begin[EDGECORE_MAX_RANK], end[EDGECORE_MAX_RANK], step[EDGECORE_MAX_RANK];
    const edgecore_status status = begin_slice(from, 0, params);
    if (status)
        return status;
    const tfl_ints *dims = edgecore_tfl_input_at(from, 0)->dims;
    const int count = edgecore_tfl_read_integers(from, 1, dims->size, begin);
    if (count < 1 || edgecore_tfl_read_integers(from, 2, dims->size, end) != count ||
        edgecore_tfl_read_integers(from, 3, dims->size, step) != count)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a slice that is not known before the run");
    if (given->ellipsis_mask || given->new_axis_mask)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a slice with an ellipsis or new axes");
    from->parsed->dropped_axes = given->shrink_axis_mask;
    for (int i = 0; i < count; i++) {
        if (step[i] == 0 || step[i] < -INT16_MAX || step[i] > INT16_MAX)
            return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a slice in steps of %d", (int)step[i]);
        if (step[i] < 0 && given->shrink_axis_mask >> i & 1) /* the reference then writes nothing */
            return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a dropped axis that is walked backwards");
        params->step[i] = given->shrink_axis_mask >> i & 1 ? 1 : (int32_t)step[i];
        if (given->begin_mask >> i & 1)
            params->begin[i] = step[i] > 0 ? 0 : dims->data[i] - 1;
        else
            params->begin[i] = bent_begin(begin[i], dims->data[i], step[i]);
    }
    return EDGECORE_OK;
}

/* Whether the outputs are all of x along the axis: the runtime does not ask, and then its parts are no slices. */
static bool parts_cover(const edgecore_tfl_source *from, const tfl_ints *x, int axis)
{
    const tfl_ints *outputs = from->node->outputs;
    int64_t extent = 0;
    for (int i = 0; i < outputs->size; i++) {
        const int index = outputs->data[i];
        const bool exists = index >= 0 && (size_t)index < from->context->tensors_size;
        const tfl_ints *dims = exists ? from->context->tensors[index].dims : NULL;
        if (!dims || dims->size != x->size)
            return false;
        extent += dims->data[axis];
    }
    return extent == x->data[axis];
}

/* Outputs lie behind each other along the axis that input `axis_position` says. */
static edgecore_status parse_parts(const edgecore_tfl_source *from, int x_position, int axis_position,
                                   edgecore_op_params *params)
{
    int64_t axis;
    const edgecore_status status = begin_slice(from, x_position, params);
    if (status)
        return status;
    const tfl_ints *x = edgecore_tfl_input_at(from, x_position)->dims;
    const int rank = x->size;
    if (edgecore_tfl_read_integers(from, axis_position, 1, &axis) != 1 || axis < -rank || axis >= rank)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an axis that is not known before the run");
    from->parsed->inputs += x_position;
    from->parsed->split_axis = (int32_t)(axis < 0 ? axis + rank : axis);
    if (!parts_cover(from, x, from->parsed->split_axis))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "parts that are not all of their input");
    return EDGECORE_OK;
}

edgecore_status edgecore_tfl_parse_split(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    return parse_parts(from, 1, 0, params);
}

edgecore_status edgecore_tfl_parse_split_v(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    return parse_parts(from, 0, 2, params);
}

/* Sizes of a slice are its output's dims; axes that the slice drops stand for one element. */
static void set_slice_sizes(const tfl_ints *in, const tfl_ints *out, int dropped, edgecore_op_params *params)
{
    for (int i = 0, o = 0; i < in->size && i < EDGECORE_MAX_RANK; i++)
        params->size[i] = dropped >> i & 1 ? 1 : o < out->size ? out->data[o++] : 1;
}

/* Elements of a split's outputs before one of them, along the axis; past any tensor's end where they do not fit. */
static int32_t extent_before(const tfl_tensor *tensors, const edgecore_tfl_node *node, int32_t index)
{
    int64_t extent = 0;
    for (int32_t i = 0; i < index && extent < INT32_MAX; i++) {
        const tfl_ints *dims = tensors[node->outputs[i]].dims;
        extent += node->split_axis < dims->size ? dims->data[node->split_axis] : INT32_MAX;
    }
    return (int32_t)(extent < INT32_MAX ? extent : INT32_MAX);
}

edgecore_op_params edgecore_tfl_params_of(const tfl_context *context, const edgecore_tfl_node *node, int32_t index)
{
    edgecore_op_params params = node->params;
    if (node->kind != EDGECORE_STRIDED_SLICE)
        return params;
    const tfl_tensor *tensors = context->tensors;
    set_slice_sizes(tensors[node->inputs[0]].dims, tensors[node->outputs[index]].dims, node->dropped_axes, &params);
    if (node->split_axis >= 0)
        params.begin[node->split_axis] = extent_before(tensors, node, index);
    return params;
}
