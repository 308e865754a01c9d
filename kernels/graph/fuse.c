/* Groups: nodes that run as one step, strip by strip. */
#include "graph/fuse.h"

#include <stdlib.h>

bool edgecore_is_unary(edgecore_op_kind kind)
{
    return kind == EDGECORE_RELU || kind == EDGECORE_RELU6 || kind == EDGECORE_LEAKY_RELU ||
           kind == EDGECORE_LOGISTIC || kind == EDGECORE_TANH || kind == EDGECORE_HARD_SWISH || kind == EDGECORE_QUANTIZE ||
           kind == EDGECORE_SWISH;
}

bool edgecore_is_plain_add(const edgecore_program *program, const edgecore_program_node *node)
{
    if (node->kind != EDGECORE_ADD || node->input_count != 2)
        return false;
    const edgecore_program_tensor *output = &program->tensors[node->output];
    for (int32_t i = 0; i < 2; i++) {
        const edgecore_program_tensor *input = &program->tensors[node->inputs[i]];
        if (input->tensor.data || input->height != output->height || input->width != output->width ||
            input->channels != output->channels)
            return false;
    }
    return node->inputs[0] != node->inputs[1];
}

bool edgecore_candidate_add(const edgecore_program *program, edgecore_candidate *candidate, int32_t node)
{
    if (candidate->count == EDGECORE_MAX_MEMBERS || program->nodes[node].group != EDGECORE_NONE)
        return false;
    candidate->nodes[candidate->count++] = node;
    return true;
}

static bool runs_by_rows(const edgecore_program_node *node)
{
    const edgecore_op_class *klass = edgecore_op_class_of(node->kind);
    return node->state == EDGECORE_NODE_RUNS && klass && klass->input_rows;
}

int32_t edgecore_candidate_add_conv(const edgecore_program *program, edgecore_candidate *candidate, int32_t tensor)
{
    int32_t before = candidate->count, maker = program->tensors[tensor].producer;
    if (maker != EDGECORE_NONE && edgecore_is_unary(program->nodes[maker].kind)) {
        int32_t input = program->nodes[maker].inputs[0];
        if (edgecore_program_only_user(program, input) != maker || !runs_by_rows(&program->nodes[maker]) ||
            !edgecore_candidate_add(program, candidate, maker))
            return EDGECORE_NONE;
        maker = program->tensors[input].producer;
    }
    if (maker != EDGECORE_NONE && runs_by_rows(&program->nodes[maker]) &&
        (program->nodes[maker].kind == EDGECORE_CONV_2D || program->nodes[maker].kind == EDGECORE_DEPTHWISE_CONV_2D) &&
        edgecore_candidate_add(program, candidate, maker))
        return maker;
    candidate->count = before;
    return EDGECORE_NONE;
}

int32_t edgecore_candidate_add_unary_after(const edgecore_program *program, edgecore_candidate *candidate,
                                           int32_t tensor)
{
    int32_t user = edgecore_program_only_user(program, tensor);
    if (user == EDGECORE_NONE || !edgecore_is_unary(program->nodes[user].kind) ||
        !runs_by_rows(&program->nodes[user]) || !edgecore_candidate_add(program, candidate, user))
        return tensor;
    return program->nodes[user].output;
}

static int compare_ids(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static bool contains(const edgecore_candidate *candidate, int32_t node)
{
    for (int32_t i = 0; i < candidate->count; i++)
        if (candidate->nodes[i] == node)
            return true;
    return false;
}

/* A group runs where its last node stands, so nobody else may read its results before that; and rows of all that it
 * leaves behind must be the same rows. */
static bool fits(const edgecore_program *program, const edgecore_candidate *candidate)
{
    int32_t last = candidate->nodes[candidate->count - 1];
    for (int32_t i = 0; i < candidate->count; i++) {
        const edgecore_program_node *node = &program->nodes[candidate->nodes[i]];
        if (node->state != EDGECORE_NODE_ELIDED && !runs_by_rows(node))
            return false;
        bool leaves = program->tensors[node->output].is_output;
        for (int32_t n = candidate->nodes[i] + 1; n < program->node_count; n++) {
            if (program->nodes[n].state == EDGECORE_NODE_FOLDED || contains(candidate, n))
                continue;
            for (int32_t k = 0; k < program->nodes[n].input_count; k++)
                if (program->nodes[n].inputs[k] == node->output) {
                    leaves = true;
                    if (n < last)
                        return false;
                }
        }
        if (leaves && program->tensors[node->output].height != program->tensors[program->nodes[last].output].height)
            return false;
    }
    return true;
}

edgecore_status edgecore_offer_group(edgecore_program *program, const char *name, edgecore_candidate *candidate,
                                     bool *taken)
{
    qsort(candidate->nodes, (size_t)candidate->count, sizeof *candidate->nodes, compare_ids);
    *taken = candidate->count > 1 && fits(program, candidate);
    if (!*taken)
        return EDGECORE_OK;
    if (!edgecore_grow((void **)&program->groups, &program->group_capacity, program->group_count,
                       sizeof *program->groups))
        return EDGECORE_NO_MEMORY;
    edgecore_group *group = &program->groups[program->group_count];
    *group = (edgecore_group){.name = name, .node_count = candidate->count};
    for (int32_t i = 0; i < candidate->count; i++) {
        group->nodes[i] = candidate->nodes[i];
        program->nodes[candidate->nodes[i]].group = program->group_count;
    }
    program->group_count++;
    return EDGECORE_OK;
}

/* A buffer becomes a strip when one group writes all of it and is alone in reading it. */
static void find_strip_roots(edgecore_program *program)
{
    for (int32_t i = 0; i < program->tensor_count; i++)
        program->tensors[i].strip_group = EDGECORE_MAX_TENSORS;
    for (int32_t i = 0; i < program->tensor_count; i++) {
        const edgecore_program_tensor *tensor = &program->tensors[i];
        int32_t *group = &program->tensors[tensor->place.root].strip_group;
        if (tensor->producer == EDGECORE_NONE || tensor->is_output) {
            *group = EDGECORE_NONE;
            continue;
        }
        int32_t own = program->nodes[tensor->producer].group;
        *group = *group == EDGECORE_MAX_TENSORS || *group == own ? own : EDGECORE_NONE;
    }
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        for (int32_t i = 0; node->state != EDGECORE_NODE_FOLDED && i < node->input_count; i++) {
            if (node->inputs[i] == EDGECORE_NO_TENSOR)
                continue;
            int32_t *group = &program->tensors[program->tensors[node->inputs[i]].place.root].strip_group;
            if (*group != node->group)
                *group = EDGECORE_NONE;
        }
    }
    /* What nobody reads stays in the arena, where every row is written. */
    for (int32_t i = 0; i < program->tensor_count; i++) {
        edgecore_program_tensor *tensor = &program->tensors[i];
        if (tensor->uses == 0 && tensor->place.root >= 0)
            program->tensors[tensor->place.root].strip_group = EDGECORE_NONE;
    }
}

edgecore_status edgecore_group_pass(edgecore_program *program, edgecore_message *message)
{
    static edgecore_status (*const patterns[])(edgecore_program *, int32_t) = {
        edgecore_fuse_fire,
        edgecore_fuse_residual,
        edgecore_fuse_stem,
        edgecore_fuse_activation,
    };
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++)
        for (int32_t n = 0; n < program->node_count; n++)
            if (program->nodes[n].group == EDGECORE_NONE && patterns[p](program, n))
                return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    find_strip_roots(program);
    return EDGECORE_OK;
}
