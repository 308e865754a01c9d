/* 3x3 convolutions of stride 1 over a tier's Winograd kernel, where it costs less than the tier's GEMM.
 *
 * A region is cut into 4x4 tiles from its first row on. A strip of tiles is transformed into scratch, as many as a share
 * of the second-level cache holds; then every block of output channels meets the strip. */
#ifndef EDGECORE_OPS_WINOGRAD_H
#define EDGECORE_OPS_WINOGRAD_H

#include "ops/gemm_driver.h"

/* EDGECORE_UNSUPPORTED, and nothing made, where the layer is better left to the GEMM: for its shape, its cost, or for sums that
 * are too large for the transform to be exact. */
edgecore_status edgecore_winograd_prepare(const edgecore_op_desc *desc, const edgecore_gemm_layer *layer,
                                          const edgecore_tier *tier, edgecore_op **op, edgecore_message *message);

#endif
