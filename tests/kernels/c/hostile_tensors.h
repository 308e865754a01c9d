/* What a hostile graph is made of. */
#ifndef EDGECORE_TESTS_HOSTILE_TENSORS_H
#define EDGECORE_TESTS_HOSTILE_TENSORS_H

#include "edgecore/graph.h"
#include "hostile_graph.h"

#define HOSTILE_TENSORS 64
#define HOSTILE_ROOM 12 /* a block of nodes adds fewer */
#define HOSTILE_NONE (-1)

typedef struct hostile {
    hostile_draw *draw;
    void *stream;
    uint32_t noise;     /* what random contents begin with */
    edgecore_dtype dtype; /* of activations */
    edgecore_graph *graph;
    edgecore_tensor tensors[HOSTILE_TENSORS]; /* as they are described */
    int32_t ids[HOSTILE_TENSORS];             /* the graph's numbers; any number where it refused */
    int32_t count, nodes;
    bool is_known[HOSTILE_TENSORS]; /* the graph took it */
    bool is_input[HOSTILE_TENSORS], is_made[HOSTILE_TENSORS]; /* of those; made: an input, or a node's output */
} hostile;

void hostile_begin(hostile *h, hostile_draw *draw, void *stream); /* with one or two inputs */
void hostile_end(hostile *h);

uint32_t hostile_below(hostile *h, uint32_t limit);
bool hostile_odd(hostile *h, uint32_t one_in);
int32_t hostile_one_of(hostile *h, int32_t count, ...); /* of int32_t */
int32_t hostile_wrong(hostile *h); /* a number that is seldom right, among them the edges of the types */

/* New tensors, now and then not quite as asked for. */
int32_t hostile_activation(hostile *h, int32_t rank, const int32_t *dims);
int32_t hostile_weights(hostile *h, int32_t rank, const int32_t *dims, int32_t scales);
int32_t hostile_bias(hostile *h, int32_t count);

/* Whether a node can follow it: it is made, and its dims are small numbers. */
bool hostile_is_sound(const hostile *h, int32_t tensor);

int32_t hostile_pick(hostile *h); /* a sound one, more likely a late one, or HOSTILE_NONE */
int32_t hostile_like(hostile *h, int32_t x); /* another of its shape, or itself */
int32_t hostile_like_dims(hostile *h, int32_t rank, const int32_t *dims); /* or HOSTILE_NONE */

/* Adds a node, or a block of nodes, behind one that is sound. */
void hostile_grow(hostile *h);

/* Bytes of a tensor's contents; HOSTILE_BYTES stands for anything beyond. */
#define HOSTILE_BYTES (1 << 20)
size_t hostile_bytes(const edgecore_tensor *tensor);

/* Noise, or one end of the range everywhere, in a buffer of exactly those bytes. */
void *hostile_contents(const hostile *h, const edgecore_tensor *tensor, uint32_t which);

#endif
