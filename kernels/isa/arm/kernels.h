/* Micro-kernels of the ARM tiers, which their tables list. */
#ifndef EDGECORE_ISA_ARM_KERNELS_H
#define EDGECORE_ISA_ARM_KERNELS_H

#include "isa/tier.h"

#if defined(__aarch64__)
extern const edgecore_gemm_kernel edgecore_gemm_4x32_neon;
extern const edgecore_gemm_kernel edgecore_gemm_6x16_dotprod, edgecore_gemm_8x8_dotprod;
extern const edgecore_gemm_kernel edgecore_gemm_6x16_i8mm, edgecore_gemm_8x8_i8mm;
extern const edgecore_depthwise_kernel edgecore_depthwise_dotprod;
#else
extern const edgecore_gemm_kernel edgecore_gemm_4x32_armv7, edgecore_gemm_4x16_armv7;
#endif
extern const edgecore_depthwise_kernel edgecore_depthwise_neon;
extern const edgecore_winograd_kernel edgecore_winograd_neon;

/* Byte rows gain nothing from dotprod or i8mm: one NEON version serves all tiers. */
void edgecore_xor_row_neon(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
void edgecore_lookup_row_neon(uint8_t *out, const uint8_t *in, size_t n, const uint8_t table[256]);
void edgecore_max_row_neon(uint8_t *out, const uint8_t *const *in, size_t count, size_t n, uint8_t flip);
void edgecore_max_windows_neon(uint8_t *out, const edgecore_row_windows *windows);
void edgecore_sum_rows_neon(int32_t *sums, const uint8_t *in, ptrdiff_t stride, size_t rows, size_t n, uint8_t flip);
void edgecore_add_row_neon(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
void edgecore_mul_row_neon(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how);
void edgecore_average_row_neon(uint8_t *out, const int32_t *sums, size_t n, const edgecore_row_average *how);
void edgecore_blend_rows_neon(int32_t *sums, const uint8_t *a, const uint8_t *b, size_t n, int32_t weight_a,
                              int32_t weight_b, uint8_t flip);
void edgecore_blend_sums_neon(uint8_t *out, const int32_t *a, const int32_t *b, size_t n, int32_t weight_a,
                              int32_t weight_b, uint8_t flip);
void edgecore_scale_row_neon(float *out, const uint8_t *in, size_t n, float weight, uint8_t flip);
void edgecore_blend_scaled_neon(uint8_t *out, const float *above, const float *below, size_t first, size_t second, size_t n,
                                const float weights[2], uint8_t flip);

/* Members of an edgecore_tier initialiser. */
#define EDGECORE_NEON_ROWS \
    .xor_row = edgecore_xor_row_neon, .lookup_row = edgecore_lookup_row_neon, .max_row = edgecore_max_row_neon, \
    .max_windows = edgecore_max_windows_neon, .sum_rows = edgecore_sum_rows_neon, .add_row = edgecore_add_row_neon, \
    .mul_row = edgecore_mul_row_neon, .average_row = edgecore_average_row_neon, .blend_rows = edgecore_blend_rows_neon, \
    .blend_sums = edgecore_blend_sums_neon, .scale_row = edgecore_scale_row_neon, \
    .blend_scaled = edgecore_blend_scaled_neon

#endif
