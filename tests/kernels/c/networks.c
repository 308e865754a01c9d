#include "networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t next(network *net)
{
    net->random = net->random * 1664525u + 1013904223u;
    return net->random >> 8;
}

static void must(edgecore_status status, const edgecore_message *message)
{
    if (status) {
        printf("a network was not built: %s\n", message->text);
        exit(99);
    }
}

void network_begin(network *net, uint32_t seed)
{
    *net = (network){.name = "network", .graph = edgecore_graph_create(), .random = seed, .scale = 0.05f,
                     .zero_point = -11};
}

void network_close(network *net)
{
    edgecore_message message = {""};
    must(edgecore_graph_set_io(net->graph, net->inputs, net->input_count, net->outputs, net->output_count, &message),
         &message);
}

void network_end(network *net)
{
    edgecore_graph_destroy(net->graph);
    for (int i = 0; i < net->input_count; i++)
        free(net->data[i]);
    for (int i = 0; i < net->constant_count; i++)
        free(net->constants[i]);
}

static int32_t add(network *net, const edgecore_tensor *tensor)
{
    edgecore_message message = {""};
    int32_t id = 0;
    must(edgecore_graph_add_tensor(net->graph, tensor, &id, &message), &message);
    return id;
}

int32_t network_tensor(network *net, int32_t height, int32_t width, int32_t channels, float scale, int32_t zero)
{
    const edgecore_tensor tensor = {.dtype = EDGECORE_INT8, .rank = 4, .dims = {1, height, width, channels},
                                    .scale_count = 1, .scales = &scale, .zero_points = &zero};
    int32_t id = add(net, &tensor);
    memcpy(net->hwc[id], (int32_t[]){height, width, channels}, sizeof net->hwc[id]);
    net->bytes[id] = (size_t)height * (size_t)width * (size_t)channels;
    net->scales[id] = scale;
    return id;
}

int32_t network_input(network *net, int32_t height, int32_t width, int32_t channels)
{
    int32_t id = network_tensor(net, height, width, channels, net->scale, net->zero_point);
    uint8_t *data = malloc(net->bytes[id]);
    for (size_t i = 0; i < net->bytes[id]; i++)
        data[i] = (uint8_t)next(net);
    net->inputs[net->input_count] = id;
    net->data[net->input_count++] = data;
    return id;
}

void network_output(network *net, int32_t tensor)
{
    net->outputs[net->output_count++] = tensor;
}

int32_t network_node(network *net, edgecore_op_kind kind, const edgecore_op_params *params, const int32_t *inputs,
                     int count, int32_t output)
{
    edgecore_message message = {""};
    must(edgecore_graph_add_node(net->graph, kind, params, inputs, count, output, net->node_count++, &message),
         &message);
    return output;
}

static void *keep(network *net, void *constant)
{
    return net->constants[net->constant_count++] = constant;
}

/* Weights [count][taps] with one scale per output channel, and the bias that goes with them. */
static void weights(network *net, float input_scale, const int32_t dims[4], int32_t count, int32_t ids[2])
{
    size_t elements = (size_t)dims[0] * (size_t)dims[1] * (size_t)dims[2] * (size_t)dims[3];
    int8_t *values = keep(net, malloc(elements));
    int32_t *bias = keep(net, malloc((size_t)count * sizeof *bias));
    float *scales = malloc((size_t)count * sizeof *scales), *bias_scales = malloc((size_t)count * sizeof *scales);
    int32_t *zeros = calloc((size_t)count, sizeof *zeros);
    for (size_t i = 0; i < elements; i++)
        values[i] = (int8_t)(next(net) % 255 - 127);
    for (int32_t c = 0; c < count; c++) {
        scales[c] = 0.001f + 0.00001f * (float)(next(net) % 1000);
        bias_scales[c] = scales[c] * input_scale;
        bias[c] = (int32_t)(next(net) % 20000) - 10000;
    }
    edgecore_tensor tensor = {.dtype = EDGECORE_INT8, .rank = 4, .scale_count = count, .scales = scales,
                              .zero_points = zeros, .data = values};
    memcpy(tensor.dims, dims, 4 * sizeof *dims);
    ids[0] = add(net, &tensor);
    tensor = (edgecore_tensor){.dtype = EDGECORE_INT32, .rank = 1, .dims = {count}, .scale_count = count,
                               .scales = bias_scales, .zero_points = zeros, .data = bias};
    ids[1] = add(net, &tensor);
    free(scales);
    free(bias_scales);
    free(zeros);
}

static int32_t windowed(network *net, edgecore_op_kind kind, const int32_t *inputs, int count, int32_t channels,
                        int32_t kernel, int32_t stride, int32_t padding, edgecore_activation act)
{
    const int32_t *in = net->hwc[inputs[0]];
    const edgecore_op_params params = {
        .activation = act, .stride_h = stride, .stride_w = stride, .dilation_h = 1, .dilation_w = 1,
        .filter_h = kernel, .filter_w = kernel, .pad_top = padding, .pad_bottom = padding, .pad_left = padding,
        .pad_right = padding, .depth_multiplier = 1,
    };
    int32_t height = (in[0] + 2 * padding - kernel) / stride + 1, width = (in[1] + 2 * padding - kernel) / stride + 1;
    int32_t output = network_tensor(net, height, width, channels, net->scale, net->zero_point);
    return network_node(net, kind, &params, inputs, count, output);
}

