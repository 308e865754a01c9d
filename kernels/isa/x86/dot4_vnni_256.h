/* dot_4 on vpdpbusd: weights as [8 lanes][4]. The including file names the intrinsic, VEX- or EVEX-encoded. */
#ifndef EDGECORE_ISA_X86_DOT4_VNNI_256_H
#define EDGECORE_ISA_X86_DOT4_VNNI_256_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DOT_BYTES 32

static inline void pack_dot(uint8_t *to, size_t lane, const int8_t four[4])
{
    memcpy(to + 4 * lane, four, 4);
}

static inline __m256i dot_4(__m256i acc, __m256i x, const uint8_t *w)
{
    return VPDPBUSD(acc, x, _mm256_load_si256((const __m256i *)w));
}

static inline const uint8_t *row_weights(const uint8_t *w)
{
    return w;
}

#endif
