/* MUL: the product of the distances from the zero points, scaled to the output. */
#include "ops/arithmetic.h"
#include "ops/binary.h"
#include "ops/validate.h"

/* Products of two distances are below 2^16. */
#define PRODUCT_BITS 16

/* In float, as the reference forms it. */
static double ratio(const edgecore_op_desc *desc)
{
    return desc->inputs[0]->scales[0] * desc->inputs[1]->scales[0] / desc->output->scales[0];
}

static double slope(const edgecore_row_arithmetic *how, int32_t moving, uint8_t byte)
{
    const edgecore_row_input *other = moving == 0 ? &how->b : &how->a;
    return ldexp((double)how->multiplier * ((byte ^ other->flip) - other->zero_point), how->left_shift - how->right_shift - 31);
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_binary(desc, message);
    return status != EDGECORE_OK ? status : edgecore_check_multiplier(ratio(desc), PRODUCT_BITS, message);
}

edgecore_row_arithmetic edgecore_mul_arithmetic(const edgecore_op_desc *desc)
{
    edgecore_multiplier m = edgecore_quantize_multiplier(ratio(desc));
    edgecore_row_arithmetic how = edgecore_binary_arithmetic(desc);
    how.multiplier = m.multiplier;
    how.left_shift = m.shift > 0 ? m.shift : 0;
    how.right_shift = m.shift > 0 ? 0 : -m.shift;
    return how;
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_mul_class = {
    .name = "mul",
    .check = check,
    .prepare = prepare,
    .destroy = edgecore_binary_destroy,
    .run = edgecore_binary_run,
    .input_rows = edgecore_binary_input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    const edgecore_row_arithmetic how = edgecore_mul_arithmetic(desc);
    const edgecore_binary_kind kind = {&edgecore_mul_class, tier->mul_row, slope};
    return edgecore_binary_prepare(&kind, desc, tier, &how, op, message);
}
