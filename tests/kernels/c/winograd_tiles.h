/* A Winograd micro-kernel against the convolution that it stands for; exits with a message at the first wrong byte. */
#ifndef EDGECORE_TESTS_WINOGRAD_TILES_H
#define EDGECORE_TESTS_WINOGRAD_TILES_H

#include "isa/tier.h"

void winograd_kernel(const edgecore_tier *tier, const edgecore_winograd_kernel *kernel);

#endif
