/* The executor: one task computes some rows (or channels) of a step's output.
 *
 * In a fused block a member's result that only the block reads is never stored whole. Walking the members backwards, the
 * operators tell which rows of each internal tensor the task's output rows need; walking forwards, members compute
 * just those rows into strips of this thread's scratch. Rows that two tasks both need are computed twice, with the
 * same bytes. */
#include "graph/engine.h"

static void widen(edgecore_rows *rows, int32_t y0, int32_t y1)
{
    if (y0 >= y1)
        return;
    if (rows->y0 >= rows->y1) {
        *rows = (edgecore_rows){y0, y1};
        return;
    }
    rows->y0 = rows->y0 < y0 ? rows->y0 : y0;
    rows->y1 = rows->y1 > y1 ? rows->y1 : y1;
}

void edgecore_strip_rows(const edgecore_step *step, int32_t y0, int32_t y1, edgecore_rows *members,
                         edgecore_rows *strips)
{
    for (int32_t s = 0; s < step->strip_count; s++)
        strips[s] = (edgecore_rows){0, 0};
    for (int32_t m = step->member_count - 1; m >= 0; m--) {
        const edgecore_member *member = &step->members[m];
        members[m] = member->output.strip == EDGECORE_ARENA ? (edgecore_rows){y0, y1} : strips[member->output.strip];
        for (int32_t i = 0; i < member->op->activation_inputs; i++) {
            int32_t s = member->inputs[i].strip;
            if (s == EDGECORE_ARENA)
                continue;
            int32_t in_y0 = 0, in_y1 = 0;
            member->op->klass->input_rows(member->op, i, members[m].y0, members[m].y1, &in_y0, &in_y1);
            widen(&strips[s], in_y0, in_y1);
        }
    }
}

static edgecore_view view_of(const edgecore_step *step, const edgecore_operand *operand, const edgecore_rows *strips,
                             uint8_t *scratch)
{
    edgecore_view view = operand->view;
    if (operand->strip != EDGECORE_ARENA) {
        view.data = scratch + step->strips[operand->strip].scratch_offset + operand->place.offset;
        view.first_row = strips[operand->strip].y0;
    }
    return view;
}

void edgecore_step_task(const edgecore_step *step, int32_t task, uint8_t *scratch)
{
    edgecore_rows members[EDGECORE_MAX_MEMBERS], strips[EDGECORE_MAX_MEMBERS];
    int32_t row_task = task / step->channel_tasks, channel_task = task % step->channel_tasks;
    int32_t y0 = row_task * step->task_rows, y1 = y0 + step->task_rows;
    int32_t c0 = channel_task * step->task_channels, c1 = c0 + step->task_channels;
    y1 = y1 < step->rows ? y1 : step->rows;
    c1 = c1 < step->channels ? c1 : step->channels;
    edgecore_strip_rows(step, y0, y1, members, strips);
    for (int32_t m = 0; m < step->member_count; m++) {
        const edgecore_member *member = &step->members[m];
        edgecore_view inputs[EDGECORE_MAX_NODE_INPUTS];
        if (members[m].y0 >= members[m].y1)
            continue;
        for (int32_t i = 0; i < member->op->activation_inputs; i++)
            inputs[i] = view_of(step, &member->inputs[i], strips, scratch);
        const edgecore_view output = view_of(step, &member->output, strips, scratch);
        edgecore_region region = {members[m].y0, members[m].y1, 0, member->output.view.channels};
        if (step->channel_tasks > 1) {
            region.c0 = c0;
            region.c1 = c1;
        }
        member->op->klass->run(member->op, inputs, &output, region, scratch + step->op_scratch);
    }
}
