/* What the parsers of operators share. */
#ifndef EDGECORE_TFLITE_PARSE_H
#define EDGECORE_TFLITE_PARSE_H

#include "ops/op.h"
#include "tflite/node.h"

/* Of the parsing of one node. */
typedef struct edgecore_tfl_source {
    const tfl_context *context;
    const tfl_node *node;
    edgecore_message *message;
    edgecore_tfl_node *parsed; /* what an operator changes besides its parameters */
} edgecore_tfl_source;

/* NULL where the node has no such input. */
const tfl_tensor *edgecore_tfl_input_at(const edgecore_tfl_source *from, int position);

/* Integers of the constant that an input must be, at most `limit`; -1 where it is none. */
int edgecore_tfl_read_integers(const edgecore_tfl_source *from, int position, int limit, int64_t *values);

/* Slices and the parts of splits; edgecore_tfl_params_of adds the sizes. */
edgecore_status edgecore_tfl_parse_slice(const edgecore_tfl_source *from, edgecore_op_params *params);
edgecore_status edgecore_tfl_parse_strided_slice(const edgecore_tfl_source *from, edgecore_op_params *params);
edgecore_status edgecore_tfl_parse_split(const edgecore_tfl_source *from, edgecore_op_params *params);
edgecore_status edgecore_tfl_parse_split_v(const edgecore_tfl_source *from, edgecore_op_params *params);

#endif
