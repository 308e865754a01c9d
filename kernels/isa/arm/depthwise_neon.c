/* Depthwise convolution by widening multiplies of 8-bit pairs: two taps of a channel lie side by side, two such pairs are multiplied
 * and added in 16 bits (two products fit unless weights are -128), and a pairwise addition takes all four taps to 32 bits:
 * vmull, vmlal and vpadal for 16 products.
 *
 * Pairs are of two kernel rows. A last row without a partner is paired with itself, moved by one tap. Columns are paired once for
 * all pixels that share them: in registers for kernels of 3x3, in scratch for all others.
 * Weights are [pair][CHANNELS][2], one behind another in the order in which pixels use them. */
#include "isa/arm/depthwise.h"
#include "isa/arm/kernels.h"

enum { PAIR_BYTES = 2 * CHANNELS, VECTORS = PAIR_BYTES / 16 };

/* Orders of weights. */
enum order {
    ORDER_ANY,    /* column by column its pairs of rows, then the last row's pairs */
    ORDER_SINGLE, /* that, but with weights of -128: products are added one by one */
    ORDER_3X3,    /* as ORDER_ANY, but the ninth tap is not paired with a zero: [CHANNELS] */
};

/* Two taps of CHANNELS channels. */
typedef struct pair {
    int8x16_t v[VECTORS];
} pair;

/* One tap of CHANNELS channels. */
#if defined(__aarch64__)
typedef int8x16_t tap;

INLINE tap load_tap(const uint8_t *from)
{
    return vreinterpretq_s8_u8(vld1q_u8(from));
}

INLINE pair make_pair(tap a, tap b)
{
    return (pair){{vzip1q_s8(a, b), vzip2q_s8(a, b)}};
}
#else
typedef int8x8_t tap;

INLINE tap load_tap(const uint8_t *from)
{
    return vreinterpret_s8_u8(vld1_u8(from));
}

INLINE pair make_pair(tap a, tap b)
{
    const int8x8x2_t both = vzip_s8(a, b);
    return (pair){{vcombine_s8(both.val[0], both.val[1])}};
}
#endif

INLINE pair load_pair(const void *from)
{
    pair p;
    for (size_t v = 0; v < VECTORS; v++)
        p.v[v] = vld1q_s8((const int8_t *)from + 16 * v);
    return p;
}

INLINE void store_pair(uint8_t *to, pair p)
{
    for (size_t v = 0; v < VECTORS; v++)
        vst1q_s8((int8_t *)to + 16 * v, p.v[v]);
}

INLINE void add_pair(int32x4_t acc[QUADS], pair x, pair w)
{
    for (size_t v = 0; v < VECTORS; v++) {
        acc[2 * v] = vpadalq_s16(acc[2 * v], vmull_s8(vget_low_s8(x.v[v]), vget_low_s8(w.v[v])));
        acc[2 * v + 1] = vpadalq_s16(acc[2 * v + 1], vmull_s8(vget_high_s8(x.v[v]), vget_high_s8(w.v[v])));
    }
}

INLINE void add_two_pairs(int32x4_t acc[QUADS], pair x0, pair w0, pair x1, pair w1)
{
    for (size_t v = 0; v < VECTORS; v++) {
        int16x8_t low = vmull_s8(vget_low_s8(x0.v[v]), vget_low_s8(w0.v[v]));
        int16x8_t high = vmull_s8(vget_high_s8(x0.v[v]), vget_high_s8(w0.v[v]));
        low = vmlal_s8(low, vget_low_s8(x1.v[v]), vget_low_s8(w1.v[v]));
        high = vmlal_s8(high, vget_high_s8(x1.v[v]), vget_high_s8(w1.v[v]));
        acc[2 * v] = vpadalq_s16(acc[2 * v], low);
        acc[2 * v + 1] = vpadalq_s16(acc[2 * v + 1], high);
    }
}

INLINE void add_8(int32x4_t acc[2], int8x8_t x, int8x8_t w)
{
    const int16x8_t products = vmull_s8(x, w);
    acc[0] = vaddw_s16(acc[0], vget_low_s16(products));
    acc[1] = vaddw_s16(acc[1], vget_high_s16(products));
}

INLINE void add_tap(int32x4_t acc[QUADS], tap x, tap w)
{
#if defined(__aarch64__)
    add_8(acc, vget_low_s8(x), vget_low_s8(w));
    add_8(acc + 2, vget_high_s8(x), vget_high_s8(w));
#else
    add_8(acc, x, w);
#endif
}

static size_t pairs_of(size_t kernel_h, size_t kernel_w)
{
    return kernel_h / 2 * kernel_w + kernel_h % 2 * ((kernel_w + 1) / 2);
}

/* Pairs of one column in scratch. */
static size_t column_pairs(size_t kernel_h)
{
    return (kernel_h + 1) / 2;
}

