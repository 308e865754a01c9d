/* Operators with weights on every tier of this CPU: whole and cut into regions, from strips that hold just the rows they ask for,
 * with gaps between pixels, and with every mix of storage types; convolutions once more where Winograd's kernel takes all it can.
 * Buffers have the size that the contract promises, and strips end at a guard page: run this with an address sanitizer too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgecore/cpu.h"
#include "guarded.h"
#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "weighted_samples.h"

enum { LAYERS = 1500, CANARY = 0xA5, MOST_STRIP = 1 << 18 };

typedef struct storage {
    edgecore_dtype in, out;
    int32_t in_gap, out_gap; /* bytes between pixels */
    bool cut;
} storage;

static void fail(const layer *l, const edgecore_tier *tier, const char *what)
{
    printf("%s, %s: kind %d, in %dx%dx%d, out %dx%dx%d, kernel %dx%d, stride %d %d, dilation %d %d, groups %d\n", what, tier->name,
           (int)l->kind, l->in_h, l->in_w, l->in_c, l->out_h, l->out_w, l->out_c, l->kernel_h, l->kernel_w, l->params.stride_h,
           l->params.stride_w, l->params.dilation_h, l->params.dilation_w, l->groups);
    exit(1);
}

static edgecore_view view_of(uint8_t *data, int32_t height, int32_t width, int32_t channels, int32_t gap)
{
    return (edgecore_view){data, height, width, channels, 0, (ptrdiff_t)width * (channels + gap), channels + gap};
}

static size_t view_bytes(const edgecore_view *v)
{
    return (size_t)v->height * (size_t)v->row_stride;
}

/* A region from a copy of only those input rows that it asks for. */
static void run_strip(const edgecore_op *op, const edgecore_view *in, const edgecore_view *out, edgecore_region region,
                      void *scratch, const layer *l, const edgecore_tier *tier)
{
    int32_t y0, y1;
    op->klass->input_rows(op, 0, region.y0, region.y1, &y0, &y1);
    if (y0 < 0 || y0 >= y1 || y1 > in->height)
        fail(l, tier, "rows out of range");
    const size_t bytes = (size_t)(y1 - y0) * (size_t)in->row_stride;
    edgecore_view strip = *in;
    static uint8_t *end; /* one buffer for all that fit: guarded ones are never freed */
    if (!end)
        end = guarded(MOST_STRIP) + MOST_STRIP;
    if (bytes + EDGECORE_SLACK > MOST_STRIP)
        fail(l, tier, "a strip larger than this test has room for");
    strip.data = end - EDGECORE_SLACK - bytes;
    strip.first_row = y0;
    memcpy(strip.data, in->data + y0 * in->row_stride, bytes);
    op->klass->run(op, &strip, out, region, scratch);
}

static void run_cut(const edgecore_op *op, const edgecore_view *in, const edgecore_view *out, void *scratch, const layer *l,
                    const edgecore_tier *tier)
{
    for (int32_t y = 0, y1; y < out->height; y = y1) {
        y1 = random_between(y + 1, out->height);
        for (int32_t c = 0, c1; c < out->channels; c = c1) {
            c1 = op->channel_step ? c + op->channel_step * random_between(1, 2) : out->channels;
            c1 = c1 < out->channels ? c1 : out->channels;
            const edgecore_region region = {y, y1, c, c1};
            if (op->klass->input_rows && random_between(0, 1))
                run_strip(op, in, out, region, scratch, l, tier);
            else
                op->klass->run(op, in, out, region, scratch);
        }
    }
}

static void compare(const layer *l, const edgecore_tier *tier, const edgecore_view *out, uint8_t flip)
{
    const int8_t *want = l->output;
    for (int32_t p = 0; p < l->out_h * l->out_w; p++) {
        const uint8_t *pixel = out->data + p * out->pixel_stride;
        for (int32_t c = 0; c < l->out_c; c++)
            if ((int8_t)(pixel[c] ^ flip) != *want++)
                fail(l, tier, "wrong byte");
        for (ptrdiff_t c = l->out_c; c < out->pixel_stride; c++)
            if (pixel[c] != CANARY)
                fail(l, tier, "wrote between pixels");
    }
}

