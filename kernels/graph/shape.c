/* The shape of a step: which operands lie in strips, which results overwrite their inputs, how it may be cut. */
#include "graph/engine.h"
#include "graph/fuse.h"

static int64_t operand_bytes(const edgecore_operand *operand)
{
    const edgecore_view *view = &operand->view;
    return operand->strip == EDGECORE_ARENA ? (int64_t)view->height * view->width * view->channels : 0;
}

static bool is_elementwise(edgecore_op_kind kind)
{
    return kind == EDGECORE_ADD || edgecore_is_unary(kind);
}

/* Operands whose buffer belongs to this group alone lie in strips. */
static void find_strips(edgecore_step *step, const edgecore_program *program, int32_t group)
{
    for (int32_t m = 0; m < step->member_count; m++)
        for (int32_t i = -1; i < step->members[m].op->activation_inputs; i++) {
            edgecore_operand *operand = i < 0 ? &step->members[m].output : &step->members[m].inputs[i];
            const edgecore_program_tensor *root = &program->tensors[operand->place.root];
            if (group == EDGECORE_NONE || root->strip_group != group)
                continue;
            int32_t s = 0;
            while (s < step->strip_count && step->strips[s].root != operand->place.root)
                s++;
            if (s == step->strip_count)
                step->strips[step->strip_count++] = (edgecore_strip){
                    .root = operand->place.root, .row_bytes = (size_t)root->width * (size_t)root->channels};
            operand->strip = s;
        }
}

/* The number of members that read a strip. */
static int32_t readers(const edgecore_step *step, int32_t strip)
{
    int32_t count = 0;
    for (int32_t m = 0; m < step->member_count; m++)
        for (int32_t i = 0; i < step->members[m].op->activation_inputs; i++)
            count += step->members[m].inputs[i].strip == strip;
    return count;
}

/* All that lies in strip `from` moves to the place of `target`, of which it has the shape. */
static void move_strip(edgecore_step *step, int32_t from, const edgecore_operand target)
{
    int32_t last = --step->strip_count;
    step->strips[from] = step->strips[last];
    for (int32_t m = 0; m < step->member_count; m++)
        for (int32_t i = -1; i < step->members[m].op->activation_inputs; i++) {
            edgecore_operand *operand = i < 0 ? &step->members[m].output : &step->members[m].inputs[i];
            if (operand->strip == from) {
                size_t channel = operand->place.offset;
                operand->place = target.place;
                operand->place.offset += channel;
                operand->view.row_stride = target.view.row_stride;
                operand->view.pixel_stride = target.view.pixel_stride;
                operand->strip = target.strip;
            }
            if (operand->strip == last)
                operand->strip = from;
        }
}

/* An element-wise member may overwrite an input that only it reads: its maker then writes straight to the output. */
static void work_in_place(edgecore_step *step)
{
    for (int32_t m = step->member_count - 1; m >= 0; m--) {
        edgecore_member *member = &step->members[m];
        if (!is_elementwise(member->kind))
            continue;
        for (int32_t i = 0; i < member->op->activation_inputs; i++) {
            const edgecore_operand *input = &member->inputs[i];
            if (input->strip == EDGECORE_ARENA || readers(step, input->strip) != 1 || input->place.offset != 0 ||
                input->view.height != member->output.view.height || input->view.width != member->output.view.width ||
                input->view.channels != member->output.view.channels ||
                (size_t)input->view.width * (size_t)input->view.channels != step->strips[input->strip].row_bytes)
                continue;
            move_strip(step, input->strip, member->output);
            break;
        }
    }
}

/* Describes how the step may be cut, from what its members allow. */
static void find_cut(edgecore_step *step)
{
    const edgecore_member *last = &step->members[step->member_count - 1];
    step->rows = last->output.view.height;
    step->channels = last->output.view.channels;
    step->channel_step = last->op->channel_step;
    step->row_step = 1;
    step->splits_rows = true;
    for (int32_t m = 0; m < step->member_count; m++) {
        const edgecore_member *member = &step->members[m];
        int32_t own = member->op->channel_step;
        step->splits_rows = step->splits_rows && member->op->splits_rows;
        step->channel_step = step->channel_step > own ? step->channel_step : own;
        if (member->output.view.height == step->rows && step->row_step < member->op->row_step)
            step->row_step = member->op->row_step;
        step->bytes += (int64_t)member->op->weight_bytes + operand_bytes(&member->output);
        for (int32_t i = 0; i < member->op->activation_inputs; i++)
            step->bytes += operand_bytes(&member->inputs[i]);
    }
    /* Channels may be cut where what members hand on is used channel by channel. */
    for (int32_t m = 0; m < step->member_count; m++) {
        const edgecore_member *member = &step->members[m];
        int32_t own = member->op->channel_step;
        if (own == 0 || step->channel_step % own != 0 || member->output.view.channels != step->channels ||
            (member->output.strip == EDGECORE_ARENA && member != last))
            step->channel_step = 0;
        for (int32_t i = 0; i < member->op->activation_inputs && step->channel_step; i++)
            if (member->inputs[i].strip != EDGECORE_ARENA && !is_elementwise(member->kind))
                step->channel_step = 0;
        if (!step->channel_step)
            break;
    }
}

void edgecore_shape_step(edgecore_step *step, const edgecore_program *program, int32_t group)
{
    find_strips(step, program, group);
    find_cut(step);
    work_in_place(step);
}
