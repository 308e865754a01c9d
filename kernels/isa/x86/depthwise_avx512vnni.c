/* Depthwise convolution on vpdpbusd: the bytes of an input column under 4 kernel rows are interleaved channel by channel, so
 * that one instruction sums 4 taps of 16 channels. Columns are interleaved once, into scratch, for all pixels that share them;
 * pixels are computed in fours, so that each weight and each constant of the requantisation is loaded once for four of them.
 *
 * Vector j of a block holds channels 8 * lane + 4 * j .. + 3 of the block's 32 in each 128-bit lane: the packs of the
 * requantisation then leave 8 bytes of a pixel together, which one permutation puts in order. A block is
 * [head][requant_16 x 2][kernel_w][groups of 4 kernel rows][2 vectors]. */
#include "isa/x86/requant_avx512.h"
#include "isa/x86/kernels.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

#define INLINE static inline __attribute__((always_inline))

enum { CHANNELS = 32, VECTORS = 2, GROUP_BYTES = 4 * CHANNELS };

/* The channel of the block that lane `i` of vector `j` holds. */
static size_t channel_of(size_t j, size_t i)
{
    return 8 * (i / 4) + 4 * j + i % 4;
}

static size_t groups_of(size_t kernel_h)
{
    return (kernel_h + 3) / 4;
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(edgecore_block_head) + VECTORS * sizeof(requant_16) + kernel_w * groups_of(kernel_h) * GROUP_BYTES;
}

static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    return columns * groups_of(kernel_h) * GROUP_BYTES;
}

static void pack(void *block, const edgecore_columns *columns)
{
    int32_t bias[CHANNELS] = {0}, multiplier[CHANNELS] = {0}, shift[CHANNELS] = {0};
    const size_t kernel_h = columns->kernel_h, kernel_w = columns->kernel_w, groups = groups_of(kernel_h);
    memset(block, 0, block_bytes(kernel_h, kernel_w));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_16 *requant = (requant_16 *)(head + 1);
    int8_t *w = (int8_t *)(requant + VECTORS);
    edgecore_columns ordered = *columns;
    ordered.cols = CHANNELS;
    ordered.requant.bias = bias;
    ordered.requant.multiplier = multiplier;
    ordered.requant.shift = shift;
    for (size_t j = 0; j < VECTORS; j++)
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
    for (size_t j = 0; j < VECTORS; j++)
        pack_requant_16(&requant[j], &ordered, 16 * j);
}

INLINE __m512i load_two(const uint8_t *first, const uint8_t *second)
{
    const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)first));
    return _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)second), 1);
}

