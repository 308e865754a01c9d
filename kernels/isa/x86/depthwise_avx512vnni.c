/* Depthwise convolution on vpdpbusd: the bytes of an input column under 4 kernel rows are interleaved channel by channel, so
 * that one instruction sums 4 taps of 16 channels. Pixels are computed in fours: weights and the constants of the requantisation are
 * loaded once for four of them, and so are columns that they share.
 *
 * A block is [head][requant_16 x 2][kernel_w][groups of 4 kernel rows][2 vectors]. */
#include "isa/x86/requant_avx512.h"
#include "isa/x86/kernels.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

#define INLINE static inline __attribute__((always_inline))

enum { CHANNELS = 32, VECTORS = 2, GROUP_BYTES = 4 * CHANNELS };

static size_t groups_of(size_t kernel_h)
{
    return (kernel_h + 3) / 4;
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(edgecore_block_head) + VECTORS * sizeof(requant_16) + kernel_w * groups_of(kernel_h) * GROUP_BYTES;
}

static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    return columns * groups_of(kernel_h) * GROUP_BYTES;
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t kernel_h = columns->kernel_h, kernel_w = columns->kernel_w, groups = groups_of(kernel_h);
    memset(block, 0, block_bytes(kernel_h, kernel_w));
    edgecore_block_head *head = block;
    *head = edgecore_pack_head(columns);
    requant_16 *requant = (requant_16 *)(head + 1);
    int8_t *w = (int8_t *)(requant + VECTORS);
    for (size_t j = 0; j < VECTORS; j++)
        pack_requant_16(&requant[j], columns, 16 * j);
    for (size_t ky = 0; ky < kernel_h; ky++)
        for (size_t kx = 0; kx < kernel_w; kx++)
            for (size_t c = 0; c < columns->cols; c++)
                w[((kx * groups + ky / 4) * CHANNELS + c) * 4 + ky % 4] =
                    columns->weights[(ky * kernel_w + kx) * columns->weight_stride + c];
}

INLINE __m512i load_two(const uint8_t *first, const uint8_t *second)
{
    const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)first));
    return _mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i *)second), 1);
}

typedef struct group {
    __m512i vector[VECTORS];
} group;

/* Lanes of 128 bits take 4 channels of each of four rows; then a lane's bytes are sorted by channel. */
INLINE group interleave(const uint8_t *const *a, size_t offset)
{
    const __m512i first = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
    const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(4));
    const __m512i by_channel = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const __m512i x01 = load_two(a[0] + offset, a[1] + offset), x23 = load_two(a[2] + offset, a[3] + offset);
    return (group){{_mm512_shuffle_epi8(_mm512_permutex2var_epi32(x01, first, x23), by_channel),
                    _mm512_shuffle_epi8(_mm512_permutex2var_epi32(x01, second, x23), by_channel)}};
}

/* What all tiles of a run have in common. */
typedef struct stretch {
    const edgecore_block_head *head;
    const requant_16 *q;
    const uint8_t *w;
    fixing fixings[VECTORS];
    fix_bounds bounds;
    __mmask32 cols;
} stretch;

static const uint16_t words_in_order[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                            33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};

INLINE stretch begin(const edgecore_depthwise_args *args, const int rounding)
{
    const edgecore_block_head *head = args->block;
    const requant_16 *q = (const requant_16 *)(head + 1);
    return (stretch){
        .head = head,
        .q = q,
        .w = (const uint8_t *)(q + VECTORS),
        .fixings = {load_fixing(&q[0], rounding), load_fixing(&q[1], rounding)},
        .bounds = load_fix_bounds(head, words_in_order),
        .cols = (__mmask32)((UINT64_C(1) << args->cols) - 1),
    };
}

/* The sums of up to four pixels. */
typedef struct sums {
    __m512i of[4][VECTORS];
} sums;

INLINE sums biases(const stretch *s, const size_t count)
{
    sums acc;
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++)
#pragma GCC unroll 2
        for (size_t j = 0; j < VECTORS; j++)
            acc.of[p][j] = _mm512_load_si512(s->q[j].bias);
    return acc;
}

/* Two pixels. One past the last goes where that one goes, and is overwritten by it. */
INLINE void store_two(uint8_t *const *out, __m512i bytes, __mmask32 cols)
{
    _mm256_mask_storeu_epi8(out[1], cols, _mm512_extracti64x4_epi64(bytes, 1));
    _mm256_mask_storeu_epi8(out[0], cols, _mm512_castsi512_si256(bytes));
}

