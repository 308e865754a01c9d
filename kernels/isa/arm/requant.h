/* How int32 sums become bytes on ARM, 4 channels a vector; every block of the ARM tiers begins with a requant_head.
 *
 * vqrdmulhq_s32 is the reference's doubling high multiply. vrshlq_s32 by a negative amount is a right shift that rounds ties up; to
 * have them away from zero, as the reference has, 1 is taken off negative values first: (v + half + (v >> 31)) >> s for s >= 1.
 * Bytes are made in the int8 domain and flipped where the output is stored as uint8. */
#ifndef EDGECORE_ISA_ARM_REQUANT_H
#define EDGECORE_ISA_ARM_REQUANT_H

#include <arm_neon.h>
#include <string.h>

#include "isa/tier.h"

#define INLINE static inline __attribute__((always_inline))

enum rounding {
    ROUND_UP,      /* all shifts >= 1, and the clamp hides what ties of negative values become */
    ROUND_AWAY,    /* all shifts >= 1 */
    ROUND_GENERAL, /* left shifts, or none */
};

typedef struct requant_head {
    int32_t rounding;
    int16_t zero_point, min, max; /* int8 domain */
    uint8_t flip;                 /* int8 domain to the output's bytes */
    uint8_t unused[5];            /* 16 bytes */
} requant_head;

/* Constants of 4 channels. */
typedef struct requant_4 {
    int32_t multiplier[4];
    int32_t right[4]; /* 0 or negative, as vrshlq_s32 wants it */
} requant_4;

INLINE requant_head make_head(const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    requant_head head = {
        .rounding = q->min >= q->zero_point ? ROUND_UP : ROUND_AWAY,
        .zero_point = (int16_t)(q->zero_point - 128),
        .min = (int16_t)(q->min - 128),
        .max = (int16_t)(q->max - 128),
        .flip = q->flip ^ 0x80,
    };
    for (size_t c = 0; c < columns->cols; c++)
        if (q->shift[c] > -1)
            head.rounding = ROUND_GENERAL;
    return head;
}

/* `vectors` x 4 channels; those past columns->cols become 0. `left` is what ROUND_GENERAL shifts sums by before all else. */
INLINE void make_requant(requant_4 *to, int32_t *bias, int32_t *left, size_t vectors, const edgecore_columns *columns)
{
    const edgecore_requant *q = &columns->requant;
    for (size_t c = 0; c < vectors * 4; c++) {
        const bool used = c < columns->cols;
        const int32_t shift = used ? q->shift[c] : 0;
        bias[c] = used ? q->bias[c] : 0;
        left[c] = shift > 0 ? shift : 0;
        to[c / 4].multiplier[c % 4] = used ? q->multiplier[c] : 0;
        to[c / 4].right[c % 4] = shift > 0 ? 0 : shift;
    }
}

INLINE int32x4_t scale_by(int32x4_t acc, int32x4_t multiplier, int32x4_t right, const int32_t *left, const int rounding)
{
    if (rounding == ROUND_GENERAL)
        acc = vshlq_s32(acc, vld1q_s32(left));
    const int32x4_t high = vqrdmulhq_s32(acc, multiplier);
    if (rounding == ROUND_UP)
        return vrshlq_s32(high, right);
    if (rounding == ROUND_AWAY)
        return vrshlq_s32(vsraq_n_s32(high, high, 31), right);
    return vrshlq_s32(vsraq_n_s32(high, vandq_s32(high, right), 31), right);
}

INLINE int32x4_t scale_4(int32x4_t acc, const requant_4 *q, const int32_t *left, const int rounding)
{
    return scale_by(acc, vld1q_s32(q->multiplier), vld1q_s32(q->right), left, rounding);
}

/* A head's numbers in vectors, for 16 bytes at a time. */
typedef struct output_bounds {
    int16x8_t zero_point;
    int8x16_t min, max;
    uint8x16_t flip;
} output_bounds;

INLINE output_bounds load_bounds(const requant_head *head)
{
    return (output_bounds){
        vdupq_n_s16(head->zero_point),
        vdupq_n_s8((int8_t)head->min),
        vdupq_n_s8((int8_t)head->max),
        vdupq_n_u8(head->flip),
    };
}

/* Scaled sums of 16 channels to bytes. What saturates on the way is beyond the clamp in any case. */
INLINE uint8x16_t narrow_16(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d, const output_bounds *bounds)
{
    const int16x8_t low = vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), bounds->zero_point);
    const int16x8_t high = vqaddq_s16(vcombine_s16(vqmovn_s32(c), vqmovn_s32(d)), bounds->zero_point);
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
    return veorq_u8(vreinterpretq_u8_s8(vminq_s8(vmaxq_s8(bytes, bounds->min), bounds->max)), bounds->flip);
}

/* Whether narrow_16_plain does. */
INLINE bool is_plain(const requant_head *head)
{
    return head->min == INT8_MIN && head->max == INT8_MAX && !head->flip;
}

/* narrow_16 where int8's range is the only clamp and the output is stored as int8: as in most layers, a ReLU's zero point being
 * the lowest byte. */
INLINE uint8x16_t narrow_16_plain(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d, int16x8_t zero_point)
{
    const int16x8_t low = vqaddq_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)), zero_point);
    const int16x8_t high = vqaddq_s16(vcombine_s16(vqmovn_s32(c), vqmovn_s32(d)), zero_point);
    return vreinterpretq_u8_s8(vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
}

/* The first `n` bytes of a vector, 1 <= n <= 16, and not one more. */
INLINE void store_bytes(uint8_t *to, uint8x16_t bytes, size_t n)
{
    if (n == 16) {
        vst1q_u8(to, bytes);
        return;
    }
    uint8_t all[16];
    vst1q_u8(all, bytes);
    memcpy(to, all, n);
}

#endif
