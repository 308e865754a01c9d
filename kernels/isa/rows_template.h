/* Byte rows in portable C. Each tier's translation unit includes this file and the compiler turns the loops into
 * that tier's vectors; a tier that has something better replaces the entry in its table afterwards.
 *
 * The loops are written so that gcc and clang vectorise them: no calls, no early exits, 64-bit products narrowed by a
 * logical shift (the low 32 bits are those of the arithmetic one). In-place use is allowed: an element is read
 * before it is written, and nothing is carried from one element to the next, which is what ivdep says. */
#ifndef EDGECORE_ISA_ROWS_TEMPLATE_H
#define EDGECORE_ISA_ROWS_TEMPLATE_H

#include <string.h>

#include "isa/blend_rows.h"
#include "isa/independent.h"
#include "isa/tier.h"

static void xor_row(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip)
{
    if (flip == 0) {
        if (out != in)
            memcpy(out, in, n);
        return;
    }
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] ^ flip;
}

#if defined(__AVX2__)
#include "isa/x86/lookup_row.h"
#else
static void lookup_row(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256])
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t bytes, found = 0;
        memcpy(&bytes, in + i, 8);
        for (int k = 0; k < 8; k++)
            found |= (uint64_t)table[(bytes >> (8 * k)) & 255] << (8 * k);
        memcpy(out + i, &found, 8);
    }
    for (; i < n; i++)
        out[i] = table[in[i]];
}
#endif

static inline uint8_t larger_byte(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static inline __attribute__((always_inline)) void max_of(uint8_t *out, const uint8_t *const *in, int count, size_t n,
                                                        uint8_t flip)
{
    const uint8_t *a = in[0], *b = in[count > 1 ? 1 : 0], *c = in[count > 2 ? 2 : 0], *d = in[count > 3 ? 3 : 0];
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        uint8_t largest = larger_byte(a[i] ^ flip, b[i] ^ flip);
        if (count > 2)
            largest = larger_byte(largest, c[i] ^ flip);
        if (count > 3)
            largest = larger_byte(largest, d[i] ^ flip);
        out[i] = largest ^ flip;
    }
}

static void max_of_4(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip)
{
    switch (count) {
    case 1:
        xor_row(out, in[0], n, 0);
        break;
    case 2:
        max_of(out, in, 2, n, flip);
        break;
    case 3:
        max_of(out, in, 3, n, flip);
        break;
    default:
        max_of(out, in, 4, n, flip);
    }
}

/* Four rows a pass; the passes after the first take what is there already and three more. */
static void max_row(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip)
{
    max_of_4(out, in, count, n, flip);
    for (size_t r = 4; r < count; r += 3) {
        const uint8_t *rows[4] = {out, in[r], in[r + 1 < count ? r + 1 : r], in[r + 2 < count ? r + 2 : r]};
        max_of_4(out, rows, count - r < 3 ? count - r + 1 : 4, n, flip);
    }
}

/* One row after the other. */
static void sum_rows_by_one(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip)
{
    for (size_t r = 0; r < rows; r++, in += stride) {
        EDGECORE_INDEPENDENT
        for (size_t i = 0; i < n; i++)
            sums[i] += in[i] ^ flip;
    }
}

#if defined(__AVX2__)
#include "isa/x86/sum_rows.h"
#else
static void sum_rows(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip)
{
    sum_rows_by_one(sums, in, stride, rows, n, flip);
}
#endif

/* Quotients in float are exact after truncation while the sums are below 2^24: a quotient below 256 that is no whole
 * number stays at least 1 / count away from the next one, which is more than float's rounding error. */
static void average_row(uint8_t *out, const int32_t *sums, size_t n, const edgecore_row_average *how)
{
    const edgecore_row_average h = *how;
    const int32_t offset = h.zero * h.count, half = h.count / 2;
    const float count = (float)h.count;
    if (h.count > EDGECORE_FLOAT_COUNT) {
        for (size_t i = 0; i < n; i++) {
            int32_t sum = sums[i] - offset;
            int32_t mean = (sum > 0 ? sum + half : sum - half) / h.count + h.zero;
            mean = mean < h.min ? h.min : mean;
            out[i] = (uint8_t)(mean > h.max ? h.max : mean) ^ h.flip;
        }
        return;
    }
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        int32_t sum = sums[i] - offset, sign = sum >> 31;
        int32_t mean = (int32_t)((float)(sum + ((half ^ sign) - sign)) / count) + h.zero;
        mean = mean < h.min ? h.min : mean;
        out[i] = (uint8_t)(mean > h.max ? h.max : mean) ^ h.flip;
    }
}