static size_t block_bytes(size_t kernel_h, size_t kernel_w)
{
    return sizeof(depthwise_block) + pairs_of(kernel_h, kernel_w) * PAIR_BYTES;
}

/* [places][columns][pairs of a column]; a pixel has no more pairs than there are in all columns. */
static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    const size_t pairs = columns * column_pairs(kernel_h);
    return place_bytes(pairs) + pairs * PAIR_BYTES;
}

static void pack(void *memory, const edgecore_columns *columns)
{
    depthwise_block *block = memory;
    const size_t height = columns->kernel_h, width = columns->kernel_w, cols = columns->cols;
    bool lowest = false;
    memset(block, 0, block_bytes(height, width));
    pack_depthwise_head(block, columns);
    for (size_t ky = 0; ky < height; ky++)
        for (size_t kx = 0; kx < width; kx++) {
            const bool last = height % 2 && ky == height - 1;
            const size_t pair = last ? height / 2 * width + kx / 2 : kx * (height / 2) + ky / 2;
            const size_t place = last ? kx % 2 : ky % 2;
            const int8_t *from = columns->weights + (ky * width + kx) * columns->weight_stride;
            for (size_t c = 0; c < cols; c++) {
                block->weights[pair * PAIR_BYTES + 2 * c + place] = from[c];
                lowest |= from[c] == -128;
            }
        }
    block->order = lowest ? ORDER_SINGLE : ORDER_ANY;
    if (!lowest && height == 3 && width == 3 && block->head.rounding != ROUND_GENERAL) {
        block->order = ORDER_3X3;
        memcpy(block->weights + 4 * PAIR_BYTES, columns->weights + 8 * columns->weight_stride, cols);
    }
}

/* A column of a 3x3 kernel: the upper two rows, and the last. */
typedef struct column_3 {
    pair upper;
    tap last;
} column_3;

typedef struct weights_3x3 {
    pair upper[3], last;
    tap ninth;
} weights_3x3;

typedef struct pixels_3x3 {
    const depthwise_block *block;
    weights_3x3 weights;
    output_bounds bounds;
    size_t offset, cols;
    uint8_t *out;
    ptrdiff_t out_stride;
} pixels_3x3;

INLINE column_3 load_column(const uint8_t *const *a, size_t offset)
{
    return (column_3){make_pair(load_tap(a[0] + offset), load_tap(a[1] + offset)), load_tap(a[2] + offset)};
}

INLINE void one_pixel(pixels_3x3 *p, const column_3 *x0, const column_3 *x1, const column_3 *x2, const int rounding)
{
    const weights_3x3 *w = &p->weights;
    int32x4_t acc[QUADS];
    start_pixel(acc, p->block);
    add_two_pairs(acc, x0->upper, w->upper[0], x1->upper, w->upper[1]);
    add_two_pairs(acc, x2->upper, w->upper[2], make_pair(x0->last, x1->last), w->last);
    add_tap(acc, x2->last, w->ninth);
    finish_pixel(p->out, p->cols, acc, p->block, &p->bounds, rounding);
    p->out += p->out_stride;
}

/* Columns stay in registers while pixels share them, and change their places round by round. */
INLINE void run_3x3(const edgecore_depthwise_args *args, const int rounding)
{
    const depthwise_block *block = args->block;
    const int8_t *w = block->weights;
    const size_t offset = args->offset;
    pixels_3x3 p = {
        block,
        {{load_pair(w), load_pair(w + PAIR_BYTES), load_pair(w + 2 * PAIR_BYTES)},
         load_pair(w + 3 * PAIR_BYTES),
         load_tap((const uint8_t *)w + 4 * PAIR_BYTES)},
        load_bounds(&block->head),
        offset,
        args->cols,
        args->out + offset,
        args->out_stride,
    };
    const uint8_t *const *a = args->a;
    size_t left = args->pixels;
    column_3 x, y, z;
    if (args->tap_step == 1 && args->pixel_step == 1) {
        x = load_column(a, offset);
        y = load_column(a + 3, offset);
        for (a += 6; left >= 3; left -= 3, a += 9) {
            z = load_column(a, offset);
            one_pixel(&p, &x, &y, &z, rounding);
            x = load_column(a + 3, offset);
            one_pixel(&p, &y, &z, &x, rounding);
            y = load_column(a + 6, offset);
            one_pixel(&p, &z, &x, &y, rounding);
        }
        if (left == 0)
            return;
        z = load_column(a, offset);
        one_pixel(&p, &x, &y, &z, rounding);
        if (left == 1)
            return;
        x = load_column(a + 3, offset);
        one_pixel(&p, &y, &z, &x, rounding);
    } else if (args->tap_step == 1 && args->pixel_step == 2) {
        x = load_column(a, offset);
        for (a += 3; left >= 2; left -= 2, a += 12) {
            y = load_column(a, offset);
            z = load_column(a + 3, offset);
            one_pixel(&p, &x, &y, &z, rounding);
            y = load_column(a + 6, offset);
            x = load_column(a + 9, offset);
            one_pixel(&p, &z, &y, &x, rounding);
        }
        if (left == 0)
            return;
        y = load_column(a, offset);
        z = load_column(a + 3, offset);
        one_pixel(&p, &x, &y, &z, rounding);
    } else {
        for (; left > 0; left--, a += 3 * args->pixel_step) {
            x = load_column(a, offset);
            y = load_column(a + 3 * args->tap_step, offset);
            z = load_column(a + 6 * args->tap_step, offset);
            one_pixel(&p, &x, &y, &z, rounding);
        }
    }
}

