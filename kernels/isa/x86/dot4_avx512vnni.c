/* 256-bit vectors in AVX-512 serve layers of few channels. */
#define VPDPBUSD _mm256_dpbusd_epi32
#define NAMED(name) name##_avx512vnni
#define TIER_NAME "avx512vnni"

#include "isa/x86/dot4_vnni_256.h"
#include "isa/x86/kernels.h"
#include "isa/x86/dot4_256_template.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
static tile_function *const tiles_8[] = {
    tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1,
    tile_7x1, tile_8x1, tile_9x1, tile_10x1, tile_11x1, tile_12x1,
};
KERNEL(12, 8, 1, 7.4f, 110.0f);
