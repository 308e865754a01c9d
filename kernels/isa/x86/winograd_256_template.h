/* Weights and products of the 256-bit Winograd kernels, over what the including file defines:
 *
 *   dot_2(acc, x, w)   acc[i] += x[2 * i] * w[2 * i] + x[2 * i + 1] * w[2 * i + 1], of int16
 *   KERNEL, NAME       the kernel and its name
 *   CHUNK_COST         see edgecore_winograd_kernel
 *
 * winograd_256.h has the arithmetic and the layouts. */
#ifndef EDGECORE_ISA_X86_WINOGRAD_256_TEMPLATE_H
#define EDGECORE_ISA_X86_WINOGRAD_256_TEMPLATE_H

#include "isa/x86/kernels.h"
#include "isa/x86/winograd_256.h"

enum { PAIR = 2 * COLS }; /* weights of a pair of channels */

static size_t tiles_bytes(size_t channels)
{
    return POSITIONS * TILES * chunks_of(channels) * CHUNK * sizeof(int16_t);
}

static size_t block_bytes(size_t channels)
{
    return sizeof(winograd_head) + POSITIONS * chunks_of(channels) * CHUNK * COLS * sizeof(int16_t);
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t channels = columns->k, position_step = chunks_of(channels) * CHUNK * COLS;
    memset(block, 0, block_bytes(channels));
    winograd_head *head = block;
    head->head = edgecore_pack_head(columns);
    for (size_t v = 0; v < VECTORS; v++) {
        pack_requant_8(&head->requant[v], columns, v * LANES);
        edgecore_winograd_scale(head->requant[v].bias, LANES);
    }
    edgecore_winograd_pack((int16_t *)(head + 1), columns, position_step, 2, PAIR);
}

INLINE __m256i broadcast_pair(const int16_t *pair)
{
    int32_t two;
    memcpy(&two, pair, 4);
    return _mm256_set1_epi32(two);
}

/* A compiler that may add the products of several pairs before it adds them to the sum does, and spills. */
INLINE void add_dot(__m256i *acc, __m256i x, __m256i w)
{
    *acc = dot_2(*acc, x, w);
    __asm__("" : "+x"(*acc));
}

/* Of `channels` channels of each tile. */
INLINE void add_products(__m256i acc[TILES][VECTORS], const int16_t *v, const int16_t *u, const size_t channels,
                         const size_t tiles)
{
#pragma GCC unroll 8
    for (size_t pair = 0; pair < channels / 2; pair++) {
        const __m256i low = load_256(u + pair * PAIR), high = load_256(u + pair * PAIR + 2 * LANES);
#pragma GCC unroll 6
        for (size_t t = 0; t < tiles; t++) {
            const __m256i x = broadcast_pair(v + t * channels + 2 * pair);
            add_dot(&acc[t][0], x, low);
            add_dot(&acc[t][1], x, high);
        }
    }
}

/* Sums over the channels in every position: [position][TILES][COLS]. */
INLINE void multiply(const int16_t *inputs, const int16_t *u, size_t chunks, int32_t *to, const size_t tiles)
{
    for (size_t p = 0; p < POSITIONS; p++, to += TILES * COLS) {
        const int16_t *v = inputs + p * TILES * WIDE;
        __m256i acc[TILES][VECTORS];
#pragma GCC unroll 6
        for (size_t t = 0; t < tiles; t++)
            acc[t][0] = acc[t][1] = _mm256_setzero_si256();
        for (size_t chunk = 0; chunk + 2 <= chunks; chunk += 2, v += POSITIONS * TILES * WIDE, u += WIDE * COLS)
            add_products(acc, v, u, WIDE, tiles);
        if (chunks % 2) {
            add_products(acc, v - p * TILES * CHUNK, u, CHUNK, tiles);
            u += CHUNK * COLS;
        }
#pragma GCC unroll 6
        for (size_t t = 0; t < tiles; t++) {
            _mm256_store_si256((__m256i *)(to + t * COLS), acc[t][0]);
            _mm256_store_si256((__m256i *)(to + t * COLS + LANES), acc[t][1]);
        }
    }
}

typedef void multiply_function(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to);

#define MULTIPLY(tiles)                                                                                                   \
    static void multiply_##tiles(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to)                         \
    {                                                                                                                     \
        multiply(v, u, chunks, to, tiles);                                                                                \
    }
MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)

static multiply_function *const multiplies[TILES] = {
    multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6,
};

static void run(const edgecore_winograd_args *args)
{
    const winograd_head *head = args->block;
    multiplies[args->count - 1](args->tiles, (const int16_t *)(head + 1), chunks_of(args->channels), args->scratch);
    edgecore_winograd_output_256(args);
}

const edgecore_winograd_kernel KERNEL = {
    .name = NAME,
    .tiles = TILES,
    .cols = COLS,
    .lanes = COLS,
    .column_bytes = SIDE * WIDE * sizeof(int16_t),
    .chunk_cost = CHUNK_COST,
    .tile_cost = 1700.0f,
    .input_cost = 60.0f,
    .byte_cost = 0.1f,
    .most_bytes = 8 << 20,
    .tiles_bytes = tiles_bytes,
    .block_bytes = block_bytes,
    .pack = pack,
    .transform = edgecore_winograd_transform_256,
    .run = run,
};

#endif
