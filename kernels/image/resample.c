/* The two passes of the resize in portable C. Sums stay below 2^31: 255 * (2^22 + rounding of the weights). */
#include "image/resample.h"

#define ROUNDING (1 << (EDGECORE_WEIGHT_BITS - 1))

static uint8_t to_byte(int32_t sum)
{
    int32_t value = sum >> EDGECORE_WEIGHT_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

static void resample_grey(const edgecore_axis *axis, const uint8_t *row, uint8_t *out)
{
    for (int32_t x = 0; x < axis->size; x++) {
        const int32_t *weights = axis->weights + (size_t)x * (size_t)axis->taps;
        const uint8_t *pixel = row + axis->firsts[x];
        int32_t sum = ROUNDING;
        for (int32_t t = 0; t < axis->counts[x]; t++)
            sum += weights[t] * pixel[t];
        out[x] = to_byte(sum);
    }
}

static void resample_colour(const edgecore_axis *axis, const uint8_t *row, uint8_t *out)
{
    for (int32_t x = 0; x < axis->size; x++, out += 3) {
        const int32_t *weights = axis->weights + (size_t)x * (size_t)axis->taps;
        const uint8_t *pixel = row + 3 * (size_t)axis->firsts[x];
        int32_t sum0 = ROUNDING, sum1 = ROUNDING, sum2 = ROUNDING;
        for (int32_t t = 0; t < axis->counts[x]; t++, pixel += 3) {
            sum0 += weights[t] * pixel[0];
            sum1 += weights[t] * pixel[1];
            sum2 += weights[t] * pixel[2];
        }
        out[0] = to_byte(sum0);
        out[1] = to_byte(sum1);
        out[2] = to_byte(sum2);
    }
}

void edgecore_resample_row(const edgecore_axis *axis, const uint8_t *row, int32_t channels, uint8_t *out)
{
    if (channels == 1)
        resample_grey(axis, row, out);
    else
        resample_colour(axis, row, out);
}

#define BLOCK 64 /* sums that stay in L1 while all rows pass over them */

void edgecore_resample_column(const uint8_t *const *rows, const int32_t *weights, int32_t count, size_t n,
                              uint8_t *out)
{
    for (size_t x = 0; x < n; x += BLOCK) {
        size_t width = n - x < BLOCK ? n - x : BLOCK;
        int32_t sums[BLOCK];
        for (size_t i = 0; i < width; i++)
            sums[i] = ROUNDING;
        for (int32_t t = 0; t < count; t++) {
            const uint8_t *row = rows[t] + x;
            int32_t weight = weights[t];
            for (size_t i = 0; i < width; i++)
                sums[i] += weight * row[i];
        }
        for (size_t i = 0; i < width; i++)
            out[x + i] = to_byte(sums[i]);
    }
}
