#include "weighted_samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "ops/arithmetic.h"

static float random_unit(void)
{
    return (float)random_between(1, 1 << 20) / (1 << 20);
}

static int8_t *random_bytes(size_t n)
{
    int8_t *bytes = malloc(n ? n : 1);
    const int32_t pattern = random_between(0, 4); /* all lowest, all highest, any */
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern == 0 ? -128 : pattern == 1 ? 127 : (int8_t)random_between(-128, 127);
    return bytes;
}

static int32_t random_zero(void)
{
    return random_between(0, 2) ? random_between(-128, 127) : random_between(0, 1) ? 127 : -128;
}

static int32_t windows(int32_t in, int32_t pads, int32_t kernel, int32_t stride, int32_t dilation)
{
    const int32_t reach = (kernel - 1) * dilation + 1;
    return in + pads < reach ? 0 : (in + pads - reach) / stride + 1;
}

static void draw_window(layer *l)
{
    edgecore_op_params *p = &l->params;
    do {
        const int32_t usual = random_between(0, 2);
        l->kernel_h = usual == 0 ? 1 : usual == 1 ? 3 : random_between(1, 6);
        l->kernel_w = usual == 0 ? 1 : usual == 1 ? 3 : random_between(1, 5);
        const bool plain = usual == 1 && random_between(0, 1); /* what a Winograd kernel takes */
        const bool dilated = !plain && random_between(0, 4) == 0, padded = random_between(0, 2) != 0;
        p->stride_h = plain ? 1 : random_between(1, 3);
        p->stride_w = plain ? 1 : random_between(1, 3);
        p->dilation_h = dilated ? random_between(1, 3) : 1;
        p->dilation_w = dilated ? random_between(1, 3) : 1;
        p->pad_top = padded ? random_between(0, l->kernel_h) : 0;
        p->pad_bottom = padded ? random_between(0, l->kernel_h) : 0;
        p->pad_left = padded ? random_between(0, l->kernel_w) : 0;
        p->pad_right = padded ? random_between(0, l->kernel_w) : 0;
        l->in_h = random_between(1, 14);
        l->in_w = random_between(0, 9) ? random_between(1, 14) : random_between(20, 60);
        l->out_h = windows(l->in_h, p->pad_top + p->pad_bottom, l->kernel_h, p->stride_h, p->dilation_h);
        l->out_w = windows(l->in_w, p->pad_left + p->pad_right, l->kernel_w, p->stride_w, p->dilation_w);
    } while (l->out_h == 0 || l->out_w == 0);
}

/* Outputs of any size: what no tap reaches is the bias alone. */
static void draw_transposed_window(layer *l)
{
    edgecore_op_params *p = &l->params;
    const bool usual = random_between(0, 1);
    l->kernel_h = usual ? 2 : random_between(1, 5);
    l->kernel_w = usual ? 2 : random_between(1, 5);
    p->stride_h = usual ? 2 : random_between(1, 4);
    p->stride_w = usual ? 2 : random_between(1, 4);
    p->pad_top = random_between(0, l->kernel_h - 1);
    p->pad_left = random_between(0, l->kernel_w - 1);
    l->in_h = random_between(1, 8);
    l->in_w = random_between(1, 8);
    l->out_h = random_between(1, (l->in_h - 1) * p->stride_h + l->kernel_h + 2);
    l->out_w = random_between(1, (l->in_w - 1) * p->stride_w + l->kernel_w + 2);
}

