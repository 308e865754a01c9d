/* The image micro-kernels with AVX-512 VNNI: the resize. Weights go in three signed digits of 8 bits through vpdpbusd,
 * which multiplies and adds four bytes of pixels; ((third << 8) + second << 8) + first is the scalar sum exactly. The rest is that
 * of AVX2. */
#if !defined(__AVX512VNNI__) || !defined(__AVX512BW__) || !defined(__AVX512VL__)
#error "compile this file with -mavx512vnni -mavx512bw -mavx512vl"
#endif

#include "isa/image.h"

#include <immintrin.h>
#include <string.h>

#include "isa/image_template.h"
#include "isa/x86/image_pixels.h"

#define GROUP_DIGITS (EDGECORE_WEIGHT_DIGITS * 16) /* of a group of four weights of four outputs */
#define INLINE static inline __attribute__((always_inline))

typedef struct digit_sums {
    __m512i digits[EDGECORE_WEIGHT_DIGITS];
} digit_sums;

INLINE digit_sums no_sums(void)
{
    return (digit_sums){{_mm512_set1_epi32(IMAGE_ROUNDING), _mm512_setzero_si512(), _mm512_setzero_si512()}};
}

/* Digits of the first group of four weights of outputs [x, x + 4). */
INLINE const int8_t *digits_of(const edgecore_axis *axis, int32_t x)
{
    return axis->digits + GROUP_DIGITS * (size_t)axis->groups * (size_t)(x / 4);
}

/* Four bytes of every 32-bit lane times four weights of one output. */
INLINE void take_four(digit_sums *sums, __m512i bytes, const int8_t *digits)
{
    for (int d = 0; d < EDGECORE_WEIGHT_DIGITS; d++) {
        int32_t four;
        memcpy(&four, digits + 16 * d, sizeof four);
        sums->digits[d] = _mm512_dpbusd_epi32(sums->digits[d], bytes, _mm512_set1_epi32(four));
    }
}

/* To pixel values, still 32 bits wide. */
INLINE __m512i finish(const digit_sums *sums)
{
    const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(sums->digits[2], 8), sums->digits[1]);
    const __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(upper, 8), sums->digits[0]);
    return _mm512_srli_epi32(sum, EDGECORE_WEIGHT_BITS);
}

/* Four rows at once, one in each 128-bit lane. */
typedef struct four_rows {
    const uint8_t *in[EDGECORE_NARROW_ROWS];
    uint8_t *out[EDGECORE_NARROW_ROWS];
} four_rows;

/* 16 bytes of each row from `at` on; zeros past a row's end unless all are `inside`. */
INLINE __m512i load_rows(const four_rows *rows, size_t at, size_t row_bytes, bool inside)
{
    __m128i lanes[EDGECORE_NARROW_ROWS];
    const size_t there = at < row_bytes ? row_bytes - at : 0;
    const __mmask16 mask = (__mmask16)(there < 16 ? (1u << there) - 1 : 0xffff);
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++)
        lanes[r] = inside ? _mm_loadu_si128((const __m128i *)(rows->in[r] + at))
                          : _mm_maskz_loadu_epi8(mask, rows->in[r] + at);
    __m512i all = _mm512_inserti32x4(_mm512_castsi128_si512(lanes[0]), lanes[1], 1);
    all = _mm512_inserti32x4(all, lanes[2], 2);
    return _mm512_inserti32x4(all, lanes[3], 3);
}

/* Bytes of each row to `at`. */
INLINE void store_rows(const four_rows *rows, size_t at, __m512i bytes, __mmask16 mask, bool inside)
{
    const __m128i lanes[EDGECORE_NARROW_ROWS] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                                                 _mm512_extracti32x4_epi32(bytes, 2),
                                                 _mm512_extracti32x4_epi32(bytes, 3)};
    for (int r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        if (inside)
            _mm_storeu_si128((__m128i *)(rows->out[r] + at), lanes[r]);
        else
            _mm_mask_storeu_epi8(rows->out[r] + at, mask, lanes[r]);
    }
}

/* Output x + i of four in four rows: the first four of 16 bytes' interleaved pixels as (R0 R1 R2 R3)(G ...)(B ...)(0 ...). */
INLINE __m512i narrow_one(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes, int32_t x,
                          int32_t i, bool inside)
{
    const __m512i spread = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
    const int8_t *digits = digits_of(axis, x) + 4 * i;
    const size_t at = 3 * (size_t)axis->firsts[x + i];
    digit_sums sums = no_sums();
    for (int32_t g = 0; g < groups; g++) {
        const __m512i bytes = load_rows(rows, at + 12 * (size_t)g, row_bytes, inside);
        take_four(&sums, _mm512_shuffle_epi8(bytes, spread), digits + GROUP_DIGITS * g);
    }
    return finish(&sums);
}

