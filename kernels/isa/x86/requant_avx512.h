/* Sums of 16 channels a vector to bytes, in AVX-512. See block.h for the arithmetic. */
#ifndef EDGECORE_ISA_X86_REQUANT_AVX512_H
#define EDGECORE_ISA_X86_REQUANT_AVX512_H

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "isa/x86/block.h"

/* Constants of 16 channels. A 64-bit lane serves an even channel in its low half and the odd one after it in its high half;
 * the 32 x 32 -> 64 multiply reads low halves only, so each constant exists for even and for odd channels. */
typedef struct requant_16 {
    int32_t bias[16];
    int32_t multiplier_even[16], multiplier_odd[16]; /* in the low halves */
    int64_t add_even[8], add_odd[8];                 /* 2^30 + 2^(30+s) */
    int64_t shift_even[8];                           /* 31 + s: the result falls into the low half */
    int64_t shift_odd[8];                            /* s - 1: the result falls into the high half */
    int32_t left[16], right[16];                     /* ROUND_GENERAL only */
    float scale[16], add[16], add_negative[16];      /* of fix_16 */
} requant_16;

/* Sums become bytes in float first, which may err by one where the exact value lies next to a whole number. Those few are found
 * and done again in integers.
 *
 * A sum's output, 128 below the byte, is floor(y) with y = acc * multiplier / 2^(31+s) + 1/2 + 2^-(s+1) + zero point - 128, less
 * 2^-s for ties of negative sums. fix_16 has it in units of 2^-16. Where -128 <= y <= 128, so that the product is within 256, the
 * units by which it can be off are 1 for the sum as a float, 1 for the multiplier as a float, 1/4 for what is added, 1/4 for the
 * result of the multiply-add and 1/2 for that as a whole number: 3 in all. With FIX_ERROR added a value is never too low, and it
 * is sure unless less than FIX_DOUBT above a whole number. Beyond 128 bytes saturate, and so do these, as nothing here falls where a
 * sum rises. What overflows becomes 0x80000000, which is not sure either. */
enum { FIX_ERROR = 3, FIX_DOUBT = 2 * FIX_ERROR };

static inline void pack_requant_16(requant_16 *out, const edgecore_columns *columns, size_t first)
{
    const edgecore_requant *q = &columns->requant;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < 16; i++)
        out->add[i] = out->add_negative[i] = 32768.0f;
    for (size_t i = 0; i < 16 && first + i < columns->cols; i++) {
        const int32_t shift = q->shift[first + i], right = shift > 0 ? 0 : -shift, multiplier = q->multiplier[first + i];
        const int64_t add = (INT64_C(1) << 30) + (right > 0 ? INT64_C(1) << (30 + right) : 0);
        const double centre = (q->zero_point - 128 + 0.5) * 65536 + FIX_ERROR, tie = ldexp(32768.0, -right);
        out->bias[i] = q->bias[first + i];
        out->left[i] = shift > 0 ? shift : 0;
        out->right[i] = right;
        out->scale[i] = (float)ldexp(multiplier, -15 - right);
        out->add[i] = (float)(centre + tie);
        out->add_negative[i] = (float)(centre - tie);
        if (i % 2 == 0) {
            out->multiplier_even[i] = multiplier;
            out->add_even[i / 2] = add;
            out->shift_even[i / 2] = 31 + right;
        } else {
            out->multiplier_odd[i - 1] = multiplier;
            out->add_odd[i / 2] = add;
            out->shift_odd[i / 2] = right - 1;
        }
    }
}

/* The sign bit of a sum weighs 2^31 in its 64-bit lane, which is just what ties of negative values take off. */
static inline __m512i add_for_ties(__m512i product, __m512i acc, const int64_t *add, int rounding)
{
    const __m512i sum = _mm512_add_epi64(product, _mm512_load_si512(add));
    if (rounding == ROUND_UP)
        return sum;
    return _mm512_sub_epi64(sum, _mm512_and_si512(acc, _mm512_set1_epi64(INT64_C(1) << 31)));
}

