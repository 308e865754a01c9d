/* The contract of ops/op.h for the operators without weights: bytes depend neither on how the output is cut into regions, nor
 * on strides, nor on the storage types, nor on the tier; nothing outside the region is written; and a hostile
 * description is refused or harmless. Meant to be built with sanitizers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/tiers.h"
#include "operators_samples.h"
#include "ops/op.h"

/* The tier that is compared with the scalar one: the library's best for this CPU where the test is linked to the library,
 * else the portable rows as this host's instruction set has them. */
#if defined(EDGECORE_LINKED)
#include "edgecore/cpu.h"

static const edgecore_tier *vectors(void)
{
    int32_t best = edgecore_isa_count() - 1;
    while (!edgecore_isa_available(best))
        best--;
    return edgecore_tier_at(best);
}
#else
extern const edgecore_tier rows_native;

static const edgecore_tier *vectors(void)
{
    return &rows_native;
}
#endif

extern const edgecore_op_class edgecore_affine_channel_class;

enum { CANARY = 0xA5 };

/* How one run differs from the plain one. */
typedef struct variant {
    const edgecore_tier *tier;
    uint32_t flips; /* bit i: input i is stored as uint8; bit 31: the output is */
    int32_t gap;    /* bytes between pixels that belong to another */
    bool cut;
} variant;

static edgecore_view make_view(const edgecore_tensor *tensor, int32_t gap, size_t slack, const uint8_t *dense)
{
    edgecore_view view = {0};
    edgecore_tensor_layout(tensor, &view.height, &view.width, &view.channels);
    view.pixel_stride = view.channels + gap;
    view.row_stride = view.pixel_stride * view.width + gap;
    size_t bytes = (size_t)view.row_stride * (size_t)view.height;
    uint8_t flip = tensor->dtype == EDGECORE_UINT8 ? 0x80 : 0;
    view.data = malloc(bytes + slack);
    memset(view.data, CANARY, bytes);
    for (int32_t y = 0; dense && y < view.height; y++)
        for (int32_t x = 0; x < view.width; x++)
            for (int32_t c = 0; c < view.channels; c++)
                view.data[y * view.row_stride + x * view.pixel_stride + c] = *dense++ ^ flip;
    return view;
}

/* The output as dense int8, and a check of the gaps. */
static bool read_view(const edgecore_view *view, const edgecore_tensor *tensor, uint8_t *dense)
{
    uint8_t flip = tensor->dtype == EDGECORE_UINT8 ? 0x80 : 0;
    for (int32_t y = 0; y < view->height; y++) {
        for (int32_t x = 0; x < view->width; x++) {
            const uint8_t *pixel = view->data + y * view->row_stride + x * view->pixel_stride;
            for (int32_t c = 0; c < view->channels; c++)
                *dense++ = pixel[c] ^ flip;
            for (ptrdiff_t c = view->channels; c < view->pixel_stride; c++)
                if (pixel[c] != CANARY)
                    return false;
        }
    }
    return true;
}

static void run_regions(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output, bool cut)
{
    size_t bytes = (op->scratch_bytes + 63) / 64 * 64;
    void *scratch = bytes ? aligned_alloc(64, bytes) : NULL;
    for (int32_t y0 = 0, y1; y0 < output->height; y0 = y1) {
        y1 = cut && op->splits_rows ? y0 + 1 + below(output->height - y0) : output->height;
        for (int32_t c0 = 0, c1; c0 < output->channels; c0 = c1) {
            c1 = cut && op->channel_step ? c0 + op->channel_step * (1 + below(2)) : output->channels;
            c1 = c1 < output->channels ? c1 : output->channels;
            if (bytes)
                memset(scratch, below(256), bytes);
            op->klass->run(op, inputs, output, (edgecore_region){y0, y1, c0, c1}, scratch);
        }
    }
    free(scratch);
}