static __attribute__((noinline)) void finish_exactly(const requant_16 *q, const edgecore_block_head *head, const sums *acc,
                                                     uint8_t *const *out, size_t count, __mmask32 cols)
{
    const output_bounds bounds = load_bounds(head);
    const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (size_t p = 0; p < count; p += 2) {
        const __m512i *v = acc->of[p];
        const __m512i bytes =
            narrow_64(scale_16(v[0], &q[0], head->rounding), scale_16(v[1], &q[1], head->rounding),
                      scale_16(v[2], &q[0], head->rounding), scale_16(v[3], &q[1], head->rounding), &bounds);
        store_two(out + p, _mm512_permutexvar_epi32(transpose, bytes), cols);
    }
}

/* Stores `count` pixels, an even number. */
INLINE void finish(const stretch *s, const sums *acc, uint8_t *const *out, const size_t count, const int rounding)
{
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    bool exactly = rounding == ROUND_GENERAL;
    if (rounding != ROUND_GENERAL) {
        __m512i v[4][VECTORS];
#pragma GCC unroll 4
        for (size_t p = 0; p < count; p++)
#pragma GCC unroll 2
            for (size_t j = 0; j < VECTORS; j++)
                v[p][j] = fix_16(acc->of[p][j], &s->fixings[j], rounding);
#pragma GCC unroll 2
        for (size_t p = 0; p < count; p += 2) {
            exactly |= fix_in_doubt(v[p][0], v[p][1], v[p + 1][0], v[p + 1][1]);
            const __m512i bytes = narrow_fixed_64(v[p][0], v[p][1], v[p + 1][0], v[p + 1][1], &s->bounds);
            store_two(out + p, _mm512_permutexvar_epi64(in_order, bytes), s->cols);
        }
    }
    if (__builtin_expect(exactly, 0)) {
        const sums copy = *acc; /* so that those of the common case need no memory */
        finish_exactly(s->q, s->head, &copy, out, count, s->cols);
    }
}

/* Any kernel. Columns are interleaved once, into scratch, for all pixels that share them: [columns][groups][2 vectors]. */
INLINE void any_tile(const edgecore_depthwise_args *args, const stretch *s, const uint8_t *x, uint8_t *out, size_t left,
                     const size_t count, const int rounding)
{
    const size_t column_bytes = groups_of(args->kernel_h) * GROUP_BYTES;
    const uint8_t *from[4];
    uint8_t *to[4];
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++) {
        const size_t pixel = p < left ? p : left - 1;
        from[p] = x + pixel * args->pixel_step * column_bytes;
        to[p] = out + (ptrdiff_t)pixel * args->out_stride;
    }
    sums acc = biases(s, count);
    const uint8_t *w = s->w;
    size_t at = 0;
    for (size_t kx = 0; kx < args->kernel_w; kx++, at += args->tap_step * column_bytes)
        for (size_t g = 0; g < column_bytes; g += GROUP_BYTES, w += GROUP_BYTES)
#pragma GCC unroll 2
            for (size_t j = 0; j < VECTORS; j++) {
                const __m512i weights = _mm512_load_si512(w + 64 * j);
#pragma GCC unroll 4
                for (size_t p = 0; p < count; p++)
                    acc.of[p][j] =
                        _mm512_dpbusd_epi32(acc.of[p][j], _mm512_load_si512(from[p] + at + g + 64 * j), weights);
            }
    finish(s, &acc, to, count, rounding);
}

INLINE void run_any(const edgecore_depthwise_args *args, const int rounding)
{
    const stretch s = begin(args, rounding);
    const size_t groups = groups_of(args->kernel_h), tile_bytes = 4 * args->pixel_step * groups * GROUP_BYTES;
    uint8_t *x = args->scratch, *out = args->out + args->offset;
    for (size_t i = 0; i < args->columns * groups; i++) {
        const group made = interleave(args->a + 4 * i, args->offset);
        _mm512_store_si512(x + i * GROUP_BYTES, made.vector[0]);
        _mm512_store_si512(x + i * GROUP_BYTES + 64, made.vector[1]);
    }
    size_t left = args->pixels;
    for (; left > 2; left = left > 4 ? left - 4 : 0, x += tile_bytes, out += 4 * args->out_stride)
        any_tile(args, &s, x, out, left, 4, rounding);
    if (left > 0)
        any_tile(args, &s, x, out, left, 2, rounding);
}

