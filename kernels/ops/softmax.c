/* SOFTMAX over the channels, in gemmlowp's fixed point: exp of a distance from the row's maximum is a table of 256
 * Q0.31 values, the sum is Q12.19, its reciprocal comes from three Newton-Raphson steps. Names like q5_26 say how many integer
 * and fraction bits a raw int32 has. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct softmax {
    edgecore_op base;
    void (*pixels)(uint8_t *out, const uint8_t *in, size_t pixels, const edgecore_row_softmax *how); /* or NULL */
    uint8_t flip_in, flip_out;
    int32_t exps[256]; /* Q0.31, by the distance below the maximum; 0 where it is out of reach */
    int32_t reach;     /* the largest distance that counts */
} softmax;

#define INPUT_INTEGER_BITS 5
#define SUM_INTEGER_BITS 12

/* Rows of fewer pixels cost less one by one. */
#define FEW_PIXELS 8

/* exp(-1 / 8 + x) about -1 / 8 by its Taylor series up to x^4, for values in [-1 / 4, 0). */
static int32_t exp_of_small(int32_t q0_31)
{
    const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
    int32_t x = q0_31 + (1 << 28);
    int32_t x2 = edgecore_high_mul(x, x);
    int32_t x3 = edgecore_high_mul(x2, x);
    int32_t x4 = edgecore_high_mul(x2, x2);
    int32_t x4_4_plus_x3 = edgecore_rounding_shift(x4, 2) + x3;
    int32_t tail = edgecore_rounding_shift(edgecore_high_mul(x4_4_plus_x3, third) + x2, 1);
    return exp_of_minus_eighth + edgecore_high_mul(exp_of_minus_eighth, x + tail);
}

/* exp for q5_26 <= 0: the fraction of a quarter by the series, the rest one factor exp(-2^k) a bit. */
static int32_t exp_of_negative(int32_t q5_26)
{
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (q5_26 == 0)
        return INT32_MAX;
    const int32_t quarter = 1 << 24;
    int32_t fraction = (q5_26 & (quarter - 1)) - quarter;
    int32_t rest = fraction - q5_26;
    int32_t result = exp_of_small(edgecore_shift_left_wrap(fraction, INPUT_INTEGER_BITS));
    for (int32_t k = 0; k < 7; k++)
        if (rest & (quarter << k))
            result = edgecore_high_mul(result, factors[k]);
    return result;
}

static int32_t saturating_left_shift(int32_t value, int32_t shift)
{
    int64_t wide = (int64_t)value * (INT64_C(1) << shift);
    return (int32_t)(wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : wide);
}

/* 1 / (1 + x) for q0_31 in [0, 1). */
static int32_t reciprocal_of_one_plus(int32_t q0_31)
{
    int32_t half_denominator = (int32_t)(((int64_t)q0_31 + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + edgecore_high_mul(half_denominator, -1010580540); /* Q2.29: 48 / 17 - 32 / 17 d */
    for (int32_t i = 0; i < 3; i++) {
        int32_t error = (1 << 29) - edgecore_high_mul(half_denominator, x);
        x += saturating_left_shift(edgecore_high_mul(x, error), 2);
    }
    return saturating_left_shift(x, 1);
}

/* Distances are scaled to Q5.26; false where the reference would not accept the scale. */
static bool input_multiplier(const edgecore_op_desc *desc, edgecore_multiplier *m)
{
    double real = (double)desc->params->beta * (double)desc->inputs[0]->scales[0] * (1 << (31 - INPUT_INTEGER_BITS));
    if (!(real > 1.0))
        return false;
    *m = edgecore_quantize_multiplier(real < 2147483647.0 ? real : 2147483647.0);
    return true;
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_multiplier m;
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    if (!edgecore_same_dims(in, out))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "input and output differ in shape");
    if (edgecore_zero_point_u8(out) != 0 || fabsf(out->scales[0] - 1.0f / 256) > 0.001f / 256)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "softmax's output is not in steps of 1 / 256 from 0");
    if (!input_multiplier(desc, &m))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "softmax's input scale or beta is too small");
    if (edgecore_shape4_of(in).dims[3] >= 1 << SUM_INTEGER_BITS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "softmax over 4096 or more values");
    return EDGECORE_OK;
}