int32_t network_conv(network *net, int32_t x, int32_t channels, int32_t kernel, int32_t stride, bool same)
{
    int32_t inputs[3] = {x};
    weights(net, net->scales[x], (int32_t[]){channels, kernel, kernel, net->hwc[x][2]}, channels, inputs + 1);
    return windowed(net, EDGECORE_CONV_2D, inputs, 3, channels, kernel, stride, same ? kernel / 2 : 0,
                    EDGECORE_ACT_NONE);
}

int32_t network_depthwise(network *net, int32_t x, int32_t kernel, int32_t stride)
{
    int32_t inputs[3] = {x}, channels = net->hwc[x][2];
    weights(net, net->scales[x], (int32_t[]){1, kernel, kernel, channels}, channels, inputs + 1);
    return windowed(net, EDGECORE_DEPTHWISE_CONV_2D, inputs, 3, channels, kernel, stride, kernel / 2,
                    EDGECORE_ACT_RELU);
}

int32_t network_pool(network *net, int32_t x, int32_t window, int32_t stride, int32_t padding)
{
    return windowed(net, EDGECORE_MAX_POOL_2D, &x, 1, net->hwc[x][2], window, stride, padding, EDGECORE_ACT_NONE);
}

int32_t network_pad(network *net, int32_t x, int32_t before, int32_t after)
{
    const int32_t *in = net->hwc[x];
    const edgecore_op_params params = {.pad_before = {0, before, before, 0}, .pad_after = {0, after, after, 0}};
    int32_t output = network_tensor(net, in[0] + before + after, in[1] + before + after, in[2], net->scale,
                                    net->zero_point);
    return network_node(net, EDGECORE_PAD, &params, &x, 1, output);
}

int32_t network_add(network *net, int32_t a, int32_t b, edgecore_activation act)
{
    const int32_t *in = net->hwc[a];
    const edgecore_op_params params = {.activation = act};
    int32_t output = network_tensor(net, in[0], in[1], in[2], net->scale * 1.5f, net->zero_point + 20);
    return network_node(net, EDGECORE_ADD, &params, (int32_t[]){a, b}, 2, output);
}

int32_t network_leaky(network *net, int32_t x)
{
    const int32_t *in = net->hwc[x];
    const edgecore_op_params params = {.alpha = 0.1f};
    int32_t output = network_tensor(net, in[0], in[1], in[2], net->scale, net->zero_point);
    return network_node(net, EDGECORE_LEAKY_RELU, &params, &x, 1, output);
}

int32_t network_concat(network *net, const int32_t *inputs, int count, int32_t axis)
{
    const edgecore_op_params params = {.axis = axis};
    int32_t hwc[3];
    memcpy(hwc, net->hwc[inputs[0]], sizeof hwc);
    for (int i = 1; i < count; i++)
        hwc[axis - 1] += net->hwc[inputs[i]][axis - 1];
    int32_t output = network_tensor(net, hwc[0], hwc[1], hwc[2], net->scale, net->zero_point);
    return network_node(net, EDGECORE_CONCATENATION, &params, inputs, count, output);
}

int32_t network_flatten(network *net, int32_t x)
{
    const edgecore_op_params params = {0};
    int32_t output = network_tensor(net, 1, 1, (int32_t)net->bytes[x], net->scale, net->zero_point);
    return network_node(net, EDGECORE_RESHAPE, &params, &x, 1, output);
}

/* MUL or ADD by a constant of each channel. */
static int32_t by_constant(network *net, edgecore_op_kind kind, int32_t x, float scale)
{
    const int32_t *in = net->hwc[x], channels = in[2], zero = 7;
    const edgecore_op_params params = {.activation = kind == EDGECORE_ADD ? EDGECORE_ACT_RELU : EDGECORE_ACT_NONE};
    int8_t *values = keep(net, malloc((size_t)channels));
    for (int32_t c = 0; c < channels; c++)
        values[c] = (int8_t)next(net);
    const edgecore_tensor constant = {.dtype = EDGECORE_INT8, .rank = 1, .dims = {channels}, .scale_count = 1, .scales = &scale,
                                      .zero_points = &zero, .data = values};
    const int32_t inputs[2] = {x, add(net, &constant)};
    int32_t output = network_tensor(net, in[0], in[1], channels, net->scale, net->zero_point);
    return network_node(net, kind, &params, inputs, 2, output);
}

