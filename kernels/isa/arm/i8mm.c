/* The i8mm tier: Armv8.6 and later: Cortex-A510, A710, X2, Neoverse-V1. */
#include "isa/arm/kernels.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_i8mm = {
    .name = "i8mm",
    .storage = EDGECORE_INT8,
    .gemms = {&edgecore_gemm_4x4_scalar},
    .gemm_count = 1,
    .depthwises = {&edgecore_depthwise_dotprod},
    .depthwise_count = 1,
    EDGECORE_NEON_ROWS,
};
