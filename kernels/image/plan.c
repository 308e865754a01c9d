/* The prepared way from one frame size to one tensor. Rows go top-down: each frame row that the filter needs passes the
 * horizontal pass once into a ring that holds just the rows under the current output row. */
#include "edgecore/image.h"

#include "edgecore/cpu.h"
#include "image/axis.h"
#include "image/rows.h"
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

typedef struct box {
    int32_t y, x, height, width;
} box;

struct edgecore_image_plan {
    int32_t height, width;
    box target;                 /* what the frame covers of the tensor; bars around it */
    int32_t frame_width;
    int32_t work_channels;
    const edgecore_image_kernels *kernels;
    edgecore_row_reader read;
    edgecore_row_writer writer;
    edgecore_axis horizontal, vertical;
    uint8_t *converted;         /* [EDGECORE_NARROW_ROWS] frame rows as work pixels, for readers that make them */
    uint8_t *resampled;         /* one output row of work pixels */
    uint8_t *ring;              /* [ring_rows][ring_pitch], row y at y % ring_rows */
    int32_t ring_rows;
    size_t ring_pitch;
    const uint8_t **held;       /* [ring_rows], where row y at y % ring_rows is: in the ring or in the frame */
    const uint8_t **window;     /* [ring_rows], the rows under one output row in order */
};

/* `value * numerator / denominator` rounded half up, within 1 .. limit. */
static int32_t scaled(int32_t value, int32_t numerator, int32_t denominator, int32_t limit)
{
    int64_t result = (2 * (int64_t)value * numerator + denominator) / (2 * (int64_t)denominator);
    if (result < 1)
        return 1;
    return result > limit ? limit : (int32_t)result;
}

static void fit_boxes(const edgecore_image_spec *spec, box *source, box *target)
{
    *source = (box){0, 0, spec->frame_height, spec->frame_width};
    *target = (box){0, 0, spec->height, spec->width};
    /* Shapes compare as width / height, cross-multiplied. */
    bool frame_is_wider = (int64_t)spec->frame_width * spec->height > (int64_t)spec->width * spec->frame_height;
    if (spec->fit == EDGECORE_FIT_LETTERBOX) {
        if (frame_is_wider)
            target->height = scaled(spec->frame_height, spec->width, spec->frame_width, spec->height);
        else
            target->width = scaled(spec->frame_width, spec->height, spec->frame_height, spec->width);
        target->y = (spec->height - target->height) / 2;
        target->x = (spec->width - target->width) / 2;
    } else if (spec->fit == EDGECORE_FIT_CROP) {
        if (frame_is_wider)
            source->width = scaled(spec->width, spec->frame_height, spec->height, spec->frame_width);
        else
            source->height = scaled(spec->height, spec->frame_width, spec->width, spec->frame_height);
        source->y = (spec->frame_height - source->height) / 2;
        source->x = (spec->frame_width - source->width) / 2;
    }
}

