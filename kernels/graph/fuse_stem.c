/* A network's stem: the convolution of the image and the max pool that alone reads it. The convolution's map is the
 * largest tensor of many networks; in strips it is never stored whole, at the price of the few rows that two
 * neighbouring strips both compute. Deeper convolutions cost more than their maps' memory, so only an image's counts. */
#include "graph/fuse.h"

#define IMAGE_CHANNELS 4

edgecore_status edgecore_fuse_stem(edgecore_program *program, int32_t pool)
{
    const edgecore_program_node *node = &program->nodes[pool];
    if (node->kind != EDGECORE_MAX_POOL_2D || node->state != EDGECORE_NODE_RUNS)
        return EDGECORE_OK;
    edgecore_candidate stem = {.count = 0};
    if (edgecore_program_only_user(program, node->inputs[0]) != pool)
        return EDGECORE_OK;
    int32_t conv = edgecore_candidate_add_conv(program, &stem, node->inputs[0]);
    if (conv == EDGECORE_NONE || program->tensors[program->nodes[conv].inputs[0]].channels > IMAGE_CHANNELS ||
        !edgecore_candidate_add(program, &stem, pool))
        return EDGECORE_OK;
    bool taken;
    return edgecore_offer_group(program, "stem", &stem, &taken);
}
