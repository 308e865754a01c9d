/* The image micro-kernels of the scalar tier, and the list of all. */
#include "isa/image.h"

#include "edgecore/cpu.h"
#include "isa/image_template.h"

#include <string.h>

static void narrow(const edgecore_axis *axis, const uint8_t *const *rows, int32_t count, size_t row_bytes,
                   int32_t channels, uint8_t *const *out)
{
    (void)row_bytes;
    for (int32_t r = 0; r < count; r++)
        for (int32_t x = 0; x < axis->size; x++) {
            if (channels == 1)
                out[r][x] = image_narrow_grey(axis, rows[r], x);
            else
                image_narrow_colour(axis, rows[r], x, out[r] + 3 * (size_t)x);
        }
}

static void blend(const edgecore_axis *axis, int32_t index, const uint8_t *const *rows, size_t n, uint8_t *out)
{
    image_blend(axis, index, rows, 0, n, out);
}

static void luma(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first)
{
    image_luma_row(out, pixels, n, blue_first);
}

static void reverse(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip)
{
    image_reverse_row(out, pixels, n, flip);
}

static void colour(uint8_t *out, const edgecore_yuv_row *row, size_t n)
{
    image_colour_row(out, row, 0, n);
}

const edgecore_image_kernels edgecore_image_scalar = {narrow, blend, luma, reverse, colour};

/* Weakest first; tiers without an entry take the one before. */
static const struct {
    const char *tier;
    const edgecore_image_kernels *kernels;
} improvements[] = {
    {"scalar", &edgecore_image_scalar},
#if defined(__x86_64__)
    {"avx2", &edgecore_image_avx2},
    {"avx512vnni", &edgecore_image_avx512vnni},
#elif defined(__aarch64__) || defined(__arm__)
    {"neon", &edgecore_image_neon},
#endif
};

const edgecore_image_kernels *edgecore_image_kernels_of(int32_t index)
{
    for (int32_t tier = index; tier >= 0; tier--)
        for (size_t i = 0; i < sizeof improvements / sizeof improvements[0]; i++)
            if (edgecore_isa_name(tier) && strcmp(improvements[i].tier, edgecore_isa_name(tier)) == 0)
                return improvements[i].kernels;
    return &edgecore_image_scalar;
}