static bool run_variant(const sample *made, const variant *how, uint8_t *const *data, uint8_t *result)
{
    sample s = *made;
    edgecore_message message = {""};
    edgecore_op *op = NULL;
    edgecore_view views[MOST_INPUTS + 1];
    link_sample(&s, made->desc.kind, made->desc.input_count);
    for (int32_t i = 0; i <= MOST_INPUTS; i++) {
        if (!s.tensors[i].data && how->flips >> (i == MOST_INPUTS ? 31 : i) & 1) {
            s.tensors[i].dtype = EDGECORE_UINT8;
            s.zero_points[i] += 128;
        }
    }
    const edgecore_op_class *klass = edgecore_op_class_of(s.desc.kind);
    if (klass->check(&s.desc, &message) || klass->prepare(&s.desc, how->tier, &op, &message)) {
        fprintf(stderr, "%s: %s\n", klass->name, message.text);
        return false;
    }
    for (int32_t i = 0; i < s.desc.input_count; i++)
        views[i] = make_view(&s.tensors[i], how->gap, EDGECORE_SLACK, data[i]);
    edgecore_view output = make_view(s.desc.output, how->gap, 0, NULL);
    run_regions(op, views, &output, how->cut);
    bool intact = read_view(&output, s.desc.output, result);
    if (!intact)
        fprintf(stderr, "%s wrote between the pixels\n", klass->name);
    for (int32_t i = 0; i < s.desc.input_count; i++)
        free(views[i].data);
    free(output.data);
    klass->destroy(op);
    return intact;
}

static size_t elements(const edgecore_tensor *tensor)
{
    size_t n = 1;
    for (int32_t i = 0; i < tensor->rank; i++)
        n *= (size_t)tensor->dims[i];
    return n;
}

static bool test_kind(edgecore_op_kind kind, int32_t rounds)
{
    bool good = true;
    for (int32_t round = 0; good && round < rounds; round++) {
        sample s;
        uint8_t *data[MOST_INPUTS] = {NULL};
        make_sample(&s, kind);
        for (int32_t i = 0; i < s.desc.input_count; i++) {
            size_t n = elements(&s.tensors[i]);
            data[i] = malloc(n);
            for (size_t k = 0; k < n; k++)
                data[i][k] = (uint8_t)below(256);
        }
        size_t n = elements(s.desc.output);
        uint8_t *wanted = malloc(n), *got = malloc(n);
        good = run_variant(&s, &(variant){&edgecore_tier_scalar, 0, 0, false}, data, wanted);
        for (int32_t i = 0; good && i < 6; i++) {
            const variant how = {i % 2 ? vectors() : &edgecore_tier_scalar,
                                 i < 2 ? 0xffffffffu * (uint32_t)i : (uint32_t)below(1 << 24) * 193u,
                                 below(2) * 5, i > 0};
            good = run_variant(&s, &how, data, got);
            if (good && memcmp(wanted, got, n) != 0) {
                fprintf(stderr, "%s: other bytes, tier %s, flips %x, gap %d\n", edgecore_op_class_of(kind)->name,
                        how.tier->name, (unsigned)how.flips, (int)how.gap);
                good = false;
            }
        }
        for (int32_t i = 0; i < MOST_INPUTS; i++)
            free(data[i]);
        free(wanted);
        free(got);
    }
    return good;
}

