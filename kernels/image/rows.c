#include "image/rows.h"

#include "image/spec.h"
#include "isa/image_template.h"

static const uint8_t *pixel_at(const edgecore_frame *frame, int32_t y, int32_t channels)
{
    return frame->data + y * frame->row_stride + (ptrdiff_t)frame->x * channels;
}

static const uint8_t *read_colour(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    (void)scratch;
    return pixel_at(frame, y, 3);
}

/* Also the luma of planar frames: what its values mean is the writer's business. */
static const uint8_t *read_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    (void)scratch;
    return pixel_at(frame, y, 1);
}

static const uint8_t *read_rgb_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    frame->kernels->luma(scratch, pixel_at(frame, y, 3), (size_t)frame->width, false);
    return scratch;
}

static const uint8_t *read_bgr_as_grey(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    frame->kernels->luma(scratch, pixel_at(frame, y, 3), (size_t)frame->width, true);
    return scratch;
}

static edgecore_yuv_row planes_at(const edgecore_frame *frame, int32_t y, bool interleaved)
{
    const ptrdiff_t chroma_stride = interleaved ? frame->row_stride : frame->row_stride / 2;
    const uint8_t *chroma = frame->data + frame->height * frame->row_stride;
    const uint8_t *row = chroma + y / 2 * chroma_stride + (frame->x / 2) * (interleaved ? 2 : 1);
    return (edgecore_yuv_row){
        .y = pixel_at(frame, y, 1),
        .u = row,
        .v = row + (interleaved ? 1 : frame->height / 2 * chroma_stride),
        .interleaved = interleaved,
        .factors = frame->factors,
    };
}

static const uint8_t *convert(const edgecore_frame *frame, edgecore_yuv_row row, uint8_t *scratch)
{
    size_t done = 0;
    if (frame->x % 2) { /* the second of two pixels comes first */
        frame->kernels->colour(scratch, &row, 1);
        row.y++;
        row.u += row.interleaved ? 2 : 1;
        row.v += row.interleaved ? 2 : 1;
        done = 1;
    }
    frame->kernels->colour(scratch + 3 * done, &row, (size_t)frame->width - done);
    return scratch;
}

static const uint8_t *read_yuv420_as_rgb(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    return convert(frame, planes_at(frame, y, false), scratch);
}

static const uint8_t *read_nv12_as_rgb(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    return convert(frame, planes_at(frame, y, true), scratch);
}

static const uint8_t *read_yuv420_as_bgr(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    edgecore_yuv_row row = planes_at(frame, y, false);
    row.blue_first = true;
    return convert(frame, row, scratch);
}

static const uint8_t *read_nv12_as_bgr(const edgecore_frame *frame, int32_t y, uint8_t *scratch)
{
    edgecore_yuv_row row = planes_at(frame, y, true);
    row.blue_first = true;
    return convert(frame, row, scratch);
}


edgecore_row_reader edgecore_reader_of(edgecore_pixels frame, edgecore_pixels pixels, int32_t *channels)
{
    /* [frame][pixels] */
    static const edgecore_row_reader readers[5][3] = {
        {read_colour, read_colour, read_bgr_as_grey},
        {read_colour, read_colour, read_rgb_as_grey},
        {read_grey, read_grey, read_grey},
        {read_yuv420_as_bgr, read_yuv420_as_rgb, read_grey},
        {read_nv12_as_bgr, read_nv12_as_rgb, read_grey},
    };
    *channels = frame == EDGECORE_PIXELS_GREY || pixels == EDGECORE_PIXELS_GREY ? 1 : 3;
    return readers[frame][pixels];
}

const edgecore_yuv_factors *edgecore_yuv_factors_of(edgecore_colour colour)
{
    /* From Kr and Kb (0.299 and 0.114; 0.2126 and 0.0722): v_to_red is 2 (1 - Kr), u_to_blue 2 (1 - Kb), u_to_green
     * -2 (1 - Kb) Kb / Kg, v_to_green -2 (1 - Kr) Kr / Kg; limited range stretches luma by 255 / 219 and chroma by 255 / 224. */
    static const edgecore_yuv_factors factors[] = {
        [EDGECORE_COLOUR_BT601] = {9539, 13075, -3209, -6660, 16525, 8378},
        [EDGECORE_COLOUR_BT709] = {9539, 14686, -1747, -4366, 17305, 8378},
        [EDGECORE_COLOUR_JPEG] = {8192, 11485, -2819, -5850, 14516, 8224},
    };
    return &factors[colour];
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

void edgecore_writer_init(edgecore_row_writer *writer, const edgecore_image_kernels *kernels,
                          const edgecore_image_spec *spec)
{
    const bool from_luma = edgecore_image_is_planar(spec->frame_pixels) && spec->pixels == EDGECORE_PIXELS_GREY;
    const edgecore_yuv_factors *factors = edgecore_yuv_factors_of(spec->colour);
    *writer = (edgecore_row_writer){.kernels = kernels, .channels = spec->pixels == EDGECORE_PIXELS_GREY ? 1 : 3};
    bool grey = spec->frame_pixels == EDGECORE_PIXELS_GREY || spec->pixels == EDGECORE_PIXELS_GREY;
    writer->work_channels = grey ? 1 : 3;
    writer->reorders = !grey && !edgecore_image_is_planar(spec->frame_pixels) && spec->frame_pixels != spec->pixels;
    for (int32_t c = 0; c < writer->channels; c++) {
        const uint8_t *table = spec->tables ? spec->tables + 256 * c : NULL;
        writer->source[c] = grey ? 0 : writer->reorders ? 2 - c : c;
        writer->bar[c] = table ? table[EDGECORE_LETTERBOX_PIXEL] : EDGECORE_LETTERBOX_PIXEL;
        for (int32_t work = 0; work < 256; work++) {
            const uint8_t pixel = from_luma ? image_grey_of_luma((uint8_t)work, factors) : (uint8_t)work;
            writer->tables[c][work] = table ? table[pixel] : pixel;
        }
    }
    writer->flips = tables_flip(writer, &writer->flip);
}

static void write_flipped(const edgecore_row_writer *writer, const uint8_t *row, int32_t width, uint8_t *out)
{
    /* `out` might be the writer's own bytes for all that the compiler knows, so what loops read is copied first. */
    const uint8_t flip = writer->flip;
    const size_t bytes = (size_t)width * (size_t)writer->channels;
    if (writer->work_channels == writer->channels && !writer->reorders) {
        for (size_t i = 0; i < bytes; i++)
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

void edgecore_write_bar(const edgecore_row_writer *writer, int32_t width, uint8_t *out)
{
    for (int32_t c = 0; c < writer->channels; c++)
        for (int32_t x = 0; x < width; x++)
            out[x * writer->channels + c] = writer->bar[c];
}
