/* The avx2 tier: x86-64 since Haswell and Zen, without VNNI. */
#include "isa/rows_template.h"
#include "isa/tiers.h"
#include "isa/x86/kernels.h"

const edgecore_tier edgecore_tier_avx2 = {
    .name = "avx2",
    .storage = EDGECORE_UINT8,
    .gemms = {
        &edgecore_gemm_3x32_avx2,
        &edgecore_gemm_4x24_avx2,
        &edgecore_gemm_6x16_avx2,
        &edgecore_gemm_8x8_avx2,
    },
    .gemm_count = 4,
    .depthwises = {&edgecore_depthwise_32_avx2},
    .depthwise_count = 1,
    .winograd = &edgecore_winograd_avx2,
    EDGECORE_PORTABLE_ROWS,
};
