/* Depthwise convolution on sdot: four taps of a channel lie side by side, so that one instruction sums 4 taps of 4 channels.
 *
 * A group of four is four rows of a column. What is left of the height, 1 to 3 rows, makes groups of its own: 3 rows of one
 * column, 2 rows of two columns or 1 row of four, with weights of 0 where the kernel ends before the group. Columns are
 * interleaved once for all pixels that share them: in registers for kernels of 3x3, in scratch for all others.
 * Weights are [group][4 vectors of 4 channels][4 taps], one group behind another in the order in which pixels use them. */
#include "isa/arm/depthwise.h"
#include "isa/arm/kernels.h"

enum { TAPS = 4, GROUP_BYTES = TAPS * CHANNELS };

/* TAPS taps of CHANNELS channels. */
typedef struct group {
    int8x16_t v[QUADS];
} group;

INLINE group load_group(const void *from)
{
    group g;
    for (size_t v = 0; v < QUADS; v++)
        g.v[v] = vld1q_s8((const int8_t *)from + 16 * v);
    return g;
}

INLINE void add_group(int32x4_t acc[QUADS], const group *x, const group *w)
{
    for (size_t v = 0; v < QUADS; v++)
        acc[v] = vdotq_s32(acc[v], x->v[v], w->v[v]);
}

/* Where four vectors' bytes go, that lie behind one another in a table: byte 4 * c + t is channel c of vector t. Those of the
 * fourth may be out of a table of three, and are 0 then. */
static const uint8_t interleaved[QUADS][16] = {
    {0, 16, 32, 48, 1, 17, 33, 49, 2, 18, 34, 50, 3, 19, 35, 51},
    {4, 20, 36, 52, 5, 21, 37, 53, 6, 22, 38, 54, 7, 23, 39, 55},
    {8, 24, 40, 56, 9, 25, 41, 57, 10, 26, 42, 58, 11, 27, 43, 59},
    {12, 28, 44, 60, 13, 29, 45, 61, 14, 30, 46, 62, 15, 31, 47, 63},
};

/* Columns that a group of the rows left over takes, and groups that a pixel has of them. */
static size_t rest_columns(size_t kernel_h)
{
    return kernel_h % TAPS == 3 ? 1 : TAPS / (kernel_h % TAPS);
}

static size_t groups_of(size_t kernel_h, size_t kernel_w)
{
    const size_t rest = kernel_h % TAPS ? (kernel_w + rest_columns(kernel_h) - 1) / rest_columns(kernel_h) : 0;
    return kernel_h / TAPS * kernel_w + rest;
}

/* Groups of one column in scratch. */
static size_t column_groups(size_t kernel_h)
{
    return (kernel_h + TAPS - 1) / TAPS;
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(depthwise_block) + groups_of(kernel_h, kernel_w) * GROUP_BYTES;
}

/* [places][columns][groups of a column]; a pixel has no more groups than there are in all columns. */
static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    const size_t groups = columns * column_groups(kernel_h);
    return place_bytes(groups) + groups * GROUP_BYTES;
}

static void pack(void *memory, const edgecore_columns *columns)
{
    depthwise_block *block = memory;
    const size_t height = columns->kernel_h, width = columns->kernel_w, whole = height / TAPS, rest = height % TAPS;
    memset(block, 0, block_bytes(height, width));
    pack_depthwise_head(block, columns);
    for (size_t ky = 0; ky < height; ky++)
        for (size_t kx = 0; kx < width; kx++) {
            size_t group = kx * whole + ky / TAPS, tap = ky % TAPS;
            if (ky >= whole * TAPS) {
                group = whole * width + kx / rest_columns(height);
                tap += kx % rest_columns(height) * rest;
            }
            const int8_t *from = columns->weights + (ky * width + kx) * columns->weight_stride;
            for (size_t c = 0; c < columns->cols; c++)
                block->weights[group * GROUP_BYTES + TAPS * c + tap] = from[c];
        }
}

