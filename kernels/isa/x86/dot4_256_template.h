/* GEMM tiles with 256-bit vectors, over one primitive that the including file defines:
 *
 *   dot_4(acc, x, w)   acc[i] += sum over k < 4 of uint8 x[4 * i + k] * int8 w of lane i and k
 *   DOT_BYTES          bytes of packed weights that one dot_4 reads
 *   row_weights(w)     w, as the next row of a tile is to read it
 *   pack_dot(to, i, four)   puts the 4 weights of lane i there
 *   NAMED(name)        gives an exported name the tier's suffix
 *   TIER_NAME          the tier's name, as a string
 *
 * A block is [head][requant_8 per vector][taps][groups of 4 k][vectors][DOT_BYTES] of weights. */
#ifndef EDGECORE_ISA_X86_DOT4_256_TEMPLATE_H
#define EDGECORE_ISA_X86_DOT4_256_TEMPLATE_H

#include "isa/x86/requant_256.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    ROWS_MAX = 12,
    VECTORS_MAX = 4,
    LANES = 8,
    TILES_AT_ONCE = 4, /* whose sums are requantised together */
};

INLINE size_t gemm_bytes(size_t taps, size_t k, size_t vectors)
{
    return sizeof(edgecore_block_head) + vectors * sizeof(requant_8) + taps * ((k + 3) / 4) * vectors * DOT_BYTES;
}

static void gemm_pack(void *block, const edgecore_columns *columns, size_t vectors)
{
    memset(block, 0, gemm_bytes(columns->taps, columns->k, vectors));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_8 *requant = (requant_8 *)(head + 1);
    for (size_t v = 0; v < vectors; v++)
        pack_requant_8(&requant[v], columns, v * LANES);
    edgecore_pack_groups((uint8_t *)(requant + vectors), columns, vectors, LANES, DOT_BYTES, pack_dot);
}

INLINE __m256i broadcast_4(const uint8_t *bytes)
{
    int32_t group;
    memcpy(&group, bytes, 4);
    return _mm256_set1_epi32(group);
}

