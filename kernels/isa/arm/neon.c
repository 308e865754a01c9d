/* The neon tier: Cortex-A7 and A9 in 32 bits; Cortex-A53, A57 and A72 (Pi 3, Jetson Nano, Pi 4) in 64. */
#include "isa/arm/kernels.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_neon = {
    .name = "neon",
    .storage = EDGECORE_INT8,
#if defined(__aarch64__)
    .gemms = {&edgecore_gemm_4x32_neon},
    .gemm_count = 1,
#else
    .gemms = {&edgecore_gemm_4x32_armv7, &edgecore_gemm_4x16_armv7},
    .gemm_count = 2,
#endif
    .depthwises = {&edgecore_depthwise_neon},
    .depthwise_count = 1,
    .winograd = &edgecore_winograd_neon,
    EDGECORE_NEON_ROWS,
};
