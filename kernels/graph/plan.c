/* The memory plan: each buffer lives from the first step that touches it to the last, and buffers whose lives do not
 * meet share bytes. One after another each gets the lowest offset that is free over its life. No plan is smaller than the fullest
 * step, the floor; largest first, the usual order, mostly reaches it, and where it does not others are tried. */
#include "graph/engine.h"

#include <stdlib.h>

typedef struct buffer {
    int32_t tensor;
    int32_t first, last; /* steps */
    size_t offset, bytes;
} buffer;

static void touch(edgecore_program *program, int32_t root, int32_t step)
{
    edgecore_program_tensor *tensor = &program->tensors[root];
    if (tensor->first_step > step)
        tensor->first_step = step;
    if (tensor->last_step < step)
        tensor->last_step = step;
}

static void find_lives(const edgecore_engine *engine, edgecore_program *program)
{
    for (int32_t i = 0; i < program->tensor_count; i++) {
        program->tensors[i].first_step = INT32_MAX;
        program->tensors[i].last_step = -1;
    }
    for (int32_t i = 0; i < program->input_count; i++)
        touch(program, program->tensors[program->inputs[i]].place.root, 0);
    for (int32_t i = 0; i < program->output_count; i++)
        touch(program, program->tensors[program->outputs[i]].place.root, engine->step_count);
    for (int32_t s = 0; s < engine->step_count; s++)
        for (int32_t m = 0; m < engine->steps[s].member_count; m++) {
            const edgecore_member *member = &engine->steps[s].members[m];
            if (member->output.strip == EDGECORE_ARENA)
                touch(program, member->output.place.root, s);
            for (int32_t i = 0; i < member->op->activation_inputs; i++)
                if (member->inputs[i].strip == EDGECORE_ARENA)
                    touch(program, member->inputs[i].place.root, s);
        }
}

static int by_size(const void *a, const void *b)
{
    const buffer *left = a, *right = b;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    return (left->tensor > right->tensor) - (left->tensor < right->tensor);
}

static int by_life(const void *a, const void *b)
{
    const buffer *left = a, *right = b;
    const int32_t left_life = left->last - left->first, right_life = right->last - right->first;
    return left_life != right_life ? (left_life < right_life) - (left_life > right_life) : by_size(a, b);
}

static int by_first(const void *a, const void *b)
{
    const buffer *left = a, *right = b;
    return left->first != right->first ? (left->first > right->first) - (left->first < right->first) : by_size(a, b);
}

static int by_last(const void *a, const void *b)
{
    const buffer *left = a, *right = b;
    return left->last != right->last ? (left->last < right->last) - (left->last > right->last) : by_size(a, b);
}

/* Bytes that live in the fullest step. */
static size_t find_floor(const buffer *buffers, int32_t count, int32_t steps)
{
    size_t floor = 0;
    for (int32_t s = 0; s <= steps; s++) {
        size_t bytes = 0;
        for (int32_t i = 0; i < count; i++)
            bytes += buffers[i].first <= s && s <= buffers[i].last ? buffers[i].bytes : 0;
        floor = bytes > floor ? bytes : floor;
    }
    return floor;
}

/* Placed buffers are kept in order of offset, so one scan finds the lowest gap. */
static void place_buffer(buffer **placed, int32_t count, buffer *next)
{
    size_t offset = 0;
    for (int32_t i = 0; i < count; i++) {
        const buffer *other = placed[i];
        if (other->last < next->first || other->first > next->last)
            continue;
        if (offset + next->bytes <= other->offset)
            break;
        if (other->offset + other->bytes > offset)
            offset = other->offset + other->bytes;
    }
    next->offset = offset;
    int32_t at = count;
    for (; at > 0 && placed[at - 1]->offset > offset; at--)
        placed[at] = placed[at - 1];
    placed[at] = next;
}

