/* What the depthwise kernels of the ARM tiers share: the layout of a block, and how sums become output pixels.
 *
 * A block's channels are worked on in slices of SLICE, one after another along the whole stretch of pixels: so few that all
 * weights of a 3x3 kernel, its input columns and the constants of the requantisation stay in registers. A block has many slices
 * only so that a stretch is asked for once. It is [depthwise_head][depthwise_slice and its weights][depthwise_slice and ... */
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
    int32_t bias[SLICE];
    int32_t multiplier[SLICE];
    int32_t right[SLICE]; /* 0 or negative, as vrshlq_s32 wants it */
    int32_t left[SLICE];  /* sums are shifted by this before all else, ROUND_GENERAL only */
    int32_t order;        /* of the weights; a kernel's own */
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

INLINE void pack_constants(depthwise_slice *slice, const edgecore_columns *columns)
{
    for (size_t c = 0; c < columns->cols; c++) {
        const int32_t shift = columns->requant.shift[c];
        slice->bias[c] = columns->requant.bias[c];
        slice->multiplier[c] = columns->requant.multiplier[c];
        slice->right[c] = shift > 0 ? 0 : shift;
        slice->left[c] = shift > 0 ? shift : 0;
    }
}

INLINE depthwise_head make_depthwise_head(const edgecore_columns *columns)
{
    const requant_head requant = make_head(columns);
    return (depthwise_head){
        .requant = requant,
        .clamps = requant.min > INT8_MIN || requant.max < INT8_MAX || requant.flip != 0,
    };
}

/* What finishes a slice's pixels, and where they go. */
typedef struct slice_output {
    const depthwise_slice *slice;
#if defined(__aarch64__)
    int32x4_t bias[2], multiplier[2], right[2];
#endif
    output_bounds bounds;
    uint8_t *out;
    ptrdiff_t stride;
} slice_output;

INLINE slice_output output_of_slice(const edgecore_depthwise_args *args, const depthwise_slice *slice, size_t offset)
{
    const depthwise_head *head = args->block;
    return (slice_output){
        .slice = slice,
#if defined(__aarch64__)
        .bias = {vld1q_s32(slice->bias), vld1q_s32(slice->bias + 4)},
        .multiplier = {vld1q_s32(slice->multiplier), vld1q_s32(slice->multiplier + 4)},
        .right = {vld1q_s32(slice->right), vld1q_s32(slice->right + 4)},
#endif
        .bounds = load_bounds(&head->requant),
        .out = args->out + offset,
        .stride = args->out_stride,
    };
}

/* Half the registers do not hold the constants too. */
INLINE int32x4_t bias_of(const slice_output *o, size_t h)
{
#if defined(__aarch64__)
    return o->bias[h];
#else
    return vld1q_s32(o->slice->bias + 4 * h);
#endif
}

INLINE int32x4_t multiplier_of(const slice_output *o, size_t h)
{
#if defined(__aarch64__)
    return o->multiplier[h];
#else
    return vld1q_s32(o->slice->multiplier + 4 * h);
#endif
}

INLINE int32x4_t right_of(const slice_output *o, size_t h)
{
#if defined(__aarch64__)
    return o->right[h];
#else
    return vld1q_s32(o->slice->right + 4 * h);
#endif
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
    int32x4_t high = vqrdmulhq_s32(sums, multiplier_of(o, h));
    const int32x4_t right = right_of(o, h);
    if (finish == FINISH_AWAY)
        high = vsraq_n_s32(high, high, 31);
    if (finish == FINISH_GENERAL)
        high = vsraq_n_s32(high, vandq_s32(high, right), 31);
    return vrshlq_s32(high, right);
}

/* A pixel's sums, scaled, with the zero point. */
INLINE int16x8_t scale_pixel(const int32x4_t acc[2], const slice_output *o, const enum finish finish)
{
    const int32x4_t low = scale_half(acc[0], o, 0, finish), high = scale_half(acc[1], o, 1, finish);
    return vqaddq_s16(vcombine_s16(vqmovn_s32(low), vqmovn_s32(high)), o->bounds.zero_point);
}

INLINE uint8x8_t finish_one(const int32x4_t acc[2], const slice_output *o, const enum finish finish)
{
    const int8x8_t bytes = vqmovn_s16(scale_pixel(acc, o, finish));
    if (finish == FINISH_UP)
        return vreinterpret_u8_s8(bytes);
    const int8x8_t clamped = vmin_s8(vmax_s8(bytes, vget_low_s8(o->bounds.min)), vget_low_s8(o->bounds.max));
    return veor_u8(vreinterpret_u8_s8(clamped), vget_low_u8(o->bounds.flip));
}

/* `cols` may be less than a slice. */
INLINE void store_one(slice_output *o, const int32x4_t acc[2], size_t cols, const enum finish finish)
{
    const uint8x8_t bytes = finish_one(acc, o, finish);
    if (cols == SLICE)
        vst1_u8(o->out, bytes);
    else
        store_bytes(o->out, vcombine_u8(bytes, bytes), cols);
    o->out += o->stride;
}

/* Two pixels share the clamp. */
INLINE void store_two(slice_output *o, const int32x4_t a[2], const int32x4_t b[2], const enum finish finish)
{
    if (finish == FINISH_UP) {
        store_one(o, a, SLICE, finish);
        store_one(o, b, SLICE, finish);
        return;
    }
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(scale_pixel(a, o, finish)), vqmovn_s16(scale_pixel(b, o, finish)));
    const int8x16_t clamped = vminq_s8(vmaxq_s8(bytes, o->bounds.min), o->bounds.max);
    const uint8x16_t flipped = veorq_u8(vreinterpretq_u8_s8(clamped), o->bounds.flip);
    vst1_u8(o->out, vget_low_u8(flipped));
    vst1_u8(o->out + o->stride, vget_high_u8(flipped));
    o->out += 2 * o->stride;
}

/* Where a pixel's products lie in the interleaved columns of scratch, in the order of the packed weights. */
INLINE size_t place_bytes(size_t places)
{
    return (places * sizeof(uint32_t) + 63) / 64 * 64;
}

#endif
