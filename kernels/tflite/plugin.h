/* The delegate's own state, shared by its files. */
#ifndef EDGECORE_TFLITE_PLUGIN_H
#define EDGECORE_TFLITE_PLUGIN_H

#include "edgecore/graph.h"
#include "tflite/abi.h"

#include <pthread.h>

#define EDGECORE_TFL_ISA_NAME 32

/* One claimed partition of one interpreter. */
typedef struct edgecore_tfl_kernel edgecore_tfl_kernel;

typedef struct edgecore_tfl_refusal {
    int32_t node;
    edgecore_message message;
} edgecore_tfl_refusal;

typedef struct edgecore_tfl_plugin {
    tfl_delegate abi; /* first: the runtime holds a pointer to it */
    int32_t threads;  /* -1: what the runtime recommends */
    char isa[EDGECORE_TFL_ISA_NAME]; /* empty: the default */
    bool fuse;
    bool dynamic; /* accept models whose shapes change while they run, and take what does not depend on those */
    pthread_mutex_t lock; /* guards all that follows */
    int32_t references;   /* the owner and every kernel: an owner that goes first leaves the kernels whole */
    edgecore_tfl_kernel *kernels;
    int32_t total_nodes, claimed_nodes;
    edgecore_tfl_refusal *refusals; /* [total_nodes - claimed_nodes] */
} edgecore_tfl_plugin;

/* The delegate's prepare: claims what the engine can run. */
tfl_status edgecore_tfl_claim(tfl_context *context, tfl_delegate *delegate);

/* What runs a claimed partition, as the runtime wants it described. */
tfl_registration edgecore_tfl_kernel_registration(void);

edgecore_engine *edgecore_tfl_kernel_engine(const edgecore_tfl_kernel *kernel);
const edgecore_tfl_kernel *edgecore_tfl_kernel_next(const edgecore_tfl_kernel *kernel);

void edgecore_tfl_retain(edgecore_tfl_plugin *plugin);
void edgecore_tfl_release(edgecore_tfl_plugin *plugin);

#endif