static void draw_shape(layer *l)
{
    l->in_c = random_between(0, 3) ? random_between(1, 40) : random_between(1, 150);
    l->out_c = random_between(0, 3) ? random_between(1, 70) : random_between(1, 200);
    l->groups = 1;
    if (l->kind == EDGECORE_FULLY_CONNECTED) {
        l->kernel_h = l->kernel_w = 1;
        l->in_h = random_between(1, 3);
        l->in_w = random_between(1, 3);
        l->one_vector = random_between(0, 1);
        l->out_h = l->one_vector ? 1 : l->in_h;
        l->out_w = l->one_vector ? 1 : l->in_w;
        l->depth = l->one_vector ? l->in_h * l->in_w * l->in_c : l->in_c;
        return;
    }
    if (l->kind == EDGECORE_TRANSPOSE_CONV) {
        draw_transposed_window(l);
        l->depth = l->in_c;
        return;
    }
    draw_window(l);
    if (l->kind == EDGECORE_DEPTHWISE_CONV_2D) {
        l->params.depth_multiplier = random_between(0, 3) ? 1 : random_between(1, 4);
        l->out_c = l->in_c * l->params.depth_multiplier;
        l->depth = 1;
        return;
    }
    if (random_between(0, 5) == 0) {
        l->groups = random_between(1, 4);
        l->in_c = l->groups * random_between(1, 20);
        l->out_c = l->groups * random_between(1, 40);
    }
    /* About where sums of the lowest values become too large for a Winograd kernel to be exact. */
    l->extreme = l->groups == 1 && l->kernel_h == 3 && l->kernel_w == 3 && random_between(0, 9) == 0;
    if (l->extreme)
        l->in_c = random_between(224, 230);
    l->depth = l->in_c / l->groups;
}

static void draw_quantisation(layer *l)
{
    const int32_t scales = l->per_channel ? l->out_c : 1;
    const float spread = sqrtf((float)(l->kernel_h * l->kernel_w * l->depth));
    l->in_zero = random_zero();
    l->out_zero = random_zero();
    l->weight_zero = l->asymmetric ? random_zero() : 0;
    l->in_scale = 0.001f + 0.05f * random_unit();
    l->weight_scales = malloc((size_t)l->out_c * sizeof(float));
    l->weight_zeros = calloc((size_t)l->out_c, sizeof(int32_t));
    l->weight_zeros[0] = l->asymmetric ? l->weight_zero + 128 : 0;
    for (int32_t c = 0; c < scales; c++)
        l->weight_scales[c] = 0.02f * random_unit() * (random_between(0, 30) ? 1.0f : 100.0f);
    l->out_scale = l->in_scale * 0.6f * spread * (0.3f + random_unit());
    if (random_between(0, 5) == 0) /* steep: left shifts */
        l->out_scale /= (float)(1 << random_between(0, 12));
    if (random_between(0, 8) == 0) { /* powers of two: many exact ties */
        l->in_scale = l->out_scale = 0.5f;
        for (int32_t c = 0; c < scales; c++)
            l->weight_scales[c] = 1.0f / (float)(1 << random_between(0, 9));
    }
}

/* Of one input pixel under one tap. */
static uint32_t products(const layer *l, const int8_t *in, const int8_t *weights)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < l->depth; i++)
        sum += (uint32_t)((in[i] - l->in_zero) * (weights[i] - l->weight_zero));
    return sum;
}

/* Which row or column a tap of a convolution or of a transposed one reads; below 0 for none. */
static int32_t source(const layer *l, int32_t at, int32_t tap, int32_t stride, int32_t pad, int32_t dilation)
{
    if (l->kind != EDGECORE_TRANSPOSE_CONV)
        return at * stride - pad + tap * dilation;
    const int32_t reach = at + pad - tap;
    return reach >= 0 && reach % stride == 0 ? reach / stride : -1;
}

