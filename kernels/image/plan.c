/* The prepared way from one frame size to one tensor. Rows go top-down: each frame row that the filter needs passes the
 * horizontal pass once into a ring that holds just the rows under the current output row. */
#include "edgecore/image.h"

#include "edgecore/cpu.h"
#include "image/axis.h"
#include "image/rows.h"
#include "image/spec.h"
#include "ops/op.h"

#include <stdlib.h>

struct edgecore_image_plan {
    int32_t height, width;
    edgecore_image_box target;  /* what the frame covers of the tensor; bars around it */
    edgecore_pixels frame_pixels;
    int32_t frame_width;
    edgecore_frame frame;       /* all but the data of the frame that runs */
    int32_t y;                  /* of the frame's row that is row 0 of the vertical axis */
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

/* Bytes of one row before the horizontal pass, at the most: a reader may make three channels. */
static size_t converted_pitch(const edgecore_image_plan *plan)
{
    return 3 * (size_t)plan->frame.width;
}

/* Readers give the columns that the filter sees, and no others. */
static void choose_columns(edgecore_image_plan *plan, int32_t view_x)
{
    edgecore_axis *axis = &plan->horizontal;
    const int32_t first = axis->firsts[0], last = axis->size - 1;
    plan->frame.width = axis->copies ? axis->size : axis->firsts[last] + axis->counts[last] - first;
    plan->frame.x = view_x + first;
    edgecore_axis_shift(axis, first);
}

static bool prepare(edgecore_image_plan *plan, const edgecore_image_spec *spec, int32_t tier)
{
    const edgecore_image_box view = edgecore_image_spec_view(spec);
    edgecore_image_box source;
    edgecore_image_spec_fit(spec, &source, &plan->target);
    plan->height = spec->height;
    plan->width = spec->width;
    plan->frame_pixels = spec->frame_pixels;
    plan->frame_width = spec->frame_width;
    plan->y = view.y;
    plan->kernels = edgecore_image_kernels_of(tier);
    plan->read = edgecore_reader_of(spec->frame_pixels, spec->pixels, &plan->work_channels);
    plan->frame = (edgecore_frame){.height = spec->frame_height,
                                   .kernels = plan->kernels,
                                   .factors = edgecore_yuv_factors_of(spec->colour)};
    edgecore_writer_init(&plan->writer, plan->kernels, spec);
    if (!edgecore_axis_init(&plan->horizontal, spec->filter, view.width, source.x, source.width, plan->target.width) ||
        !edgecore_axis_init(&plan->vertical, spec->filter, view.height, source.y, source.height, plan->target.height))
        return false;
    choose_columns(plan, view.x);
    size_t row_bytes = (size_t)plan->target.width * (size_t)plan->work_channels;
    plan->ring_rows = plan->vertical.most + EDGECORE_NARROW_ROWS - 1;
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
    edgecore_status status = edgecore_image_spec_check(spec, message);
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

/* Rows are numbered as the filter needs them; those between two windows have no number. */
typedef struct row_queue {
    int32_t made;   /* rows with lower numbers have passed */
    int32_t output; /* in whose window the next one stands, */
    int32_t y;      /* and where in the frame's box */
} row_queue;

static void advance(row_queue *queue, const edgecore_axis *vertical)
{
    queue->made++;
    queue->y++;
    while (queue->output < vertical->size && queue->y >= edgecore_axis_end(vertical, queue->output))
        queue->output++;
    if (queue->output < vertical->size && queue->y < vertical->firsts[queue->output])
        queue->y = vertical->firsts[queue->output];
}

/* Brings the next rows, at most EDGECORE_NARROW_ROWS, through the horizontal pass: held[slot] tells where each is, in its slot of
 * the ring or, where nothing had to be done, in the frame. */
static void narrow_rows(const edgecore_image_plan *plan, const edgecore_frame *frame, row_queue *queue)
{
    const size_t row_bytes = (size_t)frame->width * (size_t)plan->work_channels;
    const bool copies = plan->horizontal.copies;
    const uint8_t *rows[EDGECORE_NARROW_ROWS];
    uint8_t *slots[EDGECORE_NARROW_ROWS];
    int32_t count = 0;
    for (; count < EDGECORE_NARROW_ROWS && queue->output < plan->vertical.size; count++) {
        int32_t slot = queue->made % plan->ring_rows;
        slots[count] = plan->ring + (size_t)slot * plan->ring_pitch;
        uint8_t *scratch = copies ? slots[count] : plan->converted + (size_t)count * converted_pitch(plan);
        rows[count] = plan->read(frame, plan->y + queue->y, scratch);
        plan->held[slot] = copies ? rows[count] : slots[count];
        advance(queue, &plan->vertical);
    }
    if (!copies)
        plan->kernels->narrow(&plan->horizontal, rows, count, row_bytes, plan->work_channels, slots);
}

static void write_target_row(const edgecore_image_plan *plan, const uint8_t *row, int32_t y, uint8_t *out)
{
    const edgecore_image_box *target = &plan->target;
    int32_t channels = plan->writer.channels;
    uint8_t *line = out + (size_t)(target->y + y) * (size_t)plan->width * (size_t)channels;
    int32_t right = target->x + target->width;
    edgecore_write_bar(&plan->writer, target->x, line);
    edgecore_write_row(&plan->writer, row, target->width, line + target->x * channels);
    edgecore_write_bar(&plan->writer, plan->width - right, line + right * channels);
}

static void write_bars(const edgecore_image_plan *plan, int32_t y0, int32_t y1, uint8_t *out)
{
    for (int32_t y = y0; y < y1; y++)
        edgecore_write_bar(&plan->writer, plan->width,
                           out + (size_t)y * (size_t)plan->width * (size_t)plan->writer.channels);
}

static void resample_rows(const edgecore_image_plan *plan, const edgecore_frame *frame, uint8_t *out)
{
    const edgecore_axis *vertical = &plan->vertical;
    size_t row_bytes = (size_t)plan->target.width * (size_t)plan->work_channels;
    row_queue queue = {.y = vertical->firsts[0]};
    int32_t first = 0; /* number of the window's first row */
    for (int32_t y = 0; y < vertical->size; y++) {
        const int32_t count = edgecore_axis_end(vertical, y) - vertical->firsts[y];
        while (queue.made < first + count)
            narrow_rows(plan, frame, &queue);
        for (int32_t t = 0; t < count; t++)
            plan->window[t] = plan->held[(first + t) % plan->ring_rows];
        const uint8_t *row = plan->window[0];
        if (!vertical->copies) {
            plan->kernels->blend(vertical, y, plan->window, row_bytes, plan->resampled);
            row = plan->resampled;
        }
        write_target_row(plan, row, y, out);
        const int32_t step = y + 1 < vertical->size ? vertical->firsts[y + 1] - vertical->firsts[y] : 0;
        first += step < count ? step : count;
    }
}

edgecore_status edgecore_image_plan_run(edgecore_image_plan *plan, const uint8_t *frame, ptrdiff_t row_stride,
                                        uint8_t *out, edgecore_message *message)
{
    if (!plan || !frame || !out)
        return edgecore_fail(message, EDGECORE_INVALID, "%s is NULL", !plan ? "plan" : frame ? "out" : "frame");
    edgecore_status status = edgecore_image_check_stride(plan->frame_pixels, plan->frame_width, row_stride, message);
    if (status != EDGECORE_OK)
        return status;
    edgecore_frame rows = plan->frame;
    rows.data = frame;
    rows.row_stride = row_stride;
    write_bars(plan, 0, plan->target.y, out);
    resample_rows(plan, &rows, out);
    write_bars(plan, plan->target.y + plan->target.height, plan->height, out);
    return EDGECORE_OK;
}
