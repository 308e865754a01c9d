/* Image micro-kernels that more than one tier takes; isa/image.h says what they do. */
#ifndef EDGECORE_ISA_X86_IMAGE_PIXELS_H
#define EDGECORE_ISA_X86_IMAGE_PIXELS_H

#include "isa/image.h"

void edgecore_luma_avx2(uint8_t *out, const uint8_t *pixels, size_t n, bool blue_first);
void edgecore_reverse_avx2(uint8_t *out, const uint8_t *pixels, size_t n, uint8_t flip);
void edgecore_colour_avx2(uint8_t *out, const edgecore_yuv_row *row, size_t n);

#endif