/* Saturating rounding doubling high multiply; a non-negative multiplier never saturates. */
static inline int32_t row_high_mul(int32_t value, int32_t multiplier)
{
    return (int32_t)((uint64_t)((int64_t)value * multiplier + (INT64_C(1) << 30)) >> 31);
}

/* value / 2^shift, ties away from zero, where half = 2^shift / 2 and odd = shift > 0 ? -1 : 0. Nothing is added to the
 * value itself, which may be as large as an int32 can be. */
static inline int32_t row_rounding_shift(int32_t value, int32_t shift, int32_t half, int32_t odd)
{
    const int32_t mask = (int32_t)((uint32_t)half * 2 - 1) & odd;
    return (value >> shift) + ((value & mask) > (mask >> 1) + (value < 0));
}

static inline int32_t row_half(int32_t shift)
{
    return (int32_t)((UINT32_C(1) << shift) >> 1);
}

#if defined(__AVX2__)
#include "isa/x86/arithmetic_rows.h"
#else
static inline uint8_t row_clamp(int32_t value, int32_t min, int32_t max)
{
    value = value < min ? min : value;
    return (uint8_t)(value > max ? max : value);
}

/* (distance << 20) times a Q31 multiplier, rounded, in 32 bits: the multiplier in two parts of 20 and 11 bits. */
static inline int32_t row_scaled_distance(int32_t distance, int32_t multiplier)
{
    return distance * (multiplier >> 11) + ((distance * (multiplier & 2047) + (1 << 10)) >> 11);
}

static void add_row(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    const edgecore_row_arithmetic h = *how;
    const int32_t half_a = row_half(h.a.right_shift), odd_a = -(h.a.right_shift > 0);
    const int32_t half_b = row_half(h.b.right_shift), odd_b = -(h.b.right_shift > 0);
    const int32_t half = row_half(h.right_shift), odd = -(h.right_shift > 0);
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        int32_t x = row_scaled_distance((a[i] ^ h.a.flip) - h.a.zero_point, h.a.multiplier);
        int32_t y = row_scaled_distance((b[i] ^ h.b.flip) - h.b.zero_point, h.b.multiplier);
        int32_t sum = row_rounding_shift(x, h.a.right_shift, half_a, odd_a) +
                      row_rounding_shift(y, h.b.right_shift, half_b, odd_b);
        sum = row_rounding_shift(row_high_mul(sum, h.multiplier), h.right_shift, half, odd);
        out[i] = row_clamp(sum + h.zero_point, h.min, h.max) ^ h.flip;
    }
}

static void mul_row(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    const edgecore_row_arithmetic h = *how;
    const int32_t half = row_half(h.right_shift), odd = -(h.right_shift > 0);
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        int32_t product = ((a[i] ^ h.a.flip) - h.a.zero_point) * ((b[i] ^ h.b.flip) - h.b.zero_point);
        int32_t scaled = row_high_mul(product * (1 << h.left_shift), h.multiplier);
        out[i] = row_clamp(row_rounding_shift(scaled, h.right_shift, half, odd) + h.zero_point, h.min, h.max) ^ h.flip;
    }
}
#endif

#if defined(__AVX2__)
#include "isa/x86/affine_pixels.h"
#include "isa/x86/line_rows.h"
#include "isa/x86/softmax_rows.h"
#include "isa/x86/window_rows.h"
#define EDGECORE_X86_ROWS \
    .max_windows = max_windows, .line_offset = line_offset, .line_pixels = line_pixels, .affine_pixels = affine_pixels, \
    .softmax_pixels = softmax_pixels,
#else
#define EDGECORE_X86_ROWS
#endif

/* Members of an edgecore_tier initialiser. */
#define EDGECORE_PORTABLE_ROWS \
    EDGECORE_X86_ROWS \
    .xor_row = xor_row, .lookup_row = lookup_row, .max_row = max_row, .sum_rows = sum_rows, .add_row = add_row, \
    .mul_row = mul_row, .average_row = average_row, .blend_rows = blend_rows, .blend_sums = blend_sums, \
    .scale_row = scale_row, .blend_scaled = blend_scaled

#endif
