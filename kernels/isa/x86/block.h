/* What begins every packed block of the x86 tiers: how sums become bytes.
 *
 * Rounding. With q = acc * multiplier + 2^30 and a right shift s >= 1, the two roundings of the reference are one shift
 * in 64 bits:
 *   (floor(q / 2^31) + 2^(s-1) - [acc < 0]) >> s  =  (q + 2^(30+s) - [acc < 0] * 2^31) >> (31 + s)
 * (acc < 0 stands for floor(q / 2^31) < 0: they differ only where the latter is 0, which rounds to 0 either way.)
 * The [acc < 0] term moves ties away from zero; a clamp at or above the zero point hides it. */
#ifndef EDGECORE_ISA_X86_BLOCK_H
#define EDGECORE_ISA_X86_BLOCK_H

#include "isa/tier.h"

enum edgecore_rounding {
    ROUND_UP,      /* all shifts >= 1, ties of negative values hidden by the clamp */
    ROUND_AWAY,    /* all shifts >= 1 */
    ROUND_GENERAL, /* left shifts, or none */
};

typedef struct edgecore_block_head {
    int32_t rounding;
    int32_t zero_point, min, max, flip;
    int32_t unused[11]; /* 64 bytes: what follows stays aligned */
} edgecore_block_head;

static inline edgecore_block_head edgecore_pack_head(const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    edgecore_block_head head = {
        .rounding = q->min >= q->zero_point ? ROUND_UP : ROUND_AWAY,
        .zero_point = q->zero_point,
        .min = q->min,
        .max = q->max,
        .flip = q->flip,
    };
    for (size_t c = 0; c < columns->cols; c++)
        if (q->shift[c] > -1 || q->multiplier[c] == 0)
            head.rounding = ROUND_GENERAL;
    return head;
}

/* Calls `put(to, lane, four)` for every group of 4 weights of a GEMM block, with zeros past k: `to` is where the block's vector
 * of `lanes` columns keeps the group, in [taps][groups of 4 k][vectors][dot_bytes]. */
static inline __attribute__((always_inline)) void edgecore_pack_groups(
    uint8_t *packed, const edgecore_columns *columns, size_t vectors, size_t lanes, size_t dot_bytes,
    void (*put)(uint8_t *to, size_t lane, const int8_t four[4]))
{
    const int8_t *w = columns->weights;
    for (size_t c = 0; c < columns->cols; c++) {
        uint8_t *to = packed + c / lanes * dot_bytes;
        for (size_t t = 0; t < columns->taps; t++) {
            size_t k = columns->k;
            for (; k >= 4; k -= 4, w += 4, to += vectors * dot_bytes)
                put(to, c % lanes, w);
            if (k) {
                int8_t rest[4] = {0};
                for (size_t i = 0; i < k; i++)
                    rest[i] = *w++;
                put(to, c % lanes, rest);
                to += vectors * dot_bytes;
            }
        }
    }
}

#endif
