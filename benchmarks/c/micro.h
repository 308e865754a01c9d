/* A micro-benchmark is a case: what one micro-kernel does with one shape, on data of its own. The cases of a tier follow from its
 * table, so that a kernel in the table is measured. */
#ifndef EDGECORE_BENCHMARKS_MICRO_H
#define EDGECORE_BENCHMARKS_MICRO_H

#include "isa/tier.h"

typedef struct micro_case {
    char kernel[48], shape[48];
    void (*run)(const void *state);
    const void *state;
    double macs;     /* of a run, as the convolution has them; 0: the kernel is none */
    double products; /* that the kernel multiplies itself, where they are fewer */
    double bytes;    /* that it reads and writes, where it does not multiply */
    double ns;       /* the least so far */
} micro_case;

/* A new case that does nothing yet. Cases, their memory too, live as long as the program. */
micro_case *micro_add(const char *kernel);

/* Memory for a case, 64-byte aligned: random bytes, as activations are. Exits where there is none. */
void *micro_bytes(size_t bytes);

/* Weights of `cols` channels, `count` each, for edgecore_columns, with what makes bytes of their sums, as in a layer with ReLU. */
edgecore_columns micro_columns(const edgecore_tier *tier, size_t cols, size_t count);

/* The cases of one kernel of a tier; and of all its byte rows. */
void micro_gemm(const edgecore_tier *tier, const edgecore_gemm_kernel *kernel);
void micro_depthwise(const edgecore_tier *tier, const edgecore_depthwise_kernel *kernel);
void micro_winograd(const edgecore_tier *tier, const edgecore_winograd_kernel *kernel);
void micro_rows(const edgecore_tier *tier);

#endif
