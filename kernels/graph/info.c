/* What an engine tells about itself. */
#include "graph/engine.h"

#include <string.h>

int32_t edgecore_engine_step_count(const edgecore_engine *engine)
{
    return engine ? engine->step_count : 0;
}

edgecore_status edgecore_engine_step(const edgecore_engine *engine, int32_t index, edgecore_step_info *info)
{
    if (!engine || !info || index < 0 || index >= engine->step_count)
        return EDGECORE_INVALID;
    const edgecore_step *step = &engine->steps[index];
    *info = (edgecore_step_info){.name = step->name, .tags = step->tags, .tag_count = step->tag_count,
                                 .macs = step->macs, .bytes = step->bytes, .output_rank = step->output_rank,
                                 .nanoseconds = step->nanoseconds};
    memcpy(info->output_dims, step->output_dims, sizeof info->output_dims);
    return EDGECORE_OK;
}

void edgecore_engine_set_profiling(edgecore_engine *engine, bool on)
{
    if (engine)
        engine->profiling = on;
}

size_t edgecore_engine_arena_bytes(const edgecore_engine *engine)
{
    return engine ? engine->arena_bytes : 0;
}

size_t edgecore_engine_arena_floor(const edgecore_engine *engine)
{
    return engine ? engine->arena_floor : 0;
}

size_t edgecore_engine_scratch_bytes(const edgecore_engine *engine)
{
    return engine ? engine->scratch_bytes * (size_t)edgecore_pool_threads(engine->pool) : 0;
}

size_t edgecore_engine_weight_bytes(const edgecore_engine *engine)
{
    return engine ? engine->weight_bytes : 0;
}

const char *edgecore_engine_isa(const edgecore_engine *engine)
{
    return engine ? engine->tier->name : "";
}

int32_t edgecore_engine_threads(const edgecore_engine *engine)
{
    return engine ? edgecore_pool_threads(engine->pool) : 0;
}
