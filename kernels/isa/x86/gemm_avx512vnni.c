/* GEMM tiles on vpdpbusd with 512-bit vectors: uint8 activations broadcast 4 bytes at a time against packed int8 weights,
 * 16 output channels a register.
 *
 * A block is [head][requant_16 per vector]weights
 * [taps][groups of 4 k][cols][4]. The sums of a tile go through memory on
 * their way to requantisation: it needs most of the registers itself. */
#include "isa/x86/requant_avx512.h"
#include "isa/x86/kernels.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE size_t block_bytes(size_t taps, size_t k, size_t vectors)
{
    return sizeof(edgecore_block_head) + vectors * sizeof(requant_16) + taps * ((k + 3) / 4) * vectors * 64;
}

static void put_group(uint8_t *to, size_t lane, const int8_t four[4])
{
    memcpy(to + 4 * lane, four, 4);
}

INLINE void pack(void *block, const edgecore_columns *columns, size_t vectors)
{
    memset(block, 0, block_bytes(columns->taps, columns->k, vectors));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_16 *requant = (requant_16 *)(head + 1);
    for (size_t v = 0; v < vectors; v++)
        pack_requant_16(&requant[v], columns, v * 16);
    edgecore_pack_groups((uint8_t *)(requant + vectors), columns, vectors, 16, 64, put_group);
}

INLINE __m512i broadcast_4(const uint8_t *bytes)
{
    int32_t group;
    memcpy(&group, bytes, 4);
    return _mm512_set1_epi32(group);
}

enum { rows_max = 12, vectors_max = 4 };

/* The sums of rows from `first` on, `rows` x `vectors`, both constants at each call. */
INLINE void accumulate(const edgecore_gemm_args *args, size_t first, __m512i acc[rows_max][vectors_max], const size_t rows,
                       const size_t vectors)
{
    const requant_16 *requant = (const requant_16 *)((const edgecore_block_head *)args->block + 1);
    const uint8_t *w = (const uint8_t *)(requant + vectors);
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            acc[r][v] = _mm512_load_si512(requant[v].bias);
    /* Rows are read from their ends with an index that counts up to 0: one register less, and 12 rows need all there are. */
    const ptrdiff_t bytes = (ptrdiff_t)((args->k + 3) / 4 * 4);
    const uint8_t *const *a = args->a + first;
    for (size_t t = 0; t < args->taps; t++, a += args->row_pitch) {
        const uint8_t *row[rows_max];
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++)
            row[r] = a[r] + args->a_offset + bytes;
        for (ptrdiff_t k = -bytes; k != 0; k += 4) {
            __m512i weights[vectors_max];
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++)
                weights[v] = _mm512_load_si512(w + 64 * v);
            w += 64 * vectors;
#pragma GCC unroll 16
            for (size_t r = 0; r < rows; r++) {
                const __m512i x = broadcast_4(row[r] + k);
#pragma GCC unroll 4
                for (size_t v = 0; v < vectors; v++)
                    acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], x, weights[v]);
            }
        }
    }
}

INLINE void tile(const edgecore_gemm_args *args, __m512i *sums, const size_t rows, const size_t vectors)
{
    __m512i acc[rows_max][vectors_max];
    accumulate(args, 0, acc, rows, vectors);
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            _mm512_store_si512(&sums[r * vectors + v], acc[r][v]);
}

/* Four vectors of sums are 64 bytes of one row (4 vectors a row, or 3 and a spare), of two rows or of four. */
INLINE size_t rows_at_once(size_t vectors)
{
    return vectors > 2 ? 1 : 4 / vectors;
}

