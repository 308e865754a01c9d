/* Operators that map each byte by itself: one table of 256 bytes, filled once by the reference's arithmetic. */
#include <stdlib.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/unary.h"
#include "ops/validate.h"
#include "ops/view.h"

/* A distance from the input's zero point to one from the output's. The reference's operators differ in where the
 * quotient of scales is formed: in float (the activations) or in double (requantisation). */
static double float_ratio(const edgecore_op_desc *desc)
{
    return desc->inputs[0]->scales[0] / desc->output->scales[0];
}

static double double_ratio(const edgecore_op_desc *desc)
{
    return (double)desc->inputs[0]->scales[0] / (double)desc->output->scales[0];
}

static double alpha_ratio(const edgecore_op_desc *desc)
{
    return desc->inputs[0]->scales[0] * desc->params->alpha / desc->output->scales[0];
}

/* Of a product with a logistic in steps of 1 / 256, as MUL forms it. */
static double swish_ratio(const edgecore_op_desc *desc)
{
    return desc->inputs[0]->scales[0] * (1.0f / 256) / desc->output->scales[0];
}

/* Table entries are made in the uint8 domain on both sides. */
typedef struct byte_map {
    const edgecore_op_desc *desc;
    int32_t zero_in, zero_out;
    edgecore_multiplier positive, negative;
    int32_t min, max;
} byte_map;

static uint8_t linear_byte(const byte_map *map, int32_t u)
{
    int32_t distance = u - map->zero_in;
    edgecore_multiplier m = distance >= 0 ? map->positive : map->negative;
    return edgecore_clamp_u8(edgecore_rescale(distance, m) + map->zero_out, map->min, map->max);
}

static float real_of(const byte_map *map, int32_t u)
{
    return map->desc->inputs[0]->scales[0] * (float)(u - map->zero_in);
}

static uint8_t byte_of(float y, float steps, int32_t zero)
{
    return edgecore_clamp_u8((int32_t)(roundf(y * steps) + (float)zero), 0, 255);
}

static uint8_t logistic_byte(const byte_map *map, int32_t u)
{
    return byte_of(1.0f / (1.0f + expf(-real_of(map, u))), 256.0f, 0);
}

static uint8_t tanh_byte(const byte_map *map, int32_t u)
{
    return byte_of(tanhf(real_of(map, u)), 128.0f, 128);
}

static uint8_t swish_byte(const byte_map *map, int32_t u)
{
    const int32_t product = (u - map->zero_in) * logistic_byte(map, u);
    return edgecore_clamp_u8(edgecore_rescale(product, map->positive) + map->zero_out, map->min, map->max);
}

