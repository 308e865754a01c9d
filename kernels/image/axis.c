/* Weights of the triangle filter, computed as Pillow does (src/libImaging/Resample.c, precompute_coeffs and
 * normalize_coeffs_8bpc), in the same order of floating-point operations, so that every weight is the same integer. */
#include "image/axis.h"

#include <math.h>
#include <stdlib.h>

static double triangle(double x)
{
    double distance = fabs(x);
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* Weights of the inputs around `center`; returns their number. */
static int32_t fill_weights(double center, double support, double inverse_scale, int32_t input_size,
                            double *real, int32_t *fixed, int32_t *first)
{
    int32_t low = (int32_t)(center - support + 0.5);
    int32_t high = (int32_t)(center + support + 0.5);
    if (low < 0)
        low = 0;
    if (high > input_size)
        high = input_size;
    double sum = 0.0;
    for (int32_t t = 0; t < high - low; t++) {
        real[t] = triangle((t + low - center + 0.5) * inverse_scale);
        sum += real[t];
    }
    for (int32_t t = 0; t < high - low; t++) {
        double weight = sum != 0.0 ? real[t] / sum : real[t];
        fixed[t] = (int32_t)(0.5 + weight * (1 << EDGECORE_WEIGHT_BITS));
    }
    *first = low;
    return high - low;
}

static void split_weights(const int32_t *weights, int32_t groups, int16_t *halves)
{
    for (int32_t t = 0; t < 4 * groups; t++) {
        int16_t *half = halves + 8 * (t / 4) + t % 4;
        half[0] = (int16_t)(weights[t] >> EDGECORE_HALF_BITS);
        half[4] = (int16_t)(weights[t] & ((1 << EDGECORE_HALF_BITS) - 1));
    }
}

/* `digits` is where the first group of an output begins. */
static void digit_weights(const int32_t *weights, int32_t groups, int8_t *digits)
{
    for (int32_t t = 0; t < 4 * groups; t++) {
        int32_t weight = weights[t];
        for (int32_t d = 0; d < EDGECORE_WEIGHT_DIGITS; d++) {
            const int32_t digit = (weight + 128) % 256 - 128;
            digits[16 * (EDGECORE_WEIGHT_DIGITS * (t / 4) + d) + t % 4] = (int8_t)digit;
            weight = (weight - digit) / 256;
        }
    }
}

bool edgecore_axis_init(edgecore_axis *axis, edgecore_filter filter, int32_t input_size, int32_t box_first,
                        int32_t box_size, int32_t size)
{
    double scale = (double)box_size / size;
    /* Half the triangle's width, in inputs: where the input shrinks, it is 1 output, unless aliasing is asked for. */
    double support = scale < 1.0 || filter == EDGECORE_FILTER_BILINEAR ? 1.0 : scale;
    int32_t taps = 2 * (int32_t)ceil(support) + 1;
    *axis = (edgecore_axis){.size = size, .groups = (taps + 7) / 8 * 2, .copies = box_size == size};
    size_t row = 4 * (size_t)axis->groups;
    size_t padded = ((size_t)size + 3) / 4 * 4, digits = EDGECORE_WEIGHT_DIGITS * row;
    axis->firsts = malloc(padded * sizeof *axis->firsts);
    axis->counts = malloc((size_t)size * sizeof *axis->counts);
    axis->weights = calloc((size_t)size * row, sizeof *axis->weights);
    axis->halves = malloc((size_t)size * row * 2 * sizeof *axis->halves);
    axis->digits = calloc(padded, digits);
    double *real = malloc((size_t)taps * sizeof *real);
    bool ready = axis->firsts && axis->counts && axis->weights && axis->halves && axis->digits && real;
    for (int32_t i = 0; ready && i < size; i++) {
        int32_t *weights = axis->weights + row * (size_t)i;
        double center = box_first + (i + 0.5) * scale;
        axis->counts[i] = fill_weights(center, support, 1.0 / support, input_size, real, weights, &axis->firsts[i]);
        split_weights(weights, axis->groups, axis->halves + 2 * row * (size_t)i);
        digit_weights(weights, axis->groups, axis->digits + digits * (size_t)(i / 4 * 4) + 4 * (i % 4));
        axis->most = axis->counts[i] > axis->most ? axis->counts[i] : axis->most;
    }
    for (size_t i = (size_t)size; ready && i < padded; i++)
        axis->firsts[i] = axis->firsts[size - 1];
    free(real);
    if (!ready)
        edgecore_axis_release(axis);
    return ready;
}

void edgecore_axis_shift(edgecore_axis *axis, int32_t by)
{
    for (int32_t i = 0; i < (axis->size + 3) / 4 * 4; i++)
        axis->firsts[i] -= by;
}

void edgecore_axis_release(edgecore_axis *axis)
{
    free(axis->firsts);
    free(axis->counts);
    free(axis->weights);
    free(axis->halves);
    free(axis->digits);
    *axis = (edgecore_axis){0};
}
