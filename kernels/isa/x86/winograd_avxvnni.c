/* The Winograd kernel of the avxvnni tier: vpdpwssd. Tests put a function of AVX2 in the place of that instruction. */
#include <immintrin.h>

#if !defined(VPDPWSSD)
#if !defined(__AVXVNNI__)
#error "this file needs the flags of the avxvnni tier"
#endif
#define VPDPWSSD _mm256_dpwssd_avx_epi32
#endif

#define KERNEL edgecore_winograd_avxvnni
#define NAME "winograd_6x16c8__avxvnni"
#define CHUNK_COST 900.0f

static inline __m256i dot_2(__m256i acc, __m256i x, __m256i w)
{
    return VPDPWSSD(acc, x, w);
}

#include "isa/x86/winograd_256_template.h"
