/* Micro-kernels of the avxvnni tier: vpdpbusd with 256-bit vectors and 16 registers. Tests put a function of AVX2 in the place of
 * that instruction. */
#if !defined(VPDPBUSD)
#if !defined(__AVXVNNI__)
#error "this file needs the flags of the avxvnni tier"
#endif
#define VPDPBUSD _mm256_dpbusd_avx_epi32
#endif
#define NAMED(name) name##_avxvnni
#define TIER_NAME "avxvnni"

#include "isa/x86/dot4_vnni_256.h"
#include "isa/x86/kernels.h"
#include "isa/x86/dot4_256_template.h"
#include "isa/x86/depthwise_256_template.h"

/* 16 registers: 12 accumulators, the weights of a group of 4 K, one broadcast. */
TILE(1, 3) TILE(2, 3) TILE(3, 3) TILE(4, 3)
static tile_function *const tiles_24[] = {tile_1x3, tile_2x3, tile_3x3, tile_4x3};
KERNEL(4, 24, 3, 7.0f, 100.0f);

TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
static tile_function *const tiles_16[] = {tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2};
KERNEL(6, 16, 2, 7.0f, 100.0f);

TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
static tile_function *const tiles_8[] = {
    tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1,
    tile_7x1, tile_8x1, tile_9x1, tile_10x1, tile_11x1, tile_12x1,
};
KERNEL(12, 8, 1, 8.0f, 100.0f);
