/* Depthwise convolution on vpdpbusd: the bytes of an input column under 4 kernel rows are interleaved channel by channel, so
 * that one instruction sums 4 taps of 16 channels.
 *
 * A block's channels are worked on in slices, one after another along the whole stretch of pixels: 64 channels in 4 vectors, or 32
 * in 2 where there are no more or where a column has more than one group of 4 kernel rows, whose vectors would not all find a
 * register. Eight sums are computed at once, those of 2 pixels or of 4. A block is [head][slices], a slice
 * [requant_16 of each vector][kernel_w][groups][vectors] with 64 bytes of weights for each of the latter. */
#include "isa/x86/requant_avx512.h"
#include "isa/x86/kernels.h"

#if !defined(__AVX512VNNI__)
#error "this file needs the flags of the avx512vnni tier"
#endif

#define INLINE static inline __attribute__((always_inline))

enum { CHANNELS = 64, VECTORS_MOST = 4, SUMS = 8 };

static size_t groups_of(size_t kernel_h)
{
    return (kernel_h + 3) / 4;
}

static size_t slice_vectors(size_t cols, size_t groups)
{
    return cols > 32 && groups == 1 ? 4 : 2;
}

static size_t slice_bytes(size_t vectors, size_t groups, size_t kernel_w)
{
    return vectors * (sizeof(requant_16) + kernel_w * groups * 64);
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(edgecore_block_head) + slice_bytes(VECTORS_MOST, groups_of(kernel_h), kernel_w);
}

static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    const size_t groups = groups_of(kernel_h);
    return columns * groups * slice_vectors(CHANNELS, groups) * 64;
}

/* Where the interleaving leaves a channel: 4 channels of every 16 in each vector, or in each half of one. */
static size_t lane_of(size_t c, size_t vectors)
{
    return 4 * vectors * (c / 4 % 4) + 4 * (c / 16) + c % 4;
}

static void pack_slice(requant_16 *requant, const edgecore_columns *columns, size_t vectors)
{
    int32_t bias[CHANNELS] = {0}, multiplier[CHANNELS] = {0}, shift[CHANNELS];
    const size_t kernel_h = columns->kernel_h, kernel_w = columns->kernel_w, groups = groups_of(kernel_h);
    int8_t *w = (int8_t *)(requant + vectors);
    for (size_t c = 0; c < CHANNELS; c++)
        shift[c] = -1; /* lanes without a channel have half a unit, which fix_16 is sure of */
    for (size_t c = 0; c < columns->cols; c++) {
        const size_t lane = lane_of(c, vectors);
        bias[lane] = columns->requant.bias[c];
        multiplier[lane] = columns->requant.multiplier[c];
        shift[lane] = columns->requant.shift[c];
        for (size_t ky = 0; ky < kernel_h; ky++)
            for (size_t kx = 0; kx < kernel_w; kx++)
                w[((kx * groups + ky / 4) * vectors * 16 + lane) * 4 + ky % 4] =
                    columns->weights[(ky * kernel_w + kx) * columns->weight_stride + c];
    }
    edgecore_columns ordered = *columns;
    ordered.cols = CHANNELS;
    ordered.requant.bias = bias;
    ordered.requant.multiplier = multiplier;
    ordered.requant.shift = shift;
    for (size_t j = 0; j < vectors; j++)
        pack_requant_16(&requant[j], &ordered, 16 * j);
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t groups = groups_of(columns->kernel_h), vectors = slice_vectors(columns->cols, groups);
    memset(block, 0, block_bytes(columns->kernel_h, columns->kernel_w));
    *(edgecore_block_head *)block = edgecore_pack_head(columns);
    uint8_t *to = (uint8_t *)block + sizeof(edgecore_block_head);
    for (size_t first = 0; first < columns->cols; first += 16 * vectors) {
        const size_t left = columns->cols - first;
        edgecore_columns some = *columns;
        some.weights += first;
        some.cols = left < 16 * vectors ? left : 16 * vectors;
        some.requant.bias += first;
        some.requant.multiplier += first;
        some.requant.shift += first;
        pack_slice((requant_16 *)to, &some, vectors);
        to += slice_bytes(vectors, groups, columns->kernel_w);
    }
}

/* 4 kernel rows of a column. */
typedef struct group {
    __m512i vector[VECTORS_MOST];
} group;

INLINE group interleave_64(const uint8_t *const *a, size_t offset)
{
    const __m512i x0 = _mm512_loadu_si512(a[0] + offset), x1 = _mm512_loadu_si512(a[1] + offset);
    const __m512i x2 = _mm512_loadu_si512(a[2] + offset), x3 = _mm512_loadu_si512(a[3] + offset);
    const __m512i low01 = _mm512_unpacklo_epi8(x0, x1), high01 = _mm512_unpackhi_epi8(x0, x1);
    const __m512i low23 = _mm512_unpacklo_epi8(x2, x3), high23 = _mm512_unpackhi_epi8(x2, x3);
    return (group){{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                    _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)}};
}

