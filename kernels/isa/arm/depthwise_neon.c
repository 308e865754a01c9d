/* Depthwise convolution by widening multiplies of 8-bit pairs: two taps of a channel lie side by side, two such pairs are
 * multiplied and added in 16 bits (two products fit unless weights are -128), and a pairwise addition takes all four taps to 32
 * bits: vmull, vmlal and vpadal for 16 products.
 *
 * Pairs are of two kernel rows. A last row without a partner is paired with itself, moved by one tap. Columns are paired once for
 * all pixels that share them: in registers for kernels of 3x3, in scratch for all others.
 * Weights are [pair][SLICE][2], one behind another in the order in which pixels use them. */
#include "isa/arm/depthwise.h"
#include "isa/arm/kernels.h"

enum { PAIR_BYTES = 2 * SLICE };

/* Orders of weights. */
enum order {
    ORDER_ANY,    /* column by column its pairs of rows, then the last row's pairs */
    ORDER_SINGLE, /* that, but with weights of -128: products are added one by one */
    ORDER_3X3,    /* as ORDER_ANY, but the ninth tap is not paired with a zero: [SLICE]. In 32 bits [column][row][SLICE] */
};

INLINE int8x8_t load_tap(const uint8_t *from)
{
    return vreinterpret_s8_u8(vld1_u8(from));
}

/* Two taps of a slice, side by side. */
INLINE int8x16_t make_pair(int8x8_t a, int8x8_t b)
{
#if defined(__aarch64__)
    const int8x8_t zero = vdup_n_s8(0);
    int8x16_t pair = vzip1q_s8(vcombine_s8(a, zero), vcombine_s8(b, zero));
    __asm__("" : "+w"(pair)); /* one vector: without this clang makes two halves, and of the weights too */
    return pair;
#else
    const int8x8x2_t both = vzip_s8(a, b);
    return vcombine_s8(both.val[0], both.val[1]);
#endif
}

INLINE void add_pair(int32x4_t acc[2], int8x16_t x, int8x16_t w)
{
    acc[0] = vpadalq_s16(acc[0], vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    acc[1] = vpadalq_s16(acc[1], vmull_s8(vget_high_s8(x), vget_high_s8(w)));
}

INLINE void add_two_pairs(int32x4_t acc[2], int8x16_t x0, int8x16_t w0, int8x16_t x1, int8x16_t w1)
{
    const int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0));
    const int16x8_t high = vmull_s8(vget_high_s8(x0), vget_high_s8(w0));
    acc[0] = vpadalq_s16(acc[0], vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1)));
    acc[1] = vpadalq_s16(acc[1], vmlal_s8(high, vget_high_s8(x1), vget_high_s8(w1)));
}

/* Pairs of a pixel. */
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
    return depthwise_bytes(pairs_of(kernel_h, kernel_w) * PAIR_BYTES);
}

/* [places][columns][pairs of a column]; a pixel has no more pairs than there are in all columns. */
static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    const size_t pairs = columns * column_pairs(kernel_h);
    return place_bytes(pairs) + pairs * PAIR_BYTES;
}

static void pack_slice(depthwise_slice *slice, const edgecore_columns *columns, bool general)
{
    const size_t height = columns->kernel_h, width = columns->kernel_w, cols = columns->cols;
    bool lowest = false;
    pack_constants(slice, columns);
    for (size_t ky = 0; ky < height; ky++)
        for (size_t kx = 0; kx < width; kx++) {
            const bool last = height % 2 && ky == height - 1;
            const size_t pair = last ? height / 2 * width + kx / 2 : kx * (height / 2) + ky / 2;
            const size_t place = last ? kx % 2 : ky % 2;
            const int8_t *from = columns->weights + (ky * width + kx) * columns->weight_stride;
            for (size_t c = 0; c < cols; c++) {
                slice->weights[pair * PAIR_BYTES + 2 * c + place] = from[c];
                lowest |= from[c] == -128;
            }
        }
    slice->order = lowest ? ORDER_SINGLE : ORDER_ANY;
    if (!lowest && height == 3 && width == 3 && cols == SLICE && !general) {
        slice->order = ORDER_3X3;
#if defined(__aarch64__)
        memcpy(slice->weights + 4 * PAIR_BYTES, columns->weights + 8 * columns->weight_stride, SLICE);
#else
        for (size_t t = 0; t < 9; t++)
            memcpy(slice->weights + (t % 3 * 3 + t / 3) * SLICE, columns->weights + t * columns->weight_stride, SLICE);
#endif
    }
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t weight_bytes = pairs_of(columns->kernel_h, columns->kernel_w) * PAIR_BYTES;
    memset(block, 0, block_bytes(columns->kernel_h, columns->kernel_w));
    const depthwise_head head = make_depthwise_head(columns);
    const bool general = head.requant.rounding == ROUND_GENERAL;
    memcpy(block, &head, sizeof head);
    for (size_t s = 0; s * SLICE < columns->cols; s++) {
        const edgecore_columns some = columns_of_slice(columns, s);
        pack_slice(slice_at(block, s, weight_bytes), &some, general);
    }
}

