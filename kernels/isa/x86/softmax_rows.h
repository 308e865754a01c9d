/* SOFTMAX of many pixels of few channels: the channels of 32 pixels become rows of 32 bytes, so that every step is a loop over
 * pixels that the compiler turns into its tier's vectors. Only the table is read element by element.
 * ops/softmax.c is the specification; up to EDGECORE_SOFTMAX_CHANNELS no shift reaches 32 and no sum loses its headroom.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_SOFTMAX_ROWS_H
#define EDGECORE_ISA_X86_SOFTMAX_ROWS_H

#include <immintrin.h>
#include <string.h>

#include "isa/tier.h"

enum { SOFTMAX_SUM_BITS = 12 };

#define SOFTMAX_PIXELS EDGECORE_SOFTMAX_PIXELS

static inline int32_t softmax_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(uint32_t)((uint64_t)((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* 1 / (1 + fraction) in Q0.31. What the specification saturates fits here, but for the result of a fraction of 0. */
static inline int32_t softmax_reciprocal(int32_t fraction)
{
    const int32_t half_denominator = (fraction >> 1) + (1 << 30);
    int32_t x = 1515870810 + softmax_high_mul(half_denominator, -1010580540);
    for (int32_t i = 0; i < 3; i++)
        x += softmax_high_mul(x, (1 << 29) - softmax_high_mul(half_denominator, x)) * 4;
    return x >= 1 << 30 ? INT32_MAX : x * 2;
}

static inline void transpose_8x8(uint8_t *out, ptrdiff_t out_stride, const uint8_t *in, ptrdiff_t in_stride)
{
    __m128i pairs[4], quads[4];
    for (int r = 0; r < 4; r++)
        pairs[r] = _mm_unpacklo_epi8(_mm_loadl_epi64((const __m128i *)(in + 2 * r * in_stride)),
                                     _mm_loadl_epi64((const __m128i *)(in + (2 * r + 1) * in_stride)));
    for (int r = 0; r < 2; r++) {
        quads[r] = _mm_unpacklo_epi16(pairs[2 * r], pairs[2 * r + 1]);
        quads[2 + r] = _mm_unpackhi_epi16(pairs[2 * r], pairs[2 * r + 1]);
    }
    for (int c = 0; c < 4; c++) {
        const __m128i from = quads[c & 2], with = quads[(c & 2) + 1];
        const __m128i columns = c & 1 ? _mm_unpackhi_epi32(from, with) : _mm_unpacklo_epi32(from, with);
        _mm_storel_epi64((__m128i *)(out + 2 * c * out_stride), columns);
        _mm_storel_epi64((__m128i *)(out + (2 * c + 1) * out_stride), _mm_unpackhi_epi64(columns, columns));
    }
}

/* Squares of 8, of which the last in either direction may lie over the one before. */
static void transpose(uint8_t *out, ptrdiff_t out_stride, const uint8_t *in, ptrdiff_t in_stride, ptrdiff_t rows,
                      ptrdiff_t columns)
{
    if (rows < 8 || columns < 8) {
        for (ptrdiff_t r = 0; r < rows; r++)
            for (ptrdiff_t c = 0; c < columns; c++)
                out[c * out_stride + r] = in[r * in_stride + c];
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r += 8) {
        const ptrdiff_t row = r < rows - 8 ? r : rows - 8;
        for (ptrdiff_t c = 0; c < columns; c += 8) {
            const ptrdiff_t column = c < columns - 8 ? c : columns - 8;
            transpose_8x8(out + column * out_stride + row, out_stride, in + row * in_stride + column, in_stride);
        }
    }
}

typedef struct softmax_block {
    int32_t sums[SOFTMAX_PIXELS];
    uint32_t scales[SOFTMAX_PIXELS], halves[SOFTMAX_PIXELS], shifts[SOFTMAX_PIXELS];
} softmax_block;

