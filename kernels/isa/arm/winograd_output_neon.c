/* The output transform of the neon tier's Winograd kernel: 36 sums under A^T from both sides, 4 channels at a time; bytes. */
#include "isa/arm/winograd_neon.h"

/* Two factors in a register whose value the compiler does not see: it would make shifts and additions of them. */
INLINE uint32x2_t opaque_u32(uint32_t low, uint32_t high)
{
    uint32x2_t v = vset_lane_u32(high, vdup_n_u32(low), 1);
    __asm__("" : "+w"(v));
    return v;
}

/* Powers of two and the inverse of 9 in two registers, by lane. */
typedef struct factors {
    uint32x2_t two_four, eight_ninth;
} factors;

/* Six sums under A^T. They wrap, so they are unsigned. */
INLINE void transform_sums(const uint32x4_t m[SIDE], const factors *f, uint32x4_t to[4])
{
    const uint32x4_t sum = vaddq_u32(m[1], m[2]), difference = vsubq_u32(m[1], m[2]);
    const uint32x4_t far_sum = vaddq_u32(m[3], m[4]), far_difference = vsubq_u32(m[3], m[4]);
    to[0] = vaddq_u32(vaddq_u32(m[0], sum), far_sum);
    to[1] = vmlaq_lane_u32(difference, far_difference, f->two_four, 0);
    to[2] = vmlaq_lane_u32(sum, far_sum, f->two_four, 1);
    to[3] = vmlaq_lane_u32(vmlaq_lane_u32(difference, far_difference, f->eight_ninth, 0), m[5], f->two_four, 0);
}

/* What 4 channels have in common for all tiles. */
typedef struct output_channels {
    factors factors;
    uint32x4_t bias;
    const requant_4 *scales;
    const int32_t *left;
    output_bounds bounds;
} output_channels;

/* Row y of a tile: 4 channels of 4 pixels, one pixel after the other. `rows`: a tile under A^T from one side. */
INLINE uint8x16_t output_row(const output_channels *c, const uint32x4_t rows[SIDE][4], const size_t y, const int rounding)
{
    const uint32x4_t m[SIDE] = {rows[0][y], rows[1][y], rows[2][y], rows[3][y], rows[4][y], rows[5][y]};
    uint32x4_t sums[4];
    int32x4_t pixels[4];
    transform_sums(m, &c->factors, sums);
    for (size_t x = 0; x < 4; x++) {
        const int32x4_t ninth = vreinterpretq_s32_u32(vmulq_lane_u32(sums[x], c->factors.eight_ninth, 1));
        pixels[x] = scale_4(vshrq_n_s32(ninth, 6), c->scales, c->left, rounding);
    }
    return narrow_16(pixels[0], pixels[1], pixels[2], pixels[3], &c->bounds);
}

/* By memcpy: nothing is aligned, and 32-bit compilers promise the alignment of an element in vst1q_lane_u32. */
INLINE void store_row(uint8_t *to, ptrdiff_t pixel_stride, uint8x16_t bytes)
{
    const uint32x4_t pixels = vreinterpretq_u32_u8(bytes);
    memcpy(to, &(uint32_t){vgetq_lane_u32(pixels, 0)}, 4);
    memcpy(to + pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 1)}, 4);
    memcpy(to + 2 * pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 2)}, 4);
    memcpy(to + 3 * pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 3)}, 4);
}

/* The first `cols` pixels of a row. */
INLINE void store_pixels(uint8_t *to, ptrdiff_t pixel_stride, uint8x16_t bytes, int32_t cols)
{
    const uint32x4_t pixels = vreinterpretq_u32_u8(bytes);
    memcpy(to, &(uint32_t){vgetq_lane_u32(pixels, 0)}, 4);
    if (cols > 1)
        memcpy(to + pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 1)}, 4);
    if (cols > 2)
        memcpy(to + 2 * pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 2)}, 4);
    if (cols > 3)
        memcpy(to + 3 * pixel_stride, &(uint32_t){vgetq_lane_u32(pixels, 3)}, 4);
}

/* The same with fewer than 4 channels. */
__attribute__((noinline)) static void store_channels(uint8_t *to, ptrdiff_t pixel_stride, uint8x16_t bytes, int32_t cols,
                                                     size_t channels)
{
    uint8_t all[16];
    vst1q_u8(all, bytes);
    for (int32_t x = 0; x < cols; x++, to += pixel_stride)
        for (size_t c = 0; c < channels; c++)
            to[c] = all[4 * (size_t)x + c];
}

