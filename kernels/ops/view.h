/* Addresses inside a view. */
#ifndef EDGECORE_OPS_VIEW_H
#define EDGECORE_OPS_VIEW_H

#include "ops/op.h"

/* Row y of the whole tensor must be among those that the view holds. */
static inline uint8_t *edgecore_view_at(const edgecore_view *view, int32_t y, int32_t x, int32_t c)
{
    return view->data + (ptrdiff_t)(y - view->first_row) * view->row_stride + (ptrdiff_t)x * view->pixel_stride + c;
}

/* Whether pixels of a row follow each other without a gap, so that a row is one run of bytes. */
static inline bool edgecore_view_dense(const edgecore_view *view)
{
    return view->pixel_stride == view->channels || view->width == 1;
}

#endif