/* `r` is the first of the rows, `mask` has args->cols bits. */
INLINE void store_rows(const edgecore_gemm_args *args, size_t r, __m512i bytes, const size_t vectors, __mmask64 mask)
{
    uint8_t *const *out = args->out + r;
    const size_t rows = args->rows - r, offset = args->out_offset;
    if (vectors > 2) {
        _mm512_mask_storeu_epi8(out[0] + offset, mask, bytes);
    } else if (vectors == 2) {
        _mm256_mask_storeu_epi8(out[0] + offset, (__mmask32)mask, _mm512_castsi512_si256(bytes));
        if (rows > 1)
            _mm256_mask_storeu_epi8(out[1] + offset, (__mmask32)mask, _mm512_extracti64x4_epi64(bytes, 1));
    } else {
        _mm_mask_storeu_epi8(out[0] + offset, (__mmask16)mask, _mm512_castsi512_si128(bytes));
        if (rows > 1)
            _mm_mask_storeu_epi8(out[1] + offset, (__mmask16)mask, _mm512_extracti32x4_epi32(bytes, 1));
        if (rows > 2)
            _mm_mask_storeu_epi8(out[2] + offset, (__mmask16)mask, _mm512_extracti32x4_epi32(bytes, 2));
        if (rows > 3)
            _mm_mask_storeu_epi8(out[3] + offset, (__mmask16)mask, _mm512_extracti32x4_epi32(bytes, 3));
    }
}

INLINE __mmask64 column_mask(const edgecore_gemm_args *args)
{
    return args->cols == 64 ? ~UINT64_C(0) : (UINT64_C(1) << args->cols) - 1;
}

/* Those rows, `rows_at_once` for each bit, in integers. */
INLINE void requantise_exactly(const edgecore_gemm_args *args, const __m512i *sums, uint32_t which, const size_t vectors,
                               const int rounding)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const size_t step = rows_at_once(vectors);
    for (; which; which &= which - 1) {
        const size_t r = (size_t)__builtin_ctz(which) * step;
        __m512i v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = i < step * vectors ? scale_16(sums[r * vectors + i], &q[i % vectors], rounding) : v[i - 1];
        const __m512i bytes = _mm512_permutexvar_epi32(transpose, narrow_64(v[0], v[1], v[2], v[3], &bounds));
        store_rows(args, r, bytes, vectors, column_mask(args));
    }
}

typedef struct finishing {
    fixing f[vectors_max];
    fix_bounds bounds;
    __m512i in_order;
    __mmask64 mask;
} finishing;

INLINE finishing load_finishing(const edgecore_gemm_args *args, const size_t vectors, const int rounding)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    finishing how = {
        .bounds = load_fix_bounds(head, edgecore_words_in_order),
        .in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
        .mask = column_mask(args),
    };
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        how.f[v] = load_fixing(&q[v], rounding);
    return how;
}

