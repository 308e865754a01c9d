/* A residual block's end: the addition with the convolution that feeds it, with the other branch's convolution too
 * where that is a projection, and with an activation behind it. The sum is made while the products are in cache. */
#include "graph/fuse.h"

edgecore_status edgecore_fuse_residual(edgecore_program *program, int32_t add)
{
    const edgecore_program_node *node = &program->nodes[add];
    if (node->state != EDGECORE_NODE_RUNS || !edgecore_is_plain_add(program, node))
        return EDGECORE_OK;
    edgecore_candidate block = {.count = 0};
    int32_t convs = 0;
    for (int32_t i = 0; i < 2; i++)
        if (edgecore_program_only_user(program, node->inputs[i]) == add &&
            edgecore_candidate_add_conv(program, &block, node->inputs[i]) != EDGECORE_NONE)
            convs++;
    if (convs == 0 || !edgecore_candidate_add(program, &block, add))
        return EDGECORE_OK;
    edgecore_candidate_add_unary_after(program, &block, node->output);
    bool taken;
    return edgecore_offer_group(program, convs == 2 ? "residual_projection" : "residual_add", &block, &taken);
}