/* 4 channels, or the first `channels` of them, of one tile. */
INLINE void output_tile(const output_channels *c, const int32_t *sums, const edgecore_winograd_args *args,
                        const edgecore_winograd_output *out, size_t offset, size_t channels, const int rounding)
{
    uint32x4_t rows[SIDE][4];
    for (size_t j = 0; j < SIDE; j++) {
        uint32x4_t m[SIDE];
        for (size_t i = 0; i < SIDE; i++)
            m[i] = vreinterpretq_u32_s32(vld1q_s32(sums + (i * SIDE + j) * TILES * COLS));
        if (j == BIAS_POSITION % SIDE)
            m[BIAS_POSITION / SIDE] = vaddq_u32(m[BIAS_POSITION / SIDE], c->bias);
        transform_sums(m, &c->factors, rows[j]);
    }
    uint8_t *to = out->to + offset;
    if (out->rows == 4 && out->cols == 4 && channels == 4) {
        store_row(to, args->pixel_stride, output_row(c, rows, 0, rounding));
        store_row(to + args->row_stride, args->pixel_stride, output_row(c, rows, 1, rounding));
        store_row(to + 2 * args->row_stride, args->pixel_stride, output_row(c, rows, 2, rounding));
        store_row(to + 3 * args->row_stride, args->pixel_stride, output_row(c, rows, 3, rounding));
        return;
    }
    if (channels == 4) {
        store_pixels(to, args->pixel_stride, output_row(c, rows, 0, rounding), out->cols);
        if (out->rows > 1)
            store_pixels(to + args->row_stride, args->pixel_stride, output_row(c, rows, 1, rounding), out->cols);
        if (out->rows > 2)
            store_pixels(to + 2 * args->row_stride, args->pixel_stride, output_row(c, rows, 2, rounding), out->cols);
        if (out->rows > 3)
            store_pixels(to + 3 * args->row_stride, args->pixel_stride, output_row(c, rows, 3, rounding), out->cols);
        return;
    }
    store_channels(to, args->pixel_stride, output_row(c, rows, 0, rounding), out->cols, channels);
    if (out->rows > 1)
        store_channels(to + args->row_stride, args->pixel_stride, output_row(c, rows, 1, rounding), out->cols, channels);
    if (out->rows > 2)
        store_channels(to + 2 * args->row_stride, args->pixel_stride, output_row(c, rows, 2, rounding), out->cols, channels);
    if (out->rows > 3)
        store_channels(to + 3 * args->row_stride, args->pixel_stride, output_row(c, rows, 3, rounding), out->cols, channels);
}

INLINE void output(const edgecore_winograd_args *args, const int rounding)
{
    const winograd_head *head = args->block;
    output_channels c = {.factors = {opaque_u32(2, 4), opaque_u32(8, INVERSE_OF_9)}, .bounds = load_bounds(&head->requant)};
    for (size_t half = 0; half * 4 < args->cols; half++) {
        const size_t left = args->cols - half * 4, channels = left < 4 ? left : 4;
        c.bias = vreinterpretq_u32_s32(vld1q_s32(head->bias + half * 4));
        c.scales = &head->scales[half];
        c.left = head->left + half * 4;
        for (size_t t = 0; t < args->count; t++)
            output_tile(&c, args->scratch + t * COLS + half * 4, args, &args->out[t], args->out_offset + half * 4, channels,
                        rounding);
    }
}

#define OUTPUT(rounding)                                                                                                  \
    __attribute__((noinline)) static void output_##rounding(const edgecore_winograd_args *args)                          \
    {                                                                                                                     \
        output(args, rounding);                                                                                           \
    }
OUTPUT(ROUND_UP)
OUTPUT(ROUND_AWAY)
OUTPUT(ROUND_GENERAL)

void edgecore_winograd_output_neon(const edgecore_winograd_args *args)
{
    static void (*const outputs[])(const edgecore_winograd_args *) = {output_ROUND_UP, output_ROUND_AWAY, output_ROUND_GENERAL};
    const winograd_head *head = args->block;
    outputs[head->requant.rounding](args);
}