static inline __m512i scale_16(__m512i acc, const requant_16 *q, int rounding)
{
    if (rounding == ROUND_GENERAL)
        acc = _mm512_sllv_epi32(acc, _mm512_load_si512(q->left));
    const __m512i acc_odd = _mm512_srli_epi64(acc, 32);
    const __m512i even = _mm512_mul_epi32(acc, _mm512_load_si512(q->multiplier_even));
    const __m512i odd = _mm512_mul_epi32(acc_odd, _mm512_load_si512(q->multiplier_odd));
    if (rounding != ROUND_GENERAL) {
        const __m512i low = add_for_ties(even, acc, q->add_even, rounding);
        const __m512i high = add_for_ties(odd, acc_odd, q->add_odd, rounding);
        return _mm512_mask_blend_epi32(0xAAAA, _mm512_srav_epi64(low, _mm512_load_si512(q->shift_even)),
                                       _mm512_srav_epi64(high, _mm512_load_si512(q->shift_odd)));
    }
    const __m512i nudge = _mm512_set1_epi64(INT64_C(1) << 30);
    const __m512i low = _mm512_srli_epi64(_mm512_add_epi64(even, nudge), 31);
    const __m512i high = _mm512_slli_epi64(_mm512_add_epi64(odd, nudge), 1);
    const __m512i scaled = _mm512_mask_blend_epi32(0xAAAA, low, high);
    /* mask and threshold, not an added half: with a shift of 31 that half overflows */
    const __m512i right = _mm512_load_si512(q->right);
    const __m512i ones = _mm512_set1_epi32(1);
    const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(ones, right), ones);
    const __m512i threshold = _mm512_sub_epi32(_mm512_srli_epi32(mask, 1), _mm512_srai_epi32(scaled, 31));
    const __mmask16 above = _mm512_cmpgt_epi32_mask(_mm512_and_si512(scaled, mask), threshold);
    const __m512i shifted = _mm512_srav_epi32(scaled, right);
    return _mm512_mask_add_epi32(shifted, above, shifted, ones);
}

typedef struct output_bounds {
    __m512i zero_point, min, max, flip;
} output_bounds;

static inline output_bounds load_bounds(const edgecore_block_head *head)
{
    return (output_bounds){
        .zero_point = _mm512_set1_epi16((int16_t)head->zero_point),
        .min = _mm512_set1_epi8((char)head->min),
        .max = _mm512_set1_epi8((char)head->max),
        .flip = _mm512_set1_epi8((char)head->flip),
    };
}

/* Four vectors to 64 bytes, still in the order of the packs: within each 128-bit lane i, bytes 4i.. of a, b, c, d. */
static inline __m512i narrow_64(__m512i a, __m512i b, __m512i c, __m512i d, const output_bounds *bounds)
{
    const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), bounds->zero_point);
    const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), bounds->zero_point);
    const __m512i bytes = _mm512_packus_epi16(ab, cd);
    return _mm512_xor_si512(_mm512_min_epu8(_mm512_max_epu8(bytes, bounds->min), bounds->max), bounds->flip);
}

/* What fix_16 needs of 16 channels, in registers. */
typedef struct fixing {
    __m512 scale, add, add_negative;
} fixing;

static inline fixing load_fixing(const requant_16 *q, int rounding)
{
    const __m512 add = _mm512_load_ps(q->add);
    return (fixing){_mm512_load_ps(q->scale), add, rounding == ROUND_UP ? add : _mm512_load_ps(q->add_negative)};
}

#define NEAREST (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)

/* Not for ROUND_GENERAL. */
static inline __m512i fix_16(__m512i acc, const fixing *f, int rounding)
{
    __m512 add = f->add;
    if (rounding != ROUND_UP) { /* by logic on the sign's copies: masks would take the ports of the multiplications */
        const __m512i positive = _mm512_castps_si512(add), negative = _mm512_castps_si512(f->add_negative);
        add = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_srai_epi32(acc, 31), negative, positive, 0xCA));
    }
    const __m512 real = _mm512_cvt_roundepi32_ps(acc, NEAREST);
    return _mm512_cvt_roundps_epi32(_mm512_fmadd_round_ps(real, f->scale, add, NEAREST), NEAREST);
}

/* Whether a value of four vectors may be off: their fractions are the low halves. */
static inline bool fix_in_doubt(__m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i least = _mm512_min_epu16(_mm512_min_epu16(a, b), _mm512_min_epu16(c, d));
    return _mm512_mask_cmplt_epu16_mask(0x55555555, least, _mm512_set1_epi16(FIX_DOUBT)) != 0;
}

typedef struct fix_bounds {
    __m512i words; /* which 16-bit words of two vectors packs take: whole parts are the odd ones */
    __m512i min, max, flip;
} fix_bounds;

/* Whole parts of two vectors one after the other. */
static const uint16_t edgecore_words_in_order[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                     33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};

static inline fix_bounds load_fix_bounds(const edgecore_block_head *head, const uint16_t words[32])
{
    return (fix_bounds){
        .words = _mm512_loadu_si512(words),
        .min = _mm512_set1_epi8((char)(head->min ^ 128)),
        .max = _mm512_set1_epi8((char)(head->max ^ 128)),
        .flip = _mm512_set1_epi8((char)(head->flip ^ 128)),
    };
}

/* Four vectors of fix_16 to 64 bytes, in the order of the packs: within each 128-bit lane 8 bytes of a or b, then 8 of c or d. */
static inline __m512i narrow_fixed_64(__m512i a, __m512i b, __m512i c, __m512i d, const fix_bounds *bounds)
{
    const __m512i bytes = _mm512_packs_epi16(_mm512_permutex2var_epi16(a, bounds->words, b),
                                             _mm512_permutex2var_epi16(c, bounds->words, d));
    return _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, bounds->min), bounds->max), bounds->flip);
}

#endif
