#include "rows_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"

const edgecore_tier *scalar, *tested;
uint8_t *ends[MOST_INPUTS], *expected_end, *given_end, *sums_end;
int32_t *expected_sums_end, *given_sums_end;

void make_buffers(void)
{
    for (int32_t i = 0; i < MOST_INPUTS; i++)
        ends[i] = guarded(MOST) + MOST;
    expected_end = guarded(MOST + MARGIN) + MOST + MARGIN;
    given_end = guarded(MOST + MARGIN) + MOST + MARGIN;
    sums_end = guarded(MOST * 131) + MOST * 131;
    expected_sums_end = (int32_t *)(void *)guarded(MOST * sizeof(int32_t)) + MOST;
    given_sums_end = (int32_t *)(void *)guarded(MOST * sizeof(int32_t)) + MOST;
}

void fail(const char *what, size_t n, size_t i)
{
    printf("%s of %s: wrong at %zu of %zu\n", what, tested->name, i, n);
    exit(1);
}

size_t length_of(int32_t index)
{
    static const size_t longer[] = {127, 128, 200, 256, 395, 513};
    return index < 68 ? (size_t)index : longer[index - 68];
}

uint8_t extreme_byte(void)
{
    static const uint8_t extremes[] = {0, 1, 127, 128, 129, 255};
    return random_between(0, 3) ? (uint8_t)random_32() : extremes[random_between(0, 5)];
}

uint8_t random_flip(void)
{
    return random_between(0, 1) ? 0x80 : 0;
}

uint8_t *input(int32_t index, size_t n)
{
    for (size_t i = 1; i <= n; i++)
        *(ends[index] - i) = extreme_byte();
    return ends[index] - n;
}

void clear_outputs(size_t n)
{
    memset(expected_end - n - MARGIN, CANARY, n + MARGIN);
    memset(given_end - n - MARGIN, CANARY, n + MARGIN);
}

void compare(const char *what, size_t n)
{
    for (size_t i = 0; i < n + MARGIN; i++)
        if (*(expected_end - n - MARGIN + i) != *(given_end - n - MARGIN + i))
            fail(what, n, i - MARGIN);
}

const uint8_t *place(uint8_t *out, const uint8_t *in, size_t n, bool in_place)
{
    if (!in_place)
        return in;
    if (n)
        memcpy(out, in, n);
    return out;
}
