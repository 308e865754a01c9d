/* The output transform of the 256-bit Winograd kernels: 36 sums under A^T from both sides, 8 channels at a time; bytes. */
#include "isa/x86/winograd_256.h"

/* Six sums under A^T; they wrap. */
INLINE void transform_sums(const __m256i m[SIDE], __m256i to[4])
{
    const __m256i sum = _mm256_add_epi32(m[1], m[2]), difference = _mm256_sub_epi32(m[1], m[2]);
    const __m256i far_sum = _mm256_add_epi32(m[3], m[4]), far_difference = _mm256_sub_epi32(m[3], m[4]);
    const __m256i twice = _mm256_add_epi32(far_difference, far_difference);
    const __m256i last = _mm256_add_epi32(_mm256_add_epi32(twice, twice), m[5]);
    to[0] = _mm256_add_epi32(_mm256_add_epi32(m[0], sum), far_sum);
    to[1] = _mm256_add_epi32(difference, twice);
    to[2] = _mm256_add_epi32(sum, _mm256_slli_epi32(far_sum, 2));
    to[3] = _mm256_add_epi32(difference, _mm256_add_epi32(last, last));
}

/* Row y of a tile under A^T from one side: 8 channels of a pixel after those of another. */
INLINE __m256i output_row(const __m256i rows[4][SIDE], const size_t y, const requant_8 *q, const output_bounds *bounds,
                          const int rounding)
{
    __m256i sums[4], pixels[4];
    transform_sums(rows[y], sums);
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++) {
        const __m256i ninth = _mm256_mullo_epi32(sums[x], _mm256_set1_epi32(INVERSE_OF_9));
        pixels[x] = scale_8(_mm256_srai_epi32(ninth, 6), q, rounding);
    }
    const __m256i transpose = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(narrow_32(pixels[0], pixels[1], pixels[2], pixels[3], bounds), transpose);
}

INLINE void store_row(uint8_t *to, ptrdiff_t pixel_stride, __m256i bytes)
{
    const __m128d low = _mm_castsi128_pd(_mm256_castsi256_si128(bytes));
    const __m128d high = _mm_castsi128_pd(_mm256_extracti128_si256(bytes, 1));
    memcpy(to, &(double){low[0]}, LANES);
    memcpy(to + pixel_stride, &(double){low[1]}, LANES);
    memcpy(to + 2 * pixel_stride, &(double){high[0]}, LANES);
    memcpy(to + 3 * pixel_stride, &(double){high[1]}, LANES);
}

/* The first `cols` pixels of a row, the first `channels` of 8 channels. */
__attribute__((noinline)) static void store_part(uint8_t *to, ptrdiff_t pixel_stride, __m256i bytes, int32_t cols,
                                                 size_t channels)
{
    uint8_t all[4 * LANES];
    _mm256_storeu_si256((__m256i *)all, bytes);
    for (int32_t x = 0; x < cols; x++, to += pixel_stride)
        memcpy(to, all + LANES * (size_t)x, channels);
}

/* 8 channels, or the first `channels` of them, of one tile. */
INLINE void output_tile(const int32_t *sums, const requant_8 *q, const output_bounds *bounds, const edgecore_winograd_args *args,
                        const edgecore_winograd_output *out, size_t offset, size_t channels, const int rounding)
{
    __m256i rows[4][SIDE];
#pragma GCC unroll 6
    for (size_t j = 0; j < SIDE; j++) {
        __m256i m[SIDE], column[4];
#pragma GCC unroll 6
        for (size_t i = 0; i < SIDE; i++)
            m[i] = load_256(sums + (i * SIDE + j) * TILES * COLS);
        if (j == BIAS_POSITION % SIDE)
            m[BIAS_POSITION / SIDE] = _mm256_add_epi32(m[BIAS_POSITION / SIDE], load_256(q->bias));
        transform_sums(m, column);
        for (size_t y = 0; y < 4; y++)
            rows[y][j] = column[y];
    }
    uint8_t *to = out->to + offset;
    const bool whole = out->cols == 4 && channels == LANES;
    for (size_t y = 0; y < (size_t)out->rows; y++, to += args->row_stride) {
        const __m256i bytes = output_row((const __m256i(*)[SIDE])rows, y, q, bounds, rounding);
        if (whole)
            store_row(to, args->pixel_stride, bytes);
        else
            store_part(to, args->pixel_stride, bytes, out->cols, channels);
    }
}

INLINE void output(const edgecore_winograd_args *args, const int rounding)
{
    const winograd_head *head = args->block;
    const output_bounds bounds = load_bounds(&head->head);
    for (size_t first = 0; first < args->cols; first += LANES) {
        const size_t left = args->cols - first;
        for (size_t t = 0; t < args->count; t++)
            output_tile(args->scratch + t * COLS + first, &head->requant[first / LANES], &bounds, args, &args->out[t],
                        args->out_offset + first, left < LANES ? left : LANES, rounding);
    }
}

#define OUTPUT(rounding)                                                                                                  \
    __attribute__((noinline)) static void output_##rounding(const edgecore_winograd_args *args)                          \
    {                                                                                                                     \
        output(args, rounding);                                                                                           \
    }
OUTPUT(ROUND_UP)
OUTPUT(ROUND_AWAY)
OUTPUT(ROUND_GENERAL)

void edgecore_winograd_output_256(const edgecore_winograd_args *args)
{
    static void (*const outputs[])(const edgecore_winograd_args *) = {output_ROUND_UP, output_ROUND_AWAY, output_ROUND_GENERAL};
    const winograd_head *head = args->block;
    outputs[head->head.rounding](args);
}
