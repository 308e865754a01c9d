#include "operators_samples.h"

#include <string.h>

static uint32_t state = 12345;

int32_t below(int32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (int32_t)((state >> 8) % (uint32_t)n);
}

int32_t one_of(const int32_t *choices, int32_t n)
{
    return choices[below(n)];
}

void link_sample(sample *s, edgecore_op_kind kind, int32_t inputs)
{
    for (int32_t i = 0; i <= MOST_INPUTS; i++) {
        s->tensors[i].scales = &s->scales[i];
        s->tensors[i].zero_points = &s->zero_points[i];
        if (i < MOST_INPUTS)
            s->inputs[i] = &s->tensors[i];
    }
    s->desc = (edgecore_op_desc){kind, &s->params, s->inputs, inputs, &s->tensors[MOST_INPUTS], EDGECORE_INT8};
}

static void set_tensor(sample *s, int32_t i, int32_t h, int32_t w, int32_t c, float scale, int32_t zero_point)
{
    s->tensors[i] = (edgecore_tensor){.dtype = EDGECORE_INT8, .rank = 4, .dims = {1, h, w, c}, .scale_count = 1};
    s->scales[i] = scale;
    s->zero_points[i] = zero_point;
}

static int32_t pooled(int32_t in, int32_t filter, int32_t stride, int32_t before, int32_t after)
{
    return (in + before + after - filter) / stride + 1;
}

static void sample_pool(sample *s, int32_t h, int32_t w, int32_t c)
{
    edgecore_op_params *p = &s->params;
    p->filter_h = 1 + below(h);
    p->filter_w = 1 + below(w);
    p->stride_h = 1 + below(3);
    p->stride_w = 1 + below(3);
    if (below(2) && h > 2 && w > 2) { /* as most models have it */
        p->filter_h = p->filter_w = 2 + below(2);
        p->stride_h = p->stride_w = 2;
    }
    p->pad_top = below(p->filter_h);
    p->pad_bottom = below(p->filter_h);
    p->pad_left = below(p->filter_w);
    p->pad_right = below(p->filter_w);
    p->activation = (edgecore_activation)below(4);
    set_tensor(s, MOST_INPUTS, pooled(h, p->filter_h, p->stride_h, p->pad_top, p->pad_bottom),
               pooled(w, p->filter_w, p->stride_w, p->pad_left, p->pad_right), c, s->scales[0], s->zero_points[0]);
}

static void sample_windows(sample *s, int32_t h, int32_t w, int32_t c)
{
    int32_t total = 0, least = h < w ? h : w;
    s->params.window_count = 1 + below(4);
    for (int32_t i = 0; i < s->params.window_count; i++) {
        s->params.windows[i] = 1 + below(least);
        total += (h - s->params.windows[i] + 1) * (w - s->params.windows[i] + 1) * c;
    }
    set_tensor(s, MOST_INPUTS, 1, 1, total, s->scales[0], s->zero_points[0]);
}

static void sample_concatenation(sample *s, int32_t h, int32_t w, int32_t c)
{
    int32_t dims[3] = {h, w, c}, axis = below(3), total = 0;
    s->params.axis = axis + 1 - 4 * below(2);
    for (int32_t i = 0; i < MOST_INPUTS; i++) {
        dims[axis] = 1 + below(20);
        total += dims[axis];
        set_tensor(s, i, dims[0], dims[1], dims[2], 0.1f, -7);
    }
    dims[axis] = total;
    set_tensor(s, MOST_INPUTS, dims[0], dims[1], dims[2], 0.1f, -7);
}

/* The operator's constants, of one value or one for each channel, with the largest and smallest among them. */
static void sample_affine(sample *s, int32_t h, int32_t w, int32_t c)
{
    static int8_t values[2][130];
    s->params.activation = (edgecore_activation)below(4);
    s->params.product_activation = (edgecore_activation)below(4);
    s->params.product_scale = 0.07f * (float)(1 + below(4));
    s->params.product_zero_point = below(256);
    for (int32_t i = 0; i < 2; i++) {
        set_tensor(s, 1 + i, 1, 1, below(4) ? c : 1, i ? 0.09f : 0.01f, below(256) - 128);
        s->tensors[1 + i].data = values[i];
        for (int32_t k = 0; k < 130; k++)
            values[i][k] = (int8_t)(below(4) ? below(256) - 128 : 127 - 255 * below(2));
    }
    set_tensor(s, MOST_INPUTS, h, w, c, 0.11f, below(256) - 128);
}

