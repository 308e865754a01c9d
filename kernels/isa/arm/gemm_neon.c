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
#include "isa/arm/gemm_neon_sums.h"
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

INLINE const int8_t *sum(const tile_rows *t, const int8_t *w, int32x4_t sums[ROWS], const size_t rows)
{
    return rows == 1 ? sums_1(t, w, sums) : rows == 2 ? sums_2(t, w, sums) : rows == 3 ? sums_3(t, w, sums) : sums_4(t, w, sums);
}

/* One pixel, with every product widened by itself. */
static const int8_t *sum_exact(const tile_rows *t, const int8_t *w, int32x4_t sums[ROWS])
{
    int32x4_t acc[QUAD] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (const uint8_t *const *a = t->a;; a += t->pitch / sizeof *a) {
        const int8_t *row = (const int8_t *)*a + t->offset;
        for (size_t left = t->k; left > 0;) {
            const size_t width = chunk_width(left, a == t->a && left == t->k);
            for (size_t half = 0; half < width; half += HALF)
                for (size_t c = 0; c < QUAD; c++)
                    acc[c] = vpadalq_s16(acc[c], vmull_s8(vld1_s8(row + half), vld1_s8(w + c * width + half)));
            row += width;
            w += QUAD * width;
            left -= left < width ? left : width;
        }
        if (a == t->last)
            break;
    }
    sums[0] = vpaddq_s32(vpaddq_s32(acc[0], acc[1]), vpaddq_s32(acc[2], acc[3]));
    return w;
}

/* Bytes of `rows` x 4, one pixel after the other. */
INLINE uint8x16_t requantise(const block_head *head, const quad_head *quad, const int32x4_t sums[ROWS], const size_t rows,
                             const int rounding)
{
    const int32x4_t bias = vld1q_s32(quad->bias);
    int32x4_t v[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        v[r] = r < rows ? scale_4(vaddq_s32(sums[r], bias), &quad->requant, quad->left, rounding) : v[r - 1];
    const output_bounds bounds = {
        vld1q_s16(head->zero_point), vld1q_s8(head->min), vld1q_s8(head->max), vld1q_u8(head->flip)};
    return narrow_16(v[0], v[1], v[2], v[3], &bounds);
}

/* The first `n` < 4 channels of each pixel. */
__attribute__((noinline)) static void store_rest(uint8_t *const *out, uint32x4_t fours, size_t rows, size_t n)
{
    uint8_t bytes[ROWS][QUAD];
    vst1q_u32((void *)bytes, fours);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < n; c++)
            out[r][c] = bytes[r][c];
}

/* `rows` pixels of a block. */
INLINE void tile(const edgecore_gemm_args *args, const size_t rows, const int rounding, const bool exact)
{
    const block_head *head = args->block;
    const int8_t *at = (const int8_t *)(head + 1);
    tile_rows t = {
        .a = args->a,
        .last = args->a + (args->taps - 1) * args->row_pitch,
        .pitch = args->row_pitch * sizeof *args->a,
        .offset = args->a_offset,
        .k = args->k,
    };
    uint8_t *out[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        t.first[r] = r < rows ? (const int8_t *)args->a[r] + args->a_offset : t.first[0];
        out[r] = r < rows ? args->out[r] + args->out_offset : NULL;
    }
    for (size_t left = args->cols;; left -= QUAD) {
        const quad_head *quad = (const quad_head *)at;
        int32x4_t sums[ROWS];
        at = exact ? sum_exact(&t, at + sizeof *quad, sums) : sum(&t, at + sizeof *quad, sums, rows);
        const uint32x4_t fours = vreinterpretq_u32_u8(requantise(head, quad, sums, rows, rounding));
        if (left < QUAD) {
            store_rest(out, fours, rows, left);
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
