/* The resize with AVX2. Weights go in two halves of 11 bits through vpmaddwd, which multiplies and adds pairs of
 * 16-bit integers; (high sum << 11) + low sum is the scalar sum exactly. */
#ifndef __AVX2__
#error "compile this file with -mavx2"
#endif

#include "isa/image.h"

#include <immintrin.h>
#include <string.h>

#include "isa/image_template.h"
#include "isa/x86/image_pixels.h"

/* Sums of both halves to pixel values, still 32 bits wide. */
static inline __m256i finish(__m256i high, __m256i low)
{
    __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, EDGECORE_HALF_BITS), low);
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(IMAGE_ROUNDING)), EDGECORE_WEIGHT_BITS);
}

/* Tells the compiler that a sum is used here: without it gcc 12 keeps two copies of every accumulator of a loop. */
#define STAY(vector) __asm__("" : "+x"(vector))

/* Four rows at once, so that weights are fetched and spread once for all. */
typedef struct four_rows {
    const uint8_t *in[EDGECORE_NARROW_ROWS];
    uint8_t *out[EDGECORE_NARROW_ROWS];
} four_rows;

/* Pixels at a row's end, whose vectors would reach past it: out of line, so that they cost the loops no registers. */
static __attribute__((noinline)) void narrow_end(const edgecore_axis *axis, const four_rows *rows, int32_t channels,
                                                 int32_t x)
{
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        if (channels == 1)
            rows->out[r][x] = image_narrow_grey(axis, rows->in[r], x);
        else
            image_narrow_colour(axis, rows->in[r], x, rows->out[r] + 3 * (size_t)x);
    }
}

typedef struct half_sums {
    __m256i high, low;
} half_sums;

static inline half_sums add_pair(half_sums sums, __m256i words, __m256i high_weights, __m256i low_weights)
{
    sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(words, high_weights));
    sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(words, low_weights));
    STAY(sums.high);
    STAY(sums.low);
    return sums;
}

/* 16 bytes of a row from `at` on, zeros past its end; the row has 16 bytes or more. */
static inline __m128i load_16(const uint8_t *row, size_t at, size_t row_bytes, bool inside)
{
    static const int8_t down[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (inside || at + 16 <= row_bytes)
        return _mm_loadu_si128((const __m128i *)(row + at));
    if (at >= row_bytes)
        return _mm_setzero_si128();
    const __m128i last = _mm_loadu_si128((const __m128i *)(row + row_bytes - 16));
    return _mm_shuffle_epi8(last, _mm_loadu_si128((const __m128i *)(down + (at + 16 - row_bytes))));
}

static inline __m256i two_lanes(__m128i lower, __m128i upper)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(lower), upper, 1);
}

/* Sums of outputs `lower` and `upper`, one a lane, in four rows. 16 bytes hold 5 interleaved pixels; they are taken as pairs of
 * 16-bit words (R0 R1)(G0 G1)(B0 B1)(0 0), then (R2 R3) and so on. Both outputs take as many pixels as the axis' widest, against
 * weights that are zero. */
static inline __attribute__((always_inline)) void narrow_two(const edgecore_axis *axis, const four_rows *rows,
                                                             size_t row_bytes, int32_t lower, int32_t upper,
                                                             bool inside, __m256i *pixels)
{
    const __m256i spread_first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const __m256i spread_second = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    const int16_t *lower_halves = axis->halves + 8 * (size_t)axis->groups * (size_t)lower;
    const int16_t *upper_halves = axis->halves + 8 * (size_t)axis->groups * (size_t)upper;
    size_t lower_at = 3 * (size_t)axis->firsts[lower], upper_at = 3 * (size_t)axis->firsts[upper];
    half_sums sums[EDGECORE_NARROW_ROWS];
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++)
        sums[r] = (half_sums){_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int32_t left = axis->most; left > 0; left -= 4) {
        const __m256i weights = two_lanes(_mm_loadu_si128((const __m128i *)lower_halves),
                                          _mm_loadu_si128((const __m128i *)upper_halves));
        const __m256i high_first = _mm256_shuffle_epi32(weights, 0x00), low_first = _mm256_shuffle_epi32(weights, 0xaa);
        const __m256i high_second = _mm256_shuffle_epi32(weights, 0x55), low_second = _mm256_shuffle_epi32(weights, 0xff);
        for (int r = 0; r < EDGECORE_NARROW_ROWS; r++) {
            const __m256i bytes = two_lanes(load_16(rows->in[r], lower_at, row_bytes, inside),
                                            load_16(rows->in[r], upper_at, row_bytes, inside));
            sums[r] = add_pair(sums[r], _mm256_shuffle_epi8(bytes, spread_first), high_first, low_first);
            if (left > 2)
                sums[r] = add_pair(sums[r], _mm256_shuffle_epi8(bytes, spread_second), high_second, low_second);
        }
        lower_halves += 8;
        upper_halves += 8;
        lower_at += 12;
        upper_at += 12;
    }
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++)
        pixels[r] = finish(sums[r].high, sums[r].low);
}

