/* The two passes of a bilinear resize in portable C; compilers turn them into each tier's vectors.
 *
 * Of int8 values: the weights of a pair sum to 2^10 and lie between -2^9 and 3 * 2^9 (outside the first pixel's centre), so that sums of rows stay
 * within 2^18 and those of their columns within 2^29. */
#ifndef EDGECORE_ISA_BLEND_ROWS_H
#define EDGECORE_ISA_BLEND_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "isa/independent.h"

static void blend_rows(int32_t *sums, const uint8_t *a, const uint8_t *b, size_t n, int32_t weight_a, int32_t weight_b,
                       uint8_t flip)
{
    const int32_t offset = 128 * (weight_a + weight_b);
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++)
        sums[i] = (a[i] ^ flip) * weight_a + (b[i] ^ flip) * weight_b - offset;
}

static void blend_sums(uint8_t *out, const int32_t *a, const int32_t *b, size_t n, int32_t weight_a, int32_t weight_b,
                       uint8_t flip)
{
    const uint8_t from_value = flip ^ 0x80;
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        const int32_t sum = a[i] * weight_a + b[i] * weight_b;
        out[i] = (uint8_t)((sum + (1 << 19) + (sum >> 31)) >> 20) ^ from_value;
    }
}

/* uint8 values in float. Every product and sum is rounded, so that their order is the reference's. */
static void scale_row(float *out, const uint8_t *in, size_t n, float weight, uint8_t flip)
{
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(in[i] ^ flip) * weight;
}

/* above and below: rows by their weights; first and second: where the two columns begin. */
static void blend_scaled(uint8_t *out, const float *above, const float *below, size_t first, size_t second, size_t n,
                         const float weights[2], uint8_t flip)
{
    const float left = weights[0], right = weights[1];
    EDGECORE_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        const float mean = above[first + i] * left + below[first + i] * left + above[second + i] * right +
                           below[second + i] * right + 0.5f;
        out[i] = (uint8_t)(int32_t)mean ^ flip;
    }
}

#endif
