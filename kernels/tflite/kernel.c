/* One claimed partition: a graph made from the runtime's nodes, and the engine compiled from it. */
#include "graph/turn.h"
#include "ops/op.h"
#include "tflite/node.h"
#include "tflite/plugin.h"

#include <stdlib.h>
#include <string.h>

struct edgecore_tfl_kernel {
    edgecore_tfl_plugin *plugin;
    edgecore_tfl_kernel *next;
    edgecore_graph *graph;   /* until the engine is made */
    edgecore_engine *engine;
    edgecore_message problem; /* empty when init went well; init itself cannot fail */
    bool unused;             /* nobody reads what the partition makes: it has no engine */
    int32_t input_count, output_count;
    int *inputs, *outputs;   /* the runtime's tensors, without constants */
    size_t *input_bytes, *output_bytes;
    edgecore_turn turn;      /* of what follows */
    const void **input_data;
    void **output_data;
};

/* The runtime's tensors that the graph knows already. */
typedef struct building {
    tfl_context *context;
    edgecore_tfl_kernel *kernel;
    int32_t *ids; /* [tensors_size], EDGECORE_NO_TENSOR where not added */
} building;

static edgecore_status id_of(building *state, int index, int32_t *id)
{
    edgecore_message *message = &state->kernel->problem;
    *id = EDGECORE_NO_TENSOR;
    if (index == TFL_OPTIONAL_TENSOR)
        return EDGECORE_OK;
    if (index < 0 || (size_t)index >= state->context->tensors_size)
        return edgecore_fail(message, EDGECORE_INVALID, "tensor %d does not exist", index);
    if (state->ids[index] == EDGECORE_NO_TENSOR) {
        edgecore_tensor tensor;
        edgecore_status status = edgecore_tfl_parse_tensor(&state->context->tensors[index], &tensor, message);
        if (!status)
            status = edgecore_graph_add_tensor(state->kernel->graph, &tensor, &state->ids[index], message);
        if (status)
            return status;
    }
    *id = state->ids[index];
    return EDGECORE_OK;
}

static edgecore_status add_node(building *state, int index)
{
    edgecore_message *message = &state->kernel->problem;
    tfl_node *node = NULL;
    tfl_registration *registration = NULL;
    if (state->context->get_node_and_registration(state->context, index, &node, &registration) != TFL_OK)
        return edgecore_fail(message, EDGECORE_INVALID, "the runtime does not show node %d", index);
    edgecore_tfl_node parsed;
    edgecore_status status = edgecore_tfl_parse_node(state->context, node, registration, &parsed, message);
    if (status)
        return status;
    int32_t *ids = malloc(((size_t)parsed.input_count + 1) * sizeof *ids);
    if (!ids)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    for (int32_t i = 0; !status && i < parsed.input_count; i++)
        status = id_of(state, parsed.inputs[i], &ids[i]);
    for (int32_t i = 0; !status && i < parsed.output_count; i++) {
        int32_t output;
        status = id_of(state, parsed.outputs[i], &output);
        if (status)
            break;
        const edgecore_op_params params = edgecore_tfl_params_of(state->context, &parsed, i);
        status = edgecore_graph_add_node(state->kernel->graph, parsed.kind, &params, ids, parsed.input_count, output, index,
                                         message);
    }
    free(ids);
    return status;
}