/* A 3x3 kernel's constants, and a column of its input: the upper two rows, and the last. In 32 bits taps are not paired: that
 * takes an instruction more for every pixel, but pairing takes registers that are not there. */
#if defined(__aarch64__)
typedef struct column_3 {
    int8x16_t upper;
    int8x8_t last;
} column_3;

typedef struct kernel_3x3 {
    int8x16_t upper[3], last;
    int8x8_t ninth;
    size_t offset;
} kernel_3x3;

INLINE kernel_3x3 load_kernel(const depthwise_slice *slice, size_t offset)
{
    const int8_t *w = slice->weights;
    return (kernel_3x3){
        {vld1q_s8(w), vld1q_s8(w + PAIR_BYTES), vld1q_s8(w + 2 * PAIR_BYTES)},
        vld1q_s8(w + 3 * PAIR_BYTES),
        vld1_s8(w + 4 * PAIR_BYTES),
        offset,
    };
}

INLINE column_3 load_column(const kernel_3x3 *k, const uint8_t *const *a)
{
    return (column_3){make_pair(load_tap(a[0] + k->offset), load_tap(a[1] + k->offset)), load_tap(a[2] + k->offset)};
}

/* The single tap is added to the bias first, which that does not overwrite. */
INLINE void sum_pixel(int32x4_t acc[2], const kernel_3x3 *k, const slice_output *o, column_3 x, column_3 y, column_3 z)
{
    const int16x8_t ninth = vmull_s8(z.last, k->ninth);
    acc[0] = vaddw_s16(bias_of(o, 0), vget_low_s16(ninth));
    acc[1] = vaddw_s16(bias_of(o, 1), vget_high_s16(ninth));
    add_two_pairs(acc, x.upper, k->upper[0], y.upper, k->upper[1]);
    add_two_pairs(acc, z.upper, k->upper[2], make_pair(x.last, y.last), k->last);
}
#else
typedef struct column_3 {
    int8x8_t row[3];
} column_3;

typedef struct kernel_3x3 {
    int8x8_t column[3][3];
    size_t offset;
} kernel_3x3;

INLINE kernel_3x3 load_kernel(const depthwise_slice *slice, size_t offset)
{
    const int8_t *w = slice->weights;
    kernel_3x3 k = {.offset = offset};
    for (size_t kx = 0; kx < 3; kx++)
        for (size_t ky = 0; ky < 3; ky++)
            k.column[kx][ky] = vld1_s8(w + (3 * kx + ky) * SLICE);
    return k;
}

INLINE column_3 load_column(const kernel_3x3 *k, const uint8_t *const *a)
{
    return (column_3){{load_tap(a[0] + k->offset), load_tap(a[1] + k->offset), load_tap(a[2] + k->offset)}};
}

INLINE void add_two_taps(int32x4_t acc[2], int8x8_t x0, int8x8_t w0, int8x8_t x1, int8x8_t w1)
{
    const int16x8_t sums = vmlal_s8(vmull_s8(x0, w0), x1, w1);
    acc[0] = vaddw_s16(acc[0], vget_low_s16(sums));
    acc[1] = vaddw_s16(acc[1], vget_high_s16(sums));
}

