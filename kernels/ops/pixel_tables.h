/* Where the input bytes of output pixels lie: tables of pointers for indirect kernels.
 *
 * Output pixels of a region are counted row by row, so that a tile may run over the end of a row: small maps fill tiles. */
#ifndef EDGECORE_OPS_PIXEL_TABLES_H
#define EDGECORE_OPS_PIXEL_TABLES_H

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

/* Kernel rows as taps: the pixels under a kernel row are one run of bytes wherever the input is dense and no padding comes in;
 * elsewhere they are copied to scratch. Or all rows of a pixel are copied one after the other into a patch, its only tap: where
 * rows are short, kernels that read K in long steps would spend much of them on nothing. */
typedef struct edgecore_row_taps {
    size_t bytes;              /* of a pixel */
    uint8_t zero, flip;        /* the input's zero point as the kernel is to see it; copies are flipped, so all is copied */
    bool patch;
    const uint8_t *zero_row;   /* kernel_w pixels of `zero` */
    uint8_t *copies;           /* for every pixel of the chunk edgecore_copy_bytes */
} edgecore_row_taps;

/* Bytes of a pixel's copied kernel rows with what copying in whole vectors may overrun. Up to 15 bytes past a pixel are
 * read. */
size_t edgecore_copy_bytes(const edgecore_window *window, size_t bytes, bool patch);

/* table[ky * pitch + i]: the kernel_w pixels under kernel row ky of output pixel i; or table[i]: its patch. */
void edgecore_row_pointers(const edgecore_window *window, const edgecore_view *input, edgecore_pixels pixels,
                           const edgecore_row_taps *taps, const uint8_t **table, size_t pitch);

/* table[i]: output pixel i. */
void edgecore_output_pointers(const edgecore_view *output, edgecore_pixels pixels, uint8_t **table);

#endif
