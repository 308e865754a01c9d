/* The input transform of the 256-bit Winograd kernels: six rows of pixels under B^T, column by column into scratch that the
 * first-level cache holds, and from there tile by tile under B^T from the other side. Neighbours share two columns of six.
 * Two chunks of channels at a time; a last one alone takes the lower halves of the same vectors. */
#include "isa/x86/winograd_256.h"

/* Six vectors under B^T. */
INLINE void transform_6(const __m256i d[SIDE], __m256i to[SIDE])
{
    const __m256i d3_d1 = _mm256_sub_epi16(d[3], d[1]), d4_d2 = _mm256_sub_epi16(d[4], d[2]);
    const __m256i even = _mm256_sub_epi16(d[4], _mm256_slli_epi16(d[2], 2));
    const __m256i odd = _mm256_sub_epi16(d[3], _mm256_slli_epi16(d[1], 2));
    const __m256i twice = _mm256_add_epi16(d3_d1, d3_d1);
    to[0] = _mm256_add_epi16(d4_d2, _mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 2));
    to[1] = _mm256_add_epi16(even, odd);
    to[2] = _mm256_sub_epi16(even, odd);
    to[3] = _mm256_add_epi16(d4_d2, twice);
    to[4] = _mm256_sub_epi16(d4_d2, twice);
    to[5] = _mm256_sub_epi16(_mm256_sub_epi16(d[5], d[3]), _mm256_slli_epi16(d3_d1, 2));
}

/* The channels of `chunks` chunks, 1 or 2, of a pixel. */
INLINE __m256i load_pixel(const uint8_t *pixel, const size_t chunks)
{
    return _mm256_cvtepu8_epi16(chunks == 2 ? _mm_loadu_si128((const __m128i *)pixel) : _mm_loadl_epi64((const __m128i *)pixel));
}

/* Columns [x, end), whose pixels begin at `rows`, to [column][SIDE][2 chunks]. */
INLINE __m256i *transform_columns(const uint8_t *const rows[SIDE], const ptrdiff_t steps[SIDE], size_t channel, size_t x,
                                  size_t end, __m256i *to, const size_t chunks)
{
    const uint8_t *at[SIDE];
    ptrdiff_t step[SIDE];
    for (size_t i = 0; i < SIDE; i++) {
        at[i] = rows[i] + channel;
        step[i] = steps[i];
    }
    for (; x < end; x++, to += SIDE) {
        __m256i d[SIDE], column[SIDE];
#pragma GCC unroll 6
        for (size_t i = 0; i < SIDE; i++) {
            d[i] = load_pixel(at[i], chunks);
            at[i] += step[i];
        }
        transform_6(d, column);
#pragma GCC unroll 6
        for (size_t i = 0; i < SIDE; i++)
            _mm256_store_si256(&to[i], column[i]);
    }
    return to;
}

/* `columns`: six transformed columns; the rows of what they hold are transformed. */
INLINE void transform_rows(const __m256i *columns, int16_t *to, const size_t chunks)
{
#pragma GCC unroll 6
    for (size_t i = 0; i < SIDE; i++) {
        __m256i d[SIDE], row[SIDE];
#pragma GCC unroll 6
        for (size_t j = 0; j < SIDE; j++)
            d[j] = _mm256_load_si256(&columns[j * SIDE + i]);
        transform_6(d, row);
#pragma GCC unroll 6
        for (size_t j = 0; j < SIDE; j++, to += TILES * chunks * CHUNK) {
            if (chunks == 2)
                _mm256_store_si256((__m256i *)to, row[j]);
            else
                _mm_store_si128((__m128i *)to, _mm256_castsi256_si128(row[j]));
        }
    }
}

/* Chunks `chunk` and, if two, the next. */
INLINE void transform_chunks(const edgecore_winograd_input *args, size_t chunk, const size_t chunks)
{
    const size_t columns = 4 * args->tiles + 2, inside_end = args->before + args->inside;
    const size_t block = POSITIONS * TILES * CHUNK * chunks_of(args->channels), end = args->first + args->tiles;
    const uint8_t *const zero = args->zero, *const outside[SIDE] = {zero, zero, zero, zero, zero, zero};
    const ptrdiff_t still[SIDE] = {0};
    __m256i *column = args->scratch;
    int16_t *to = args->to + chunk * POSITIONS * TILES * CHUNK;
    column = transform_columns(outside, still, chunk * CHUNK, 0, args->before, column, chunks);
    column = transform_columns(args->rows, args->steps, chunk * CHUNK, args->before, inside_end, column, chunks);
    transform_columns(outside, still, chunk * CHUNK, inside_end, columns, column, chunks);
    column = args->scratch;
    for (size_t t = args->first; t < end; t++, column += 4 * SIDE)
        transform_rows(column, to + t / TILES * block + t % TILES * chunks * CHUNK, chunks);
}

void edgecore_winograd_transform_256(const edgecore_winograd_input *args)
{
    const size_t chunks = chunks_of(args->channels);
    size_t chunk = 0;
    for (; chunk + 2 <= chunks; chunk += 2)
        transform_chunks(args, chunk, 2);
    if (chunk < chunks)
        transform_chunks(args, chunk, 1);
}