INLINE void sum_pixel(int32x4_t acc[2], const kernel_3x3 *k, const slice_output *o, column_3 x, column_3 y, column_3 z)
{
    const int16x8_t ninth = vmull_s8(z.row[2], k->column[2][2]);
    acc[0] = vaddw_s16(bias_of(o, 0), vget_low_s16(ninth));
    acc[1] = vaddw_s16(bias_of(o, 1), vget_high_s16(ninth));
    add_two_taps(acc, x.row[0], k->column[0][0], x.row[1], k->column[0][1]);
    add_two_taps(acc, x.row[2], k->column[0][2], y.row[2], k->column[1][2]);
    add_two_taps(acc, y.row[0], k->column[1][0], y.row[1], k->column[1][1]);
    add_two_taps(acc, z.row[0], k->column[2][0], z.row[1], k->column[2][1]);
}
#endif

#include "isa/arm/depthwise_3x3_template.h"

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

static void interleave(const edgecore_depthwise_args *args, size_t offset, uint8_t *to)
{
    const size_t height = args->kernel_h;
    for (size_t x = 0; x < args->columns; x++) {
        const uint8_t *const *a = args->a + x * height;
        for (size_t ky = 0; ky + 2 <= height; ky += 2, to += PAIR_BYTES)
            vst1q_s8((int8_t *)to, make_pair(load_tap(a[ky] + offset), load_tap(a[ky + 1] + offset)));
        if (height % 2) { /* past the last column comes a weight of 0 */
            const size_t next = x + args->tap_step < args->columns ? args->tap_step * height : 0;
            vst1q_s8((int8_t *)to, make_pair(load_tap(a[height - 1] + offset), load_tap(a[height - 1 + next] + offset)));
            to += PAIR_BYTES;
        }
    }
}

static void run_any(const edgecore_depthwise_args *args, const depthwise_slice *slice, size_t offset, size_t cols)
{
    const size_t column_bytes = column_pairs(args->kernel_h) * PAIR_BYTES;
    uint32_t *places = args->scratch;
    uint8_t *columns = (uint8_t *)args->scratch + place_bytes(args->columns * column_pairs(args->kernel_h));
    const int8_t *x = (const int8_t *)columns;
    slice_output o = output_of_slice(args, slice, offset);
    const size_t count = fill_places(args, places), twos = slice->order == ORDER_SINGLE ? 0 : count / 2 * 2;
    interleave(args, offset, columns);
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes) {
        const int8_t *w = slice->weights;
        int32x4_t acc[2] = {vld1q_s32(slice->bias), vld1q_s32(slice->bias + 4)};
        size_t i = 0;
        for (; i < twos; i += 2, w += 2 * PAIR_BYTES)
            add_two_pairs(acc, vld1q_s8(x + places[i]), vld1q_s8(w), vld1q_s8(x + places[i + 1]), vld1q_s8(w + PAIR_BYTES));
        for (; i < count; i++, w += PAIR_BYTES)
            add_pair(acc, vld1q_s8(x + places[i]), vld1q_s8(w));
        acc[0] = vshlq_s32(acc[0], vld1q_s32(slice->left));
        acc[1] = vshlq_s32(acc[1], vld1q_s32(slice->left + 4));
        store_one(&o, acc, cols, FINISH_GENERAL);
    }
}

static void run(const edgecore_depthwise_args *args)
{
    const depthwise_head *head = args->block;
    const size_t weight_bytes = pairs_of(args->kernel_h, args->kernel_w) * PAIR_BYTES;
    for (size_t s = 0; s * SLICE < args->cols; s++) {
        const depthwise_slice *slice = slice_at(args->block, s, weight_bytes);
        const size_t offset = args->offset + s * SLICE, left = args->cols - s * SLICE;
        if (slice->order != ORDER_3X3)
            run_any(args, slice, offset, left < SLICE ? left : SLICE);
        else
            run_slice_3x3(args, head, slice, offset);
    }
}

const edgecore_depthwise_kernel edgecore_depthwise_neon = {
    .name = "depthwise_64r2__neon",
    .cols = CHANNELS,
    .row_step = 1,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
