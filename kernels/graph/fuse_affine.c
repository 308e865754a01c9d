/* A MUL by a constant of one value for each channel, or one for all, and the ADD of such a constant that alone reads it: batch
 * normalisation that no convolution could take in, as behind a concatenation. One operator maps the bytes once. */
#include <stdlib.h>
#include <string.h>

#include "graph/program.h"

/* The activation among the two inputs of a binary node whose other input is a constant; or EDGECORE_NONE. */
static int32_t mapped_input(const edgecore_program *program, const edgecore_program_node *node, edgecore_op_kind kind)
{
    if (node->kind != kind || node->state != EDGECORE_NODE_RUNS || node->input_count != 2)
        return EDGECORE_NONE;
    const bool first = program->tensors[node->inputs[0]].tensor.data, second = program->tensors[node->inputs[1]].tensor.data;
    return first == second ? EDGECORE_NONE : first ? 1 : 0;
}

static bool rewrite(edgecore_program *program, int32_t add, int32_t product)
{
    edgecore_program_node *node = &program->nodes[add];
    const int32_t mul = program->tensors[node->inputs[product]].producer;
    const edgecore_program_node *maker = &program->nodes[mul];
    const int32_t x = mapped_input(program, maker, EDGECORE_MUL);
    if (x == EDGECORE_NONE || edgecore_program_only_user(program, maker->output) != add)
        return true;
    const edgecore_tensor *between = &program->tensors[maker->output].tensor;
    int32_t inputs[3] = {maker->inputs[x], maker->inputs[1 - x], node->inputs[1 - product]};
    edgecore_program_node made = *node;
    made.kind = EDGECORE_AFFINE_CHANNEL;
    made.params.product_activation = maker->params.activation;
    made.params.product_scale = between->scales[0];
    made.params.product_zero_point = between->zero_points[0] + (between->dtype == EDGECORE_INT8 ? 128 : 0);
    made.inputs = inputs;
    made.input_count = 3;
    if (edgecore_program_check(program, &made, NULL) != EDGECORE_OK)
        return true;
    made.inputs = realloc(node->inputs, sizeof inputs);
    if (!made.inputs)
        return false;
    memcpy(made.inputs, inputs, sizeof inputs);
    *node = made;
    program->nodes[mul].state = EDGECORE_NODE_FOLDED;
    return edgecore_program_move_tags(program, mul, add);
}

edgecore_status edgecore_fuse_affine(edgecore_program *program, edgecore_message *message)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        const int32_t product = mapped_input(program, &program->nodes[n], EDGECORE_ADD);
        if (product == EDGECORE_NONE || program->tensors[program->nodes[n].inputs[product]].producer == EDGECORE_NONE)
            continue;
        if (!rewrite(program, n, product))
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    }
    edgecore_program_link(program);
    return EDGECORE_OK;
}
