/* GEMM tiles for 32-bit ARM: 4 pixels by 2 channels at a time, the 4 lanes of an accumulator holding partial sums over K. For
 * 16 K, vmull and vmlal make 8 sums of two products of int8 in 16 bits, and vpadal adds them in pairs.
 *
 * 16 vector and 13 core registers are all there is. So the 4 pixels are first laid side by side, once for all channels of a block:
 *   [steps of 16 K][4 pixels][16]
 * The K of all taps runs through without a gap, and one pointer reads it. A block is
 *   [head][requant_4 of 4 channels ...][left shifts][starts: {bias, 0, 0, 0} a channel][weights: spans of K[2 channels ...[steps][2][16]]]
 * with zeros past K. A span is what of K the pixels' scratch holds at once; nearly every layer is one span.
 *
 * Two products fit 16 bits but for (-128) * (-128) twice. Few models have weights of -128, so a block is looked at when it is
 * packed: where two that meet are -128, every product is widened by itself. */
#if defined(__arm__)
#include "isa/arm/gemm_armv7.h"
#include "isa/arm/requant.h"

enum {
    ROWS = 4,
    PAIR = 2,        /* channels that share a pass over the pixels */
    COLS_MAX = 32,
    STEP = 16,
    SPAN = 2048,     /* K, a multiple of STEP */
    OVERREAD = 2 * ROWS * STEP, /* the loop loads a step ahead */
};

typedef struct block_head {
    requant_head requant;
    int32_t widen;      /* products one by one */
    int32_t unused[11]; /* 64 bytes: what follows stays aligned */
} block_head;

/* Some of K: whole taps, or a part of one tap. */
typedef struct span {
    size_t tap, taps; /* first, and how many */
    size_t from, k;   /* of each of these taps */
} span;

/* From {0}; false after the last. */
static bool next_span(span *s, size_t taps, size_t k)
{
    if (k > SPAN) {
        s->from = s->taps ? s->from + s->k : 0;
        if (s->from == k) {
            s->tap++;
            s->from = 0;
        }
        s->taps = 1;
        s->k = k - s->from < SPAN ? k - s->from : SPAN;
    } else {
        s->tap += s->taps;
        s->taps = SPAN / k < taps - s->tap ? SPAN / k : taps - s->tap;
        s->k = k;
    }
    return s->tap < taps;
}

static size_t steps_of(const span *s)
{
    return (s->taps * s->k + STEP - 1) / STEP;
}

INLINE size_t starts_at(size_t cols)
{
    return sizeof(block_head) + cols / 4 * sizeof(requant_4) + cols * sizeof(int32_t);
}

INLINE size_t weights_at(size_t cols)
{
    return starts_at(cols) + cols * 4 * sizeof(int32_t);
}

INLINE size_t block_bytes(size_t taps, size_t k, size_t cols)
{
    size_t steps = 0;
    for (span s = {0}; next_span(&s, taps, k);)
        steps += steps_of(&s);
    return weights_at(cols) + cols * steps * STEP + OVERREAD;
}

INLINE void pack(void *memory, const edgecore_columns *columns, size_t cols)
{
    memset(memory, 0, block_bytes(columns->taps, columns->k, cols));
    block_head *head = memory;
    int32_t bias[COLS_MAX];
    requant_4 *requant = (requant_4 *)(head + 1);
    int32_t *starts = (int32_t *)((uint8_t *)memory + starts_at(cols));
    head->requant = make_head(columns);
    make_requant(requant, bias, (int32_t *)(requant + cols / 4), cols / 4, columns);
    for (size_t c = 0; c < cols; c++)
        starts[4 * c] = bias[c];
    int8_t *to = (int8_t *)memory + weights_at(cols);
    for (span s = {0}; next_span(&s, columns->taps, columns->k);) {
        const size_t k = s.taps * s.k, pair_bytes = steps_of(&s) * PAIR * STEP;
        for (size_t c = 0; c < columns->cols; c++) {
            const int8_t *w = columns->weights + (c * columns->taps + s.tap) * columns->k + s.from;
            int8_t *channel = to + c / PAIR * pair_bytes + c % PAIR * STEP;
            for (size_t i = 0; i < k; i++) {
                channel[i / STEP * PAIR * STEP + i % STEP] = w[i];
                head->widen |= i % STEP >= STEP / 2 && w[i] == INT8_MIN && w[i - STEP / 2] == INT8_MIN;
            }
        }
        to += (columns->cols + PAIR - 1) / PAIR * pair_bytes;
    }
}

