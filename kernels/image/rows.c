/* Both ends of the resize, in portable C: see rows.h. */
#include "image/rows.h"

#include <string.h>

static const uint8_t *read_as_is(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    (void)scratch;
    return frame->data + y * frame->row_stride;
}

static uint8_t grey_of(int32_t red, int32_t green, int32_t blue)
{
    return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

static const uint8_t *read_rgb_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    const uint8_t *pixel = frame->data + y * frame->row_stride;
    for (int32_t x = 0; x < frame->width; x++, pixel += 3)
        scratch[x] = grey_of(pixel[0], pixel[1], pixel[2]);
    return scratch;
}

static const uint8_t *read_bgr_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    const uint8_t *pixel = frame->data + y * frame->row_stride;
    for (int32_t x = 0; x < frame->width; x++, pixel += 3)
        scratch[x] = grey_of(pixel[2], pixel[1], pixel[0]);
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

void edgecore_writer_init(edgecore_row_writer *writer, edgecore_pixels frame, edgecore_pixels pixels,
                          const uint8_t *tables)
{
    *writer = (edgecore_row_writer){.channels = pixels == EDGECORE_PIXELS_GREY ? 1 : 3};
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
        for (int32_t x = 0; x < width; x++) {
            out[3 * x] = row[3 * x + 2] ^ flip;
            out[3 * x + 1] = row[3 * x + 1] ^ flip;
            out[3 * x + 2] = row[3 * x] ^ flip;
        }
    }
}

void edgecore_write_row(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out)
{
    if (writer->flips) {
        write_flipped(writer, row, width, out);
        return;
    }
    for (int32_t c = 0; c < writer->channels; c++) {
        const uint8_t *table = writer->tables[c];
        const uint8_t *source = row + writer->source[c];
        uint8_t *target = out + c;
        for (int32_t x = 0; x < width; x++)
            target[x * writer->channels] = table[source[x * writer->work_channels]];
    }
}

void edgecore_write_bar(const edgecore_row_writer *writer, uint8_t pixel, int32_t width, uint8_t *out)
{
    for (int32_t c = 0; c < writer->channels; c++)
        for (int32_t x = 0; x < width; x++)
            out[x * writer->channels + c] = writer->tables[c][pixel];
}
