/* The image micro-kernels with NEON. Weights (23 bits) are multiplied as they are, in 32 bits, four sums a vector. */
#include "isa/image.h"

#include <arm_neon.h>
#include <string.h>

#include "isa/image_template.h"

#define INLINE static inline __attribute__((always_inline))

/* Rounded sums to bytes: the two shifts make EDGECORE_WEIGHT_BITS, and what is above 255 saturates in the second. */
INLINE uint8x8_t finish_8(int32x4_t low, int32x4_t high)
{
    const uint16x8_t words = vcombine_u16(vqshrun_n_s32(low, 16), vqshrun_n_s32(high, 16));
    return vqshrn_n_u16(words, EDGECORE_WEIGHT_BITS - 16);
}

/* Four rows at once, so that weights are fetched once for all. */
typedef struct four_rows {
    const uint8_t *in[EDGECORE_NARROW_ROWS];
    uint8_t *out[EDGECORE_NARROW_ROWS];
} four_rows;

/* Pixels at a row's end, whose vectors would reach past it: out of line, so that they cost the loops no registers. */
static __attribute__((noinline)) void narrow_end(const edgecore_axis *axis, const four_rows *rows, int32_t channels,
                                                 int32_t x)
{
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        if (channels == 1)
            rows->out[r][x] = image_narrow_grey(axis, rows->in[r], x);
        else
            image_narrow_colour(axis, rows->in[r], x, rows->out[r] + 3 * (size_t)x);
    }
}

/* The first four of 16 bytes' interleaved pixels, each spread to R, G, B, 0 of 32 bits, times its weight. */
#if defined(__aarch64__)
INLINE int32x4_t add_colour(int32x4_t sum, const uint8_t *pixels, int32x4_t weights)
{
    static const uint8_t places[4][16] = {
        {0, 255, 255, 255, 1, 255, 255, 255, 2, 255, 255, 255, 255, 255, 255, 255},
        {3, 255, 255, 255, 4, 255, 255, 255, 5, 255, 255, 255, 255, 255, 255, 255},
        {6, 255, 255, 255, 7, 255, 255, 255, 8, 255, 255, 255, 255, 255, 255, 255},
        {9, 255, 255, 255, 10, 255, 255, 255, 11, 255, 255, 255, 255, 255, 255, 255},
    };
    const uint8x16_t bytes = vld1q_u8(pixels);
    sum = vmlaq_laneq_s32(sum, vreinterpretq_s32_u8(vqtbl1q_u8(bytes, vld1q_u8(places[0]))), weights, 0);
    sum = vmlaq_laneq_s32(sum, vreinterpretq_s32_u8(vqtbl1q_u8(bytes, vld1q_u8(places[1]))), weights, 1);
    sum = vmlaq_laneq_s32(sum, vreinterpretq_s32_u8(vqtbl1q_u8(bytes, vld1q_u8(places[2]))), weights, 2);
    return vmlaq_laneq_s32(sum, vreinterpretq_s32_u8(vqtbl1q_u8(bytes, vld1q_u8(places[3]))), weights, 3);
}
#else
INLINE int32x4_t spread(uint8x8x2_t bytes, const uint8_t *places)
{
    return vreinterpretq_s32_u32(vmovl_u16(vreinterpret_u16_u8(vtbl2_u8(bytes, vld1_u8(places)))));
}

INLINE int32x4_t add_colour(int32x4_t sum, const uint8_t *pixels, int32x4_t weights)
{
    static const uint8_t places[4][8] = {
        {0, 255, 1, 255, 2, 255, 255, 255},
        {3, 255, 4, 255, 5, 255, 255, 255},
        {6, 255, 7, 255, 8, 255, 255, 255},
        {9, 255, 10, 255, 11, 255, 255, 255},
    };
    const uint8x16_t all = vld1q_u8(pixels);
    const uint8x8x2_t bytes = {{vget_low_u8(all), vget_high_u8(all)}};
    sum = vmlaq_lane_s32(sum, spread(bytes, places[0]), vget_low_s32(weights), 0);
    sum = vmlaq_lane_s32(sum, spread(bytes, places[1]), vget_low_s32(weights), 1);
    sum = vmlaq_lane_s32(sum, spread(bytes, places[2]), vget_high_s32(weights), 0);
    return vmlaq_lane_s32(sum, spread(bytes, places[3]), vget_high_s32(weights), 1);
}
#endif

/* The fourth byte that is written belongs to the next pixel, or to the slack. */
INLINE void store_colour(int32x4_t sum, uint8_t *out)
{
    const uint32_t pixel = vget_lane_u32(vreinterpret_u32_u8(finish_8(sum, sum)), 0);
    memcpy(out, &pixel, sizeof pixel);
}

