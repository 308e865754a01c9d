/* The tiers of this build, and what each needs from the CPU. */
#ifndef EDGECORE_ISA_TIERS_H
#define EDGECORE_ISA_TIERS_H

#include "isa/tier.h"

extern const edgecore_tier edgecore_tier_scalar;

#if defined(__x86_64__)
extern const edgecore_tier edgecore_tier_avx2, edgecore_tier_avxvnni, edgecore_tier_avx512vnni;

bool edgecore_has_avx2(void);
bool edgecore_has_avxvnni(void);
bool edgecore_has_avx512vnni(void);
#elif defined(__aarch64__)
extern const edgecore_tier edgecore_tier_neon, edgecore_tier_dotprod, edgecore_tier_i8mm;

bool edgecore_has_neon(void);
bool edgecore_has_dotprod(void);
bool edgecore_has_i8mm(void);
#elif defined(__arm__)
extern const edgecore_tier edgecore_tier_neon;

bool edgecore_has_neon(void);
#endif

#endif
