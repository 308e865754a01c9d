/* The Winograd kernels with 256-bit vectors, of the avx2 and avxvnni tiers; isa/winograd.h has the transforms. Those are compiled
 * once, for AVX2; the tiers multiply with instructions of their own.
 *
 * Inputs are [two chunks][position][TILES][WIDE channels], and a last chunk alone [position][TILES][CHUNK].
 * A block is a winograd_head, then [position][pairs of channels][COLS][2] of weights, as many pairs as whole chunks have. */
#ifndef EDGECORE_ISA_X86_WINOGRAD_256_H
#define EDGECORE_ISA_X86_WINOGRAD_256_H

#include "isa/winograd.h"
#include "isa/x86/requant_256.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    TILES = 6, /* with COLS: 12 sums, two vectors of weights, an input and a product fill 16 registers */
    COLS = 16,
    LANES = 8,
    VECTORS = COLS / LANES,
    WIDE = 2 * CHUNK, /* channels of a vector of inputs */
};

typedef struct winograd_head {
    edgecore_block_head head;
    requant_8 requant[VECTORS]; /* bias times SCALE */
} winograd_head;

void edgecore_winograd_transform_256(const edgecore_winograd_input *args);

/* From the sums that args->scratch holds. */
void edgecore_winograd_output_256(const edgecore_winograd_args *args);

#endif
