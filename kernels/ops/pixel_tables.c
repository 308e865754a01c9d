#include "ops/pixel_tables.h"

#include <string.h>

#include "ops/view.h"

/* A stretch of pixels within one output row. */
typedef struct stretch {
    int32_t y, x, count;
    int32_t done; /* pixels before it */
} stretch;

static bool next_stretch(edgecore_pixels pixels, int32_t out_w, stretch *s)
{
    s->done += s->count;
    if (s->done >= pixels.count)
        return false;
    const int64_t at = pixels.first + s->done;
    s->y = pixels.y0 + (int32_t)(at / out_w);
    s->x = (int32_t)(at % out_w);
    s->count = out_w - s->x < pixels.count - s->done ? out_w - s->x : pixels.count - s->done;
    return true;
}

static int32_t clamp_count(int64_t value, int32_t count)
{
    return (int32_t)(value < 0 ? 0 : value > count ? count : value);
}

static int64_t ceil_divide(int64_t a, int32_t b)
{
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

/* to[i] = from + i * step, four at a time: tables are a notable part of layers with few channels. */
static void point_each(const uint8_t **to, int32_t count, const uint8_t *from, ptrdiff_t step)
{
    int32_t i = 0;
    for (; i + 4 <= count; i += 4, from += 4 * step) {
        to[i] = from;
        to[i + 1] = from + step;
        to[i + 2] = from + 2 * step;
        to[i + 3] = from + 3 * step;
    }
    for (; i < count; i++, from += step)
        to[i] = from;
}

void edgecore_tap_pointers(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           const uint8_t *zero_row, const uint8_t **table, size_t pitch)
{
    const edgecore_window w = *window;
    const ptrdiff_t step = input->pixel_stride * w.stride_w;
    stretch s = {0};
    while (next_stretch(pixels, w.out_w, &s)) {
        const uint8_t **to = table + s.done;
        for (int32_t ky = 0; ky < w.kernel_h; ky++) {
            const int64_t iy = (int64_t)s.y * w.stride_h - w.pad_top + (int64_t)ky * w.dilation_h;
            const bool inside = iy >= 0 && iy < w.in_h;
            for (int32_t kx = 0; kx < w.kernel_w; kx++, to += pitch) {
                const int64_t ix = (int64_t)s.x * w.stride_w - w.pad_left + (int64_t)kx * w.dilation_w;
                /* pixels [left, right) of the stretch fall into the input's row */
                const int32_t left = inside ? clamp_count(ceil_divide(-ix, w.stride_w), s.count) : s.count;
                const int32_t right = inside ? clamp_count(ceil_divide(w.in_w - ix, w.stride_w), s.count) : s.count;
                const int32_t end = left < right ? right : left;
                point_each(to, left, zero_row, 0);
                if (left < right)
                    point_each(to + left, right - left,
                               edgecore_view_at(input, (int32_t)iy, (int32_t)(ix + (int64_t)left * w.stride_w), 0), step);
                point_each(to + end, s.count - end, zero_row, 0);
            }
        }
    }
}

/* From one kernel row's copy to the next: those of a patch follow each other, each overwriting what the one before overran. */
static size_t row_pitch(const edgecore_window *window, size_t bytes, bool patch)
{
    const size_t row = bytes * (size_t)window->kernel_w;
    return patch ? row : (row + 15 + 15) / 16 * 16;
}

size_t edgecore_copy_bytes(const edgecore_window *window, size_t bytes, bool patch)
{
    return (row_pitch(window, bytes, patch) * (size_t)window->kernel_h + 15 + 15) / 16 * 16;
}

/* What is read past a run may be a neighbour in the same buffer that another thread is writing; nobody uses those bytes. */
#if defined(__SANITIZE_THREAD__)
#define READS_MORE __attribute__((no_sanitize_thread, noinline))
#else
#define READS_MORE inline
#endif

/* 16 bytes at a time; up to 15 more are read and written. */
static READS_MORE void copy_run(uint8_t *to, const uint8_t *from, size_t n, uint8_t flip)
{
    const uint64_t flips = flip * UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < n; i += 16) {
        uint64_t bytes[2];
        memcpy(bytes, from + i, 16);
        bytes[0] ^= flips;
        bytes[1] ^= flips;
        memcpy(to + i, bytes, 16);
    }
}

/* One kernel row of a pixel at column ix, pixel by pixel. What is written past one's end is overwritten by the next, or falls
 * into the overrun. */
static void copy_kernel_row(const edgecore_window *w, const uint8_t *row, ptrdiff_t pixel_stride, int64_t ix,
                            const edgecore_row_taps *taps, uint8_t *to)
{
    for (int32_t kx = 0; kx < w->kernel_w; kx++, ix += w->dilation_w, to += taps->bytes) {
        if (ix < 0 || ix >= w->in_w)
            memset(to, taps->zero, taps->bytes);
        else
            copy_run(to, row + ix * pixel_stride, taps->bytes, taps->flip);
    }
}

/* A stretch under one kernel row. */
typedef struct row_stretch {
    int32_t count, left, right; /* pixels [left, right) have all kernel_w inside the row, in one run of bytes */
    int64_t ix;                 /* column of the first pixel's first tap */
    uint8_t *copy;              /* the first pixel's, and `copy_bytes` to the next one's */
    size_t copy_bytes;
} row_stretch;

