/* Affine maps of channels in float: each vector of bytes is unpacked to 32-bit lanes behind the exponent of 2^23, which makes
 * floats of them, and packed again in the same order. AVX-512 takes two pixels at a time, AVX2 one.
 *
 * The truncations do not depend on the thread's rounding mode, nor in AVX-512 do the products.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_AFFINE_PIXELS_H
#define EDGECORE_ISA_X86_AFFINE_PIXELS_H

#include <immintrin.h>
#include <string.h>

#include "isa/tier.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
enum { AFFINE_PIXELS = 2 };
typedef __m512i affine_bytes;
typedef __m512 affine_floats;
#define affine_spread_16 _mm512_set1_epi16
#define affine_spread_float _mm512_set1_ps
#define affine_coefficients(at) _mm512_broadcast_f32x8(_mm256_loadu_ps(at))
#define affine_limits(at) _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(at)))
#define affine_zero _mm512_setzero_si512
#define affine_low_8 _mm512_unpacklo_epi8
#define affine_high_8 _mm512_unpackhi_epi8
#define affine_low_16 _mm512_unpacklo_epi16
#define affine_high_16 _mm512_unpackhi_epi16
#define affine_as_floats _mm512_castsi512_ps
#define affine_subtract _mm512_sub_ps
#define affine_fma(a, b, c) _mm512_fmadd_round_ps(a, b, c, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define affine_truncate(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define affine_to_integers _mm512_cvttps_epi32
#define affine_pack_32 _mm512_packs_epi32
#define affine_pack_16 _mm512_packus_epi16
#define affine_max_8 _mm512_max_epu8
#define affine_min_8 _mm512_min_epu8

/* `value` with its sign turned where that of `turn` is set. */
static inline __m512 affine_turn(__m512 value, __m512 turn)
{
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(value), _mm512_castps_si512(turn), sign, 0x78));
}

static inline __mmask32 affine_mask(size_t channels)
{
    return (UINT32_C(1) << channels) - 1;
}

static inline __attribute__((always_inline)) __m512i affine_load(const uint8_t *first, const uint8_t *second, size_t channels)
{
    if (channels == EDGECORE_AFFINE_CHANNELS) {
        const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)first));
        return _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)second), 1);
    }
    const __m512i low = _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(affine_mask(channels), first));
    return _mm512_inserti64x4(low, _mm256_maskz_loadu_epi8(affine_mask(channels), second), 1);
}

static inline __attribute__((always_inline)) void affine_store(uint8_t *first, uint8_t *second, __m512i bytes, size_t channels)
{
    const __m256i low = _mm512_castsi512_si256(bytes), high = _mm512_extracti64x4_epi64(bytes, 1);
    if (channels == EDGECORE_AFFINE_CHANNELS) {
        _mm256_storeu_si256((__m256i *)first, low);
        _mm256_storeu_si256((__m256i *)second, high);
    } else {
        _mm256_mask_storeu_epi8(first, affine_mask(channels), low);
        _mm256_mask_storeu_epi8(second, affine_mask(channels), high);
    }
}
#else
enum { AFFINE_PIXELS = 1 };
typedef __m256i affine_bytes;
typedef __m256 affine_floats;
#define affine_spread_16 _mm256_set1_epi16
#define affine_spread_float _mm256_set1_ps
#define affine_coefficients _mm256_loadu_ps
#define affine_limits(at) _mm256_loadu_si256((const __m256i *)(at))
#define affine_zero _mm256_setzero_si256
#define affine_low_8 _mm256_unpacklo_epi8
#define affine_high_8 _mm256_unpackhi_epi8
#define affine_low_16 _mm256_unpacklo_epi16
#define affine_high_16 _mm256_unpackhi_epi16
#define affine_as_floats _mm256_castsi256_ps
#define affine_subtract _mm256_sub_ps
#define affine_fma _mm256_fmadd_ps
#define affine_truncate(v) _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#define affine_to_integers _mm256_cvttps_epi32
#define affine_pack_32 _mm256_packs_epi32
#define affine_pack_16 _mm256_packus_epi16
#define affine_max_8 _mm256_max_epu8
#define affine_min_8 _mm256_min_epu8

