/* The working copy: made from a graph, queried and rewired by the passes. */
#include "graph/program.h"

#include <stdlib.h>
#include <string.h>

static void *copy_ids(const int32_t *ids, int32_t count)
{
    int32_t *copy = malloc((size_t)count * sizeof *ids);
    if (copy)
        memcpy(copy, ids, (size_t)count * sizeof *ids);
    return copy;
}

void edgecore_program_destroy(edgecore_program *program)
{
    if (!program)
        return;
    for (int32_t i = 0; program->nodes && i < program->node_count; i++) {
        free(program->nodes[i].inputs);
        free(program->nodes[i].tags);
    }
    free(program->nodes);
    free(program->tensors);
    free(program->inputs);
    free(program->outputs);
    free(program->groups);
    free(program);
}

/* Order makes cycles impossible: a node may read only what stands before it. */
static edgecore_status check_order(const edgecore_graph *graph, edgecore_message *message)
{
    for (int32_t n = 0; n < graph->node_count; n++) {
        const edgecore_graph_node *node = &graph->nodes[n];
        for (int32_t i = 0; i < node->input_count; i++) {
            if (node->inputs[i] == EDGECORE_NO_TENSOR)
                continue;
            const edgecore_graph_tensor *input = &graph->tensors[node->inputs[i]];
            if (!input->tensor.data && !input->is_input &&
                (input->producer == EDGECORE_NO_NODE || input->producer >= n))
                return edgecore_fail(message, EDGECORE_INVALID, "node %d reads tensor %d before anything writes it",
                                     (int)node->tag, (int)node->inputs[i]);
        }
    }
    for (int32_t i = 0; i < graph->output_count; i++) {
        const edgecore_graph_tensor *output = &graph->tensors[graph->outputs[i]];
        if (!output->is_input && output->producer == EDGECORE_NO_NODE)
            return edgecore_fail(message, EDGECORE_INVALID, "nothing writes output %d (tensor %d)", (int)i,
                                 (int)graph->outputs[i]);
    }
    return EDGECORE_OK;
}

static bool copy_nodes(edgecore_program *program, const edgecore_graph *graph)
{
    program->nodes = calloc((size_t)graph->node_count + 1, sizeof *program->nodes);
    if (!program->nodes)
        return false;
    for (; program->node_count < graph->node_count; program->node_count++) {
        const edgecore_graph_node *from = &graph->nodes[program->node_count];
        edgecore_program_node *to = &program->nodes[program->node_count];
        *to = (edgecore_program_node){.kind = from->kind, .params = from->params, .input_count = from->input_count,
                                      .output = from->output, .tag_count = 1, .group = EDGECORE_NONE};
        to->inputs = copy_ids(from->inputs, from->input_count);
        to->tags = copy_ids(&from->tag, 1);
        if (!to->inputs || !to->tags) {
            program->node_count++;
            return false;
        }
    }
    return true;
}

static edgecore_status copy_tensors(edgecore_program *program, const edgecore_graph *graph, edgecore_message *message)
{
    program->tensor_count = graph->tensor_count;
    program->tensors = calloc((size_t)graph->tensor_count + 1, sizeof *program->tensors);
    if (!program->tensors)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    for (int32_t i = 0; i < graph->tensor_count; i++) {
        edgecore_program_tensor *to = &program->tensors[i];
        const edgecore_graph_tensor *from = &graph->tensors[i];
        to->tensor = from->tensor;
        to->front_dtype = from->tensor.dtype;
        to->is_input = from->is_input;
        to->strip_group = EDGECORE_NONE;
        to->place = (edgecore_place){.root = i};
        bool used = from->is_input || from->producer != EDGECORE_NO_NODE;
        if (from->tensor.data || !used)
            continue;
        if (from->tensor.dtype == EDGECORE_INT32 ||
            !edgecore_tensor_layout(&from->tensor, &to->height, &to->width, &to->channels))
            return edgecore_fail(message, EDGECORE_UNSUPPORTED,
                                 "tensor %d (%s): activations are 8-bit, of rank 1 to %d", (int)i, from->tensor.name,
                                 EDGECORE_MAX_RANK);
        to->place.pixel_stride = to->channels;
        to->place.row_stride = (ptrdiff_t)to->channels * to->width;
        if (from->tensor.scale_count > 0) {
            to->zero_point = from->zero_points[0];
            to->tensor.zero_points = &to->zero_point;
        }
    }
    return EDGECORE_OK;
}