static uint32_t sum_of(const layer *l, int32_t y, int32_t x, int32_t c)
{
    const edgecore_op_params *p = &l->params;
    uint32_t acc = l->has_bias ? (uint32_t)l->bias[c] : 0;
    if (l->kind == EDGECORE_FULLY_CONNECTED) {
        const int8_t *vector = l->input + (l->one_vector ? 0 : (y * l->in_w + x) * l->in_c);
        return acc + products(l, vector, l->weights + c * l->depth);
    }
    const bool depthwise = l->kind == EDGECORE_DEPTHWISE_CONV_2D;
    const int32_t first = depthwise ? c / p->depth_multiplier : c / (l->out_c / l->groups) * l->depth;
    for (int32_t ky = 0; ky < l->kernel_h; ky++)
        for (int32_t kx = 0; kx < l->kernel_w; kx++) {
            const int32_t iy = source(l, y, ky, p->stride_h, p->pad_top, p->dilation_h);
            const int32_t ix = source(l, x, kx, p->stride_w, p->pad_left, p->dilation_w);
            if (iy < 0 || iy >= l->in_h || ix < 0 || ix >= l->in_w)
                continue;
            const int32_t tap = ky * l->kernel_w + kx;
            const int8_t *in = l->input + (iy * l->in_w + ix) * l->in_c + first;
            const int8_t *w = l->weights + (depthwise ? tap * l->out_c + c : (c * l->kernel_h * l->kernel_w + tap) * l->depth);
            acc += products(l, in, w);
        }
    return acc;
}

static void compute_output(layer *l)
{
    const edgecore_tensor as_int8 = {.dtype = EDGECORE_INT8, .scales = &l->out_scale, .zero_points = &l->out_zero};
    int32_t min, max;
    edgecore_activation_range(l->params.activation, &as_int8, &min, &max);
    l->output = malloc((size_t)(l->out_h * l->out_w * l->out_c));
    int8_t *to = l->output;
    for (int32_t y = 0; y < l->out_h; y++)
        for (int32_t x = 0; x < l->out_w; x++)
            for (int32_t c = 0; c < l->out_c; c++) {
                const float w = l->weight_scales[l->per_channel ? c : 0];
                const bool in_float = l->kind == EDGECORE_FULLY_CONNECTED || l->asymmetric;
                const double product = in_float ? (double)(l->in_scale * w) : (double)l->in_scale * w;
                const edgecore_multiplier m = edgecore_quantize_multiplier(product / l->out_scale);
                const int64_t value = (int64_t)edgecore_rescale((int32_t)sum_of(l, y, x, c), m) + l->out_zero + 128;
                *to++ = (int8_t)((value < min ? min : value > max ? max : value) - 128);
            }
}

void draw_layer(layer *l)
{
    *l = (layer){.params = {.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1}};
    static const edgecore_op_kind rarer[] = {EDGECORE_DEPTHWISE_CONV_2D, EDGECORE_FULLY_CONNECTED, EDGECORE_TRANSPOSE_CONV};
    const int32_t kind = random_between(0, 11);
    l->kind = kind < 6 ? EDGECORE_CONV_2D : rarer[kind / 2 - 3];
    l->asymmetric = random_between(0, 4) == 0;
    l->params.activation = (edgecore_activation)random_between(0, EDGECORE_ACT_RELU6);
    l->per_channel = l->kind != EDGECORE_FULLY_CONNECTED && !l->asymmetric && random_between(0, 1);
    l->has_bias = random_between(0, 3) != 0;
    draw_shape(l);
    draw_quantisation(l);
    l->weights = random_bytes((size_t)(l->out_c * l->kernel_h * l->kernel_w * l->depth));
    l->input = random_bytes((size_t)(l->in_h * l->in_w * l->in_c));
    if (l->extreme && random_between(0, 1)) {
        memset(l->weights, -128, (size_t)(l->out_c * l->kernel_h * l->kernel_w * l->depth));
        memset(l->input, -128, (size_t)(l->in_h * l->in_w * l->in_c));
    }
    l->bias = malloc((size_t)l->out_c * sizeof(int32_t));
    for (int32_t c = 0; c < l->out_c; c++)
        l->bias[c] = random_between(0, 20) ? random_between(-20000, 20000) : (int32_t)random_32();
    compute_output(l);
}

void free_layer(layer *l)
{
    free(l->weights);
    free(l->input);
    free(l->output);
    free(l->bias);
    free(l->weight_zeros);
    free(l->weight_scales);
}
