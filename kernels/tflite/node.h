/* TFLite's operators in the engine's terms. */
#ifndef EDGECORE_TFLITE_NODE_H
#define EDGECORE_TFLITE_NODE_H

#include "edgecore/types.h"
#include "tflite/abi.h"

typedef struct edgecore_tfl_node {
    edgecore_op_kind kind;
    edgecore_op_params params;
    const int *inputs;      /* tensor indices, TFL_OPTIONAL_TENSOR where absent; lives as long as the runtime's node or this */
    int32_t input_count;    /* without the inputs that have become parameters: axes, paddings, shapes */
    int ordered[3];         /* the inputs of an operator that has them in another order than the engine */
    const int *outputs;     /* one for each of the engine's nodes that do the work */
    int32_t output_count;
    int32_t split_axis;     /* along which the outputs are parts of the input, or -1 */
    int32_t dropped_axes;   /* of a slice: bit i, dim i of the input is none of the output */
} edgecore_tfl_node;

/* EDGECORE_UNSUPPORTED, and why, where the operator has no counterpart or a parameter is not known before the run. */
edgecore_status edgecore_tfl_parse_node(const tfl_context *context, const tfl_node *node,
                                        const tfl_registration *registration, edgecore_tfl_node *parsed,
                                        edgecore_message *message);

/* Parameters of the engine's node that makes output `index`. */
edgecore_op_params edgecore_tfl_params_of(const tfl_context *context, const edgecore_tfl_node *node, int32_t index);

/* A view of the runtime's tensor; it points into the runtime's memory. */
edgecore_status edgecore_tfl_parse_tensor(const tfl_tensor *tensor, edgecore_tensor *parsed,
                                          edgecore_message *message);

bool edgecore_tfl_is_constant(const tfl_tensor *tensor);

/* Whether scales run along the dimension in which the engine expects them: the output channels of weights. */
bool edgecore_tfl_scales_along_outputs(const tfl_tensor *tensor, edgecore_op_kind kind, int32_t input);

#endif
