/* Micro-kernels of the x86 tiers, which their tables list. */
#ifndef EDGECORE_ISA_X86_KERNELS_H
#define EDGECORE_ISA_X86_KERNELS_H

#include "isa/tier.h"

extern const edgecore_gemm_kernel edgecore_gemm_3x32_avx2, edgecore_gemm_4x24_avx2, edgecore_gemm_6x16_avx2;
extern const edgecore_gemm_kernel edgecore_gemm_8x8_avx2;
extern const edgecore_depthwise_kernel edgecore_depthwise_32_avx2;

extern const edgecore_gemm_kernel edgecore_gemm_4x24_avxvnni, edgecore_gemm_6x16_avxvnni, edgecore_gemm_12x8_avxvnni;
extern const edgecore_depthwise_kernel edgecore_depthwise_32_avxvnni;

extern const edgecore_gemm_kernel edgecore_gemm_6x64_avx512vnni, edgecore_gemm_8x48_avx512vnni;
extern const edgecore_gemm_kernel edgecore_gemm_12x32_avx512vnni, edgecore_gemm_12x16_avx512vnni;
extern const edgecore_gemm_kernel edgecore_gemm_12x8_avx512vnni;
extern const edgecore_depthwise_kernel edgecore_depthwise_32_avx512vnni;

#endif