/* Outputs [x, x + 4) of four rows. Inside a row the last four bytes of a store belong to the next pixels, or to the slack. */
INLINE void narrow_four(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes, int32_t x,
                        bool inside)
{
    const __m512i dense = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const __m512i low = _mm512_packs_epi32(narrow_one(axis, groups, rows, row_bytes, x, 0, inside),
                                           narrow_one(axis, groups, rows, row_bytes, x, 1, inside));
    const __m512i high = _mm512_packs_epi32(narrow_one(axis, groups, rows, row_bytes, x, 2, inside),
                                            narrow_one(axis, groups, rows, row_bytes, x, 3, inside));
    const int32_t count = axis->size - x < 4 ? axis->size - x : 4;
    store_rows(rows, 3 * (size_t)x, _mm512_shuffle_epi8(_mm512_packus_epi16(low, high), dense),
               (__mmask16)((1u << 3 * count) - 1), inside);
}

/* Out of line, so that it costs the loop no registers. */
static __attribute__((noinline)) void narrow_last_four(const edgecore_axis *axis, int32_t groups, const four_rows *rows,
                                                       size_t row_bytes, int32_t x)
{
    narrow_four(axis, groups, rows, row_bytes, x, false);
}

/* Every output takes as many groups of four pixels as the widest one, against weights that are zero. */
INLINE void narrow_colour(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes)
{
    const size_t reach = 12 * (size_t)groups + 4;
    int32_t x = 0;
    for (; x + 4 <= axis->size && 3 * (size_t)axis->firsts[x + 3] + reach <= row_bytes; x += 4)
        narrow_four(axis, groups, rows, row_bytes, x, true);
    for (; x < axis->size; x += 4)
        narrow_last_four(axis, groups, rows, row_bytes, x);
}

/* Whether 16 bytes hold the first four pixels of two neighbours, whichever. */
static bool outputs_are_near(const edgecore_axis *axis)
{
    for (int32_t x = 1; x < axis->size; x++)
        if (axis->firsts[x] - axis->firsts[x - 1] > 12)
            return false;
    return true;
}

/* Outputs [x, x + 4) of four rows, one in each 32-bit lane; the first two from one load, the others from a second. */
INLINE __m512i narrow_grey_four(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes,
                                int32_t x, bool inside)
{
    const __m128i firsts = _mm_loadu_si128((const __m128i *)(axis->firsts + x));
    const __m128i away = _mm_sub_epi32(firsts, _mm_shuffle_epi32(firsts, _MM_SHUFFLE(2, 2, 0, 0)));
    const __m128i places = _mm_add_epi32(_mm_mullo_epi32(away, _mm_set1_epi32(0x01010101)), _mm_set1_epi32(0x03020100));
    const __m512i spread = _mm512_broadcast_i32x4(places);
    const int8_t *digits = digits_of(axis, x);
    const size_t at = (size_t)axis->firsts[x], second_at = (size_t)axis->firsts[x + 2];
    digit_sums sums = no_sums();
    for (int32_t g = 0; g < groups; g++, digits += GROUP_DIGITS) {
        const __m512i first = load_rows(rows, at + 4 * (size_t)g, row_bytes, inside);
        const __m512i second = load_rows(rows, second_at + 4 * (size_t)g, row_bytes, inside);
        const __m512i four = _mm512_mask_shuffle_epi8(_mm512_shuffle_epi8(first, spread), 0xff00ff00ff00ff00u, second,
                                                      spread);
        for (int d = 0; d < EDGECORE_WEIGHT_DIGITS; d++) {
            const __m128i weights = _mm_loadu_si128((const __m128i *)(digits + 16 * d));
            sums.digits[d] = _mm512_dpbusd_epi32(sums.digits[d], four, _mm512_broadcast_i32x4(weights));
        }
    }
    return finish(&sums);
}

/* Outputs [x, x + 16) of four rows; those past the end are made again and not stored. */
INLINE void narrow_grey_16(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes, int32_t x,
                           bool inside)
{
    const int32_t end = (axis->size - 1) / 4 * 4;
    __m512i fours[4];
    for (int32_t i = 0; i < 4; i++)
        fours[i] = narrow_grey_four(axis, groups, rows, row_bytes, x + 4 * i < end ? x + 4 * i : end, inside);
    const __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(fours[0], fours[1]), _mm512_packs_epi32(fours[2], fours[3]));
    const int32_t count = axis->size - x < 16 ? axis->size - x : 16;
    store_rows(rows, (size_t)x, bytes, (__mmask16)((1u << count) - 1), inside);
}

