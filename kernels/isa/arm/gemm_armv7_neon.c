/* GEMM tiles for 32-bit ARM: 4 pixels by 2 channels at a time, the 4 lanes of an accumulator holding partial sums over K. For
 * 16 K, vmull and vmlal make 8 sums of two products of int8 in 16 bits, and vpadal adds them in pairs.
 *
 * 16 vector and 13 core registers are all there is, so the 4 pixels are first laid side by side, once for all channels of a block.
 * A pair's sums lie [pixel][channel], and so do its bytes, which vld4 gathers into pixels at the end.
 *
 * Two products fit 16 bits but for (-128) * (-128) twice. Few models have weights of -128, so a block is looked at when it is
 * packed: where two that meet are -128, every product is widened by itself. */
#if defined(__arm__)
#include <stddef.h>

#include "isa/arm/gemm_armv7_pixels.h"
#include "isa/arm/kernels.h"

/* The sums of a pair: pixels 0 and 1, 2 and 3, each of two channels; and what turns them into bytes. */
typedef struct pair_sums {
    int32x4_t two[2];
    int32x4_t multiplier, right;
    int16x8_t zero_point;
} pair_sums;

/* For 1 pixel, and for weights with the rare case. */
INLINE pair_sums dot_pair(const int8_t *a, const int8_t *w, size_t steps, const pair_head *pair, const size_t rows,
                          const bool widen)
{
    int32x4_t acc[ROWS][PAIR];
    int32x2_t sums[ROWS] = {vdup_n_s32(0), vdup_n_s32(0), vdup_n_s32(0), vdup_n_s32(0)};
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (size_t c = 0; c < PAIR; c++)
            acc[r][c] = vld1q_s32(pair->start + 4 * c);
    for (; steps > 0; steps--, a += rows * STEP, w += PAIR * STEP)
#pragma GCC unroll 4
        for (size_t r = 0; r < rows; r++) {
            const int8x16_t x = vld1q_s8(a + r * STEP);
#pragma GCC unroll 2
            for (size_t c = 0; c < PAIR; c++) {
                const int8x16_t y = vld1q_s8(w + c * STEP);
                int16x8_t products = vmull_s8(vget_low_s8(x), vget_low_s8(y));
                if (widen) {
                    acc[r][c] = vpadalq_s16(acc[r][c], products);
                    products = vmull_s8(vget_high_s8(x), vget_high_s8(y));
                } else {
                    products = vmlal_s8(products, vget_high_s8(x), vget_high_s8(y));
                }
                acc[r][c] = vpadalq_s16(acc[r][c], products);
            }
        }
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++)
        sums[r] = vpadd_s32(vpadd_s32(vget_low_s32(acc[r][0]), vget_high_s32(acc[r][0])),
                            vpadd_s32(vget_low_s32(acc[r][1]), vget_high_s32(acc[r][1])));
    return (pair_sums){
        {vcombine_s32(sums[0], sums[1]), vcombine_s32(sums[2], sums[3])},
        vld1q_s32(pair->requant.multiplier),
        vld1q_s32(pair->requant.right),
        vld1q_s16(pair->zero_point),
    };
}

/* The same for 4 pixels and all other weights, where the time goes. Compilers do not keep this in 16 registers, nor join loads, so
 * it is written out: q0, q1 weights; q2 .. q5 pixels; q6, q7 products; q8 .. q15 accumulators [pixel][channel]. Loads run a step
 * ahead, and a sum of products rests for four instructions before it is added, which is what cores in order need. */
#define MULTIPLY(t, a_low, a_high, w_low, w_high)                                                                            \
    "vmull.s8 " #t ", " #a_low ", " #w_low "\n\t"                                                                           \
    "vmlal.s8 " #t ", " #a_high ", " #w_high "\n\t"
