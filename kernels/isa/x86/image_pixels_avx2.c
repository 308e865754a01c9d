/* Pixels to other pixels with AVX2, for this tier and those above. */
#ifndef __AVX2__
#error "compile this file with -mavx2"
#endif

#include "isa/x86/image_pixels.h"

#include <immintrin.h>

#include "isa/image_template.h"

/* 8 pixels at a time, 4 in each lane: R and B as a pair, and G twice with half its coefficient, which does not fit. */
void edgecore_luma_avx2(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first)
{
    const __m256i outer = _mm256_setr_epi8(0, -1, 2, -1, 3, -1, 5, -1, 6, -1, 8, -1, 9, -1, 11, -1, /**/
                                           0, -1, 2, -1, 3, -1, 5, -1, 6, -1, 8, -1, 9, -1, 11, -1);
    const __m256i green = _mm256_setr_epi8(1, -1, 1, -1, 4, -1, 4, -1, 7, -1, 7, -1, 10, -1, 10, -1, /**/
                                           1, -1, 1, -1, 4, -1, 4, -1, 7, -1, 7, -1, 10, -1, 10, -1);
    const __m256i outer_weights = _mm256_set1_epi32(blue_first ? 7471 | 19595 << 16 : 19595 | 7471 << 16);
    const __m256i green_weights = _mm256_set1_epi32(19235 | 19235 << 16);
    size_t x = 0;
    for (; 3 * (x + 8) + 4 <= 3 * n; x += 8) {
        const __m128i lower = _mm_loadu_si128((const __m128i *)(pixels + 3 * x));
        const __m128i upper = _mm_loadu_si128((const __m128i *)(pixels + 3 * x + 12));
        const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(lower), upper, 1);
        __m256i sum = _mm256_madd_epi16(_mm256_shuffle_epi8(both, outer), outer_weights);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(both, green), green_weights));
        sum = _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(32768)), 16);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storel_epi64((__m128i *)(out + x), _mm_packus_epi16(words, words));
    }
    image_luma_row(out + x, pixels + 3 * x, n - x, blue_first);
}

/* 5 pixels at a time; the sixteenth byte of a store is overwritten by the next one. */
void edgecore_reverse_avx2(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip)
{
    const __m128i order = _mm_setr_epi8(2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 15);
    const __m128i flips = _mm_set1_epi8((char)flip);
    size_t x = 0;
    for (; 3 * x + 16 <= 3 * n; x += 5) {
        const __m128i five = _mm_loadu_si128((const __m128i *)(pixels + 3 * x));
        _mm_storeu_si128((__m128i *)(out + 3 * x), _mm_xor_si128(_mm_shuffle_epi8(five, order), flips));
    }
    image_reverse_row(out + 3 * x, pixels + 3 * x, n - x, flip);
}

/* 16 products of samples that stand in the upper byte of a word, less 128: the scalar term exactly. */
static inline __m256i yuv_terms(__m256i samples, int16_t factor)
{
    return _mm256_mulhrs_epi16(samples, _mm256_set1_epi16(factor));
}

/* Luma of 32 pixels, less 128, and terms of one colour for every second of them, to 32 bytes. Sums past 511 saturate, as they
 * would in the byte. */
static inline __m256i yuv_bytes(__m256i luma_low, __m256i luma_high, __m256i terms)
{
    const __m256i low = _mm256_adds_epi16(luma_low, _mm256_unpacklo_epi16(terms, terms));
    const __m256i high = _mm256_adds_epi16(luma_high, _mm256_unpackhi_epi16(terms, terms));
    return _mm256_packus_epi16(_mm256_srai_epi16(low, 6), _mm256_srai_epi16(high, 6));
}

/* 32 pixels of three colours to 96 bytes, the lanes apart until the stores. 16 is 1 modulo 3, so that one permutation puts every
 * byte of a colour where it stands in one of the three vectors of its lane. */
static inline void store_pixels(uint8_t *out, __m256i first, __m256i second, __m256i third)
{
    const __m256i turn_first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5));
    const __m256i turn_second = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10));
    const __m256i turn_third = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15));
    const __m256i third_places = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0));
    const __m256i second_places = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0));
    first = _mm256_shuffle_epi8(first, turn_first);
    second = _mm256_shuffle_epi8(second, turn_second);
    third = _mm256_shuffle_epi8(third, turn_third);
    const __m256i a = _mm256_blendv_epi8(_mm256_blendv_epi8(first, second, second_places), third, third_places);
    const __m256i b = _mm256_blendv_epi8(_mm256_blendv_epi8(second, third, second_places), first, third_places);
    const __m256i c = _mm256_blendv_epi8(_mm256_blendv_epi8(third, first, second_places), second, third_places);
    _mm256_storeu_si256((__m256i *)out, _mm256_permute2x128_si256(a, b, 0x20));
    _mm256_storeu_si256((__m256i *)(out + 32), _mm256_blend_epi32(c, a, 0xf0));
    _mm256_storeu_si256((__m256i *)(out + 64), _mm256_permute2x128_si256(b, c, 0x31));
}

void edgecore_colour_avx2(uint8_t *out, const edgecore_yuv_row *row, size_t n)
{
    const edgecore_yuv_factors factors = *row->factors;
    const __m256i zero = _mm256_setzero_si256(), middle_words = _mm256_set1_epi16(-32768);
    const __m256i middle_bytes = _mm256_set1_epi8(-128), offset = _mm256_set1_epi16(factors.offset);
    const __m256i upper = _mm256_set1_epi16(-256);
    size_t x = 0;
    for (; x + 32 <= n; x += 32) {
        __m256i u, v;
        if (row->interleaved) {
            const __m256i both = _mm256_loadu_si256((const __m256i *)(row->u + x));
            u = _mm256_slli_epi16(both, 8);
            v = _mm256_and_si256(both, upper);
        } else {
            u = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(row->u + x / 2))), 8);
            v = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(row->v + x / 2))), 8);
        }
        u = _mm256_xor_si256(u, middle_words);
        v = _mm256_xor_si256(v, middle_words);
        const __m256i y = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(row->y + x)), middle_bytes);
        const __m256i low = _mm256_add_epi16(yuv_terms(_mm256_unpacklo_epi8(zero, y), factors.y), offset);
        const __m256i high = _mm256_add_epi16(yuv_terms(_mm256_unpackhi_epi8(zero, y), factors.y), offset);
        const __m256i red = yuv_bytes(low, high, yuv_terms(v, factors.v_to_red));
        const __m256i blue = yuv_bytes(low, high, yuv_terms(u, factors.u_to_blue));
        const __m256i green = yuv_bytes(
            low, high, _mm256_add_epi16(yuv_terms(u, factors.u_to_green), yuv_terms(v, factors.v_to_green)));
        store_pixels(out + 3 * x, row->blue_first ? blue : red, green, row->blue_first ? red : blue);
    }
    image_colour_row(out, row, x, n);
}
