/* Graphs of random nonsense: a call may refuse, with a line that says why, but nothing may crash, and what is
 * accepted must run. Usage: hostile_test [graphs] [seed]. Worth most under sanitizers. */
#include "edgecore/cpu.h"
#include "edgecore/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONSTANT_BYTES = 1 << 18, TENSORS = 12, NODES = 8 };

static uint32_t state;

static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* In most graphs nearly all is plausible, so that many are accepted. */
static bool calm;
static int32_t common_dims[4];

static bool odd(uint32_t one_in)
{
    return draw(calm ? one_in * 10 : one_in) == 0;
}

/* Mostly small and plausible, now and then an edge of the type. */
static int32_t number(void)
{
    static const int32_t edges[] = {-1, 0, INT32_MAX, INT32_MIN, 1 << 20, 65536, -128, 255};
    return !odd(12) ? (int32_t)draw(5) : edges[draw(sizeof edges / sizeof *edges)];
}

enum { MOST_ELEMENTS = 1 << 22 };

/* At most MOST_ELEMENTS, which stands for anything beyond. */
static size_t elements(const edgecore_tensor *tensor)
{
    size_t count = 1;
    for (int32_t i = 0; i < tensor->rank && i < EDGECORE_MAX_RANK; i++) {
        count *= tensor->dims[i] > 0 && tensor->dims[i] < MOST_ELEMENTS ? (size_t)tensor->dims[i] : MOST_ELEMENTS;
        count = count < MOST_ELEMENTS ? count : MOST_ELEMENTS;
    }
    return count;
}

static void random_tensor(edgecore_tensor *tensor, const void *constants, float *scales, int32_t *zero_points)
{
    *tensor = (edgecore_tensor){.dtype = odd(9) ? (edgecore_dtype)draw(4) : EDGECORE_INT8,
                                .rank = odd(8) ? number() : 4};
    for (int32_t i = 0; i < EDGECORE_MAX_RANK; i++)
        tensor->dims[i] = odd(30) ? number() : calm && i < 4 ? common_dims[i] : (int32_t)draw(9) + 1;
    tensor->dims[0] = odd(12) ? tensor->dims[0] : 1;
    bool constant = draw(calm ? 8 : 3) == 0;
    if (constant && draw(2)) { /* weights of some shape, or a bias */
        tensor->dims[0] = (int32_t)draw(9) + 1;
        if (draw(2))
            *tensor = (edgecore_tensor){.dtype = EDGECORE_INT32, .rank = 1, .dims = {(int32_t)draw(9) + 1}};
    }
    int32_t count = !odd(6) ? 1 : tensor->dims[draw(4)];
    tensor->scale_count = odd(20) ? number() : count;
    for (int32_t i = 0; i < 16; i++) {
        scales[i] = odd(40) ? (float)number() : 0.01f + 0.001f * (float)draw(100);
        zero_points[i] = odd(10) ? number() : 0;
    }
    if (!odd(3)) {
        scales[0] = 0.02f;
        zero_points[0] = -3;
    }
    if (tensor->scale_count > 16)
        tensor->scale_count = 16;
    tensor->scales = odd(50) ? NULL : scales;
    tensor->zero_points = odd(50) ? NULL : zero_points;
    tensor->data = constant && elements(tensor) * 4 <= CONSTANT_BYTES ? constants : NULL;
}

static edgecore_op_params random_params(void)
{
    edgecore_op_params params;
    int32_t *fields = (int32_t *)&params;
    for (size_t i = 0; i < sizeof params / sizeof *fields; i++)
        fields[i] = 0;
    bool wild = odd(4);
    int32_t stride = (int32_t)draw(2) + 1, filter = (int32_t)draw(3) + 1;
    params.activation = wild && !draw(4) ? (edgecore_activation)number() : (edgecore_activation)draw(4);
    params.stride_h = wild ? number() : stride;
    params.stride_w = wild ? number() : stride;
    params.dilation_h = params.dilation_w = wild ? number() : 1;
    params.filter_h = wild ? number() : filter;
    params.filter_w = wild ? number() : filter;
    params.pad_top = wild ? number() : (int32_t)draw(2);
    params.pad_bottom = wild ? number() : params.pad_top;
    params.pad_left = wild ? number() : params.pad_top;
    params.pad_right = wild ? number() : params.pad_top;
    params.depth_multiplier = wild ? number() : 1;
    params.axis = wild ? number() : (int32_t)draw(4);
    const bool whole_order = draw(2); /* as a transpose has it */
    params.axis_count = wild ? number() : whole_order ? 4 : 2;
    for (int32_t i = 0; i < EDGECORE_MAX_RANK; i++) {
        params.axes[i] = wild ? number() : whole_order ? (i + 1) % 4 : i + 1;
        params.pad_before[i] = wild ? number() : i == 1 || i == 2;
        params.pad_after[i] = wild ? number() : i == 1 || i == 2;
    }
    for (int32_t i = 0; i < EDGECORE_MAX_RANK; i++) {
        params.begin[i] = wild ? number() : (int32_t)draw(2) * (i > 0);
        params.step[i] = wild ? number() : 1;
        params.size[i] = wild ? number() : i ? common_dims[i % 4] - params.begin[i] : 1;
    }
    params.keep_dims = draw(2);
    params.align_corners = draw(2);
    params.half_pixel_centers = draw(2);
    params.alpha = wild ? (float)number() : 0.1f;
    params.beta = wild ? (float)number() : 1.0f;
    params.window_count = wild ? number() : 2;
    for (int32_t i = 0; i < EDGECORE_MAX_WINDOWS; i++)
        params.windows[i] = wild ? number() : i + 1;
    return params;
}

