/* Multi-scale max pooling (spatial pyramid pooling of one map): parallel stride-1 pools, flattened and joined, become
 * one operator that reads the map once. */
#include "graph/program.h"

static bool same(const edgecore_program *program, int32_t a, int32_t b)
{
    return edgecore_same_quantisation(&program->tensors[a].tensor, &program->tensors[b].tensor);
}

/* The pool or map behind a flattened branch; EDGECORE_NONE where it is needed elsewhere too. */
static int32_t flattened(const edgecore_program *program, int32_t tensor, int32_t concat, int32_t *reshape)
{
    const edgecore_program_tensor *flat = &program->tensors[tensor];
    if (flat->tensor.data || flat->producer == EDGECORE_NONE ||
        edgecore_program_only_user(program, tensor) != concat ||
        program->nodes[flat->producer].kind != EDGECORE_RESHAPE)
        return EDGECORE_NONE;
    *reshape = flat->producer;
    return program->nodes[flat->producer].inputs[0];
}

/* The side of a stride-1 square pool without padding, or 0. */
static int32_t window_of(const edgecore_program_node *node)
{
    const edgecore_op_params *params = &node->params;
    bool plain = node->kind == EDGECORE_MAX_POOL_2D && params->stride_h == 1 && params->stride_w == 1 &&
                 params->filter_h == params->filter_w && params->activation == EDGECORE_ACT_NONE &&
                 !params->pad_top && !params->pad_bottom && !params->pad_left && !params->pad_right;
    return plain ? params->filter_h : 0;
}

typedef struct branches {
    int32_t map;
    int32_t folded[2 * EDGECORE_MAX_WINDOWS]; /* nodes */
    int32_t folded_count;
    edgecore_op_params params;
} branches;

static bool find_branches(const edgecore_program *program, int32_t concat, branches *found)
{
    const edgecore_program_node *node = &program->nodes[concat];
    *found = (branches){.map = EDGECORE_NONE};
    if (node->kind != EDGECORE_CONCATENATION || node->input_count < 2 || node->input_count > EDGECORE_MAX_WINDOWS ||
        node->params.activation != EDGECORE_ACT_NONE)
        return false;
    for (int32_t i = 0; i < node->input_count; i++) {
        int32_t reshape;
        int32_t pooled = flattened(program, node->inputs[i], concat, &reshape);
        if (pooled == EDGECORE_NONE || program->tensors[pooled].tensor.rank != 4 ||
            !same(program, node->inputs[i], node->output) || !same(program, pooled, node->output))
            return false;
        found->folded[found->folded_count++] = reshape;
        int32_t maker = program->tensors[pooled].producer, window = 1, map = pooled;
        if (maker != EDGECORE_NONE && window_of(&program->nodes[maker]) &&
            edgecore_program_only_user(program, pooled) == reshape) {
            window = window_of(&program->nodes[maker]);
            map = program->nodes[maker].inputs[0];
            found->folded[found->folded_count++] = maker;
        }
        if ((found->map != EDGECORE_NONE && map != found->map) || !same(program, map, node->output))
            return false;
        found->map = map;
        found->params.windows[found->params.window_count++] = window;
    }
    return true;
}

static bool rewrite(edgecore_program *program, int32_t concat, const branches *found)
{
    edgecore_program_node *node = &program->nodes[concat];
    edgecore_program_node made = *node;
    made.kind = EDGECORE_MULTI_SCALE_MAX_POOL;
    made.params = found->params;
    made.input_count = 1;
    int32_t first = node->inputs[0];
    made.inputs[0] = found->map;
    if (edgecore_program_check(program, &made, NULL) != EDGECORE_OK) {
        node->inputs[0] = first;
        return true;
    }
    *node = made;
    for (int32_t i = 0; i < found->folded_count; i++) {
        program->nodes[found->folded[i]].state = EDGECORE_NODE_FOLDED;
        if (!edgecore_program_move_tags(program, found->folded[i], concat))
            return false;
    }
    return true;
}

edgecore_status edgecore_fuse_multi_scale(edgecore_program *program, edgecore_message *message)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        branches found;
        if (!find_branches(program, n, &found))
            continue;
        if (!rewrite(program, n, &found))
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
        edgecore_program_link(program);
    }
    return EDGECORE_OK;
}
