/* The nodes of a hostile graph, one function for each family of operators. */
#include "hostile_tensors.h"

#include <stddef.h>
#include <string.h>

enum { MOST_INPUTS = 4 };

static int32_t size_of(int32_t in, int32_t kernel, int32_t stride, int32_t dilation, int32_t padding)
{
    return (in + padding - (kernel - 1) * dilation - 1) / stride + 1;
}

/* All fields are 32 bits wide but the switches, which stand in two places. */
static void spoil_params(hostile *h, edgecore_op_params *params)
{
    int32_t *fields = (int32_t *)(void *)params;
    const uint32_t before = offsetof(edgecore_op_params, keep_dims) / 4, after = offsetof(edgecore_op_params, pad_before) / 4;
    const uint32_t end = offsetof(edgecore_op_params, align_corners) / 4;
    if (hostile_odd(h, 20))
        fields[hostile_below(h, before)] = hostile_wrong(h);
    if (hostile_odd(h, 40))
        fields[after + hostile_below(h, end - after)] = hostile_wrong(h);
}

/* Adds a node that makes a tensor of `dims`. What the engine says that it cannot run is seldom added all the same. */
static void node(hostile *h, edgecore_op_kind kind, edgecore_op_params params, const int32_t *inputs, int32_t count,
                 int32_t rank, const int32_t *dims)
{
    const edgecore_tensor *described[MOST_INPUTS];
    int32_t ids[MOST_INPUTS];
    edgecore_message message = {""};
    spoil_params(h, &params);
    for (int32_t i = 0; i < count; i++) {
        const int32_t tensor = hostile_odd(h, 80) ? (int32_t)hostile_below(h, (uint32_t)h->count) : inputs[i];
        const bool absent = tensor == HOSTILE_NONE || hostile_odd(h, 100);
        described[i] = absent ? NULL : &h->tensors[tensor];
        ids[i] = absent ? EDGECORE_NO_TENSOR : h->ids[tensor];
    }
    const int32_t output = hostile_odd(h, 100) ? (int32_t)hostile_below(h, (uint32_t)h->count)
                                               : hostile_activation(h, rank, dims);
    if (output == HOSTILE_NONE)
        return;
    const edgecore_status status = edgecore_node_supported(kind, &params, described, count, &h->tensors[output], &message);
    if ((status == EDGECORE_OK || hostile_odd(h, 6)) &&
        !edgecore_graph_add_node(h->graph, kind, &params, ids, count, h->ids[output], h->nodes, &message)) {
        h->is_made[output] = h->is_known[output];
        h->nodes++;
    }
}

static edgecore_op_params usual_params(void)
{
    return (edgecore_op_params){.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .filter_h = 1, .filter_w = 1,
                                .depth_multiplier = 1, .beta = 1.0f, .alpha = 0.1f};
}