INLINE __m256i load_32(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

INLINE __m512i join(__m256i low, __m256i high)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

INLINE group interleave_32(const uint8_t *const *a, size_t offset)
{
    const __m256i x0 = load_32(a[0] + offset), x1 = load_32(a[1] + offset);
    const __m256i x2 = load_32(a[2] + offset), x3 = load_32(a[3] + offset);
    const __m256i low01 = _mm256_unpacklo_epi8(x0, x1), high01 = _mm256_unpackhi_epi8(x0, x1);
    const __m256i low23 = _mm256_unpacklo_epi8(x2, x3), high23 = _mm256_unpackhi_epi8(x2, x3);
    return (group){{join(_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23)),
                    join(_mm256_unpacklo_epi16(high01, high23), _mm256_unpackhi_epi16(high01, high23))}};
}

INLINE group interleave(const uint8_t *const *a, size_t offset, const size_t vectors)
{
    return vectors == 4 ? interleave_64(a, offset) : interleave_32(a, offset);
}

/* One slice of a run, and what all its tiles have in common. */
typedef struct slice {
    const edgecore_depthwise_args *args;
    const edgecore_block_head *head;
    const requant_16 *q;
    const uint8_t *w;
    uint8_t *out;
    size_t offset; /* added to every pointer of args->a */
    __mmask64 mask; /* of the channels that there are */
    fixing fixings[VECTORS_MOST];
    fix_bounds bounds;
} slice;

/* The words of two vectors of fix_16 that packs and, for 32 channels, permute_pixels bring into order. */
static const uint16_t words_64[32] = {1,  3,  5,  7,  33, 35, 37, 39, 9,  11, 13, 15, 41, 43, 45, 47,
                                      17, 19, 21, 23, 49, 51, 53, 55, 25, 27, 29, 31, 57, 59, 61, 63};
static const uint16_t words_32[32] = {1,  3,  5,  7,  17, 19, 21, 23, 33, 35, 37, 39, 49, 51, 53, 55,
                                      9,  11, 13, 15, 25, 27, 29, 31, 41, 43, 45, 47, 57, 59, 61, 63};

INLINE slice begin_slice(const edgecore_depthwise_args *args, size_t first, const void *packed, const size_t vectors,
                         const int rounding)
{
    const size_t left = args->cols - first;
    slice s = {
        .args = args,
        .head = args->block,
        .q = packed,
        .w = (const uint8_t *)((const requant_16 *)packed + vectors),
        .out = args->out + args->offset + first,
        .offset = args->offset + first,
        .mask = left >= 16 * vectors ? ~UINT64_C(0) >> (64 - 16 * vectors) : (UINT64_C(1) << left) - 1,
        .bounds = load_fix_bounds(args->block, vectors == 4 ? words_64 : words_32),
    };
#pragma GCC unroll 4
    for (size_t j = 0; j < vectors; j++)
        s.fixings[j] = load_fixing(&s.q[j], rounding);
    return s;
}

/* [pixels][vectors] */
typedef struct sums {
    __m512i of[SUMS];
} sums;

INLINE sums biases(const slice *s, const size_t vectors, const size_t count)
{
    sums acc;
#pragma GCC unroll 8
    for (size_t i = 0; i < count * vectors; i++)
        acc.of[i] = _mm512_load_si512(s->q[i % vectors].bias);
    return acc;
}

/* One pixel of 64 channels or two of 32. One past the last goes where that one goes, and is overwritten by it. */
INLINE void store(uint8_t *const *out, __m512i bytes, const size_t vectors, __mmask64 mask)
{
    if (vectors == 4) {
        _mm512_mask_storeu_epi8(out[0], mask, bytes);
    } else {
        _mm256_mask_storeu_epi8(out[1], (__mmask32)mask, _mm512_extracti64x4_epi64(bytes, 1));
        _mm256_mask_storeu_epi8(out[0], (__mmask32)mask, _mm512_castsi512_si256(bytes));
    }
}

static __attribute__((noinline)) void finish_exactly(const edgecore_block_head *head, const requant_16 *q, const sums *acc,
                                                     uint8_t *const *out, size_t vectors, size_t count, __mmask64 mask)
{
    const output_bounds bounds = load_bounds(head);
    const __m512i by_pixel = _mm512_setr_epi32(0, 8, 1, 9, 4, 12, 5, 13, 2, 10, 3, 11, 6, 14, 7, 15);
    for (size_t i = 0; i < count * vectors; i += 4) {
        __m512i v[4];
        for (size_t j = 0; j < 4; j++)
            v[j] = scale_16(acc->of[i + j], &q[j % vectors], head->rounding);
        const __m512i bytes = narrow_64(v[0], v[1], v[2], v[3], &bounds);
        store(out + i / vectors, vectors == 4 ? bytes : _mm512_permutexvar_epi32(by_pixel, bytes), vectors, mask);
    }
}

