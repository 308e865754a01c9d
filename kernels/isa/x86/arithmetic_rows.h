/* ADD and MUL of byte rows for AVX2 and AVX-512: gcc's own vectors of the portable loops multiply 64 by 64 bits. Here
 * even and odd lanes are multiplied 32 by 32 and blended, and a distance (9 bits) meets a multiplier in two 16-bit
 * products:  distance * m = distance * high * 2^16 + distance * low,  -2^15 <= low < 2^15.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_ARITHMETIC_ROWS_H
#define EDGECORE_ISA_X86_ARITHMETIC_ROWS_H

#include <immintrin.h>

#include "isa/tier.h"

#if defined(__AVX512F__) && defined(__AVX512BW__)
enum { LANES = 16 };
typedef __m512i lanes;
#define lanes_set1 _mm512_set1_epi32
#define lanes_set1_64 _mm512_set1_epi64
#define lanes_add _mm512_add_epi32
#define lanes_sub _mm512_sub_epi32
#define lanes_add_64 _mm512_add_epi64
#define lanes_multiply_even _mm512_mul_epi32
#define lanes_multiply_16 _mm512_madd_epi16
#define lanes_shift_right_64 _mm512_srli_epi64
#define lanes_shift_left_64 _mm512_slli_epi64
#define lanes_shift_right _mm512_srai_epi32
#define lanes_shift_left _mm512_slli_epi32
#define lanes_shift_right_by _mm512_srav_epi32
#define lanes_shift_left_by _mm512_sllv_epi32
#define lanes_and _mm512_and_si512
#define lanes_min _mm512_min_epi32
#define lanes_max _mm512_max_epi32
#define lanes_odd_of(even, odd) _mm512_mask_blend_epi32(0xAAAA, even, odd)
#define lanes_load(bytes, flips) _mm512_cvtepu8_epi32(_mm_xor_si128(_mm_loadu_si128((const __m128i *)(bytes)), flips))
#define lanes_store(out, v, flips) \
    _mm_storeu_si128((__m128i *)(out), _mm_xor_si128(_mm512_cvtepi32_epi8(v), flips))
#else
enum { LANES = 8 };
typedef __m256i lanes;
#define lanes_set1 _mm256_set1_epi32
#define lanes_set1_64 _mm256_set1_epi64x
#define lanes_add _mm256_add_epi32
#define lanes_sub _mm256_sub_epi32
#define lanes_add_64 _mm256_add_epi64
#define lanes_multiply_even _mm256_mul_epi32
#define lanes_multiply_16 _mm256_madd_epi16
#define lanes_shift_right_64 _mm256_srli_epi64
#define lanes_shift_left_64 _mm256_slli_epi64
#define lanes_shift_right _mm256_srai_epi32
#define lanes_shift_left _mm256_slli_epi32
#define lanes_shift_right_by _mm256_srav_epi32
#define lanes_shift_left_by _mm256_sllv_epi32
#define lanes_and _mm256_and_si256
#define lanes_min _mm256_min_epi32
#define lanes_max _mm256_max_epi32
#define lanes_odd_of(even, odd) _mm256_blend_epi32(even, odd, 0xAA)
#define lanes_load(bytes, flips) _mm256_cvtepu8_epi32(_mm_xor_si128(_mm_loadl_epi64((const __m128i *)(bytes)), flips))
static inline void lanes_store(uint8_t *out, __m256i v, __m128i flips)
{
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)out, _mm_xor_si128(_mm_packus_epi16(words, words), flips));
}
#endif

/* What is left of a result's rounding shift when its half has been added before: nothing for a shift of 0; else a
 * value below 0 is one less, so that ties go away from zero, unless the clamp hides all such values anyway. */
typedef enum lanes_rounding { ROUND_NOTHING, ROUND_TIES_AWAY, ROUND_TIES_UP } lanes_rounding;

/* The halves that one input of ADD adds: before its low product is shifted by 11, and where that is too large, after. */
typedef struct lanes_input {
    __m128i flips;
    lanes zero_point, low, minus_high;
    lanes before, after, sign, shift;
} lanes_input;

/* Half of the shift fits beside a low product up to here. */
#define NEAR_SHIFT 19

