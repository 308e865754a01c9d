/* Bytes along a line for each channel (edgecore_row_lines): four vectors of channels at a time keep their slopes and offsets in
 * registers while they go down some pixels.
 *
 * Included by a tier's translation unit through isa/rows_template.h, behind isa/x86/arithmetic_rows.h. */
#ifndef EDGECORE_ISA_X86_LINE_ROWS_H
#define EDGECORE_ISA_X86_LINE_ROWS_H

#include <immintrin.h>
#include <string.h>

#include "isa/tier.h"

#if defined(__AVX512F__) && defined(__AVX512BW__)
#define lanes_of_bytes _mm512_cvtepu8_epi32
#define lanes_multiply _mm512_mullo_epi32
#define lanes_read _mm512_loadu_si512
#define lanes_shift_right_count _mm512_sra_epi32
#define line_bytes_load(from) _mm_loadu_si128((const __m128i *)(from))
static inline lanes lanes_less_below_zero(lanes v, lanes below)
{
    return _mm512_mask_sub_epi32(v, _mm512_movepi32_mask(v), v, below);
}
static inline void line_store(uint8_t *out, const lanes v[4], lanes order, lanes min, lanes max)
{
    const lanes low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
    const lanes bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
    _mm512_storeu_si512(out, _mm512_min_epu8(_mm512_max_epu8(bytes, min), max));
}
#define lanes_set1_8 _mm512_set1_epi8
#define LINE_ORDER _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
#else
#define lanes_of_bytes _mm256_cvtepu8_epi32
#define lanes_multiply _mm256_mullo_epi32
#define lanes_read(from) _mm256_loadu_si256((const __m256i *)(from))
#define lanes_shift_right_count _mm256_sra_epi32
#define line_bytes_load(from) _mm_loadl_epi64((const __m128i *)(from))
static inline lanes lanes_less_below_zero(lanes v, lanes below)
{
    return _mm256_sub_epi32(v, _mm256_and_si256(_mm256_srai_epi32(v, 31), below));
}
static inline void line_store(uint8_t *out, const lanes v[4], lanes order, lanes min, lanes max)
{
    const lanes low = _mm256_packs_epi32(v[0], v[1]), high = _mm256_packs_epi32(v[2], v[3]);
    const lanes bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
    _mm256_storeu_si256((__m256i *)out, _mm256_min_epu8(_mm256_max_epu8(bytes, min), max));
}
#define lanes_set1_8 _mm256_set1_epi8
#define LINE_ORDER _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)
#endif

enum { LINE_BLOCK = 4 * LANES };

/* Pixels whose channels go by before the next ones: they stay in the first cache. */
#define LINE_PIXELS 32

static inline __attribute__((always_inline)) lanes line_at(__m128i bytes, lanes slope, lanes offset, lanes zero_point, lanes below,
                                                           __m128i shift, bool bends)
{
    lanes v = lanes_of_bytes(bytes);
    if (bends)
        v = lanes_less_below_zero(lanes_multiply(lanes_sub(v, zero_point), slope), below);
    else
        v = lanes_multiply(v, slope);
    return lanes_shift_right_count(lanes_add(v, offset), shift);
}

/* Channels [c, c + LINE_BLOCK) of some pixels. */
static inline __attribute__((always_inline)) void line_block(uint8_t *out, const uint8_t *in, size_t pixels, size_t c,
                                                             const edgecore_row_lines *lines, bool bends)
{
    const lanes zero_point = lanes_set1(lines->zero_point), below = lanes_set1(lines->below), order = LINE_ORDER;
    const lanes min = lanes_set1_8((char)lines->min), max = lanes_set1_8((char)lines->max);
    const __m128i shift = _mm_cvtsi32_si128(lines->shift);
    const ptrdiff_t in_stride = lines->in_stride, out_stride = lines->out_stride;
    lanes slopes[4], offsets[4];
    for (size_t i = 0; i < 4; i++) {
        slopes[i] = lanes_read(lines->slopes + c + i * LANES);
        offsets[i] = lanes_read(lines->offsets + c + i * LANES);
    }
    in += c;
    out += c;
    for (size_t p = 0; p < pixels; p++, in += in_stride, out += out_stride) {
        lanes v[4];
        for (size_t i = 0; i < 4; i++)
            v[i] = line_at(line_bytes_load(in + i * LANES), slopes[i], offsets[i], zero_point, below, shift, bends);
        line_store(out, v, order, min, max);
    }
}