typedef struct pixels_3x3 {
    const depthwise_block *block;
    output_bounds bounds;
    group weights[3];
    uint8x16_t places[QUADS];
    size_t offset, cols;
    uint8_t *out;
    ptrdiff_t out_stride;
} pixels_3x3;

INLINE group load_column(const pixels_3x3 *p, const uint8_t *const *a)
{
    const uint8x16x3_t rows = {{vld1q_u8(a[0] + p->offset), vld1q_u8(a[1] + p->offset), vld1q_u8(a[2] + p->offset)}};
    group g;
    for (size_t v = 0; v < QUADS; v++)
        g.v[v] = vreinterpretq_s8_u8(vqtbl3q_u8(rows, p->places[v]));
    return g;
}

INLINE void one_pixel(pixels_3x3 *p, const group *x0, const group *x1, const group *x2, const int rounding)
{
    int32x4_t acc[QUADS];
    start_pixel(acc, p->block);
    add_group(acc, x0, &p->weights[0]);
    add_group(acc, x1, &p->weights[1]);
    add_group(acc, x2, &p->weights[2]);
    finish_pixel(p->out, p->cols, acc, p->block, &p->bounds, rounding);
    p->out += p->out_stride;
}

/* Columns stay in registers while pixels share them, and change their places round by round. */
INLINE void run_3x3(const edgecore_depthwise_args *args, const int rounding)
{
    const depthwise_block *block = args->block;
    const int8_t *w = block->weights;
    pixels_3x3 p = {
        block,
        load_bounds(&block->head),
        {load_group(w), load_group(w + GROUP_BYTES), load_group(w + 2 * GROUP_BYTES)},
        {vld1q_u8(interleaved[0]), vld1q_u8(interleaved[1]), vld1q_u8(interleaved[2]), vld1q_u8(interleaved[3])},
        args->offset,
        args->cols,
        args->out + args->offset,
        args->out_stride,
    };
    const uint8_t *const *a = args->a;
    size_t left = args->pixels;
    group x, y, z;
    if (args->tap_step == 1 && args->pixel_step == 1) {
        x = load_column(&p, a);
        y = load_column(&p, a + 3);
        for (a += 6; left >= 3; left -= 3, a += 9) {
            z = load_column(&p, a);
            one_pixel(&p, &x, &y, &z, rounding);
            x = load_column(&p, a + 3);
            one_pixel(&p, &y, &z, &x, rounding);
            y = load_column(&p, a + 6);
            one_pixel(&p, &z, &x, &y, rounding);
        }
        if (left == 0)
            return;
        z = load_column(&p, a);
        one_pixel(&p, &x, &y, &z, rounding);
        if (left == 1)
            return;
        x = load_column(&p, a + 3);
        one_pixel(&p, &y, &z, &x, rounding);
    } else if (args->tap_step == 1 && args->pixel_step == 2) {
        x = load_column(&p, a);
        for (a += 3; left >= 2; left -= 2, a += 12) {
            y = load_column(&p, a);
            z = load_column(&p, a + 3);
            one_pixel(&p, &x, &y, &z, rounding);
            y = load_column(&p, a + 6);
            x = load_column(&p, a + 9);
            one_pixel(&p, &z, &y, &x, rounding);
        }
        if (left == 0)
            return;
        y = load_column(&p, a);
        z = load_column(&p, a + 3);
        one_pixel(&p, &x, &y, &z, rounding);
    } else {
        for (; left > 0; left--, a += 3 * args->pixel_step) {
            x = load_column(&p, a);
            y = load_column(&p, a + 3 * args->tap_step);
            z = load_column(&p, a + 6 * args->tap_step);
            one_pixel(&p, &x, &y, &z, rounding);
        }
    }
}

