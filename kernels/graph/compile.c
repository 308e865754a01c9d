/* From the rewritten program to steps with prepared operators. */
#include "graph/engine.h"

#include <stdlib.h>
#include <string.h>

static edgecore_status out_of_memory(edgecore_message *message)
{
    return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the graph was compiled");
}

void edgecore_step_destroy(edgecore_step *step)
{
    for (int32_t i = 0; i < step->member_count; i++) {
        if (step->members[i].op)
            step->members[i].op->klass->destroy(step->members[i].op);
        free(step->members[i].inputs);
    }
    free(step->members);
    free(step->strips);
    free(step->tags);
}

static edgecore_operand operand_at(const edgecore_program *program, int32_t tensor, const edgecore_place *place)
{
    const edgecore_program_tensor *shape = &program->tensors[tensor];
    return (edgecore_operand){
        .place = *place,
        .strip = EDGECORE_ARENA,
        .view = {.height = shape->height, .width = shape->width, .channels = shape->channels,
                 .row_stride = place->row_stride, .pixel_stride = place->pixel_stride},
    };
}

static edgecore_operand operand_of(const edgecore_program *program, int32_t tensor)
{
    return operand_at(program, tensor, &program->tensors[tensor].place);
}

/* Prepares the next member of a step. `inputs` are its activations, as many as the operator says. */
static edgecore_status add_member(edgecore_engine *engine, const edgecore_program *program, edgecore_step *step,
                                  const edgecore_op_desc *desc, const int32_t *inputs, int32_t input_count,
                                  edgecore_operand output, edgecore_message *message)
{
    const edgecore_op_class *klass = edgecore_op_class_of(desc->kind);
    edgecore_member *member = &step->members[step->member_count];
    edgecore_status status = klass->prepare(desc, engine->tier, &member->op, message);
    if (status)
        return status;
    step->member_count++;
    member->kind = desc->kind;
    if (member->op->activation_inputs != input_count)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "%s takes %d activations, not %d", klass->name,
                             (int)member->op->activation_inputs, (int)input_count);
    member->inputs = calloc((size_t)input_count, sizeof *member->inputs);
    if (!member->inputs)
        return out_of_memory(message);
    for (int32_t i = 0; i < input_count; i++)
        member->inputs[i] = operand_of(program, inputs[i]);
    member->output = output;
    step->macs += member->op->macs;
    engine->weight_bytes += member->op->weight_bytes;
    return EDGECORE_OK;
}

static edgecore_status add_node(edgecore_engine *engine, const edgecore_program *program, edgecore_step *step,
                                const edgecore_program_node *node, edgecore_message *message)
{
    const edgecore_tensor *inputs[EDGECORE_MAX_NODE_INPUTS];
    int32_t activations[EDGECORE_MAX_NODE_INPUTS], count = 0;
    const edgecore_op_desc desc = edgecore_program_desc(program, node, inputs);
    while (count < node->input_count &&
           (activations[count] = edgecore_program_activation(program, node, count)) != EDGECORE_NONE)
        count++;
    return add_member(engine, program, step, &desc, activations, count, operand_of(program, node->output), message);
}

/* A concatenation of which some inputs already lie in its output: copies for the others. */
static edgecore_status add_copies(edgecore_engine *engine, const edgecore_program *program, edgecore_step *step,
                                  const edgecore_program_node *node, edgecore_message *message)
{
    const edgecore_place *whole = &program->tensors[node->output].place;
    const edgecore_op_params params = {0};
    bool along_width = program->tensors[node->inputs[0]].width != program->tensors[node->output].width;
    edgecore_place slice = *whole;
    for (int32_t i = 0; i < node->input_count; i++) {
        const edgecore_program_tensor *input = &program->tensors[node->inputs[i]];
        const edgecore_tensor *tensors[1] = {&input->tensor};
        const edgecore_op_desc desc = {EDGECORE_RESHAPE, &params, tensors, 1, &input->tensor,
                                       input->front_dtype};
        bool in_place = input->place.placed && input->place.root == slice.root &&
                        input->place.offset == slice.offset;
        edgecore_status status = EDGECORE_OK;
        if (!in_place)
            status = add_member(engine, program, step, &desc, &node->inputs[i], 1,
                                operand_at(program, node->inputs[i], &slice), message);
        if (status)
            return status;
        slice.offset += along_width ? (size_t)(slice.pixel_stride * input->width) : (size_t)input->channels;
    }
    return EDGECORE_OK;
}