/* Convolutions and pools. */
static void windowed(hostile *h, int32_t x)
{
    static const edgecore_op_kind kinds[] = {EDGECORE_CONV_2D, EDGECORE_CONV_2D, EDGECORE_CONV_2D, EDGECORE_DEPTHWISE_CONV_2D,
                                             EDGECORE_MAX_POOL_2D, EDGECORE_MAX_POOL_2D, EDGECORE_AVERAGE_POOL_2D,
                                             EDGECORE_TRANSPOSE_CONV};
    const edgecore_op_kind kind = kinds[hostile_below(h, 8)];
    const int32_t *in = h->tensors[x].dims, channels = in[3];
    const bool same = hostile_below(h, 2);
    const int32_t side = hostile_one_of(h, 6, 1, 1, 3, 3, 5, 2), wide = hostile_odd(h, 6) ? 1 + (int32_t)hostile_below(h, 7) : side;
    edgecore_op_params p = usual_params();
    p.activation = (edgecore_activation)hostile_below(h, 4);
    p.stride_h = p.stride_w = same ? 1 : hostile_one_of(h, 4, 1, 1, 2, 3);
    if (hostile_odd(h, 8))
        p.dilation_h = p.dilation_w = 2;
    p.filter_h = side;
    p.filter_w = wide;
    if (same) {
        p.pad_top = p.pad_bottom = side / 2;
        p.pad_left = p.pad_right = wide / 2;
    } else if (hostile_odd(h, 3)) {
        p.pad_bottom = (int32_t)hostile_below(h, (uint32_t)side);
        p.pad_right = (int32_t)hostile_below(h, (uint32_t)wide);
    }
    const int32_t groups = kind == EDGECORE_CONV_2D && hostile_odd(h, 10) ? hostile_one_of(h, 2, 2, channels) : 1;
    int32_t made = hostile_one_of(h, 8, 1, 3, 8, 16, 17, 33, channels, 66);
    if (kind == EDGECORE_DEPTHWISE_CONV_2D)
        p.depth_multiplier = hostile_one_of(h, 4, 1, 1, 1, 2);
    made = kind == EDGECORE_DEPTHWISE_CONV_2D ? channels * p.depth_multiplier : made * groups;
    const bool pool = kind == EDGECORE_MAX_POOL_2D || kind == EDGECORE_AVERAGE_POOL_2D;
    const bool transposed = kind == EDGECORE_TRANSPOSE_CONV;
    int32_t dims[4] = {1, 0, 0, pool ? channels : made};
    dims[1] = transposed ? (in[1] - 1) * p.stride_h + side - p.pad_top
                         : size_of(in[1], side, p.stride_h, p.dilation_h, p.pad_top + p.pad_bottom);
    dims[2] = transposed ? (in[2] - 1) * p.stride_w + wide - p.pad_left
                         : size_of(in[2], wide, p.stride_w, p.dilation_w, p.pad_left + p.pad_right);
    int32_t inputs[3] = {x, HOSTILE_NONE, HOSTILE_NONE};
    if (!pool) {
        const bool depthwise = kind == EDGECORE_DEPTHWISE_CONV_2D;
        inputs[1] = hostile_weights(h, 4, (int32_t[]){depthwise ? 1 : made, side, wide, depthwise ? made : channels / groups}, made);
        inputs[2] = hostile_odd(h, 6) ? HOSTILE_NONE : hostile_bias(h, made);
    }
    node(h, kind, p, inputs, pool ? 1 : 3, 4, dims);
}

static void fully_connected(hostile *h, int32_t x)
{
    const edgecore_tensor *in = &h->tensors[x];
    int32_t depth = 1, made = hostile_one_of(h, 4, 1, 10, 64, 70);
    for (int32_t i = 0; i < in->rank && depth < 1 << 14; i++)
        depth *= in->dims[i];
    edgecore_op_params p = usual_params();
    p.activation = (edgecore_activation)hostile_below(h, 4);
    const int32_t weights = hostile_weights(h, 2, (int32_t[]){made, depth}, made), bias = hostile_bias(h, made);
    node(h, EDGECORE_FULLY_CONNECTED, p, (int32_t[]){x, weights, bias}, 3, 2, (int32_t[]){1, made});
}

/* What maps each byte by itself, and what takes two maps. */
static void elementwise(hostile *h, int32_t x)
{
    static const edgecore_op_kind kinds[] = {EDGECORE_RELU, EDGECORE_RELU6, EDGECORE_LEAKY_RELU, EDGECORE_LOGISTIC, EDGECORE_TANH,
                                             EDGECORE_HARD_SWISH, EDGECORE_QUANTIZE, EDGECORE_SOFTMAX, EDGECORE_SWISH,
                                             EDGECORE_ADD, EDGECORE_ADD, EDGECORE_ADD, EDGECORE_MUL, EDGECORE_MUL};
    const edgecore_op_kind kind = kinds[hostile_below(h, 14)];
    const bool pair = kind == EDGECORE_ADD || kind == EDGECORE_MUL;
    edgecore_op_params p = usual_params();
    p.activation = pair ? (edgecore_activation)hostile_below(h, 4) : EDGECORE_ACT_NONE;
    int32_t other = hostile_like(h, x);
    if (pair && hostile_odd(h, 8)) { /* one value for each channel, or a constant */
        int32_t dims[4] = {1, 1, 1, h->tensors[x].dims[3]};
        other = hostile_odd(h, 2) ? hostile_weights(h, 4, dims, 1) : hostile_like_dims(h, 4, dims);
    }
    int32_t inputs[2] = {x, other};
    if (pair && hostile_below(h, 2)) {
        inputs[0] = other == HOSTILE_NONE ? x : other;
        inputs[1] = x;
    }
    node(h, kind, p, inputs, pair ? 2 : 1, h->tensors[x].rank, h->tensors[x].dims);
}