/* Places all buffers in that order, and keeps the plan unless it is no smaller than the last. */
static void place_all(edgecore_engine *engine, edgecore_program *program, buffer *buffers, buffer **placed, int32_t count,
                      int (*order)(const void *, const void *))
{
    size_t bytes = 0;
    qsort(buffers, (size_t)count, sizeof *buffers, order);
    for (int32_t i = 0; i < count && bytes <= SIZE_MAX / 2; i++) { /* a few more tensors, and 32 bits would wrap */
        place_buffer(placed, i, &buffers[i]);
        if (buffers[i].offset + buffers[i].bytes > bytes)
            bytes = buffers[i].offset + buffers[i].bytes;
    }
    if (bytes >= engine->arena_bytes)
        return;
    engine->arena_bytes = bytes;
    for (int32_t i = 0; i < count; i++)
        program->tensors[buffers[i].tensor].arena_offset = buffers[i].offset;
}

edgecore_status edgecore_plan(edgecore_engine *engine, edgecore_program *program, edgecore_message *message)
{
    static int (*const orders[])(const void *, const void *) = {by_size, by_life, by_first, by_last};
    find_lives(engine, program);
    buffer *buffers = calloc((size_t)program->tensor_count + 1, sizeof *buffers);
    buffer **placed = calloc((size_t)program->tensor_count + 1, sizeof *placed);
    int32_t count = 0;
    for (int32_t i = 0; buffers && placed && i < program->tensor_count; i++) {
        const edgecore_program_tensor *tensor = &program->tensors[i];
        if (tensor->last_step < 0)
            continue;
        size_t bytes = (size_t)tensor->height * (size_t)tensor->width * (size_t)tensor->channels;
        buffers[count++] = (buffer){.tensor = i, .first = tensor->first_step, .last = tensor->last_step,
                                    .bytes = edgecore_aligned(bytes + EDGECORE_SLACK)};
    }
    bool made = buffers && placed;
    if (made) {
        engine->arena_floor = find_floor(buffers, count, engine->step_count);
        engine->arena_bytes = SIZE_MAX;
        for (size_t i = 0; i < sizeof orders / sizeof *orders && engine->arena_bytes > engine->arena_floor; i++)
            place_all(engine, program, buffers, placed, count, orders[i]);
        made = engine->arena_bytes <= SIZE_MAX / 2;
    }
    free(buffers);
    free(placed);
    return made ? EDGECORE_OK
                : edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the arena was planned");
}

static void bind_operand(edgecore_operand *operand, const edgecore_engine *engine, const edgecore_program *program)
{
    if (operand->strip == EDGECORE_ARENA)
        operand->view.data = engine->arena + program->tensors[operand->place.root].arena_offset +
                             operand->place.offset;
}

static void bind_port(edgecore_port *port, int32_t id, const edgecore_engine *engine,
                      const edgecore_program *program)
{
    const edgecore_program_tensor *tensor = &program->tensors[id];
    port->flip = tensor->front_dtype == tensor->tensor.dtype ? 0 : 0x80;
    port->view = (edgecore_view){.height = tensor->height, .width = tensor->width, .channels = tensor->channels,
                                 .row_stride = tensor->place.row_stride,
                                 .pixel_stride = tensor->place.pixel_stride};
    port->view.data = engine->arena + program->tensors[tensor->place.root].arena_offset + tensor->place.offset;
}

void edgecore_bind(edgecore_engine *engine, const edgecore_program *program)
{
    for (int32_t s = 0; s < engine->step_count; s++)
        for (int32_t m = 0; m < engine->steps[s].member_count; m++) {
            edgecore_member *member = &engine->steps[s].members[m];
            bind_operand(&member->output, engine, program);
            for (int32_t i = 0; i < member->op->activation_inputs; i++)
                bind_operand(&member->inputs[i], engine, program);
        }
    for (int32_t i = 0; i < engine->input_count; i++)
        bind_port(&engine->inputs[i], program->inputs[i], engine, program);
    for (int32_t i = 0; i < engine->output_count; i++)
        bind_port(&engine->outputs[i], program->outputs[i], engine, program);
}
