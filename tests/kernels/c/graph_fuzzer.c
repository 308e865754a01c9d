/* libFuzzer's way into the graph: its bytes are the numbers of a hostile graph. */
#include "hostile_graph.h"

#include <stddef.h>
#include <stdlib.h>

typedef struct bytes {
    const uint8_t *next, *end;
} bytes;

/* At the end all numbers are 0: no more nodes, and nothing odd. */
static uint32_t draw(void *stream, uint32_t below)
{
    bytes *left = stream;
    uint32_t number = 0;
    for (uint32_t range = 1; range < below && left->next < left->end; range *= 256)
        number = number * 256 + *left->next++;
    return number % below;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes stream = {data, data + size};
    if (hostile_graph(draw, &stream) < 0)
        abort();
    return 0;
}