/* The output often has the first input's shape, so that more than refusals is tested. */
static void echo_shape(edgecore_tensor *tensors, int32_t from, int32_t to, edgecore_op_kind kind,
                       const edgecore_op_params *params)
{
    const edgecore_tensor *in = &tensors[from];
    int32_t kernel = params->filter_h;
    tensors[to].rank = in->rank;
    memcpy(tensors[to].dims, in->dims, sizeof in->dims);
    tensors[to].dtype = in->dtype;
    tensors[to].data = NULL;
    tensors[to].scale_count = 1;
    if (in->rank != 4 || in->dims[1] > 1000 || in->dims[2] > 1000 || in->dims[1] < 1 || in->dims[2] < 1 ||
        params->stride_h < 1 || kernel < 1 || kernel > 9)
        return;
    if (kind == EDGECORE_MAX_POOL_2D || kind == EDGECORE_AVERAGE_POOL_2D)
        for (int32_t i = 1; i < 3; i++)
            tensors[to].dims[i] = (in->dims[i] + 2 * (params->pad_top & 1) - kernel) / params->stride_h + 1;
    if (kind == EDGECORE_RESIZE_NEAREST_NEIGHBOR || kind == EDGECORE_RESIZE_BILINEAR)
        for (int32_t i = 1; i < 3; i++)
            tensors[to].dims[i] = kernel * in->dims[i];
    if (kind == EDGECORE_TRANSPOSE)
        for (int32_t i = 0; i < 4; i++)
            tensors[to].dims[i] = params->axes[i] >= 0 && params->axes[i] < 4 ? in->dims[params->axes[i]] : 1;
    if (kind == EDGECORE_STRIDED_SLICE)
        memcpy(tensors[to].dims, params->size, sizeof params->size);
    if (kind == EDGECORE_PAD)
        for (int32_t i = 1; i < 3; i++)
            tensors[to].dims[i] += 2;
}

static int failures;

static void run(edgecore_engine *engine, size_t in_bytes, size_t out_bytes)
{
    uint8_t *input = calloc(in_bytes + 1, 1), *output = calloc(out_bytes + 1, 1);
    edgecore_message message = {""};
    if (input && output &&
        edgecore_engine_run(engine, (const void *[]){input}, (void *[]){output}, &message) != EDGECORE_OK) {
        failures++;
        printf("an accepted graph did not run: %s\n", message.text);
    }
    free(input);
    free(output);
}

static int one_graph(const void *constants)
{
    float scales[TENSORS][16];
    int32_t zero_points[TENSORS][16];
    edgecore_tensor tensors[TENSORS];
    edgecore_graph *graph = edgecore_graph_create();
    edgecore_message message = {""};
    int32_t ids[TENSORS], last = 0, ran = 0;
    edgecore_op_kind kinds[NODES];
    edgecore_op_params params[NODES];
    calm = draw(3) != 0;
    for (int32_t i = 0; i < 4; i++)
        common_dims[i] = i ? (int32_t)draw(9) + 1 : 1;
    for (int32_t i = 0; i < TENSORS; i++)
        random_tensor(&tensors[i], constants, scales[i], zero_points[i]);
    tensors[0].data = NULL;
    for (int32_t n = 0; n < NODES; n++) {
        kinds[n] = odd(30) ? (edgecore_op_kind)number() : (edgecore_op_kind)draw(EDGECORE_OP_KINDS);
        params[n] = random_params();
        if (draw(4))
            echo_shape(tensors, (int32_t)draw((uint32_t)n + 1), n + 1, kinds[n], &params[n]);
    }
    bool added[TENSORS];
    for (int32_t i = 0; i < TENSORS; i++) {
        added[i] = edgecore_graph_add_tensor(graph, &tensors[i], &ids[i], &message) == EDGECORE_OK;
        ids[i] = added[i] ? ids[i] : number();
    }
    for (int32_t n = 0; n < NODES; n++) {
        int32_t inputs[4], count = (int32_t)draw(3) + 1;
        const edgecore_tensor *described[4];
        for (int32_t i = 0; i < count; i++) {
            uint32_t from = draw((uint32_t)n + 1);
            from = i > 0 && !draw(4) ? draw(TENSORS) : from;
            inputs[i] = odd(40) ? number() : ids[from];
            described[i] = odd(20) ? NULL : &tensors[from];
        }
        bool supported = edgecore_node_supported(kinds[n], &params[n], described, count, &tensors[n + 1], &message) ==
                         EDGECORE_OK;
        if ((supported || odd(3)) && !edgecore_graph_add_node(graph, kinds[n], &params[n], inputs, count, ids[n + 1],
                                                                n, &message))
            last = n + 1;
    }
    edgecore_engine *engine = NULL;
    const edgecore_options options = {.threads = (int32_t)draw(3) + 1, .fuse = draw(4) != 0,
                                      .isa = draw(2) ? "scalar" : NULL};
    bool small = added[0] && added[last] && elements(&tensors[0]) < MOST_ELEMENTS && elements(&tensors[last]) < MOST_ELEMENTS;
    if (small && !edgecore_graph_set_io(graph, &ids[0], 1, &ids[last], 1, &message) &&
        !edgecore_engine_create(graph, &options, &engine, &message)) {
        ran = last > 0;
        run(engine, elements(&tensors[0]), elements(&tensors[last]));
    }
    edgecore_engine_destroy(engine);
    edgecore_graph_destroy(graph);
    return ran;
}

int main(int argc, char **argv)
{
    int graphs = argc > 1 ? atoi(argv[1]) : 20000, ran = 0;
    state = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
    void *constants = calloc(CONSTANT_BYTES, 1);
    for (int i = 0; constants && i < graphs; i++)
        ran += one_graph(constants);
    free(constants);
    printf("%d graphs, %d ran, %d failures\n", graphs, ran, failures);
    return failures || ran == 0;
}
