/* vpdpbusd as Intel's manual defines it, in AVX2: each 32-bit lane adds four products of an unsigned byte of x with the signed
 * byte of w beside it; products are 16 bits wide and signed, and nothing saturates. */
#ifndef EDGECORE_TESTS_EMULATED_VPDPBUSD_H
#define EDGECORE_TESTS_EMULATED_VPDPBUSD_H

#include <immintrin.h>

#define VPDPBUSD emulated_vpdpbusd

static inline __m256i emulated_vpdpbusd(__m256i sums, __m256i x, __m256i w)
{
    const __m256i even_x = _mm256_and_si256(x, _mm256_set1_epi16(0xff)), odd_x = _mm256_srli_epi16(x, 8);
    const __m256i even_w = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), odd_w = _mm256_srai_epi16(w, 8);
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(even_x, even_w));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(odd_x, odd_w));
}

/* vpdpwssd: each 32-bit lane adds two products of signed 16-bit numbers, and nothing saturates. */
#define VPDPWSSD emulated_vpdpwssd

static inline __m256i emulated_vpdpwssd(__m256i sums, __m256i x, __m256i w)
{
    return _mm256_add_epi32(sums, _mm256_madd_epi16(x, w));
}

#endif
