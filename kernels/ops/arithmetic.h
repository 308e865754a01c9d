/* The fixed-point arithmetic of TFLite's reference kernels, to the bit.
 *
 * A real multiplier m > 0 is held as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31). Rescaling rounds
 * twice, as the reference does: a saturating rounding doubling high multiply, then a rounding right shift with
 * ties away from zero. Source: tensorflow/lite/kernels/internal (quantization_util, common.h) and gemmlowp's
 * fixedpoint.h, from which the definitions, not the code, are taken. */
#ifndef EDGECORE_OPS_ARITHMETIC_H
#define EDGECORE_OPS_ARITHMETIC_H

#include <math.h>

#include "edgecore/types.h"

/* A left shift beyond this overflows the reference's int32 before it multiplies: operators refuse such scales. */
#define EDGECORE_MAX_LEFT_SHIFT 30

typedef struct edgecore_multiplier {
    int32_t multiplier; /* Q31 */
    int32_t shift;      /* positive: left */
} edgecore_multiplier;

/* A byte of either storage type as 0..255: byte ^ flip; a zero point moves by the same 128. */
static inline uint8_t edgecore_flip_of(edgecore_dtype dtype)
{
    return dtype == EDGECORE_INT8 ? 0x80 : 0;
}

static inline int32_t edgecore_zero_point_u8(const edgecore_tensor *tensor)
{
    return tensor->zero_points[0] + edgecore_flip_of(tensor->dtype);
}

static inline uint8_t edgecore_clamp_u8(int32_t value, int32_t min, int32_t max)
{
    return (uint8_t)(value < min ? min : value > max ? max : value);
}

static inline edgecore_multiplier edgecore_quantize_multiplier(double real)
{
    edgecore_multiplier m = {0, 0};
    if (!(real > 0.0) || !isfinite(real))
        return m;
    int exponent;
    double mantissa = frexp(real, &exponent);
    int64_t fixed = (int64_t)round(mantissa * 2147483648.0);
    if (fixed == INT64_C(1) << 31) {
        fixed /= 2;
        exponent++;
    }
    if (exponent < -31)
        return m;
    m.multiplier = (int32_t)fixed;
    m.shift = exponent;
    return m;
}

/* a * b / 2^31 rounded to nearest, ties up. The reference adds a nudge whose value depends on the sign and then
 * divides with truncation, which is the same as this floor. Only INT32_MIN * INT32_MIN saturates. */
static inline int32_t edgecore_high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* value / 2^exponent, ties away from zero; 0 <= exponent <= 31. */
static inline int32_t edgecore_rounding_shift(int32_t value, int32_t exponent)
{
    int32_t mask = (int32_t)((INT64_C(1) << exponent) - 1);
    int32_t threshold = (mask >> 1) + (value < 0);
    return (value >> exponent) + ((value & mask) > threshold);
}

static inline int32_t edgecore_shift_left_wrap(int32_t value, int32_t shift)
{
    return (int32_t)((uint32_t)value << shift);
}

static inline int32_t edgecore_rescale(int32_t value, edgecore_multiplier m)
{
    int32_t left = m.shift > 0 ? m.shift : 0;
    int32_t right = m.shift > 0 ? 0 : -m.shift;
    return edgecore_rounding_shift(edgecore_high_mul(edgecore_shift_left_wrap(value, left), m.multiplier), right);
}

/* Where the reference's value for real `bound` lies in the uint8 domain: zero point + round(bound / scale), in float. */
static inline int64_t edgecore_quantize_bound(float bound, float scale, int32_t zero_point)
{
    float q = roundf(bound / scale);
    if (q > 2147483520.0f)
        q = 2147483520.0f;
    if (q < -2147483520.0f)
        q = -2147483520.0f;
    return (int64_t)zero_point + (int64_t)q;
}

/* A fused activation as a clamp of the output's bytes in the uint8 domain. */
static inline void edgecore_activation_range(edgecore_activation activation, const edgecore_tensor *output,
                                             int32_t *min, int32_t *max)
{
    float scale = output->scales[0];
    int32_t zero = edgecore_zero_point_u8(output);
    int64_t low = 0, high = 255;
    if (activation == EDGECORE_ACT_RELU || activation == EDGECORE_ACT_RELU6)
        low = zero;
    if (activation == EDGECORE_ACT_RELU6)
        high = edgecore_quantize_bound(6.0f, scale, zero);
    if (activation == EDGECORE_ACT_RELU_N1_TO_1) {
        low = edgecore_quantize_bound(-1.0f, scale, zero);
        high = edgecore_quantize_bound(1.0f, scale, zero);
    }
    *min = (int32_t)(low < 0 ? 0 : low);
    *max = (int32_t)(high > 255 ? 255 : high);
}

#endif