static edgecore_status check_spec(const edgecore_image_spec *spec, edgecore_message *message)
{
    const struct {
        const char *name;
        int32_t value;
    } sides[] = {{"frame_height", spec->frame_height},
                 {"frame_width", spec->frame_width},
                 {"height", spec->height},
                 {"width", spec->width}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (sides[i].value < 1 || sides[i].value > EDGECORE_IMAGE_MAX_SIDE)
            return edgecore_fail(message, EDGECORE_INVALID, "%s is %d, not 1 to %d", sides[i].name,
                                 (int)sides[i].value, EDGECORE_IMAGE_MAX_SIDE);
    if ((unsigned)spec->frame_pixels > EDGECORE_PIXELS_GREY)
        return edgecore_fail(message, EDGECORE_INVALID, "frame_pixels is %d", (int)spec->frame_pixels);
    if ((unsigned)spec->pixels > EDGECORE_PIXELS_GREY)
        return edgecore_fail(message, EDGECORE_INVALID, "pixels is %d", (int)spec->pixels);
    if ((unsigned)spec->fit > EDGECORE_FIT_CROP)
        return edgecore_fail(message, EDGECORE_INVALID, "fit is %d", (int)spec->fit);
    if ((unsigned)spec->filter > EDGECORE_FILTER_BILINEAR)
        return edgecore_fail(message, EDGECORE_INVALID, "filter is %d", (int)spec->filter);
    return EDGECORE_OK;
}

/* Bytes of one row before the horizontal pass, at the most: a reader may make three channels. */
static size_t converted_pitch(const edgecore_image_plan *plan)
{
    return 3 * (size_t)plan->frame_width;
}

static bool prepare(edgecore_image_plan *plan, const edgecore_image_spec *spec, int32_t tier)
{
    box source;
    fit_boxes(spec, &source, &plan->target);
    plan->height = spec->height;
    plan->width = spec->width;
    plan->frame_width = spec->frame_width;
    plan->kernels = edgecore_image_kernels_of(tier);
    plan->read = edgecore_reader_of(spec->frame_pixels, spec->pixels, &plan->work_channels);
    edgecore_writer_init(&plan->writer, plan->kernels, spec->frame_pixels, spec->pixels, spec->tables);
    if (!edgecore_axis_init(&plan->horizontal, spec->filter, spec->frame_width, source.x, source.width,
                            plan->target.width) ||
        !edgecore_axis_init(&plan->vertical, spec->filter, spec->frame_height, source.y, source.height,
                            plan->target.height))
        return false;
    size_t row_bytes = (size_t)plan->target.width * (size_t)plan->work_channels;
    plan->ring_rows = edgecore_axis_window(&plan->vertical) + EDGECORE_NARROW_ROWS - 1;
    plan->ring_pitch = row_bytes + EDGECORE_NARROW_SLACK;
    plan->converted = malloc(EDGECORE_NARROW_ROWS * converted_pitch(plan));
    plan->resampled = malloc(row_bytes);
    plan->ring = malloc(plan->ring_pitch * (size_t)plan->ring_rows);
    plan->held = malloc((size_t)plan->ring_rows * sizeof *plan->held);
    plan->window = malloc((size_t)plan->ring_rows * sizeof *plan->window);
    return plan->converted && plan->resampled && plan->ring && plan->held && plan->window;
}

edgecore_status edgecore_image_plan_create(const edgecore_image_spec *spec, edgecore_image_plan **plan,
                                           edgecore_message *message)
{
    if (!spec || !plan)
        return edgecore_fail(message, EDGECORE_INVALID, "%s is NULL", spec ? "plan" : "spec");
    *plan = NULL;
    int32_t tier;
    edgecore_status status = check_spec(spec, message);
    if (status == EDGECORE_OK)
        status = edgecore_isa_select(NULL, &tier, message);
    if (status != EDGECORE_OK)
        return status;
    edgecore_image_plan *made = calloc(1, sizeof *made);
    if (!made || !prepare(made, spec, tier)) {
        edgecore_image_plan_destroy(made);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory to resize %dx%d frames",
                             (int)spec->frame_width, (int)spec->frame_height);
    }
    *plan = made;
    return EDGECORE_OK;
}

void edgecore_image_plan_destroy(edgecore_image_plan *plan)
{
    if (!plan)
        return;
    edgecore_axis_release(&plan->horizontal);
    edgecore_axis_release(&plan->vertical);
    free(plan->converted);
    free(plan->resampled);
    free(plan->ring);
    free(plan->held);
    free(plan->window);
    free(plan);
}

size_t edgecore_image_plan_bytes(const edgecore_image_plan *plan)
{
    return plan ? (size_t)plan->height * (size_t)plan->width * (size_t)plan->writer.channels : 0;
}

/* Brings frame rows [y, y + count), at most EDGECORE_NARROW_ROWS, through the horizontal pass: held[slot] tells where each is, in
 * its slot of the ring or, where nothing had to be done, in the frame. */
