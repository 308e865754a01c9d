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

size_t edgecore_row_copy_bytes(const edgecore_window *window, size_t bytes)
{
    return (bytes * (size_t)window->kernel_w + 15 + 15) / 16 * 16;
}

/* One kernel row of a pixel at column ix; `row` is not NULL. Pixels go 16 bytes at a time: what is written past one's end is
 * overwritten by the next, or falls into the overrun. */
static void copy_kernel_row(const edgecore_window *w, const uint8_t *row, ptrdiff_t pixel_stride, int64_t ix,
                            const edgecore_row_taps *taps, uint8_t *to)
{
    const size_t n = taps->bytes;
    uint8_t *at = to;
    for (int32_t kx = 0; kx < w->kernel_w; kx++, ix += w->dilation_w, at += n) {
        if (ix < 0 || ix >= w->in_w) {
            memset(at, taps->zero ^ taps->flip, n);
            continue;
        }
        const uint8_t *from = row + ix * pixel_stride;
        for (size_t i = 0; i < n; i += 16)
            memcpy(at + i, from + i, 16);
    }
    if (taps->flip)
        for (size_t i = 0; i < n * (size_t)w->kernel_w; i++)
            to[i] ^= taps->flip;
}

void edgecore_row_pointers(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           const edgecore_row_taps *taps, const uint8_t **table, size_t pitch)
{
    const edgecore_window w = *window;
    const bool dense = (size_t)input->pixel_stride == taps->bytes && (w.dilation_w == 1 || w.kernel_w == 1);
    const size_t copy_bytes = edgecore_row_copy_bytes(window, taps->bytes);
    const ptrdiff_t step = input->pixel_stride * w.stride_w;
    stretch s = {0};
    while (next_stretch(pixels, w.out_w, &s)) {
        const int64_t ix = (int64_t)s.x * w.stride_w - w.pad_left;
        /* pixels [left, right) of the stretch have all kernel_w inside the row, in one run of bytes */
        const bool runs = dense && !taps->flip;
        const int32_t left = runs ? clamp_count(ceil_divide(-ix, w.stride_w), s.count) : s.count;
        const int32_t end = clamp_count(ceil_divide((int64_t)w.in_w - w.kernel_w + 1 - ix, w.stride_w), s.count);
        const int32_t right = end > left ? end : left;
        for (int32_t ky = 0; ky < w.kernel_h; ky++) {
            const int64_t iy = (int64_t)s.y * w.stride_h - w.pad_top + (int64_t)ky * w.dilation_h;
            const uint8_t **to = table + (size_t)ky * pitch + s.done;
            if (iy < 0 || iy >= w.in_h) {
                for (int32_t i = 0; i < s.count; i++)
                    to[i] = taps->zero_row;
                continue;
            }
            const uint8_t *row = edgecore_view_at(input, (int32_t)iy, 0, 0);
            const uint8_t *from = row + (left < right ? (ix + (int64_t)left * w.stride_w) * input->pixel_stride : 0);
            for (int32_t i = left; i < right; i++, from += step)
                to[i] = from;
            for (int32_t i = left > 0 ? 0 : right; i < s.count; i = i + 1 == left ? right : i + 1) {
                uint8_t *copy = taps->copies + ((size_t)(s.done + i) * (size_t)w.kernel_h + (size_t)ky) * copy_bytes;
                copy_kernel_row(&w, row, input->pixel_stride, ix + (int64_t)i * w.stride_w, taps, copy);
                to[i] = copy;
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