static int16_t saturate_16(int64_t value)
{
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

/* The 16-bit forms of the doubling high multiply; the second truncates instead of rounding. */
static int16_t high_mul_16(int16_t a, int16_t b)
{
    if (a == INT16_MIN && b == INT16_MIN)
        return INT16_MAX;
    int32_t product = a * b;
    return (int16_t)((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

static int16_t truncating_high_mul_16(int16_t a, int16_t b)
{
    if (a == INT16_MIN && b == INT16_MIN)
        return INT16_MAX;
    return (int16_t)(a * b / (1 << 15));
}

/* The reference's mask is an int16 too, so that exponents above 15 behave as they do there. */
static int16_t rounding_shift_16(int16_t value, int32_t exponent)
{
    int16_t mask = (int16_t)((INT64_C(1) << exponent) - 1);
    int16_t threshold = (int16_t)((mask >> 1) + (value < 0));
    return (int16_t)((value >> exponent) + ((value & mask) > threshold));
}

/* A Q31 multiplier as Q15, rounded up at halves. */
static int16_t multiplier_16(edgecore_multiplier m)
{
    if (m.multiplier >= INT32_MAX - (1 << 15))
        return INT16_MAX;
    return (int16_t)((m.multiplier + (1 << 15)) >> 16);
}

/* x * relu6(x + 3) / 6 in 16-bit fixed point. `positive` scales to the output, `negative` to where 3.0 is 2^15. */
static uint8_t hard_swish_byte(const byte_map *map, int32_t u)
{
    int16_t x = (int16_t)((u - map->zero_in) * (1 << 7));
    int16_t on_output_scale = high_mul_16(x, multiplier_16(map->positive));
    int32_t exponent = map->negative.shift;
    int16_t gate = x;
    if (exponent > 0)
        gate = saturate_16((int64_t)gate * (INT64_C(1) << (exponent - 1)));
    gate = high_mul_16(gate, multiplier_16(map->negative));
    if (exponent > 0)
        gate = saturate_16((int64_t)gate * 2);
    if (exponent < 0)
        gate = rounding_shift_16(gate, -exponent);
    gate = (int16_t)((gate + (1 << 15)) >> 1);
    int16_t y = truncating_high_mul_16(gate, on_output_scale);
    y = rounding_shift_16(y, -map->positive.shift);
    /* The reference adds the zero point in int16, which wraps; its own type's zero point decides where. */
    int32_t model_flip = edgecore_flip_of(map->desc->model_dtype);
    y = (int16_t)(y + map->zero_out - model_flip);
    return edgecore_clamp_u8(y + model_flip, 0, 255);
}

static void hard_swish_multipliers(const edgecore_op_desc *desc, byte_map *map)
{
    const float hires_scale = (1.0f / 128.0f) * desc->inputs[0]->scales[0];
    map->positive = edgecore_quantize_multiplier(hires_scale / desc->output->scales[0]);
    map->negative = edgecore_quantize_multiplier(hires_scale / (3.0f / 32768.0f));
}

edgecore_status edgecore_unary_table(const edgecore_op_desc *desc, uint8_t table[256])
{
    byte_map map = {.desc = desc, .max = 255};
    map.zero_in = edgecore_zero_point_u8(desc->inputs[0]);
    map.zero_out = edgecore_zero_point_u8(desc->output);
    map.positive = edgecore_quantize_multiplier(float_ratio(desc));
    map.negative = map.positive;
    uint8_t (*byte)(const byte_map *, int32_t) = linear_byte;
    switch (desc->kind) {
    case EDGECORE_RELU:
        edgecore_activation_range(EDGECORE_ACT_RELU, desc->output, &map.min, &map.max);
        break;
    case EDGECORE_RELU6:
        edgecore_activation_range(EDGECORE_ACT_RELU6, desc->output, &map.min, &map.max);
        break;
    case EDGECORE_LEAKY_RELU:
        map.negative = edgecore_quantize_multiplier(alpha_ratio(desc));
        break;
    case EDGECORE_LOGISTIC:
        byte = logistic_byte;
        break;
    case EDGECORE_TANH:
        byte = tanh_byte;
        break;
    case EDGECORE_SWISH:
        edgecore_activation_range(desc->params->activation, desc->output, &map.min, &map.max);
        map.positive = edgecore_quantize_multiplier(swish_ratio(desc));
        byte = swish_byte;
        break;
    case EDGECORE_HARD_SWISH:
        hard_swish_multipliers(desc, &map);
        byte = hard_swish_byte;
        break;
    case EDGECORE_QUANTIZE:
        map.positive = map.negative = edgecore_quantize_multiplier(double_ratio(desc));
        break;
    default:
        return EDGECORE_UNSUPPORTED;
    }
    uint8_t flip_in = edgecore_flip_of(desc->inputs[0]->dtype), flip_out = edgecore_flip_of(desc->output->dtype);
    for (int32_t u = 0; u < 256; u++)
        table[u ^ flip_in] = byte(&map, u) ^ flip_out;
    return EDGECORE_OK;
}

typedef struct unary {
    edgecore_op base;
    void (*lookup_row)(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256]);
    uint8_t table[256];
} unary;

/* Distances from a zero point are below 2^8. */
#define DISTANCE_BITS 8
/* Products of two distances are below 2^16. */
#define PRODUCT_BITS 16

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_one_to_one(desc, message);
    if (status != EDGECORE_OK)
        return status;
    if (!edgecore_same_dims(desc->inputs[0], desc->output))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "input and output differ in shape");
    byte_map hard_swish;
    switch (desc->kind) {
    case EDGECORE_LOGISTIC:
        if (desc->output->scales[0] != 1.0f / 256 || edgecore_zero_point_u8(desc->output) != 0)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "logistic's output is not in steps of 1 / 256 from 0");
        return EDGECORE_OK;
    case EDGECORE_TANH:
        if (desc->output->scales[0] != 1.0f / 128 || edgecore_zero_point_u8(desc->output) != 128)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "tanh's output is not in steps of 1 / 128 around the middle");
        return EDGECORE_OK;
    case EDGECORE_HARD_SWISH:
        hard_swish_multipliers(desc, &hard_swish);
        if (hard_swish.positive.shift > 0 || hard_swish.negative.shift > 30)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "hard swish's scales are too far apart");
        return EDGECORE_OK;
    case EDGECORE_SWISH:
        if ((unsigned)desc->params->activation > EDGECORE_ACT_RELU6)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)desc->params->activation);
        return edgecore_check_multiplier(swish_ratio(desc), PRODUCT_BITS, message);
    case EDGECORE_LEAKY_RELU:
        if (!(desc->params->alpha >= 0.0f))
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "leaky ReLU's slope is negative");
        status = edgecore_check_multiplier(alpha_ratio(desc), DISTANCE_BITS, message);
        return status != EDGECORE_OK ? status : edgecore_check_multiplier(float_ratio(desc), DISTANCE_BITS, message);
    default:
        return edgecore_check_multiplier(double_ratio(desc), DISTANCE_BITS, message);
    }
}