/* Channels are shuffled, or all dims are. */
static void sample_transpose(sample *s, int32_t h, int32_t w, int32_t c)
{
    const int32_t groups = 1 + below(3), dims[5] = {1, h, w, groups, c};
    set_tensor(s, 0, h, w, groups, 0.1f, -7);
    set_tensor(s, MOST_INPUTS, h, w, groups, 0.1f, -7);
    s->tensors[0].rank = s->tensors[MOST_INPUTS].rank = s->params.axis_count = 5;
    memcpy(s->tensors[0].dims, dims, sizeof dims);
    for (int32_t i = 0; i < 5; i++)
        s->params.axes[i] = i;
    for (int32_t i = 4; i > 0; i--) {
        const int32_t other = below(2) ? below(i + 1) : i < 4 ? i : 3, axis = s->params.axes[i];
        s->params.axes[i] = s->params.axes[other];
        s->params.axes[other] = axis;
    }
    for (int32_t i = 0; i < 5; i++)
        s->tensors[MOST_INPUTS].dims[i] = dims[s->params.axes[i]];
}

static void sample_slice(sample *s, int32_t h, int32_t w, int32_t c)
{
    const int32_t dims[4] = {1, h, w, c};
    for (int32_t i = 0; i < 4; i++) {
        s->params.begin[i] = below(dims[i]);
        s->params.step[i] = below(3) ? 1 : below(2) ? 2 : -1;
        const int32_t room = s->params.step[i] < 0 ? s->params.begin[i] : dims[i] - 1 - s->params.begin[i];
        s->params.size[i] = 1 + below(room / (s->params.step[i] == 2 ? 2 : 1) + 1);
    }
    set_tensor(s, MOST_INPUTS, s->params.size[1], s->params.size[2], s->params.size[3], s->scales[0], s->zero_points[0]);
}

void make_sample(sample *s, edgecore_op_kind kind)
{
    static const int32_t depths[] = {1, 3, 8, 16, 17, 64, 65, 130};
    int32_t h = 1 + below(9), w = 1 + below(9), c = one_of(depths, 8), inputs = 1;
    memset(s, 0, sizeof *s);
    set_tensor(s, 0, h, w, c, 0.07f, below(256) - 128);
    set_tensor(s, MOST_INPUTS, h, w, c, 0.05f, below(256) - 128);
    s->params.alpha = 0.1f;
    s->params.beta = 1.0f;
    switch (kind) {
    case EDGECORE_MAX_POOL_2D:
    case EDGECORE_AVERAGE_POOL_2D:
        sample_pool(s, h, w, c);
        break;
    case EDGECORE_MEAN:
        s->params.axis_count = 2;
        s->params.axes[0] = 1;
        s->params.axes[1] = 2 + below(2);
        s->params.keep_dims = true;
        set_tensor(s, MOST_INPUTS, 1, s->params.axes[1] == 2 ? 1 : w, s->params.axes[1] == 2 ? c : 1, 0.05f, 3);
        break;
    case EDGECORE_ADD:
    case EDGECORE_MUL:
        inputs = 2;
        set_tensor(s, 1, below(2) ? h : 1, below(2) ? w : 1, below(2) ? c : 1, 0.03f, below(256) - 128);
        s->params.activation = (edgecore_activation)below(4);
        break;
    case EDGECORE_CONCATENATION:
        inputs = MOST_INPUTS;
        sample_concatenation(s, h, w, c);
        break;
    case EDGECORE_PAD:
        for (int32_t i = 1; i < 4; i++) {
            s->params.pad_before[i] = below(4);
            s->params.pad_after[i] = below(4);
        }
        set_tensor(s, MOST_INPUTS, h + s->params.pad_before[1] + s->params.pad_after[1],
                   w + s->params.pad_before[2] + s->params.pad_after[2],
                   c + s->params.pad_before[3] + s->params.pad_after[3], s->scales[0], s->zero_points[0]);
        break;
    case EDGECORE_RESHAPE:
        set_tensor(s, MOST_INPUTS, 1, c, h * w, s->scales[0], s->zero_points[0]);
        break;
    case EDGECORE_RESIZE_NEAREST_NEIGHBOR:
    case EDGECORE_RESIZE_BILINEAR:
        s->params.align_corners = below(2);
        s->params.half_pixel_centers = !s->params.align_corners && below(2);
        set_tensor(s, MOST_INPUTS, h * (1 + below(3)), 1 + below(w), c, s->scales[0], s->zero_points[0]);
        break;
    case EDGECORE_TRANSPOSE:
        sample_transpose(s, h, w, c);
        break;
    case EDGECORE_STRIDED_SLICE:
        sample_slice(s, h, w, c);
        break;
    case EDGECORE_SOFTMAX:
    case EDGECORE_LOGISTIC:
        set_tensor(s, MOST_INPUTS, h, w, c, 1.0f / 256, -128);
        break;
    case EDGECORE_TANH:
        set_tensor(s, MOST_INPUTS, h, w, c, 1.0f / 128, 0);
        break;
    case EDGECORE_MULTI_SCALE_MAX_POOL:
        sample_windows(s, h, w, c);
        break;
    case EDGECORE_AFFINE_CHANNEL:
        inputs = 3;
        sample_affine(s, h, w, c);
        break;
    default:
        break;
    }
    link_sample(s, kind, inputs);
}
