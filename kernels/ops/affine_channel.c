/* A MUL by constants and the ADD of constants behind it, each of one value for every channel or one for all: of every channel a
 * table of 256 bytes.
 *
 * The tier's kernel computes it in float. Coefficients follow from the two operators' multipliers, and a block of channels takes
 * the kernel only where it gave, on this machine and for all 256 inputs, the very bytes of the tier's MUL and ADD rows; a
 * channel for which the roundings disagree is tried again with coefficients a little off. Other blocks take both rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/binary.h"
#include "ops/validate.h"
#include "ops/view.h"

enum { BLOCK = EDGECORE_AFFINE_CHANNELS, VALUES = 256, PIXELS = 48 };

typedef struct affine_block {
    edgecore_affine_block block;
    bool exact;
} affine_block;

typedef struct affine_channel {
    edgecore_op base;
    const edgecore_tier *tier;
    edgecore_row_arithmetic mul, add;
    int32_t channels;
    uint8_t *factors, *addends; /* [channels rounded up to BLOCK] */
    affine_block *blocks;
    float slope;
} affine_channel;

/* The two operators that this one stands for, and the tensor between them. */
typedef struct two_ops {
    edgecore_tensor product;
    float scale;
    int32_t zero_point;
    const edgecore_tensor *mul_inputs[2], *add_inputs[2];
    edgecore_op_params mul_params;
    edgecore_op_desc mul, add;
} two_ops;

static void split(const edgecore_op_desc *desc, two_ops *ops)
{
    ops->scale = desc->params->product_scale;
    ops->zero_point = desc->params->product_zero_point;
    ops->product = *desc->inputs[0];
    ops->product.dtype = EDGECORE_UINT8;
    ops->product.scale_count = 1;
    ops->product.scales = &ops->scale;
    ops->product.zero_points = &ops->zero_point;
    ops->mul_inputs[0] = desc->inputs[0];
    ops->mul_inputs[1] = desc->inputs[1];
    ops->add_inputs[0] = &ops->product;
    ops->add_inputs[1] = desc->inputs[2];
    ops->mul_params = *desc->params;
    ops->mul_params.activation = desc->params->product_activation;
    ops->mul = (edgecore_op_desc){EDGECORE_MUL, &ops->mul_params, ops->mul_inputs, 2, &ops->product, EDGECORE_UINT8};
    ops->add = (edgecore_op_desc){EDGECORE_ADD, desc->params, ops->add_inputs, 2, desc->output, desc->model_dtype};
}

static edgecore_status check(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_description(desc, 3, 3, message);
    if (status != EDGECORE_OK)
        return status;
    if (desc->inputs[0]->data || !desc->inputs[1]->data || !desc->inputs[2]->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "not an activation and two constants");
    two_ops ops;
    split(desc, &ops);
    status = edgecore_op_class_of(EDGECORE_MUL)->check(&ops.mul, message);
    if (status == EDGECORE_OK)
        status = edgecore_op_class_of(EDGECORE_ADD)->check(&ops.add, message);
    for (int32_t i = 1; status == EDGECORE_OK && i < 3; i++) {
        const int64_t values = edgecore_element_count(desc->inputs[i]);
        const edgecore_shape4 shape = edgecore_shape4_of(desc->inputs[i]);
        if (values != 1 && (values != shape.dims[3] || values != edgecore_shape4_of(desc->output).dims[3]))
            status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "a constant of neither one value nor one for each channel");
    }
    if (status == EDGECORE_OK && !edgecore_same_dims(desc->inputs[0], desc->output))
        status = edgecore_fail(message, EDGECORE_UNSUPPORTED, "the output has not the input's shape");
    return status;
}

static void destroy(edgecore_op *op)
{
    affine_channel *self = (affine_channel *)op;
    if (self) {
        free(self->factors);
        free(self->addends);
        free(self->blocks);
    }
    free(self);
}

static uint8_t *spread(const edgecore_tensor *constant, int32_t channels)
{
    const size_t bytes = ((size_t)channels + BLOCK - 1) / BLOCK * BLOCK;
    uint8_t *made = calloc(bytes, 1);
    if (made && edgecore_element_count(constant) == 1)
        memset(made, *(const uint8_t *)constant->data, (size_t)channels);
    else if (made)
        memcpy(made, constant->data, (size_t)channels);
    return made;
}

