/* The weights of the 32-bit tiles, packed: [block_head][pair_head of 2 channels ...] and then, for every span of K,
 * [pairs][steps of 16 K][2 channels][16], with zeros past K. A span is what the pixels' scratch holds at once; nearly every
 * layer is one span. */
#ifndef EDGECORE_ISA_ARM_GEMM_ARMV7_BLOCK_H
#define EDGECORE_ISA_ARM_GEMM_ARMV7_BLOCK_H

#include "isa/arm/requant.h"

enum {
    ROWS = 4,
    PAIR = 2, /* channels that share a pass over the pixels */
    COLS_MAX = 32,
    STEP = 16,
    SPAN = 2304,            /* K, a multiple of STEP: 3x3 taps of 256 channels */
    OVERREAD = ROWS * STEP, /* the loop loads a step ahead */
};

typedef struct block_head {
    requant_head requant;
    uint32_t weights_at; /* bytes from here */
    uint32_t span_taps;  /* of a span; 0 where a tap is longer than a span */
    int32_t whole;       /* one span */
    int32_t widen;       /* products one by one */
    int32_t unused[8];   /* 64 bytes: what follows stays aligned */
} block_head;

/* Some of K: whole taps, or a part of one tap. */
typedef struct span {
    size_t tap, taps; /* first, and how many */
    size_t from, k;   /* of each of these taps */
    size_t steps;
} span;

/* From {0}; false after the last. `span_taps` is SPAN / k. */
INLINE bool next_span(span *s, size_t taps, size_t k, size_t span_taps)
{
    s->from += s->k;
    if (s->from >= k) {
        s->tap += s->taps;
        s->from = 0;
    }
    if (s->tap == taps)
        return false;
    s->taps = span_taps == 0 ? 1 : span_taps < taps - s->tap ? span_taps : taps - s->tap;
    s->k = span_taps == 0 && k - s->from > SPAN ? SPAN : k - s->from;
    s->steps = (s->taps * s->k + STEP - 1) / STEP;
    return true;
}

/* Constants of two channels; but for `start` they are there twice, for two pixels a vector. */
typedef struct pair_head {
    int32_t start[2 * 4];  /* what an accumulator of each channel begins with: {bias, 0, 0, 0}, or 0 in blocks of several spans */
    requant_4 requant;
    int16_t zero_point[8];
    int32_t left[4], bias[4];
} pair_head;

INLINE size_t weights_at(size_t cols)
{
    return sizeof(block_head) + cols / PAIR * sizeof(pair_head);
}

INLINE size_t block_bytes(size_t taps, size_t k, size_t cols)
{
    size_t steps = 0;
    for (span s = {0}; next_span(&s, taps, k, SPAN / k);)
        steps += s.steps;
    return weights_at(cols) + cols * steps * STEP + OVERREAD;
}

INLINE void pack(void *memory, const edgecore_columns *columns, size_t cols)
{
    memset(memory, 0, block_bytes(columns->taps, columns->k, cols));
    block_head *head = memory;
    head->requant = make_head(columns);
    head->weights_at = (uint32_t)weights_at(cols);
    head->span_taps = (uint32_t)(SPAN / columns->k);
    head->whole = head->span_taps >= columns->taps;
    pair_head *pairs = (pair_head *)(head + 1);
    requant_4 requant[COLS_MAX / 4];
    int32_t bias[COLS_MAX], left[COLS_MAX];
    make_requant(requant, bias, left, cols / 4, columns);
    for (size_t c = 0; c < cols; c++) {
        pair_head *pair = &pairs[c / PAIR];
        if (head->whole)
            pair->start[c % PAIR * 4] = bias[c];
        for (size_t i = 0; i < 8; i++)
            pair->zero_point[i] = head->requant.zero_point;
        for (size_t i = c % PAIR; i < 4; i += PAIR) {
            pair->bias[i] = bias[c];
            pair->requant.multiplier[i] = requant[c / 4].multiplier[c % 4];
            pair->requant.right[i] = requant[c / 4].right[c % 4];
            pair->left[i] = left[c];
        }
    }
    int8_t *to = (int8_t *)memory + weights_at(cols);
    for (span s = {0}; next_span(&s, columns->taps, columns->k, head->span_taps);) {
        const size_t k = s.taps * s.k, pair_bytes = s.steps * PAIR * STEP;
        for (size_t c = 0; c < columns->cols; c++) {
            const int8_t *w = columns->weights + (c * columns->taps + s.tap) * columns->k + s.from;
            int8_t *channel = to + c / PAIR * pair_bytes + c % PAIR * STEP;
            for (size_t i = 0; i < k; i++) {
                channel[i / STEP * PAIR * STEP + i % STEP] = w[i];
                head->widen |= i % STEP >= STEP / 2 && w[i] == INT8_MIN && w[i - STEP / 2] == INT8_MIN;
            }
        }
        to += (columns->cols + PAIR - 1) / PAIR * pair_bytes;
    }
}

#endif
