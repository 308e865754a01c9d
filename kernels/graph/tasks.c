/* How a step is cut into tasks. The cut never changes a byte, so it is free to follow the number of threads. */
#include "graph/engine.h"

/* Below this a step is not worth waking a thread: about the work of ten microseconds, in multiply-accumulates, with a
 * byte moved counted as several of them. */
#define SMALL_WORK 200000
#define WORK_PER_BYTE 8

/* What a task of a fused block reads and writes should stay in a second-level cache beside the weights. */
#define BLOCK_BYTES (256 * 1024)

#define TASKS_PER_THREAD 3

static int32_t ceil_div(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

/* Sizes the strips for tasks of `rows` rows; returns what a task's strips hold together, which 32 bits may not count. */
static uint64_t size_strips(edgecore_step *step, int32_t rows)
{
    edgecore_rows members[EDGECORE_MAX_MEMBERS], strips[EDGECORE_MAX_MEMBERS];
    uint64_t bytes = 0;
    for (int32_t s = 0; s < step->strip_count; s++)
        step->strips[s].max_rows = 1;
    for (int32_t y = 0; step->strip_count && y < step->rows; y += rows) {
        int32_t end = y + rows < step->rows ? y + rows : step->rows;
        edgecore_strip_rows(step, y, end, members, strips);
        for (int32_t s = 0; s < step->strip_count; s++)
            if (strips[s].y1 - strips[s].y0 > step->strips[s].max_rows)
                step->strips[s].max_rows = strips[s].y1 - strips[s].y0;
    }
    for (int32_t s = 0; s < step->strip_count; s++) {
        step->strips[s].scratch_offset = (size_t)bytes;
        bytes += edgecore_aligned((size_t)step->strips[s].max_rows * step->strips[s].row_bytes + EDGECORE_SLACK);
    }
    return bytes;
}

/* Picks the grid of row and channel pieces that keeps the threads busiest. Each row piece reads all weights and each
 * channel piece all inputs, which costs a little of what they could have done. */
static void choose_grid(edgecore_step *step, int32_t threads, int32_t most_rows)
{
    int32_t row_units = step->splits_rows ? ceil_div(step->rows, step->row_step) : 1;
    int32_t channel_units = step->channel_step ? ceil_div(step->channels, step->channel_step) : 1;
    int64_t weights = 0;
    for (int32_t m = 0; m < step->member_count; m++)
        weights += (int64_t)step->members[m].op->weight_bytes;
    int64_t activations = step->bytes - weights;
    double best = 1e300;
    for (int32_t r = 1; r <= row_units && r <= most_rows; r++)
        for (int32_t c = 1; c <= channel_units && r * c <= TASKS_PER_THREAD * threads; c++) {
            int32_t rows = ceil_div(row_units, r), units = ceil_div(channel_units, c);
            int32_t tasks = ceil_div(row_units, rows) * ceil_div(channel_units, units);
            double share = (double)rows / row_units * units / channel_units;
            double cost = share * ceil_div(tasks, threads) + 0.002 * tasks +
                          0.05 * ((double)r * (double)weights + (double)c * (double)activations) /
                              ((double)(weights + activations) + 1.0) / threads;
            if (cost < best) {
                best = cost;
                step->task_rows = step->splits_rows ? rows * step->row_step : step->rows;
                step->task_channels = units * (step->channel_step ? step->channel_step : step->channels);
            }
        }
}

/* Bytes of a row in the arena, over all that the step reads and writes there. */
static uint64_t row_bytes(const edgecore_step *step)
{
    int64_t bytes = step->bytes;
    for (int32_t m = 0; m < step->member_count; m++)
        bytes -= (int64_t)step->members[m].op->weight_bytes;
    return (uint64_t)bytes / (uint64_t)step->rows;
}

void edgecore_cut(edgecore_step *step, int32_t threads)
{
    step->task_rows = step->rows;
    step->task_channels = step->channels;
    if (threads > 1 && step->macs + WORK_PER_BYTE * step->bytes >= SMALL_WORK)
        choose_grid(step, threads, step->strip_count ? threads : TASKS_PER_THREAD * threads);
    uint64_t strips = size_strips(step, step->task_rows);
    const uint64_t row = row_bytes(step);
    while (step->member_count > 1 && strips + (uint64_t)step->task_rows * row > BLOCK_BYTES && step->splits_rows &&
           step->task_rows > step->row_step) {
        const int32_t units = ceil_div(step->task_rows, step->row_step);
        step->task_rows = (units - ceil_div(units, 4)) * step->row_step;
        strips = size_strips(step, step->task_rows);
    }
    step->row_tasks = ceil_div(step->rows, step->task_rows);
    step->channel_tasks = ceil_div(step->channels, step->task_channels);
    step->op_scratch = (size_t)strips;
    size_t own = 0;
    for (int32_t m = 0; m < step->member_count; m++)
        if (step->members[m].op->scratch_bytes > own)
            own = step->members[m].op->scratch_bytes;
    /* More than half of what can be addressed is refused when the engine is made. */
    step->scratch_bytes = own + strips <= SIZE_MAX / 2 ? edgecore_aligned(own + (size_t)strips) : SIZE_MAX / 2;
}