/* Stores `rows_at_once` rows and returns whether they are in doubt. */
INLINE bool finish_rows(const edgecore_gemm_args *args, size_t r, const __m512i *sums, const finishing *how, const size_t vectors,
                        const int rounding)
{
    __m512i v[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        v[i] = i < rows_at_once(vectors) * vectors ? fix_16(sums[i], &how->f[i % vectors], rounding) : v[i - 1];
    const __m512i bytes = _mm512_permutexvar_epi64(how->in_order, narrow_fixed_64(v[0], v[1], v[2], v[3], &how->bounds));
    store_rows(args, r, bytes, vectors, how->mask);
    return fix_in_doubt(v[0], v[1], v[2], v[3]);
}

/* Stores all rows and returns those that are in doubt, a bit for each `rows_at_once`. */
INLINE uint32_t requantise_in_float(const edgecore_gemm_args *args, const __m512i *sums, const size_t vectors, const int rounding)
{
    const finishing how = load_finishing(args, vectors, rounding);
    const size_t step = rows_at_once(vectors);
    uint32_t doubtful = 0;
    for (size_t r = 0, bit = 0; r < args->rows; r += step, bit++, sums += step * vectors)
        doubtful |= (uint32_t)finish_rows(args, r, sums, &how, vectors, rounding) << bit;
    return doubtful;
}

INLINE void requantise(const edgecore_gemm_args *args, const __m512i *sums, const size_t vectors, const int rounding)
{
    const uint32_t all = (UINT32_C(1) << (args->rows + rows_at_once(vectors) - 1) / rows_at_once(vectors)) - 1;
    const uint32_t left = rounding == ROUND_GENERAL ? all : requantise_in_float(args, sums, vectors, rounding);
    if (left)
        requantise_exactly(args, sums, left, vectors, rounding);
}

/* Not inlined into the tiles: gcc would otherwise spill the accumulators in their inner loop. */
#define REQUANTISE(vectors)                                                                                            \
    __attribute__((noinline)) static void requantise_##vectors(const edgecore_gemm_args *args, const __m512i *sums)   \
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

/* Layers of little K: small tiles whose sums stay in registers, one after the other, so that the processor overlaps the end of one
 * with the beginning of the next. The last tile begins early enough to be a whole one. Doubtful rows as above. */
INLINE uint32_t stream(const edgecore_gemm_args *args, const size_t rows, const size_t vectors, const int rounding)
{
    const finishing how = load_finishing(args, vectors, rounding);
    const size_t step = rows_at_once(vectors);
    uint32_t doubtful = 0, bit = 1;
    for (size_t i = 0; i < args->rows; i += rows) {
        const size_t first = i + rows <= args->rows ? i : args->rows - rows;
        __m512i acc[rows_max][vectors_max];
        accumulate(args, first, acc, rows, vectors);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r += step, bit <<= 1) {
            __m512i v[4];
#pragma GCC unroll 4
            for (size_t j = 0; j < step * vectors; j++)
                v[j] = acc[r + j / vectors][j % vectors];
            if (finish_rows(args, first + r, v, &how, vectors, rounding))
                doubtful |= bit;
        }
    }
    return doubtful;
}

#define STREAM(height, vectors)                                                                                          \
    __attribute__((noinline)) static uint32_t stream_##vectors(const edgecore_gemm_args *args)                         \
    {                                                                                                                  \
        if (((const edgecore_block_head *)args->block)->rounding == ROUND_UP)                                          \
            return stream(args, height, vectors, ROUND_UP);                                                              \
        return stream(args, height, vectors, ROUND_AWAY);                                                                \
    }                                                                                                                  \
    __attribute__((noinline)) static void stream_exactly_##vectors(const edgecore_gemm_args *args, uint32_t which)     \
    {                                                                                                                  \
        const size_t step = rows_at_once(vectors), groups = height / step;                                               \
        __m512i sums[4];                                                                                               \
        for (; which; which &= which - 1) {                                                                            \
            const size_t bit = (size_t)__builtin_ctz(which), i = bit / groups * height;                                  \
            const size_t first = (i + height <= args->rows ? i : args->rows - height) + bit % groups * step;               \
            edgecore_gemm_args part = *args;                                                                           \
            part.a += first;                                                                                           \
            part.out += first;                                                                                         \
            part.rows = step;                                                                                          \
            tile(&part, sums, step, vectors);                                                                          \
            requantise_exactly(&part, sums, 1, vectors, ROUND_AWAY);                                                   \
        }                                                                                                              \
    }                                                                                                                  \
    static void run_stream_##vectors(const edgecore_gemm_args *args)                                                   \
    {                                                                                                                  \
        enum { most = 8 * height };                                                                                      \
        const size_t total = args->rows * args->tiles;                                                                 \
        edgecore_gemm_args part = *args;                                                                               \
        for (size_t i = 0; i < total; i += most) {                                                                     \
            const size_t left = total - i, first = left < height ? total - height : i;                                     \
            part.a = args->a + first;                                                                                  \
            part.out = args->out + first;                                                                              \
            part.rows = left < height ? height : left < most ? left : most;                                                \
            const uint32_t doubtful = stream_##vectors(&part);                                                         \
            if (doubtful)                                                                                              \
                stream_exactly_##vectors(&part, doubtful);                                                             \
        }                                                                                                              \
    }

#ifndef SMALL
#define SMALL 128
#endif

#define TILE(rows, vectors)                                                                                            \
    __attribute__((noinline)) static void tile_##rows##x##vectors(const edgecore_gemm_args *args, __m512i *sums)      \
    {                                                                                                                  \
        tile(args, sums, rows, vectors);                                                                               \
    }

