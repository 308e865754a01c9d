/* Which operators of a model the engine takes. */
#include "ops/op.h"
#include "tflite/node.h"
#include "tflite/plugin.h"

#include <stdlib.h>

static bool has_weights(edgecore_op_kind kind)
{
    return kind == EDGECORE_CONV_2D || kind == EDGECORE_DEPTHWISE_CONV_2D || kind == EDGECORE_FULLY_CONNECTED ||
           kind == EDGECORE_TRANSPOSE_CONV;
}

/* The engine's node that makes one of the runtime's node's outputs. */
static edgecore_status check_tensors(const tfl_context *context, const edgecore_tfl_node *node, int32_t output,
                                     edgecore_message *message)
{
    edgecore_tensor *tensors = calloc((size_t)node->input_count + 1, sizeof *tensors);
    const edgecore_tensor **inputs = calloc((size_t)node->input_count, sizeof *inputs);
    edgecore_status status =
        tensors && inputs ? EDGECORE_OK : edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    for (int32_t i = 0; !status && i <= node->input_count; i++) {
        const int index = i < node->input_count ? node->inputs[i] : node->outputs[output];
        if (index == TFL_OPTIONAL_TENSOR && i < node->input_count)
            continue;
        if (index < 0 || (size_t)index >= context->tensors_size)
            status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "tensor %d does not exist", index);
        else if (!edgecore_tfl_scales_along_outputs(&context->tensors[index], node->kind, i))
            status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "scales along an unusual dimension");
        else
            status = edgecore_tfl_parse_tensor(&context->tensors[index], &tensors[i], message);
        if (i < node->input_count)
            inputs[i] = &tensors[i];
    }
    /* The runtime reads weights as being of the input's type, whatever they are. */
    if (!status && has_weights(node->kind) && inputs[0] && inputs[1] && inputs[0]->dtype != inputs[1]->dtype)
        status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "weights and input are of different types");
    if (!status) {
        const edgecore_op_params params = edgecore_tfl_params_of(context, node, output);
        status = edgecore_node_supported(node->kind, &params, inputs, node->input_count, &tensors[node->input_count],
                                         message);
    }
    free(inputs);
    free(tensors);
    return status;
}

/* After a resize a tensor may still be another delegate's, and the runtime would refuse the whole partition. */
static bool is_held(const tfl_context *context, int tensor, const tfl_delegate *own)
{
    const tfl_delegate *holder =
        tensor >= 0 && (size_t)tensor < context->tensors_size ? context->tensors[tensor].delegate : NULL;
    return holder && holder != own;
}

typedef struct verdict {
    edgecore_status status;
    edgecore_message message; /* why not */
    bool weighted;            /* a convolution or fully connected: worth leaving the interpreter for */
} verdict;

static edgecore_status check_node(tfl_context *context, const tfl_delegate *own, int index, verdict *result)
{
    edgecore_message *message = &result->message;
    tfl_node *node = NULL;
    tfl_registration *registration = NULL;
    if (context->get_node_and_registration(context, index, &node, &registration) != TFL_OK)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the runtime does not show it");
    edgecore_tfl_node parsed;
    edgecore_status status = edgecore_tfl_parse_node(context, node, registration, &parsed, message);
    for (int32_t i = 0; !status && i < parsed.output_count; i++) {
        if (is_held(context, parsed.outputs[i], own))
            status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "another delegate holds its output");
        else
            status = check_tensors(context, &parsed, i, message);
    }
    if (status)
        return status;
    result->weighted = has_weights(parsed.kind);
    return EDGECORE_OK;
}

/* A run of operators without weights between foreign ones costs more in passing tensors over, and in breaking up what
 * another delegate could take whole, than it saves. */
static void drop_light_runs(verdict *verdicts, size_t count)
{
    for (size_t start = 0, end; start < count; start = end + 1) {
        bool weighted = false;
        for (end = start; end < count && !verdicts[end].status; end++)
            weighted = weighted || verdicts[end].weighted;
        for (size_t i = start; i < end && !weighted && end - start < count; i++)
            verdicts[i].status = edgecore_fail(&verdicts[i].message, EDGECORE_UNSUPPORTED,
                                               "no convolution beside it that the engine runs");
    }
}

/* Whether only the first dimension, the batch, may differ from what the file says. */
static bool has_fixed_shape(const tfl_tensor *tensor)
{
    for (int i = 1; tensor->signature && i < tensor->signature->size; i++) {
        if (tensor->signature->data[i] < 0)
            return false;
    }
    return true;
}

static tfl_node *node_at(tfl_context *context, int index)
{
    tfl_node *node = NULL;
    tfl_registration *registration = NULL;
    return context->get_node_and_registration(context, index, &node, &registration) == TFL_OK ? node : NULL;
}

static void settle(const tfl_context *context, bool *settled, const tfl_ints *tensors, bool value)
{
    for (int i = 0; i < tensors->size; i++) {
        if (tensors->data[i] >= 0 && (size_t)tensors->data[i] < context->tensors_size)
            settled[tensors->data[i]] = value;
    }
}

/* Whether any tensor is in that state. */
static bool any_settled(const tfl_context *context, const bool *settled, const tfl_ints *tensors, bool value)
{
    for (int i = 0; i < tensors->size; i++) {
        const int index = tensors->data[i];
        if (index >= 0 && (size_t)index < context->tensors_size && settled[index] == value)
            return true;
    }
    return false;
}

static void refuse_all(verdict *verdicts, int count, edgecore_status status, const char *why)
{
    for (int i = 0; i < count; i++)
        verdicts[i].status = edgecore_fail(&verdicts[i].message, status, "%s", why);
}