static __attribute__((noinline)) void narrow_grey_last_16(const edgecore_axis *axis, int32_t groups,
                                                          const four_rows *rows, size_t row_bytes, int32_t x)
{
    narrow_grey_16(axis, groups, rows, row_bytes, x, false);
}

static void narrow_grey(const edgecore_axis *axis, int32_t groups, const four_rows *rows, size_t row_bytes)
{
    const size_t reach = 4 * (size_t)groups + 12;
    int32_t x = 0;
    for (; x + 16 <= axis->size && (size_t)axis->firsts[x + 15] + reach <= row_bytes; x += 16)
        narrow_grey_16(axis, groups, rows, row_bytes, x, true);
    for (; x < axis->size; x += 16)
        narrow_grey_last_16(axis, groups, rows, row_bytes, x);
}

/* Fewer rows than four are filled up with the last one, which is then made more than once. */
static void narrow(const edgecore_axis *axis, const uint8_t *const *rows, int32_t count, size_t row_bytes,
                   int32_t channels, uint8_t *const *out)
{
    if (channels == 1 && !outputs_are_near(axis)) {
        edgecore_image_avx2.narrow(axis, rows, count, row_bytes, channels, out);
        return;
    }
    four_rows four;
    for (int32_t r = 0; r < EDGECORE_NARROW_ROWS; r++) {
        const int32_t row = r < count ? r : count - 1;
        four.in[r] = rows[row];
        four.out[r] = out[row];
    }
    const int32_t groups = (axis->most + 3) / 4;
    if (channels == 1)
        narrow_grey(axis, groups, &four, row_bytes);
    else if (groups == 1)
        narrow_colour(axis, 1, &four, row_bytes);
    else if (groups == 2)
        narrow_colour(axis, 2, &four, row_bytes);
    else if (groups == 3)
        narrow_colour(axis, 3, &four, row_bytes);
    else
        narrow_colour(axis, groups, &four, row_bytes);
}

/* 64 bytes of the output; bytes of four rows are interleaved within lanes, and the packs at the end undo that. */
INLINE __m512i blend_64(const int8_t *digits, int32_t count, const uint8_t *const *rows, size_t x, __mmask64 mask)
{
    digit_sums sums[4];
    for (int i = 0; i < 4; i++)
        sums[i] = no_sums();
    for (int32_t t = 0; t < count; t += 4, digits += GROUP_DIGITS) {
        __m512i row[4];
        for (int32_t i = 0; i < 4; i++) /* the weights of those past the count are zero */
            row[i] = _mm512_maskz_loadu_epi8(mask, rows[t + i < count ? t + i : count - 1] + x);
        const __m512i low01 = _mm512_unpacklo_epi8(row[0], row[1]), high01 = _mm512_unpackhi_epi8(row[0], row[1]);
        const __m512i low23 = _mm512_unpacklo_epi8(row[2], row[3]), high23 = _mm512_unpackhi_epi8(row[2], row[3]);
        take_four(&sums[0], _mm512_unpacklo_epi16(low01, low23), digits);
        take_four(&sums[1], _mm512_unpackhi_epi16(low01, low23), digits);
        take_four(&sums[2], _mm512_unpacklo_epi16(high01, high23), digits);
        take_four(&sums[3], _mm512_unpackhi_epi16(high01, high23), digits);
    }
    return _mm512_packus_epi16(_mm512_packs_epi32(finish(&sums[0]), finish(&sums[1])),
                               _mm512_packs_epi32(finish(&sums[2]), finish(&sums[3])));
}

static void blend(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t n, uint8_t *out)
{
    const int8_t *digits = digits_of(axis, index) + 4 * (index % 4);
    const int32_t count = axis->counts[index];
    for (size_t x = 0; x < n; x += 64) {
        const __mmask64 mask = n - x < 64 ? ((__mmask64)1 << (n - x)) - 1 : ~(__mmask64)0;
        _mm512_mask_storeu_epi8(out + x, mask, blend_64(digits, count, rows, x, mask));
    }
}

const edgecore_image_kernels edgecore_image_avx512vnni = {narrow, blend, edgecore_luma_avx2, edgecore_reverse_avx2,
                                                          edgecore_colour_avx2};
