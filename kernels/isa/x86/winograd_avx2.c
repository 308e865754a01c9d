/* The Winograd kernel of the avx2 tier. */
#include <immintrin.h>

#if !defined(__AVX2__)
#error "this file needs the flags of the avx2 tier"
#endif

#define KERNEL edgecore_winograd_avx2
#define NAME "winograd_6x16c8__avx2"
#define CHUNK_COST 1100.0f

static inline __m256i dot_2(__m256i acc, __m256i x, __m256i w)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
}

#include "isa/x86/winograd_256_template.h"