static double real_of(int32_t multiplier, int32_t exponent)
{
    return ldexp(multiplier, exponent - 31);
}

/* What a value must reach beyond a whole number to be rounded up: half, but for what the rounding before the shift adds. */
static double half_of(int32_t right_shift)
{
    return right_shift > 0 ? 0.5 + ldexp(1.0, -right_shift - 1) : 0.5;
}

/* Float coefficients for one channel, the roundings moved by so much. */
static void set_channel(const affine_channel *self, edgecore_affine_block *block, size_t first, size_t channel, double more_half,
                        double more_offset)
{
    const edgecore_row_arithmetic *mul = &self->mul, *add = &self->add;
    const size_t lane = edgecore_affine_lane(channel);
    const int32_t factor = (self->factors[first + channel] ^ mul->b.flip) - mul->b.zero_point;
    const int32_t addend = (self->addends[first + channel] ^ add->b.flip) - add->b.zero_point;
    const double sum = real_of(add->b.multiplier, 20 - add->b.right_shift) * real_of(add->multiplier, -add->right_shift);
    block->factor[lane] = (float)(factor * real_of(mul->multiplier, mul->left_shift - mul->right_shift));
    block->half[lane] = (float)copysign(half_of(mul->right_shift) + more_half, factor);
    block->offset[lane] = (float)(addend * sum + add->zero_point + half_of(add->right_shift) + more_offset);
}

static void run_kernel(const affine_channel *self, const affine_block *block, const uint8_t *in, ptrdiff_t in_stride,
                       uint8_t *out, ptrdiff_t out_stride, size_t pixels, size_t channels)
{
    const edgecore_affine_pixels args = {
        .in = in,
        .out = out,
        .in_stride = in_stride,
        .out_stride = out_stride,
        .pixels = pixels,
        .channels = channels,
        .block = &block->block,
        .zero_point = self->mul.a.zero_point,
        .slope = self->slope,
    };
    self->tier->affine_pixels(&args);
}

/* Every byte in every channel of a block: what goes in, what should come out and what does. */
typedef struct trial {
    uint8_t in[VALUES][BLOCK], constants[VALUES][BLOCK];
    uint8_t expected[VALUES][BLOCK], given[VALUES][BLOCK];
} trial;

static void fill(trial *t, const uint8_t constants[BLOCK])
{
    for (size_t value = 0; value < VALUES; value++)
        memcpy(t->constants[value], constants, BLOCK);
}

static void make_expected(const affine_channel *self, trial *t, size_t first)
{
    fill(t, self->factors + first);
    self->tier->mul_row(t->expected[0], t->in[0], t->constants[0], sizeof t->in, &self->mul);
    fill(t, self->addends + first);
    self->tier->add_row(t->expected[0], t->expected[0], t->constants[0], sizeof t->in, &self->add);
}

static bool agrees(const trial *t, size_t channel)
{
    for (size_t value = 0; value < VALUES; value++)
        if (t->given[value][channel] != t->expected[value][channel])
            return false;
    return true;
}

/* A channel's map only rises or only falls, so that the bytes of the first and last input bound all others. */
static void set_limits(const trial *t, affine_block *block)
{
    for (size_t c = 0; c < BLOCK; c++) {
        const uint8_t first = t->expected[0][c], last = t->expected[VALUES - 1][c];
        block->block.min[c] = first < last ? first : last;
        block->block.max[c] = first < last ? last : first;
    }
}

/* Tries coefficients until every channel of the block has some that are exact. */
static void fit(const affine_channel *self, trial *t, affine_block *block, size_t first)
{
    static const double steps[] = {0, 0x1p-17, -0x1p-17, 0x1p-15, -0x1p-15};
    enum { STEPS = sizeof steps / sizeof *steps };
    bool wrong[BLOCK];
    make_expected(self, t, first);
    set_limits(t, block);
    memset(wrong, true, sizeof wrong);
    for (size_t attempt = 0; attempt < STEPS * STEPS && !block->exact; attempt++) {
        for (size_t c = 0; c < BLOCK; c++)
            if (wrong[c])
                set_channel(self, &block->block, first, c, steps[attempt / STEPS], steps[attempt % STEPS]);
        run_kernel(self, block, t->in[0], BLOCK, t->given[0], BLOCK, VALUES, BLOCK);
        block->exact = memcmp(t->given, t->expected, sizeof t->given) == 0;
        for (size_t c = 0; c < BLOCK && !block->exact; c++)
            wrong[c] = wrong[c] && !agrees(t, c);
    }
}

