/* What this CPU has, and which tier of micro-kernels is used. */
#ifndef EDGECORE_CPU_H
#define EDGECORE_CPU_H

#include "edgecore/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tiers compiled into this library, weakest first: "scalar", then x86's "avx2", "avxvnni", "avx512vnni"
 * or ARM's "neon", "dotprod", "i8mm". */
EDGECORE_API int32_t edgecore_isa_count(void);
EDGECORE_API const char *edgecore_isa_name(int32_t index);
EDGECORE_API bool edgecore_isa_available(int32_t index);

/* The tier for `name`; with NULL that of $EDGECORE_ISA, else the best available one. EDGECORE_INVALID
 * when the name is unknown or this CPU lacks it; the message then lists those that it has. */
EDGECORE_API edgecore_status edgecore_isa_select(const char *name, int32_t *index, edgecore_message *message);

/* Cores that this process may run on (its affinity mask), at least 1. */
EDGECORE_API int32_t edgecore_cpu_cores(void);

#ifdef __cplusplus
}
#endif
#endif