/* Whatever check() accepts of bent descriptions must prepare without touching memory that is not there. */
static void hostile_transposition(const layer *l, const edgecore_tier *tier)
{
    static const int32_t bad[] = {0, -1, 2, 3, 5, 16, 17, 46341, INT32_MAX, INT32_MIN};
    const int32_t in_zero = l->in_zero, out_zero = l->out_zero;
    const edgecore_tensor x = {EDGECORE_INT8, 4, {1, l->in_h, l->in_w, l->in_c}, 1, &l->in_scale, &in_zero, NULL, NULL};
    edgecore_tensor y = {EDGECORE_INT8, 4, {1, l->out_h, l->out_w, l->out_c}, 1, &l->out_scale, &out_zero, NULL, NULL};
    const edgecore_tensor w = {EDGECORE_INT8, 4, {l->out_c, l->kernel_h, l->kernel_w, l->depth}, 1, l->weight_scales,
                               &(int32_t){0}, l->weights, NULL};
    edgecore_op_params params = l->params;
    int32_t *fields[] = {&params.stride_h, &params.stride_w, &params.pad_top, &params.pad_left, &y.dims[1], &y.dims[3]};
    *fields[random_between(0, 5)] = bad[random_between(0, 9)];
    const edgecore_tensor *inputs[] = {&x, &w};
    const edgecore_op_desc desc = {EDGECORE_TRANSPOSE_CONV, &params, inputs, 2, &y, EDGECORE_INT8};
    const edgecore_op_class *klass = edgecore_op_class_of(EDGECORE_TRANSPOSE_CONV);
    edgecore_message message = {""};
    edgecore_op *op = NULL;
    if (klass->check(&desc, &message) == EDGECORE_OK && klass->prepare(&desc, tier, &op, &message) == EDGECORE_OK)
        klass->destroy(op);
}

static void run_layer(const layer *l, const edgecore_tier *tier, storage how)
{
    const bool fc = l->kind == EDGECORE_FULLY_CONNECTED, depthwise = l->kind == EDGECORE_DEPTHWISE_CONV_2D;
    const uint8_t flip_in = how.in == EDGECORE_UINT8 ? 0x80 : 0, flip_out = how.out == EDGECORE_UINT8 ? 0x80 : 0;
    const int32_t in_zero = l->in_zero + flip_in, out_zero = l->out_zero + flip_out;
    const edgecore_tensor x = {how.in, 4, {1, l->in_h, l->in_w, l->in_c}, 1, &l->in_scale, &in_zero, NULL, NULL};
    const edgecore_tensor y = {how.out, 4, {1, l->out_h, l->out_w, l->out_c}, 1, &l->out_scale, &out_zero, NULL, NULL};
    const edgecore_tensor b = {EDGECORE_INT32, 1, {l->out_c}, 0, NULL, NULL, l->bias, NULL};
    edgecore_tensor w = {EDGECORE_INT8, fc ? 2 : 4, {l->out_c, l->kernel_h, l->kernel_w, l->depth}, l->per_channel ? l->out_c : 1,
                         l->weight_scales, l->weight_zeros, l->weights, NULL};
    if (fc)
        w.dims[1] = l->depth;
    if (depthwise) {
        w.dims[0] = 1;
        w.dims[3] = l->out_c;
    }
    uint8_t *as_uint8 = NULL;
    if (l->asymmetric) {
        const size_t n = (size_t)(l->out_c * l->kernel_h * l->kernel_w * l->depth);
        as_uint8 = malloc(n);
        for (size_t i = 0; i < n; i++)
            as_uint8[i] = (uint8_t)l->weights[i] ^ 0x80;
        w.dtype = EDGECORE_UINT8;
        w.data = as_uint8;
    }
    const edgecore_tensor *inputs[] = {&x, &w, l->has_bias ? &b : NULL};
    const edgecore_op_desc desc = {l->kind, &l->params, inputs, l->has_bias ? 3 : random_between(2, 3), &y, EDGECORE_INT8};
    const edgecore_op_class *klass = edgecore_op_class_of(l->kind);
    edgecore_message message = {""};
    edgecore_op *op = NULL;
    if (klass->check(&desc, &message) != EDGECORE_OK || klass->prepare(&desc, tier, &op, &message) != EDGECORE_OK)
        fail(l, tier, message.text);
    free(as_uint8);
    edgecore_view in = view_of(NULL, l->in_h, l->in_w, l->in_c, how.in_gap);
    edgecore_view out = view_of(NULL, l->out_h, l->out_w, l->out_c, how.out_gap);
    in.data = malloc(view_bytes(&in) + EDGECORE_SLACK);
    out.data = malloc(view_bytes(&out));
    memset(in.data, random_between(0, 255), view_bytes(&in) + EDGECORE_SLACK);
    memset(out.data, CANARY, view_bytes(&out));
    for (int32_t p = 0; p < l->in_h * l->in_w; p++)
        for (int32_t c = 0; c < l->in_c; c++)
            in.data[p * in.pixel_stride + c] = (uint8_t)l->input[p * l->in_c + c] ^ flip_in;
    void *scratch = aligned_alloc(64, (op->scratch_bytes + 63) / 64 * 64);
    memset(scratch, random_between(0, 255), op->scratch_bytes);
    if (how.cut)
        run_cut(op, &in, &out, scratch, l, tier);
    else
        op->klass->run(op, &in, &out, (edgecore_region){0, l->out_h, 0, l->out_c}, scratch);
    compare(l, tier, &out, flip_out);
    op->klass->destroy(op);
    free(in.data);
    free(out.data);
    free(scratch);
}

