/* Winograd convolutions of the neon tier, 32 and 64 bits. */
#ifndef EDGECORE_ISA_ARM_WINOGRAD_NEON_H
#define EDGECORE_ISA_ARM_WINOGRAD_NEON_H

#include "isa/tier.h"

extern const edgecore_winograd_kernel edgecore_winograd_neon;

#endif