/* Lays pixels side by side; past the last they are copies of it, to fill a tile. */
INLINE void lay_rows(int8_t *to, const edgecore_gemm_args *args, const span *s, const size_t rows)
{
    int8_t dense[SPAN + STEP]; /* a pixel whose taps are no multiple of a step */
    const size_t offset = args->a_offset + s->from, steps = steps_of(s);
    for (size_t r = 0; r < rows; r++, to += STEP) {
        const uint8_t *const *a = args->a + s->tap * args->row_pitch + (r < args->rows ? r : args->rows - 1);
        int8_t *at = to, *end = dense;
        for (size_t t = 0; t < s->taps; t++, a += args->row_pitch, end += s->k) {
            const int8_t *from = (const int8_t *)*a + offset;
            if (s->k % STEP == 0)
                for (size_t k = 0; k < s->k; k += STEP, at += rows * STEP)
                    vst1q_s8(at, vld1q_s8(from + k));
            else /* what is written past a tap's end is overwritten by the next, or meets weights of 0 */
                for (size_t k = 0; k < s->k; k += STEP)
                    vst1q_s8(end + k, vld1q_s8(from + k));
        }
        if (s->k % STEP)
            for (size_t i = 0; i < steps; i++, at += rows * STEP)
                vst1q_s8(at, vld1q_s8(dense + i * STEP));
    }
}

/* sums[row][channel] of a pair, any number of rows. */
INLINE void dot_pair(int32_t *sums, const int8_t *a, const int8_t *w, size_t steps, const int32_t *start, const size_t rows,
                     const bool widen)
{
    int32x4_t acc[ROWS][PAIR];
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < PAIR; c++)
            acc[r][c] = vld1q_s32(start + 4 * c);
    for (; steps > 0; steps--, a += rows * STEP, w += PAIR * STEP)
        for (size_t r = 0; r < rows; r++) {
            const int8x16_t x = vld1q_s8(a + r * STEP);
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
    for (size_t r = 0; r < rows; r++) {
        const int32x2_t first = vpadd_s32(vget_low_s32(acc[r][0]), vget_high_s32(acc[r][0]));
        const int32x2_t second = vpadd_s32(vget_low_s32(acc[r][1]), vget_high_s32(acc[r][1]));
        vst1_s32(sums + PAIR * r, vpadd_s32(first, second));
    }
}

/* The same for 4 rows and weights without the rare case, where the time goes. Compilers do not keep this in 16 registers, nor join
 * loads, so it is written out: q0, q1 weights; q2 .. q5 pixels; q6, q7 products; q8 .. q15 sums [row][channel]. Loads run a step
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
    "vld1.8 {d0-d1}, [%[w] :128]!\n\t"                                                                                       \
    ADD(q12, q6)                                                                                                             \
    MULTIPLY(q6, d8, d9, d2, d3)                                                                                             \
    ADD(q14, q7)                                                                                                             \
    MULTIPLY(q7, d10, d11, d2, d3)                                                                                           \
    "vld1.8 {d2-d3}, [%[w] :128]!\n\t"                                                                                       \
    ADD(q13, q6)                                                                                                             \
    "vld1.8 {d8-d11}, [%[a] :128]!\n\t"                                                                                      \
    ADD(q15, q7)
#define JOIN(to, a_low, a_high, b_low, b_high)                                                                               \
    "vpadd.i32 " #a_low ", " #a_low ", " #a_high "\n\t"                                                                     \
    "vpadd.i32 " #b_low ", " #b_low ", " #b_high "\n\t"                                                                     \
    "vpadd.i32 " #to ", " #a_low ", " #b_low "\n\t"

INLINE void dot_pair_4(int32_t *sums, const int8_t *a, const int8_t *w, size_t steps, const int32_t *start)
{
    size_t twice = (steps + 1) / 2;
    __asm__ volatile(
        "vld1.8 {d0-d3}, [%[w] :128]!\n\t"
        "vld1.8 {d4-d7}, [%[a] :128]!\n\t"
        "vld1.8 {d8-d11}, [%[a] :128]!\n\t"
        "vld1.32 {d16-d19}, [%[start] :128]\n\t"
        "vld1.32 {d20-d23}, [%[start] :128]\n\t"
        "vld1.32 {d24-d27}, [%[start] :128]\n\t"
        "vld1.32 {d28-d31}, [%[start] :128]\n\t"
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
        "vst1.32 {d16-d19}, [%[sums] :128]\n\t"
        : [a] "+r"(a), [w] "+r"(w), [twice] "+r"(twice)
        : [steps] "r"(steps), [start] "r"(start), [sums] "r"(sums)
        : "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15");
}

/* sums: [pairs][rows][PAIR], where rows is 1 or ROWS. */
INLINE void accumulate(const edgecore_gemm_args *args, int32_t *sums, const size_t cols, const size_t rows)
{
    _Alignas(64) int8_t pixels[ROWS * SPAN + OVERREAD];
    _Alignas(16) static const int32_t zeros[4 * PAIR] = {0};
    const bool widen = ((const block_head *)args->block)->widen;
    const int32_t *starts = (const int32_t *)((const uint8_t *)args->block + starts_at(cols));
    const int8_t *w = (const int8_t *)args->block + weights_at(cols);
    const size_t pairs = (args->cols + PAIR - 1) / PAIR;
    bool first = true;
    for (span s = {0}; next_span(&s, args->taps, args->k); first = false) {
        const size_t steps = steps_of(&s);
        lay_rows(pixels, args, &s, rows);
        for (size_t p = 0; p < pairs; p++, w += steps * PAIR * STEP) {
            _Alignas(16) int32_t more[ROWS * PAIR];
            int32_t *to = first ? sums + p * rows * PAIR : more;
            const int32_t *start = first ? starts + 4 * PAIR * p : zeros;
            if (widen)
                dot_pair(to, pixels, w, steps, start, rows, true);
            else if (rows == ROWS)
                dot_pair_4(to, pixels, w, steps, start);
            else
                dot_pair(to, pixels, w, steps, start, rows, false);
            if (!first)
                for (size_t i = 0; i < rows * PAIR; i++)
                    sums[p * rows * PAIR + i] += more[i];
        }
    }
    for (size_t i = pairs * rows * PAIR; i < cols * rows; i++)
        sums[i] = 0;
}