static bool fit_all(affine_channel *self)
{
    const size_t blocks = ((size_t)self->channels + BLOCK - 1) / BLOCK;
    trial *t = malloc(sizeof *t);
    self->blocks = calloc(blocks, sizeof *self->blocks);
    const bool made = t && self->blocks;
    for (size_t value = 0; made && value < VALUES; value++)
        memset(t->in[value], (int)value, BLOCK);
    const bool stored_as_uint8 = self->mul.a.flip == 0 && self->add.flip == 0;
    for (size_t b = 0; made && b < blocks && self->tier->affine_pixels && stored_as_uint8; b++)
        fit(self, t, &self->blocks[b], b * BLOCK);
    free(t);
    self->base.weight_bytes = blocks * (sizeof *self->blocks + 2 * BLOCK);
    return made;
}

/* Channels [c, c + n) of rows [y0, y1) by the two operators' own rows. */
static void run_rows(const affine_channel *self, const edgecore_view *in, const edgecore_view *output, int32_t y0, int32_t y1,
                     int32_t c, size_t n)
{
    for (int32_t y = y0; y < y1; y++)
        for (int32_t x = 0; x < output->width; x++) {
            uint8_t *to = edgecore_view_at(output, y, x, c);
            self->tier->mul_row(to, edgecore_view_at(in, y, x, c), self->factors + c, n, &self->mul);
            self->tier->add_row(to, to, self->addends + c, n, &self->add);
        }
}

static bool rows_follow(const edgecore_view *view)
{
    return view->row_stride == view->width * view->pixel_stride;
}

/* Block after block over a few rows, which stay in the first-level cache and are enough for a block's coefficients to pay. */
static void run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output, edgecore_region region,
                void *scratch)
{
    const affine_channel *self = (const affine_channel *)op;
    const edgecore_view *in = &inputs[0];
    const int32_t together = rows_follow(in) && rows_follow(output) ? 1 + PIXELS / output->width : 1;
    (void)scratch;
    for (int32_t y = region.y0, end; y < region.y1; y = end) {
        end = y + together < region.y1 ? y + together : region.y1;
        for (int32_t c = region.c0; c < region.c1; c += BLOCK) {
            const affine_block *block = &self->blocks[c / BLOCK];
            const size_t n = (size_t)(region.c1 - c < BLOCK ? region.c1 - c : BLOCK);
            if (block->exact)
                run_kernel(self, block, edgecore_view_at(in, y, 0, c), in->pixel_stride, edgecore_view_at(output, y, 0, c),
                           output->pixel_stride, (size_t)(end - y) * (size_t)output->width, n);
            else
                run_rows(self, in, output, y, end, c, n);
        }
    }
}

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message);

const edgecore_op_class edgecore_affine_channel_class = {
    .name = "affine_channel",
    .check = check,
    .prepare = prepare,
    .destroy = destroy,
    .run = run,
    .input_rows = edgecore_same_input_rows,
};

static edgecore_status prepare(const edgecore_op_desc *desc, const edgecore_tier *tier, edgecore_op **op,
                               edgecore_message *message)
{
    two_ops ops;
    affine_channel *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    split(desc, &ops);
    self->base.klass = &edgecore_affine_channel_class;
    self->base.activation_inputs = 1;
    self->base.channel_step = BLOCK;
    self->base.splits_rows = true;
    self->tier = tier;
    self->mul = edgecore_mul_arithmetic(&ops.mul);
    self->add = edgecore_add_arithmetic(&ops.add);
    self->slope = (float)(real_of(self->add.a.multiplier, 20 - self->add.a.right_shift) *
                          real_of(self->add.multiplier, -self->add.right_shift));
    self->channels = edgecore_shape4_of(desc->output).dims[3];
    self->factors = spread(desc->inputs[1], self->channels);
    self->addends = spread(desc->inputs[2], self->channels);
    if (!self->factors || !self->addends || !fit_all(self)) {
        destroy(&self->base);
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    }
    *op = &self->base;
    return EDGECORE_OK;
}
