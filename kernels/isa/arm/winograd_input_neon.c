/* The input transform of the neon tier's Winograd kernel: six rows of pixels under B^T, column by column into scratch that the
 * first-level cache holds, and from there tile by tile under B^T from the other side. Neighbours share two columns of six. */
#include "isa/arm/winograd_neon.h"

/* Keeps the compiler from making a shift and an addition of a multiply-accumulate. */
INLINE int16x8_t opaque_s16(int16_t value)
{
    int16x8_t v = vdupq_n_s16(value);
    __asm__("" : "+w"(v));
    return v;
}

/* What the two directions of the input transform share: all but their first differences. */
typedef struct differences {
    int16x8_t d0_d2, d3_d1, d4_d2, d5_d3;
    int16x8_t even, odd; /* d4 - 4 d2, d3 - 4 d1 */
} differences;

INLINE void transform_6(const differences *d, int16x8_t four, int16x8_t to[SIDE])
{
    const int16x8_t twice = vaddq_s16(d->d3_d1, d->d3_d1);
    to[0] = vmlaq_s16(d->d4_d2, d->d0_d2, four);
    to[1] = vaddq_s16(d->even, d->odd);
    to[2] = vsubq_s16(d->even, d->odd);
    to[3] = vaddq_s16(d->d4_d2, twice);
    to[4] = vsubq_s16(d->d4_d2, twice);
    to[5] = vmlsq_s16(d->d5_d3, d->d3_d1, four);
}

/* One column of six pixels, 8 channels of each. */
INLINE void transform_column(const uint8_t *const at[SIDE], int16x8_t four, int8x8_t three, int16_t *to)
{
    int8x8_t d[SIDE];
    for (size_t i = 0; i < SIDE; i++)
        d[i] = vld1_s8((const int8_t *)at[i]);
    differences v = {.d0_d2 = vsubl_s8(d[0], d[2]), .d3_d1 = vsubl_s8(d[3], d[1]), .d4_d2 = vsubl_s8(d[4], d[2]),
                     .d5_d3 = vsubl_s8(d[5], d[3])};
    v.even = vmlsl_s8(v.d4_d2, d[2], three);
    v.odd = vmlsl_s8(v.d3_d1, d[1], three);
    int16x8_t out[SIDE];
    transform_6(&v, four, out);
    for (size_t i = 0; i < SIDE; i++)
        vst1q_s16(to + i * CHUNK, out[i]);
}

/* `columns`: six transformed columns; the rows of what they hold are transformed. */
INLINE void transform_rows(const int16_t *columns, int16x8_t four, int16_t *to, size_t position_step)
{
    for (size_t i = 0; i < SIDE; i++, columns += CHUNK) {
        int16x8_t d[SIDE], out[SIDE];
        for (size_t j = 0; j < SIDE; j++)
            d[j] = vld1q_s16(columns + j * SIDE * CHUNK);
        const differences v = {
            .d0_d2 = vsubq_s16(d[0], d[2]),
            .d3_d1 = vsubq_s16(d[3], d[1]),
            .d4_d2 = vsubq_s16(d[4], d[2]),
            .d5_d3 = vsubq_s16(d[5], d[3]),
            .even = vmlsq_s16(d[4], d[2], four),
            .odd = vmlsq_s16(d[3], d[1], four),
        };
        transform_6(&v, four, out);
        for (size_t j = 0; j < SIDE; j++, to += position_step)
            vst1q_s16(to, out[j]);
    }
}

/* Columns [x, end), whose pixels begin at `rows`. */
INLINE int16_t *transform_columns(const uint8_t *const rows[SIDE], const ptrdiff_t steps[SIDE], size_t channel, size_t x,
                                  size_t end, int16x8_t four, int16_t *to)
{
    const int8x8_t three = vdup_n_s8(3);
    const uint8_t *at[SIDE];
    ptrdiff_t step[SIDE];
    for (size_t i = 0; i < SIDE; i++) {
        at[i] = rows[i] + channel;
        step[i] = steps[i];
    }
    for (; x < end; x++, to += SIDE * CHUNK) {
        transform_column(at, four, three, to);
        for (size_t i = 0; i < SIDE; i++)
            at[i] += step[i];
    }
    return to;
}

void edgecore_winograd_transform_neon(const edgecore_winograd_input *args)
{
    const size_t chunks = chunks_of(args->channels), columns = 4 * args->tiles + 2, inside_end = args->before + args->inside;
    const size_t position_step = chunks * TILES * CHUNK, first = args->first, end = first + args->tiles;
    const uint8_t *const zero = args->zero, *const outside[SIDE] = {zero, zero, zero, zero, zero, zero};
    const ptrdiff_t still[SIDE] = {0};
    const int16x8_t four = opaque_s16(4);
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        int16_t *column = args->scratch, *to = args->to + chunk * TILES * CHUNK;
        column = transform_columns(outside, still, chunk * CHUNK, 0, args->before, four, column);
        column = transform_columns(args->rows, args->steps, chunk * CHUNK, args->before, inside_end, four, column);
        transform_columns(outside, still, chunk * CHUNK, inside_end, columns, four, column);
        column = args->scratch;
        for (size_t t = first; t < end; t++, column += 4 * SIDE * CHUNK)
            transform_rows(column, four, to + t / TILES * POSITIONS * position_step + t % TILES * CHUNK, position_step);
    }
}
