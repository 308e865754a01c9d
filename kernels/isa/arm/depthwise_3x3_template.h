/* 3x3 depthwise kernels of the ARM tiers: along a row of pixels, with columns in registers while pixels share them. A file that
 * includes this one has before it, of its own: column_3 (a column of three taps of a slice), kernel_3x3 (a kernel's constants),
 * load_kernel, load_column and sum_pixel. */
#ifndef EDGECORE_ISA_ARM_DEPTHWISE_3X3_TEMPLATE_H
#define EDGECORE_ISA_ARM_DEPTHWISE_3X3_TEMPLATE_H

#include "isa/arm/depthwise.h"

INLINE void one_pixel(const kernel_3x3 *k, slice_output *o, column_3 x, column_3 y, column_3 z, const enum finish finish)
{
    int32x4_t acc[2];
    sum_pixel(acc, k, o, x, y, z);
    store_one(o, acc, SLICE, finish);
}

/* Pixels of columns x, y, z and of z or y on. */
INLINE void two_pixels(const kernel_3x3 *k, slice_output *o, column_3 x, column_3 y, column_3 z, column_3 x1, column_3 y1,
                       column_3 z1, const enum finish finish)
{
#if defined(__aarch64__)
    int32x4_t acc[2], acc1[2];
    sum_pixel(acc, k, o, x, y, z);
    sum_pixel(acc1, k, o, x1, y1, z1);
    store_two(o, acc, acc1, finish);
#else
    one_pixel(k, o, x, y, z, finish);
    __asm__ volatile("" : : : "memory"); /* else clang begins the second before the first is done, and spills */
    one_pixel(k, o, x1, y1, z1, finish);
    __asm__ volatile("" : : : "memory");
#endif
}

INLINE void run_3x3(const edgecore_depthwise_args *args, const depthwise_slice *slice, size_t offset,
                    const enum finish finish)
{
    const kernel_3x3 k = load_kernel(slice, offset);
    slice_output o = output_of_slice(args, slice, offset);
    const uint8_t *const *a = args->a;
    size_t left = args->pixels;
    if (args->tap_step == 1 && args->pixel_step == 1) {
        column_3 x0 = load_column(&k, a), x1 = load_column(&k, a + 3), x2, x3;
        for (a += 6; left >= 4; left -= 4, a += 12) {
            x2 = load_column(&k, a);
            x3 = load_column(&k, a + 3);
            two_pixels(&k, &o, x0, x1, x2, x1, x2, x3, finish);
            x0 = load_column(&k, a + 6);
            x1 = load_column(&k, a + 9);
            two_pixels(&k, &o, x2, x3, x0, x3, x0, x1, finish);
        }
        for (; left > 0; left--, a += 3) {
            x2 = load_column(&k, a);
            one_pixel(&k, &o, x0, x1, x2, finish);
            x0 = x1;
            x1 = x2;
        }
    } else if (args->tap_step == 1 && args->pixel_step == 2) {
        column_3 x0 = load_column(&k, a), x1, x2, x3, x4;
        for (a += 3; left >= 2; left -= 2, a += 12) {
            x1 = load_column(&k, a);
            x2 = load_column(&k, a + 3);
            x3 = load_column(&k, a + 6);
            x4 = load_column(&k, a + 9);
            two_pixels(&k, &o, x0, x1, x2, x2, x3, x4, finish);
            x0 = x4;
        }
        if (left)
            one_pixel(&k, &o, x0, load_column(&k, a), load_column(&k, a + 3), finish);
    } else {
        for (; left > 0; left--, a += 3 * args->pixel_step)
            one_pixel(&k, &o, load_column(&k, a), load_column(&k, a + 3 * args->tap_step),
                      load_column(&k, a + 6 * args->tap_step), finish);
    }
}

/* A whole slice, whose rounding is not ROUND_GENERAL. */
INLINE void run_slice_3x3(const edgecore_depthwise_args *args, const depthwise_head *head, const depthwise_slice *slice,
                          size_t offset)
{
    if (head->requant.rounding != ROUND_UP)
        run_3x3(args, slice, offset, FINISH_AWAY);
    else if (head->clamps)
        run_3x3(args, slice, offset, FINISH_UP_CLAMP);
    else
        run_3x3(args, slice, offset, FINISH_UP);
}

#endif
