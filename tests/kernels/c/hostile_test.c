/* Graphs of random numbers. Usage: hostile_test [graphs] [seed]. Worth most under sanitizers. */
#include "hostile_graph.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t next(void *stream, uint32_t below)
{
    uint32_t *state = stream;
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

int main(int argc, char **argv)
{
    const int graphs = argc > 1 ? atoi(argv[1]) : 2000, seed = argc > 2 ? atoi(argv[2]) : 1;
    int ran = 0, failures = 0;
    for (int i = 0; i < graphs; i++) {
        uint32_t state = (uint32_t)(seed + i) * 2654435761u;
        const int result = hostile_graph(next, &state);
        if (result < 0)
            printf("^ hostile_test 1 %d\n", seed + i);
        ran += result > 0;
        failures += result < 0;
    }
    printf("%d graphs, %d ran, %d failures\n", graphs, ran, failures);
    return failures || ran == 0;
}
