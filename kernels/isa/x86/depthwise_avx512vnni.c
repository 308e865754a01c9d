/* Depthwise convolution on vpdpbusd: the bytes of an input column under 4 kernel rows are interleaved channel by channel, so
 * that one instruction sums 4 taps of 16 channels. Columns are interleaved once, into scratch, for all pixels that share them.
 *
 * The interleaving works within 128-bit lanes: accumulator j holds channels 16 * lane + 4 * j .. + 3 of the block's 64. The
 * packs of the requantisation put the bytes back in order. A block is [head][requant_16 x 4][kernel_w][groups of 4 kernel
 * rows][4 vectors] in that order of channels. */
#include "isa/x86/requant_avx512.h"
#include "isa/x86/kernels.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

#define INLINE static inline __attribute__((always_inline))

enum { CHANNELS = 64 };

/* The channel of the block that lane `i` of accumulator `j` holds. */
static size_t channel_of(size_t j, size_t i)
{
    return 16 * (i / 4) + 4 * j + i % 4;
}

static size_t groups_of(size_t kernel_h)
{
    return (kernel_h + 3) / 4;
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(edgecore_block_head) + 4 * sizeof(requant_16) + kernel_w * groups_of(kernel_h) * 4 * CHANNELS;
}

static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    return columns * groups_of(kernel_h) * 4 * CHANNELS;
}

static void pack(void *block, const edgecore_columns *columns)
{
    int32_t bias[CHANNELS] = {0}, multiplier[CHANNELS] = {0}, shift[CHANNELS] = {0};
    const size_t kernel_h = columns->kernel_h, kernel_w = columns->kernel_w, groups = groups_of(kernel_h);
    memset(block, 0, block_bytes(kernel_h, kernel_w));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_16 *requant = (requant_16 *)(head + 1);
    int8_t *w = (int8_t *)(requant + 4);
    edgecore_columns ordered = *columns;
    ordered.cols = CHANNELS;
    ordered.requant.bias = bias;
    ordered.requant.multiplier = multiplier;
    ordered.requant.shift = shift;
    for (size_t j = 0; j < 4; j++)
        for (size_t i = 0; i < 16; i++) {
            const size_t c = channel_of(j, i), lane = 16 * j + i;
            if (c >= columns->cols)
                continue;
            bias[lane] = columns->requant.bias[c];
            multiplier[lane] = columns->requant.multiplier[c];
            shift[lane] = columns->requant.shift[c];
            for (size_t ky = 0; ky < kernel_h; ky++)
                for (size_t kx = 0; kx < kernel_w; kx++)
                    w[((kx * groups + ky / 4) * CHANNELS + lane) * 4 + ky % 4] =
                        columns->weights[(ky * kernel_w + kx) * columns->weight_stride + c];
        }
    for (size_t j = 0; j < 4; j++)
        pack_requant_16(&requant[j], &ordered, 16 * j);
}

/* scratch: [columns][groups][4 vectors] */
static void interleave(const edgecore_depthwise_args *args, size_t groups)
{
    uint8_t *to = args->scratch;
    const uint8_t *const *a = args->a;
    for (size_t i = 0; i < args->columns * groups; i++, a += 4, to += 4 * CHANNELS) {
        const __m512i x0 = _mm512_loadu_si512(a[0] + args->offset), x1 = _mm512_loadu_si512(a[1] + args->offset);
        const __m512i x2 = _mm512_loadu_si512(a[2] + args->offset), x3 = _mm512_loadu_si512(a[3] + args->offset);
        const __m512i low01 = _mm512_unpacklo_epi8(x0, x1), high01 = _mm512_unpackhi_epi8(x0, x1);
        const __m512i low23 = _mm512_unpacklo_epi8(x2, x3), high23 = _mm512_unpackhi_epi8(x2, x3);
        _mm512_store_si512(to, _mm512_unpacklo_epi16(low01, low23));
        _mm512_store_si512(to + 64, _mm512_unpackhi_epi16(low01, low23));
        _mm512_store_si512(to + 128, _mm512_unpacklo_epi16(high01, high23));
        _mm512_store_si512(to + 192, _mm512_unpackhi_epi16(high01, high23));
    }
}

/* A `width` and `groups` other than 0 are the kernel's, known when compiling: the sums then take straight-line code. */
INLINE void run_pixels(const edgecore_depthwise_args *args, const int rounding, const size_t width, const size_t groups)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const bool full = args->cols == CHANNELS;
    const __mmask64 mask = full ? ~UINT64_C(0) : (UINT64_C(1) << args->cols) - 1;
    const size_t kernel_w = width ? width : args->kernel_w;
    const size_t column_bytes = (groups ? groups : groups_of(args->kernel_h)) * 4 * CHANNELS;
    const uint8_t *x = args->scratch;
    uint8_t *out = args->out + args->offset;
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes, out += args->out_stride) {
        const uint8_t *w = (const uint8_t *)(q + 4);
        const uint8_t *column = x;
        __m512i acc[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = _mm512_load_si512(q[j].bias);
#pragma GCC unroll 3
        for (size_t kx = 0; kx < kernel_w; kx++, column += args->tap_step * column_bytes)
            for (size_t g = 0; g < column_bytes; g += 4 * CHANNELS, w += 4 * CHANNELS)
#pragma GCC unroll 4
                for (size_t j = 0; j < 4; j++)
                    acc[j] = _mm512_dpbusd_epi32(acc[j], _mm512_load_si512(column + g + 64 * j),
                                                 _mm512_load_si512(w + 64 * j));
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = scale_16(acc[j], &q[j], rounding);
        const __m512i bytes = narrow_64(acc[0], acc[1], acc[2], acc[3], &bounds);
        if (full)
            _mm512_storeu_si512(out, bytes);
        else
            _mm512_mask_storeu_epi8(out, mask, bytes);
    }
}

INLINE void run_rounding(const edgecore_depthwise_args *args, const int rounding)
{
    if (args->kernel_w == 3 && args->kernel_h <= 4)
        run_pixels(args, rounding, 3, 1);
    else
        run_pixels(args, rounding, 0, 0);
}

static void run(const edgecore_depthwise_args *args)
{
    interleave(args, groups_of(args->kernel_h));
    switch (((const edgecore_block_head *)args->block)->rounding) {
    case ROUND_UP:
        run_rounding(args, ROUND_UP);
        break;
    case ROUND_AWAY:
        run_rounding(args, ROUND_AWAY);
        break;
    default:
        run_rounding(args, ROUND_GENERAL);
    }
}

const edgecore_depthwise_kernel edgecore_depthwise_64_avx512vnni = {
    .name = "depthwise_64r4__avx512vnni",
    .cols = CHANNELS,
    .row_step = 4,
    .cost = 1.2f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
