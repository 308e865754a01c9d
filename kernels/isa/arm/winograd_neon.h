/* Winograd's F(4x4, 3x3) in 16 bits, of the neon tier in 32 and 64 bits.
 *
 * With interpolation points 0, 1, -1, 2, -2 and infinity, in integers:
 *   B^T  4  0 -5  0  1  0   G  6  0  0   A^T  1  1  1  1  1  0      input   V = B^T d B, within 100 * 128
 *        0 -4 -4  1  1  0     -4 -4 -4        0  1 -1  2 -2  0      weights U = G g G^T, within 144 * 128
 *        0  4 -4 -1  1  0     -4  4 -4        0  1  1  4  4  0      output  A^T M A, 576 times the convolution, where M sums
 *        0 -2 -1  2  1  0      1  2  4        0  1 -1  8 -8  2      U * V over the channels
 *        0  2 -1 -2  1  0      1 -2  4
 *        0  4  0 -5  0  1      0  0 12
 * 576 = 9 * 64: 9 divides modulo 2^32 by a multiplication, 64 by a shift. Column 1 of A^T is all ones, so that 576 times the
 * bias, added to position (1, 1), reaches every output once.
 *
 * A block is a winograd_head, then [position][chunk][channel][8 columns] of weights. */
#ifndef EDGECORE_ISA_ARM_WINOGRAD_NEON_H
#define EDGECORE_ISA_ARM_WINOGRAD_NEON_H

#include "isa/arm/requant.h"

enum {
    SIDE = EDGECORE_WINOGRAD_INPUT,
    POSITIONS = EDGECORE_WINOGRAD_POSITIONS,
    CHUNK = EDGECORE_WINOGRAD_CHANNELS,
    COLS = 8,
    HALVES = COLS / 4,
#if defined(__aarch64__)
    TILES = 8,
#else
    TILES = 4,
#endif
    BIAS_POSITION = SIDE + 1,
    SCALE = 576,
};

typedef struct winograd_head {
    requant_head requant;
    requant_4 scales[HALVES];
    int32_t left[COLS];
    int32_t bias[COLS]; /* times SCALE */
    uint8_t unused[48];  /* weights begin with a cache line */
} winograd_head;

static inline size_t chunks_of(size_t channels)
{
    return (channels + CHUNK - 1) / CHUNK;
}

void edgecore_winograd_transform_neon(const edgecore_winograd_input *args);

/* From the sums that args->scratch holds. */
void edgecore_winograd_output_neon(const edgecore_winograd_args *args);

#endif