edgecore_status edgecore_program_create(const edgecore_graph *graph, edgecore_program **program,
                                        edgecore_message *message)
{
    if (!graph->has_io)
        return edgecore_fail(message, EDGECORE_INVALID, "the graph's inputs and outputs are not set");
    edgecore_status status = check_order(graph, message);
    if (status)
        return status;
    edgecore_program *made = calloc(1, sizeof *made);
    if (!made)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    bool copied = copy_nodes(made, graph);
    made->inputs = copy_ids(graph->inputs, graph->input_count);
    made->outputs = copy_ids(graph->outputs, graph->output_count);
    made->input_count = graph->input_count;
    made->output_count = graph->output_count;
    if (!copied || !made->inputs || !made->outputs)
        status = edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    if (!status)
        status = copy_tensors(made, graph, message);
    if (status) {
        edgecore_program_destroy(made);
        return status;
    }
    for (int32_t i = 0; i < made->output_count; i++)
        made->tensors[made->outputs[i]].is_output = true;
    edgecore_program_link(made);
    *program = made;
    return EDGECORE_OK;
}

edgecore_op_desc edgecore_program_desc(const edgecore_program *program, const edgecore_program_node *node,
                                       const edgecore_tensor **inputs)
{
    for (int32_t i = 0; i < node->input_count; i++)
        inputs[i] = node->inputs[i] == EDGECORE_NO_TENSOR ? NULL : &program->tensors[node->inputs[i]].tensor;
    const edgecore_program_tensor *output = &program->tensors[node->output];
    return (edgecore_op_desc){node->kind, &node->params, inputs, node->input_count, &output->tensor,
                              output->front_dtype};
}

edgecore_status edgecore_program_check(const edgecore_program *program, const edgecore_program_node *node,
                                       edgecore_message *message)
{
    const edgecore_op_class *klass = edgecore_op_class_of(node->kind);
    if (!klass || edgecore_program_activation(program, node, 0) == EDGECORE_NONE)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "node %d: %s", (int)node->tags[0],
                             klass ? "only constants" : "its operator is not built in");
    const edgecore_tensor *inputs[EDGECORE_MAX_NODE_INPUTS];
    const edgecore_op_desc desc = edgecore_program_desc(program, node, inputs);
    edgecore_message reason = {""};
    edgecore_status status = klass->check(&desc, &reason);
    return status ? edgecore_fail(message, status, "node %d: %s: %s", (int)node->tags[0], klass->name, reason.text)
                  : EDGECORE_OK;
}

void edgecore_program_link(edgecore_program *program)
{
    for (int32_t i = 0; i < program->tensor_count; i++) {
        program->tensors[i].producer = EDGECORE_NONE;
        program->tensors[i].uses = 0;
    }
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        if (node->state == EDGECORE_NODE_FOLDED)
            continue;
        program->tensors[node->output].producer = n;
        for (int32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != EDGECORE_NO_TENSOR)
                program->tensors[node->inputs[i]].uses++;
    }
}

int32_t edgecore_program_only_user(const edgecore_program *program, int32_t tensor)
{
    const edgecore_program_tensor *read = &program->tensors[tensor];
    if (read->uses != 1 || read->is_output)
        return EDGECORE_NONE;
    for (int32_t n = read->producer + 1; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        for (int32_t i = 0; node->state != EDGECORE_NODE_FOLDED && i < node->input_count; i++)
            if (node->inputs[i] == tensor)
                return n;
    }
    return EDGECORE_NONE;
}

bool edgecore_program_move_tags(edgecore_program *program, int32_t from, int32_t to)
{
    edgecore_program_node *source = &program->nodes[from], *target = &program->nodes[to];
    int32_t total = source->tag_count + target->tag_count;
    int32_t *tags = realloc(target->tags, (size_t)total * sizeof *tags);
    if (!tags)
        return false;
    memcpy(tags + target->tag_count, source->tags, (size_t)source->tag_count * sizeof *tags);
    target->tags = tags;
    target->tag_count = total;
    source->tag_count = 0;
    return true;
}

int32_t edgecore_program_activation(const edgecore_program *program, const edgecore_program_node *node,
                                    int32_t index)
{
    for (int32_t i = 0; i < node->input_count; i++) {
        int32_t id = node->inputs[i];
        if (id != EDGECORE_NO_TENSOR && !program->tensors[id].tensor.data && index-- == 0)
            return id;
    }
    return EDGECORE_NONE;
}

bool edgecore_same_quantisation(const edgecore_tensor *a, const edgecore_tensor *b)
{
    if (a->scale_count != b->scale_count || a->dtype != b->dtype)
        return false;
    return a->scale_count != 1 || (a->scales[0] == b->scales[0] && a->zero_points[0] == b->zero_points[0]);
}
