/* GEMM tiles without dot product instructions: 4 pixels by 4 channels at a time, the 4 lanes of an accumulator holding partial
 * sums over K. For 16 K, smull and smlal2 make 8 sums of two products of int8 in 16 bits, and sadalp adds them in pairs.
 *
 * A block is [head], then for each 4 channels their weights and a [quad]. Weights are [taps][chunks of K][4 channels][16]; the
 * chunk that ends a tap holds 8 K where that is enough, but the first tap never begins with one. What lies past k is 0.
 *
 * Two products fit 16 bits but for (-128) * (-128) twice. Few models have weights of -128, so a block is looked at when it is
 * packed: where two that meet are -128, every product is widened by itself. */
#if defined(__aarch64__)
#include "isa/arm/kernels.h"
#include "isa/arm/gemm_neon_sums.h"
#include "isa/arm/requant.h"

enum { ROWS = 4, QUAD = 4, COLS = 32, CHUNK = 16, HALF_CHUNK = 8 };

typedef struct block_head {
    int16_t zero_point[8]; /* a requant_head's numbers in every lane: one load is less than a load and a dup */
    int8_t min[16], max[16];
    uint8_t flip[16];
    int32_t finish;
    bool exact;
    uint8_t unused[59];
} block_head;

/* How sums become bytes. */
enum finish {
    UP_PLAIN,   /* ROUND_UP, narrow_16_plain */
    AWAY_PLAIN, /* ROUND_AWAY, narrow_16_plain */
    UP,         /* ROUND_UP, narrow_16 */
    GENERAL,    /* ROUND_GENERAL, narrow_16: right for all */
};

typedef struct quad {
    int32_t bias[QUAD];
    requant_4 requant;
    int32_t left[QUAD];
} quad;

/* K of a tap's next chunk, `left` before its end. */
static size_t chunk_width(size_t left, bool first)
{
    return left > HALF_CHUNK || first ? CHUNK : HALF_CHUNK;
}

/* Of a quad's weights. */
static size_t weight_bytes(size_t taps, size_t k)
{
    const size_t rest = (k + HALF_CHUNK - 1) / HALF_CHUNK * HALF_CHUNK, first = k > HALF_CHUNK ? rest : CHUNK;
    return QUAD * (first + (taps - 1) * rest);
}

static size_t block_bytes(size_t taps, size_t k)
{
    return sizeof(block_head) + COLS / QUAD * (weight_bytes(taps, k) + sizeof(quad));
}

