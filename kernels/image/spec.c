#include "image/spec.h"

#include "ops/op.h"

/* `value * numerator / denominator` rounded half up, within 1 .. limit. */
static int32_t scaled(int32_t value, int32_t numerator, int32_t denominator, int32_t limit)
{
    int64_t result = (2 * (int64_t)value * numerator + denominator) / (2 * (int64_t)denominator);
    if (result < 1)
        return 1;
    return result > limit ? limit : (int32_t)result;
}

bool edgecore_image_is_planar(edgecore_pixels frame)
{
    return frame == EDGECORE_PIXELS_YUV420 || frame == EDGECORE_PIXELS_NV12;
}

edgecore_image_box edgecore_image_spec_view(const edgecore_image_spec *spec)
{
    const edgecore_image_box box = spec->box;
    if (box.x || box.y || box.width || box.height)
        return box;
    return (edgecore_image_box){0, 0, spec->frame_width, spec->frame_height};
}

void edgecore_image_spec_fit(const edgecore_image_spec *spec, edgecore_image_box *source, edgecore_image_box *target)
{
    const edgecore_image_box view = edgecore_image_spec_view(spec);
    *source = (edgecore_image_box){0, 0, view.width, view.height};
    *target = (edgecore_image_box){0, 0, spec->width, spec->height};
    /* Shapes compare as width / height, cross-multiplied. */
    bool view_is_wider = (int64_t)view.width * spec->height > (int64_t)spec->width * view.height;
    if (spec->fit == EDGECORE_FIT_LETTERBOX) {
        if (view_is_wider)
            target->height = scaled(view.height, spec->width, view.width, spec->height);
        else
            target->width = scaled(view.width, spec->height, view.height, spec->width);
        target->y = (spec->height - target->height) / 2;
        target->x = (spec->width - target->width) / 2;
    } else if (spec->fit == EDGECORE_FIT_CROP) {
        if (view_is_wider)
            source->width = scaled(spec->width, view.height, spec->height, view.width);
        else
            source->height = scaled(spec->height, view.width, spec->width, view.height);
        source->y = (view.height - source->height) / 2;
        source->x = (view.width - source->width) / 2;
    }
}

static edgecore_status check_sides(const edgecore_image_spec *spec, edgecore_message *message)
{
    const struct {
        const char *name;
        int32_t value;
    } sides[] = {{"frame_height", spec->frame_height},
                 {"frame_width", spec->frame_width},
                 {"height", spec->height},
                 {"width", spec->width}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        if (sides[i].value < 1 || sides[i].value > EDGECORE_IMAGE_MAX_SIDE)
            return edgecore_fail(message, EDGECORE_INVALID, "%s is %d, not 1 to %d", sides[i].name,
                                 (int)sides[i].value, EDGECORE_IMAGE_MAX_SIDE);
        if (i < 2 && edgecore_image_is_planar(spec->frame_pixels) && sides[i].value % 2)
            return edgecore_fail(message, EDGECORE_INVALID, "%s is %d, and planar frames have even sides",
                                 sides[i].name, (int)sides[i].value);
    }
    return EDGECORE_OK;
}

static edgecore_status check_box(const edgecore_image_spec *spec, edgecore_message *message)
{
    const edgecore_image_box box = edgecore_image_spec_view(spec);
    if (box.x < 0 || box.width < 1 || box.x > spec->frame_width - box.width || box.y < 0 || box.height < 1 ||
        box.y > spec->frame_height - box.height)
        return edgecore_fail(message, EDGECORE_INVALID, "box of %dx%d pixels at (%d, %d) is not inside the %dx%d frame",
                             (int)box.width, (int)box.height, (int)box.x, (int)box.y, (int)spec->frame_width,
                             (int)spec->frame_height);
    return EDGECORE_OK;
}

edgecore_status edgecore_image_spec_check(const edgecore_image_spec *spec, edgecore_message *message)
{
    const struct {
        const char *name;
        int value, most;
    } choices[] = {{"frame_pixels", (int)spec->frame_pixels, EDGECORE_PIXELS_NV12},
                   {"pixels", (int)spec->pixels, EDGECORE_PIXELS_GREY},
                   {"fit", (int)spec->fit, EDGECORE_FIT_CROP},
                   {"filter", (int)spec->filter, EDGECORE_FILTER_BILINEAR},
                   {"colour", (int)spec->colour, EDGECORE_COLOUR_JPEG}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i].value < 0 || choices[i].value > choices[i].most)
            return edgecore_fail(message, EDGECORE_INVALID, "%s is %d", choices[i].name, choices[i].value);
    edgecore_status status = check_sides(spec, message);
    return status == EDGECORE_OK ? check_box(spec, message) : status;
}

edgecore_status edgecore_image_check_stride(edgecore_pixels frame, int32_t width, ptrdiff_t row_stride,
                                            edgecore_message *message)
{
    if (!edgecore_image_is_planar(frame))
        return EDGECORE_OK;
    if (row_stride < width)
        return edgecore_fail(message, EDGECORE_INVALID, "row_stride is %lld, less than the %d columns of a planar frame",
                             (long long)row_stride, (int)width);
    if (frame == EDGECORE_PIXELS_YUV420 && row_stride % 2)
        return edgecore_fail(message, EDGECORE_INVALID,
                             "row_stride is %lld, and the chroma rows of YUV420 are half as long", (long long)row_stride);
    return EDGECORE_OK;
}
