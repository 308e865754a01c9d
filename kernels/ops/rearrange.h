/* Operators that move elements and change none: each output axis runs along one input axis in even steps. */
#ifndef EDGECORE_OPS_REARRANGE_H
#define EDGECORE_OPS_REARRANGE_H

#include "ops/op.h"

/* For an output dim: the input's dim that it runs along, and how many of its elements a step passes over. An output dim of 1
 * need not run along any. */
typedef struct edgecore_rearrangement {
    int32_t in_dim[EDGECORE_MAX_RANK];
    int32_t step[EDGECORE_MAX_RANK];
    int32_t begin[EDGECORE_MAX_RANK]; /* for each of the input's dims: where output element 0 is */
} edgecore_rearrangement;

/* Any rank and batch, of one quantisation. */
edgecore_status edgecore_check_rearranged(const edgecore_op_desc *desc, edgecore_message *message);

/* `how` stays inside the input. */
edgecore_status edgecore_rearrange_prepare(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                           const struct edgecore_tier *tier, const edgecore_rearrangement *how,
                                           edgecore_op **op, edgecore_message *message);
void edgecore_rearrange_destroy(edgecore_op *op);
void edgecore_rearrange_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                            edgecore_region region, void *scratch);

#endif