typedef void tile_function(const edgecore_gemm_args *args, __m512i *sums);

#define KERNEL(rows_, cols_, vectors, per_group, per_tile)                                                             \
    static size_t block_bytes_##cols_(size_t taps, size_t k)                                                           \
    {                                                                                                                  \
        return block_bytes(taps, k, vectors);                                                                          \
    }                                                                                                                  \
    static void pack_##cols_(void *block, const edgecore_columns *columns)                                             \
    {                                                                                                                  \
        pack(block, columns, vectors);                                                                                 \
    }                                                                                                                  \
    static void run_##cols_(const edgecore_gemm_args *args)                                                            \
    {                                                                                                                  \
        if (args->taps * args->k <= SMALL && ((const edgecore_block_head *)args->block)->rounding != ROUND_GENERAL &&    \
            args->rows * args->tiles >= STREAM_ROWS_##vectors) {                                                       \
            run_stream_##vectors(args);                                                                                \
            return;                                                                                                    \
        }                                                                                                              \
        __m512i sums[(rows_) * (vectors) + 3];                                                                           \
        edgecore_gemm_args part = *args;                                                                               \
        for (size_t t = 0; t < args->tiles; t++, part.a += args->rows, part.out += args->rows) {                       \
            tiles_##cols_[args->rows - 1](&part, sums);                                                                \
            requantise_##vectors(&part, sums);                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    const edgecore_gemm_kernel edgecore_gemm_##rows_##x##cols_##_avx512vnni = {                                        \
        .name = "gemm_" #rows_ "x" #cols_ "c4__avx512vnni",                                                            \
        .rows = rows_,                                                                                                 \
        .cols = cols_,                                                                                                 \
        .takes_tiles = true,                                                                                           \
        .k_step = 4,                                                                                                   \
        .group_cost = per_group,                                                                                       \
        .tile_cost = per_tile,                                                                                         \
        .block_bytes = block_bytes_##cols_,                                                                            \
        .pack = pack_##cols_,                                                                                          \
        .run = run_##cols_,                                                                                            \
    }

#define STREAM_ROWS_4 3
#define STREAM_ROWS_3 4
#define STREAM_ROWS_2 4
#define STREAM_ROWS_1 8
STREAM(3, 4)
STREAM(4, 3)
STREAM(4, 2)
STREAM(8, 1)

TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 4) TILE(5, 4) TILE(6, 4)
static tile_function *const tiles_64[] = {tile_1x4, tile_2x4, tile_3x4, tile_4x4, tile_5x4, tile_6x4};
REQUANTISE(4)
KERNEL(6, 64, 4, 12.0f, 165.0f);

TILE(1, 3) TILE(2, 3) TILE(3, 3) TILE(4, 3) TILE(5, 3) TILE(6, 3) TILE(7, 3) TILE(8, 3)
static tile_function *const tiles_48[] = {
    tile_1x3, tile_2x3, tile_3x3, tile_4x3, tile_5x3, tile_6x3, tile_7x3, tile_8x3,
};
REQUANTISE(3)
KERNEL(8, 48, 3, 12.1f, 175.0f);

TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2)
TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2)
static tile_function *const tiles_32[] = {
    tile_1x2, tile_2x2, tile_3x2, tile_4x2, tile_5x2, tile_6x2,
    tile_7x2, tile_8x2, tile_9x2, tile_10x2, tile_11x2, tile_12x2,
};
REQUANTISE(2)
KERNEL(12, 32, 2, 12.1f, 170.0f);

TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
static tile_function *const tiles_16[] = {
    tile_1x1, tile_2x1, tile_3x1, tile_4x1, tile_5x1, tile_6x1,
    tile_7x1, tile_8x1, tile_9x1, tile_10x1, tile_11x1, tile_12x1,
};
REQUANTISE(1)
KERNEL(12, 16, 1, 7.5f, 95.0f);
