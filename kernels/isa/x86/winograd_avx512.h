/* The Winograd kernel of the avx512vnni tier; isa/winograd.h has the transforms.
 *
 * Tiles are int16 [position][tile][channel], channels rounded up to whole chunks, and a cache line: 36 positions a power of two
 * apart would fight for a few sets of the cache. A block is a winograd_head, then
 * [position][pair of channels][vector][16 columns][2] of weights, of one vector where it has no more columns, else of two. */
#ifndef EDGECORE_ISA_X86_WINOGRAD_AVX512_H
#define EDGECORE_ISA_X86_WINOGRAD_AVX512_H

#include "isa/winograd.h"
#include "isa/x86/requant_avx512.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    TILES = 8,
    LANES = 16,
    VECTORS = 2,
    COLS = VECTORS * LANES,
    INPUT_CHANNELS = 32, /* that the input transform takes at once */
};

/* Biases in `requant` are times SCALE. */
typedef struct winograd_head {
    edgecore_block_head rounding;
    requant_16 requant[VECTORS];
} winograd_head;

/* In elements. */
static inline size_t position_step(size_t channels)
{
    return TILES * chunks_of(channels) * CHUNK + 64 / sizeof(int16_t);
}

static inline size_t vectors_of(size_t cols)
{
    return (cols + LANES - 1) / LANES;
}

void edgecore_winograd_transform_avx512vnni(const edgecore_winograd_input *args);

/* From the sums that args->scratch holds: [position][tile][COLS], biases included. */
void edgecore_winograd_output_avx512vnni(const edgecore_winograd_args *args);

#endif