static void narrow_rows(const edgecore_image_plan *plan, const edgecore_frame *frame, int32_t y, int32_t count)
{
    const size_t channels = (size_t)plan->work_channels, row_bytes = (size_t)plan->frame_width * channels;
    const uint8_t *rows[EDGECORE_NARROW_ROWS];
    uint8_t *slots[EDGECORE_NARROW_ROWS];
    for (int32_t r = 0; r < count; r++) {
        int32_t slot = (y + r) % plan->ring_rows;
        uint8_t *scratch = plan->converted + (size_t)r * converted_pitch(plan);
        rows[r] = plan->read(frame, y + r, scratch);
        slots[r] = plan->ring + (size_t)slot * plan->ring_pitch;
        plan->held[slot] = slots[r];
        if (!plan->horizontal.copies)
            continue;
        const uint8_t *part = rows[r] + (size_t)plan->horizontal.firsts[0] * channels;
        if (rows[r] == scratch)
            memcpy(slots[r], part, (size_t)plan->target.width * channels);
        else
            plan->held[slot] = part;
    }
    if (!plan->horizontal.copies)
        plan->kernels->narrow(&plan->horizontal, rows, count, row_bytes, plan->work_channels, slots);
}

static void write_target_row(const edgecore_image_plan *plan, const uint8_t *row, int32_t y, uint8_t *out)
{
    const box *target = &plan->target;
    int32_t channels = plan->writer.channels;
    uint8_t *line = out + (size_t)(target->y + y) * (size_t)plan->width * (size_t)channels;
    int32_t right = target->x + target->width;
    edgecore_write_bar(&plan->writer, EDGECORE_LETTERBOX_PIXEL, target->x, line);
    edgecore_write_row(&plan->writer, row, target->width, line + target->x * channels);
    edgecore_write_bar(&plan->writer, EDGECORE_LETTERBOX_PIXEL, plan->width - right, line + right * channels);
}

static void write_bars(const edgecore_image_plan *plan, int32_t y0, int32_t y1, uint8_t *out)
{
    for (int32_t y = y0; y < y1; y++)
        edgecore_write_bar(&plan->writer, EDGECORE_LETTERBOX_PIXEL, plan->width,
                           out + (size_t)y * (size_t)plan->width * (size_t)plan->writer.channels);
}

static int32_t at_most(int32_t value, int32_t most)
{
    return value < most ? value : most;
}

static void resample_rows(const edgecore_image_plan *plan, const edgecore_frame *frame, uint8_t *out)
{
    const edgecore_axis *vertical = &plan->vertical;
    const int32_t last = vertical->size - 1, end = vertical->firsts[last] + vertical->counts[last];
    size_t row_bytes = (size_t)plan->target.width * (size_t)plan->work_channels;
    int32_t next = vertical->firsts[0]; /* rows below have passed */
    for (int32_t y = 0; y < vertical->size; y++) {
        int32_t first = vertical->firsts[y], count = vertical->copies ? 1 : vertical->counts[y];
        /* Rows after the window are worth taking along unless the next window skips them. */
        int32_t useful = y < last && vertical->firsts[y + 1] > first + count ? first + count : end;
        next = next < first ? first : next;
        while (next < first + count) {
            int32_t rows = at_most(EDGECORE_NARROW_ROWS, useful - next);
            narrow_rows(plan, frame, next, rows);
            next += rows;
        }
        for (int32_t t = 0; t < count; t++)
            plan->window[t] = plan->held[(first + t) % plan->ring_rows];
        const uint8_t *row = plan->window[0];
        if (!vertical->copies) {
            plan->kernels->blend(vertical, y, plan->window, row_bytes, plan->resampled);
            row = plan->resampled;
        }
        write_target_row(plan, row, y, out);
    }
}

edgecore_status edgecore_image_plan_run(edgecore_image_plan *plan, const uint8_t *frame, ptrdiff_t row_stride,
                                        uint8_t *out, edgecore_message *message)
{
    if (!plan || !frame || !out)
        return edgecore_fail(message, EDGECORE_INVALID, "%s is NULL", !plan ? "plan" : frame ? "out" : "frame");
    edgecore_frame rows = {
        .data = frame, .row_stride = row_stride, .width = plan->frame_width, .kernels = plan->kernels};
    write_bars(plan, 0, plan->target.y, out);
    resample_rows(plan, &rows, out);
    write_bars(plan, plan->target.y + plan->target.height, plan->height, out);
    return EDGECORE_OK;
}