#define ADD(acc, t) "vpadal.s16 " #acc ", " #t "\n\t"
#define DOT_STEP                                                                                                             \
    MULTIPLY(q6, d4, d5, d0, d1)                                                                                             \
    MULTIPLY(q7, d6, d7, d0, d1)                                                                                             \
    ADD(q8, q6)                                                                                                              \
    MULTIPLY(q6, d4, d5, d2, d3)                                                                                             \
    ADD(q10, q7)                                                                                                             \
    MULTIPLY(q7, d6, d7, d2, d3)                                                                                             \
    "vld1.8 {d4-d7}, [%[a] :128]!\n\t"                                                                                       \
    ADD(q9, q6)                                                                                                              \
    MULTIPLY(q6, d8, d9, d0, d1)                                                                                             \
    ADD(q11, q7)                                                                                                             \
    MULTIPLY(q7, d10, d11, d0, d1)                                                                                           \
    ADD(q12, q6)                                                                                                             \
    MULTIPLY(q6, d8, d9, d2, d3)                                                                                             \
    ADD(q14, q7)                                                                                                             \
    MULTIPLY(q7, d10, d11, d2, d3)                                                                                           \
    "vld1.8 {d0-d3}, [%[w] :128]!\n\t"                                                                                       \
    ADD(q13, q6)                                                                                                             \
    "vld1.8 {d8-d11}, [%[a] :128]!\n\t"                                                                                      \
    ADD(q15, q7)
#define JOIN(to, a_low, a_high, b_low, b_high)                                                                               \
    "vpadd.i32 " #a_low ", " #a_low ", " #a_high "\n\t"                                                                     \
    "vpadd.i32 " #b_low ", " #b_low ", " #b_high "\n\t"                                                                     \
    "vpadd.i32 " #to ", " #a_low ", " #b_low "\n\t"

/* The weights of a pair's first step, which the pair before it has loaded. */
typedef struct first_weights {
    int8x16_t channel[PAIR];
} first_weights;

/* *w is where the second step's weights are; `twice` is half of the steps, rounded up. *pair is left at what follows the
 * constants. */
INLINE pair_sums dot_pair_4(const int8_t *a, const int8_t **w, first_weights *ahead, size_t steps, size_t twice,
                            const int8_t **pair)
{
    register int8x16_t w0 __asm__("q0") = ahead->channel[0];
    register int8x16_t w1 __asm__("q1") = ahead->channel[1];
    register int32x4_t sums01 __asm__("q8");
    register int32x4_t sums23 __asm__("q9");
    register int32x4_t multiplier __asm__("q10");
    register int32x4_t right __asm__("q11");
    register int16x8_t zero_point __asm__("q12");
    __asm__ volatile(
        "vld1.8 {d4-d7}, [%[a] :128]!\n\t"
        "vld1.8 {d8-d11}, [%[a] :128]!\n\t"
        "vld1.32 {d16-d19}, [%[pair] :128]\n\t"
        "vld1.32 {d20-d23}, [%[pair] :128]\n\t"
        "vld1.32 {d24-d27}, [%[pair] :128]\n\t"
        "vld1.32 {d28-d31}, [%[pair] :128]!\n\t"
        "tst %[steps], #1\n\t"
        "bne 2f\n"
        "1:\n\t" DOT_STEP
        "2:\n\t" DOT_STEP
        "subs %[twice], %[twice], #1\n\t"
        "bne 1b\n\t"
        JOIN(d16, d16, d17, d18, d19)
        JOIN(d17, d20, d21, d22, d23)
        JOIN(d18, d24, d25, d26, d27)
        JOIN(d19, d28, d29, d30, d31)
        "vldmia %[pair]!, {d20-d25}\n\t"
        : [a] "+r"(a), [w] "+r"(*w), [pair] "+r"(*pair), [twice] "+r"(twice), "+w"(w0), "+w"(w1), "=w"(sums01), "=w"(sums23),
          "=w"(multiplier), "=w"(right), "=w"(zero_point)
        : [steps] "r"(steps)
        : "cc", "memory", "q2", "q3", "q4", "q5", "q6", "q7", "q13", "q14", "q15");
    *ahead = (first_weights){{w0, w1}};
    return (pair_sums){{sums01, sums23}, multiplier, right, zero_point};
}

