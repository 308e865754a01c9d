/* ADD and MUL of a byte with one that stays: of 256 values each becomes a step of a line, which costs one product of 32 bits where
 * the reference's arithmetic takes several of 64. A line is kept only if it gives the reference's byte for every value. */
#ifndef EDGECORE_OPS_LINES_H
#define EDGECORE_OPS_LINES_H

#include "ops/binary.h"

/* Lines by the byte that stays. */
typedef struct edgecore_lines {
    int32_t slopes[256], offsets[256];
    bool known[256];
    edgecore_row_lines form; /* but for what belongs to a run: channels, strides and their slopes and offsets */
} edgecore_lines;

/* Finds a line for each wanted byte of input `1 - moving`; false where the kind's row is needed for all. */
bool edgecore_lines_find(edgecore_lines *lines, const edgecore_tier *tier, const edgecore_binary_kind *kind,
                         const edgecore_row_arithmetic *how, int32_t moving, const bool wanted[256]);

#endif
