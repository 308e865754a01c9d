/* Both ends of the resize: readers bring a frame's rows to it, writers take its rows to the tensor.
 *
 * Between them pixels have 1 channel (grey) or 3 (in the frame's order, or what the reader makes). A new frame format is one
 * more reader. */
#ifndef EDGECORE_IMAGE_ROWS_H
#define EDGECORE_IMAGE_ROWS_H

#include "edgecore/image.h"
#include "isa/image.h"

typedef struct edgecore_frame {
    const uint8_t *data;
    ptrdiff_t row_stride;
    int32_t height;
    int32_t x, width; /* the columns that are wanted */
    const edgecore_image_kernels *kernels;
    const edgecore_yuv_factors *factors;
} edgecore_frame;

/* The wanted columns of row `y` of the frame as work pixels: inside the frame itself, or made in `scratch` (3 * width bytes). */
typedef const uint8_t *(*edgecore_row_reader)(const edgecore_frame *frame, int32_t y, uint8_t *scratch);

/* The work pixels' channels; where the reader makes three, they are in the tensor's order. */
edgecore_row_reader edgecore_reader_of(edgecore_pixels frame, edgecore_pixels pixels, int32_t *channels);

const edgecore_yuv_factors *edgecore_yuv_factors_of(edgecore_colour colour);

/* Which work channel goes to which tensor channel, and how. */
typedef struct edgecore_row_writer {
    const edgecore_image_kernels *kernels;
    int32_t work_channels, channels;
    int32_t source[3];       /* tensor channel c is work channel source[c] */
    bool reorders;
    bool flips;              /* every table is p ^ flip */
    uint8_t flip;
    uint8_t tables[3][256];
    uint8_t bar[3];          /* a pixel of the letterbox's bars, through the tables */
} edgecore_row_writer;

void edgecore_writer_init(edgecore_row_writer *writer, const edgecore_image_kernels *kernels,
                          const edgecore_image_spec *spec);
/* `width` work pixels of `row` to `out`. */
void edgecore_write_row(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out);
/* `width` pixels of a bar. */
void edgecore_write_bar(const edgecore_row_writer *writer, int32_t width, uint8_t *out);

#endif
