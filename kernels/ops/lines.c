#include "ops/lines.h"

#include <math.h>
#include <string.h>

/* The finest steps of 2^-shift, and how many slopes on either side of the true one are tried. */
enum { MOST_SHIFT = 22, LEAST_SHIFT = 8, TRIES = 8 };

static bool find_line(edgecore_lines *lines, const edgecore_tier *tier, const uint8_t bytes[256], double slope, int32_t byte)
{
    const int32_t nearest = (int32_t)lround(ldexp(slope, lines->form.shift));
    for (int32_t t = 0; t <= 2 * TRIES; t++) {
        const int32_t tried = nearest + (t % 2 ? t / 2 + 1 : -(t / 2));
        if (!tier->line_offset(&lines->form, bytes, tried, &lines->offsets[byte]))
            continue;
        lines->slopes[byte] = tried;
        return true;
    }
    return false;
}

bool edgecore_lines_find(edgecore_lines *lines, const edgecore_tier *tier, const edgecore_binary_kind *kind,
                         const edgecore_row_arithmetic *how, int32_t moving, const bool wanted[256])
{
    const edgecore_row_input *input = moving == 0 ? &how->a : &how->b;
    double steepest = 0;
    if (input->flip || how->flip)
        return false;
    for (int32_t byte = 0; byte < 256; byte++)
        if (wanted[byte])
            steepest = fmax(steepest, fabs(kind->slope(how, moving, (uint8_t)byte)));
    int32_t shift = MOST_SHIFT;
    while (shift >= LEAST_SHIFT && !(ldexp(255 * steepest + 516, shift) < 2147483648.0))
        shift--;
    if (shift < LEAST_SHIFT)
        return false;
    memset(lines, 0, sizeof *lines);
    edgecore_row_lines *form = &lines->form;
    form->shift = shift;
    form->min = (uint8_t)how->min;
    form->max = (uint8_t)how->max;
    form->zero_point = input->zero_point;
    /* Rounding away from zero is a step of the product that is rounded less below zero, where that shows. */
    const bool bends = how->min < how->zero_point && how->right_shift > 0 && how->right_shift <= shift;
    form->below = bends ? 1 << (shift - how->right_shift) : 0;
    uint8_t every[256], stays[256], bytes[256];
    for (int32_t u = 0; u < 256; u++)
        every[u] = (uint8_t)u;
    for (int32_t byte = 0; byte < 256; byte++) {
        if (!wanted[byte])
            continue;
        memset(stays, byte, sizeof stays);
        kind->row(bytes, moving == 0 ? every : stays, moving == 0 ? stays : every, sizeof bytes, how);
        lines->known[byte] = find_line(lines, tier, bytes, kind->slope(how, moving, (uint8_t)byte), byte);
    }
    if (bends)
        return true;
    for (int32_t byte = 0; byte < 256; byte++)
        lines->offsets[byte] -= form->zero_point * lines->slopes[byte];
    form->zero_point = 0;
    return true;
}
