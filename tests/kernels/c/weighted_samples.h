/* Random convolutions of all kinds and fully connected layers with their outputs by the definition. */
#ifndef EDGECORE_TESTS_WEIGHTED_SAMPLES_H
#define EDGECORE_TESTS_WEIGHTED_SAMPLES_H

#include "ops/op.h"

typedef struct layer {
    edgecore_op_kind kind;
    edgecore_op_params params;
    int32_t in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, groups;
    int32_t depth;           /* input channels of a filter; of a fully connected layer: elements of a vector */
    bool one_vector;         /* fully connected: the whole input is one */
    bool per_channel, has_bias;
    bool asymmetric;         /* weights are uint8 in the model, of any zero point */
    bool extreme;            /* sums may be about as large as a Winograd kernel takes */
    int8_t *weights, *input, *output; /* int8, dense; output by the definition */
    int32_t *bias, *weight_zeros;
    float *weight_scales;
    float in_scale, out_scale;
    int32_t in_zero, out_zero, weight_zero; /* as int8 */
} layer;

void draw_layer(layer *l);
void free_layer(layer *l);

#endif
