/* Micro-kernels of the x86 tiers that live in files of their own. */
#ifndef EDGECORE_ISA_X86_KERNELS_H
#define EDGECORE_ISA_X86_KERNELS_H

#include "isa/tier.h"

extern const edgecore_gemm_kernel edgecore_gemm_6x64_avx512vnni;
extern const edgecore_gemm_kernel edgecore_gemm_8x48_avx512vnni;
extern const edgecore_gemm_kernel edgecore_gemm_12x32_avx512vnni;
extern const edgecore_gemm_kernel edgecore_gemm_12x16_avx512vnni;
extern const edgecore_depthwise_kernel edgecore_depthwise_64_avx512vnni;

#endif
