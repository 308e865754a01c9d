/* A convolution and the unary operator that alone reads it (a leaky ReLU, a hard swish, a requantisation): the table is
 * looked up while the rows are in cache. */
#include "graph/fuse.h"

edgecore_status edgecore_fuse_activation(edgecore_program *program, int32_t unary)
{
    const edgecore_program_node *node = &program->nodes[unary];
    if (!edgecore_is_unary(node->kind))
        return EDGECORE_OK;
    edgecore_candidate pair = {.count = 0};
    int32_t conv = edgecore_candidate_add_conv(program, &pair, node->output);
    if (conv == EDGECORE_NONE)
        return EDGECORE_OK;
    bool taken;
    bool depthwise = program->nodes[conv].kind == EDGECORE_DEPTHWISE_CONV_2D;
    return edgecore_offer_group(program, depthwise ? "depthwise_conv_activation" : "conv_activation", &pair, &taken);
}
