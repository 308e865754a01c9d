/* Depthwise convolution on sdot: four taps of a channel lie side by side, so that one instruction sums 4 taps of 4 channels.
 *
 * A group of four is four rows of a column. What is left of the height, 1 to 3 rows, makes groups of its own: 3 rows of one
 * column, 2 rows of two columns or 1 row of four, with weights of 0 where the kernel ends before the group. Columns are
 * interleaved once for all pixels that share them: in registers for kernels of 3x3, in scratch for all others.
 * Weights are [group][2 vectors of 4 channels][4 taps], one group behind another in the order in which pixels use them. */
#include "isa/arm/depthwise.h"
#include "isa/arm/kernels.h"

enum { TAPS = 4, GROUP_BYTES = TAPS * SLICE };

/* TAPS taps of a slice. */
typedef struct group {
    int8x16_t v[2];
} group;

INLINE group load_group(const void *from)
{
    return (group){{vld1q_s8(from), vld1q_s8((const int8_t *)from + 16)}};
}

INLINE void add_group(int32x4_t acc[2], group x, group w)
{
    acc[0] = vdotq_s32(acc[0], x.v[0], w.v[0]);
    acc[1] = vdotq_s32(acc[1], x.v[1], w.v[1]);
}

/* Where the bytes of vectors go that lie behind one another in a table, each in the lower half of a register: byte 4 * c + t is
 * channel c of vector t. The fourth of three is out of the table, and 0. */
static const uint8_t interleaved[2][16] = {
    {0, 16, 32, 48, 1, 17, 33, 49, 2, 18, 34, 50, 3, 19, 35, 51},
    {4, 20, 36, 52, 5, 21, 37, 53, 6, 22, 38, 54, 7, 23, 39, 55},
};

INLINE uint8x16_t load_row(const uint8_t *from)
{
    return vcombine_u8(vld1_u8(from), vdup_n_u8(0));
}

/* Columns that a group of the rows left over takes. */
static size_t rest_columns(size_t kernel_h)
{
    return kernel_h % TAPS == 3 ? 1 : TAPS / (kernel_h % TAPS);
}

/* Groups of a pixel. */
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
    return depthwise_bytes(groups_of(kernel_h, kernel_w) * GROUP_BYTES);
}

/* [places][columns][groups of a column]; a pixel has no more groups than there are in all columns. */
static size_t scratch_bytes(size_t columns, size_t kernel_h)
{
    const size_t groups = columns * column_groups(kernel_h);
    return place_bytes(groups) + groups * GROUP_BYTES;
}

static void pack_slice(depthwise_slice *slice, const edgecore_columns *columns)
{
    const size_t height = columns->kernel_h, width = columns->kernel_w, whole = height / TAPS, rest = height % TAPS;
    pack_constants(slice, columns);
    for (size_t ky = 0; ky < height; ky++)
        for (size_t kx = 0; kx < width; kx++) {
            size_t group = kx * whole + ky / TAPS, tap = ky % TAPS;
            if (ky >= whole * TAPS) {
                group = whole * width + kx / rest_columns(height);
                tap += kx % rest_columns(height) * rest;
            }
            const int8_t *from = columns->weights + (ky * width + kx) * columns->weight_stride;
            for (size_t c = 0; c < columns->cols; c++)
                slice->weights[group * GROUP_BYTES + TAPS * c + tap] = from[c];
        }
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t weight_bytes = groups_of(columns->kernel_h, columns->kernel_w) * GROUP_BYTES;
    memset(block, 0, block_bytes(columns->kernel_h, columns->kernel_w));
    *(depthwise_head *)block = make_depthwise_head(columns);
    for (size_t s = 0; s * SLICE < columns->cols; s++) {
        const edgecore_columns some = columns_of_slice(columns, s);
        pack_slice(slice_at(block, s, weight_bytes), &some);
    }
}

/* A column's three taps, and a 3x3 kernel's constants. */
typedef group column_3;

typedef struct kernel_3x3 {
    group weights[3];
    uint8x16_t places[2];
    size_t offset;
} kernel_3x3;

INLINE kernel_3x3 load_kernel(const depthwise_slice *slice, size_t offset)
{
    const int8_t *w = slice->weights;
    return (kernel_3x3){
        {load_group(w), load_group(w + GROUP_BYTES), load_group(w + 2 * GROUP_BYTES)},
        {vld1q_u8(interleaved[0]), vld1q_u8(interleaved[1])},
        offset,
    };
}