/* Returns the number of a pixel's groups. */
static size_t fill_places(const edgecore_depthwise_args *args, uint32_t *places)
{
    const size_t whole = args->kernel_h / TAPS, step = args->tap_step * column_groups(args->kernel_h);
    size_t count = 0;
    for (size_t kx = 0; kx < args->kernel_w; kx++)
        for (size_t g = 0; g < whole; g++)
            places[count++] = (uint32_t)((kx * step + g) * GROUP_BYTES);
    if (args->kernel_h % TAPS)
        for (size_t kx = 0; kx < args->kernel_w; kx += rest_columns(args->kernel_h))
            places[count++] = (uint32_t)((kx * step + whole) * GROUP_BYTES);
    return count;
}

static void interleave_4(uint8_t *to, const uint8_t *const a[TAPS], size_t offset)
{
    const uint8x16x4_t taps = {{vld1q_u8(a[0] + offset), vld1q_u8(a[1] + offset), vld1q_u8(a[2] + offset), vld1q_u8(a[3] + offset)}};
    for (size_t v = 0; v < QUADS; v++)
        vst1q_u8(to + 16 * v, vqtbl4q_u8(taps, vld1q_u8(interleaved[v])));
}

static void interleave(const edgecore_depthwise_args *args, uint8_t *to)
{
    const size_t height = args->kernel_h, whole = height / TAPS * TAPS, rest = height - whole;
    for (size_t x = 0; x < args->columns; x++) {
        const uint8_t *const *a = args->a + x * height;
        for (size_t ky = 0; ky < whole; ky += TAPS, to += GROUP_BYTES)
            interleave_4(to, a + ky, args->offset);
        if (rest) { /* past the last column, and in the fourth row of three, come weights of 0 */
            const uint8_t *four[TAPS];
            for (size_t t = 0; t < TAPS; t++) {
                const size_t column = x + t / rest * args->tap_step;
                four[t] = args->a[(column < args->columns ? column : x) * height + whole + t % rest];
            }
            interleave_4(to, four, args->offset);
            to += GROUP_BYTES;
        }
    }
}

INLINE void run_any(const edgecore_depthwise_args *args, const int rounding)
{
    const depthwise_block *block = args->block;
    const output_bounds bounds = load_bounds(&block->head);
    const size_t column_bytes = column_groups(args->kernel_h) * GROUP_BYTES;
    uint32_t *places = args->scratch;
    uint8_t *x = (uint8_t *)args->scratch + place_bytes(args->columns * column_groups(args->kernel_h));
    uint8_t *out = args->out + args->offset;
    const size_t count = fill_places(args, places);
    interleave(args, x);
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes, out += args->out_stride) {
        const int8_t *w = block->weights;
        int32x4_t acc[QUADS];
        start_pixel(acc, block);
        for (size_t i = 0; i < count; i++, w += GROUP_BYTES) {
            const group data = load_group(x + places[i]), weights = load_group(w);
            add_group(acc, &data, &weights);
        }
        finish_pixel(out, args->cols, acc, block, &bounds, rounding);
    }
}

static void run(const edgecore_depthwise_args *args)
{
    const int32_t rounding = ((const depthwise_block *)args->block)->head.rounding;
    const bool is_3x3 = args->kernel_h == 3 && args->kernel_w == 3;
    if (is_3x3 && rounding == ROUND_UP)
        run_3x3(args, ROUND_UP);
    else if (is_3x3 && rounding == ROUND_AWAY)
        run_3x3(args, ROUND_AWAY);
    else if (rounding == ROUND_UP)
        run_any(args, ROUND_UP);
    else if (rounding == ROUND_AWAY)
        run_any(args, ROUND_AWAY);
    else
        run_any(args, ROUND_GENERAL);
}

const edgecore_depthwise_kernel edgecore_depthwise_dotprod = {
    .name = "depthwise_16r4__dotprod",
    .cols = CHANNELS,
    .row_step = 1,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
