/* What the depthwise kernels of the ARM tiers share: the layout of a block, and how sums become output pixels.
 *
 * A block's channels are worked on in slices of SLICE, one after another along the whole stretch of pixels: so few that all weights
 * of a 3x3 kernel, its input columns and the constants of the requantisation stay in registers. A block has many slices only so that
 * a stretch is asked for once. It is [depthwise_head][depthwise_slice and its weights][depthwise_slice and ... */
#ifndef EDGECORE_ISA_ARM_DEPTHWISE_H
#define EDGECORE_ISA_ARM_DEPTHWISE_H

#include "isa/arm/requant.h"

enum { CHANNELS = 64, SLICE = 8 };

typedef struct depthwise_head {
    requant_head requant;
    int32_t clamps; /* whether the activation's clamp or another storage type is to be seen to */
    int32_t unused[3];
} depthwise_head;

typedef struct depthwise_slice {
    requant_4 requant[2];
    int32_t bias[SLICE];
    int32_t left[SLICE]; /* ROUND_GENERAL only */
    int32_t order;       /* of the weights; a kernel's own */
    int32_t unused[3];
    int8_t weights[];
} depthwise_slice;

INLINE size_t depthwise_bytes(size_t weight_bytes)
{
    return sizeof(depthwise_head) + CHANNELS / SLICE * (sizeof(depthwise_slice) + weight_bytes);
}

INLINE depthwise_slice *slice_at(const void *block, size_t index, size_t weight_bytes)
{
    return (depthwise_slice *)((char *)block + sizeof(depthwise_head) + index * (sizeof(depthwise_slice) + weight_bytes));
}

/* The columns of one slice. */
INLINE edgecore_columns columns_of_slice(const edgecore_columns *columns, size_t index)
{
    edgecore_columns some = *columns;
    const size_t first = index * SLICE, left = columns->cols - first;
    some.weights += first;
    some.cols = left < SLICE ? left : SLICE;
    some.requant.bias += first;
    some.requant.multiplier += first;
    some.requant.shift += first;
    return some;
}

INLINE depthwise_head make_depthwise_head(const edgecore_columns *columns)
{
    const requant_head requant = make_head(columns);
    return (depthwise_head){
        .requant = requant,
        .clamps = requant.min > INT8_MIN || requant.max < INT8_MAX || requant.flip != 0,
    };
}

/* A slice's constants, and where its pixels go. */
typedef struct slice_output {
    int32x4_t bias[2], multiplier[2], right[2];
    output_bounds bounds;
    uint8_t *out;
    ptrdiff_t stride;
} slice_output;

INLINE slice_output output_of_slice(const edgecore_depthwise_args *args, const depthwise_slice *slice, size_t offset)
{
    const depthwise_head *head = args->block;
    return (slice_output){
        {vld1q_s32(slice->bias), vld1q_s32(slice->bias + 4)},
        {vld1q_s32(slice->requant[0].multiplier), vld1q_s32(slice->requant[1].multiplier)},
        {vld1q_s32(slice->requant[0].right), vld1q_s32(slice->requant[1].right)},
        load_bounds(&head->requant),
        args->out + offset,
        args->out_stride,
    };
}

/* What is known of a block when compiling. */
enum finish {
    FINISH_UP,        /* ROUND_UP, and no clamp to be seen to */
    FINISH_UP_CLAMP,  /* ROUND_UP */
    FINISH_AWAY,      /* all shifts at least 1 */
    FINISH_GENERAL,   /* sums have been shifted left already */
};

INLINE int32x4_t scale_half(int32x4_t sums, const slice_output *o, size_t h, const enum finish finish)
{
    int32x4_t high = vqrdmulhq_s32(sums, o->multiplier[h]);
    if (finish == FINISH_AWAY)
        high = vsraq_n_s32(high, high, 31);
    if (finish == FINISH_GENERAL)
        high = vsraq_n_s32(high, vandq_s32(high, o->right[h]), 31);
    return vrshlq_s32(high, o->right[h]);
}

/* Two pixels' sums to bytes. */
INLINE uint8x16_t finish_two(const int32x4_t a[2], const int32x4_t b[2], const slice_output *o, const enum finish finish)
{
    const int32x4_t a0 = scale_half(a[0], o, 0, finish), a1 = scale_half(a[1], o, 1, finish);
    const int32x4_t b0 = scale_half(b[0], o, 0, finish), b1 = scale_half(b[1], o, 1, finish);
    if (finish != FINISH_UP)
        return narrow_16(a0, a1, b0, b1, &o->bounds);
    const int16x8_t first = vqaddq_s16(vcombine_s16(vqmovn_s32(a0), vqmovn_s32(a1)), o->bounds.zero_point);
    const int16x8_t second = vqaddq_s16(vcombine_s16(vqmovn_s32(b0), vqmovn_s32(b1)), o->bounds.zero_point);
    return vreinterpretq_u8_s8(vcombine_s8(vqmovn_s16(first), vqmovn_s16(second)));
}

INLINE void store_two(slice_output *o, const int32x4_t a[2], const int32x4_t b[2], const enum finish finish)
{
    const uint8x16_t bytes = finish_two(a, b, o, finish);
    vst1_u8(o->out, vget_low_u8(bytes));
    vst1_u8(o->out + o->stride, vget_high_u8(bytes));
    o->out += 2 * o->stride;
}

/* `cols` may be less than a slice. */
INLINE void store_one(slice_output *o, const int32x4_t a[2], size_t cols, const enum finish finish)
{
    const uint8x16_t bytes = finish_two(a, a, o, finish);
    if (cols == SLICE)
        vst1_u8(o->out, vget_low_u8(bytes));
    else
        store_bytes(o->out, bytes, cols);
    o->out += o->stride;
}

/* Where a pixel's products lie in the interleaved columns of scratch, in the order of the packed weights. */
INLINE size_t place_bytes(size_t places)
{
    return (places * sizeof(uint32_t) + 63) / 64 * 64;
}

#endif
