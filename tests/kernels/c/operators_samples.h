/* Random descriptions of the operators without weights, for operators_test.c. */
#ifndef OPERATORS_SAMPLES_H
#define OPERATORS_SAMPLES_H

#include "ops/op.h"

enum { MOST_INPUTS = 3 };

/* A description that owns its tensors, scales and zero points; all int8. */
typedef struct sample {
    edgecore_op_params params;
    edgecore_tensor tensors[MOST_INPUTS + 1]; /* the output last */
    float scales[MOST_INPUTS + 1];
    int32_t zero_points[MOST_INPUTS + 1];
    const edgecore_tensor *inputs[8];         /* NULL past those that there are: a hostile count may say more */
    edgecore_op_desc desc;
} sample;

/* The next of a fixed sequence of random numbers, 0 <= number < n. */
int32_t below(int32_t n);
int32_t one_of(const int32_t *choices, int32_t n);

/* Points a sample's description at its own members; needed after it was copied. */
void link_sample(sample *s, edgecore_op_kind kind, int32_t inputs);

/* A description that check() accepts. */
void make_sample(sample *s, edgecore_op_kind kind);

#endif
