/* Small networks for tests: built through the public API, with weights and inputs from a fixed generator. */
#ifndef EDGECORE_TESTS_NETWORKS_H
#define EDGECORE_TESTS_NETWORKS_H

#include "edgecore/graph.h"

#define NETWORK_TENSORS 256
#define NETWORK_PORTS 8

typedef struct network {
    const char *name;
    edgecore_graph *graph;
    uint32_t random;
    float scale;         /* of all activations that nothing else decides */
    int32_t zero_point;
    int32_t hwc[NETWORK_TENSORS][3];
    size_t bytes[NETWORK_TENSORS];
    float scales[NETWORK_TENSORS];
    int32_t inputs[NETWORK_PORTS], outputs[NETWORK_PORTS];
    uint8_t *data[NETWORK_PORTS]; /* of the inputs */
    int input_count, output_count, node_count;
    void *constants[NETWORK_TENSORS];
    int constant_count;
} network;

void network_begin(network *net, uint32_t seed);
void network_close(network *net); /* sets inputs and outputs */
void network_end(network *net);

int32_t network_input(network *net, int32_t height, int32_t width, int32_t channels);
void network_output(network *net, int32_t tensor);
int32_t network_tensor(network *net, int32_t height, int32_t width, int32_t channels, float scale, int32_t zero);
int32_t network_node(network *net, edgecore_op_kind kind, const edgecore_op_params *params, const int32_t *inputs,
                     int count, int32_t output);

/* A square kernel; `same` pads so that stride 1 keeps the size. */
int32_t network_conv(network *net, int32_t x, int32_t channels, int32_t kernel, int32_t stride, bool same);
int32_t network_depthwise(network *net, int32_t x, int32_t kernel, int32_t stride);
int32_t network_pool(network *net, int32_t x, int32_t window, int32_t stride, int32_t padding);
int32_t network_pad(network *net, int32_t x, int32_t before, int32_t after);
int32_t network_add(network *net, int32_t a, int32_t b, edgecore_activation activation);
int32_t network_leaky(network *net, int32_t x);
int32_t network_concat(network *net, const int32_t *inputs, int count, int32_t axis);
int32_t network_flatten(network *net, int32_t x);

typedef struct network_entry {
    const char *name;
    void (*build)(network *net);
    const char *step; /* a step that the fused engine must have, or NULL */
} network_entry;

extern const network_entry networks[];
extern const size_t network_count;

#endif