/* Overwrites one or two fields of a good description with values that break something somewhere. */
static void spoil(sample *s)
{
    static const int32_t bad[] = {0, -1, 2, 3, 7, 1 << 20, (1 << 20) + 1, 46341, 65536, INT32_MAX, INT32_MIN};
    static const float scales[] = {0.0f, -1.0f, NAN, INFINITY, 1e-45f, 3e38f, 1e-20f, 1e20f};
    edgecore_tensor *tensor = &s->tensors[below(2) ? 0 : MOST_INPUTS];
    int32_t *fields = (int32_t *)(void *)&s->params;
    switch (below(8)) {
    case 0:
        tensor->dims[below(4)] = one_of(bad, 11);
        break;
    case 1:
        tensor->rank = one_of(bad, 11);
        break;
    case 2:
        s->scales[below(MOST_INPUTS + 1)] = scales[below(8)];
        break;
    case 3:
        s->zero_points[below(MOST_INPUTS + 1)] = below(2) ? 127 : one_of(bad, 11);
        break;
    case 4:
        tensor->dtype = (edgecore_dtype)one_of(bad, 11);
        break;
    case 5:
        tensor->scale_count = one_of(bad, 11);
        break;
    case 6:
        s->inputs[0] = NULL;
        break;
    default:
        fields[below(14)] = one_of(bad, 11); /* up to axis_count: all are 32-bit integers */
    }
    if (below(8) == 0)
        s->desc.input_count = one_of(bad, 5);
}

/* Whatever check() accepts must prepare without touching memory that is not there. */
static void test_hostile(edgecore_op_kind kind, int32_t rounds)
{
    const edgecore_op_class *klass = edgecore_op_class_of(kind);
    for (int32_t round = 0; round < rounds; round++) {
        sample s;
        edgecore_message message;
        edgecore_op *op = NULL;
        make_sample(&s, kind);
        spoil(&s);
        if (below(2))
            spoil(&s);
        if (klass->check(&s.desc, &message) == EDGECORE_OK &&
            klass->prepare(&s.desc, vectors(), &op, &message) == EDGECORE_OK)
            klass->destroy(op);
    }
}

static edgecore_tier counting_tier;
static int32_t kernel_calls;

static void counted_affine_pixels(const edgecore_affine_pixels *args)
{
    kernel_calls++;
    vectors()->affine_pixels(args);
}

/* Blocks of channels for which no coefficients are exact take the rows instead: few may. */
static bool test_affine_takes_the_kernel(void)
{
    counting_tier = *vectors();
    counting_tier.affine_pixels = counted_affine_pixels;
    int32_t blocks = 0, taken = 0;
    for (int32_t round = 0; vectors()->affine_pixels && round < 200; round++) {
        sample s;
        edgecore_op *op = NULL;
        make_sample(&s, EDGECORE_AFFINE_CHANNEL);
        s.tensors[0].dtype = s.tensors[MOST_INPUTS].dtype = EDGECORE_UINT8;
        s.zero_points[0] += 128;
        s.zero_points[MOST_INPUTS] += 128;
        if (edgecore_affine_channel_class.check(&s.desc, NULL) ||
            edgecore_affine_channel_class.prepare(&s.desc, &counting_tier, &op, NULL))
            return false;
        const edgecore_view in = make_view(&s.tensors[0], 0, EDGECORE_SLACK, NULL);
        const edgecore_view out = make_view(s.desc.output, 0, 0, NULL);
        kernel_calls = 0;
        edgecore_affine_channel_class.run(op, &in, &out, (edgecore_region){0, 1, 0, out.channels}, NULL);
        blocks += (out.channels + EDGECORE_AFFINE_CHANNELS - 1) / EDGECORE_AFFINE_CHANNELS;
        taken += kernel_calls;
        free(in.data);
        free(out.data);
        edgecore_affine_channel_class.destroy(op);
    }
    if (taken < blocks - blocks / 50)
        fprintf(stderr, "only %d of %d blocks of channels take the affine kernel\n", taken, blocks);
    return taken >= blocks - blocks / 50;
}

int main(void)
{
    bool good = test_affine_takes_the_kernel();
    for (int32_t kind = EDGECORE_MAX_POOL_2D; kind < EDGECORE_OP_KINDS; kind++) {
        good = test_kind((edgecore_op_kind)kind, 40) && good;
        test_hostile((edgecore_op_kind)kind, 3000);
    }
    puts(good ? "good" : "bad");
    return good ? 0 : 1;
}
