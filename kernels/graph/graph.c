/* Building a graph: every argument is checked and copied here, so that what follows may trust it. */
#include "graph/ir.h"

#include <stdlib.h>
#include <string.h>

bool edgecore_grow(void **array, int32_t *capacity, int32_t count, size_t element)
{
    if (count < *capacity)
        return true;
    int32_t wanted = *capacity ? *capacity * 2 : 16;
    void *grown = realloc(*array, (size_t)wanted * element);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static edgecore_status out_of_memory(edgecore_message *message)
{
    return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was built");
}

edgecore_graph *edgecore_graph_create(void)
{
    return calloc(1, sizeof(edgecore_graph));
}

void edgecore_graph_destroy(edgecore_graph *graph)
{
    if (!graph)
        return;
    for (int32_t i = 0; i < graph->tensor_count; i++) {
        free(graph->tensors[i].scales);
        free(graph->tensors[i].zero_points);
        free((char *)graph->tensors[i].tensor.name);
    }
    for (int32_t i = 0; i < graph->node_count; i++)
        free(graph->nodes[i].inputs);
    free(graph->tensors);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph);
}

static void *copy_of(const void *data, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);
    if (copy && bytes)
        memcpy(copy, data, bytes);
    return copy;
}

edgecore_status edgecore_graph_add_tensor(edgecore_graph *graph, const edgecore_tensor *tensor, int32_t *id,
                                          edgecore_message *message)
{
    if (!graph || !tensor || !id)
        return edgecore_fail(message, EDGECORE_INVALID, "graph, tensor or id is NULL");
    edgecore_status status = edgecore_tensor_check(tensor, message);
    if (status)
        return status;
    if (graph->tensor_count >= EDGECORE_MAX_TENSORS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "more than %d tensors", EDGECORE_MAX_TENSORS);
    if (!edgecore_grow((void **)&graph->tensors, &graph->tensor_capacity, graph->tensor_count,
                       sizeof *graph->tensors))
        return out_of_memory(message);
    edgecore_graph_tensor *slot = &graph->tensors[graph->tensor_count];
    *slot = (edgecore_graph_tensor){.tensor = *tensor, .producer = EDGECORE_NO_NODE};
    const char *name = tensor->name ? tensor->name : "";
    size_t count = (size_t)tensor->scale_count;
    slot->scales = copy_of(tensor->scales, count * sizeof(float));
    slot->zero_points = copy_of(tensor->zero_points, count * sizeof(int32_t));
    slot->tensor.name = copy_of(name, strlen(name) + 1);
    if (!slot->scales || !slot->zero_points || !slot->tensor.name) {
        free(slot->scales);
        free(slot->zero_points);
        free((char *)slot->tensor.name);
        return out_of_memory(message);
    }
    slot->tensor.scales = slot->scales;
    slot->tensor.zero_points = slot->zero_points;
    for (int32_t i = tensor->rank; i < EDGECORE_MAX_RANK; i++)
        slot->tensor.dims[i] = 1;
    *id = graph->tensor_count++;
    return EDGECORE_OK;
}

static bool is_tensor(const edgecore_graph *graph, int32_t id)
{
    return id >= 0 && id < graph->tensor_count;
}