static inline __m256 affine_turn(__m256 value, __m256 turn)
{
    return _mm256_xor_ps(value, _mm256_and_ps(turn, _mm256_set1_ps(-0.0f)));
}

static inline __attribute__((always_inline)) __m256i affine_load(const uint8_t *first, const uint8_t *second, size_t channels)
{
    (void)second;
    if (channels == EDGECORE_AFFINE_CHANNELS)
        return _mm256_loadu_si256((const __m256i *)first);
    uint8_t whole[EDGECORE_AFFINE_CHANNELS] = {0};
    memcpy(whole, first, channels);
    return _mm256_loadu_si256((const __m256i *)whole);
}

static inline __attribute__((always_inline)) void affine_store(uint8_t *first, uint8_t *second, __m256i bytes, size_t channels)
{
    (void)second;
    if (channels == EDGECORE_AFFINE_CHANNELS) {
        _mm256_storeu_si256((__m256i *)first, bytes);
    } else {
        uint8_t whole[EDGECORE_AFFINE_CHANNELS];
        _mm256_storeu_si256((__m256i *)whole, bytes);
        memcpy(first, whole, channels);
    }
}
#endif

/* The coefficients of a quarter of the channels. */
typedef struct affine_quarter {
    affine_floats factor, half, offset;
} affine_quarter;

static inline affine_quarter affine_quarter_of(const edgecore_affine_block *block, size_t quarter)
{
    const size_t at = quarter * EDGECORE_AFFINE_CHANNELS / 4;
    return (affine_quarter){
        .factor = affine_coefficients(block->factor + at),
        .half = affine_coefficients(block->half + at),
        .offset = affine_coefficients(block->offset + at),
    };
}

/* `x` is 2^23 more than the byte, and `zero` than the zero point. */
static inline affine_bytes affine_map(affine_bytes x, const affine_quarter *quarter, affine_floats zero, affine_floats slope)
{
    const affine_floats distance = affine_subtract(affine_as_floats(x), zero);
    const affine_floats product = affine_truncate(affine_fma(distance, quarter->factor, affine_turn(quarter->half, distance)));
    return affine_to_integers(affine_fma(product, slope, quarter->offset));
}

static inline __attribute__((always_inline)) void affine_run(const edgecore_affine_pixels *args, size_t channels)
{
    const affine_quarter first = affine_quarter_of(args->block, 0), second = affine_quarter_of(args->block, 1);
    const affine_quarter third = affine_quarter_of(args->block, 2), fourth = affine_quarter_of(args->block, 3);
    const affine_bytes min = affine_limits(args->block->min), max = affine_limits(args->block->max);
    const affine_bytes exponent = affine_spread_16(0x4B00);
    const affine_floats zero = affine_spread_float((float)(0x800000 + args->zero_point));
    const affine_floats slope = affine_spread_float(args->slope);
    const uint8_t *in = args->in;
    uint8_t *out = args->out;
    for (size_t left = args->pixels; left > 0; left -= left < AFFINE_PIXELS ? left : AFFINE_PIXELS) {
        const bool pair = left >= AFFINE_PIXELS;
        const affine_bytes x = affine_load(in, pair ? in + args->in_stride : in, channels);
        const affine_bytes low = affine_low_8(x, affine_zero()), high = affine_high_8(x, affine_zero());
        const affine_bytes words_low = affine_pack_32(affine_map(affine_low_16(low, exponent), &first, zero, slope),
                                                      affine_map(affine_high_16(low, exponent), &second, zero, slope));
        const affine_bytes words_high = affine_pack_32(affine_map(affine_low_16(high, exponent), &third, zero, slope),
                                                       affine_map(affine_high_16(high, exponent), &fourth, zero, slope));
        const affine_bytes y = affine_min_8(affine_max_8(affine_pack_16(words_low, words_high), min), max);
        affine_store(out, pair ? out + args->out_stride : out, y, channels);
        in += AFFINE_PIXELS * args->in_stride;
        out += AFFINE_PIXELS * args->out_stride;
    }
}

static void affine_pixels(const edgecore_affine_pixels *args)
{
    if (args->channels == EDGECORE_AFFINE_CHANNELS)
        affine_run(args, EDGECORE_AFFINE_CHANNELS);
    else
        affine_run(args, args->channels);
}

#endif
