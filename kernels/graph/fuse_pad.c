/* PAD folded into the operator behind it: its rows and columns become that operator's own padding.
 *
 * A convolution's padding counts as the input's zero point, and that is what an 8-bit PAD writes, so both sum the same
 * products. A max pool ignores its padding; that gives the same maximum where no value lies below the zero point
 * (the zero point is the type's least value, or a ReLU made the tensor) and each window meets a real element. */
#include "graph/program.h"

static bool pads_only_rows_and_columns(const edgecore_program *program, const edgecore_program_node *pad)
{
    const edgecore_op_params *params = &pad->params;
    if (program->tensors[pad->output].tensor.rank != 4 || program->tensors[pad->output].tensor.scale_count != 1)
        return false;
    if (params->pad_before[0] || params->pad_after[0] || params->pad_before[3] || params->pad_after[3])
        return false;
    return params->pad_before[1] >= 0 && params->pad_after[1] >= 0 && params->pad_before[2] >= 0 &&
           params->pad_after[2] >= 0;
}

static bool never_below_zero_point(const edgecore_program *program, int32_t tensor)
{
    const edgecore_program_tensor *read = &program->tensors[tensor];
    if (read->tensor.zero_points[0] == (read->tensor.dtype == EDGECORE_UINT8 ? 0 : -128))
        return true;
    if (read->producer == EDGECORE_NONE)
        return false;
    const edgecore_program_node *maker = &program->nodes[read->producer];
    switch (maker->kind) {
    case EDGECORE_RELU:
    case EDGECORE_RELU6:
        return true;
    case EDGECORE_CONV_2D:
    case EDGECORE_DEPTHWISE_CONV_2D:
    case EDGECORE_ADD:
        return maker->params.activation == EDGECORE_ACT_RELU || maker->params.activation == EDGECORE_ACT_RELU6;
    default:
        return false;
    }
}

/* Every window of the padded pool, along one axis, holds at least one element that is no padding. */
static bool windows_meet(int32_t before, int32_t size, int32_t out, int32_t stride, int32_t filter)
{
    return before < filter && (int64_t)(out - 1) * stride < (int64_t)before + size;
}

static bool can_fold(const edgecore_program *program, const edgecore_program_node *pad,
                     const edgecore_program_node *user)
{
    const edgecore_op_params *pads = &pad->params, *own = &user->params;
    const edgecore_program_tensor *input = &program->tensors[pad->inputs[0]];
    const edgecore_program_tensor *output = &program->tensors[user->output];
    if (user->inputs[0] != pad->output)
        return false;
    if (user->kind == EDGECORE_CONV_2D || user->kind == EDGECORE_DEPTHWISE_CONV_2D)
        return true;
    return user->kind == EDGECORE_MAX_POOL_2D && never_below_zero_point(program, pad->inputs[0]) &&
           windows_meet(own->pad_top + pads->pad_before[1], input->height, output->height, own->stride_h,
                        own->filter_h) &&
           windows_meet(own->pad_left + pads->pad_before[2], input->width, output->width, own->stride_w,
                        own->filter_w);
}

static void add_padding(edgecore_program_node *user, const edgecore_program_node *pad)
{
    user->params.pad_top += pad->params.pad_before[1];
    user->params.pad_bottom += pad->params.pad_after[1];
    user->params.pad_left += pad->params.pad_before[2];
    user->params.pad_right += pad->params.pad_after[2];
    user->inputs[0] = pad->inputs[0];
}

static bool reads(const edgecore_program_node *node, int32_t tensor)
{
    for (int32_t i = 0; i < node->input_count; i++)
        if (node->state != EDGECORE_NODE_FOLDED && node->inputs[i] == tensor)
            return true;
    return false;
}

/* All users take the padding on, or none: then the padded tensor is needed anyway. */
static bool fold(edgecore_program *program, int32_t n)
{
    edgecore_program_node *pad = &program->nodes[n];
    int32_t first = EDGECORE_NONE, users = 0;
    for (int32_t u = n + 1; u < program->node_count; u++) {
        edgecore_program_node *user = &program->nodes[u];
        if (!reads(user, pad->output))
            continue;
        if (!can_fold(program, pad, user))
            return true;
        const edgecore_op_params before = user->params;
        add_padding(user, pad);
        bool takes = edgecore_program_check(program, user, NULL) == EDGECORE_OK;
        user->params = before;
        user->inputs[0] = pad->output;
        if (!takes)
            return true;
        first = first == EDGECORE_NONE ? u : first;
        users++;
    }
    if (users == 0 || users != program->tensors[pad->output].uses)
        return true;
    for (int32_t u = n + 1; u < program->node_count; u++)
        if (reads(&program->nodes[u], pad->output))
            add_padding(&program->nodes[u], pad);
    pad->state = EDGECORE_NODE_FOLDED;
    return edgecore_program_move_tags(program, n, first);
}

edgecore_status edgecore_fuse_pad(edgecore_program *program, edgecore_message *message)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        if (node->kind != EDGECORE_PAD || program->tensors[node->output].is_output ||
            !pads_only_rows_and_columns(program, node) ||
            !edgecore_same_quantisation(&program->tensors[node->inputs[0]].tensor,
                                        &program->tensors[node->output].tensor))
            continue;
        if (!fold(program, n))
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
        edgecore_program_link(program);
    }
    return EDGECORE_OK;
}