static void destroy(edgecore_op *op)
{
    free(op);
}

static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                edgecore_region region, void *scratch)
{
    const unary *self = (const unary *)op;
    const edgecore_view *input = &inputs[0];
    size_t n = (size_t)(region.c1 - region.c0);
    (void)scratch;
    bool whole_rows = n == (size_t)output->channels && edgecore_view_dense(input) && edgecore_view_dense(output);
    for (int32_t y = region.y0; y < region.y1; y++) {
        uint8_t *out = edgecore_view_at(output, y, 0, region.c0);
        const uint8_t *in = edgecore_view_at(input, y, 0, region.c0);
        if (whole_rows) {
            self->lookup_row(out, in, n * (size_t)output->width, self->table);
            continue;
        }
        for (int32_t x = 0; x < output->width; x++)
            self->lookup_row(out + x * output->pixel_stride, in + x * input->pixel_stride, n, self->table);
    }
}

static edgecore_status prepare_as(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                  const edgecore_tier *tier, edgecore_op **op, edgecore_message *message)
{
    unary *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    self->base.klass = klass;
    self->base.weight_bytes = sizeof self->table;
    self->base.activation_inputs = 1;
    self->base.channel_step = 16;
    self->base.splits_rows = true;
    self->lookup_row = tier->lookup_row;
    edgecore_unary_table(desc, self->table);
    *op = &self->base;
    return EDGECORE_OK;
}

#define UNARY_CLASS(operator)                                                                                        \
    static edgecore_status prepare_##operator(const edgecore_op_desc *desc, const edgecore_tier *tier,               \
                                              edgecore_op **op, edgecore_message *message);                          \
    const edgecore_op_class edgecore_##operator##_class = {                                                          \
        .name = #operator,                                                                                           \
        .check = check,                                                                                              \
        .prepare = prepare_##operator,                                                                               \
        .destroy = destroy,                                                                                          \
        .run = run,                                                                                                  \
        .input_rows = edgecore_same_input_rows,                                                                                    \
    };                                                                                                               \
    static edgecore_status prepare_##operator(const edgecore_op_desc *desc, const edgecore_tier *tier,               \
                                              edgecore_op **op, edgecore_message *message)                           \
    {                                                                                                                \
        return prepare_as(&edgecore_##operator##_class, desc, tier, op, message);                                    \
    }

UNARY_CLASS(relu)
UNARY_CLASS(relu6)
UNARY_CLASS(leaky_relu)
UNARY_CLASS(logistic)
UNARY_CLASS(tanh)
UNARY_CLASS(hard_swish)
UNARY_CLASS(swish)
UNARY_CLASS(quantize)
