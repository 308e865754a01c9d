/* The avx512vnni tier: Cascade Lake, Ice Lake, Zen 4 and later. */
#include "isa/rows_template.h"
#include "isa/tiers.h"
#include "isa/x86/kernels.h"

const edgecore_tier edgecore_tier_avx512vnni = {
    .name = "avx512vnni",
    .storage = EDGECORE_UINT8,
    .gemms = {
        &edgecore_gemm_3x64_avx512vnni,
        &edgecore_gemm_4x48_avx512vnni,
        &edgecore_gemm_6x32_avx512vnni,
        &edgecore_gemm_8x16_avx512vnni,
        &edgecore_gemm_12x8_avx512vnni,
    },
    .gemm_count = 5,
    .depthwises = {&edgecore_depthwise_64_avx512vnni},
    .depthwise_count = 1,
    .winograd = &edgecore_winograd_avx512vnni,
    EDGECORE_PORTABLE_ROWS,
};
