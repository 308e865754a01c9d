/* Swish: a MUL of a tensor with its own LOGISTIC maps each byte by itself, so that both are one table, which may then
 * join the convolution before it. */
#include "graph/program.h"

/* The LOGISTIC that makes input `gate` of a MUL from the other input, for this MUL alone; or EDGECORE_NONE. */
static int32_t own_logistic(const edgecore_program *program, int32_t mul, int32_t gate)
{
    const edgecore_program_node *node = &program->nodes[mul];
    const int32_t maker = program->tensors[node->inputs[gate]].producer;
    if (maker == EDGECORE_NONE || program->nodes[maker].kind != EDGECORE_LOGISTIC ||
        program->nodes[maker].inputs[0] != node->inputs[1 - gate] ||
        edgecore_program_only_user(program, node->inputs[gate]) != mul)
        return EDGECORE_NONE;
    return maker;
}

static bool rewrite(edgecore_program *program, int32_t mul, int32_t logistic)
{
    edgecore_program_node *node = &program->nodes[mul];
    edgecore_program_node made = *node;
    made.kind = EDGECORE_SWISH;
    made.input_count = 1;
    const int32_t first = node->inputs[0];
    made.inputs[0] = program->nodes[logistic].inputs[0];
    if (edgecore_program_check(program, &made, NULL) != EDGECORE_OK) {
        node->inputs[0] = first;
        return true;
    }
    *node = made;
    program->nodes[logistic].state = EDGECORE_NODE_FOLDED;
    return edgecore_program_move_tags(program, logistic, mul);
}

edgecore_status edgecore_fuse_swish(edgecore_program *program, edgecore_message *message)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        if (node->kind != EDGECORE_MUL || node->state != EDGECORE_NODE_RUNS || node->input_count != 2)
            continue;
        int32_t logistic = own_logistic(program, n, 1);
        logistic = logistic == EDGECORE_NONE ? own_logistic(program, n, 0) : logistic;
        if (logistic == EDGECORE_NONE)
            continue;
        if (!rewrite(program, n, logistic))
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
        edgecore_program_link(program);
    }
    return EDGECORE_OK;
}
