/* The image micro-kernels in portable C, for the scalar tier and for the ends of rows in the others.
 * Sums stay below 2^31: 255 * (2^22 + rounding of the weights). */
#ifndef EDGECORE_ISA_IMAGE_TEMPLATE_H
#define EDGECORE_ISA_IMAGE_TEMPLATE_H

#include "isa/image.h"

#define IMAGE_ROUNDING (1 << (EDGECORE_WEIGHT_BITS - 1))

static inline uint8_t image_byte(int32_t sum)
{
    int32_t value = sum >> EDGECORE_WEIGHT_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

static inline const int32_t *image_weights(const edgecore_axis *axis, int32_t index)
{
    return axis->weights + 4 * (size_t)axis->groups * (size_t)index;
}

static inline uint8_t image_narrow_grey(const edgecore_axis *axis, const uint8_t *row, int32_t x)
{
    const int32_t *weights = image_weights(axis, x);
    const uint8_t *pixel = row + axis->firsts[x];
    int32_t sum = IMAGE_ROUNDING;
    for (int32_t t = 0; t < axis->counts[x]; t++)
        sum += weights[t] * pixel[t];
    return image_byte(sum);
}

static inline void image_narrow_colour(const edgecore_axis *axis, const uint8_t *row, int32_t x, uint8_t *out)
{
    const int32_t *weights = image_weights(axis, x);
    const uint8_t *pixel = row + 3 * (size_t)axis->firsts[x];
    int32_t sum0 = IMAGE_ROUNDING, sum1 = IMAGE_ROUNDING, sum2 = IMAGE_ROUNDING;
    for (int32_t t = 0; t < axis->counts[x]; t++, pixel += 3) {
        sum0 += weights[t] * pixel[0];
        sum1 += weights[t] * pixel[1];
        sum2 += weights[t] * pixel[2];
    }
    out[0] = image_byte(sum0);
    out[1] = image_byte(sum1);
    out[2] = image_byte(sum2);
}

#define IMAGE_BLOCK 64 /* sums that stay in L1 while all rows pass over them */

static inline void image_blend(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t from,
                               size_t n, uint8_t *out)
{
    const int32_t *weights = image_weights(axis, index);
    for (size_t x = from; x < n; x += IMAGE_BLOCK) {
        size_t width = n - x < IMAGE_BLOCK ? n - x : IMAGE_BLOCK;
        int32_t sums[IMAGE_BLOCK];
        for (size_t i = 0; i < width; i++)
            sums[i] = IMAGE_ROUNDING;
        for (int32_t t = 0; t < axis->counts[index]; t++) {
            const uint8_t *row = rows[t] + x;
            int32_t weight = weights[t];
            for (size_t i = 0; i < width; i++)
                sums[i] += weight * row[i];
        }
        for (size_t i = 0; i < width; i++)
            out[x + i] = image_byte(sums[i]);
    }
}

static inline uint8_t image_luma(int32_t red, int32_t green, int32_t blue)
{
    return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

static inline void image_luma_row(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first)
{
    const int red = blue_first ? 2 : 0;
    for (size_t x = 0; x < n; x++, pixels += 3)
        out[x] = image_luma(pixels[red], pixels[1], pixels[2 - red]);
}

static inline void image_reverse_row(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip)
{
    for (size_t x = 0; x < n; x++, pixels += 3, out += 3) {
        uint8_t first = pixels[0];
        out[0] = pixels[2] ^ flip;
        out[1] = pixels[1] ^ flip;
        out[2] = first ^ flip;
    }
}

static inline int32_t image_yuv_term(uint8_t sample, int32_t factor)
{
    return ((sample - 128) * factor + 64) >> 7;
}

static inline uint8_t image_yuv_byte(int32_t sum)
{
    const int32_t value = sum >> 6;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* What all three colours are where there is no chroma. */
static inline uint8_t image_grey_of_luma(uint8_t luma, const edgecore_yuv_factors *factors)
{
    return image_yuv_byte(factors->offset + image_yuv_term(luma, factors->y));
}

static inline void image_colour_row(uint8_t *out, const edgecore_yuv_row *row, size_t from, size_t n)
{
    const edgecore_yuv_factors *factors = row->factors;
    const size_t step = row->interleaved ? 2 : 1;
    const int red = row->blue_first ? 2 : 0;
    for (size_t x = from; x < n; x++) {
        const uint8_t u = row->u[x / 2 * step], v = row->v[x / 2 * step];
        const int32_t luma = factors->offset + image_yuv_term(row->y[x], factors->y);
        const int32_t green = image_yuv_term(u, factors->u_to_green) + image_yuv_term(v, factors->v_to_green);
        out[3 * x + red] = image_yuv_byte(luma + image_yuv_term(v, factors->v_to_red));
        out[3 * x + 1] = image_yuv_byte(luma + green);
        out[3 * x + 2 - red] = image_yuv_byte(luma + image_yuv_term(u, factors->u_to_blue));
    }
}

#endif