INLINE int32x4_t load_4(const int32_t *sums, size_t c, size_t r, const size_t rows)
{
    return vcombine_s32(vld1_s32(sums + c * rows + PAIR * r), vld1_s32(sums + (c + PAIR) * rows + PAIR * r));
}

INLINE void requantise(const edgecore_gemm_args *args, const int32_t *sums, const size_t cols, const size_t rows,
                       const int rounding)
{
    const block_head *head = args->block;
    const output_bounds bounds = load_bounds(&head->requant);
    for (size_t c = 0; c < args->cols; c += 16) {
        const requant_4 *q = (const requant_4 *)(head + 1) + c / 4;
        const int32_t *left = (const int32_t *)((const requant_4 *)(head + 1) + cols / 4) + c;
        const size_t n = args->cols - c < 16 ? args->cols - c : 16;
        for (size_t r = 0; r < args->rows; r++) {
            int32x4_t v[4];
#pragma GCC unroll 4
            for (size_t i = 0; i < 4; i++)
                v[i] = scale_4(load_4(sums, c + 4 * i, r, rows), &q[i], left + 4 * i, rounding);
            store_bytes(args->out[r] + args->out_offset + c, narrow_16(v[0], v[1], v[2], v[3], &bounds), n);
        }
    }
}

INLINE void run(const edgecore_gemm_args *args, const size_t cols, const size_t rows)
{
    _Alignas(64) int32_t sums[ROWS * COLS_MAX];
    accumulate(args, sums, cols, rows);
    switch (((const block_head *)args->block)->requant.rounding) {
    case ROUND_UP:
        requantise(args, sums, cols, rows, ROUND_UP);
        break;
    case ROUND_AWAY:
        requantise(args, sums, cols, rows, ROUND_AWAY);
        break;
    default:
        requantise(args, sums, cols, rows, ROUND_GENERAL);
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
    static void run_##cols_(const edgecore_gemm_args *args)                                                                  \
    {                                                                                                                        \
        if (args->rows == 1)                                                                                                 \
            run(args, cols_, 1);                                                                                             \
        else                                                                                                                 \
            run(args, cols_, ROWS);                                                                                          \
    }                                                                                                                        \
    const edgecore_gemm_kernel edgecore_gemm_4x##cols_##_armv7 = {                                                           \
        .name = "gemm_4x" #cols_ "c16__neon",                                                                                \
        .rows = ROWS,                                                                                                        \
        .cols = cols_,                                                                                                       \
        .k_step = STEP,                                                                                                      \
        .group_cost = per_group,                                                                                             \
        .tile_cost = per_tile,                                                                                               \
        .block_bytes = block_bytes_##cols_,                                                                                  \
        .pack = pack_##cols_,                                                                                                \
        .run = run_##cols_,                                                                                                  \
    }

KERNEL(32, 68.0f, 600.0f);
KERNEL(16, 36.0f, 340.0f);
#endif