/* Columns that two tiles share, and a column of a kernel of up to 8 rows. */
enum { SHARED_MOST = 4, GROUPS_MOST = 2 };

typedef struct shared_columns {
    group of[SHARED_MOST][GROUPS_MOST];
} shared_columns;

/* Kernels `width` wide whose columns follow each other, `step` from one pixel to the next: a column is used as it is made. The tile
 * gets the columns that it shares with the one before, and leaves those that it shares with the next. */
INLINE void sliding_tile(const edgecore_depthwise_args *args, const stretch *s, const uint8_t *const *a, uint8_t *out,
                         size_t left, shared_columns *shared, const size_t width, const size_t groups, const size_t step,
                         const size_t count, const int rounding)
{
    uint8_t *to[4];
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++)
        to[p] = out + (ptrdiff_t)(p < left ? p : left - 1) * args->out_stride;
    const size_t last = ((left < count ? left : count) - 1) * step + width - 1;
    sums acc = biases(s, count);
#pragma GCC unroll 11
    for (size_t i = 0; i < count * step + width - step; i++)
#pragma GCC unroll 2
        for (size_t g = 0; g < groups; g++) {
            const group column = i < width - step ? shared->of[i][g]
                                                  : interleave(a + 4 * ((i < last ? i : last) * groups + g), args->offset);
#pragma GCC unroll 4
            for (size_t p = 0; p < count; p++)
                if (i >= p * step && i - p * step < width)
#pragma GCC unroll 2
                    for (size_t j = 0; j < VECTORS; j++)
                        acc.of[p][j] = _mm512_dpbusd_epi32(
                            acc.of[p][j], column.vector[j],
                            _mm512_load_si512(s->w + ((i - p * step) * groups + g) * GROUP_BYTES + 64 * j));
            if (i >= count * step)
                shared->of[i - count * step][g] = column;
        }
    finish(s, &acc, to, count, rounding);
}

INLINE void run_sliding(const edgecore_depthwise_args *args, const size_t width, const size_t groups, const size_t step,
                        const int rounding)
{
    const stretch s = begin(args, rounding);
    shared_columns shared;
#pragma GCC unroll 4
    for (size_t i = 0; i < width - step; i++)
#pragma GCC unroll 2
        for (size_t g = 0; g < groups; g++)
            shared.of[i][g] = interleave(args->a + 4 * (i * groups + g), args->offset);
    const uint8_t *const *a = args->a;
    uint8_t *out = args->out + args->offset;
    size_t left = args->pixels;
    for (; left > 2; left = left > 4 ? left - 4 : 0, a += 16 * step * groups, out += 4 * args->out_stride)
        sliding_tile(args, &s, a, out, left, &shared, width, groups, step, 4, rounding);
    if (left > 0)
        sliding_tile(args, &s, a, out, left, &shared, width, groups, step, 2, rounding);
}

INLINE void run_rounding(const edgecore_depthwise_args *args, const int rounding)
{
    const size_t groups = args->tap_step == 1 ? groups_of(args->kernel_h) : 0, width = args->kernel_w, step = args->pixel_step;
    if (groups == 1 && width == 3 && step == 1)
        run_sliding(args, 3, 1, 1, rounding);
    else if (groups == 1 && width == 3 && step == 2)
        run_sliding(args, 3, 1, 2, rounding);
    else if (groups == 2 && width == 5 && step == 1)
        run_sliding(args, 5, 2, 1, rounding);
    else if (groups == 2 && width == 5 && step == 2)
        run_sliding(args, 5, 2, 2, rounding);
    else
        run_any(args, rounding);
}

static void run(const edgecore_depthwise_args *args)
{
    switch (((const edgecore_block_head *)args->block)->rounding) {
    case ROUND_UP:
        run_rounding(args, ROUND_UP);
        break;
    case ROUND_AWAY:
        run_rounding(args, ROUND_AWAY);
        break;
    default:
        run_any(args, ROUND_GENERAL);
    }
}

const edgecore_depthwise_kernel edgecore_depthwise_32_avx512vnni = {
    .name = "depthwise_32r4__avx512vnni",
    .cols = CHANNELS,
    .row_step = 4,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
