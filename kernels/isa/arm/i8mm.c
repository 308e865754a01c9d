/* The i8mm tier: Armv8.6 and later: Cortex-A510, A710, X2, Neoverse-V1. */
#include "isa/arm/kernels.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_i8mm = {
    .name = "i8mm",
    .storage = EDGECORE_INT8,
    .gemms = {&edgecore_gemm_6x16_i8mm, &edgecore_gemm_8x8_i8mm, &edgecore_gemm_6x16_dotprod, &edgecore_gemm_8x8_dotprod},
    .gemm_count = 4,
    .depthwises = {&edgecore_depthwise_dotprod},
    .depthwise_count = 1,
    EDGECORE_NEON_ROWS,
};
