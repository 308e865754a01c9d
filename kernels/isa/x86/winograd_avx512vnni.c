/* Weights and products of the avx512vnni tier's Winograd kernel: vpdpwssd sums two channels of 16 columns at a time. */
#include "isa/x86/kernels.h"
#include "isa/x86/winograd_avx512.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

static size_t tiles_bytes(size_t channels)
{
    return POSITIONS * position_step(channels) * sizeof(int16_t);
}

static size_t block_bytes(size_t channels)
{
    return sizeof(winograd_head) + POSITIONS * chunks_of(channels) * CHUNK * COLS * sizeof(int16_t);
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t channels = columns->k, vectors = vectors_of(columns->cols), pair_step = vectors * LANES * 2;
    const size_t weights_step = chunks_of(channels) * CHUNK / 2 * pair_step;
    memset(block, 0, block_bytes(channels));
    winograd_head *head = block;
    head->rounding = edgecore_pack_head(columns);
    for (size_t v = 0; v < vectors; v++) {
        pack_requant_16(&head->requant[v], columns, v * LANES);
        edgecore_winograd_scale(head->requant[v].bias, LANES);
    }
    edgecore_winograd_pack((int16_t *)(head + 1), columns, weights_step, 2, pair_step);
}

/* Sums over the channels in every position: [position][TILES][COLS]. */
INLINE void multiply(const edgecore_winograd_args *args, const size_t tiles, const size_t vectors)
{
    const winograd_head *head = args->block;
    const size_t channels = chunks_of(args->channels) * CHUNK, tiles_step = position_step(args->channels);
    const int16_t *v = args->tiles;
    const __m512i *w = (const __m512i *)(head + 1);
    int32_t *to = args->scratch;
    for (size_t p = 0; p < POSITIONS; p++, v += tiles_step, to += TILES * COLS) {
        __m512i acc[TILES][VECTORS];
#pragma GCC unroll 8
        for (size_t t = 0; t < tiles; t++)
#pragma GCC unroll 2
            for (size_t i = 0; i < vectors; i++)
                acc[t][i] = p == BIAS_POSITION ? _mm512_load_si512(head->requant[i].bias) : _mm512_setzero_si512();
        for (size_t k = 0; k < channels; k += 2, w += vectors) {
            __m512i weights[VECTORS];
#pragma GCC unroll 2
            for (size_t i = 0; i < vectors; i++)
                weights[i] = _mm512_load_si512(w + i);
#pragma GCC unroll 8
            for (size_t t = 0; t < tiles; t++) {
                int32_t pair;
                memcpy(&pair, v + t * channels + k, sizeof pair);
                const __m512i x = _mm512_set1_epi32(pair);
#pragma GCC unroll 2
                for (size_t i = 0; i < vectors; i++)
                    acc[t][i] = _mm512_dpwssd_epi32(acc[t][i], weights[i], x);
            }
        }
#pragma GCC unroll 8
        for (size_t t = 0; t < tiles; t++)
#pragma GCC unroll 2
            for (size_t i = 0; i < vectors; i++)
                _mm512_store_si512(to + t * COLS + i * LANES, acc[t][i]);
    }
}

#define MULTIPLY(tiles)                                                                                                   \
    static void multiply_##tiles##x1(const edgecore_winograd_args *args)                                                 \
    {                                                                                                                     \
        multiply(args, tiles, 1);                                                                                         \
    }                                                                                                                     \
    static void multiply_##tiles##x2(const edgecore_winograd_args *args)                                                 \
    {                                                                                                                     \
        multiply(args, tiles, 2);                                                                                         \
    }
MULTIPLY(1) MULTIPLY(2) MULTIPLY(3) MULTIPLY(4) MULTIPLY(5) MULTIPLY(6) MULTIPLY(7) MULTIPLY(8)

static void run(const edgecore_winograd_args *args)
{
    static void (*const multiplies[VECTORS][TILES])(const edgecore_winograd_args *) = {
        {multiply_1x1, multiply_2x1, multiply_3x1, multiply_4x1, multiply_5x1, multiply_6x1, multiply_7x1, multiply_8x1},
        {multiply_1x2, multiply_2x2, multiply_3x2, multiply_4x2, multiply_5x2, multiply_6x2, multiply_7x2, multiply_8x2},
    };
    multiplies[vectors_of(args->cols) - 1][args->count - 1](args);
    edgecore_winograd_output_avx512vnni(args);
}

const edgecore_winograd_kernel edgecore_winograd_avx512vnni = {
    .name = "winograd_4x4_32c__avx512vnni",
    .tiles = TILES,
    .cols = COLS,
    .lanes = LANES,
    .column_bytes = SIDE * sizeof(__m512i),
    .chunk_cost = POSITIONS * 4 * TILES * VECTORS * 1.02f,
    .tile_cost = TILES * VECTORS * 285.0f,
    .input_cost = 60.0f,
    .byte_cost = 0.06f,
    .most_bytes = 5 << 19,
    .tiles_bytes = tiles_bytes,
    .block_bytes = block_bytes,
    .pack = pack,
    .transform = edgecore_winograd_transform_avx512vnni,
    .run = run,
};
