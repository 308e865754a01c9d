/* Depthwise convolution with 256-bit vectors, over the primitive that dot4_256_template.h names; to be included after that file.
 *
 * The bytes of an input column under 4 kernel rows are interleaved channel by channel, once for all pixels that share the column.
 * That works within 128-bit lanes: accumulator j holds channels 16 * lane + 4 * j .. + 3 of the block's 32. The packs of the
 * requantisation put the bytes back in order. A block is [head][requant_8 x 4][kernel_w][groups of 4 kernel rows][4 vectors]
 * [DOT_BYTES] of weights. */
#ifndef EDGECORE_ISA_X86_DEPTHWISE_256_TEMPLATE_H
#define EDGECORE_ISA_X86_DEPTHWISE_256_TEMPLATE_H

#include "isa/x86/dot4_256_template.h"

enum { CHANNELS = 32 };

static size_t channel_of(size_t j, size_t i)
{
    return 16 * (i / 4) + 4 * j + i % 4;
}

static size_t groups_of(size_t kernel_h)
{
    return (kernel_h + 3) / 4;
}

static size_t depthwise_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(edgecore_block_head) + 4 * sizeof(requant_8) + kernel_w * groups_of(kernel_h) * 4 * DOT_BYTES;
}

static size_t depthwise_scratch(size_t columns, size_t kernel_h)
{
    return columns * groups_of(kernel_h) * 4 * CHANNELS;
}

static void depthwise_pack(void *block, const edgecore_columns *columns)
{
    int32_t bias[CHANNELS] = {0}, multiplier[CHANNELS] = {0}, shift[CHANNELS] = {0};
    const size_t kernel_h = columns->kernel_h, kernel_w = columns->kernel_w, groups = groups_of(kernel_h);
    memset(block, 0, depthwise_bytes(kernel_h, kernel_w));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_8 *requant = (requant_8 *)(head + 1);
    uint8_t *w = (uint8_t *)(requant + 4);
    edgecore_columns ordered = *columns;
    ordered.cols = CHANNELS;
    ordered.requant.bias = bias;
    ordered.requant.multiplier = multiplier;
    ordered.requant.shift = shift;
    for (size_t j = 0; j < 4; j++)
        for (size_t i = 0; i < LANES; i++) {
            const size_t c = channel_of(j, i), lane = LANES * j + i;
            if (c >= columns->cols)
                continue;
            bias[lane] = columns->requant.bias[c];
            multiplier[lane] = columns->requant.multiplier[c];
            shift[lane] = columns->requant.shift[c];
            for (size_t kx = 0; kx < kernel_w; kx++)
                for (size_t g = 0; g < groups; g++) {
                    int8_t four[4] = {0};
                    for (size_t ky = 4 * g; ky < kernel_h && ky < 4 * g + 4; ky++)
                        four[ky % 4] = columns->weights[(ky * kernel_w + kx) * columns->weight_stride + c];
                    pack_dot(w + ((kx * groups + g) * 4 + j) * DOT_BYTES, i, four);
                }
        }
    for (size_t j = 0; j < 4; j++)
        pack_requant_8(&requant[j], &ordered, LANES * j);
}

INLINE __m256i load_tap(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

INLINE void store_256(uint8_t *aligned, __m256i value)
{
    _mm256_store_si256((__m256i *)aligned, value);
}

/* scratch: [columns][groups][4 vectors] */
static void interleave(const edgecore_depthwise_args *args, size_t groups)
{
    uint8_t *to = args->scratch;
    const uint8_t *const *a = args->a;
    for (size_t i = 0; i < args->columns * groups; i++, a += 4, to += 4 * CHANNELS) {
        const __m256i x0 = load_tap(a[0] + args->offset), x1 = load_tap(a[1] + args->offset);
        const __m256i x2 = load_tap(a[2] + args->offset), x3 = load_tap(a[3] + args->offset);
        const __m256i low01 = _mm256_unpacklo_epi8(x0, x1), high01 = _mm256_unpackhi_epi8(x0, x1);
        const __m256i low23 = _mm256_unpacklo_epi8(x2, x3), high23 = _mm256_unpackhi_epi8(x2, x3);
        store_256(to, _mm256_unpacklo_epi16(low01, low23));
        store_256(to + 32, _mm256_unpackhi_epi16(low01, low23));
        store_256(to + 64, _mm256_unpacklo_epi16(high01, high23));
        store_256(to + 96, _mm256_unpackhi_epi16(high01, high23));
    }
}

/* A `width` and `groups` other than 0 are the kernel's, known when compiling: the sums then take straight-line code. */
INLINE void depthwise_pixels(const edgecore_depthwise_args *args, const int rounding, const size_t width, const size_t groups)
{
    const edgecore_block_head *head = args->block;
    const requant_8 *q = (const requant_8 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const size_t kernel_w = width ? width : args->kernel_w;
    const size_t column_bytes = (groups ? groups : groups_of(args->kernel_h)) * 4 * CHANNELS;
    const uint8_t *x = args->scratch;
    uint8_t *out = args->out + args->offset;
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes, out += args->out_stride) {
        const uint8_t *w = (const uint8_t *)(q + 4);
        const uint8_t *column = x;
        __m256i acc[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = load_256(q[j].bias);
#pragma GCC unroll 3
        for (size_t kx = 0; kx < kernel_w; kx++, column += args->tap_step * column_bytes)
            for (size_t g = 0; g < column_bytes; g += 4 * CHANNELS, w += 4 * DOT_BYTES)
#pragma GCC unroll 4
                for (size_t j = 0; j < 4; j++)
                    acc[j] = dot_4(acc[j], load_256(column + g + 32 * j), w + j * DOT_BYTES);
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = scale_8(acc[j], &q[j], rounding);
        const __m256i bytes = narrow_32(acc[0], acc[1], acc[2], acc[3], &bounds);
        if (args->cols == CHANNELS) {
            _mm256_storeu_si256((__m256i *)out, bytes);
        } else {
            uint8_t some[CHANNELS];
            _mm256_storeu_si256((__m256i *)some, bytes);
            memcpy(out, some, args->cols);
        }
    }
}

INLINE void depthwise_rounding(const edgecore_depthwise_args *args, const int rounding)
{
    if (args->kernel_w == 3 && args->kernel_h <= 4)
        depthwise_pixels(args, rounding, 3, 1);
    else
        depthwise_pixels(args, rounding, 0, 0);
}

static void depthwise_run(const edgecore_depthwise_args *args)
{
    interleave(args, groups_of(args->kernel_h));
    switch (((const edgecore_block_head *)args->block)->rounding) {
    case ROUND_UP:
        depthwise_rounding(args, ROUND_UP);
        break;
    case ROUND_AWAY:
        depthwise_rounding(args, ROUND_AWAY);
        break;
    default:
        depthwise_rounding(args, ROUND_GENERAL);
    }
}

const edgecore_depthwise_kernel NAMED(edgecore_depthwise_32) = {
    .name = "depthwise_32r4__" TIER_NAME,
    .cols = CHANNELS,
    .row_step = 4,
    .cost = 1.0f,
    .block_bytes = depthwise_bytes,
    .scratch_bytes = depthwise_scratch,
    .pack = depthwise_pack,
    .run = depthwise_run,
};

#endif
