/* Both ends of the resize: readers bring a frame's rows to it, writers take its rows to the tensor.
 *
 * Between them pixels have 1 channel (grey) or 3 (in the frame's order, or what the reader makes). A new frame format,
 * planar YUV say, is one more reader. */
#ifndef EDGECORE_IMAGE_ROWS_H
#define EDGECORE_IMAGE_ROWS_H

#include "edgecore/image.h"
#include "isa/image.h"

typedef struct edgecore_frame {
    const uint8_t *data;
    ptrdiff_t row_stride;
    int32_t width;
    const edgecore_image_kernels *kernels;
} edgecore_frame;

/* Row `y` of the frame as work pixels: inside the frame itself, or made in `scratch` (3 * width bytes). */
typedef const uint8_t *(*edgecore_row_reader)(const edgecore_frame *frame, int32_t y, uint8_t *scratch);

edgecore_row_reader edgecore_reader_of(edgecore_pixels frame, edgecore_pixels pixels, int32_t *channels);

/* Which work channel goes to which tensor channel, and how. */
typedef struct edgecore_row_writer {
    const edgecore_image_kernels *kernels;
    int32_t work_channels, channels;
    int32_t source[3];       /* tensor channel c is work channel source[c] */
    bool reorders;
    bool flips;              /* every table is p ^ flip */
    uint8_t flip;
    uint8_t tables[3][256];
} edgecore_row_writer;

void edgecore_writer_init(edgecore_row_writer *writer, const edgecore_image_kernels *kernels, edgecore_pixels frame,
                          edgecore_pixels pixels, const uint8_t *tables);
/* `width` work pixels of `row` to `out`. */
void edgecore_write_row(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out);
/* `width` pixels of one value in every channel. */
void edgecore_write_bar(const edgecore_row_writer *writer, uint8_t pixel, int32_t width, uint8_t *out);

#endif
