/* GEMM tiles without dot product instructions: 4 pixels by 4 channels at a time, the 4 lanes of an accumulator holding partial
 * sums over K. For 16 K, smull and smlal2 make 8 sums of two products of int8 in 16 bits, and sadalp adds them in pairs.
 *
 * A block is [head], then for each 4 channels a [quad] and its weights: [taps][chunks of K][4 channels][16]; the chunk that ends a
 * tap holds 8 K where that is enough, but a block never begins with one. What lies past k is 0.
 *
 * Two products fit 16 bits but for (-128) * (-128) twice. Few models have weights of -128, so a block is looked at when it is
 * packed: where two that meet are -128, every product is widened by itself. */
#if defined(__aarch64__)
#include "isa/arm/gemm_neon.h"
#include "isa/arm/requant.h"

enum { ROWS = 4, QUAD = 4, COLS = 32, CHUNK = 16, HALF = 8 };

typedef struct block_head {
    int16_t zero_point[8]; /* a requant_head's numbers in every lane: one load is less than a load and a dup */
    int8_t min[16], max[16];
    uint8_t flip[16];
    int32_t rounding;
    bool exact;
    uint8_t unused[59];
} block_head;

typedef struct quad_head {
    int32_t bias[QUAD];
    requant_4 requant;
    int32_t left[QUAD];
} quad_head;

/* K of a tap's next chunk, `left` before its end. */
static size_t chunk_width(size_t left, bool first)
{
    return left > HALF || first ? CHUNK : HALF;
}

static size_t quad_bytes(size_t taps, size_t k)
{
    const size_t rest = (k + HALF - 1) / HALF * HALF, first = k > HALF ? rest : CHUNK;
    return sizeof(quad_head) + QUAD * (first + (taps - 1) * rest);
}

static size_t block_bytes(size_t taps, size_t k)
{
    return sizeof(block_head) + COLS / QUAD * quad_bytes(taps, k);
}

/* Weights of channel `c` of a quad; true where two of -128 meet in a sum. */
static bool pack_channel(int8_t *to, size_t c, const int8_t *w, size_t taps, size_t k)
{
    bool meet = false;
    for (size_t t = 0; t < taps; t++)
        for (size_t left = k; left > 0;) {
            const size_t width = chunk_width(left, t == 0 && left == k), n = left < width ? left : width;
            memcpy(to + c * width, w, n);
            for (size_t i = HALF; i < n; i++)
                meet |= w[i] == INT8_MIN && w[i - HALF] == INT8_MIN;
            to += QUAD * width;
            w += n;
            left -= n;
        }
    return meet;
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t taps = columns->taps, k = columns->k;
    memset(block, 0, block_bytes(taps, k));
    block_head *head = block;
    const requant_head numbers = make_head(columns);
    for (size_t i = 0; i < 8; i++)
        head->zero_point[i] = numbers.zero_point;
    memset(head->min, numbers.min, sizeof head->min);
    memset(head->max, numbers.max, sizeof head->max);
    memset(head->flip, numbers.flip, sizeof head->flip);
    head->rounding = numbers.rounding;
    uint8_t *at = (uint8_t *)(head + 1);
    for (size_t c = 0; c < columns->cols; c += QUAD, at += quad_bytes(taps, k)) {
        quad_head *quad = (quad_head *)at;
        edgecore_columns four = *columns;
        four.cols = columns->cols - c < QUAD ? columns->cols - c : QUAD;
        four.requant.bias += c;
        four.requant.multiplier += c;
        four.requant.shift += c;
        make_requant(&quad->requant, quad->bias, quad->left, 1, &four);
        for (size_t i = 0; i < four.cols; i++)
            head->exact |= pack_channel((int8_t *)(quad + 1), i, columns->weights + (c + i) * taps * k, taps, k);
    }
}

/* acc[r][c] += 16 K of row r and channel c; `first` sets it. */
INLINE void add_16(int32x4_t acc[ROWS][QUAD], const int8x16_t *a, const int8_t *w, const size_t rows, const bool first,
                   const bool exact)
{
#pragma GCC unroll 4
    for (size_t c = 0; c < QUAD; c++) {
        const int8x16_t weights = vld1q_s8(w + CHUNK * c);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            int16x8_t sums = vmull_s8(vget_low_s8(a[r]), vget_low_s8(weights));
            if (exact) {
                acc[r][c] = first ? vpaddlq_s16(sums) : vpadalq_s16(acc[r][c], sums);
                acc[r][c] = vpadalq_s16(acc[r][c], vmull_high_s8(a[r], weights));
            } else {
                sums = vmlal_high_s8(sums, a[r], weights);
                acc[r][c] = first ? vpaddlq_s16(sums) : vpadalq_s16(acc[r][c], sums);
            }
        }
    }
}

/* The same for 8 K; two channels share a vector of weights. */
INLINE void add_8(int32x4_t acc[ROWS][QUAD], const int8_t *const *row, const int8_t *w, const size_t rows)
{
    int8x16_t a[ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
        a[r] = vreinterpretq_s8_s64(vld1q_dup_s64((const void *)row[r]));
#pragma GCC unroll 2
    for (size_t c = 0; c < QUAD; c += 2) {
        const int8x16_t weights = vld1q_s8(w + HALF * c);
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            acc[r][c] = vpadalq_s16(acc[r][c], vmull_s8(vget_low_s8(a[r]), vget_low_s8(weights)));
            acc[r][c + 1] = vpadalq_s16(acc[r][c + 1], vmull_high_s8(a[r], weights));
        }
    }
}

