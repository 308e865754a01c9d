/* The two passes of a bilinear resize in portable C; compilers turn them into each tier's vectors.
 *
 * The weights of a pair sum to 2^10 and lie between -2^9 and 3 * 2^9 (outside the first pixel's centre), so that sums of rows stay
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

#endif