/* A product and a sum with constants of one value or one for each channel; now and then the one operator that they become. */
static void affine(hostile *h, int32_t x)
{
    const edgecore_tensor *in = &h->tensors[x];
    const int32_t *dims = in->dims, rank = in->rank, values = hostile_odd(h, 3) ? 1 : in->dims[in->rank - 1];
    edgecore_op_params p = usual_params();
    p.activation = (edgecore_activation)hostile_below(h, 4);
    p.product_activation = (edgecore_activation)hostile_below(h, 4);
    p.product_scale = hostile_odd(h, 8) ? 0.0f : 0.05f;
    p.product_zero_point = (int32_t)hostile_below(h, hostile_odd(h, 8) ? 1000 : 256);
    const int32_t factor = hostile_weights(h, 1, &values, 1), addend = hostile_weights(h, 1, &values, 1);
    if (hostile_odd(h, 4)) {
        node(h, EDGECORE_AFFINE_CHANNEL, p, (int32_t[]){x, factor, addend}, 3, rank, dims);
        return;
    }
    node(h, EDGECORE_MUL, p, (int32_t[]){x, factor}, 2, rank, dims);
    node(h, EDGECORE_ADD, p, (int32_t[]){addend, h->count - 1}, 2, rank, dims);
}

static void concatenation(hostile *h, int32_t x)
{
    const edgecore_tensor *in = &h->tensors[x];
    int32_t inputs[MOST_INPUTS] = {x}, dims[EDGECORE_MAX_RANK], count = 1;
    const int32_t most = (int32_t)hostile_below(h, MOST_INPUTS - 1) + 2;
    edgecore_op_params p = usual_params();
    p.axis = in->rank > 1 && !hostile_odd(h, 4) ? in->rank - 1 : (int32_t)hostile_below(h, 4);
    memcpy(dims, in->dims, sizeof dims);
    for (int32_t t = h->count - 1; t >= 0 && count < most; t--) {
        const edgecore_tensor *other = &h->tensors[t];
        bool fits = hostile_is_sound(h, t) && other->rank == in->rank && p.axis < in->rank;
        for (int32_t i = 0; fits && i < in->rank; i++)
            fits = i == p.axis || other->dims[i] == in->dims[i];
        if (!fits || hostile_odd(h, 4))
            continue;
        inputs[count++] = t;
        dims[p.axis] += other->dims[p.axis];
    }
    node(h, EDGECORE_CONCATENATION, p, inputs, count, in->rank, dims);
}

/* What only moves elements. */
static void rearrangement(hostile *h, int32_t x)
{
    const edgecore_tensor *in = &h->tensors[x];
    const int32_t kind = (int32_t)hostile_below(h, 5);
    int32_t dims[EDGECORE_MAX_RANK] = {1, 1, 1, 1}, elements = 1, rank = in->rank;
    edgecore_op_params p = usual_params();
    for (int32_t i = 0; i < rank; i++) {
        dims[i] = in->dims[i];
        elements *= in->dims[i];
    }
    if (kind == 0) {
        for (int32_t i = 1; i < 3; i++) {
            p.pad_before[i] = (int32_t)hostile_below(h, 4);
            p.pad_after[i] = (int32_t)hostile_below(h, 4);
            dims[i] += p.pad_before[i] + p.pad_after[i];
        }
        node(h, EDGECORE_PAD, p, &x, 1, rank, dims);
    } else if (kind == 1) {
        rank = hostile_one_of(h, 3, 2, 4, 5);
        memcpy(dims, (int32_t[]){1, rank == 2 ? elements : in->dims[2], in->dims[1], in->dims[3], 1}, 5 * sizeof *dims);
        node(h, EDGECORE_RESHAPE, p, &x, 1, rank, dims);
    } else if (kind == 2) {
        const int32_t turn = 1 + (int32_t)hostile_below(h, 3);
        p.axis_count = rank;
        for (int32_t i = 0; i < rank; i++) {
            p.axes[i] = i ? 1 + (i - 1 + turn) % (rank - 1) : 0;
            dims[i] = in->dims[p.axes[i]];
        }
        node(h, EDGECORE_TRANSPOSE, p, &x, 1, rank, dims);
    } else if (kind == 3) {
        for (int32_t i = 0; i < rank; i++) {
            p.begin[i] = (int32_t)hostile_below(h, (uint32_t)in->dims[i]);
            p.step[i] = hostile_odd(h, 4) ? 2 : 1;
            p.size[i] = dims[i] = (in->dims[i] - p.begin[i] + p.step[i] - 1) / p.step[i];
        }
        node(h, EDGECORE_STRIDED_SLICE, p, &x, 1, rank, dims);
    } else {
        const int32_t how = (int32_t)hostile_below(h, 3);
        p.align_corners = how == 1;
        p.half_pixel_centers = how == 2;
        dims[1] = 1 + (int32_t)hostile_below(h, 30);
        dims[2] = hostile_odd(h, 2) ? 2 * dims[2] : dims[1];
        node(h, hostile_below(h, 2) ? EDGECORE_RESIZE_BILINEAR : EDGECORE_RESIZE_NEAREST_NEIGHBOR, p, &x, 1, rank, dims);
    }
}