static void affine(network *net)
{
    int32_t x = network_leaky(net, network_input(net, 17, 23, 39));
    for (int i = 0; i < 3; i++) {
        int32_t y = by_constant(net, EDGECORE_ADD, by_constant(net, EDGECORE_MUL, x, 0.009f), 0.03f);
        x = network_concat(net, (int32_t[]){x, network_conv(net, y, 20, 3, 1, true)}, 2, 3);
    }
    network_output(net, x);
}

static void no_weights(network *net)
{
    int32_t x = network_input(net, 33, 29, 12);
    int32_t a = network_pool(net, x, 3, 1, 1), b = network_leaky(net, x);
    int32_t joined = network_concat(net, (int32_t[]){a, b, x}, 3, 3);
    int32_t y = network_pool(net, network_pad(net, joined, 1, 2), 3, 2, 0);
    network_output(net, network_concat(net, (int32_t[]){y, network_leaky(net, y)}, 2, 1));
}

static void nested_concats(network *net)
{
    int32_t x = network_leaky(net, network_input(net, 9, 7, 5));
    int32_t all = x;
    for (int i = 0; i < 4; i++)
        all = network_concat(net, (int32_t[]){all, network_pool(net, all, 3, 1, 1)}, 2, 3);
    int32_t wide = network_concat(net, (int32_t[]){network_leaky(net, all), network_pool(net, all, 3, 1, 1)}, 2, 2);
    network_output(net, network_flatten(net, wide));
    network_output(net, all);
    network_output(net, x);
}

static void spp(network *net)
{
    int32_t x = network_leaky(net, network_input(net, 8, 8, 20)), flat[4];
    for (int32_t i = 0; i < 4; i++)
        flat[i] = network_flatten(net, network_pool(net, x, 8 - 2 * i, 1, 0));
    network_output(net, network_concat(net, flat, 4, 3));
}

static void fire(network *net)
{
    int32_t x = network_conv(net, network_input(net, 25, 22, 3), 24, 3, 2, false);
    for (int i = 0; i < 2; i++) {
        int32_t s = network_conv(net, x, 8, 1, 1, true);
        x = network_concat(net, (int32_t[]){network_conv(net, s, 20, 1, 1, true),
                                            network_conv(net, s, 12, 3, 1, true)}, 2, 3);
        x = i ? x : network_pool(net, x, 3, 2, 0);
    }
    network_output(net, x);
}

static void fire_bypass(network *net)
{
    int32_t x = network_input(net, 13, 15, 40);
    for (int i = 0; i < 2; i++) {
        int32_t s = network_leaky(net, network_conv(net, x, 16, 1, 1, true));
        int32_t e1 = network_leaky(net, network_conv(net, s, 24, 1, 1, true));
        int32_t e3 = network_leaky(net, network_conv(net, s, 24, 3, 1, true));
        int32_t joined = network_concat(net, (int32_t[]){e1, e3}, 2, 3);
        x = network_add(net, i ? x : network_conv(net, x, 48, 1, 1, true), joined, EDGECORE_ACT_RELU);
    }
    network_output(net, x);
}

static void stem(network *net)
{
    int32_t x = network_leaky(net, network_conv(net, network_pad(net, network_input(net, 37, 41, 3), 1, 1), 20, 3, 2,
                                                false));
    network_output(net, network_pool(net, x, 3, 2, 1));
}

static void residual(network *net)
{
    int32_t x = network_conv(net, network_pad(net, network_input(net, 18, 15, 3), 3, 3), 20, 7, 2, false);
    for (int i = 0; i < 3; i++) {
        int32_t y = network_conv(net, network_conv(net, x, 24, 3, 1, true), i ? 24 : 40, 3, 1, true);
        x = i == 0 ? network_conv(net, x, 40, 1, 1, true) : x;
        x = i == 1 ? network_leaky(net, network_add(net, network_conv(net, x, 24, 1, 1, true), y, EDGECORE_ACT_NONE))
                   : network_add(net, y, i ? x : network_leaky(net, x), EDGECORE_ACT_RELU);
    }
    network_output(net, x);
}

static void depthwise(network *net)
{
    int32_t x = network_conv(net, network_input(net, 13, 26, 3), 16, 3, 2, true);
    for (int i = 0; i < 3; i++) {
        int32_t y = network_conv(net, network_depthwise(net, network_conv(net, x, 64, 1, 1, true), 3, 1), 16, 1, 1,
                                 true);
        x = network_add(net, x, y, EDGECORE_ACT_NONE);
    }
    network_output(net, network_leaky(net, network_depthwise(net, x, 5, 2)));
}

const network_entry networks[] = {
    {"no_weights", no_weights, NULL},
    {"nested_concats", nested_concats, NULL},
    {"spp", spp, "multi_scale_max_pool"},
    {"fire", fire, "fire"},
    {"fire_bypass", fire_bypass, "fire_bypass"},
    {"stem", stem, "stem"},
    {"residual", residual, "residual_add"},
    {"residual_projection", residual, "residual_projection"},
    {"depthwise", depthwise, "residual_add"},
    {"affine", affine, NULL},
};
const size_t network_count = sizeof networks / sizeof *networks;