static inline int32_t half_of(int32_t shift)
{
    return (int32_t)((UINT32_C(1) << shift) >> 1);
}

static inline lanes_input lanes_input_of(const edgecore_row_input *input)
{
    const int32_t low = (int16_t)(input->multiplier & 0xffff);
    const int32_t high = (int32_t)(((int64_t)input->multiplier - low) >> 16); /* at most 2^15, so -high fits 16 bits */
    const int32_t half = half_of(input->right_shift);
    const bool near = input->right_shift <= NEAR_SHIFT;
    return (lanes_input){
        .flips = _mm_set1_epi8((char)input->flip),
        .zero_point = lanes_set1(input->zero_point),
        .low = lanes_set1(low & 0xffff),
        .minus_high = lanes_set1(-high & 0xffff),
        .before = lanes_set1((1 << 10) + (near ? half * (1 << 11) : 0)),
        .after = lanes_set1(near ? 0 : half),
        .sign = lanes_set1(-(input->right_shift > 0)),
        .shift = lanes_set1(input->right_shift),
    };
}

static inline lanes lanes_distance(const uint8_t *bytes, const lanes_input *input)
{
    return lanes_sub(lanes_load(bytes, input->flips), input->zero_point);
}

/* 20 bits up, times the multiplier, shifted right. A distance below 0 stays below 0 until the shift. */
static inline __attribute__((always_inline)) lanes lanes_scaled(lanes distance, const lanes_input *input, bool near)
{
    const lanes low = lanes_shift_right(lanes_add(lanes_multiply_16(distance, input->low), input->before), 11);
    const lanes high = lanes_shift_left(lanes_multiply_16(distance, input->minus_high), 5);
    const lanes sign = lanes_and(lanes_shift_right(distance, 31), input->sign);
    lanes scaled = lanes_add(lanes_sub(low, high), sign);
    if (!near)
        scaled = lanes_add(scaled, input->after);
    return lanes_shift_right_by(scaled, input->shift);
}

typedef struct lanes_output {
    __m128i flips;
    lanes multiplier, half; /* 64-bit: that of the high multiply, and that of the right shift on top */
    lanes shift, zero_point, min, max;
} lanes_output;

static inline lanes_rounding rounding_of(const edgecore_row_arithmetic *how)
{
    if (how->right_shift == 0)
        return ROUND_NOTHING;
    return how->min >= how->zero_point ? ROUND_TIES_UP : ROUND_TIES_AWAY;
}

static inline lanes_output lanes_output_of(const edgecore_row_arithmetic *how, lanes_rounding rounding)
{
    const int64_t half = half_of(how->right_shift);
    return (lanes_output){
        .flips = _mm_set1_epi8((char)how->flip),
        .multiplier = lanes_set1(how->multiplier),
        .half = lanes_set1_64((INT64_C(1) << 30) + half * (INT64_C(1) << 31)),
        .shift = lanes_set1(how->right_shift - (rounding == ROUND_TIES_UP)),
        .zero_point = lanes_set1(how->zero_point),
        .min = lanes_set1(how->min),
        .max = lanes_set1(how->max),
    };
}

/* High multiply and rounding shift, which are two floors in a row, with both halves added to the 64-bit product. Where
 * ties go up, the upper words of the products are enough and the shift is one less. */
static inline __attribute__((always_inline)) void lanes_finish(uint8_t *out, lanes v, const lanes_output *output,
                                                              lanes_rounding rounding)
{
    const lanes even = lanes_add_64(lanes_multiply_even(v, output->multiplier), output->half);
    const lanes odd = lanes_add_64(lanes_multiply_even(lanes_shift_right_64(v, 32), output->multiplier), output->half);
    lanes scaled;
    if (rounding == ROUND_TIES_UP)
        scaled = lanes_odd_of(lanes_shift_right_64(even, 32), odd);
    else
        scaled = lanes_odd_of(lanes_shift_right_64(even, 31), lanes_shift_left_64(odd, 1));
    if (rounding == ROUND_TIES_AWAY)
        scaled = lanes_add(scaled, lanes_shift_right(v, 31));
    if (rounding != ROUND_NOTHING)
        scaled = lanes_shift_right_by(scaled, output->shift);
    scaled = lanes_add(scaled, output->zero_point);
    lanes_store(out, lanes_min(lanes_max(scaled, output->min), output->max), output->flips);
}