static void narrow_colour(const edgecore_axis *axis, const four_rows *rows, size_t row_bytes)
{
    const uint8_t *const in0 = rows->in[0], *const in1 = rows->in[1], *const in2 = rows->in[2], *const in3 = rows->in[3];
    for (int32_t x = 0; x < axis->size; x++) {
        const int32_t groups = (axis->counts[x] + 3) / 4; /* 1 or more */
        size_t at = 3 * (size_t)axis->firsts[x];
        if (at + 12 * (size_t)groups + 4 > row_bytes) {
            narrow_end(axis, rows, 3, x);
            continue;
        }
        const int32_t *weights = image_weights(axis, x);
        const int32_t *const end = weights + 4 * groups;
        int32x4_t sum0 = vdupq_n_s32(IMAGE_ROUNDING), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        do {
            const int32x4_t four = vld1q_s32(weights);
            sum0 = add_colour(sum0, in0 + at, four);
            sum1 = add_colour(sum1, in1 + at, four);
            sum2 = add_colour(sum2, in2 + at, four);
            sum3 = add_colour(sum3, in3 + at, four);
            at += 12;
            weights += 4;
        } while (weights < end);
        store_colour(sum0, rows->out[0] + 3 * (size_t)x);
        store_colour(sum1, rows->out[1] + 3 * (size_t)x);
        store_colour(sum2, rows->out[2] + 3 * (size_t)x);
        store_colour(sum3, rows->out[3] + 3 * (size_t)x);
    }
}

INLINE int32x4_t add_grey(int32x4_t sums, const uint8_t *pixels, const int32x4_t weights[2])
{
    const uint16x8_t words = vmovl_u8(vld1_u8(pixels));
    sums = vmlaq_s32(sums, vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words))), weights[0]);
    return vmlaq_s32(sums, vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(words))), weights[1]);
}

INLINE int32x4_t add_pairs(int32x4_t a, int32x4_t b)
{
    return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}

static void narrow_grey(const edgecore_axis *axis, const four_rows *rows, size_t row_bytes)
{
    for (int32_t x = 0; x < axis->size; x++) {
        size_t at = (size_t)axis->firsts[x];
        const int32_t pairs = (axis->counts[x] + 7) / 8; /* 1 or more */
        if (at + 8 * (size_t)pairs > row_bytes) {
            narrow_end(axis, rows, 1, x);
            continue;
        }
        const int32_t *weights = image_weights(axis, x);
        const int32_t *const end = weights + 8 * pairs;
        int32x4_t sums0 = vdupq_n_s32(0), sums1 = sums0, sums2 = sums0, sums3 = sums0;
        do {
            const int32x4_t eight[2] = {vld1q_s32(weights), vld1q_s32(weights + 4)};
            sums0 = add_grey(sums0, rows->in[0] + at, eight);
            sums1 = add_grey(sums1, rows->in[1] + at, eight);
            sums2 = add_grey(sums2, rows->in[2] + at, eight);
            sums3 = add_grey(sums3, rows->in[3] + at, eight);
            at += 8;
            weights += 8;
        } while (weights < end);
        int32x4_t sum = add_pairs(add_pairs(sums0, sums1), add_pairs(sums2, sums3)); /* one of each row */
        sum = vaddq_s32(sum, vdupq_n_s32(IMAGE_ROUNDING));
        const uint8x8_t bytes = finish_8(sum, sum);
        vst1_lane_u8(rows->out[0] + x, bytes, 0);
        vst1_lane_u8(rows->out[1] + x, bytes, 1);
        vst1_lane_u8(rows->out[2] + x, bytes, 2);
        vst1_lane_u8(rows->out[3] + x, bytes, 3);
    }
}

/* Fewer rows than four are filled up with the last one, which is then made more than once. */
static void narrow(const edgecore_axis *axis, const uint8_t *const *rows, int32_t count, size_t row_bytes,
                   int32_t channels, uint8_t *const *out)
{
    four_rows four;
    for (int32_t r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        const int32_t row = r < count ? r : count - 1;
        four.in[r] = rows[row];
        four.out[r] = out[row];
    }
    if (channels == 1)
        narrow_grey(axis, &four, row_bytes);
    else
        narrow_colour(axis, &four, row_bytes);
}

INLINE int32x4_t add_four(int32x4_t sum, uint16x4_t words, int32_t weight)
{
    return vmlaq_n_s32(sum, vreinterpretq_s32_u32(vmovl_u16(words)), weight);
}

INLINE void blend_16(const int32_t *weights, int32_t count, const uint8_t *const *rows, size_t x, uint8_t *out)
{
    int32x4_t sum0 = vdupq_n_s32(IMAGE_ROUNDING), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (int32_t t = 0; t < count; t++) {
        const uint8x16_t bytes = vld1q_u8(rows[t] + x);
        const uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
        const int32_t weight = weights[t];
        sum0 = add_four(sum0, vget_low_u16(low), weight);
        sum1 = add_four(sum1, vget_high_u16(low), weight);
        sum2 = add_four(sum2, vget_low_u16(high), weight);
        sum3 = add_four(sum3, vget_high_u16(high), weight);
    }
    vst1q_u8(out + x, vcombine_u8(finish_8(sum0, sum1), finish_8(sum2, sum3)));
}

static void blend(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t n, uint8_t *out)
{
    const int32_t *weights = image_weights(axis, index);
    if (n < 16) {
        image_blend(axis, index, rows, 0, n, out);
        return;
    }
    for (size_t x = 0; x + 16 <= n; x += 16)
        blend_16(weights, axis->counts[index], rows, x, out);
    if (n % 16)
        blend_16(weights, axis->counts[index], rows, n - 16, out);
}

