/* The rows of a bilinear resize for every ARM tier. */
#include "isa/arm/kernels.h"
#include "isa/blend_rows.h"

void edgecore_blend_rows_neon(int32_t *sums, const uint8_t *a, const uint8_t *b, size_t n, int32_t weight_a,
                              int32_t weight_b, uint8_t flip)
{
    blend_rows(sums, a, b, n, weight_a, weight_b, flip);
}

void edgecore_blend_sums_neon(uint8_t *out, const int32_t *a, const int32_t *b, size_t n, int32_t weight_a,
                              int32_t weight_b, uint8_t flip)
{
    blend_sums(out, a, b, n, weight_a, weight_b, flip);
}

void edgecore_scale_row_neon(float *out, const uint8_t *in, size_t n, float weight, uint8_t flip)
{
    scale_row(out, in, n, weight, flip);
}

void edgecore_blend_scaled_neon(uint8_t *out, const float *above, const float *below, size_t first, size_t second, size_t n,
                                const float weights[2], uint8_t flip)
{
    blend_scaled(out, above, below, first, second, n, weights, flip);
}
