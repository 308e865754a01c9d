/* Two tiers of 256-bit vectors: avx2, x86-64 since Haswell and Zen, and avxvnni, Alder Lake and later clients, which have VNNI but
 * no AVX-512. They differ in their products only, and share the byte rows. */
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

const edgecore_tier edgecore_tier_avxvnni = {
    .name = "avxvnni",
    .storage = EDGECORE_UINT8,
    .gemms = {
        &edgecore_gemm_4x24_avxvnni,
        &edgecore_gemm_6x16_avxvnni,
        &edgecore_gemm_12x8_avxvnni,
    },
    .gemm_count = 3,
    .depthwises = {&edgecore_depthwise_32_avxvnni},
    .depthwise_count = 1,
    .winograd = &edgecore_winograd_avxvnni,
    EDGECORE_PORTABLE_ROWS,
};
