/* SqueezeNet's fire module: a squeeze convolution, two (or more) expand convolutions over its output, and their
 * concatenation; with the bypass, plain or projected, and an activation behind it. The squeeze's rows stay in a strip
 * of scratch and both expands read them there; the expands write their slices of the concatenation. */
#include "graph/fuse.h"

/* All inputs of the concatenation are convolutions of one tensor, which nothing else reads; returns that tensor. */
static int32_t add_expands(const edgecore_program *program, edgecore_candidate *candidate, int32_t concat)
{
    const edgecore_program_node *node = &program->nodes[concat];
    int32_t squeezed = EDGECORE_NONE;
    for (int32_t i = 0; i < node->input_count; i++) {
        if (edgecore_program_only_user(program, node->inputs[i]) != concat)
            return EDGECORE_NONE;
        int32_t conv = edgecore_candidate_add_conv(program, candidate, node->inputs[i]);
        if (conv == EDGECORE_NONE)
            return EDGECORE_NONE;
        int32_t input = program->nodes[conv].inputs[0];
        if (squeezed != EDGECORE_NONE && input != squeezed)
            return EDGECORE_NONE;
        squeezed = input;
    }
    const edgecore_program_tensor *read = &program->tensors[squeezed];
    return read->uses == node->input_count && !read->is_output && !read->is_input ? squeezed : EDGECORE_NONE;
}

/* Adds the addition behind the module and what belongs to it; false when there is none. */
static bool add_bypass(const edgecore_program *program, edgecore_candidate *candidate, int32_t joined)
{
    int32_t add = edgecore_program_only_user(program, joined);
    if (add == EDGECORE_NONE || !edgecore_is_plain_add(program, &program->nodes[add]) ||
        !edgecore_candidate_add(program, candidate, add))
        return false;
    const edgecore_program_node *node = &program->nodes[add];
    int32_t other = node->inputs[0] == joined ? node->inputs[1] : node->inputs[0];
    if (edgecore_program_only_user(program, other) == add)
        edgecore_candidate_add_conv(program, candidate, other);
    edgecore_candidate_add_unary_after(program, candidate, node->output);
    return true;
}

edgecore_status edgecore_fuse_fire(edgecore_program *program, int32_t concat)
{
    const edgecore_program_node *node = &program->nodes[concat];
    if (node->kind != EDGECORE_CONCATENATION || node->state != EDGECORE_NODE_ELIDED || node->input_count < 2)
        return EDGECORE_OK;
    const edgecore_program_tensor *joined = &program->tensors[node->output];
    if (program->tensors[node->inputs[0]].height != joined->height ||
        program->tensors[node->inputs[0]].width != joined->width)
        return EDGECORE_OK;
    edgecore_candidate fire = {.count = 0};
    int32_t squeezed = add_expands(program, &fire, concat);
    if (squeezed == EDGECORE_NONE || edgecore_candidate_add_conv(program, &fire, squeezed) == EDGECORE_NONE ||
        !edgecore_candidate_add(program, &fire, concat))
        return EDGECORE_OK;
    edgecore_candidate bypass = fire;
    bool taken = false;
    if (add_bypass(program, &bypass, node->output)) {
        edgecore_status status = edgecore_offer_group(program, "fire_bypass", &bypass, &taken);
        if (status || taken)
            return status;
    }
    return edgecore_offer_group(program, "fire", &fire, &taken);
}