/* `count` runs of n bytes, each `step` bytes after the one before; four at a time. */
static inline void copy_runs_of(uint8_t *copy, size_t copy_bytes, const uint8_t *from, ptrdiff_t step, int32_t count, size_t n,
                                uint8_t flip)
{
    for (; count >= 4; count -= 4, copy += 4 * copy_bytes, from += 4 * step) {
        copy_run(copy, from, n, flip);
        copy_run(copy + copy_bytes, from + step, n, flip);
        copy_run(copy + 2 * copy_bytes, from + 2 * step, n, flip);
        copy_run(copy + 3 * copy_bytes, from + 3 * step, n, flip);
    }
    for (; count > 0; count--, copy += copy_bytes, from += step)
        copy_run(copy, from, n, flip);
}

/* Pixels [first, end) with their runs from `from` on: copied, and pointed at where they are no part of a patch. */
static void copy_runs(const row_stretch *s, int32_t first, int32_t end, const uint8_t *from, ptrdiff_t step, size_t row_bytes,
                      uint8_t flip, const uint8_t **to)
{
    uint8_t *copy = s->copy + (size_t)first * s->copy_bytes;
    const size_t vectors = (row_bytes + 15) / 16;
    if (to)
        point_each(to + first, end - first, copy, (ptrdiff_t)s->copy_bytes);
    if (vectors == 1 && !flip) /* loops of their own: short kernel rows are copied most often */
        copy_runs_of(copy, s->copy_bytes, from, step, end - first, 16, 0);
    else if (vectors == 1)
        copy_runs_of(copy, s->copy_bytes, from, step, end - first, 16, flip);
    else if (vectors == 2)
        copy_runs_of(copy, s->copy_bytes, from, step, end - first, 32, flip);
    else if (vectors == 3)
        copy_runs_of(copy, s->copy_bytes, from, step, end - first, 48, flip);
    else
        copy_runs_of(copy, s->copy_bytes, from, step, end - first, row_bytes, flip);
}

static void copy_edge(const edgecore_window *w, const row_stretch *s, int32_t first, int32_t end, const uint8_t *row,
                      ptrdiff_t pixel_stride, const edgecore_row_taps *taps, const uint8_t **to)
{
    for (int32_t i = first; i < end; i++) {
        uint8_t *copy = s->copy + (size_t)i * s->copy_bytes;
        copy_kernel_row(w, row, pixel_stride, s->ix + (int64_t)i * w->stride_w, taps, copy);
        if (to)
            to[i] = copy;
    }
}

/* `row` is NULL in the padding, and `to` where the pixels' patches are their taps. */
static void place_row(const edgecore_window *w, const row_stretch *s, const uint8_t *row, ptrdiff_t pixel_stride,
                      const edgecore_row_taps *taps, const uint8_t **to)
{
    const size_t row_bytes = taps->bytes * (size_t)w->kernel_w;
    if (!row) {
        if (!to)
            copy_runs(s, 0, s->count, taps->zero_row, 0, row_bytes, 0, to);
        else
            point_each(to, s->count, taps->zero_row, 0);
        return;
    }
    copy_edge(w, s, 0, s->left, row, pixel_stride, taps, to);
    if (s->left < s->right) {
        const ptrdiff_t step = pixel_stride * w->stride_w;
        const uint8_t *from = row + (ptrdiff_t)s->ix * pixel_stride + s->left * step;
        if (!to || taps->flip)
            copy_runs(s, s->left, s->right, from, step, row_bytes, taps->flip, to);
        else
            point_each(to + s->left, s->right - s->left, from, step);
    }
    copy_edge(w, s, s->right > s->left ? s->right : s->left, s->count, row, pixel_stride, taps, to);
}

void edgecore_row_pointers(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           const edgecore_row_taps *taps, const uint8_t **table, size_t pitch)
{
    const edgecore_window w = *window;
    const bool dense = (size_t)input->pixel_stride == taps->bytes && (w.dilation_w == 1 || w.kernel_w == 1);
    const size_t row_copy = row_pitch(window, taps->bytes, taps->patch);
    row_stretch r = {.copy_bytes = edgecore_copy_bytes(window, taps->bytes, taps->patch)};
    if (taps->patch)
        point_each(table, pixels.count, taps->copies, (ptrdiff_t)r.copy_bytes);
    stretch s = {0};
    while (next_stretch(pixels, w.out_w, &s)) {
        r.count = s.count;
        r.ix = (int64_t)s.x * w.stride_w - w.pad_left;
        r.left = dense ? clamp_count(ceil_divide(-r.ix, w.stride_w), s.count) : s.count;
        r.right = clamp_count(ceil_divide((int64_t)w.in_w - w.kernel_w + 1 - r.ix, w.stride_w), s.count);
        for (int32_t ky = 0; ky < w.kernel_h; ky++) {
            const int64_t iy = (int64_t)s.y * w.stride_h - w.pad_top + (int64_t)ky * w.dilation_h;
            r.copy = taps->copies + (size_t)s.done * r.copy_bytes + (size_t)ky * row_copy;
            place_row(&w, &r, iy < 0 || iy >= w.in_h ? NULL : edgecore_view_at(input, (int32_t)iy, 0, 0), input->pixel_stride,
                      taps, taps->patch ? NULL : table + (size_t)ky * pitch + s.done);
        }
    }
}

void edgecore_output_pointers(const edgecore_view *output, edgecore_pixels pixels, uint8_t **table)
{
    stretch s = {0};
    while (next_stretch(pixels, output->width, &s))
        point_each((const uint8_t **)table + s.done, s.count, edgecore_view_at(output, s.y, s.x, 0),
                   output->pixel_stride);
}
