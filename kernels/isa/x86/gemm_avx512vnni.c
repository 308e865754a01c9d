/* GEMM tiles on vpdpbusd with 512-bit vectors: uint8 activations broadcast 4 bytes at a time against packed int8 weights,
 * 16 output channels a register.
 *
 * A block is [head][requant_16 per vector]weights[taps][groups of 4 k][vectors][64]. Tiles are no larger than keeps vpdpbusd
 * busy, 12 sums: these stay in registers until they are bytes, and the processor overlaps the end of a tile with the beginning
 * of the next. */
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

enum { rows_max = 12, vectors_max = 4, NEAR_BYTES = 24 << 10 };

typedef __m512i sums[rows_max][vectors_max];

/* The sums of rows from `first` on; `rows` and `vectors` are constants at each call, here and below. */
INLINE void accumulate(const edgecore_gemm_args *args, size_t first, sums acc, const size_t rows, const size_t vectors)
{
    const requant_16 *requant = (const requant_16 *)((const edgecore_block_head *)args->block + 1);
    const uint8_t *w = (const uint8_t *)(requant + vectors);
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            acc[r][v] = _mm512_load_si512(requant[v].bias);
    /* Rows are read from their ends with an index that counts up to 0: one register less. */
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

INLINE __mmask64 column_mask(const edgecore_gemm_args *args)
{
    return args->cols == 64 ? ~UINT64_C(0) : (UINT64_C(1) << args->cols) - 1;
}

/* 64 bytes are a row of 3 or 4 vectors, or up to 2 rows of 2, or up to 4 of one. */
INLINE void store_rows(const edgecore_gemm_args *args, size_t first, __m512i bytes, const size_t rows, const size_t vectors,
                       __mmask64 mask)
{
    uint8_t *const *out = args->out + first;
    const size_t offset = args->out_offset;
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

/* `count` rows from `first` on, one by one and in integers. The rounding of all: rows that come here are few. */
INLINE void exact_rows(const edgecore_gemm_args *args, size_t first, size_t count, const size_t vectors)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    const output_bounds bounds = load_bounds(head);
    const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (size_t r = first; r < first + count; r++) {
        sums acc;
        accumulate(args, r, acc, 1, vectors);
        __m512i v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = i < vectors ? scale_16(acc[0][i], &q[i], ROUND_GENERAL) : v[i - 1];
        const __m512i bytes = _mm512_permutexvar_epi32(transpose, narrow_64(v[0], v[1], v[2], v[3], &bounds));
        store_rows(args, r, bytes, 1, vectors, column_mask(args));
    }
}

INLINE size_t rows_at_once(size_t rows, size_t vectors)
{
    const size_t most = vectors > 2 ? 1 : 4 / vectors;
    return rows < most ? rows : most;
}

/* The last tile begins early enough to be a whole one: some rows may be done twice. */
INLINE size_t tile_start(size_t i, size_t rows, size_t total)
{
    return i + rows <= total ? i : total - rows;
}

typedef void sum_function(const edgecore_gemm_args *args, size_t first, sums acc);

/* All rows, in tiles of `rows`, accumulated here or by `sum`. Returns where a byte is in doubt: a bit for each `rows_at_once`,
 * tile after tile. */
INLINE uint32_t fast_rows(const edgecore_gemm_args *args, const size_t rows, const size_t vectors, const int rounding,
                          sum_function *sum)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    const fix_bounds bounds = load_fix_bounds(head, edgecore_words_in_order);
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __mmask64 mask = column_mask(args);
    const size_t step = rows_at_once(rows, vectors);
    fixing f[vectors_max];
#pragma GCC unroll 4
    for (size_t v = 0; v < vectors; v++)
        f[v] = load_fixing(&q[v], rounding);
    uint32_t doubtful = 0, bit = 1;
    for (size_t i = 0; i < args->rows; i += rows) {
        const size_t first = tile_start(i, rows, args->rows);
        sums acc;
        if (sum)
            sum(args, first, acc);
        else
            accumulate(args, first, acc, rows, vectors);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r += step, bit <<= 1) {
            __m512i v[4];
#pragma GCC unroll 4
            for (size_t j = 0; j < 4; j++)
                v[j] = j < step * vectors ? fix_16(acc[r + j / vectors][j % vectors], &f[j % vectors], rounding) : v[j - 1];
            const __m512i bytes = _mm512_permutexvar_epi64(in_order, narrow_fixed_64(v[0], v[1], v[2], v[3], &bounds));
            store_rows(args, first + r, bytes, step, vectors, mask);
            if (fix_in_doubt(v[0], v[1], v[2], v[3]))
                doubtful |= bit;
        }
    }
    return doubtful;
}

typedef uint32_t fast_function(const edgecore_gemm_args *args);
typedef void exact_function(const edgecore_gemm_args *args, size_t first, size_t count);