/* sums[r][v] for `rows` x `vectors`, both constants at each call, of the tile that begins with row `first`. */
INLINE void accumulate(const edgecore_gemm_args *args, size_t first, __m256i *sums, const size_t rows, const size_t vectors)
{
    const requant_8 *requant = (const requant_8 *)((const edgecore_block_head *)args->block + 1);
    const uint8_t *w = (const uint8_t *)(requant + vectors);
    __m256i acc[ROWS_MAX][VECTORS_MAX];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            acc[r][v] = load_256(requant[v].bias);
    /* Rows are read from their ends with an index that counts up to 0: one register less, and 12 rows need all there are. */
    const ptrdiff_t bytes = (ptrdiff_t)((args->k + 3) / 4 * 4);
    const uint8_t *const *a = args->a + first;
    for (size_t t = 0; t < args->taps; t++, a += args->row_pitch) {
        const uint8_t *row[ROWS_MAX];
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
            row[r] = a[r] + args->a_offset + bytes;
        for (ptrdiff_t k = -bytes; k != 0; k += 4, w += vectors * DOT_BYTES) {
#pragma GCC unroll 12
            for (size_t r = 0; r < rows; r++) {
                const __m256i x = broadcast_4(row[r] + k);
                const uint8_t *weights = row_weights(w);
#pragma GCC unroll 4
                for (size_t v = 0; v < vectors; v++)
                    acc[r][v] = dot_4(acc[r][v], x, weights + v * DOT_BYTES);
            }
        }
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            _mm256_store_si256(&sums[r * vectors + v], acc[r][v]);
}

/* All rows of args->rows, a multiple of `rows`. */
INLINE void accumulate_tiles(const edgecore_gemm_args *args, __m256i *sums, const size_t rows, const size_t vectors)
{
    for (size_t first = 0; first < args->rows; first += rows, sums += rows * vectors)
        accumulate(args, first, sums, rows, vectors);
}

/* Four vectors of sums become 32 bytes of one row (4 vectors a row, or 3 and a spare), of two rows or of four. */
INLINE void requantise(const edgecore_gemm_args *args, const __m256i *sums, const size_t vectors, const int rounding)
{
    const edgecore_block_head *head = args->block;
    const requant_8 *q = (const requant_8 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const __m256i transpose = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const size_t rows_at_once = vectors > 2 ? 1 : 4 / vectors, row_bytes = vectors * LANES;
    for (size_t r = 0; r < args->rows; r += rows_at_once, sums += rows_at_once * vectors) {
        __m256i v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = i < rows_at_once * vectors ? scale_8(sums[i], &q[i % vectors], rounding) : v[i - 1];
        uint8_t bytes[32];
        _mm256_storeu_si256((__m256i *)bytes,
                            _mm256_permutevar8x32_epi32(narrow_32(v[0], v[1], v[2], v[3], &bounds), transpose));
        for (size_t i = 0; i < rows_at_once && r + i < args->rows; i++) {
            uint8_t *out = args->out[r + i] + args->out_offset;
            if (args->cols == row_bytes)
                memcpy(out, bytes + i * row_bytes, row_bytes);
            else
                memcpy(out, bytes + i * row_bytes, args->cols);
        }
    }
}

/* Not inlined into the tiles: gcc would otherwise spill the accumulators in their inner loop. */
#define REQUANTISE(vectors)                                                                                            \
    __attribute__((noinline)) static void requantise_##vectors(const edgecore_gemm_args *args, const __m256i *sums)   \
    {                                                                                                                  \
        switch (((const edgecore_block_head *)args->block)->rounding) {                                               \
        case ROUND_UP:                                                                                                 \
            requantise(args, sums, vectors, ROUND_UP);                                                                \
            break;                                                                                                     \
        case ROUND_AWAY:                                                                                               \
            requantise(args, sums, vectors, ROUND_AWAY);                                                              \
            break;                                                                                                     \
        default:                                                                                                       \
            requantise(args, sums, vectors, ROUND_GENERAL);                                                           \
        }                                                                                                              \
    }

typedef void tile_function(const edgecore_gemm_args *args, __m256i *sums);

#define TILE(rows, vectors)                                                                                            \
    __attribute__((noinline)) static void tile_##rows##x##vectors(const edgecore_gemm_args *args, __m256i *sums)      \
    {                                                                                                                  \
        accumulate_tiles(args, sums, rows, vectors);                                                                   \
    }

/* tiles_<cols> holds the tile functions for 1 .. rows rows; they and requantise_<vectors> take all rows of a few tiles. */
#define KERNEL(rows_, cols_, vectors, per_group, per_tile)                                                             \
    REQUANTISE(vectors)                                                                                                \
    static size_t block_bytes_##cols_(size_t taps, size_t k)                                                           \
    {                                                                                                                  \
        return gemm_bytes(taps, k, vectors);                                                                           \
    }                                                                                                                  \
    static void pack_##cols_(void *block, const edgecore_columns *columns)                                             \
    {                                                                                                                  \
        gemm_pack(block, columns, vectors);                                                                            \
    }                                                                                                                  \
    static void run_##cols_(const edgecore_gemm_args *args)                                                            \
    {                                                                                                                  \
        __m256i sums[TILES_AT_ONCE * (rows_) * (vectors) + 3];                                                         \
        edgecore_gemm_args some = *args;                                                                               \
        for (size_t left = args->tiles, tiles; left; left -= tiles, some.a += some.rows, some.out += some.rows) {      \
            tiles = left < TILES_AT_ONCE ? left : TILES_AT_ONCE;                                                       \
            some.rows = tiles * args->rows;                                                                            \
            tiles_##cols_[args->rows - 1](&some, sums);                                                                \
            requantise_##vectors(&some, sums);                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    const edgecore_gemm_kernel NAMED(edgecore_gemm_##rows_##x##cols_) = {                                              \
        .name = "gemm_" #rows_ "x" #cols_ "c4__" TIER_NAME,                                                            \
        .rows = rows_,                                                                                                 \
        .cols = cols_,                                                                                                 \
        .k_step = 4,                                                                                                   \
        .takes_tiles = true,                                                                                           \
        .group_cost = per_group,                                                                                       \
        .tile_cost = per_tile,                                                                                         \
        .block_bytes = block_bytes_##cols_,                                                                            \
        .pack = pack_##cols_,                                                                                          \
        .run = run_##cols_,                                                                                            \
    }

#endif
