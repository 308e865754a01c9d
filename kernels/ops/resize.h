/* What both resizes share: their checks, and the pixels between which an output pixel lies. */
#ifndef EDGECORE_OPS_RESIZE_H
#define EDGECORE_OPS_RESIZE_H

#include "ops/op.h"

/* One axis of a resize: sizes, and where outputs' centres lie. */
typedef struct edgecore_resize_axis {
    int32_t in, out;
    bool align_corners, half_pixel_centers;
} edgecore_resize_axis;

/* Height (0) or width (1) of a resize whose tensors edgecore_check_resize accepted. */
edgecore_resize_axis edgecore_resize_axis_of(const edgecore_op_desc *desc, int32_t axis);

/* Maps of rank 4 that differ in height and width only, of one quantisation. */
edgecore_status edgecore_check_resize(const edgecore_op_desc *desc, edgecore_message *message);

#endif
