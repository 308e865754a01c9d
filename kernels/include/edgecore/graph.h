/* The engine's front door: describe a network as a graph, compile it once, run it many times.
 *
 *     edgecore_graph_create -> add_tensor*, add_node*, set_io -> edgecore_engine_create -> run*
 *
 * Nothing here knows TFLite: the delegate in tflite/ and the Cython binding are two front ends over it. */
#ifndef EDGECORE_GRAPH_H
#define EDGECORE_GRAPH_H

#include "edgecore/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct edgecore_graph edgecore_graph;
typedef struct edgecore_engine edgecore_engine;

#define EDGECORE_NO_TENSOR (-1) /* an optional input that is absent */

EDGECORE_API edgecore_graph *edgecore_graph_create(void);
EDGECORE_API void edgecore_graph_destroy(edgecore_graph *graph);

EDGECORE_API edgecore_status edgecore_graph_add_tensor(edgecore_graph *graph, const edgecore_tensor *tensor,
                                                       int32_t *id, edgecore_message *message);

/* Nodes come in execution order. `tag` is the front end's own number for the node; steps report it. */
EDGECORE_API edgecore_status edgecore_graph_add_node(edgecore_graph *graph, edgecore_op_kind kind,
                                                     const edgecore_op_params *params, const int32_t *inputs,
                                                     int32_t input_count, int32_t output, int32_t tag,
                                                     edgecore_message *message);

EDGECORE_API edgecore_status edgecore_graph_set_io(edgecore_graph *graph, const int32_t *inputs,
                                                   int32_t input_count, const int32_t *outputs,
                                                   int32_t output_count, edgecore_message *message);

/* Whether the engine could run such a node; asked by a front end before it claims the node.
 * `inputs` holds a NULL pointer for an absent optional input. */
EDGECORE_API edgecore_status edgecore_node_supported(edgecore_op_kind kind, const edgecore_op_params *params,
                                                     const edgecore_tensor *const *inputs, int32_t input_count,
                                                     const edgecore_tensor *output, edgecore_message *message);

typedef struct edgecore_options {
    int32_t threads;  /* 1 to 256; 0 means every core that the process may use. Fewer when the system gives no more */
    const char *isa;  /* a tier's name, or NULL: $EDGECORE_ISA, else the best of this CPU */
    bool fuse;        /* false: one step per node, for tests and tables */
} edgecore_options;

EDGECORE_API edgecore_status edgecore_engine_create(const edgecore_graph *graph,
                                                    const edgecore_options *options,
                                                    edgecore_engine **engine, edgecore_message *message);
EDGECORE_API void edgecore_engine_destroy(edgecore_engine *engine);

/* Runs one inference. Buffers are dense, in the order of set_io, and may not overlap. One call at a time
 * per engine (a second one is refused); different engines may run at once. In a forked child the pool is made anew. */
EDGECORE_API edgecore_status edgecore_engine_run(edgecore_engine *engine, const void *const *inputs,
                                                 void *const *outputs, edgecore_message *message);

/* One step of the compiled plan: an operator or a fused block. */
typedef struct edgecore_step_info {
    const char *name;        /* "conv_2d", "fire", "fire_bypass", "residual_add", "multi_scale_max_pool", ... */
    const int32_t *tags;     /* the nodes that this step runs */
    int32_t tag_count;
    int64_t macs;            /* multiply-accumulates of one inference */
    int64_t bytes;           /* activation and weight bytes read and written */
    int32_t output_dims[EDGECORE_MAX_RANK];
    int32_t output_rank;
    int64_t nanoseconds;     /* of the last run, when profiling is on */
} edgecore_step_info;

EDGECORE_API int32_t edgecore_engine_step_count(const edgecore_engine *engine);
EDGECORE_API edgecore_status edgecore_engine_step(const edgecore_engine *engine, int32_t index,
                                                  edgecore_step_info *info);
EDGECORE_API void edgecore_engine_set_profiling(edgecore_engine *engine, bool on);
EDGECORE_API size_t edgecore_engine_arena_bytes(const edgecore_engine *engine);
/* What lives in the fullest step: no arena is smaller. Each thread's scratch comes on top of both. */
EDGECORE_API size_t edgecore_engine_arena_floor(const edgecore_engine *engine);
EDGECORE_API size_t edgecore_engine_scratch_bytes(const edgecore_engine *engine);
EDGECORE_API size_t edgecore_engine_weight_bytes(const edgecore_engine *engine);
EDGECORE_API const char *edgecore_engine_isa(const edgecore_engine *engine);
EDGECORE_API int32_t edgecore_engine_threads(const edgecore_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