INLINE void finish(const slice *s, const sums *acc, uint8_t *const *out, const size_t vectors, const size_t count,
                   const int rounding)
{
    const __m512i by_pixel = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    bool exactly = s->head->rounding == ROUND_GENERAL;
    __m512i v[SUMS];
#pragma GCC unroll 8
    for (size_t i = 0; i < count * vectors; i++)
        v[i] = fix_16(acc->of[i], &s->fixings[i % vectors], rounding);
#pragma GCC unroll 2
    for (size_t i = 0; i < count * vectors; i += 4) {
        exactly |= fix_in_doubt(v[i], v[i + 1], v[i + 2], v[i + 3]);
        const __m512i bytes = narrow_fixed_64(v[i], v[i + 1], v[i + 2], v[i + 3], &s->bounds);
        store(out + i / vectors, vectors == 4 ? bytes : _mm512_permutexvar_epi64(by_pixel, bytes), vectors, s->mask);
    }
    if (__builtin_expect(exactly, 0)) {
        const sums copy = *acc; /* so that those of the common case need no memory */
        finish_exactly(s->head, s->q, &copy, out, vectors, count, s->mask);
    }
}

/* Any kernel. Columns are interleaved once, into scratch, for all pixels that share them: [columns][groups][vectors]. */
INLINE void any_tile(const slice *s, const uint8_t *x, uint8_t *out, size_t left, const size_t vectors, const size_t count)
{
    const edgecore_depthwise_args *args = s->args;
    const size_t group_bytes = vectors * 64, column_bytes = groups_of(args->kernel_h) * group_bytes;
    const uint8_t *from[4];
    uint8_t *to[4];
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++) {
        const size_t pixel = p < left ? p : left - 1;
        from[p] = x + pixel * args->pixel_step * column_bytes;
        to[p] = out + (ptrdiff_t)pixel * args->out_stride;
    }
    sums acc = biases(s, vectors, count);
    const uint8_t *w = s->w;
    size_t at = 0;
    for (size_t kx = 0; kx < args->kernel_w; kx++, at += args->tap_step * column_bytes)
        for (size_t g = 0; g < column_bytes; g += group_bytes, w += group_bytes)
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                const __m512i weights = _mm512_load_si512(w + 64 * j);
#pragma GCC unroll 4
                for (size_t p = 0; p < count; p++)
                    acc.of[p * vectors + j] = _mm512_dpbusd_epi32(
                        acc.of[p * vectors + j], _mm512_load_si512(from[p] + at + g + 64 * j), weights);
            }
    finish(s, &acc, to, vectors, count, ROUND_AWAY);
}

INLINE void run_any(const slice *s, const size_t vectors)
{
    const edgecore_depthwise_args *args = s->args;
    const size_t count = SUMS / vectors, groups = groups_of(args->kernel_h), group_bytes = vectors * 64;
    const size_t tile_bytes = count * args->pixel_step * groups * group_bytes;
    uint8_t *x = args->scratch, *out = s->out;
    for (size_t i = 0; i < args->columns * groups; i++) {
        const group made = interleave(args->a + 4 * i, s->offset, vectors);
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++)
            _mm512_store_si512(x + i * group_bytes + 64 * j, made.vector[j]);
    }
    size_t left = args->pixels;
    for (; left > count / 2; left -= left < count ? left : count, x += tile_bytes, out += (ptrdiff_t)count * args->out_stride)
        any_tile(s, x, out, left, vectors, count);
    if (left > 0)
        any_tile(s, x, out, left, vectors, count / 2);
}

/* Columns that two tiles share, and groups of a kernel of up to 8 rows. */
enum { SHARED_MOST = 4, GROUPS_MOST = 2 };

typedef struct shared_columns {
    group of[SHARED_MOST][GROUPS_MOST];
} shared_columns;

/* Kernels `width` wide whose columns follow each other, `step` from one pixel to the next: a column is used as it is made. The tile
 * gets the columns that it shares with the one before, and leaves those that it shares with the next. */
