/* Making the axes of a resize. */
#ifndef EDGECORE_IMAGE_AXIS_H
#define EDGECORE_IMAGE_AXIS_H

#include "edgecore/image.h"
#include "isa/image.h"

/* The filter that maps inputs [box_first, box_first + box_size) of `input_size` to `size` outputs. Its ends reach past
 * the box where the input does. False: no memory. */
bool edgecore_axis_init(edgecore_axis *axis, edgecore_filter filter, int32_t input_size, int32_t box_first,
                        int32_t box_size, int32_t size);
/* Makes the axis one of inputs that begin `by` further on. */
void edgecore_axis_shift(edgecore_axis *axis, int32_t by);
void edgecore_axis_release(edgecore_axis *axis);

#endif
