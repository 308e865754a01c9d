/* The byte-to-byte operators as tables, for fusions that apply one behind another operator. */
#ifndef EDGECORE_OPS_UNARY_H
#define EDGECORE_OPS_UNARY_H

#include "ops/op.h"

/* Fills `table`, indexed by the input's stored byte and giving the output's, for RELU, RELU6, LEAKY_RELU, LOGISTIC,
 * TANH, HARD_SWISH, SWISH and QUANTIZE whose description has passed check(); EDGECORE_UNSUPPORTED for other kinds. */
edgecore_status edgecore_unary_table(const edgecore_op_desc *desc, uint8_t table[256]);

#endif
