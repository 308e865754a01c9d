/* Winograd's F(4x4, 3x3) in 16 bits: what the kernels of all tiers share.
 *
 * With interpolation points 0, 1, -1, 2, -2 and infinity, in integers:
 *   B^T  4  0 -5  0  1  0   G  6  0  0   A^T  1  1  1  1  1  0      input   V = B^T d B, within 100 * 255
 *        0 -4 -4  1  1  0     -4 -4 -4        0  1 -1  2 -2  0      weights U = G g G^T, within 144 * 128
 *        0  4 -4 -1  1  0     -4  4 -4        0  1  1  4  4  0      output  A^T M A, 576 times the convolution, where M sums
 *        0 -2 -1  2  1  0      1  2  4        0  1 -1  8 -8  2      U * V over the channels
 *        0  2 -1 -2  1  0      1 -2  4
 *        0  4  0 -5  0  1      0  0 12
 * 576 = 9 * 64: 9 divides modulo 2^32 by a multiplication, 64 by a shift. Column 1 of A^T is all ones, so that 576 times the
 * bias, added to position (1, 1), reaches every output once. */
#ifndef EDGECORE_ISA_WINOGRAD_H
#define EDGECORE_ISA_WINOGRAD_H

#include "isa/tier.h"

enum {
    SIDE = EDGECORE_WINOGRAD_INPUT,
    POSITIONS = EDGECORE_WINOGRAD_POSITIONS,
    CHUNK = EDGECORE_WINOGRAD_CHANNELS,
    BIAS_POSITION = SIDE + 1,
    SCALE = 576,
    INVERSE_OF_9 = 0x38e38e39, /* modulo 2^32 */
};

static inline size_t chunks_of(size_t channels)
{
    return (channels + CHUNK - 1) / CHUNK;
}

/* Three weights under G. */
static inline void edgecore_winograd_weights_3(const int32_t g[3], int32_t to[SIDE])
{
    const int32_t even = g[0] + g[2], far = g[0] + 4 * g[2];
    to[0] = 6 * g[0];
    to[1] = -4 * (even + g[1]);
    to[2] = -4 * (even - g[1]);
    to[3] = far + 2 * g[1];
    to[4] = far - 2 * g[1];
    to[5] = 12 * g[2];
}

/* One input channel of one output channel, to[position]: `w` has 9 weights, `step` apart. */
static inline void edgecore_winograd_weights(const int8_t *w, size_t step, int16_t to[POSITIONS])
{
    int32_t half[3][SIDE], row[SIDE];
    for (size_t x = 0; x < 3; x++) {
        const int32_t g[3] = {w[x * step], w[(3 + x) * step], w[(6 + x) * step]};
        edgecore_winograd_weights_3(g, half[x]);
    }
    for (size_t y = 0; y < SIDE; y++) {
        const int32_t g[3] = {half[0][y], half[1][y], half[2][y]};
        edgecore_winograd_weights_3(g, row);
        for (size_t x = 0; x < SIDE; x++)
            to[y * SIDE + x] = (int16_t)row[x];
    }
}

/* A block's weights: channel k of column c lies `group_step` elements after the group of `group` channels before its own, and
 * among these as [column][channel of the group]. What columns and channels leave out is 0 already. */
static inline void edgecore_winograd_pack(int16_t *to, const edgecore_columns *columns, size_t position_step, size_t group,
                                          size_t group_step)
{
    int16_t weights[POSITIONS];
    for (size_t c = 0; c < columns->cols; c++)
        for (size_t k = 0; k < columns->k; k++) {
            edgecore_winograd_weights(columns->weights + c * 9 * columns->k + k, columns->k, weights);
            for (size_t p = 0; p < POSITIONS; p++)
                to[p * position_step + k / group * group_step + c * group + k % group] = weights[p];
        }
}

/* Biases as the sums have them, which wrap. */
static inline void edgecore_winograd_scale(int32_t *bias, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bias[i] = (int32_t)((uint32_t)bias[i] * SCALE);
}

#endif
