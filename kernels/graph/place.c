/* Concatenations in place and reshapes for nothing: a tensor may lie inside another's buffer.
 *
 * Nodes are visited last to first, so a tensor's own place is final before its producer is visited:
 *   - a concatenation gives each input a slice of its output: along channels the slice keeps the output's pixel
 *     stride, along width or height its row stride;
 *   - a reshape's input and output are the same bytes wherever that one's place is dense.
 * Every byte of a buffer still has one writer, since slices do not overlap and a tensor is placed once. */
#include "graph/program.h"

static bool is_dense(const edgecore_program_tensor *tensor)
{
    return (tensor->height == 1 || tensor->place.row_stride == (ptrdiff_t)tensor->width * tensor->channels) &&
           (tensor->width == 1 || tensor->place.pixel_stride == tensor->channels);
}

/* Puts `id` at the start of `at`, dense. */
static void put_dense(edgecore_program *program, int32_t id, const edgecore_place *at)
{
    edgecore_program_tensor *tensor = &program->tensors[id];
    tensor->place = (edgecore_place){.root = at->root, .placed = true, .offset = at->offset};
    tensor->place.pixel_stride = tensor->channels;
    tensor->place.row_stride = (ptrdiff_t)tensor->width * tensor->channels;
}

/* The joined axis as a view sees it: 0 height, 1 width, 2 channels; EDGECORE_NONE for the batch. */
static int32_t view_axis(const edgecore_tensor *output, int32_t axis)
{
    if (axis < 0)
        axis += output->rank;
    int32_t seen = axis - output->rank + 3;
    return axis < 0 || seen > 2 ? EDGECORE_NONE : seen;
}

static int32_t extent(const edgecore_program_tensor *tensor, int32_t axis)
{
    return axis == 0 ? tensor->height : axis == 1 ? tensor->width : tensor->channels;
}

/* Which inputs become slices: those whose place nothing else decided. Returns how many. */
static int32_t choose_slices(const edgecore_program *program, const edgecore_program_node *node, bool *slice)
{
    int32_t count = 0;
    for (int32_t i = 0; i < node->input_count; i++) {
        const edgecore_program_tensor *input = &program->tensors[node->inputs[i]];
        slice[i] = !input->place.placed && !input->is_input;
        for (int32_t j = 0; j < i; j++)
            slice[i] = slice[i] && node->inputs[j] != node->inputs[i];
        count += slice[i];
    }
    return count;
}

/* Bytes are joined as they are only where all inputs are activations with the output's quantisation. */
static bool joins_bytes(const edgecore_program *program, const edgecore_program_node *node)
{
    if (node->params.activation != EDGECORE_ACT_NONE)
        return false;
    for (int32_t i = 0; i < node->input_count; i++) {
        int32_t id = node->inputs[i];
        if (id == EDGECORE_NO_TENSOR || program->tensors[id].tensor.data ||
            !edgecore_same_quantisation(&program->tensors[id].tensor, &program->tensors[node->output].tensor))
            return false;
    }
    return true;
}

static void place_concatenation(edgecore_program *program, edgecore_program_node *node)
{
    const edgecore_program_tensor *output = &program->tensors[node->output];
    bool slice[EDGECORE_MAX_NODE_INPUTS];
    int32_t axis = view_axis(&output->tensor, node->params.axis);
    if (axis < 0 || !joins_bytes(program, node))
        return;
    int32_t copies = node->input_count - choose_slices(program, node, slice);
    /* Copies share one step that is cut into rows, which a join along the height does not allow. */
    if (copies == node->input_count || (copies > 0 && (axis == 0 || copies > EDGECORE_MAX_MEMBERS)))
        return;
    node->state = copies ? EDGECORE_NODE_PARTLY_PLACED : EDGECORE_NODE_ELIDED;
    size_t offset = output->place.offset;
    const ptrdiff_t steps[3] = {output->place.row_stride, output->place.pixel_stride, 1};
    for (int32_t i = 0; i < node->input_count; i++) {
        edgecore_program_tensor *input = &program->tensors[node->inputs[i]];
        if (slice[i]) {
            input->place = output->place;
            input->place.placed = true;
            input->place.offset = offset;
        }
        offset += (size_t)(steps[axis] * extent(input, axis));
    }
}

/* An elided node is reported with a step that runs; a reshape of the graph's input needs one behind it. */
static bool has_running_user(const edgecore_program *program, int32_t tensor)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        if (node->state != EDGECORE_NODE_RUNS && node->state != EDGECORE_NODE_PARTLY_PLACED)
            continue;
        for (int32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] == tensor && node->kind != EDGECORE_RESHAPE)
                return true;
    }
    return false;
}

static void place_reshape(edgecore_program *program, edgecore_program_node *node)
{
    int32_t from = edgecore_program_activation(program, node, 0);
    if (from == EDGECORE_NONE)
        return;
    edgecore_program_tensor *input = &program->tensors[from], *output = &program->tensors[node->output];
    if (!edgecore_same_quantisation(&input->tensor, &output->tensor))
        return;
    if (!input->place.placed && !input->is_input) {
        if (!is_dense(output))
            return;
        put_dense(program, from, &output->place);
    } else {
        if (output->place.placed || !is_dense(input) ||
            (input->is_input && !has_running_user(program, node->output)))
            return;
        put_dense(program, node->output, &input->place);
    }
    node->state = EDGECORE_NODE_ELIDED;
}

/* The node that runs and made `tensor`'s bytes, or EDGECORE_NONE for the graph's input. */
static int32_t maker(const edgecore_program *program, int32_t tensor)
{
    int32_t producer = program->tensors[tensor].producer;
    while (producer != EDGECORE_NONE && program->nodes[producer].state == EDGECORE_NODE_ELIDED) {
        const edgecore_program_node *node = &program->nodes[producer];
        int32_t last = node->kind == EDGECORE_CONCATENATION ? node->input_count - 1 : 0;
        producer = program->tensors[edgecore_program_activation(program, node, last)].producer;
    }
    return producer;
}

static int32_t running_user(const edgecore_program *program, int32_t tensor)
{
    for (int32_t n = 0; n < program->node_count; n++)
        for (int32_t i = 0; i < program->nodes[n].input_count; i++)
            if (program->nodes[n].inputs[i] == tensor && program->nodes[n].state != EDGECORE_NODE_ELIDED &&
                program->nodes[n].state != EDGECORE_NODE_FOLDED)
                return n;
    return EDGECORE_NONE;
}

edgecore_status edgecore_place_pass(edgecore_program *program, edgecore_message *message)
{
    for (int32_t n = program->node_count - 1; n >= 0; n--) {
        edgecore_program_node *node = &program->nodes[n];
        if (node->state == EDGECORE_NODE_RUNS && node->kind == EDGECORE_CONCATENATION)
            place_concatenation(program, node);
        else if (node->state == EDGECORE_NODE_RUNS && node->kind == EDGECORE_RESHAPE)
            place_reshape(program, node);
    }
    for (int32_t n = 0; n < program->node_count; n++) {
        if (program->nodes[n].state != EDGECORE_NODE_ELIDED)
            continue;
        int32_t host = maker(program, program->nodes[n].output);
        if (host == EDGECORE_NONE)
            host = running_user(program, program->nodes[n].output);
        if (host == EDGECORE_NONE || !edgecore_program_move_tags(program, n, host))
            return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
    }
    return EDGECORE_OK;
}
