/* The Winograd kernel of the neon tier in 32 and 64 bits; isa/winograd.h has the transforms.
 *
 * A block is a winograd_head, then [position][chunk][channel][8 columns] of weights. */
#ifndef EDGECORE_ISA_ARM_WINOGRAD_NEON_H
#define EDGECORE_ISA_ARM_WINOGRAD_NEON_H

#include "isa/arm/requant.h"
#include "isa/winograd.h"

enum {
    COLS = 8,
    HALVES = COLS / 4,
#if defined(__aarch64__)
    TILES = 8,
#else
    TILES = 4,
#endif
};

typedef struct winograd_head {
    requant_head requant;
    requant_4 scales[HALVES];
    int32_t left[COLS];
    int32_t bias[COLS]; /* times SCALE */
    uint8_t unused[48];  /* weights begin with a cache line */
} winograd_head;

void edgecore_winograd_transform_neon(const edgecore_winograd_input *args);

/* From the sums that args->scratch holds. */
void edgecore_winograd_output_neon(const edgecore_winograd_args *args);

#endif