/* Sums of `rows` x 4, and where the weights end. */
INLINE const int8_t *accumulate(const edgecore_gemm_args *args, const int8_t *w, int32x4_t acc[ROWS][QUAD], const size_t rows,
                                const bool exact)
{
    const uint8_t *const *a = args->a;
    const int8_t *row[ROWS];
    int8x16_t x[ROWS], next[ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
        row[r] = (const int8_t *)a[r] + args->a_offset;
        x[r] = vld1q_s8(row[r]);
        row[r] += CHUNK;
    }
    add_16(acc, x, w, rows, true, exact);
    w += QUAD * CHUNK;
    ptrdiff_t left = (ptrdiff_t)args->k - CHUNK;
    for (size_t taps = args->taps;;) {
        for (; left > CHUNK + HALF; left -= 2 * CHUNK) {
#pragma GCC unroll 4
            for (size_t r = 0; r < rows; r++) {
                x[r] = vld1q_s8(row[r]);
                next[r] = vld1q_s8(row[r] + CHUNK);
                row[r] += 2 * CHUNK;
            }
            add_16(acc, x, w, rows, false, exact);
            add_16(acc, next, w + QUAD * CHUNK, rows, false, exact);
            w += 2 * QUAD * CHUNK;
        }
        if (left > HALF) {
#pragma GCC unroll 4
            for (size_t r = 0; r < rows; r++) {
                x[r] = vld1q_s8(row[r]);
                row[r] += CHUNK;
            }
            add_16(acc, x, w, rows, false, exact);
            w += QUAD * CHUNK;
            left -= CHUNK;
        }
        if (left > 0) {
            add_8(acc, row, w, rows);
            w += QUAD * HALF;
        }
        if (--taps == 0)
            return w;
        a += args->row_pitch;
        left = (ptrdiff_t)args->k;
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++)
            row[r] = (const int8_t *)a[r] + args->a_offset;
    }
}

INLINE int32x4_t add_across(const int32x4_t acc[QUAD])
{
    return vpaddq_s32(vpaddq_s32(acc[0], acc[1]), vpaddq_s32(acc[2], acc[3]));
}

/* Bytes of `rows` x 4, one row after the other. */
INLINE uint8x16_t requantise(const block_head *head, const quad_head *quad, const int32x4_t acc[ROWS][QUAD], const size_t rows,
                             const int rounding)
{
    const int32x4_t bias = vld1q_s32(quad->bias);
    int32x4_t v[ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++)
        v[r] = r < rows ? scale_4(vaddq_s32(add_across(acc[r]), bias), &quad->requant, quad->left, rounding) : v[r - 1];
    const output_bounds bounds = {
        vld1q_s16(head->zero_point), vld1q_s8(head->min), vld1q_s8(head->max), vld1q_u8(head->flip)};
    return narrow_16(v[0], v[1], v[2], v[3], &bounds);
}

/* `rows` pixels of a block. */
INLINE void tile(const edgecore_gemm_args *args, const size_t rows, const int rounding, const bool exact)
{
    const block_head *head = args->block;
    const int8_t *at = (const int8_t *)(head + 1);
    uint8_t *out[ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
        out[r] = args->out[r] + args->out_offset;
    for (size_t left = args->cols;; left -= QUAD) {
        const quad_head *quad = (const quad_head *)at;
        int32x4_t acc[ROWS][QUAD];
        at = accumulate(args, at + sizeof *quad, acc, rows, exact);
        const uint32x4_t fours = vreinterpretq_u32_u8(requantise(head, quad, acc, rows, rounding));
        if (left < QUAD) {
            uint8_t bytes[ROWS][QUAD];
            vst1q_u32((void *)bytes, fours);
            for (size_t r = 0; r < rows; r++)
                memcpy(out[r], bytes[r], left);
            return;
        }
        vst1q_lane_u32((void *)out[0], fours, 0);
        if (rows > 1)
            vst1q_lane_u32((void *)out[1], fours, 1);
        if (rows > 2)
            vst1q_lane_u32((void *)out[2], fours, 2);
        if (rows > 3)
            vst1q_lane_u32((void *)out[3], fours, 3);
        if (left == QUAD)
            return;
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++)
            out[r] += QUAD;
    }
}

#define TILE(rows, rounding)                                                                                              \
    static void tile_##rows##_##rounding(const edgecore_gemm_args *args)                                                 \
    {                                                                                                                     \
        tile(args, rows, rounding, false);                                                                                \
    }
#define TILES(rounding) TILE(1, rounding) TILE(2, rounding) TILE(3, rounding) TILE(4, rounding)
TILES(ROUND_UP)
TILES(ROUND_AWAY)
TILES(ROUND_GENERAL)

typedef void tile_function(const edgecore_gemm_args *args);

#define TABLE(rounding) {tile_1_##rounding, tile_2_##rounding, tile_3_##rounding, tile_4_##rounding}
static tile_function *const tiles[][ROWS] = {TABLE(ROUND_UP), TABLE(ROUND_AWAY), TABLE(ROUND_GENERAL)};

__attribute__((noinline)) static void run_exact(const edgecore_gemm_args *args)
{
    edgecore_gemm_args row = *args;
    for (size_t r = 0; r < args->rows; r++, row.a++, row.out++)
        tile(&row, 1, ROUND_GENERAL, true);
}

static void run(const edgecore_gemm_args *args)
{
    const block_head *head = args->block;
    if (head->exact)
        run_exact(args);
    else
        tiles[head->rounding][args->rows - 1](args);
}

/* Costs are instructions. */
const edgecore_gemm_kernel edgecore_gemm_4x32_neon = {
    .name = "gemm_4x32c16__neon",
    .rows = ROWS,
    .cols = COLS,
    .k_step = CHUNK,
    .group_cost = 106.0f,
    .tile_cost = 430.0f,
    .block_bytes = block_bytes,
    .pack = pack,
    .run = run,
};
#endif