/* Bytes of a pair, before the clamp: [pixel][channel] */
INLINE int8x8_t requantise(const pair_sums *sums, const int32_t *left, const int rounding)
{
    int16x4_t two[2];
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++)
        two[i] = vqmovn_s32(scale_by(sums->two[i], sums->multiplier, sums->right, left, rounding));
    return vqmovn_s16(vqaddq_s16(vcombine_s16(two[0], two[1]), sums->zero_point));
}

/* What a tile holds while it is computed. */
typedef struct tile {
    _Alignas(64) int8_t pixels[ROWS * SPAN + OVERREAD];
    _Alignas(16) int8_t bytes[COLS_MAX * ROWS]; /* [pairs][pixels][channels] */
    int32x4_t partial[COLS_MAX / PAIR][2];      /* sums of the spans before this one */
    const int8_t *weights;                      /* of the span */
    size_t pairs, steps;
    bool first, last;                           /* span */
} tile;

INLINE void run_whole(tile *t, const edgecore_gemm_args *args, const int rounding)
{
    const int8_t *pair = (const int8_t *)args->block + sizeof(block_head), *w = t->weights + PAIR * STEP;
    first_weights ahead = {{vld1q_s8(t->weights), vld1q_s8(t->weights + STEP)}};
    int8_t *bytes = t->bytes;
    const size_t steps = t->steps, twice = (steps + 1) / 2;
    for (size_t left = t->pairs; left > 0; left--, bytes += ROWS * PAIR) {
        const pair_sums sums = dot_pair_4(t->pixels, &w, &ahead, steps, twice, &pair);
        vst1_s8(bytes, requantise(&sums, (const int32_t *)pair, rounding));
        pair += sizeof(pair_head) - offsetof(pair_head, left);
    }
}

INLINE void run_part(tile *t, const edgecore_gemm_args *args, const size_t rows, const bool widen)
{
    const pair_head *pair = (const pair_head *)((const block_head *)args->block + 1);
    const int8_t *w = t->weights;
    const bool whole = t->first && t->last;
    for (size_t p = 0; p < t->pairs; p++, pair++, w += t->steps * PAIR * STEP) {
        pair_sums sums;
        if (rows == ROWS && !widen) {
            const int8_t *second = w + PAIR * STEP, *head = (const int8_t *)pair;
            first_weights ahead = {{vld1q_s8(w), vld1q_s8(w + STEP)}};
            sums = dot_pair_4(t->pixels, &second, &ahead, t->steps, (t->steps + 1) / 2, &head);
        } else {
            sums = dot_pair(t->pixels, w, t->steps, pair, rows, widen);
        }
        for (size_t i = 0; i < 2 && !whole; i++)
            sums.two[i] = vaddq_s32(sums.two[i], t->first ? vld1q_s32(pair->bias) : t->partial[p][i]);
        if (t->last)
            vst1_s8(t->bytes + p * ROWS * PAIR, requantise(&sums, pair->left, ROUND_GENERAL));
        for (size_t i = 0; i < 2 && !t->last; i++)
            t->partial[p][i] = sums.two[i];
    }
}

/* All of K at once. Not inlined, so that the loops have the registers for themselves. */
#define WHOLE(name, rounding)                                                                                                \
    __attribute__((noinline)) static void whole_##name(tile *t, const edgecore_gemm_args *args)                             \
    {                                                                                                                        \
        run_whole(t, args, rounding);                                                                                        \
    }
#define PART(rows, widen)                                                                                                    \
    __attribute__((noinline)) static void part_##rows##_##widen(tile *t, const edgecore_gemm_args *args)                    \
    {                                                                                                                        \
        run_part(t, args, rows, widen);                                                                                      \
    }
WHOLE(up, ROUND_UP)
WHOLE(away, ROUND_AWAY)
WHOLE(general, ROUND_GENERAL)
PART(1, 0)
PART(1, 1)
PART(4, 0)
PART(4, 1)

typedef void span_function(tile *t, const edgecore_gemm_args *args);

