/* What ADD and MUL share: two inputs, either of which may be a constant or broadcast along height, width or
 * channels, and a row function of the tier. */
#ifndef EDGECORE_OPS_BINARY_H
#define EDGECORE_OPS_BINARY_H

#include "isa/tier.h"
#include "ops/op.h"

typedef void (*edgecore_binary_row)(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n,
                                    const edgecore_row_arithmetic *how);

/* How far the output moves for a step of input `moving` (0 or 1) while the other input is `byte`. */
typedef double (*edgecore_binary_slope)(const edgecore_row_arithmetic *how, int32_t moving, uint8_t byte);

/* Tensors, shapes and fused activation; the scales are the caller's. */
edgecore_status edgecore_check_binary(const edgecore_op_desc *desc, edgecore_message *message);

/* Flips, zero points and the activation clamp; the multipliers are the caller's. */
edgecore_row_arithmetic edgecore_binary_arithmetic(const edgecore_op_desc *desc);

/* All of it, of a description that has passed the operator's check(). */
edgecore_row_arithmetic edgecore_add_arithmetic(const edgecore_op_desc *desc);
edgecore_row_arithmetic edgecore_mul_arithmetic(const edgecore_op_desc *desc);

/* What the two operators differ in. */
typedef struct edgecore_binary_kind {
    const edgecore_op_class *klass;
    edgecore_binary_row row;
    edgecore_binary_slope slope;
} edgecore_binary_kind;

/* Makes the operator and copies constants into it. */
edgecore_status edgecore_binary_prepare(const edgecore_binary_kind *kind, const edgecore_op_desc *desc,
                                        const edgecore_tier *tier, const edgecore_row_arithmetic *how, edgecore_op **op,
                                        edgecore_message *message);
void edgecore_binary_destroy(edgecore_op *op);
void edgecore_binary_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                         edgecore_region region, void *scratch);
void edgecore_binary_input_rows(const edgecore_op *op, int32_t index, int32_t y0, int32_t y1, int32_t *in_y0,
                                int32_t *in_y1);

#endif
