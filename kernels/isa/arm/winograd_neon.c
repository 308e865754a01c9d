/* Winograd's F(4x4, 3x3) in 16 bits.
 *
 * With interpolation points 0, 1, -1, 2, -2 and infinity, in integers:
 *   B^T  4  0 -5  0  1  0   G  6  0  0   A^T  1  1  1  1  1  0      input   V = B^T d B, within 100 * 128
 *        0 -4 -4  1  1  0     -4 -4 -4        0  1 -1  2 -2  0      weights U = G g G^T, within 144 * 128
 *        0  4 -4 -1  1  0     -4  4 -4        0  1  1  4  4  0      output  A^T M A, 576 times the convolution, where M sums
 *        0 -2 -1  2  1  0      1  2  4        0  1 -1  8 -8  2      U * V over the channels
 *        0  2 -1 -2  1  0      1 -2  4
 *        0  4  0 -5  0  1      0  0 12
 * 576 = 9 * 64: 9 divides modulo 2^32 by a multiplication, 64 by a shift. Column 1 of A^T is all ones, so that 576 times the
 * bias, added to position (1, 1), reaches every output once.
 *
 * A block is [head], then [position][chunk][channel][8 columns]. */
#include "isa/arm/requant.h"
#include "isa/arm/winograd_neon.h"

enum {
    SIDE = EDGECORE_WINOGRAD_INPUT,
    POSITIONS = EDGECORE_WINOGRAD_POSITIONS,
    CHUNK = EDGECORE_WINOGRAD_CHANNELS,
    COLS = 8,
    HALVES = COLS / 4,
#if defined(__aarch64__)
    TILES = 8,
#else
    TILES = 4,
#endif
    BIAS_POSITION = SIDE + 1,
    SCALE = 576,
};

#define INVERSE_OF_9 0x38e38e39 /* modulo 2^32 */

typedef struct block_head {
    requant_head requant;
    requant_4 scales[HALVES];
    int32_t left[COLS];
    int32_t bias[COLS]; /* times SCALE */
} block_head;

static size_t chunks_of(size_t channels)
{
    return (channels + CHUNK - 1) / CHUNK;
}

static size_t block_bytes(size_t channels)
{
    return sizeof(block_head) + POSITIONS * chunks_of(channels) * CHUNK * COLS * sizeof(int16_t);
}

/* Three weights under G. */
static void transform_weights(const int32_t g[3], int32_t *to, size_t step)
{
    const int32_t even = g[0] + g[2], far = g[0] + 4 * g[2];
    to[0] = 6 * g[0];
    to[step] = -4 * (even + g[1]);
    to[2 * step] = -4 * (even - g[1]);
    to[3 * step] = far + 2 * g[1];
    to[4 * step] = far - 2 * g[1];
    to[5 * step] = 12 * g[2];
}

/* One input channel of one output channel: `w` has 9 weights, `step` apart. */
static void pack_channel(int16_t *to, size_t position_step, const int8_t *w, size_t step)
{
    int32_t half[3][SIDE], all[POSITIONS];
    for (size_t x = 0; x < 3; x++) {
        const int32_t g[3] = {w[x * step], w[(3 + x) * step], w[(6 + x) * step]};
        transform_weights(g, half[x], 1);
    }
    for (size_t y = 0; y < SIDE; y++) {
        const int32_t g[3] = {half[0][y], half[1][y], half[2][y]};
        transform_weights(g, all + y * SIDE, 1);
    }
    for (size_t p = 0; p < POSITIONS; p++)
        to[p * position_step] = (int16_t)all[p];
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t channels = columns->k, position_step = chunks_of(channels) * CHUNK * COLS;
    memset(block, 0, block_bytes(channels));
    block_head *head = block;
    head->requant = make_head(columns);
    make_requant(head->scales, head->bias, head->left, HALVES, columns);
    for (size_t c = 0; c < COLS; c++)
        head->bias[c] = (int32_t)((uint32_t)head->bias[c] * SCALE);
    int16_t *to = (int16_t *)(head + 1);
    for (size_t c = 0; c < columns->cols; c++)
        for (size_t k = 0; k < channels; k++)
            pack_channel(to + k * COLS + c, position_step, columns->weights + c * 9 * channels + k, channels);
}

