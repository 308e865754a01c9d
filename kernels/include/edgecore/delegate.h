/* What the TFLite delegate tells about the model that it was attached to.
 *
 * `delegate` is the pointer that tflite_plugin_create_delegate returned. With one delegate on several
 * interpreters the counts are those of the last one. */
#ifndef EDGECORE_DELEGATE_H
#define EDGECORE_DELEGATE_H

#include "edgecore/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Operators of the model, and how many of them the engine runs; 0 before the delegate is attached. */
EDGECORE_API int32_t edgecore_delegate_total_nodes(const void *delegate);
EDGECORE_API int32_t edgecore_delegate_claimed_nodes(const void *delegate);

/* Why the `index`-th unclaimed operator was left to the interpreter, and in *node its index in the model;
 * NULL past the last one. Valid until the delegate is attached again or destroyed. */
EDGECORE_API const char *edgecore_delegate_refusal(const void *delegate, int32_t index, int32_t *node);

/* Compiled partitions of all interpreters that live, in the order of their making. An engine lives as long
 * as its interpreter. NULL past the last one. */
EDGECORE_API int32_t edgecore_delegate_engine_count(const void *delegate);
EDGECORE_API edgecore_engine *edgecore_delegate_engine(const void *delegate, int32_t index);

/* The two entry points of TFLite's external delegates. Options are strings: threads ("0" is every core),
 * isa (a tier's name), fuse ("0" or "1"), dynamic ("1" accepts models whose shapes change while they run, which
 * TFLite else refuses, and takes their operators up to the first foreign ones). On a wrong one the result is NULL
 * and `report` gets one line. */
EDGECORE_API void *tflite_plugin_create_delegate(const char *const *keys, const char *const *values, size_t count,
                                                 void (*report)(const char *));
EDGECORE_API void tflite_plugin_destroy_delegate(void *delegate);

#ifdef __cplusplus
}
#endif
#endif
