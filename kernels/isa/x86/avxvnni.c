/* The avxvnni tier: Alder Lake and later clients, which have VNNI but no AVX-512. */
#include "isa/rows_template.h"
#include "isa/tiers.h"
#include "isa/x86/kernels.h"

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
