/* Graphs of which a stream of numbers decides everything: mostly sound ones, spoiled here and there. */
#ifndef EDGECORE_TESTS_HOSTILE_GRAPH_H
#define EDGECORE_TESTS_HOSTILE_GRAPH_H

#include <stdint.h>

/* The next number of the stream, in [0, below). */
typedef uint32_t hostile_draw(void *stream, uint32_t below);

/* Builds a graph through the public API, compiles it and runs it. A call may refuse, with a line that says why. What is accepted
 * must run, and must give the bytes that the scalar tier gives node by node. Returns 1 where the graph ran, 0 where it was refused
 * or is too large, -1 for a failure, which it prints. */
int hostile_graph(hostile_draw *draw, void *stream);

#endif