/* Returns the number of a pixel's pairs. */
static size_t fill_places(const edgecore_depthwise_args *args, uint32_t *places)
{
    const size_t rows = args->kernel_h / 2, step = args->tap_step * column_pairs(args->kernel_h);
    size_t count = 0;
    for (size_t kx = 0; kx < args->kernel_w; kx++)
        for (size_t g = 0; g < rows; g++)
            places[count++] = (uint32_t)((kx * step + g) * PAIR_BYTES);
    for (size_t kx = 0; args->kernel_h % 2 && kx < args->kernel_w; kx += 2)
        places[count++] = (uint32_t)((kx * step + rows) * PAIR_BYTES);
    return count;
}

static void interleave(const edgecore_depthwise_args *args, uint8_t *to)
{
    const size_t height = args->kernel_h, offset = args->offset;
    for (size_t x = 0; x < args->columns; x++) {
        const uint8_t *const *a = args->a + x * height;
        for (size_t ky = 0; ky + 2 <= height; ky += 2, to += PAIR_BYTES)
            store_pair(to, make_pair(load_tap(a[ky] + offset), load_tap(a[ky + 1] + offset)));
        if (height % 2) { /* past the last column comes a weight of 0 */
            const size_t next = x + args->tap_step < args->columns ? args->tap_step * height : 0;
            store_pair(to, make_pair(load_tap(a[height - 1] + offset), load_tap(a[height - 1 + next] + offset)));
            to += PAIR_BYTES;
        }
    }
}

/* `single`: weights may be -128. */
INLINE void run_any(const edgecore_depthwise_args *args, const int rounding, const bool single)
{
    const depthwise_block *block = args->block;
    const output_bounds bounds = load_bounds(&block->head);
    const size_t column_bytes = column_pairs(args->kernel_h) * PAIR_BYTES;
    uint32_t *places = args->scratch;
    uint8_t *x = (uint8_t *)args->scratch + place_bytes(args->columns * column_pairs(args->kernel_h));
    uint8_t *out = args->out + args->offset;
    const size_t count = fill_places(args, places);
    interleave(args, x);
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes, out += args->out_stride) {
        const int8_t *w = block->weights;
        int32x4_t acc[QUADS];
        start_pixel(acc, block);
        size_t i = 0;
        for (; !single && i + 2 <= count; i += 2, w += 2 * PAIR_BYTES)
            add_two_pairs(acc, load_pair(x + places[i]), load_pair(w), load_pair(x + places[i + 1]), load_pair(w + PAIR_BYTES));
        for (; i < count; i++, w += PAIR_BYTES)
            add_pair(acc, load_pair(x + places[i]), load_pair(w));
        finish_pixel(out, args->cols, acc, block, &bounds, rounding);
    }
}

static void run(const edgecore_depthwise_args *args)
{
    const depthwise_block *block = args->block;
    const int32_t rounding = block->head.rounding;
    if (block->order == ORDER_3X3 && rounding == ROUND_UP)
        run_3x3(args, ROUND_UP);
    else if (block->order == ORDER_3X3)
        run_3x3(args, ROUND_AWAY);
    else if (block->order == ORDER_ANY && rounding == ROUND_UP)
        run_any(args, ROUND_UP, false);
    else if (block->order == ORDER_ANY && rounding == ROUND_AWAY)
        run_any(args, ROUND_AWAY, false);
    else if (block->order == ORDER_ANY)
        run_any(args, ROUND_GENERAL, false);
    else if (rounding == ROUND_GENERAL)
        run_any(args, ROUND_GENERAL, true);
    else
        run_any(args, ROUND_AWAY, true);
}

const edgecore_depthwise_kernel edgecore_depthwise_neon = {
#if defined(__aarch64__)
    .name = "depthwise_16r2__neon",
#else
    .name = "depthwise_8r2__neon",
#endif
    .cols = CHANNELS,
    .row_step = 1,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