/* `common`: input a is exactly half of the common scale, as that with the larger scale always is, and b's shift is
 * small. */
static inline __attribute__((always_inline)) void add_run(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n,
                                                          const edgecore_row_arithmetic *how, bool common,
                                                          lanes_rounding rounding)
{
    const lanes_input in_a = lanes_input_of(&how->a), in_b = lanes_input_of(&how->b);
    const lanes_output output = lanes_output_of(how, rounding);
    for (size_t i = 0; i < n; i += LANES) {
        lanes x = lanes_distance(a + i, &in_a), y = lanes_distance(b + i, &in_b);
        x = common ? lanes_shift_left(x, 19) : lanes_scaled(x, &in_a, false);
        lanes_finish(out + i, lanes_add(x, lanes_scaled(y, &in_b, common)), &output, rounding);
    }
}

static inline bool input_is_half(const edgecore_row_input *input)
{
    return input->multiplier == 1 << 30 && input->right_shift == 0;
}

static void add_lanes(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    edgecore_row_arithmetic swapped = *how;
    if (!input_is_half(&how->a)) {
        const uint8_t *other = a;
        a = b;
        b = other;
        swapped.a = how->b;
        swapped.b = how->a;
    }
    const bool common = input_is_half(&swapped.a) && swapped.b.right_shift <= NEAR_SHIFT;
    const lanes_rounding rounding = rounding_of(how);
    if (common && rounding == ROUND_TIES_UP)
        add_run(out, a, b, n, &swapped, true, ROUND_TIES_UP);
    else if (common && rounding == ROUND_TIES_AWAY)
        add_run(out, a, b, n, &swapped, true, ROUND_TIES_AWAY);
    else
        add_run(out, a, b, n, &swapped, false, rounding);
}

static inline __attribute__((always_inline)) void mul_run(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n,
                                                          const edgecore_row_arithmetic *how, lanes_rounding rounding)
{
    const __m128i flips_a = _mm_set1_epi8((char)how->a.flip), flips_b = _mm_set1_epi8((char)how->b.flip);
    const lanes zero_a = lanes_set1(how->a.zero_point), zero_b = lanes_set1(how->b.zero_point);
    const lanes left = lanes_set1(how->left_shift);
    const lanes_output output = lanes_output_of(how, rounding);
    for (size_t i = 0; i < n; i += LANES) {
        const lanes distance_a = lanes_sub(lanes_load(a + i, flips_a), zero_a);
        const lanes distance_b = lanes_sub(lanes_load(b + i, flips_b), zero_b);
        /* The upper halves' product is that of two signs; only the lower halves' is wanted. */
        const lanes product = lanes_multiply_16(distance_a, lanes_and(distance_b, lanes_set1(0xffff)));
        lanes_finish(out + i, lanes_shift_left_by(product, left), &output, rounding);
    }
}

static void mul_lanes(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    const lanes_rounding rounding = rounding_of(how);
    if (rounding == ROUND_NOTHING)
        mul_run(out, a, b, n, how, ROUND_NOTHING);
    else
        mul_run(out, a, b, n, how, ROUND_TIES_AWAY);
}

/* A tail shorter than a vector goes through a buffer, so that nothing is read or written past the rows. */
static inline void with_tail(void (*row)(uint8_t *, const uint8_t *, const uint8_t *, size_t,
                                         const edgecore_row_arithmetic *),
                             uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n,
                             const edgecore_row_arithmetic *how)
{
    const size_t whole = n - n % LANES, rest = n - whole;
    uint8_t tail_out[LANES], tail_a[LANES] = {0}, tail_b[LANES] = {0};
    row(out, a, b, whole, how);
    if (rest == 0)
        return;
    memcpy(tail_a, a + whole, rest);
    memcpy(tail_b, b + whole, rest);
    row(tail_out, tail_a, tail_b, LANES, how);
    memcpy(out + whole, tail_out, rest);
}

static void add_row(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    with_tail(add_lanes, out, a, b, n, how);
}

static void mul_row(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    with_tail(mul_lanes, out, a, b, n, how);
}

#endif
