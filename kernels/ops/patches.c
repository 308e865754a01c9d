#include "ops/patches.h"

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

/* 16 bytes at a time: what is written past the end is overwritten by the next tap or never read. */
static inline void copy_over(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i += 16)
        memcpy(to + i, from + i, 16);
}

static void copy_row_by_tap(const edgecore_window *w, const uint8_t *row, ptrdiff_t pixel_stride, int64_t ix,
                            size_t bytes, uint8_t zero, uint8_t *to)
{
    for (int32_t kx = 0; kx < w->kernel_w; kx++, to += bytes) {
        const int64_t at = ix + (int64_t)kx * w->dilation_w;
        if (row && at >= 0 && at < w->in_w)
            copy_over(to, row + at * pixel_stride, bytes);
        else
            memset(to, zero, bytes);
    }
}

void edgecore_copy_patches(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           size_t bytes, uint8_t zero, uint8_t *patches, size_t stride)
{
    const edgecore_window w = *window;
    const size_t row_bytes = bytes * (size_t)w.kernel_w;
    const bool contiguous = (size_t)input->pixel_stride == bytes && (w.dilation_w == 1 || w.kernel_w == 1);
    stretch s = {0};
    while (next_stretch(pixels, w.out_w, &s)) {
        for (int32_t i = 0; i < s.count; i++) {
            uint8_t *to = patches + (size_t)(s.done + i) * stride;
            const int64_t ix = (int64_t)(s.x + i) * w.stride_w - w.pad_left;
            const bool whole = contiguous && ix >= 0 && ix + w.kernel_w <= w.in_w;
            int64_t iy = (int64_t)s.y * w.stride_h - w.pad_top;
            for (int32_t ky = 0; ky < w.kernel_h; ky++, iy += w.dilation_h, to += row_bytes) {
                const uint8_t *row = iy >= 0 && iy < w.in_h ? edgecore_view_at(input, (int32_t)iy, 0, 0) : NULL;
                if (row && whole)
                    copy_over(to, row + ix * input->pixel_stride, row_bytes);
                else
                    copy_row_by_tap(&w, row, input->pixel_stride, ix, bytes, zero, to);
            }
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
