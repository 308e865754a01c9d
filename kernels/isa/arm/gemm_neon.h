/* GEMM tiles of the 64-bit neon tier. */
#ifndef EDGECORE_ISA_ARM_GEMM_NEON_H
#define EDGECORE_ISA_ARM_GEMM_NEON_H

#include "isa/tier.h"

extern const edgecore_gemm_kernel edgecore_gemm_4x32_neon;

#endif