/* Inputs that no claimed node reads as data (axes, shapes, constants) are not the graph's. */
static edgecore_status set_io(building *state, const tfl_partition *partition)
{
    edgecore_tfl_kernel *kernel = state->kernel;
    const size_t inputs = (size_t)partition->inputs->size, outputs = (size_t)partition->outputs->size;
    kernel->inputs = calloc(inputs + 1, sizeof *kernel->inputs);
    kernel->outputs = calloc(outputs + 1, sizeof *kernel->outputs);
    kernel->input_bytes = calloc(inputs + 1, sizeof *kernel->input_bytes);
    kernel->output_bytes = calloc(outputs + 1, sizeof *kernel->output_bytes);
    kernel->input_data = calloc(inputs + 1, sizeof *kernel->input_data);
    kernel->output_data = calloc(outputs + 1, sizeof *kernel->output_data);
    int32_t *ids = calloc(inputs + outputs + 1, sizeof *ids);
    edgecore_status status = EDGECORE_OK;
    if (!kernel->inputs || !kernel->outputs || !kernel->input_bytes || !kernel->output_bytes || !kernel->input_data ||
        !kernel->output_data || !ids)
        status = edgecore_fail(&kernel->problem, EDGECORE_NO_MEMORY, "out of memory");
    for (size_t i = 0; !status && i < inputs; i++) {
        const int index = partition->inputs->data[i];
        if (index < 0 || state->ids[index] == EDGECORE_NO_TENSOR ||
            edgecore_tfl_is_constant(&state->context->tensors[index]))
            continue;
        ids[kernel->input_count] = state->ids[index];
        kernel->input_bytes[kernel->input_count] = state->context->tensors[index].bytes;
        kernel->inputs[kernel->input_count++] = index;
    }
    for (size_t i = 0; !status && i < outputs; i++) {
        const int index = partition->outputs->data[i];
        if (index < 0 || state->ids[index] == EDGECORE_NO_TENSOR)
            continue;
        ids[kernel->input_count + kernel->output_count] = state->ids[index];
        kernel->output_bytes[kernel->output_count] = state->context->tensors[index].bytes;
        kernel->outputs[kernel->output_count++] = index;
    }
    kernel->unused = !status && !kernel->output_count;
    if (!status && !kernel->unused)
        status = edgecore_graph_set_io(kernel->graph, ids, kernel->input_count, ids + kernel->input_count,
                                       kernel->output_count, &kernel->problem);
    free(ids);
    return status;
}

static edgecore_status build_graph(tfl_context *context, edgecore_tfl_kernel *kernel, const tfl_partition *partition)
{
    building state = {context, kernel, malloc((context->tensors_size + 1) * sizeof *state.ids)};
    kernel->graph = edgecore_graph_create();
    edgecore_status status = EDGECORE_OK;
    if (!kernel->graph || !state.ids)
        status = edgecore_fail(&kernel->problem, EDGECORE_NO_MEMORY, "out of memory");
    for (size_t i = 0; !status && i < context->tensors_size; i++)
        state.ids[i] = EDGECORE_NO_TENSOR;
    for (int i = 0; !status && i < partition->nodes->size; i++)
        status = add_node(&state, partition->nodes->data[i]);
    if (!status)
        status = set_io(&state, partition);
    free(state.ids);
    return status;
}

/* The runtime shows its nodes only during init, so the graph is made here and compiled in prepare. */
static void *kernel_init(tfl_context *context, const char *buffer, size_t length)
{
    (void)length;
    const tfl_partition *partition = (const void *)buffer;
    edgecore_tfl_kernel *kernel = calloc(1, sizeof *kernel);
    if (!kernel || !partition || !partition->delegate) {
        free(kernel);
        return NULL;
    }
    kernel->plugin = partition->delegate->data;
    if (build_graph(context, kernel, partition)) {
        edgecore_graph_destroy(kernel->graph);
        kernel->graph = NULL;
    }
    edgecore_tfl_retain(kernel->plugin);
    pthread_mutex_lock(&kernel->plugin->lock);
    edgecore_tfl_kernel **end = &kernel->plugin->kernels;
    while (*end)
        end = &(*end)->next;
    *end = kernel;
    pthread_mutex_unlock(&kernel->plugin->lock);
    return kernel;
}

static void kernel_free(tfl_context *context, void *user_data)
{
    (void)context;
    edgecore_tfl_kernel *kernel = user_data;
    if (!kernel)
        return;
    pthread_mutex_lock(&kernel->plugin->lock);
    edgecore_tfl_kernel **at = &kernel->plugin->kernels;
    while (*at && *at != kernel)
        at = &(*at)->next;
    if (*at)
        *at = kernel->next;
    pthread_mutex_unlock(&kernel->plugin->lock);
    edgecore_engine_destroy(kernel->engine);
    edgecore_graph_destroy(kernel->graph);
    edgecore_tfl_release(kernel->plugin);
    free(kernel->inputs);
    free(kernel->outputs);
    free(kernel->input_bytes);
    free(kernel->output_bytes);
    free(kernel->input_data);
    free(kernel->output_data);
    free(kernel);
}

