/* Creating, running and destroying an engine. */
#include "graph/engine.h"

#include "edgecore/cpu.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static edgecore_status out_of_memory(edgecore_message *message)
{
    return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory while the engine was made");
}

static uint8_t *aligned_bytes(size_t bytes)
{
    return aligned_alloc(EDGECORE_ALIGNMENT, edgecore_aligned(bytes ? bytes : 1));
}

static edgecore_status rewrite(edgecore_program *program, const edgecore_tier *tier, bool fuse,
                               edgecore_message *message)
{
    for (int32_t n = 0; n < program->node_count; n++) {
        edgecore_status status = edgecore_program_check(program, &program->nodes[n], message);
        if (status)
            return status;
    }
    edgecore_storage_pass(program, tier->storage);
    if (!fuse)
        return EDGECORE_OK;
    edgecore_status status = edgecore_fuse_pad(program, message);
    if (!status)
        status = edgecore_fuse_multi_scale(program, message);
    if (!status)
        status = edgecore_fuse_swish(program, message);
    if (!status && tier->affine_pixels)
        status = edgecore_fuse_affine(program, message);
    if (!status)
        status = edgecore_place_pass(program, message);
    if (!status)
        status = edgecore_group_pass(program, message);
    return status;
}

static edgecore_status allocate(edgecore_engine *engine, edgecore_program *program, int32_t threads,
                                edgecore_message *message)
{
    engine->input_count = program->input_count;
    engine->output_count = program->output_count;
    engine->inputs = calloc((size_t)program->input_count, sizeof *engine->inputs);
    engine->outputs = calloc((size_t)program->output_count, sizeof *engine->outputs);
    engine->pool = edgecore_pool_create(threads);
    if (!engine->inputs || !engine->outputs || !engine->pool)
        return out_of_memory(message);
    threads = edgecore_pool_threads(engine->pool);
    for (int32_t s = 0; s < engine->step_count; s++) {
        edgecore_cut(&engine->steps[s], threads);
        if (engine->steps[s].scratch_bytes > engine->scratch_bytes)
            engine->scratch_bytes = engine->steps[s].scratch_bytes;
    }
    /* Between two threads' scratch lies a line that neither writes. */
    engine->scratch_bytes += EDGECORE_SLACK;
    edgecore_status status = edgecore_plan(engine, program, message);
    if (status)
        return status;
    engine->arena = aligned_bytes(engine->arena_bytes);
    if (engine->scratch_bytes > SIZE_MAX / 2 / (size_t)threads)
        return out_of_memory(message);
    engine->scratch = aligned_bytes(engine->scratch_bytes * (size_t)threads);
    if (!engine->arena || !engine->scratch)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for an arena of %zu bytes",
                             engine->arena_bytes);
    edgecore_bind(engine, program);
    return EDGECORE_OK;
}

edgecore_status edgecore_engine_create(const edgecore_graph *graph, const edgecore_options *options,
                                       edgecore_engine **engine, edgecore_message *message)
{
    if (!graph || !options || !engine)
        return edgecore_fail(message, EDGECORE_INVALID, "graph, options or engine is NULL");
    *engine = NULL;
    if (options->threads < 0 || options->threads > EDGECORE_MAX_THREADS)
        return edgecore_fail(message, EDGECORE_INVALID, "%d threads are not in 0..%d", (int)options->threads,
                             EDGECORE_MAX_THREADS);
    int32_t tier, threads = options->threads ? options->threads : edgecore_cpu_cores();
    threads = threads < EDGECORE_MAX_THREADS ? threads : EDGECORE_MAX_THREADS;
    edgecore_status status = edgecore_isa_select(options->isa, &tier, message);
    if (status)
        return status;
    edgecore_program *program = NULL;
    status = edgecore_program_create(graph, &program, message);
    if (status)
        return status;
    edgecore_engine *made = calloc(1, sizeof *made);
    if (made) {
        made->tier = edgecore_tier_at(tier);
        status = rewrite(program, made->tier, options->fuse, message);
        if (!status)
            status = edgecore_compile(made, program, message);
        if (!status)
            status = allocate(made, program, threads, message);
    } else {
        status = out_of_memory(message);
    }
    edgecore_program_destroy(program);
    if (status)
        edgecore_engine_destroy(made);
    else
        *engine = made;
    return status;
}

void edgecore_engine_destroy(edgecore_engine *engine)
{
    if (!engine)
        return;
    edgecore_pool_destroy(engine->pool);
    for (int32_t s = 0; s < engine->step_count; s++)
        edgecore_step_destroy(&engine->steps[s]);
    free(engine->steps);
    free(engine->inputs);
    free(engine->outputs);
    free(engine->arena);
    free(engine->scratch);
    free(engine);
}

typedef struct run_context {
    const edgecore_engine *engine;
    const edgecore_step *step;
} run_context;

static void run_task(void *context, int32_t task, int32_t thread)
{
    const run_context *run = context;
    edgecore_step_task(run->step, task, run->engine->scratch + run->engine->scratch_bytes * (size_t)thread);
}

/* Copies between a front end's dense buffer and the arena; `in` says the direction. */
static void copy_port(const edgecore_engine *engine, const edgecore_port *port, uint8_t *dense, bool in)
{
    const edgecore_view *view = &port->view;
    size_t piece = (size_t)view->channels;
    int32_t rows = view->height, columns = view->width;
    if (columns == 1 || view->pixel_stride == view->channels) {
        piece *= (size_t)columns;
        columns = 1;
    }
    if (columns == 1 && (rows == 1 || view->row_stride == (ptrdiff_t)piece)) {
        piece *= (size_t)rows;
        rows = 1;
    }
    for (int32_t y = 0; y < rows; y++)
        for (int32_t x = 0; x < columns; x++, dense += piece) {
            uint8_t *stored = view->data + y * view->row_stride + x * view->pixel_stride;
            engine->tier->xor_row(in ? stored : dense, in ? dense : stored, piece, port->flip);
        }
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

edgecore_status edgecore_engine_run(edgecore_engine *engine, const void *const *inputs, void *const *outputs,
                                    edgecore_message *message)
{
    if (!engine || !inputs || !outputs)
        return edgecore_fail(message, EDGECORE_INVALID, "engine, inputs or outputs is NULL");
    for (int32_t i = 0; i < engine->input_count; i++)
        if (!inputs[i])
            return edgecore_fail(message, EDGECORE_INVALID, "input %d is NULL", (int)i);
    for (int32_t i = 0; i < engine->output_count; i++)
        if (!outputs[i])
            return edgecore_fail(message, EDGECORE_INVALID, "output %d is NULL", (int)i);
    if (!edgecore_turn_take(&engine->turn))
        return edgecore_fail(message, EDGECORE_INVALID, "the engine is already running in another thread");
    edgecore_pool_begin(engine->pool);
    for (int32_t i = 0; i < engine->input_count; i++)
        copy_port(engine, &engine->inputs[i], (uint8_t *)(uintptr_t)inputs[i], true);
    for (int32_t s = 0; s < engine->step_count; s++) {
        edgecore_step *step = &engine->steps[s];
        run_context context = {engine, step};
        int64_t start = engine->profiling ? now() : 0;
        edgecore_pool_run(engine->pool, run_task, &context, step->row_tasks * step->channel_tasks);
        if (engine->profiling)
            step->nanoseconds = now() - start;
    }
    for (int32_t i = 0; i < engine->output_count; i++)
        copy_port(engine, &engine->outputs[i], outputs[i], false);
    edgecore_turn_give(&engine->turn);
    return EDGECORE_OK;
}
