/* ADD: both inputs are brought, 20 bits up, to half of the larger input scale, added there, and scaled to the output. */
#include "ops/arithmetic.h"
#include "ops/binary.h"

typedef struct add_multipliers {
    edgecore_multiplier a, b, out;
} add_multipliers;

/* False where the reference would not accept the scales. */
static bool multipliers_of(const edgecore_op_desc *desc, add_multipliers *m)
{
    const float a = desc->inputs[0]->scales[0], b = desc->inputs[1]->scales[0];
    const double twice_larger = 2 * (a > b ? a : b);
    const double out = (1 << 20) * desc->output->scales[0];
    const double result = twice_larger / out;
    if (!isfinite(twice_larger) || !isfinite(out) || !(result < 1.0))
        return false;
    m->a = edgecore_quantize_multiplier(a / twice_larger);
    m->b = edgecore_quantize_multiplier(b / twice_larger);
    m->out = edgecore_quantize_multiplier(result);
    return m->out.shift <= 0;
}

static double slope(const edgecore_row_arithmetic *how, int32_t moving, uint8_t byte)
{
    const edgecore_row_input *input = moving == 0 ? &how->a : &how->b;
    (void)byte;
    return ldexp((double)input->multiplier * how->multiplier, 20 - 31 - 31 - input->right_shift - how->right_shift);
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    add_multipliers m;
    edgecore_status status = edgecore_check_binary(desc, message);
    if (status == EDGECORE_OK && !multipliers_of(desc, &m))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the scales of the addition are too far apart");
    return status;
}

edgecore_row_arithmetic edgecore_add_arithmetic(const edgecore_op_desc *desc)
{
    add_multipliers m = {0};
    multipliers_of(desc, &m);
    edgecore_row_arithmetic how = edgecore_binary_arithmetic(desc);
    how.a.multiplier = m.a.multiplier;
    how.a.right_shift = -m.a.shift;
    how.b.multiplier = m.b.multiplier;
    how.b.right_shift = -m.b.shift;
    how.multiplier = m.out.multiplier;
    how.right_shift = -m.out.shift;
    return how;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_add_class = {
    .name = "add",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_binary_destroy,
    .run = edgecore_binary_run,
    .input_rows = edgecore_binary_input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_row_arithmetic how = edgecore_add_arithmetic(desc);
    const edgecore_binary_kind kind = {&edgecore_add_class, tier->add_row, slope};
    return edgecore_binary_prepare(&kind, desc, tier, &how, op, message);
}