/* The tier with GEMM tiles that seem to cost so much that Winograd kernels run wherever they are exact. */
static const edgecore_tier *preferring_winograd(const edgecore_tier *tier)
{
    static edgecore_tier copy;
    static edgecore_gemm_kernel dear[EDGECORE_MAX_GEMMS];
    copy = *tier;
    for (int32_t g = 0; g < tier->gemm_count; g++) {
        dear[g] = *tier->gemms[g];
        dear[g].group_cost *= 1e6f;
        copy.gemms[g] = &dear[g];
    }
    return &copy;
}

static storage draw_storage(void)
{
    return (storage){(edgecore_dtype)random_between(0, 1), (edgecore_dtype)random_between(0, 1), random_between(0, 20),
                     random_between(0, 70), true};
}

/* A layer whose copied columns take 2^32 bytes for a row of pixels: an operator has scratch for those that it takes at once, and 32
 * bits must not make that nothing. Only prepared, for it would run for minutes. */
static void huge_layer(const edgecore_tier *tier)
{
    enum { HEIGHT = 16, WIDTH = 256, CHANNELS = (1 << 20) - EDGECORE_SLACK };
    const float scale = 1.0f;
    const int32_t zero = 0;
    int8_t *weights = calloc(HEIGHT, CHANNELS);
    const edgecore_dtype other = tier->storage == EDGECORE_INT8 ? EDGECORE_UINT8 : EDGECORE_INT8;
    const edgecore_tensor x = {other, 4, {1, 1, WIDTH, CHANNELS}, 1, &scale, &zero, NULL, NULL};
    const edgecore_tensor w = {EDGECORE_INT8, 4, {1, HEIGHT, 1, CHANNELS}, 1, &scale, &zero, weights, NULL};
    const edgecore_op_params params = {
        .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .pad_top = HEIGHT - 1};
    const edgecore_tensor *inputs[] = {&x, &w};
    const edgecore_op_desc desc = {EDGECORE_DEPTHWISE_CONV_2D, &params, inputs, 2, &x, EDGECORE_INT8};
    const edgecore_op_class *klass = edgecore_op_class_of(desc.kind);
    edgecore_message message = {""};
    edgecore_op *op = NULL;
    if (klass->check(&desc, &message) != EDGECORE_OK || klass->prepare(&desc, tier, &op, &message) != EDGECORE_OK ||
        op->scratch_bytes < (size_t)HEIGHT * CHANNELS) {
        printf("%s: scratch of a huge layer: %s\n", tier->name, message.text);
        exit(1);
    }
    klass->destroy(op);
    free(weights);
}

int main(int argc, char **argv)
{
    for (int32_t t = 0; t < edgecore_isa_count(); t++)
        if (edgecore_isa_available(t))
            huge_layer(edgecore_tier_at(t));
    const int32_t layers = argc > 1 ? atoi(argv[1]) : LAYERS;
    for (int32_t i = 0; i < layers; i++) {
        layer l;
        draw_layer(&l);
        for (int32_t t = 0; t < edgecore_isa_count(); t++) {
            const edgecore_tier *tier = edgecore_tier_at(t);
            if (!edgecore_isa_available(t))
                continue;
            run_layer(&l, tier, (storage){tier->storage, tier->storage, 0, 0, false});
            run_layer(&l, tier, draw_storage());
            if (tier->winograd && l.kind == EDGECORE_CONV_2D) {
                storage gaps = draw_storage();
                gaps.in = tier->storage; /* the kernel's own; another type goes to the GEMM */
                run_layer(&l, preferring_winograd(tier), (storage){tier->storage, tier->storage, 0, 0, false});
                run_layer(&l, preferring_winograd(tier), gaps);
            }
        }
        if (l.kind == EDGECORE_TRANSPOSE_CONV && !l.asymmetric)
            hostile_transposition(&l, edgecore_tier_at(0));
        free_layer(&l);
    }
    return 0;
}
