/* Sums of 8 channels a vector to bytes, in AVX2. See block.h for the arithmetic.
 *
 * AVX2 has no arithmetic right shift of 64-bit lanes: the upper halves of the products, which is a shift by 32, are put together
 * and shifted by the s - 1 that are left. */
#ifndef EDGECORE_ISA_X86_REQUANT_256_H
#define EDGECORE_ISA_X86_REQUANT_256_H

#include <immintrin.h>
#include <string.h>

#include "isa/x86/block.h"

/* Constants of 8 channels. A 64-bit lane serves an even channel in its low half and the odd one after it in its high half;
 * the 32 x 32 -> 64 multiply reads low halves only, so each constant exists for even and for odd channels. */
typedef struct requant_8 {
    int32_t bias[8];
    int32_t multiplier_even[8], multiplier_odd[8]; /* in the low halves */
    int64_t add_even[4], add_odd[4];               /* 2^30 + 2^(30+s) */
    int32_t shift[8];                              /* s - 1 */
    int32_t left[8], right[8];                     /* ROUND_GENERAL only */
} requant_8;

static inline void pack_requant_8(requant_8 *out, const edgecore_columns *columns, size_t first)
{
    const edgecore_requant *q = &columns->requant;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 8 && first + i < columns->cols; i++) {
        const int32_t shift = q->shift[first + i], right = shift > 0 ? 0 : -shift, multiplier = q->multiplier[first + i];
        const int64_t add = (INT64_C(1) << 30) + (INT64_C(1) << (30 + right));
        out->bias[i] = q->bias[first + i];
        out->left[i] = shift > 0 ? shift : 0;
        out->right[i] = right;
        out->shift[i] = right - 1;
        if (i % 2 == 0) {
            out->multiplier_even[i] = multiplier;
            out->add_even[i / 2] = add;
        } else {
            out->multiplier_odd[i - 1] = multiplier;
            out->add_odd[i / 2] = add;
        }
    }
}

static inline __m256i load_256(const void *aligned)
{
    return _mm256_load_si256((const __m256i *)aligned);
}

/* The sign bit of a sum weighs 2^31 in its 64-bit lane, which is just what ties of negative values take off. */
static inline __m256i add_for_ties(__m256i product, __m256i acc, const int64_t *add, int rounding)
{
    const __m256i sum = _mm256_add_epi64(product, load_256(add));
    if (rounding == ROUND_UP)
        return sum;
    return _mm256_sub_epi64(sum, _mm256_and_si256(acc, _mm256_set1_epi64x(INT64_C(1) << 31)));
}

static inline __m256i scale_8(__m256i acc, const requant_8 *q, int rounding)
{
    if (rounding == ROUND_GENERAL)
        acc = _mm256_sllv_epi32(acc, load_256(q->left));
    const __m256i acc_odd = _mm256_srli_epi64(acc, 32);
    const __m256i even = _mm256_mul_epi32(acc, load_256(q->multiplier_even));
    const __m256i odd = _mm256_mul_epi32(acc_odd, load_256(q->multiplier_odd));
    if (rounding != ROUND_GENERAL) {
        const __m256i low = _mm256_srli_epi64(add_for_ties(even, acc, q->add_even, rounding), 32);
        const __m256i high = add_for_ties(odd, acc_odd, q->add_odd, rounding);
        return _mm256_srav_epi32(_mm256_blend_epi32(low, high, 0xAA), load_256(q->shift));
    }
    const __m256i nudge = _mm256_set1_epi64x(INT64_C(1) << 30);
    const __m256i low = _mm256_srli_epi64(_mm256_add_epi64(even, nudge), 31);
    const __m256i high = _mm256_slli_epi64(_mm256_add_epi64(odd, nudge), 1);
    const __m256i scaled = _mm256_blend_epi32(low, high, 0xAA);
    /* mask and threshold, not an added half: with a shift of 31 that half overflows */
    const __m256i right = load_256(q->right);
    const __m256i ones = _mm256_set1_epi32(1);
    const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(ones, right), ones);
    const __m256i threshold = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(scaled, 31));
    const __m256i above = _mm256_cmpgt_epi32(_mm256_and_si256(scaled, mask), threshold);
    return _mm256_sub_epi32(_mm256_srav_epi32(scaled, right), above);
}

typedef struct output_bounds {
    __m256i zero_point, min, max, flip;
} output_bounds;

static inline output_bounds load_bounds(const edgecore_block_head *head)
{
    return (output_bounds){
        .zero_point = _mm256_set1_epi16((int16_t)head->zero_point),
        .min = _mm256_set1_epi8((char)head->min),
        .max = _mm256_set1_epi8((char)head->max),
        .flip = _mm256_set1_epi8((char)head->flip),
    };
}

/* Four vectors to 32 bytes, still in the order of the packs: within each 128-bit lane i, bytes 4i.. of a, b, c, d. */
static inline __m256i narrow_32(__m256i a, __m256i b, __m256i c, __m256i d, const output_bounds *bounds)
{
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), bounds->zero_point);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), bounds->zero_point);
    const __m256i bytes = _mm256_packus_epi16(ab, cd);
    return _mm256_xor_si256(_mm256_min_epu8(_mm256_max_epu8(bytes, bounds->min), bounds->max), bounds->flip);
}

#endif
