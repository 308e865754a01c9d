/* The compiler's working copy of a graph. Passes rewrite it in place, in this order:
 *   storage   activations take the tier's type
 *   fuse_*    nodes are folded into others, or gathered in groups that run strip by strip
 *   place     concatenations and reshapes become places in another tensor's buffer
 *   plan      buffers get their offsets in the arena */
#ifndef EDGECORE_GRAPH_PROGRAM_H
#define EDGECORE_GRAPH_PROGRAM_H

#include "graph/ir.h"

#define EDGECORE_NONE (-1)
#define EDGECORE_MAX_MEMBERS 16

typedef enum edgecore_node_state {
    EDGECORE_NODE_RUNS = 0,
    EDGECORE_NODE_ELIDED,       /* its output is a place in, or the same bytes as, other tensors */
    EDGECORE_NODE_PARTLY_PLACED, /* a concatenation of which some inputs must still be copied */
    EDGECORE_NODE_FOLDED,       /* another node does its work */
} edgecore_node_state;

typedef struct edgecore_program_node {
    edgecore_op_kind kind;
    edgecore_op_params params;
    int32_t *inputs;
    int32_t input_count;
    int32_t output;
    int32_t *tags;
    int32_t tag_count;
    edgecore_node_state state;
    int32_t group; /* or EDGECORE_NONE */
} edgecore_program_node;

/* Where a tensor lies: in the buffer of its root tensor, from byte `offset`. */
typedef struct edgecore_place {
    int32_t root;   /* itself where the tensor owns its buffer */
    bool placed;    /* false: owns its buffer */
    size_t offset;
    ptrdiff_t row_stride, pixel_stride;
} edgecore_place;

typedef struct edgecore_program_tensor {
    edgecore_tensor tensor;
    int32_t zero_point;        /* of an activation, after the storage pass */
    edgecore_dtype front_dtype; /* what the front end sees */
    int32_t height, width, channels;
    int32_t producer;          /* node, or EDGECORE_NONE */
    int32_t uses;              /* by nodes that are not folded */
    bool is_input, is_output;
    edgecore_place place;
    int32_t first_step, last_step; /* of a root's buffer */
    size_t arena_offset;           /* of a root */
    int32_t strip_group;           /* a root that lives in the strips of one group, or EDGECORE_NONE */
} edgecore_program_tensor;

/* Nodes that run as one step, strip by strip. Ascending node numbers; the last stands for the step's position. */
typedef struct edgecore_group {
    const char *name;
    int32_t nodes[EDGECORE_MAX_MEMBERS];
    int32_t node_count;
} edgecore_group;

typedef struct edgecore_program {
    edgecore_program_node *nodes;
    int32_t node_count;
    edgecore_program_tensor *tensors;
    int32_t tensor_count;
    int32_t *inputs, *outputs;
    int32_t input_count, output_count;
    edgecore_group *groups;
    int32_t group_count, group_capacity;
    size_t arena_bytes;
} edgecore_program;

edgecore_status edgecore_program_create(const edgecore_graph *graph, edgecore_program **program,
                                        edgecore_message *message);
void edgecore_program_destroy(edgecore_program *program);

/* A node as operators want it; `inputs` is room for EDGECORE_MAX_NODE_INPUTS pointers. */
edgecore_op_desc edgecore_program_desc(const edgecore_program *program, const edgecore_program_node *node,
                                       const edgecore_tensor **inputs);

/* Whether the operator takes the node as it now is. */
edgecore_status edgecore_program_check(const edgecore_program *program, const edgecore_program_node *node,
                                       edgecore_message *message);

/* Counts uses and finds producers anew, after nodes were folded. */
void edgecore_program_link(edgecore_program *program);

/* The only node that reads `tensor`, once, or EDGECORE_NONE; none where the tensor is also an output of the graph. */
int32_t edgecore_program_only_user(const edgecore_program *program, int32_t tensor);

/* Moves `from`'s tags to `to`; false when memory is out. */
bool edgecore_program_move_tags(edgecore_program *program, int32_t from, int32_t to);

/* Activation input `index` (0, 1, ...) of a node: its tensor, or EDGECORE_NONE. */
int32_t edgecore_program_activation(const edgecore_program *program, const edgecore_program_node *node,
                                    int32_t index);

bool edgecore_same_quantisation(const edgecore_tensor *a, const edgecore_tensor *b);

/* The passes. */
void edgecore_storage_pass(edgecore_program *program, edgecore_dtype storage);
edgecore_status edgecore_fuse_pad(edgecore_program *program, edgecore_message *message);
edgecore_status edgecore_fuse_multi_scale(edgecore_program *program, edgecore_message *message);
edgecore_status edgecore_fuse_swish(edgecore_program *program, edgecore_message *message);
edgecore_status edgecore_fuse_affine(edgecore_program *program, edgecore_message *message);
edgecore_status edgecore_place_pass(edgecore_program *program, edgecore_message *message);
edgecore_status edgecore_group_pass(edgecore_program *program, edgecore_message *message);

#endif