/* `count` rows from `first` on, as many at a time as there are bits for doubts. */
INLINE void run_rows(const edgecore_gemm_args *args, size_t first, size_t count, const size_t rows, const size_t vectors,
                     fast_function *fast, exact_function *exact)
{
    const size_t step = rows_at_once(rows, vectors), steps = rows / step, most = 32 / steps * rows;
    edgecore_gemm_args part = *args;
    for (const size_t end = first + count; first < end; first += part.rows) {
        if (end - first < rows)
            first = end - rows;
        part.rows = end - first < most ? end - first : most;
        part.a = args->a + first;
        part.out = args->out + first;
        for (uint32_t doubtful = fast(&part); doubtful; doubtful &= doubtful - 1) {
            const size_t bit = (size_t)__builtin_ctz(doubtful);
            exact(&part, tile_start(bit / steps * rows, rows, part.rows) + bit % steps * step, step);
        }
    }
}

/* The heights of tiles. Tall ones read weights less often, where the nearest cache cannot hold them; rows too few for a tile, or
 * one that is left over, go by themselves. */
typedef struct heights {
    size_t tall, usual;
    fast_function *fast_tall, *fast, *fast_single;
    exact_function *exact;
} heights;

INLINE void run(const edgecore_gemm_args *args, const size_t vectors, const heights how)
{
    const size_t total = args->rows, weights = args->taps * args->k * vectors * 16;
    if (((const edgecore_block_head *)args->block)->rounding == ROUND_GENERAL) {
        how.exact(args, 0, total);
        return;
    }
    const size_t tall = weights > NEAR_BYTES ? total / how.tall * how.tall : 0, left = total - tall;
    const size_t alone = total < how.usual ? left : left % how.usual == 1;
    run_rows(args, 0, tall, how.tall, vectors, how.fast_tall, how.exact);
    run_rows(args, tall, left - alone, how.usual, vectors, how.fast, how.exact);
    run_rows(args, total - alone, alone, 1, vectors, how.fast_single, how.exact);
}

#define FAST(rows, vectors, sum)                                                                                       \
    __attribute__((noinline)) static uint32_t fast_##rows##x##vectors(const edgecore_gemm_args *args)                  \
    {                                                                                                                  \
        if (((const edgecore_block_head *)args->block)->rounding == ROUND_UP)                                          \
            return fast_rows(args, rows, vectors, ROUND_UP, sum);                                                      \
        return fast_rows(args, rows, vectors, ROUND_AWAY, sum);                                                        \
    }

/* Single rows are few: rounding away from zero, which is right for all, costs them nothing. */
#define FAST_SINGLE(vectors)                                                                                           \
    __attribute__((noinline)) static uint32_t fast_1x##vectors(const edgecore_gemm_args *args)                         \
    {                                                                                                                  \
        return fast_rows(args, 1, vectors, ROUND_AWAY, NULL);                                                          \
    }

/* Tall tiles take all registers: not inlined, as gcc would spill some in the inner loop, and through memory. */
#define FAST_TALL(rows, vectors)                                                                                       \
    __attribute__((noinline)) static void sum_##rows##x##vectors(const edgecore_gemm_args *args, size_t first, sums to)\
    {                                                                                                                  \
        sums acc;                                                                                                      \
        accumulate(args, first, acc, rows, vectors);                                                                   \
        _Pragma("GCC unroll 12") for (size_t r = 0; r < rows; r++)                                                     \
            _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; v++)                                               \
                _mm512_store_si512(&to[r][v], acc[r][v]);                                                              \
    }                                                                                                                  \
    FAST(rows, vectors, sum_##rows##x##vectors)

#define KERNEL(tall, rows_, cols_, vectors, per_group, per_tile)                                                       \
    FAST_SINGLE(vectors)                                                                                               \
    FAST(rows_, vectors, NULL)                                                                                         \
    FAST_TALL(tall, vectors)                                                                                           \
    __attribute__((noinline)) static void exact_##vectors(const edgecore_gemm_args *args, size_t first, size_t count)  \
    {                                                                                                                  \
        exact_rows(args, first, count, vectors);                                                                       \
    }                                                                                                                  \
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
        run(args, vectors, (heights){tall, rows_, fast_##tall##x##vectors, fast_##rows_##x##vectors,                   \
                                     fast_1x##vectors, exact_##vectors});                                              \
    }                                                                                                                  \
    const edgecore_gemm_kernel edgecore_gemm_##rows_##x##cols_##_avx512vnni = {                                        \
        .name = "gemm_" #rows_ "x" #cols_ "c4__avx512vnni",                                                            \
        .rows = rows_,                                                                                                 \
        .cols = cols_,                                                                                                 \
        .k_step = 4,                                                                                                   \
        .takes_rows = true,                                                                                            \
        .group_cost = per_group,                                                                                       \
        .tile_cost = per_tile,                                                                                         \
        .block_bytes = block_bytes_##cols_,                                                                            \
        .pack = pack_##cols_,                                                                                          \
        .run = run_##cols_,                                                                                            \
    }

KERNEL(6, 3, 64, 4, 12.0f, 44.0f);
KERNEL(8, 4, 48, 3, 12.1f, 54.0f);
KERNEL(12, 6, 32, 2, 12.1f, 50.0f);
KERNEL(12, 8, 16, 1, 8.1f, 48.0f);
