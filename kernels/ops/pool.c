#include "ops/pool.h"

#include "ops/arithmetic.h"
#include "ops/validate.h"

/* Sizes above this are refused before they are added or multiplied. */
#define MOST_EXTENT EDGECORE_MAX_CHANNELS

static bool axis_is_sound(int32_t in, int32_t out, int32_t filter, int32_t stride, int32_t before, int32_t after)
{
    if (filter < 1 || filter > MOST_EXTENT || stride < 1 || stride > MOST_EXTENT)
        return false;
    if (before < 0 || before >= filter || after < 0 || after >= filter)
        return false;
    int64_t room = (int64_t)in + before + after - filter;
    return room >= 0 && room / stride + 1 == out;
}

edgecore_status edgecore_check_pool(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_op_params *p = desc->params;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    if (in->rank != 4 || out->rank != 4 || in->dims[3] != out->dims[3])
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a pool needs two maps with the same channels");
    if (!axis_is_sound(in->dims[1], out->dims[1], p->filter_h, p->stride_h, p->pad_top, p->pad_bottom) ||
        !axis_is_sound(in->dims[2], out->dims[2], p->filter_w, p->stride_w, p->pad_left, p->pad_right))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the pool's window, stride and padding do not give its output");
    if ((int32_t)p->activation < EDGECORE_ACT_NONE || p->activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)p->activation);
    return edgecore_check_same_quantisation(in, out, message);
}

edgecore_pool_geometry edgecore_pool_geometry_of(const edgecore_op_desc *desc)
{
    const edgecore_op_params *p = desc->params;
    const edgecore_tensor *in = desc->inputs[0];
    edgecore_pool_geometry pool = {
        .in_height = in->dims[1],
        .in_width = in->dims[2],
        .out_width = desc->output->dims[2],
        .channels = in->dims[3],
        .filter_h = p->filter_h,
        .filter_w = p->filter_w,
        .stride_h = p->stride_h,
        .stride_w = p->stride_w,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
    };
    const int32_t inner_x0 = (pool.pad_left + pool.stride_w - 1) / pool.stride_w;
    const int32_t room = pool.in_width - pool.filter_w + pool.pad_left;
    const int32_t inner_x1 = room < 0 ? 0 : room / pool.stride_w + 1;
    pool.inner_x0 = inner_x0 < pool.out_width ? inner_x0 : pool.out_width;
    pool.inner_x1 = inner_x1 < pool.inner_x0 ? pool.inner_x0 : inner_x1;
    return pool;
}

void edgecore_pool_input_rows(const edgecore_pool_geometry *pool, int32_t y0, int32_t y1, int32_t *in_y0,
                              int32_t *in_y1)
{
    int32_t ignored;
    edgecore_pool_window(y0, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, in_y0, &ignored);
    edgecore_pool_window(y1 - 1, pool->stride_h, pool->pad_top, pool->filter_h, pool->in_height, &ignored, in_y1);
}
