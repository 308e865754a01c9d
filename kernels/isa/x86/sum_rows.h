/* Sums down the columns of byte rows for AVX2 and up: even and odd bytes add up in words that stay in registers, for as many rows
 * as words hold.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_SUM_ROWS_H
#define EDGECORE_ISA_X86_SUM_ROWS_H

#include <immintrin.h>

/* Rows of bytes whose sums fit 16 bits. */
#define SUM_MOST_ROWS 257

/* Fewer rows, as a pool's, do not pay for making words of them. */
#define SUM_LEAST_ROWS 8

/* Words of even and of odd columns join the first n, 8 or 16, sums. */
static inline __attribute__((always_inline)) void sum_words(int32_t *sums, __m128i even, __m128i odd, size_t n)
{
    uint16_t words[16];
    _mm_storeu_si128((__m128i *)words, _mm_unpacklo_epi16(even, odd));
    _mm_storeu_si128((__m128i *)(words + 8), _mm_unpackhi_epi16(even, odd));
    for (size_t i = 0; i < n; i++)
        sums[i] += words[i];
}

static void sum_32(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, uint8_t flip)
{
    const __m256i flips = _mm256_set1_epi8((char)flip), low_byte = _mm256_set1_epi16(0xff);
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (size_t r = 0; r < rows; r++, in += stride) {
        const __m256i bytes = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)in), flips);
        even = _mm256_add_epi16(even, _mm256_and_si256(bytes, low_byte));
        odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
    }
    sum_words(sums, _mm256_castsi256_si128(even), _mm256_castsi256_si128(odd), 16);
    sum_words(sums + 16, _mm256_extracti128_si256(even, 1), _mm256_extracti128_si256(odd, 1), 16);
}

/* n is 8 or 16. */
static inline __attribute__((always_inline)) void sum_few(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows,
                                                          uint8_t flip, size_t n)
{
    const __m128i flips = _mm_set1_epi8((char)flip), low_byte = _mm_set1_epi16(0xff);
    __m128i even = _mm_setzero_si128(), odd = even;
    for (size_t r = 0; r < rows; r++, in += stride) {
        const __m128i loaded = n == 16 ? _mm_loadu_si128((const __m128i *)in) : _mm_loadl_epi64((const __m128i *)in);
        const __m128i bytes = _mm_xor_si128(loaded, flips);
        even = _mm_add_epi16(even, _mm_and_si128(bytes, low_byte));
        odd = _mm_add_epi16(odd, _mm_srli_epi16(bytes, 8));
    }
    sum_words(sums, even, odd, n);
}

static void sum_rows(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip)
{
    if (rows < SUM_LEAST_ROWS) {
        sum_rows_by_one(sums, in, stride, rows, n, flip);
        return;
    }
    for (size_t done = 0, some; done < rows; done += some, in += (ptrdiff_t)some * stride) {
        some = rows - done < SUM_MOST_ROWS ? rows - done : SUM_MOST_ROWS;
        size_t i = 0;
        for (; i + 32 <= n; i += 32)
            sum_32(sums + i, in + i, stride, some, flip);
        if (i + 16 <= n) {
            sum_few(sums + i, in + i, stride, some, flip, 16);
            i += 16;
        }
        if (i + 8 <= n) {
            sum_few(sums + i, in + i, stride, some, flip, 8);
            i += 8;
        }
        for (; i < n; i++)
            for (size_t r = 0; r < some; r++)
                sums[i] += in[(ptrdiff_t)r * stride + (ptrdiff_t)i] ^ flip;
    }
}

#endif