INLINE column_3 load_column(const kernel_3x3 *k, const uint8_t *const *a)
{
    const uint8x16x3_t rows = {{load_row(a[0] + k->offset), load_row(a[1] + k->offset), load_row(a[2] + k->offset)}};
    return (column_3){{vreinterpretq_s8_u8(vqtbl3q_u8(rows, k->places[0])), vreinterpretq_s8_u8(vqtbl3q_u8(rows, k->places[1]))}};
}

/* Biases are loaded for each pixel: sdot overwrites them, and a copy costs as much. */
INLINE void sum_pixel(int32x4_t acc[2], const kernel_3x3 *k, const slice_output *o, column_3 x, column_3 y, column_3 z)
{
    acc[0] = vld1q_s32(o->slice->bias);
    acc[1] = vld1q_s32(o->slice->bias + 4);
    add_group(acc, x, k->weights[0]);
    add_group(acc, y, k->weights[1]);
    add_group(acc, z, k->weights[2]);
}

#include "isa/arm/depthwise_3x3_template.h"

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

INLINE void interleave_4(uint8_t *to, const uint8_t *const a[TAPS], size_t offset)
{
    const uint8x16x4_t taps = {
        {load_row(a[0] + offset), load_row(a[1] + offset), load_row(a[2] + offset), load_row(a[3] + offset)}};
    vst1q_u8(to, vqtbl4q_u8(taps, vld1q_u8(interleaved[0])));
    vst1q_u8(to + 16, vqtbl4q_u8(taps, vld1q_u8(interleaved[1])));
}

static void interleave(const edgecore_depthwise_args *args, size_t offset, uint8_t *to)
{
    const size_t height = args->kernel_h, whole = height / TAPS * TAPS, rest = height - whole;
    for (size_t x = 0; x < args->columns; x++) {
        const uint8_t *const *a = args->a + x * height;
        for (size_t ky = 0; ky < whole; ky += TAPS, to += GROUP_BYTES)
            interleave_4(to, a + ky, offset);
        if (rest) { /* past the last column, and in the fourth row of three, come weights of 0 */
            const uint8_t *four[TAPS];
            for (size_t t = 0; t < TAPS; t++) {
                const size_t column = x + t / rest * args->tap_step;
                four[t] = args->a[(column < args->columns ? column : x) * height + whole + t % rest];
            }
            interleave_4(to, four, offset);
            to += GROUP_BYTES;
        }
    }
}

static void run_any(const edgecore_depthwise_args *args, const depthwise_slice *slice, size_t offset, size_t cols)
{
    const size_t column_bytes = column_groups(args->kernel_h) * GROUP_BYTES;
    uint32_t *places = args->scratch;
    uint8_t *x = (uint8_t *)args->scratch + place_bytes(args->columns * column_groups(args->kernel_h));
    slice_output o = output_of_slice(args, slice, offset);
    const size_t count = fill_places(args, places);
    interleave(args, offset, x);
    for (size_t p = 0; p < args->pixels; p++, x += args->pixel_step * column_bytes) {
        const int8_t *w = slice->weights;
        int32x4_t acc[2] = {vld1q_s32(slice->bias), vld1q_s32(slice->bias + 4)};
        for (size_t i = 0; i < count; i++, w += GROUP_BYTES)
            add_group(acc, load_group(x + places[i]), load_group(w));
        acc[0] = vshlq_s32(acc[0], vld1q_s32(slice->left));
        acc[1] = vshlq_s32(acc[1], vld1q_s32(slice->left + 4));
        store_one(&o, acc, cols, FINISH_GENERAL);
    }
}

static void run(const edgecore_depthwise_args *args)
{
    const depthwise_head *head = args->block;
    const size_t weight_bytes = groups_of(args->kernel_h, args->kernel_w) * GROUP_BYTES;
    const bool is_3x3 = args->kernel_h == 3 && args->kernel_w == 3;
    for (size_t s = 0; s * SLICE < args->cols; s++) {
        const depthwise_slice *slice = slice_at(args->block, s, weight_bytes);
        const size_t offset = args->offset + s * SLICE, left = args->cols - s * SLICE;
        if (!is_3x3 || left < SLICE || head->requant.rounding == ROUND_GENERAL)
            run_any(args, slice, offset, left < SLICE ? left : SLICE);
        else
            run_slice_3x3(args, head, slice, offset);
    }
}

const edgecore_depthwise_kernel edgecore_depthwise_dotprod = {
    .name = "depthwise_64r4__dotprod",
    .cols = CHANNELS,
    .row_step = 1,
    .cost = 1.0f,
    .block_bytes = block_bytes,
    .scratch_bytes = scratch_bytes,
    .pack = pack,
    .run = run,
};