INLINE void sliding_tile(const slice *s, const uint8_t *const *a, uint8_t *out, size_t left, shared_columns *shared,
                         const size_t vectors, const size_t width, const size_t groups, const size_t step, const size_t count,
                         const int rounding)
{
    uint8_t *to[4];
#pragma GCC unroll 4
    for (size_t p = 0; p < count; p++)
        to[p] = out + (ptrdiff_t)(p < left ? p : left - 1) * s->args->out_stride;
    const size_t last = ((left < count ? left : count) - 1) * step + width - 1;
    sums acc = biases(s, vectors, count);
#pragma GCC unroll 11
    for (size_t i = 0; i < count * step + width - step; i++)
#pragma GCC unroll 2
        for (size_t g = 0; g < groups; g++) {
            const group column = i < width - step
                                     ? shared->of[i][g]
                                     : interleave(a + 4 * ((i < last ? i : last) * groups + g), s->offset, vectors);
#pragma GCC unroll 4
            for (size_t p = 0; p < count; p++)
                if (i >= p * step && i - p * step < width)
#pragma GCC unroll 4
                    for (size_t j = 0; j < vectors; j++)
                        acc.of[p * vectors + j] = _mm512_dpbusd_epi32(
                            acc.of[p * vectors + j], column.vector[j],
                            _mm512_load_si512(s->w + (((i - p * step) * groups + g) * vectors + j) * 64));
            if (i >= count * step)
                shared->of[i - count * step][g] = column;
        }
    finish(s, &acc, to, vectors, count, rounding);
}

INLINE void run_sliding(const slice *s, const size_t vectors, const size_t width, const size_t groups, const size_t step,
                        const int rounding)
{
    const size_t count = SUMS / vectors;
    shared_columns shared;
#pragma GCC unroll 4
    for (size_t i = 0; i < width - step; i++)
#pragma GCC unroll 2
        for (size_t g = 0; g < groups; g++)
            shared.of[i][g] = interleave(s->args->a + 4 * (i * groups + g), s->offset, vectors);
    const uint8_t *const *a = s->args->a;
    uint8_t *out = s->out;
    size_t left = s->args->pixels;
    for (; left > count / 2; left -= left < count ? left : count) {
        sliding_tile(s, a, out, left, &shared, vectors, width, groups, step, count, rounding);
        a += 4 * count * step * groups;
        out += (ptrdiff_t)count * s->args->out_stride;
    }
    if (left > 0)
        sliding_tile(s, a, out, left, &shared, vectors, width, groups, step, count / 2, rounding);
}

INLINE void run_slice(const edgecore_depthwise_args *args, size_t first, const void *packed, size_t groups, const size_t vectors,
                      const int rounding)
{
    const bool only_3x3 = rounding == ROUND_UP;
    const slice s = begin_slice(args, first, packed, vectors, rounding);
    const size_t width = args->tap_step == 1 ? args->kernel_w : 0, step = args->pixel_step;
    if (groups == 1 && width == 3 && step == 1)
        run_sliding(&s, vectors, 3, 1, 1, rounding);
    else if (groups == 1 && width == 3 && step == 2)
        run_sliding(&s, vectors, 3, 1, 2, rounding);
    else if (only_3x3)
        return;
    else if (vectors == 2 && groups == 2 && width == 5 && step == 1)
        run_sliding(&s, vectors, 5, 2, 1, rounding);
    else if (vectors == 2 && groups == 2 && width == 5 && step == 2)
        run_sliding(&s, vectors, 5, 2, 2, rounding);
    else
        run_any(&s, vectors);
}

INLINE void run_rounding(const edgecore_depthwise_args *args, const int rounding)
{
    const size_t groups = groups_of(args->kernel_h), vectors = slice_vectors(args->cols, groups);
    const uint8_t *packed = (const uint8_t *)args->block + sizeof(edgecore_block_head);
    if (vectors == 4)
        run_slice(args, 0, packed, 1, 4, rounding);
    else
        for (size_t first = 0; first < args->cols; first += 32, packed += slice_bytes(2, groups, args->kernel_w))
            run_slice(args, first, packed, groups, 2, rounding);
}

/* Functions of their own: in one gcc spills more of each. */
static __attribute__((noinline)) void run_up(const edgecore_depthwise_args *args)
{
    run_rounding(args, ROUND_UP);
}

static __attribute__((noinline)) void run_away(const edgecore_depthwise_args *args)
{
    run_rounding(args, ROUND_AWAY);
}

/* Ties away from zero are right for all; that a clamp hides them is worth code of its own for the commonest kernel. */
static void run(const edgecore_depthwise_args *args)
{
    const bool hidden = ((const edgecore_block_head *)args->block)->rounding == ROUND_UP;
    if (hidden && groups_of(args->kernel_h) == 1 && args->kernel_w == 3 && args->tap_step == 1 && args->pixel_step <= 2)
        run_up(args);
    else
        run_away(args);
}

const edgecore_depthwise_kernel edgecore_depthwise_64_avx512vnni = {
    .name = "depthwise_64r4__avx512vnni",
    .cols = CHANNELS,
    .row_step = 4,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
