/* The dotprod tier: Cortex-A76 and A78AE: Pi 5, Jetson Orin. */
#include "isa/arm/kernels.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_dotprod = {
    .name = "dotprod",
    .storage = EDGECORE_INT8,
    .gemms = {&edgecore_gemm_4x4_scalar},
    .gemm_count = 1,
    .depthwises = {&edgecore_depthwise_dotprod},
    .depthwise_count = 1,
    EDGECORE_NEON_ROWS,
};