/* How much the first and the last channel of a pixel weigh; they are red and blue, or blue and red. */
typedef struct outer_weights {
    uint16_t first, last;
} outer_weights;

INLINE uint16x4_t luma_4(uint16x4_t first, uint16x4_t green, uint16x4_t last, outer_weights weights)
{
    uint32x4_t sum = vmull_n_u16(green, 38470);
    sum = vmlal_n_u16(sum, first, weights.first);
    sum = vmlal_n_u16(sum, last, weights.last);
    return vrshrn_n_u32(sum, 16);
}

INLINE uint8x8_t luma_8(uint8x8_t first, uint8x8_t green, uint8x8_t last, outer_weights weights)
{
    const uint16x8_t f = vmovl_u8(first), g = vmovl_u8(green), l = vmovl_u8(last);
    return vmovn_u16(vcombine_u16(luma_4(vget_low_u16(f), vget_low_u16(g), vget_low_u16(l), weights),
                                  luma_4(vget_high_u16(f), vget_high_u16(g), vget_high_u16(l), weights)));
}

static void luma(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first)
{
    const outer_weights weights = blue_first ? (outer_weights){7471, 19595} : (outer_weights){19595, 7471};
    size_t x = 0;
    for (; x + 16 <= n; x += 16) {
        const uint8x16x3_t p = vld3q_u8(pixels + 3 * x);
        const uint8x8_t low = luma_8(vget_low_u8(p.val[0]), vget_low_u8(p.val[1]), vget_low_u8(p.val[2]), weights);
        const uint8x8_t high = luma_8(vget_high_u8(p.val[0]), vget_high_u8(p.val[1]), vget_high_u8(p.val[2]), weights);
        vst1q_u8(out + x, vcombine_u8(low, high));
    }
    image_luma_row(out + x, pixels + 3 * x, n - x, blue_first);
}

static void reverse(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip)
{
    const uint8x16_t flips = vdupq_n_u8(flip);
    size_t x = 0;
    for (; x + 16 <= n; x += 16) {
        const uint8x16x3_t p = vld3q_u8(pixels + 3 * x);
        const uint8x16x3_t turned = {{veorq_u8(p.val[2], flips), veorq_u8(p.val[1], flips), veorq_u8(p.val[0], flips)}};
        vst3q_u8(out + 3 * x, turned);
    }
    image_reverse_row(out + 3 * x, pixels + 3 * x, n - x, flip);
}

/* 8 samples less 128, times a factor: the doubling, rounding high half of a word's product is the scalar term exactly. */
INLINE int16x8_t yuv_terms(uint8x8_t samples, int16_t factor)
{
    const int16x8_t words = vreinterpretq_s16_u16(vshlq_n_u16(vmovl_u8(veor_u8(samples, vdup_n_u8(128))), 8));
    return vqrdmulhq_n_s16(words, factor);
}

/* Luma of 16 pixels and the terms of one colour for every second of them, to 16 bytes. */
INLINE uint8x16_t yuv_bytes(const int16x8_t luma[2], int16x8_t terms)
{
    const int16x8x2_t twice = vzipq_s16(terms, terms);
    return vcombine_u8(vqshrun_n_s16(vqaddq_s16(luma[0], twice.val[0]), 6),
                       vqshrun_n_s16(vqaddq_s16(luma[1], twice.val[1]), 6));
}

static void colour(uint8_t *out, const edgecore_yuv_row *row, size_t n)
{
    const edgecore_yuv_factors factors = *row->factors;
    const int16x8_t offset = vdupq_n_s16(factors.offset);
    size_t x = 0;
    for (; x + 16 <= n; x += 16) {
        const uint8x16_t y = vld1q_u8(row->y + x);
        const int16x8_t luma[2] = {vaddq_s16(yuv_terms(vget_low_u8(y), factors.y), offset),
                                   vaddq_s16(yuv_terms(vget_high_u8(y), factors.y), offset)};
        uint8x8x2_t uv;
        if (row->interleaved) {
            uv = vld2_u8(row->u + x);
        } else {
            uv.val[0] = vld1_u8(row->u + x / 2);
            uv.val[1] = vld1_u8(row->v + x / 2);
        }
        const uint8x16_t red = yuv_bytes(luma, yuv_terms(uv.val[1], factors.v_to_red));
        const uint8x16_t green = yuv_bytes(luma, vaddq_s16(yuv_terms(uv.val[0], factors.u_to_green),
                                                           yuv_terms(uv.val[1], factors.v_to_green)));
        const uint8x16_t blue = yuv_bytes(luma, yuv_terms(uv.val[0], factors.u_to_blue));
        const uint8x16x3_t pixels = {{row->blue_first ? blue : red, green, row->blue_first ? red : blue}};
        vst3q_u8(out + 3 * x, pixels);
    }
    image_colour_row(out, row, x, n);
}

const edgecore_image_kernels edgecore_image_neon = {narrow, blend, luma, reverse, colour};