static span_function *const wholes[] = {[ROUND_UP] = whole_up, [ROUND_AWAY] = whole_away, [ROUND_GENERAL] = whole_general};
static span_function *const parts[2][2] = {{part_1_0, part_1_1}, {part_4_0, part_4_1}}; /* [4 pixels][widen] */

INLINE void store_rows(const tile *t, const edgecore_gemm_args *args, size_t c, size_t n, const output_bounds *bounds,
                       const size_t rows)
{
    const uint16x8x4_t pairs = vld4q_u16((const uint16_t *)(t->bytes + c * ROWS));
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++) {
        const int8x16_t bytes = vminq_s8(vmaxq_s8(vreinterpretq_s8_u16(pairs.val[r]), bounds->min), bounds->max);
        if (r < rows)
            store_bytes(args->out[r] + args->out_offset + c, veorq_u8(vreinterpretq_u8_s8(bytes), bounds->flip), n);
    }
}

static void store(const tile *t, const edgecore_gemm_args *args)
{
    const output_bounds bounds = load_bounds(&((const block_head *)args->block)->requant);
    size_t c = 0;
    if (args->rows == ROWS)
        for (; c + 16 <= args->cols; c += 16)
            store_rows(t, args, c, 16, &bounds, ROWS);
    for (; c < args->cols; c += 16)
        store_rows(t, args, c, args->cols - c < 16 ? args->cols - c : 16, &bounds, args->rows);
}

__attribute__((noinline)) static void run_spans(tile *t, const edgecore_gemm_args *args)
{
    const block_head *head = args->block;
    t->weights = (const int8_t *)args->block + head->weights_at;
    t->first = true;
    for (span s = {0}; next_span(&s, args->taps, args->k, head->span_taps); t->first = false) {
        t->steps = s.steps;
        t->last = s.tap + s.taps == args->taps && s.from + s.k == args->k;
        if (args->rows > 1)
            lay_rows_4(t->pixels, args, &s);
        else
            lay_rows_1(t->pixels, args, &s);
        parts[args->rows > 1][head->widen](t, args);
        t->weights += t->pairs * s.steps * PAIR * STEP;
    }
}

static void run(const edgecore_gemm_args *args)
{
    tile t;
    const block_head *head = args->block;
    const bool whole = head->whole && args->rows > 1 && !head->widen;
    const span all = {.taps = args->taps, .k = args->k, .steps = (args->taps * args->k + STEP - 1) / STEP};
    edgecore_gemm_args one = *args;
    t.weights = (const int8_t *)args->block + head->weights_at;
    t.pairs = (args->cols + PAIR - 1) / PAIR;
    t.steps = all.steps;
    for (size_t left = args->tiles; left > 0; left--, one.a += args->rows, one.out += args->rows) {
        if (whole) {
            lay_rows_4(t.pixels, &one, &all);
            wholes[head->requant.rounding](&t, &one);
        } else {
            run_spans(&t, &one);
        }
        store(&t, &one);
    }
}

#define KERNEL(cols_, per_group, per_tile)                                                                                   \
    static size_t block_bytes_##cols_(size_t taps, size_t k)                                                                 \
    {                                                                                                                        \
        return block_bytes(taps, k, cols_);                                                                                  \
    }                                                                                                                        \
    static void pack_##cols_(void *block, const edgecore_columns *columns)                                                   \
    {                                                                                                                        \
        pack(block, columns, cols_);                                                                                         \
    }                                                                                                                        \
    const edgecore_gemm_kernel edgecore_gemm_4x##cols_##_armv7 = {                                                           \
        .name = "gemm_4x" #cols_ "c16__neon",                                                                                \
        .rows = ROWS,                                                                                                        \
        .cols = cols_,                                                                                                       \
        .takes_tiles = true,                                                                                                 \
        .k_step = STEP,                                                                                                      \
        .group_cost = per_group,                                                                                             \
        .tile_cost = per_tile,                                                                                               \
        .block_bytes = block_bytes_##cols_,                                                                                  \
        .pack = pack_##cols_,                                                                                                \
        .run = run,                                                                                                          \
    }

KERNEL(32, 112.0f, 830.0f);
KERNEL(16, 56.0f, 480.0f);
#endif