static int compare_ids(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static edgecore_status take_tags(edgecore_step *step, const edgecore_program *program, const int32_t *nodes,
                                 int32_t count, edgecore_message *message)
{
    int32_t total = 0;
    for (int32_t i = 0; i < count; i++)
        total += program->nodes[nodes[i]].tag_count;
    step->tags = malloc((size_t)(total ? total : 1) * sizeof *step->tags);
    if (!step->tags)
        return out_of_memory(message);
    for (int32_t i = 0; i < count; i++) {
        const edgecore_program_node *node = &program->nodes[nodes[i]];
        if (node->tag_count)
            memcpy(step->tags + step->tag_count, node->tags, (size_t)node->tag_count * sizeof *node->tags);
        step->tag_count += node->tag_count;
    }
    qsort(step->tags, (size_t)step->tag_count, sizeof *step->tags, compare_ids);
    return EDGECORE_OK;
}

static edgecore_status make_step(edgecore_engine *engine, const edgecore_program *program, const int32_t *nodes,
                                 int32_t count, int32_t group, edgecore_message *message)
{
    edgecore_step *step = &engine->steps[engine->step_count++];
    const edgecore_program_node *last = &program->nodes[nodes[count - 1]];
    step->members = calloc(EDGECORE_MAX_MEMBERS, sizeof *step->members);
    step->strips = calloc(EDGECORE_MAX_MEMBERS, sizeof *step->strips);
    if (!step->members || !step->strips)
        return out_of_memory(message);
    edgecore_status status = take_tags(step, program, nodes, count, message);
    for (int32_t i = 0; i < count && !status; i++) {
        const edgecore_program_node *node = &program->nodes[nodes[i]];
        if (node->state == EDGECORE_NODE_RUNS)
            status = add_node(engine, program, step, node, message);
        else if (node->state == EDGECORE_NODE_PARTLY_PLACED)
            status = add_copies(engine, program, step, node, message);
    }
    if (status)
        return status;
    step->name = group == EDGECORE_NONE ? edgecore_op_class_of(last->kind)->name : program->groups[group].name;
    const edgecore_tensor *output = &program->tensors[last->output].tensor;
    memcpy(step->output_dims, output->dims, sizeof step->output_dims);
    step->output_rank = output->rank;
    edgecore_shape_step(step, program, group);
    return EDGECORE_OK;
}

edgecore_status edgecore_compile(edgecore_engine *engine, const edgecore_program *program, edgecore_message *message)
{
    engine->steps = calloc((size_t)program->node_count + 1, sizeof *engine->steps);
    if (!engine->steps)
        return out_of_memory(message);
    for (int32_t n = 0; n < program->node_count; n++) {
        const edgecore_program_node *node = &program->nodes[n];
        edgecore_status status = EDGECORE_OK;
        if (node->group != EDGECORE_NONE) {
            const edgecore_group *group = &program->groups[node->group];
            if (group->nodes[group->node_count - 1] == n)
                status = make_step(engine, program, group->nodes, group->node_count, node->group, message);
        } else if (node->state == EDGECORE_NODE_RUNS || node->state == EDGECORE_NODE_PARTLY_PLACED) {
            status = make_step(engine, program, &n, 1, EDGECORE_NONE, message);
        }
        if (status)
            return status;
    }
    return EDGECORE_OK;
}
