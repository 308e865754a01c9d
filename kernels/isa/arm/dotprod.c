/* The dotprod tier: Cortex-A76 and A78AE: Pi 5, Jetson Orin. */
#include "isa/arm/kernels.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_dotprod = {
    .name = "dotprod",
    .storage = EDGECORE_INT8,
    .gemms = {&edgecore_gemm_6x16_dotprod, &edgecore_gemm_8x8_dotprod},
    .gemm_count = 2,
    .depthwises = {&edgecore_depthwise_dotprod},
    .depthwise_count = 1,
    EDGECORE_NEON_ROWS,
};
