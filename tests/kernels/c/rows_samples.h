/* Buffers and comparisons of the tests of byte rows and image micro-kernels. Buffers end at guard pages; bytes before the outputs
 * must stay as they were. */
#ifndef EDGECORE_ROWS_SAMPLES_H
#define EDGECORE_ROWS_SAMPLES_H

#include <stdbool.h>

#include "isa/image.h"
#include "isa/tier.h"

enum { MOST = 700, MARGIN = 64, CANARY = 0xA5, MOST_INPUTS = 9, LENGTHS = 74 };

extern const edgecore_tier *scalar, *tested;

/* Ends of readable memory: inputs, what the scalar tier gives and what the tested one gives. */
extern uint8_t *ends[MOST_INPUTS], *expected_end, *given_end, *sums_end;
extern int32_t *expected_sums_end, *given_sums_end;

void make_buffers(void);
void fail(const char *what, size_t n, size_t i);

/* 0 to 67, and some that take the widest loops more than once. */
size_t length_of(int32_t index);
uint8_t extreme_byte(void);
uint8_t random_flip(void);
uint8_t *input(int32_t index, size_t n);
void clear_outputs(size_t n);
void compare(const char *what, size_t n);

/* The output starts as a copy of an input where that is worked on in place. */
const uint8_t *place(uint8_t *out, const uint8_t *in, size_t n, bool in_place);

/* Rows of several pixels: lines, softmax, MUL and ADD per channel. */
void pixel_rows(size_t n);

/* The tier's micro-kernels of image preprocessing. */
void image_kernels(const edgecore_image_kernels *kernels);

#endif
