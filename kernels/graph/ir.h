/* The graph as a front end described it: validated copies, never changed after set_io. */
#ifndef EDGECORE_GRAPH_IR_H
#define EDGECORE_GRAPH_IR_H

#include "edgecore/graph.h"
#include "ops/op.h"

#define EDGECORE_MAX_NODE_INPUTS 256
#define EDGECORE_MAX_TENSORS (1 << 16)

typedef struct edgecore_graph_tensor {
    edgecore_tensor tensor; /* scales and zero points point at the copies below */
    float *scales;
    int32_t *zero_points;
    int32_t producer;       /* node, or EDGECORE_NO_NODE */
    bool is_input;
} edgecore_graph_tensor;

typedef struct edgecore_graph_node {
    edgecore_op_kind kind;
    edgecore_op_params params;
    int32_t *inputs;
    int32_t input_count;
    int32_t output;
    int32_t tag;
} edgecore_graph_node;

#define EDGECORE_NO_NODE (-1)

struct edgecore_graph {
    edgecore_graph_tensor *tensors;
    int32_t tensor_count, tensor_capacity;
    edgecore_graph_node *nodes;
    int32_t node_count, node_capacity;
    int32_t *inputs, *outputs;
    int32_t input_count, output_count;
    bool has_io;
};

/* Types, rank, dims and quantisation of one tensor. The engine's own limits give EDGECORE_UNSUPPORTED. */
edgecore_status edgecore_tensor_check(const edgecore_tensor *tensor, edgecore_message *message);

/* Number of elements; trusts a checked tensor. */
int64_t edgecore_tensor_elements(const edgecore_tensor *tensor);

/* Grows an array to hold `count` + 1 elements; false when memory is out. */
bool edgecore_grow(void **array, int32_t *capacity, int32_t count, size_t element);

#endif
