/* What a specification means, and whether it means anything. */
#ifndef EDGECORE_IMAGE_SPEC_H
#define EDGECORE_IMAGE_SPEC_H

#include "edgecore/image.h"

/* EDGECORE_INVALID names the bad argument. */
edgecore_status edgecore_image_spec_check(const edgecore_image_spec *spec, edgecore_message *message);

/* The frame's box, never empty. */
edgecore_image_box edgecore_image_spec_view(const edgecore_image_spec *spec);

/* Which part of the frame's box (in its coordinates) fills which part of the tensor. */
void edgecore_image_spec_fit(const edgecore_image_spec *spec, edgecore_image_box *source, edgecore_image_box *target);

bool edgecore_image_is_planar(edgecore_pixels frame);

/* Whether frames may have this stride. */
edgecore_status edgecore_image_check_stride(edgecore_pixels frame, int32_t width, ptrdiff_t row_stride,
                                            edgecore_message *message);

#endif