/* Up to LANES channels from c on. */
static inline __attribute__((always_inline)) void line_tail(uint8_t *out, const uint8_t *in, size_t pixels, size_t c,
                                                            const edgecore_row_lines *lines, bool bends)
{
    const lanes zero_point = lanes_set1(lines->zero_point), below = lanes_set1(lines->below);
    const lanes min = lanes_set1(lines->min), max = lanes_set1(lines->max);
    const __m128i shift = _mm_cvtsi32_si128(lines->shift), no_flips = _mm_setzero_si128();
    const size_t count = lines->n - c < LANES ? lines->n - c : LANES;
    const lanes slope = lanes_read(lines->slopes + c), offset = lanes_read(lines->offsets + c);
    for (size_t p = 0; p < pixels; p++) {
        const uint8_t *from = in + (ptrdiff_t)p * lines->in_stride + c;
        uint8_t *to = out + (ptrdiff_t)p * lines->out_stride + c, buffer[LANES] = {0};
        if (count < LANES)
            from = memcpy(buffer, from, count);
        const lanes v = line_at(line_bytes_load(from), slope, offset, zero_point, below, shift, bends);
        const lanes bounded = lanes_min(lanes_max(v, min), max);
        if (count < LANES) {
            lanes_store(buffer, bounded, no_flips);
            memcpy(to, buffer, count);
        } else {
            lanes_store(to, bounded, no_flips);
        }
    }
}

static inline __attribute__((always_inline)) void line_run(uint8_t *out, const uint8_t *in, size_t pixels,
                                                           const edgecore_row_lines *lines, bool bends)
{
    for (size_t done = 0; done < pixels; done += LINE_PIXELS) {
        const size_t some = pixels - done < LINE_PIXELS ? pixels - done : LINE_PIXELS;
        const uint8_t *from = in + (ptrdiff_t)done * lines->in_stride;
        uint8_t *to = out + (ptrdiff_t)done * lines->out_stride;
        size_t c = 0;
        for (; c + LINE_BLOCK <= lines->n; c += LINE_BLOCK)
            line_block(to, from, some, c, lines, bends);
        for (; c < lines->n; c += LANES)
            line_tail(to, from, some, c, lines, bends);
    }
}

/* See edgecore_tier. The masks are for the compiler's vectors. */
static bool line_offset(const edgecore_row_lines *form, const uint8_t bytes[256], int32_t slope, int32_t *offset)
{
    const int32_t zero_point = form->zero_point, below = form->below, shift = form->shift;
    const int32_t min = form->min, max = form->max;
    int32_t lowest = INT32_MIN, highest = INT32_MAX;
    for (int32_t u = 0; u < 256; u++) {
        const int32_t x = (u - zero_point) * slope, least = (bytes[u] << shift) - x + (below & (x >> 31));
        const int32_t over = -(bytes[u] > min), under = -(bytes[u] < max);
        const int32_t at_least = (least & over) | (INT32_MIN & ~over), below_next = (least & under) | (INT32_MAX & ~under);
        lowest = lowest > at_least ? lowest : at_least;
        highest = highest < below_next ? highest : below_next;
    }
    const int64_t low = lowest, high = highest == INT32_MAX ? highest : (int64_t)highest + (1 << shift) - 1;
    if (low > high)
        return false;
    if (highest == INT32_MAX)
        *offset = lowest == INT32_MIN ? 0 : lowest;
    else
        *offset = (int32_t)(lowest == INT32_MIN ? high : low + (high - low) / 2);
    const int64_t reach = 255 * (slope < 0 ? -(int64_t)slope : slope) + below;
    return *offset + reach <= INT32_MAX && *offset - reach >= INT32_MIN;
}

static void line_pixels(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_lines *lines)
{
    if (lines->below)
        line_run(out, in, pixels, lines, true);
    else
        line_run(out, in, pixels, lines, false);
}

#endif