/* Weights of channel `c` of a quad; true where two of -128 meet in a sum. */
static bool pack_channel(int8_t *to, size_t c, const int8_t *w, size_t taps, size_t k)
{
    bool meet = false;
    for (size_t t = 0; t < taps; t++)
        for (size_t left = k; left > 0;) {
            const size_t width = chunk_width(left, t == 0 && left == k), n = left < width ? left : width;
            memcpy(to + c * width, w, n);
            for (size_t i = HALF_CHUNK; i < n; i++)
                meet |= w[i] == INT8_MIN && w[i - HALF_CHUNK] == INT8_MIN;
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
    if (numbers.rounding == ROUND_UP)
        head->finish = is_plain(&numbers) ? UP_PLAIN : UP;
    else
        head->finish = numbers.rounding == ROUND_AWAY && is_plain(&numbers) ? AWAY_PLAIN : GENERAL;
    int8_t *weights = (int8_t *)(head + 1);
    for (size_t c = 0; c < columns->cols; c += QUAD) {
        quad *to = (quad *)(weights + weight_bytes(taps, k));
        edgecore_columns four = *columns;
        four.cols = columns->cols - c < QUAD ? columns->cols - c : QUAD;
        four.requant.bias += c;
        four.requant.multiplier += c;
        four.requant.shift += c;
        make_requant(&to->requant, to->bias, to->left, 1, &four);
        for (size_t i = 0; i < four.cols; i++)
            head->exact |= pack_channel(weights, i, columns->weights + (c + i) * taps * k, taps, k);
        weights = (int8_t *)(to + 1);
    }
}

INLINE const int8_t *sum(const tile_rows *t, const int8_t *w, int32x4_t sums[ROWS], const size_t rows, const bool of_32s)
{
    if (of_32s)
        return sums_4_of_32s(t, w, sums);
    return rows == 1   ? sums_1(t, w, sums)
           : rows == 2 ? sums_2(t, w, sums)
           : rows == 3 ? sums_3(t, w, sums)
                       : sums_4(t, w, sums);
}

/* One pixel, with every product widened by itself. */
static const int8_t *sum_exact(const tile_rows *t, const int8_t *w, int32x4_t sums[ROWS])
{
    int32x4_t acc[QUAD] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (const uint8_t *const *a = t->a;; a += t->pitch / sizeof *a) {
        const int8_t *row = (const int8_t *)*a + t->offset;
        for (size_t left = t->k; left > 0;) {
            const size_t width = chunk_width(left, a == t->a && left == t->k);
            for (size_t half = 0; half < width; half += HALF_CHUNK)
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
INLINE uint32x4_t requantise(const block_head *head, const quad *q, const int32x4_t sums[ROWS], const size_t rows,
                             const int finish)
{
    const int rounding = finish == GENERAL ? ROUND_GENERAL : finish == AWAY_PLAIN ? ROUND_AWAY : ROUND_UP;
    const int32x4_t bias = vld1q_s32(q->bias);
    int32x4_t v[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        v[r] = r < rows ? scale_4(vaddq_s32(sums[r], bias), &q->requant, q->left, rounding) : v[r - 1];
    const output_bounds bounds = {
        vld1q_s16(head->zero_point), vld1q_s8(head->min), vld1q_s8(head->max), vld1q_u8(head->flip)};
    return vreinterpretq_u32_u8(finish == UP_PLAIN || finish == AWAY_PLAIN
                                    ? narrow_16_plain(v[0], v[1], v[2], v[3], bounds.zero_point)
                                    : narrow_16(v[0], v[1], v[2], v[3], &bounds));
}

/* Stores 4 channels of `rows` pixels and moves on. In assembly because compilers do not store a lane and move on in one. */
INLINE void store_4(uint8_t *out[ROWS], uint32x4_t bytes, const size_t rows)
{
    __asm__ volatile("st1 {%1.s}[0], [%0], #4" : "+r"(out[0]) : "w"(bytes) : "memory");
    if (rows > 1)
        __asm__ volatile("st1 {%1.s}[1], [%0], #4" : "+r"(out[1]) : "w"(bytes) : "memory");
    if (rows > 2)
        __asm__ volatile("st1 {%1.s}[2], [%0], #4" : "+r"(out[2]) : "w"(bytes) : "memory");
    if (rows > 3)
        __asm__ volatile("st1 {%1.s}[3], [%0], #4" : "+r"(out[3]) : "w"(bytes) : "memory");
}

/* The first `n` < 4 channels. */
__attribute__((noinline)) static void store_some(uint8_t *const *out, uint32x4_t bytes, size_t rows, size_t n)
{
    uint8_t all[ROWS][QUAD];
    vst1q_u32((void *)all, bytes);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < n; c++)
            out[r][c] = all[r][c];
}

/* A block's channels for `rows` pixels from `first` on; SUM_4 makes `sums` of 4 channels and is where their weights end. */
#define FOR_ALL_CHANNELS(rows, finish, SUM_4)                                                                          \
    do {                                                                                                               \
        const block_head *head = args->block;                                                                          \
        const int8_t *weights = (const int8_t *)(head + 1);                                                            \
        uint8_t *out[ROWS] = {NULL};                                                                                   \
        for (size_t r = 0; r < (rows); r++)                                                                            \
            out[r] = args->out[first + r] + args->out_offset;                                                          \
        ptrdiff_t left = (ptrdiff_t)args->cols;                                                                        \
        do {                                                                                                           \
            int32x4_t sums[ROWS];                                                                                      \
            const quad *q = (const quad *)(SUM_4);                                                                     \
            const uint32x4_t bytes = requantise(head, q, sums, rows, finish);                                          \
            left -= QUAD;                                                                                              \
            if (left < 0)                                                                                              \
                store_some(out, bytes, rows, (size_t)(left + QUAD));                                                   \
            else                                                                                                       \
                store_4(out, bytes, rows);                                                                             \
            weights = (const int8_t *)(q + 1);                                                                         \
        } while (left > 0);                                                                                            \
    } while (0)

INLINE tile_rows rows_of(const edgecore_gemm_args *args, size_t first, const size_t rows)
{
    const uint8_t *const *a = args->a + first;
    tile_rows t = {
        .a = a,
        .last = a + (args->taps - 1) * args->row_pitch,
        .pitch = args->row_pitch * sizeof *a,
        .offset = args->a_offset,
        .k = args->k,
    };
    for (size_t r = 0; r < ROWS; r++)
        t.first[r] = (const int8_t *)a[r < rows ? r : 0] + args->a_offset;
    return t;
}

/* Tiles of `rows` pixels; `of_32s`: 4, and k is a multiple of 32. */
INLINE void run_tiles(const edgecore_gemm_args *args, const size_t rows, const bool of_32s, const int finish)
{
    for (size_t tile = 0, first = 0; tile < args->tiles; tile++, first += rows) {
        const tile_rows t = rows_of(args, first, rows);
        FOR_ALL_CHANNELS(rows, finish, sum(&t, weights, sums, rows, of_32s));
    }
}

/* Tiles of 4 pixels with one tap and k of at most 16, 24 or 32. */
INLINE void run_few(const edgecore_gemm_args *args, const size_t k, const int finish)
{
    for (size_t tile = 0, first = 0; tile < args->tiles; tile++, first += ROWS) {
        few_k t;
        for (size_t r = 0; r < ROWS; r++) {
            const int8_t *a = (const int8_t *)args->a[first + r] + args->a_offset;
            t.x[r] = vld1q_s8(a);
            t.next[r] = k == 32   ? vld1q_s8(a + CHUNK)
                        : k == 24 ? vreinterpretq_s8_s64(vld1q_dup_s64((const void *)(a + CHUNK)))
                                  : t.x[r];
        }
        FOR_ALL_CHANNELS(ROWS, finish,
                         k == 32   ? sums_of_32(&t, weights, sums)
                         : k == 24 ? sums_of_24(&t, weights, sums)
                                   : sums_of_16(&t, weights, sums));
    }
}

static void run_exact(const edgecore_gemm_args *args)
{
    for (size_t first = 0; first < args->tiles * args->rows; first++) {
        const tile_rows t = rows_of(args, first, 1);
        FOR_ALL_CHANNELS(1, GENERAL, sum_exact(&t, weights, sums));
    }
}

typedef void run_function(const edgecore_gemm_args *args);

#define RUN_FUNCTIONS(finish)                                                                                          \
    static void run_1_##finish(const edgecore_gemm_args *args) { run_tiles(args, 1, false, finish); }                  \
    static void run_2_##finish(const edgecore_gemm_args *args) { run_tiles(args, 2, false, finish); }                  \
    static void run_3_##finish(const edgecore_gemm_args *args) { run_tiles(args, 3, false, finish); }                  \
    static void run_4_##finish(const edgecore_gemm_args *args) { run_tiles(args, 4, false, finish); }                  \
    static void run_of_32s_##finish(const edgecore_gemm_args *args) { run_tiles(args, 4, true, finish); }              \
    static void run_16_##finish(const edgecore_gemm_args *args) { run_few(args, 16, finish); }                         \
    static void run_24_##finish(const edgecore_gemm_args *args) { run_few(args, 24, finish); }                         \
    static void run_32_##finish(const edgecore_gemm_args *args) { run_few(args, 32, finish); }
RUN_FUNCTIONS(UP_PLAIN)
RUN_FUNCTIONS(AWAY_PLAIN)
RUN_FUNCTIONS(UP)
RUN_FUNCTIONS(GENERAL)

/* By `finish`, then 1 to 4 pixels for any k, then 4 for some k. */
enum { ANY_K = ROWS - 1, OF_32S, FEW_16, FEW_24, FEW_32, RUNS };
#define TABLE(finish)                                                                                                  \
    {run_1_##finish, run_2_##finish, run_3_##finish, run_4_##finish, run_of_32s_##finish, run_16_##finish, run_24_##finish, \
     run_32_##finish}
static run_function *const runs[][RUNS] = {TABLE(UP_PLAIN), TABLE(AWAY_PLAIN), TABLE(UP), TABLE(GENERAL)};

/* The fastest for tiles of 4. */
static size_t best_run(size_t taps, size_t k)
{
    if (taps == 1 && k <= 2 * CHUNK)
        return k <= CHUNK ? FEW_16 : k <= CHUNK + HALF_CHUNK ? FEW_24 : FEW_32;
    return k % (2 * CHUNK) ? ANY_K : OF_32S;
}

static void run(const edgecore_gemm_args *args)
{
    const block_head *head = args->block;
    if (head->exact)
        run_exact(args);
    else
        runs[head->finish][args->rows == ROWS ? best_run(args->taps, args->k) : args->rows - 1](args);
}

/* Costs are instructions. */
const edgecore_gemm_kernel edgecore_gemm_4x32_neon = {
    .name = "gemm_4x32c16__neon",
    .rows = ROWS,
    .cols = COLS,
    .k_step = CHUNK,
    .takes_tiles = true,
    .group_cost = 106.0f,
    .tile_cost = 400.0f,
    .block_bytes = block_bytes,
    .pack = pack,
    .run = run,
};
#endif