static void destroy(edgecore_op *op)
{
    free(op);
}

/* A nearly flat softmax over 512 or more values makes the reference shift an int32 by 32 or more. Its x86 build then
 * shifts by the low five bits and always rounds up, so that most outputs saturate; the same bytes are given here. */
static int32_t scale_down(int32_t value, int32_t shift)
{
    return shift < 32 ? edgecore_rounding_shift(value, shift) : (value >> (shift - 32)) + 1;
}

static void softmax_of_pixel(const softmax *self, uint8_t *out, const uint8_t *in, int32_t n)
{
    int32_t max = 0, sum = 0;
    for (int32_t c = 0; c < n; c++) {
        int32_t u = in[c] ^ self->flip_in;
        max = u > max ? u : max;
    }
    for (int32_t c = 0; c < n; c++)
        sum += edgecore_rounding_shift(self->exps[max - (in[c] ^ self->flip_in)], SUM_INTEGER_BITS);
    int32_t headroom = __builtin_clz((uint32_t)sum);
    int32_t scale = reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) - (UINT32_C(1) << 31)));
    int32_t shift = SUM_INTEGER_BITS - headroom + 31 - 8;
    for (int32_t c = 0; c < n; c++) {
        int32_t distance = max - (in[c] ^ self->flip_in), value = 0;
        if (distance <= self->reach)
            value = scale_down(edgecore_high_mul(scale, self->exps[distance]), shift);
        out[c] = edgecore_clamp_u8(value, 0, 255) ^ self->flip_out;
    }
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const softmax *self = (const softmax *)op;
    if (self->pixels) {
        const edgecore_row_softmax how = {
            .exps = self->exps,
            .channels = (size_t)output->channels,
            .in_stride = inputs[0].pixel_stride,
            .out_stride = output->pixel_stride,
            .flip_in = self->flip_in,
            .flip_out = self->flip_out,
            .scratch = scratch,
        };
        for (int32_t y = region.y0; y < region.y1; y++)
            self->pixels(edgecore_view_at(output, y, 0, 0), edgecore_view_at(&inputs[0], y, 0, 0), (size_t)output->width,
                         &how);
        return;
    }
    for (int32_t y = region.y0; y < region.y1; y++)
        for (int32_t x = 0; x < output->width; x++)
            softmax_of_pixel(self, edgecore_view_at(output, y, x, 0), edgecore_view_at(&inputs[0], y, x, 0),
                             output->channels);
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_softmax_class = {
    .name = "softmax",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = edgecore_same_input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    softmax *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    edgecore_multiplier m = {0, 0};
    input_multiplier(desc, &m);
    /* What still fits into Q5.26 after the left shift. */
    double reach = floor(31.0 * (1 << 26) / (double)(INT64_C(1) << m.shift));
    self->reach = reach > 255 ? 255 : (int32_t)reach;
    for (int32_t distance = 0; distance <= self->reach; distance++)
        self->exps[distance] =
            exp_of_negative(edgecore_high_mul(edgecore_shift_left_wrap(-distance, m.shift), m.multiplier));
    self->flip_in = edgecore_flip_of(desc->inputs[0]->dtype);
    self->flip_out = edgecore_flip_of(desc->output->dtype);
    self->base.klass = &edgecore_softmax_class;
    self->base.weight_bytes = sizeof self->exps;
    self->base.activation_inputs = 1;
    self->base.splits_rows = true;
    const edgecore_shape4 shape = edgecore_shape4_of(desc->output);
    if (tier->softmax_pixels && shape.dims[2] >= FEW_PIXELS && shape.dims[3] <= EDGECORE_SOFTMAX_CHANNELS) {
        self->pixels = tier->softmax_pixels;
        self->base.scratch_bytes = 5 * (size_t)shape.dims[3] * EDGECORE_SOFTMAX_PIXELS;
    }
    *op = &self->base;
    return EDGECORE_OK;
}
