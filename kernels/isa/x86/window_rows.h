/* Maxima of pooling windows two pixels apart for AVX2 and up, straight from the input: whole vectors of a pixel's channels,
 * the last of which lies over the one before.
 *
 * Included by a tier's translation unit through isa/rows_template.h. */
#ifndef EDGECORE_ISA_X86_WINDOW_ROWS_H
#define EDGECORE_ISA_X86_WINDOW_ROWS_H

#include <immintrin.h>

#include "isa/tier.h"

static inline __attribute__((always_inline)) void window_of_16(uint8_t *out, const edgecore_row_windows *w, ptrdiff_t at,
                                                               int size, bool is_signed)
{
    __m128i largest = _mm_loadu_si128((const __m128i *)(w->rows[0] + at));
    for (int i = 1; i < size * size; i++) {
        const uint8_t *pixel = w->rows[i / size] + at + i % size * w->pixel_stride;
        const __m128i bytes = _mm_loadu_si128((const __m128i *)pixel);
        largest = is_signed ? _mm_max_epi8(largest, bytes) : _mm_max_epu8(largest, bytes);
    }
    _mm_storeu_si128((__m128i *)out, largest);
}

static inline __attribute__((always_inline)) void window_of_32(uint8_t *out, const edgecore_row_windows *w, ptrdiff_t at,
                                                               int size, bool is_signed)
{
    __m256i largest = _mm256_loadu_si256((const __m256i *)(w->rows[0] + at));
    for (int i = 1; i < size * size; i++) {
        const uint8_t *pixel = w->rows[i / size] + at + i % size * w->pixel_stride;
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)pixel);
        largest = is_signed ? _mm256_max_epi8(largest, bytes) : _mm256_max_epu8(largest, bytes);
    }
    _mm256_storeu_si256((__m256i *)out, largest);
}

static inline __attribute__((always_inline)) void windows_of(uint8_t *out, const edgecore_row_windows *windows, int size,
                                                             bool is_signed)
{
    const edgecore_row_windows w = *windows;
    const ptrdiff_t n = (ptrdiff_t)w.n;
    ptrdiff_t at = 0;
    for (size_t p = 0; p < w.count; p++, out += w.out_stride, at += 2 * w.pixel_stride) {
        if (n < 32) {
            window_of_16(out, &w, at, size, is_signed);
            if (n > 16)
                window_of_16(out + n - 16, &w, at + n - 16, size, is_signed);
            continue;
        }
        ptrdiff_t c = 0;
        for (; c <= n - 32; c += 32)
            window_of_32(out + c, &w, at + c, size, is_signed);
        if (c < n)
            window_of_32(out + n - 32, &w, at + n - 32, size, is_signed);
    }
}

static void max_windows(uint8_t *out, const edgecore_row_windows *windows)
{
    if (windows->size == 3 && windows->flip)
        windows_of(out, windows, 3, true);
    else if (windows->size == 3)
        windows_of(out, windows, 3, false);
    else if (windows->flip)
        windows_of(out, windows, 2, true);
    else
        windows_of(out, windows, 2, false);
}

#endif
