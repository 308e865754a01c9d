#include "image/rows.h"

#include <string.h>

static const uint8_t *read_as_is(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    (void)scratch;
    return frame->data + y * frame->row_stride;
}

static const uint8_t *read_rgb_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    frame->kernels->luma(scratch, frame->data + y * frame->row_stride, (size_t)frame->width, false);
    return scratch;
}

static const uint8_t *read_bgr_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    frame->kernels->luma(scratch, frame->data + y * frame->row_stride, (size_t)frame->width, true);
    return scratch;
}

edgecore_row_reader edgecore_reader_of(edgecore_pixels frame, edgecore_pixels pixels, int32_t *channels)
{
    bool grey = frame == EDGECORE_PIXELS_GREY || pixels == EDGECORE_PIXELS_GREY;
    *channels = grey ? 1 : 3;
    if (frame == EDGECORE_PIXELS_GREY || !grey)
        return read_as_is;
    return frame == EDGECORE_PIXELS_RGB ? read_rgb_as_grey : read_bgr_as_grey;
}

/* Whether every table is an exclusive or with one byte, which needs no look-up. */
static bool tables_flip(const edgecore_row_writer *writer, uint8_t *flip)
{
    *flip = writer->tables[0][0];
    for (int32_t c = 0; c < writer->channels; c++)
        for (int32_t pixel = 0; pixel < 256; pixel++)
            if (writer->tables[c][pixel] != (pixel ^ *flip))
                return false;
    return true;
}

void edgecore_writer_init(edgecore_row_writer *writer, const edgecore_image_kernels *kernels, edgecore_pixels frame,
                          edgecore_pixels pixels, const uint8_t *tables)
{
    *writer = (edgecore_row_writer){.kernels = kernels, .channels = pixels == EDGECORE_PIXELS_GREY ? 1 : 3};
    bool grey = frame == EDGECORE_PIXELS_GREY || pixels == EDGECORE_PIXELS_GREY;
    writer->work_channels = grey ? 1 : 3;
    writer->reorders = !grey && frame != pixels;
    for (int32_t c = 0; c < writer->channels; c++) {
        writer->source[c] = grey ? 0 : writer->reorders ? 2 - c : c;
        for (int32_t pixel = 0; pixel < 256; pixel++)
            writer->tables[c][pixel] = tables ? tables[256 * c + pixel] : (uint8_t)pixel;
    }
    writer->flips = tables_flip(writer, &writer->flip);
}

static void write_flipped(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out)
{
    uint8_t flip = writer->flip;
    if (writer->work_channels == writer->channels && !writer->reorders) {
        for (int32_t i = 0; i < width * writer->channels; i++)
            out[i] = row[i] ^ flip;
    } else if (writer->work_channels == 1) {
        for (int32_t x = 0; x < width; x++)
            out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = row[x] ^ flip;
    } else {
        writer->kernels->reverse(out, row, (size_t)width, flip);
    }
}

void edgecore_write_row(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out)
{
    if (writer->flips) {
        write_flipped(writer, row, width, out);
        return;
    }
    if (writer->channels == 1) {
        for (int32_t x = 0; x < width; x++)
            out[x] = writer->tables[0][row[x]];
        return;
    }
    const uint8_t *source0 = row + writer->source[0], *source1 = row + writer->source[1], *source2 = row + writer->source[2];
    const int32_t step = writer->work_channels;
    for (int32_t x = 0; x < width; x++, out += 3) {
        out[0] = writer->tables[0][source0[x * step]];
        out[1] = writer->tables[1][source1[x * step]];
        out[2] = writer->tables[2][source2[x * step]];
    }
}

void edgecore_write_bar(const edgecore_row_writer *writer, uint8_t pixel, int32_t width, uint8_t *out)
{
    for (int32_t c = 0; c < writer->channels; c++)
        for (int32_t x = 0; x < width; x++)
            out[x * writer->channels + c] = writer->tables[c][pixel];
}
