/* Micro-kernels of the avx2 tier. Without vpdpbusd, 4 bytes are two pairs of 16-bit numbers for vpmaddwd, which cannot
 * saturate: bytes 0 and 2, then 1 and 3, for that split takes one instruction each. Weights lie as
 * [2 pairs][8 lanes][2] int16. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__AVX2__)
#error "this file needs the flags of the avx2 tier"
#endif

#define NAMED(name) name##_avx2
#define TIER_NAME "avx2"
#define DOT_BYTES 64

static inline void pack_dot(uint8_t *to, size_t lane, const int8_t four[4])
{
    const int16_t even[2] = {four[0], four[2]}, odd[2] = {four[1], four[3]};
    memcpy(to + 4 * lane, even, 4);
    memcpy(to + 32 + 4 * lane, odd, 4);
}

/* In place: compilers would add the products first, and then move or spill sums for want of a register. */
static inline __m256i add_products(__m256i acc, __m256i x, const uint8_t *w)
{
    const __m256i products = _mm256_madd_epi16(x, _mm256_load_si256((const __m256i *)w));
    __asm__("vpaddd %1, %0, %0" : "+x"(acc) : "x"(products));
    return acc;
}

static inline __m256i dot_4(__m256i acc, __m256i x, const uint8_t *w)
{
    const __m256i even = _mm256_and_si256(x, _mm256_set1_epi16(0xff)), odd = _mm256_srli_epi16(x, 8);
    return add_products(add_products(acc, even, w), odd, w + 32);
}

/* Each row reads the weights from memory anew: kept for all rows they would push accumulators out of the registers. */
static inline const uint8_t *row_weights(const uint8_t *w)
{
    __asm__("" : "+r"(w));
    return w;
}

#include "isa/x86/kernels.h"
#include "isa/x86/dot4_256_template.h"
#include "isa/x86/depthwise_256_template.h"

/* Splitting the bytes is paid once a row, so wide tiles are best; weights are read straight from memory. */
TILE(1, 4) TILE(2, 4) TILE(3, 4)
static tile_function *const tiles_32[] = {tile_1x4, tile_2x4, tile_3x4};
KERNEL(3, 32, 4, 16.0f, 80.0f);

TILE(1, 3) TILE(2, 3) TILE(3, 3) TILE(4, 3)
static tile_function *const tiles_24[] = {tile_1x3, tile_2x3, tile_3x3, tile_4x3};
KERNEL(4, 24, 3, 16.0f, 85.0f);

TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
static tile_function *const tiles_16[] = {tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2};
KERNEL(6, 16, 2, 16.5f, 100.0f);

TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1)
static tile_function *const tiles_8[] = {
    tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1, tile_7x1, tile_8x1,
};
KERNEL(8, 8, 1, 13.0f, 80.0f);