/* The runtime takes operators in any order, but to cut a graph into partitions each result must have one writer, before all
 * its readers: else the runtime crashes. */
static void drop_unordered(tfl_context *context, const tfl_ints *plan, verdict *verdicts)
{
    bool *settled = malloc(context->tensors_size + 1), *written = calloc(context->tensors_size + 1, sizeof *written);
    bool ordered = settled && written;
    for (size_t i = 0; ordered && i < context->tensors_size; i++)
        settled[i] = true;
    for (int i = 0; ordered && i < plan->size; i++) {
        const tfl_node *node = node_at(context, plan->data[i]);
        if (!node)
            continue;
        ordered = !any_settled(context, written, node->outputs, true);
        settle(context, written, node->outputs, true);
        settle(context, settled, node->outputs, false);
    }
    for (int i = 0; ordered && i < plan->size; i++) {
        const tfl_node *node = node_at(context, plan->data[i]);
        if (!node)
            continue;
        ordered = !any_settled(context, settled, node->inputs, false);
        settle(context, settled, node->outputs, true);
    }
    if (!settled || !written)
        refuse_all(verdicts, plan->size, EDGECORE_NO_MEMORY, "out of memory");
    else if (!ordered)
        refuse_all(verdicts, plan->size, EDGECORE_UNSUPPORTED,
                   "the model's operators are not in the order of their results");
    free(settled);
    free(written);
}

/* Where shapes may change while the model runs, the file's are only trusted as far as the engine's own operators lead
 * from the model's inputs: behind a foreign one anything may come. */
static edgecore_status drop_unsettled(tfl_context *context, const tfl_ints *plan, verdict *verdicts)
{
    bool *settled = malloc(context->tensors_size + 1);
    if (!settled)
        return EDGECORE_NO_MEMORY;
    for (size_t i = 0; i < context->tensors_size; i++)
        settled[i] = has_fixed_shape(&context->tensors[i]);
    for (int i = 0; i < plan->size; i++) {
        const tfl_node *node = node_at(context, plan->data[i]);
        if (node)
            settle(context, settled, node->outputs, false);
    }
    for (int i = 0; i < plan->size; i++) {
        const tfl_node *node = node_at(context, plan->data[i]);
        if (!node || verdicts[i].status)
            continue;
        if (!any_settled(context, settled, node->inputs, false))
            settle(context, settled, node->outputs, true);
        else
            verdicts[i].status = edgecore_fail(&verdicts[i].message, EDGECORE_UNSUPPORTED,
                                               "its shapes are known only while the model runs");
    }
    free(settled);
    return EDGECORE_OK;
}

/* A resize undoes the delegation but leaves its mark on the tensors, and then nobody else may take them. */
static void let_go(tfl_context *context, const tfl_delegate *own)
{
    for (size_t i = 0; i < context->tensors_size; i++) {
        if (context->tensors[i].delegate == own)
            context->tensors[i].delegate = NULL;
    }
}

static void keep_result(edgecore_tfl_plugin *plugin, int32_t total, int32_t claimed, edgecore_tfl_refusal *refusals)
{
    pthread_mutex_lock(&plugin->lock);
    edgecore_tfl_refusal *old = plugin->refusals;
    plugin->total_nodes = total;
    plugin->claimed_nodes = claimed;
    plugin->refusals = refusals;
    pthread_mutex_unlock(&plugin->lock);
    free(old);
}

tfl_status edgecore_tfl_claim(tfl_context *context, tfl_delegate *delegate)
{
    tfl_ints *plan = NULL;
    if (context->get_execution_plan(context, &plan) != TFL_OK || !plan || plan->size < 0)
        return TFL_DELEGATE_ERROR;
    if (!edgecore_tfl_abi_matches(context, plan)) {
        context->report_error(context, "edgecore: this TFLite runtime lays out its structures in another way; "
                                       "run without the delegate, or with a runtime that edgecore names");
        return TFL_DELEGATE_ERROR;
    }
    let_go(context, delegate);
    const size_t total = (size_t)plan->size;
    verdict *verdicts = calloc(total + 1, sizeof *verdicts);
    tfl_ints *claimed = malloc(sizeof *claimed + total * sizeof claimed->data[0]);
    edgecore_tfl_refusal *refusals = calloc(total + 1, sizeof *refusals);
    if (!verdicts || !claimed || !refusals) {
        free(verdicts);
        free(claimed);
        free(refusals);
        context->report_error(context, "edgecore: out of memory");
        return TFL_DELEGATE_ERROR;
    }
    for (size_t i = 0; i < total; i++)
        verdicts[i].status = check_node(context, delegate, plan->data[i], &verdicts[i]);
    const edgecore_tfl_plugin *plugin = delegate->data;
    if (plugin->dynamic && drop_unsettled(context, plan, verdicts))
        refuse_all(verdicts, plan->size, EDGECORE_NO_MEMORY, "out of memory");
    drop_unordered(context, plan, verdicts);
    drop_light_runs(verdicts, total);
    claimed->size = 0;
    for (size_t i = 0, refused = 0; i < total; i++) {
        if (!verdicts[i].status)
            claimed->data[claimed->size++] = plan->data[i];
        else
            refusals[refused++] = (edgecore_tfl_refusal){plan->data[i], verdicts[i].message};
    }
    free(verdicts);
    keep_result((edgecore_tfl_plugin *)delegate->data, (int32_t)total, claimed->size, refusals);
    tfl_status status = TFL_OK;
    if (claimed->size)
        status = context->replace_node_subsets_with_delegate_kernels(context, edgecore_tfl_kernel_registration(),
                                                                     claimed, delegate);
    free(claimed);
    return status;
}
