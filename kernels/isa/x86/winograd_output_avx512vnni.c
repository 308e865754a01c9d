/* The output transform of the avx512vnni tier's Winograd kernel: 36 sums under A^T from both sides, 16 channels at a time; bytes. */
#include "isa/x86/winograd_avx512.h"

INLINE __m512i add(__m512i a, __m512i b)
{
    return _mm512_add_epi32(a, b);
}

/* a + 2^shift b */
INLINE __m512i add_shifted(__m512i a, __m512i b, const unsigned shift)
{
    return _mm512_add_epi32(a, _mm512_slli_epi32(b, shift));
}

/* Six sums under A^T. */
INLINE void transform_sums(const __m512i m[SIDE], __m512i to[4])
{
    const __m512i sum = add(m[1], m[2]), difference = _mm512_sub_epi32(m[1], m[2]);
    const __m512i far_sum = add(m[3], m[4]), far_difference = _mm512_sub_epi32(m[3], m[4]);
    to[0] = add(add(m[0], sum), far_sum);
    to[1] = add_shifted(difference, far_difference, 1);
    to[2] = add_shifted(sum, far_sum, 2);
    to[3] = add_shifted(add_shifted(difference, far_difference, 3), m[5], 1);
}

/* What 16 channels have in common for all tiles. */
typedef struct output_channels {
    const requant_16 *q;
    output_bounds bounds;
    fixing fixing;
    fix_bounds fix_bounds;
    __mmask16 mask;
} output_channels;

/* Four pixels of a tile's row, their sums for 16 channels. `m`: the row's six columns. */
INLINE void row_sums(const __m512i m[SIDE], __m512i pixels[4])
{
    const __m512i ninth = _mm512_set1_epi32(INVERSE_OF_9);
    transform_sums(m, pixels);
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++)
        pixels[x] = _mm512_srai_epi32(_mm512_mullo_epi32(pixels[x], ninth), 6);
}

/* Lane i of the result is pixel i. The rounding of all: rows that come here are few. */
static __attribute__((noinline)) __m512i exact_row(const __m512i m[SIDE], const output_channels *c)
{
    const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i v[4];
    row_sums(m, v);
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++)
        v[x] = scale_16(v[x], c->q, ROUND_GENERAL);
    return _mm512_permutexvar_epi32(transpose, narrow_64(v[0], v[1], v[2], v[3], &c->bounds));
}

INLINE __m512i output_row(const __m512i m[SIDE], const output_channels *c, const int rounding)
{
    const __m512i in_order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i v[4];
    if (rounding == ROUND_GENERAL)
        return exact_row(m, c);
    row_sums(m, v);
#pragma GCC unroll 4
    for (size_t x = 0; x < 4; x++)
        v[x] = fix_16(v[x], &c->fixing, rounding);
    if (__builtin_expect(fix_in_doubt(v[0], v[1], v[2], v[3]), 0))
        return exact_row(m, c);
    return _mm512_permutexvar_epi64(in_order, narrow_fixed_64(v[0], v[1], v[2], v[3], &c->fix_bounds));
}

INLINE void store_whole(uint8_t *to, ptrdiff_t pixel_stride, __m512i row)
{
    _mm_storeu_si128((__m128i *)to, _mm512_castsi512_si128(row));
    _mm_storeu_si128((__m128i *)(to + pixel_stride), _mm512_extracti32x4_epi32(row, 1));
    _mm_storeu_si128((__m128i *)(to + 2 * pixel_stride), _mm512_extracti32x4_epi32(row, 2));
    _mm_storeu_si128((__m128i *)(to + 3 * pixel_stride), _mm512_extracti32x4_epi32(row, 3));
}

INLINE void store_part(uint8_t *to, ptrdiff_t pixel_stride, __m512i row, int32_t pixels, __mmask16 mask)
{
    _mm_mask_storeu_epi8(to, mask, _mm512_castsi512_si128(row));
    if (pixels > 1)
        _mm_mask_storeu_epi8(to + pixel_stride, mask, _mm512_extracti32x4_epi32(row, 1));
    if (pixels > 2)
        _mm_mask_storeu_epi8(to + 2 * pixel_stride, mask, _mm512_extracti32x4_epi32(row, 2));
    if (pixels > 3)
        _mm_mask_storeu_epi8(to + 3 * pixel_stride, mask, _mm512_extracti32x4_epi32(row, 3));
}

/* `sums`: [position][TILES][COLS], from this tile and vector on. */
INLINE void output_tile(const edgecore_winograd_args *args, const int32_t *sums, const edgecore_winograd_output *out,
                        size_t offset, const output_channels *c, const int rounding)
{
    __m512i rows[4][SIDE];
#pragma GCC unroll 6
    for (size_t x = 0; x < SIDE; x++) {
        __m512i m[SIDE], to[4];
#pragma GCC unroll 6
        for (size_t y = 0; y < SIDE; y++)
            m[y] = _mm512_load_si512(sums + (y * SIDE + x) * TILES * COLS);
        transform_sums(m, to);
#pragma GCC unroll 4
        for (size_t y = 0; y < 4; y++)
            rows[y][x] = to[y];
    }
    uint8_t *to = out->to + offset;
    const bool whole = out->cols == 4 && c->mask == UINT16_MAX;
#pragma GCC unroll 4
    for (int32_t y = 0; y < 4; y++, to += args->row_stride) {
        if (y >= out->rows)
            return;
        const __m512i row = output_row(rows[y], c, rounding);
        if (whole)
            store_whole(to, args->pixel_stride, row);
        else
            store_part(to, args->pixel_stride, row, out->cols, c->mask);
    }
}

INLINE void output(const edgecore_winograd_args *args, const int rounding)
{
    const winograd_head *head = args->block;
    output_channels c = {
        .bounds = load_bounds(&head->rounding),
        .fix_bounds = load_fix_bounds(&head->rounding, edgecore_words_in_order),
    };
    for (size_t first = 0; first < args->cols; first += LANES) {
        c.q = &head->requant[first / LANES];
        c.fixing = load_fixing(c.q, rounding);
        c.mask = args->cols - first < LANES ? (__mmask16)((1u << (args->cols - first)) - 1) : UINT16_MAX;
        for (size_t t = 0; t < args->count; t++)
            output_tile(args, args->scratch + t * COLS + first, &args->out[t], args->out_offset + first, &c, rounding);
    }
}

void edgecore_winograd_output_avx512vnni(const edgecore_winograd_args *args)
{
    switch (((const winograd_head *)args->block)->rounding.rounding) {
    case ROUND_UP:
        output(args, ROUND_UP);
        break;
    case ROUND_AWAY:
        output(args, ROUND_AWAY);
        break;
    default:
        output(args, ROUND_GENERAL);
    }
}
