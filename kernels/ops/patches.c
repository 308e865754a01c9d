#include "ops/patches.h"

#include <string.h>

#include "ops/view.h"

enum { OVERRUN = 31 };

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
                int32_t i = 0;
                for (; i < left; i++)
                    to[i] = zero_row;
                if (left < right) {
                    const uint8_t *from = edgecore_view_at(input, (int32_t)iy, (int32_t)(ix + (int64_t)left * w.stride_w), 0);
                    for (; i < right; i++, from += step)
                        to[i] = from;
                }
                for (; i < s.count; i++)
                    to[i] = zero_row;
            }
        }
    }
}

/* What is written past the end, up to OVERRUN bytes, is overwritten by the next kernel row or never read. */
static inline void copy_over(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        memcpy(to + i, from + i, 16);
}

/* One kernel row of `count` pixels that all lie inside the input. */
static void copy_row(uint8_t *to, size_t stride, const uint8_t *from, ptrdiff_t step, size_t bytes, int32_t count)
{
    if (bytes <= 16) {
        for (int32_t i = 0; i < count; i++, to += stride, from += step)
            memcpy(to, from, 16);
    } else if (bytes <= 32) {
        for (int32_t i = 0; i < count; i++, to += stride, from += step)
            memcpy(to, from, 32);
    } else {
        for (int32_t i = 0; i < count; i++, to += stride, from += step)
            copy_over(to, from, bytes);
    }
}

/* One kernel row of a pixel whose taps may lie in the padding; `row` is NULL where they all do. */
static void copy_taps(const edgecore_window *w, const uint8_t *row, ptrdiff_t pixel_stride, int64_t ix, size_t bytes,
                      uint8_t zero, uint8_t *to)
{
    for (int32_t kx = 0; kx < w->kernel_w; kx++, to += bytes) {
        const int64_t at = ix + (int64_t)kx * w->dilation_w;
        if (row && at >= 0 && at < w->in_w)
            copy_over(to, row + at * pixel_stride, bytes);
        else
            memset(to, zero, bytes);
    }
}

size_t edgecore_patch_stride(const edgecore_window *window, size_t bytes)
{
    const size_t patch = bytes * (size_t)window->kernel_w * (size_t)window->kernel_h;
    return (patch + OVERRUN + 15) / 16 * 16;
}

void edgecore_copy_patches(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           size_t bytes, uint8_t zero, uint8_t *patches, size_t stride)
{
    const edgecore_window w = *window;
    const size_t row_bytes = bytes * (size_t)w.kernel_w;
    const bool contiguous = (size_t)input->pixel_stride == bytes && (w.dilation_w == 1 || w.kernel_w == 1);
    stretch s = {0};
    while (next_stretch(pixels, w.out_w, &s)) {
        const int64_t ix = (int64_t)s.x * w.stride_w - w.pad_left;
        /* pixels [left, right) of the stretch have all their taps inside the row, in one run of bytes */
        const int32_t left = contiguous ? clamp_count(ceil_divide(-ix, w.stride_w), s.count) : s.count;
        const int32_t end = clamp_count(ceil_divide((int64_t)w.in_w - w.kernel_w + 1 - ix, w.stride_w), s.count);
        const int32_t right = end > left ? end : left;
        for (int32_t ky = 0; ky < w.kernel_h; ky++) {
            const int64_t iy = (int64_t)s.y * w.stride_h - w.pad_top + (int64_t)ky * w.dilation_h;
            const uint8_t *row = iy >= 0 && iy < w.in_h ? edgecore_view_at(input, (int32_t)iy, 0, 0) : NULL;
            uint8_t *to = patches + (size_t)s.done * stride + (size_t)ky * row_bytes;
            const int32_t run_begin = row ? left : s.count, run_end = row ? right : s.count;
            for (int32_t i = 0; i < run_begin; i++)
                copy_taps(&w, row, input->pixel_stride, ix + (int64_t)i * w.stride_w, bytes, zero, to + (size_t)i * stride);
            if (run_begin < run_end)
                copy_row(to + (size_t)run_begin * stride, stride,
                         row + (ix + (int64_t)run_begin * w.stride_w) * input->pixel_stride,
                         input->pixel_stride * w.stride_w, row_bytes, run_end - run_begin);
            for (int32_t i = run_end; i < s.count; i++)
                copy_taps(&w, row, input->pixel_stride, ix + (int64_t)i * w.stride_w, bytes, zero, to + (size_t)i * stride);
        }
    }
}

void edgecore_output_pointers(const edgecore_view *output, edgecore_pixels pixels, uint8_t **table)
{
    stretch s = {0};
    while (next_stretch(pixels, output->width, &s)) {
        uint8_t *to = edgecore_view_at(output, s.y, s.x, 0);
        for (int32_t i = 0; i < s.count; i++, to += output->pixel_stride)
            table[s.done + i] = to;
    }
}
