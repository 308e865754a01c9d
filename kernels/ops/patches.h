/* Where the input bytes of output pixels lie: tables of pointers for indirect kernels, or copies in scratch.
 *
 * Output pixels of a region are counted row by row, so that a tile may run over the end of a row: small maps fill tiles. */
#ifndef EDGECORE_OPS_PATCHES_H
#define EDGECORE_OPS_PATCHES_H

#include "ops/weights.h"

/* Pixels [first, first + count) of the rows from y0 on. */
typedef struct edgecore_pixels {
    int32_t y0;
    int64_t first;
    int32_t count;
} edgecore_pixels;

/* table[t * pitch + i]: the input pixel under kernel tap t of output pixel i, or `zero_row` in the padding. */
void edgecore_tap_pointers(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           const uint8_t *zero_row, const uint8_t **table, size_t pitch);

/* Bytes from one pixel's patch to the next: a patch and what copying in whole vectors may overrun. */
size_t edgecore_patch_stride(const edgecore_window *window, size_t bytes);

/* Copies the taps of pixel i, `bytes` each, to patches + i * stride, tap after tap. Up to 31 bytes past a kernel row are read;
 * nothing is written outside the patches. */
void edgecore_copy_patches(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           size_t bytes, uint8_t zero, uint8_t *patches, size_t stride);

/* table[i]: output pixel i. */
void edgecore_output_pointers(const edgecore_view *output, edgecore_pixels pixels, uint8_t **table);

#endif