/* Bytes of `channels` x 32 become distances from each pixel's maximum, these exponentials, and those sums. */
static void softmax_sums(softmax_block *block, uint8_t *bytes, uint32_t *exps, const edgecore_row_softmax *how)
{
    const size_t channels = how->channels;
    const uint8_t flip = how->flip_in;
    uint8_t largest[SOFTMAX_PIXELS] = {0};
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < SOFTMAX_PIXELS; p++) {
            const uint8_t u = bytes[c * SOFTMAX_PIXELS + p] ^ flip;
            largest[p] = largest[p] > u ? largest[p] : u;
        }
    for (size_t i = 0; i < channels * SOFTMAX_PIXELS; i += SOFTMAX_PIXELS) {
        for (size_t p = 0; p < SOFTMAX_PIXELS; p++)
            bytes[i + p] = (uint8_t)(largest[p] - (bytes[i + p] ^ flip));
        for (size_t p = 0; p < SOFTMAX_PIXELS; p += 8)
            for (size_t k = 0; k < 8; k++)
                exps[i + p + k] = (uint32_t)how->exps[bytes[i + p + k]];
    }
    memset(block->sums, 0, sizeof block->sums);
    for (size_t i = 0; i < channels * SOFTMAX_PIXELS; i += SOFTMAX_PIXELS)
        for (size_t p = 0; p < SOFTMAX_PIXELS; p++)
            block->sums[p] += (int32_t)((exps[i + p] + (1u << (SOFTMAX_SUM_BITS - 1))) >> SOFTMAX_SUM_BITS);
}

static void softmax_scales(softmax_block *block)
{
    int32_t fractions[SOFTMAX_PIXELS];
    for (size_t p = 0; p < SOFTMAX_PIXELS; p++) {
        const uint32_t sum = (uint32_t)block->sums[p];
        const int32_t headroom = __builtin_clz(sum);
        fractions[p] = (int32_t)((sum << headroom) & INT32_MAX);
        block->shifts[p] = (uint32_t)(SOFTMAX_SUM_BITS + 31 - 8 - headroom);
        block->halves[p] = UINT32_C(1) << (block->shifts[p] - 1);
    }
    for (size_t p = 0; p < SOFTMAX_PIXELS; p++)
        block->scales[p] = (uint32_t)softmax_reciprocal(fractions[p]);
}

static void softmax_bytes(uint8_t *bytes, const softmax_block *block, const uint32_t *exps, size_t channels, uint8_t flip)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t p = 0; p < SOFTMAX_PIXELS; p++) {
            const uint64_t product = (uint64_t)block->scales[p] * exps[c * SOFTMAX_PIXELS + p];
            const uint32_t scaled = (uint32_t)((product + (UINT64_C(1) << 30)) >> 31);
            const uint32_t value = (scaled + block->halves[p]) >> block->shifts[p];
            bytes[c * SOFTMAX_PIXELS + p] = (uint8_t)(value > 255 ? 255 : value) ^ flip;
        }
}

static void softmax_pixels(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_softmax *how)
{
    const size_t channels = how->channels;
    uint32_t *exps = how->scratch;
    uint8_t *bytes = (uint8_t *)(exps + channels * SOFTMAX_PIXELS);
    softmax_block block;
    /* The places of pixels that the last block does not have hold any bytes. */
    memset(bytes, 0, channels * SOFTMAX_PIXELS);
    for (size_t done = 0; done < pixels; done += SOFTMAX_PIXELS) {
        const size_t count = pixels - done < SOFTMAX_PIXELS ? pixels - done : SOFTMAX_PIXELS;
        transpose(bytes, SOFTMAX_PIXELS, in + (ptrdiff_t)done * how->in_stride, how->in_stride, (ptrdiff_t)count,
                  (ptrdiff_t)channels);
        softmax_sums(&block, bytes, exps, how);
        softmax_scales(&block);
        softmax_bytes(bytes, &block, exps, channels, how->flip_out);
        transpose(out + (ptrdiff_t)done * how->out_stride, how->out_stride, bytes, SOFTMAX_PIXELS, (ptrdiff_t)channels,
                  (ptrdiff_t)count);
    }
}

#endif