/* scratch: [columns][groups][2 vectors] */
INLINE void interleave(const edgecore_depthwise_args *args, size_t groups)
{
    /* Vectors 0 and 1: dwords 2 * lane and 2 * lane + 1 of each of four rows; then the rows' bytes of a lane, by channel. */
    const __m512i even = _mm512_setr_epi32(0, 8, 16, 24, 2, 10, 18, 26, 4, 12, 20, 28, 6, 14, 22, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    const __m512i by_channel = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    uint8_t *to = args->scratch;
    const uint8_t *const *a = args->a;
    for (size_t i = 0; i < args->columns * groups; i++, a += 4, to += GROUP_BYTES) {
        const __m512i x01 = load_two(a[0] + args->offset, a[1] + args->offset);
        const __m512i x23 = load_two(a[2] + args->offset, a[3] + args->offset);
        _mm512_store_si512(to, _mm512_shuffle_epi8(_mm512_permutex2var_epi32(x01, even, x23), by_channel));
        _mm512_store_si512(to + 64, _mm512_shuffle_epi8(_mm512_permutex2var_epi32(x01, odd, x23), by_channel));
    }
}

/* What all tiles of a run have in common. A `width` and `groups` other than 0 are the kernel's, known when compiling. */
typedef struct stretch {
    const requant_16 *q;
    output_bounds bounds;
    __m512i in_order;
    __mmask32 cols;
    size_t kernel_w, tap_bytes, column_bytes;
} stretch;

/* `count` pixels, an even number. */
INLINE void run_tile(const stretch *s, const uint8_t *const *x, uint8_t *const *out, const size_t count, const int rounding)
{
    const uint8_t *w = (const uint8_t *)(s->q + VECTORS);
    __m512i acc[4][VECTORS];
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++)
#pragma GCC unroll 2
        for (size_t j = 0; j < VECTORS; j++)
            acc[p][j] = _mm512_load_si512(s->q[j].bias);
    size_t at = 0;
#pragma GCC unroll 3
    for (size_t kx = 0; kx < s->kernel_w; kx++, at += s->tap_bytes)
        for (size_t g = 0; g < s->column_bytes; g += GROUP_BYTES, w += GROUP_BYTES)
#pragma GCC unroll 2
            for (size_t j = 0; j < VECTORS; j++) {
                const __m512i weights = _mm512_load_si512(w + 64 * j);
#pragma GCC unroll 4
                for (size_t p = 0; p < count; p++)
                    acc[p][j] = _mm512_dpbusd_epi32(acc[p][j], _mm512_load_si512(x[p] + at + g + 64 * j), weights);
            }
#pragma GCC unroll 2
    for (size_t j = 0; j < VECTORS; j++)
#pragma GCC unroll 4
        for (size_t p = 0; p < count; p++)
            acc[p][j] = scale_16(acc[p][j], &s->q[j], rounding);
#pragma GCC unroll 2
    for (size_t p = 0; p < count; p += 2) {
        const __m512i packed = narrow_64(acc[p][0], acc[p][1], acc[p + 1][0], acc[p + 1][1], &s->bounds);
        const __m512i bytes = _mm512_permutexvar_epi64(s->in_order, packed);
        _mm256_mask_storeu_epi8(out[p], s->cols, _mm512_castsi512_si256(bytes));
        _mm256_mask_storeu_epi8(out[p + 1], s->cols, _mm512_extracti64x4_epi64(bytes, 1));
    }
}

INLINE void run_pixels(const edgecore_depthwise_args *args, const int rounding, const size_t width, const size_t groups)
{
    const edgecore_block_head *head = args->block;
    const size_t column_bytes = (groups ? groups : groups_of(args->kernel_h)) * GROUP_BYTES;
    const stretch s = {
        .q = (const requant_16 *)(head + 1),
        .bounds = load_bounds(head),
        .in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
        .cols = (__mmask32)((UINT64_C(1) << args->cols) - 1),
        .kernel_w = width ? width : args->kernel_w,
        .tap_bytes = args->tap_step * column_bytes,
        .column_bytes = column_bytes,
    };
    const size_t step = args->pixel_step * column_bytes;
    const uint8_t *x = args->scratch;
    uint8_t *out = args->out + args->offset;
    size_t left = args->pixels;
    while (left >= 3) {
        const size_t last = left > 3 ? 3 : 2;
        const uint8_t *const from[4] = {x, x + step, x + 2 * step, x + last * step};
        uint8_t *const to[4] = {out, out + args->out_stride, out + 2 * args->out_stride, out + (ptrdiff_t)last * args->out_stride};
        run_tile(&s, from, to, 4, rounding);
        left -= last + 1;
        x += 4 * step;
        out += 4 * args->out_stride;
    }
    if (left > 0) {
        const uint8_t *const from[2] = {x, x + (left - 1) * step};
        uint8_t *const to[2] = {out, out + (ptrdiff_t)(left - 1) * args->out_stride};
        run_tile(&s, from, to, 2, rounding);
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

const edgecore_depthwise_kernel edgecore_depthwise_32_avx512vnni = {
    .name = "depthwise_32r4__avx512vnni",
    .cols = CHANNELS,
    .row_step = 4,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