edgecore_status edgecore_graph_add_node(edgecore_graph *graph, edgecore_op_kind kind,
                                        const edgecore_op_params *params, const int32_t *inputs,
                                        int32_t input_count, int32_t output, int32_t tag, edgecore_message *message)
{
    if (!graph || !params || !inputs)
        return edgecore_fail(message, EDGECORE_INVALID, "graph, parameters or inputs are NULL");
    if ((int)kind < 0 || kind >= EDGECORE_OP_KINDS)
        return edgecore_fail(message, EDGECORE_INVALID, "node %d: unknown operator %d", (int)tag, (int)kind);
    if (input_count < 1 || input_count > EDGECORE_MAX_NODE_INPUTS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "node %d: %d inputs are not in 1..%d", (int)tag,
                             (int)input_count, EDGECORE_MAX_NODE_INPUTS);
    for (int32_t i = 0; i < input_count; i++)
        if (inputs[i] != EDGECORE_NO_TENSOR && (!is_tensor(graph, inputs[i]) || inputs[i] == output))
            return edgecore_fail(message, EDGECORE_INVALID, "node %d: input %d is no earlier tensor (%d)", (int)tag,
                                 (int)i, (int)inputs[i]);
    if (!is_tensor(graph, output))
        return edgecore_fail(message, EDGECORE_INVALID, "node %d: output %d is no tensor", (int)tag, (int)output);
    if (graph->tensors[output].tensor.data || graph->tensors[output].producer != EDGECORE_NO_NODE ||
        graph->tensors[output].is_input)
        return edgecore_fail(message, EDGECORE_INVALID,
                             "node %d: tensor %d is a constant, an input or another node's output", (int)tag,
                             (int)output);
    if (!edgecore_grow((void **)&graph->nodes, &graph->node_capacity, graph->node_count, sizeof *graph->nodes))
        return out_of_memory(message);
    int32_t *copied = copy_of(inputs, (size_t)input_count * sizeof *inputs);
    if (!copied)
        return out_of_memory(message);
    graph->nodes[graph->node_count] = (edgecore_graph_node){kind, *params, copied, input_count, output, tag};
    graph->tensors[output].producer = graph->node_count++;
    return EDGECORE_OK;
}

static edgecore_status check_io(const edgecore_graph *graph, const int32_t *ids, int32_t count, const char *what,
                                edgecore_message *message)
{
    if (!ids || count < 1)
        return edgecore_fail(message, EDGECORE_INVALID, "a graph has 1 %s or more, not %d", what, (int)count);
    for (int32_t i = 0; i < count; i++)
        if (!is_tensor(graph, ids[i]) || graph->tensors[ids[i]].tensor.data)
            return edgecore_fail(message, EDGECORE_INVALID, "%s %d: %d is no activation tensor", what, (int)i,
                                 (int)ids[i]);
    return EDGECORE_OK;
}

edgecore_status edgecore_graph_set_io(edgecore_graph *graph, const int32_t *inputs, int32_t input_count,
                                      const int32_t *outputs, int32_t output_count, edgecore_message *message)
{
    if (!graph)
        return edgecore_fail(message, EDGECORE_INVALID, "graph is NULL");
    if (graph->has_io)
        return edgecore_fail(message, EDGECORE_INVALID, "inputs and outputs are already set");
    edgecore_status status = check_io(graph, inputs, input_count, "input", message);
    if (!status)
        status = check_io(graph, outputs, output_count, "output", message);
    if (status)
        return status;
    for (int32_t i = 0; i < input_count; i++) {
        if (graph->tensors[inputs[i]].producer != EDGECORE_NO_NODE)
            return edgecore_fail(message, EDGECORE_INVALID, "input %d is a node's output", (int)i);
        for (int32_t j = 0; j < i; j++)
            if (inputs[i] == inputs[j])
                return edgecore_fail(message, EDGECORE_INVALID, "inputs %d and %d are the same tensor", (int)j,
                                     (int)i);
    }
    graph->inputs = copy_of(inputs, (size_t)input_count * sizeof *inputs);
    graph->outputs = copy_of(outputs, (size_t)output_count * sizeof *outputs);
    if (!graph->inputs || !graph->outputs) {
        free(graph->inputs);
        free(graph->outputs);
        graph->inputs = graph->outputs = NULL;
        return out_of_memory(message);
    }
    graph->input_count = input_count;
    graph->output_count = output_count;
    for (int32_t i = 0; i < input_count; i++)
        graph->tensors[inputs[i]].is_input = true;
    graph->has_io = true;
    return EDGECORE_OK;
}