/* Two pixels of two rows from each lane: each store's last two bytes belong to the next pixel, or to the slack. */
static inline void store_colour(__m256i pixels, uint8_t *first_row, uint8_t *second_row)
{
    const __m256i dense = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, 8, 9, 10, 12, 13, 14, -1, -1));
    pixels = _mm256_shuffle_epi8(pixels, dense);
    const __m128i lower = _mm256_castsi256_si128(pixels), upper = _mm256_extracti128_si256(pixels, 1);
    _mm_storel_epi64((__m128i *)first_row, lower);
    _mm_storeh_pi((__m64 *)(void *)second_row, _mm_castsi128_ps(lower));
    _mm_storel_epi64((__m128i *)(first_row + 6), upper);
    _mm_storeh_pi((__m64 *)(void *)(second_row + 6), _mm_castsi128_ps(upper));
}

static inline __attribute__((always_inline)) void narrow_four(const edgecore_axis *axis, const four_rows *rows,
                                                              size_t row_bytes, int32_t x, bool inside)
{
    __m256i even[EDGECORE_NARROW_ROWS], odd[EDGECORE_NARROW_ROWS];
    narrow_two(axis, rows, row_bytes, x, x + 2, inside, even);
    narrow_two(axis, rows, row_bytes, x + 1, x + 3, inside, odd);
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r += 2) {
        const __m256i first = _mm256_packs_epi32(even[r], odd[r]), second = _mm256_packs_epi32(even[r + 1], odd[r + 1]);
        store_colour(_mm256_packus_epi16(first, second), rows->out[r] + 3 * (size_t)x, rows->out[r + 1] + 3 * (size_t)x);
    }
}

/* Out of line, so that it costs the loop no registers. */
static __attribute__((noinline)) void narrow_last_four(const edgecore_axis *axis, const four_rows *rows,
                                                       size_t row_bytes, int32_t x)
{
    narrow_four(axis, rows, row_bytes, x, false);
}

static void narrow_colour(const edgecore_axis *axis, const four_rows *rows, size_t row_bytes)
{
    const size_t reach = 12 * (((size_t)axis->most + 3) / 4) + 4; /* bytes that an output reads */
    if (axis->size < 4 || row_bytes < 16) {
        for (int32_t x = 0; x < axis->size; x++)
            narrow_end(axis, rows, 3, x);
        return;
    }
    int32_t x = 0;
    for (; x + 4 <= axis->size && 3 * (size_t)axis->firsts[x + 3] + reach <= row_bytes; x += 4)
        narrow_four(axis, rows, row_bytes, x, true);
    for (; x < axis->size; x += 4) /* the last four may have been there before */
        narrow_last_four(axis, rows, row_bytes, x > axis->size - 4 ? axis->size - 4 : x);
}

/* 8 pixels and 2 groups of weights, laid out as 4 pixels twice against 4 high and 4 low halves. */
static inline __m256i add_grey(__m256i sums, const uint8_t *pixels, __m256i weights)
{
    const __m128i words = _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)pixels));
    const __m256i twice = _mm256_permute4x64_epi64(_mm256_castsi128_si256(words), 0x50);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(twice, weights));
}

static inline __m128i add_lanes(__m256i sums)
{
    return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
}

