/* The neon tier: Cortex-A7 and A9 in 32 bits; Cortex-A53, A57 and A72 (Pi 3, Jetson Nano, Pi 4) in 64. */
#include "isa/arm/gemm_neon.h"
#include "isa/arm/winograd_neon.h"
#include "isa/rows_template.h"
#include "isa/tiers.h"

const edgecore_tier edgecore_tier_neon = {
    .name = "neon",
    .storage = EDGECORE_INT8,
#if defined(__aarch64__)
    .gemms = {&edgecore_gemm_4x32_neon},
#else
    .gemms = {&edgecore_gemm_4x4_scalar},
#endif
    .gemm_count = 1,
    .depthwises = {&edgecore_depthwise_8_scalar},
    .depthwise_count = 1,
    .winograd = &edgecore_winograd_neon,
    EDGECORE_PORTABLE_ROWS,
};
