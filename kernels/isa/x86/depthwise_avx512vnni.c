/* Depthwise convolution on vpdpbusd: the bytes of 4 taps are interleaved channel by channel, so that one instruction sums 4
 * taps of 16 channels.
 *
 * The interleaving works within 128-bit lanes: accumulator j holds channels 16 * lane + 4 * j .. + 3 of the block's 64. The
 * packs of the requantisation put the bytes back in order. A block is [head][requant_16 x 4][groups of 4 taps][4 vectors]
 * in that order of channels. */
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

static size_t block_bytes(size_t taps)
{
    return sizeof(edgecore_block_head) + 4 * sizeof(requant_16) + (taps + 3) / 4 * 4 * CHANNELS;
}

static void pack(void *block, const edgecore_columns *columns)
{
    int32_t bias[CHANNELS] = {0}, multiplier[CHANNELS] = {0}, shift[CHANNELS] = {0};
    memset(block, 0, block_bytes(columns->taps));
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
            for (size_t t = 0; t < columns->taps; t++)
                w[(t / 4 * CHANNELS + lane) * 4 + t % 4] = columns->weights[t * columns->weight_stride + c];
        }
    for (size_t j = 0; j < 4; j++)
        pack_requant_16(&requant[j], &ordered, 16 * j);
}

INLINE void run_rounding(const edgecore_depthwise_args *args, const int rounding)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const bool full = args->cols == CHANNELS;
    const __mmask64 mask = full ? ~UINT64_C(0) : (UINT64_C(1) << args->cols) - 1;
    const size_t pitch = args->row_pitch;
    for (size_t r = 0; r < args->rows; r++) {
        const uint8_t *w = (const uint8_t *)(q + 4);
        const uint8_t *const *a = args->a + r;
        __m512i acc[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = _mm512_load_si512(q[j].bias);
        for (size_t t = 0; t < args->taps; t += 4, a += 4 * pitch, w += 4 * CHANNELS) {
            const __m512i x0 = _mm512_loadu_si512(a[0] + args->offset);
            const __m512i x1 = _mm512_loadu_si512(a[pitch] + args->offset);
            const __m512i x2 = _mm512_loadu_si512(a[2 * pitch] + args->offset);
            const __m512i x3 = _mm512_loadu_si512(a[3 * pitch] + args->offset);
            const __m512i low01 = _mm512_unpacklo_epi8(x0, x1), high01 = _mm512_unpackhi_epi8(x0, x1);
            const __m512i low23 = _mm512_unpacklo_epi8(x2, x3), high23 = _mm512_unpackhi_epi8(x2, x3);
            acc[0] = _mm512_dpbusd_epi32(acc[0], _mm512_unpacklo_epi16(low01, low23), _mm512_load_si512(w));
            acc[1] = _mm512_dpbusd_epi32(acc[1], _mm512_unpackhi_epi16(low01, low23), _mm512_load_si512(w + 64));
            acc[2] = _mm512_dpbusd_epi32(acc[2], _mm512_unpacklo_epi16(high01, high23), _mm512_load_si512(w + 128));
            acc[3] = _mm512_dpbusd_epi32(acc[3], _mm512_unpackhi_epi16(high01, high23), _mm512_load_si512(w + 192));
        }
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            acc[j] = scale_16(acc[j], &q[j], rounding);
        const __m512i bytes = narrow_64(acc[0], acc[1], acc[2], acc[3], &bounds);
        if (full)
            _mm512_storeu_si512(args->out[r] + args->offset, bytes);
        else
            _mm512_mask_storeu_epi8(args->out[r] + args->offset, mask, bytes);
    }
}

static void run(const edgecore_depthwise_args *args)
{
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
    .name = "depthwise_64t4__avx512vnni",
    .cols = CHANNELS,
    .tap_step = 4,
    .cost = 1.5f,
    .block_bytes = block_bytes,
    .pack = pack,
    .run = run,
};
