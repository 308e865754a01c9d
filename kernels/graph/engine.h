/* The compiled form: a list of steps over one arena. */
#ifndef EDGECORE_GRAPH_ENGINE_H
#define EDGECORE_GRAPH_ENGINE_H

#include "graph/pool.h"
#include "graph/program.h"
#include "graph/turn.h"
#include "isa/tier.h"

#define EDGECORE_ALIGNMENT 64
#define EDGECORE_ARENA EDGECORE_NONE /* the "strip" of an operand that lies in the arena */

static inline size_t edgecore_aligned(size_t bytes)
{
    return (bytes + EDGECORE_ALIGNMENT - 1) / EDGECORE_ALIGNMENT * EDGECORE_ALIGNMENT;
}

/* What a member reads or writes: a view of the arena, or of one strip, then with `data` NULL. */
typedef struct edgecore_operand {
    edgecore_view view;
    edgecore_place place;
    int32_t strip;
} edgecore_operand;

typedef struct edgecore_member {
    edgecore_op *op;
    edgecore_op_kind kind;
    edgecore_operand *inputs; /* [op->activation_inputs], activation inputs in order */
    edgecore_operand output;
} edgecore_member;

/* A buffer of each thread that holds those rows of an internal tensor that the current task needs. */
typedef struct edgecore_strip {
    int32_t root;      /* tensor */
    int32_t max_rows;
    size_t row_bytes;
    size_t scratch_offset;
} edgecore_strip;

typedef struct edgecore_step {
    const char *name;
    int32_t *tags;
    int32_t tag_count;
    int64_t macs, bytes;
    int32_t output_dims[EDGECORE_MAX_RANK];
    int32_t output_rank;
    int64_t nanoseconds;
    edgecore_member *members;
    int32_t member_count;
    edgecore_strip *strips; /* at most one for each member */
    int32_t strip_count;
    /* How the step is cut: tasks are numbered channels first, then rows. */
    int32_t rows, channels; /* of the last member's output */
    int32_t channel_step;   /* 0: channels are not cut */
    int32_t row_step;       /* rows are cut at multiples of this */
    bool splits_rows;
    int32_t task_rows, task_channels;
    int32_t row_tasks, channel_tasks;
    size_t scratch_bytes; /* strips, then the operators' own */
    size_t op_scratch;    /* where the operators' own begins */
} edgecore_step;

/* One input or output of the engine: a dense buffer of the front end and its place in the arena. */
typedef struct edgecore_port {
    edgecore_view view;
    uint8_t flip;
} edgecore_port;

struct edgecore_engine {
    const edgecore_tier *tier;
    edgecore_step *steps;
    int32_t step_count;
    edgecore_port *inputs, *outputs;
    int32_t input_count, output_count;
    uint8_t *arena;
    size_t arena_bytes, arena_floor, weight_bytes;
    uint8_t *scratch; /* scratch_bytes for each thread */
    size_t scratch_bytes;
    edgecore_pool *pool;
    bool profiling;
    edgecore_turn turn; /* of edgecore_engine_run */
};

/* Makes the steps: gathers nodes and prepares operators. */
edgecore_status edgecore_compile(edgecore_engine *engine, const edgecore_program *program, edgecore_message *message);
void edgecore_step_destroy(edgecore_step *step);

/* Decides, from what the members allow, which operands of a step lie in strips and how it may be cut. */
void edgecore_shape_step(edgecore_step *step, const edgecore_program *program, int32_t group);

/* Gives each buffer its offset in the arena; sets the engine's arena_bytes and arena_floor. */
edgecore_status edgecore_plan(edgecore_engine *engine, edgecore_program *program, edgecore_message *message);

/* Turns places into pointers, once the arena stands. */
void edgecore_bind(edgecore_engine *engine, const edgecore_program *program);

/* Decides how a step is cut into tasks and how large its strips are. */
void edgecore_cut(edgecore_step *step, int32_t threads);

/* Rows that each member must compute, and that each strip must hold, for output rows [y0, y1). */
typedef struct edgecore_rows {
    int32_t y0, y1;
} edgecore_rows;
void edgecore_strip_rows(const edgecore_step *step, int32_t y0, int32_t y1, edgecore_rows *members,
                         edgecore_rows *strips);

/* Runs one task of a step on a thread with that scratch. */
void edgecore_step_task(const edgecore_step *step, int32_t task, uint8_t *scratch);

#endif