static void narrow_grey(const edgecore_axis *axis, const four_rows *rows, size_t row_bytes)
{
    for (int32_t x = 0; x < axis->size; x++) {
        size_t at = (size_t)axis->firsts[x];
        const int32_t pairs = (axis->counts[x] + 7) / 8; /* 1 or more */
        if (at + 8 * (size_t)pairs > row_bytes) {
            narrow_end(axis, rows, 1, x);
            continue;
        }
        const int16_t *halves = axis->halves + 8 * (size_t)axis->groups * (size_t)x;
        const int16_t *const end = halves + 16 * pairs;
        __m256i sums0 = _mm256_setzero_si256(), sums1 = sums0, sums2 = sums0, sums3 = sums0;
        do {
            const __m256i weights = _mm256_loadu_si256((const __m256i *)halves);
            sums0 = add_grey(sums0, rows->in[0] + at, weights);
            sums1 = add_grey(sums1, rows->in[1] + at, weights);
            sums2 = add_grey(sums2, rows->in[2] + at, weights);
            sums3 = add_grey(sums3, rows->in[3] + at, weights);
            at += 8;
            halves += 16;
        } while (halves < end);
        /* Each row's lanes are high, high, low, low; added pairwise they become high, low of two rows. */
        const __m128 first = _mm_castsi128_ps(_mm_hadd_epi32(add_lanes(sums0), add_lanes(sums1)));
        const __m128 second = _mm_castsi128_ps(_mm_hadd_epi32(add_lanes(sums2), add_lanes(sums3)));
        const __m128i high = _mm_castps_si128(_mm_shuffle_ps(first, second, 0x88));
        const __m128i low = _mm_castps_si128(_mm_shuffle_ps(first, second, 0xdd));
        __m128i sum = _mm_add_epi32(_mm_slli_epi32(high, EDGECORE_HALF_BITS), low);
        sum = _mm_srli_epi32(_mm_add_epi32(sum, _mm_set1_epi32(IMAGE_ROUNDING)), EDGECORE_WEIGHT_BITS);
        sum = _mm_packs_epi32(sum, sum);
        uint32_t bytes = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
        for (int r = 0; r < EDGECORE_NARROW_ROWS; r++)
            rows->out[r][x] = (uint8_t)(bytes >> 8 * r);
    }
}

/* Fewer rows than four are filled up with the last one, which is then made more than once. */
static void narrow(const edgecore_axis *axis, const uint8_t *const *rows, int32_t count, size_t row_bytes,
                   int32_t channels, uint8_t *const *out)
{
    four_rows four;
    for (int32_t r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        const int32_t row = r < count ? r : count - 1;
        four.in[r] = rows[row];
        four.out[r] = out[row];
    }
    if (channels == 1)
        narrow_grey(axis, &four, row_bytes);
    else
        narrow_colour(axis, &four, row_bytes);
}

/* The same two halves of weights for every pixel of two rows. */
typedef struct weight_pair {
    __m256i high, low;
} weight_pair;

static inline weight_pair pair_at(const int16_t *halves, int32_t t)
{
    int32_t high, low;
    const int16_t *group = halves + 8 * (t / 4) + t % 4;
    memcpy(&high, group, sizeof high);
    memcpy(&low, group + 4, sizeof low);
    return (weight_pair){_mm256_set1_epi32(high), _mm256_set1_epi32(low)};
}

/* 32 bytes of the output; bytes of two rows are interleaved within lanes, and the packs at the end undo that. */
static inline void blend_32(const int16_t *halves, int32_t count, const uint8_t *const *rows, size_t x, uint8_t *out)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i high[4], low[4];
    for (int i = 0; i < 4; i++)
        high[i] = low[i] = zero;
    for (int32_t t = 0; t < count; t += 2) {
        const weight_pair weights = pair_at(halves, t);
        const __m256i a = _mm256_loadu_si256((const __m256i *)(rows[t] + x));
        const __m256i b = t + 1 < count ? _mm256_loadu_si256((const __m256i *)(rows[t + 1] + x)) : zero;
        const __m256i first = _mm256_unpacklo_epi8(a, b), second = _mm256_unpackhi_epi8(a, b);
        const __m256i pairs[4] = {_mm256_unpacklo_epi8(first, zero), _mm256_unpackhi_epi8(first, zero),
                                  _mm256_unpacklo_epi8(second, zero), _mm256_unpackhi_epi8(second, zero)};
        for (int i = 0; i < 4; i++) {
            high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pairs[i], weights.high));
            low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pairs[i], weights.low));
            STAY(high[i]);
            STAY(low[i]);
        }
    }
    const __m256i left = _mm256_packs_epi32(finish(high[0], low[0]), finish(high[1], low[1]));
    const __m256i right = _mm256_packs_epi32(finish(high[2], low[2]), finish(high[3], low[3]));
    _mm256_storeu_si256((__m256i *)(out + x), _mm256_packus_epi16(left, right));
}

static void blend(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t n, uint8_t *out)
{
    const int16_t *halves = axis->halves + 8 * (size_t)axis->groups * (size_t)index;
    if (n < 32) {
        image_blend(axis, index, rows, 0, n, out);
        return;
    }
    for (size_t x = 0; x + 32 <= n; x += 32)
        blend_32(halves, axis->counts[index], rows, x, out);
    if (n % 32)
        blend_32(halves, axis->counts[index], rows, n - 32, out);
}

const edgecore_image_kernels edgecore_image_avx2 = {narrow, blend, edgecore_luma_avx2, edgecore_reverse_avx2,
                                                    edgecore_colour_avx2};
