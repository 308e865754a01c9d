/* Geometry that max and average pools share. */
#ifndef EDGECORE_OPS_POOL_H
#define EDGECORE_OPS_POOL_H

#include "ops/op.h"

typedef struct edgecore_pool_geometry {
    int32_t in_height, in_width, out_width, channels;
    int32_t filter_h, filter_w, stride_h, stride_w, pad_top, pad_left;
    int32_t inner_x0, inner_x1; /* output columns whose windows lie inside the row */
} edgecore_pool_geometry;

/* Everything check() asks of a pool; every window then holds at least one pixel of the input. */
edgecore_status edgecore_check_pool(const edgecore_op_desc *desc, edgecore_message *message);

edgecore_pool_geometry edgecore_pool_geometry_of(const edgecore_op_desc *desc);

/* The part of an axis [0, size) that the window of output position `out` covers. */
static inline void edgecore_pool_window(int32_t out, int32_t stride, int32_t pad, int32_t filter, int32_t size,
                                        int32_t *from, int32_t *to)
{
    int32_t start = out * stride - pad;
    *from = start > 0 ? start : 0;
    *to = start + filter < size ? start + filter : size;
}

void edgecore_pool_input_rows(const edgecore_pool_geometry *pool, int32_t y0, int32_t y1, int32_t *in_y0,
                              int32_t *in_y1);

#endif
