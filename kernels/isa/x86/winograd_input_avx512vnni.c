/* The input transform of the avx512vnni tier's Winograd kernel, 32 channels at a time: six rows of pixels under B^T, column by column
 * into scratch that the first-level cache holds, and from there tile by tile under B^T from the other side. */
#include "isa/x86/winograd_avx512.h"

INLINE __m512i add(__m512i a, __m512i b)
{
    return _mm512_add_epi16(a, b);
}

INLINE __m512i subtract(__m512i a, __m512i b)
{
    return _mm512_sub_epi16(a, b);
}

INLINE __m512i times_4(__m512i a)
{
    return _mm512_slli_epi16(a, 2);
}

/* Six vectors under B^T. */
INLINE void transform_6(const __m512i d[SIDE], __m512i to[SIDE])
{
    const __m512i d3_d1 = subtract(d[3], d[1]), d4_d2 = subtract(d[4], d[2]);
    const __m512i even = subtract(d[4], times_4(d[2])), odd = subtract(d[3], times_4(d[1]));
    const __m512i twice = add(d3_d1, d3_d1);
    to[0] = add(d4_d2, times_4(subtract(d[0], d[2])));
    to[1] = add(even, odd);
    to[2] = subtract(even, odd);
    to[3] = add(d4_d2, twice);
    to[4] = subtract(d4_d2, twice);
    to[5] = subtract(subtract(d[5], d[3]), times_4(d3_d1));
}

/* Columns [x, end), whose pixels begin at `rows`; `mask` has the channels of whole chunks. */
INLINE __m512i *transform_columns(const uint8_t *const rows[SIDE], const ptrdiff_t steps[SIDE], size_t channel, __mmask32 mask,
                                  size_t x, size_t end, __m512i *to)
{
    const uint8_t *at[SIDE];
    for (size_t i = 0; i < SIDE; i++)
        at[i] = rows[i] + channel;
    for (; x < end; x++, to += SIDE) {
        __m512i d[SIDE], out[SIDE];
#pragma GCC unroll 6
        for (size_t i = 0; i < SIDE; i++) {
            d[i] = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, at[i]));
            at[i] += steps[i];
        }
        transform_6(d, out);
#pragma GCC unroll 6
        for (size_t i = 0; i < SIDE; i++)
            _mm512_store_si512(to + i, out[i]);
    }
    return to;
}

/* `columns`: six transformed columns; the rows of what they hold are transformed. */
INLINE void transform_rows(const __m512i *columns, __mmask32 mask, int16_t *to, size_t step)
{
    for (size_t i = 0; i < SIDE; i++, columns++) {
        __m512i d[SIDE], out[SIDE];
#pragma GCC unroll 6
        for (size_t j = 0; j < SIDE; j++)
            d[j] = _mm512_load_si512(columns + j * SIDE);
        transform_6(d, out);
#pragma GCC unroll 6
        for (size_t j = 0; j < SIDE; j++, to += step) {
            if (mask == UINT32_MAX)
                _mm512_storeu_si512(to, out[j]);
            else
                _mm512_mask_storeu_epi16(to, mask, out[j]);
        }
    }
}

void edgecore_winograd_transform_avx512vnni(const edgecore_winograd_input *args)
{
    const size_t channels = chunks_of(args->channels) * CHUNK, columns = 4 * args->tiles + 2;
    const size_t inside_end = args->before + args->inside, step = position_step(args->channels);
    const size_t first = args->first, end = first + args->tiles;
    const uint8_t *const zero = args->zero, *const outside[SIDE] = {zero, zero, zero, zero, zero, zero};
    const ptrdiff_t still[SIDE] = {0};
    for (size_t c = 0; c < channels; c += INPUT_CHANNELS) {
        const __mmask32 mask = channels - c < INPUT_CHANNELS ? (UINT32_C(1) << (channels - c)) - 1 : UINT32_MAX;
        __m512i *column = args->scratch;
        column = transform_columns(outside, still, c, mask, 0, args->before, column);
        column = transform_columns(args->rows, args->steps, c, mask, args->before, inside_end, column);
        transform_columns(outside, still, c, mask, inside_end, columns, column);
        column = args->scratch;
        for (size_t t = first; t < end; t++, column += 4 * SIDE)
            transform_rows(column, mask, args->to + t / TILES * POSITIONS * step + t % TILES * channels + c, step);
    }
}