static tfl_status refuse(tfl_context *context, const char *why)
{
    context->report_error(context, "edgecore: %s", why);
    return TFL_ERROR;
}

static tfl_status compile(tfl_context *context, edgecore_tfl_kernel *kernel)
{
    const edgecore_tfl_plugin *plugin = kernel->plugin;
    int32_t threads = plugin->threads;
    if (threads < 0)
        threads = context->recommended_num_threads > 0 ? context->recommended_num_threads : 1;
    const edgecore_options options = {
        .threads = threads, .isa = plugin->isa[0] ? plugin->isa : NULL, .fuse = plugin->fuse};
    edgecore_engine *engine = NULL;
    if (edgecore_engine_create(kernel->graph, &options, &engine, &kernel->problem))
        return refuse(context, kernel->problem.text);
    edgecore_graph_destroy(kernel->graph);
    kernel->graph = NULL;
    pthread_mutex_lock(&kernel->plugin->lock);
    kernel->engine = engine;
    pthread_mutex_unlock(&kernel->plugin->lock);
    return TFL_OK;
}

static bool same_bytes(const tfl_context *context, const int *indices, const size_t *bytes, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (context->tensors[indices[i]].bytes != bytes[i])
            return false;
    }
    return true;
}

/* A resize undoes the delegation and starts again from the delegate's prepare, so shapes do not change here. */
static tfl_status kernel_prepare(tfl_context *context, tfl_node *node)
{
    edgecore_tfl_kernel *kernel = node->user_data;
    if (!kernel)
        return refuse(context, "out of memory");
    if (!kernel->graph && !kernel->engine)
        return refuse(context, kernel->problem.text);
    if (!same_bytes(context, kernel->inputs, kernel->input_bytes, kernel->input_count) ||
        !same_bytes(context, kernel->outputs, kernel->output_bytes, kernel->output_count))
        return refuse(context, "tensors were resized after the engine took them");
    return kernel->engine || kernel->unused ? TFL_OK : compile(context, kernel);
}

static tfl_status run(tfl_context *context, edgecore_tfl_kernel *kernel)
{
    for (int32_t i = 0; i < kernel->input_count; i++) {
        kernel->input_data[i] = context->tensors[kernel->inputs[i]].data;
        if (!kernel->input_data[i])
            return refuse(context, "an input has no memory");
    }
    for (int32_t i = 0; i < kernel->output_count; i++) {
        kernel->output_data[i] = context->tensors[kernel->outputs[i]].data;
        if (!kernel->output_data[i])
            return refuse(context, "an output has no memory");
    }
    edgecore_message message;
    if (edgecore_engine_run(kernel->engine, kernel->input_data, kernel->output_data, &message))
        return refuse(context, message.text);
    return TFL_OK;
}

static tfl_status kernel_invoke(tfl_context *context, tfl_node *node)
{
    edgecore_tfl_kernel *kernel = node->user_data;
    if (kernel && kernel->unused)
        return TFL_OK;
    if (!kernel || !kernel->engine)
        return refuse(context, "invoked before it was prepared");
    if (!edgecore_turn_take(&kernel->turn))
        return refuse(context, "the engine is already running in another thread");
    const tfl_status status = run(context, kernel);
    edgecore_turn_give(&kernel->turn);
    return status;
}

tfl_registration edgecore_tfl_kernel_registration(void)
{
    return (tfl_registration){
        .init = kernel_init,
        .free = kernel_free,
        .prepare = kernel_prepare,
        .invoke = kernel_invoke,
        .builtin_code = TFL_OP_DELEGATE,
        .custom_name = "edgecore",
        .version = 1,
    };
}

edgecore_engine *edgecore_tfl_kernel_engine(const edgecore_tfl_kernel *kernel)
{
    return kernel->engine;
}

const edgecore_tfl_kernel *edgecore_tfl_kernel_next(const edgecore_tfl_kernel *kernel)
{
    return kernel->next;
}
