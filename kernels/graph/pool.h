/* A pool of threads that runs the tasks of one step at a time. */
#ifndef EDGECORE_GRAPH_POOL_H
#define EDGECORE_GRAPH_POOL_H

#include "edgecore/types.h"

#define EDGECORE_MAX_THREADS 256
#define EDGECORE_MAX_TASKS ((1 << 20) - 1)

typedef struct edgecore_pool edgecore_pool;

/* Called once per task; `thread` is 0 for the caller and counts the workers from 1. */
typedef void (*edgecore_task_fn)(void *context, int32_t task, int32_t thread);

/* A pool of `threads` threads, the caller among them. When the system gives fewer, the pool has fewer. */
edgecore_pool *edgecore_pool_create(int32_t threads);
void edgecore_pool_destroy(edgecore_pool *pool);
int32_t edgecore_pool_threads(const edgecore_pool *pool);

/* Call before a series of edgecore_pool_run: in a forked child, where the workers are gone, it makes new ones. */
void edgecore_pool_begin(edgecore_pool *pool);

/* Runs tasks 0 .. count - 1 and returns when all have ended. */
void edgecore_pool_run(edgecore_pool *pool, edgecore_task_fn function, void *context, int32_t count);

#endif
