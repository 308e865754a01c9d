/* The GEMM tiles that the tables of the dotprod and i8mm tiers list. */
#ifndef EDGECORE_ISA_ARM_GEMM_DOT_H
#define EDGECORE_ISA_ARM_GEMM_DOT_H

#include "isa/tier.h"

extern const edgecore_gemm_kernel edgecore_gemm_6x16_dotprod, edgecore_gemm_8x8_dotprod;
extern const edgecore_gemm_kernel edgecore_gemm_6x16_i8mm, edgecore_gemm_8x8_i8mm;

#endif