static void mean(hostile *h, int32_t x)
{
    const int32_t *in = h->tensors[x].dims;
    edgecore_op_params p = usual_params();
    p.keep_dims = hostile_below(h, 2);
    p.axis_count = 2;
    p.axes[0] = 1;
    p.axes[1] = 2;
    int32_t flat[2] = {1, in[3]}, kept[4] = {1, 1, 1, in[3]};
    node(h, EDGECORE_MEAN, p, &x, 1, p.keep_dims ? 4 : 2, p.keep_dims ? kept : flat);
}

/* Pools of one map at several scales, flattened and joined; now and then in the one operator that they become. */
static void multi_scale(hostile *h, int32_t x)
{
    const int32_t *in = h->tensors[x].dims;
    int32_t flat[3], elements[3], total = 0, count = 0;
    edgecore_op_params whole = usual_params();
    for (; count < 3; count++) {
        edgecore_op_params p = usual_params();
        const int32_t side = 1 + (int32_t)hostile_below(h, (uint32_t)(in[1] < in[2] ? in[1] : in[2]));
        const int32_t dims[4] = {1, in[1] - side + 1, in[2] - side + 1, in[3]};
        p.filter_h = p.filter_w = whole.windows[whole.window_count++] = side;
        elements[count] = dims[1] * dims[2] * dims[3];
        total += elements[count];
        node(h, EDGECORE_MAX_POOL_2D, p, &x, 1, 4, dims);
        node(h, EDGECORE_RESHAPE, usual_params(), (int32_t[]){h->count - 1}, 1, 2, (int32_t[]){1, elements[count]});
        flat[count] = h->count - 1;
    }
    whole.axis = 1;
    const bool direct = hostile_odd(h, 4);
    node(h, direct ? EDGECORE_MULTI_SCALE_MAX_POOL : EDGECORE_CONCATENATION, whole, direct ? &x : flat, direct ? 1 : 3, 2,
         (int32_t[]){1, total});
}

void hostile_grow(hostile *h)
{
    const int32_t x = hostile_pick(h);
    if (x == HOSTILE_NONE)
        return;
    if (h->tensors[x].rank != 4)
        (hostile_odd(h, 3) ? concatenation : hostile_odd(h, 2) ? elementwise : fully_connected)(h, x);
    else
        switch (hostile_below(h, 17)) {
        case 0:
            fully_connected(h, x);
            break;
        case 1:
            mean(h, x);
            break;
        case 2:
            multi_scale(h, x);
            break;
        case 16:
            affine(h, x);
            break;
        case 3:
        case 4:
            rearrangement(h, x);
            break;
        case 5:
        case 6:
        case 7:
            concatenation(h, x);
            break;
        case 8:
        case 9:
        case 10:
            elementwise(h, x);
            break;
        default:
            windowed(h, x);
        }
}