/* Keeps the compiler from making a shift and an addition of a multiply-accumulate. */
INLINE int16x8_t opaque_s16(int16_t value)
{
    int16x8_t v = vdupq_n_s16(value);
    __asm__("" : "+w"(v));
    return v;
}

INLINE int32x2_t opaque_s32(int32_t low, int32_t high)
{
    int32x2_t v = vset_lane_s32(high, vdup_n_s32(low), 1);
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
INLINE void transform_column(const uint8_t *const at[SIDE], size_t channel, int16x8_t four, int8x8_t three, int16_t *to)
{
    int8x8_t d[SIDE];
    for (size_t i = 0; i < SIDE; i++)
        d[i] = vld1_s8((const int8_t *)at[i] + channel);
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

static void transform(const edgecore_winograd_input *args)
{
    const size_t chunks = chunks_of(args->channels), columns = 4 * args->tiles + 2, inside_end = args->before + args->inside;
    const size_t position_step = chunks * TILES * CHUNK;
    const uint8_t *const outside[SIDE] = {args->zero, args->zero, args->zero, args->zero, args->zero, args->zero};
    const int16x8_t four = opaque_s16(4);
    const int8x8_t three = vdup_n_s8(3);
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        int16_t *column = args->scratch;
        const uint8_t *at[SIDE];
        for (size_t i = 0; i < SIDE; i++)
            at[i] = args->rows[i];
        for (size_t x = 0; x < columns; x++, column += SIDE * CHUNK) {
            if (x < args->before || x >= inside_end) {
                transform_column(outside, chunk * CHUNK, four, three, column);
                continue;
            }
            transform_column(at, chunk * CHUNK, four, three, column);
            for (size_t i = 0; i < SIDE; i++)
                at[i] += args->steps[i];
        }
        column = args->scratch;
        for (size_t t = args->first; t < args->first + args->tiles; t++, column += 4 * SIDE * CHUNK)
            transform_rows(column, four, args->to + t / TILES * POSITIONS * position_step + (chunk * TILES + t % TILES) * CHUNK,
                           position_step);
    }
}

#if defined(__aarch64__)
#define MULTIPLY_LOW(acc, w, d, channel) vmlal_laneq_s16(acc, vget_low_s16(w), d, channel)
#define MULTIPLY_HIGH(acc, w, d, channel) vmlal_high_laneq_s16(acc, w, d, channel)
#else
#define LANES_OF(d, channel) ((channel) < 4 ? vget_low_s16(d) : vget_high_s16(d))
#define MULTIPLY_LOW(acc, w, d, channel) vmlal_lane_s16(acc, vget_low_s16(w), LANES_OF(d, channel), (channel) & 3)
#define MULTIPLY_HIGH(acc, w, d, channel) vmlal_lane_s16(acc, vget_high_s16(w), LANES_OF(d, channel), (channel) & 3)
#endif

#define MULTIPLY_CHANNEL(channel)                                                                                        \
    {                                                                                                                     \
        const int16x8_t w = vld1q_s16(u + (channel) * COLS);                                                             \
        for (size_t t = 0; t < tiles; t++) {                                                                              \
            acc[t][0] = MULTIPLY_LOW(acc[t][0], w, d[t], channel);                                                       \
            acc[t][1] = MULTIPLY_HIGH(acc[t][1], w, d[t], channel);                                                      \
        }                                                                                                                 \
    }

/* Sums over the channels in every position: [position][TILES][COLS]. */
INLINE void multiply(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to, const size_t tiles)
{
    for (size_t p = 0; p < POSITIONS; p++, to += TILES * COLS) {
        int32x4_t acc[TILES][HALVES];
        for (size_t t = 0; t < tiles; t++)
            acc[t][0] = acc[t][1] = vdupq_n_s32(0);
        for (size_t chunk = 0; chunk < chunks; chunk++, v += TILES * CHUNK, u += CHUNK * COLS) {
            int16x8_t d[TILES];
            for (size_t t = 0; t < tiles; t++)
                d[t] = vld1q_s16(v + t * CHUNK);
            MULTIPLY_CHANNEL(0)
            MULTIPLY_CHANNEL(1)
            MULTIPLY_CHANNEL(2)
            MULTIPLY_CHANNEL(3)
            MULTIPLY_CHANNEL(4)
            MULTIPLY_CHANNEL(5)
            MULTIPLY_CHANNEL(6)
            MULTIPLY_CHANNEL(7)
        }
        for (size_t t = 0; t < tiles; t++) {
            vst1q_s32(to + t * COLS, acc[t][0]);
            vst1q_s32(to + t * COLS + 4, acc[t][1]);
        }
    }
}

/* Powers of two and the inverse of 9 in two registers, by lane. */
typedef struct factors {
    int32x2_t two_four, eight_ninth;
} factors;

/* Six sums under A^T. */
INLINE void transform_sums(const int32x4_t m[SIDE], const factors *f, int32x4_t to[4])
{
    const int32x4_t sum = vaddq_s32(m[1], m[2]), difference = vsubq_s32(m[1], m[2]);
    const int32x4_t far_sum = vaddq_s32(m[3], m[4]), far_difference = vsubq_s32(m[3], m[4]);
    to[0] = vaddq_s32(vaddq_s32(m[0], sum), far_sum);
    to[1] = vmlaq_lane_s32(difference, far_difference, f->two_four, 0);
    to[2] = vmlaq_lane_s32(sum, far_sum, f->two_four, 1);
    to[3] = vmlaq_lane_s32(vmlaq_lane_s32(difference, far_difference, f->eight_ninth, 0), m[5], f->two_four, 0);
}

/* What 4 channels have in common for all tiles. */
typedef struct output_channels {
    factors factors;
    int32x4_t bias;
    const requant_4 *scales;
    const int32_t *left;
    output_bounds bounds;
} output_channels;

/* Row y of a tile: 4 channels of 4 pixels, one pixel after the other. `rows`: a tile under A^T from one side. */
INLINE uint8x16_t output_row(const output_channels *c, const int32x4_t rows[SIDE][4], const size_t y, const int rounding)
{
    const int32x4_t m[SIDE] = {rows[0][y], rows[1][y], rows[2][y], rows[3][y], rows[4][y], rows[5][y]};
    int32x4_t pixels[4];
    transform_sums(m, &c->factors, pixels);
    for (size_t x = 0; x < 4; x++) {
        pixels[x] = vshrq_n_s32(vmulq_lane_s32(pixels[x], c->factors.eight_ninth, 1), 6);
        pixels[x] = scale_4(pixels[x], c->scales, c->left, rounding);
    }
    return narrow_16(pixels[0], pixels[1], pixels[2], pixels[3], &c->bounds);
}

INLINE void store_row(uint8_t *to, ptrdiff_t pixel_stride, uint8x16_t bytes)
{
    const uint32x4_t pixels = vreinterpretq_u32_u8(bytes);
    vst1q_lane_u32((void *)to, pixels, 0);
    vst1q_lane_u32((void *)(to + pixel_stride), pixels, 1);
    vst1q_lane_u32((void *)(to + 2 * pixel_stride), pixels, 2);
    vst1q_lane_u32((void *)(to + 3 * pixel_stride), pixels, 3);
}

__attribute__((noinline)) static void store_part(uint8_t *to, const edgecore_winograd_output *out, ptrdiff_t row_stride,
                                                 ptrdiff_t pixel_stride, const uint8_t bytes[4][16], size_t channels)
{
    for (int32_t y = 0; y < out->rows; y++)
        for (int32_t x = 0; x < out->cols; x++)
            for (size_t c = 0; c < channels; c++)
                to[y * row_stride + x * pixel_stride + (ptrdiff_t)c] = bytes[y][4 * (size_t)x + c];
}

/* 4 channels, or the first `channels` of them, of one tile. */
INLINE void output_tile(const output_channels *c, const int32_t *sums, const edgecore_winograd_args *args,
                        const edgecore_winograd_output *out, size_t offset, size_t channels, const int rounding)
{
    int32x4_t rows[SIDE][4];
    for (size_t j = 0; j < SIDE; j++) {
        int32x4_t m[SIDE];
        for (size_t i = 0; i < SIDE; i++)
            m[i] = vld1q_s32(sums + (i * SIDE + j) * TILES * COLS);
        if (j == BIAS_POSITION % SIDE)
            m[BIAS_POSITION / SIDE] = vaddq_s32(m[BIAS_POSITION / SIDE], c->bias);
        transform_sums(m, &c->factors, rows[j]);
    }
    uint8_t *to = out->to + offset;
    if (out->rows == 4 && out->cols == 4 && channels == 4) {
        store_row(to, args->pixel_stride, output_row(c, rows, 0, rounding));
        store_row(to + args->row_stride, args->pixel_stride, output_row(c, rows, 1, rounding));
        store_row(to + 2 * args->row_stride, args->pixel_stride, output_row(c, rows, 2, rounding));
        store_row(to + 3 * args->row_stride, args->pixel_stride, output_row(c, rows, 3, rounding));
        return;
    }
    uint8_t bytes[4][16];
    vst1q_u8(bytes[0], output_row(c, rows, 0, rounding));
    if (out->rows > 1)
        vst1q_u8(bytes[1], output_row(c, rows, 1, rounding));
    if (out->rows > 2)
        vst1q_u8(bytes[2], output_row(c, rows, 2, rounding));
    if (out->rows > 3)
        vst1q_u8(bytes[3], output_row(c, rows, 3, rounding));
    store_part(to, out, args->row_stride, args->pixel_stride, (const uint8_t(*)[16])bytes, channels);
}

INLINE void output(const edgecore_winograd_args *args, const int rounding)
{
    const block_head *head = args->block;
    output_channels c = {.factors = {opaque_s32(2, 4), opaque_s32(8, INVERSE_OF_9)}, .bounds = load_bounds(&head->requant)};
    for (size_t half = 0; half * 4 < args->cols; half++) {
        const size_t left = args->cols - half * 4, channels = left < 4 ? left : 4;
        c.bias = vld1q_s32(head->bias + half * 4);
        c.scales = &head->scales[half];
        c.left = head->left + half * 4;
        for (size_t t = 0; t < args->count; t++)
            output_tile(&c, args->scratch + t * COLS + half * 4, args, &args->out[t], args->out_offset + half * 4, channels,
                        rounding);
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

static void run(const edgecore_winograd_args *args)
{
    static void (*const outputs[])(const edgecore_winograd_args *) = {output_ROUND_UP, output_ROUND_AWAY, output_ROUND_GENERAL};
    const block_head *head = args->block;
    multiply(args->tiles, (const int16_t *)(head + 1), chunks_of(args->channels), args->scratch, TILES);
    outputs[head->requant.rounding](args);
}

/* Costs are instructions. */
const edgecore_winograd_kernel edgecore_winograd_neon = {
    .name = "winograd_4x4_8c__neon",
    .tiles = TILES,
    .cols = COLS,
    .column_bytes = SIDE * CHUNK * sizeof(int16_t),
    .chunk_cost = POSITIONS * 140,
    .tile_cost = POSITIONS * 32 + TILES * 670,
    .input_cost = 390.0f,
    .block_bytes = block_bytes,
    .pack = pack,
    .transform = transform,
    .run = run,
};
