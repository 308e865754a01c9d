/* What the depthwise kernels of the ARM tiers share: the head of a block, and how sums become an output pixel. */
#ifndef EDGECORE_ISA_ARM_DEPTHWISE_H
#define EDGECORE_ISA_ARM_DEPTHWISE_H

#include "isa/arm/requant.h"

/* Half as many registers hold half as many channels. */
#if defined(__aarch64__)
enum { CHANNELS = 16 };
#else
enum { CHANNELS = 8 };
#endif
enum { QUADS = CHANNELS / 4 };

typedef struct depthwise_block {
    requant_head head;
    requant_4 requant[QUADS];
    int32_t bias[CHANNELS];
    int32_t left[CHANNELS]; /* ROUND_GENERAL only */
    int32_t order;          /* of the weights; a kernel's own */
    int32_t unused[3];
    int8_t weights[];
} depthwise_block;

INLINE void pack_depthwise_head(depthwise_block *block, const edgecore_columns *columns)
{
    block->head = make_head(columns);
    make_requant(block->requant, block->bias, block->left, QUADS, columns);
}

INLINE void start_pixel(int32x4_t acc[QUADS], const depthwise_block *block)
{
    for (size_t q = 0; q < QUADS; q++)
        acc[q] = vld1q_s32(block->bias + 4 * q);
}

/* Stores `cols` bytes, CHANNELS at most. */
INLINE void finish_pixel(uint8_t *out, size_t cols, const int32x4_t acc[QUADS], const depthwise_block *block,
                         const output_bounds *bounds, const int rounding)
{
    int32x4_t scaled[QUADS];
    for (size_t q = 0; q < QUADS; q++)
        scaled[q] = scale_4(acc[q], &block->requant[q], block->left + 4 * q, rounding);
#if defined(__aarch64__)
    store_bytes(out, narrow_16(scaled[0], scaled[1], scaled[2], scaled[3], bounds), cols);
#else
    const int16x8_t words = vqaddq_s16(vcombine_s16(vqmovn_s32(scaled[0]), vqmovn_s32(scaled[1])), bounds->zero_point);
    const int8x8_t clamped =
        vmin_s8(vmax_s8(vqmovn_s16(words), vget_low_s8(bounds->min)), vget_low_s8(bounds->max));
    const uint8x8_t bytes = veor_u8(vreinterpret_u8_s8(clamped), vget_low_u8(bounds->flip));
    if (cols == CHANNELS)
        vst1_u8(out, bytes);
    else
        store_bytes(out, vcombine_u8(bytes, bytes), cols);
#endif
}

/* Where a pixel's products lie in the interleaved columns of scratch, in the order of the packed weights. */
INLINE size_t place_bytes(size_t places)
{
    return (places * sizeof(uint32_t) + 63) / 64 * 64;
}

#endif
