/* GEMM micro-kernels of the 32-bit neon tier, which its table lists. */
#ifndef EDGECORE_ISA_ARM_GEMM_ARMV7_H
#define EDGECORE_ISA_ARM_GEMM_ARMV7_H

#include "isa/tier.h"

extern const edgecore_gemm_kernel edgecore_gemm_4x32_armv7, edgecore_gemm_4x16_armv7;

#endif
