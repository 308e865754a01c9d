/* What the patterns of fused blocks share. A pattern collects nodes in a candidate and offers it; an offer that the
 * executor could not run in one step is turned down, and the nodes stay as they were. */
#ifndef EDGECORE_GRAPH_FUSE_H
#define EDGECORE_GRAPH_FUSE_H

#include "graph/program.h"

typedef struct edgecore_candidate {
    int32_t nodes[EDGECORE_MAX_MEMBERS];
    int32_t count;
} edgecore_candidate;

/* Adds a node; false when it already belongs to a group or there are too many. */
bool edgecore_candidate_add(const edgecore_program *program, edgecore_candidate *candidate, int32_t node);

/* Adds the convolution that made `tensor`, and the unary operator between them if there is one. Returns the
 * convolution's node, or EDGECORE_NONE (then nothing was added). `tensor` itself may have several users. */
int32_t edgecore_candidate_add_conv(const edgecore_program *program, edgecore_candidate *candidate, int32_t tensor);

/* Adds the unary operator that alone reads `tensor`, if there is one; returns the last output. */
int32_t edgecore_candidate_add_unary_after(const edgecore_program *program, edgecore_candidate *candidate,
                                           int32_t tensor);

/* Makes a group of the candidate. EDGECORE_NO_MEMORY or EDGECORE_OK; *taken says whether it fits. */
edgecore_status edgecore_offer_group(edgecore_program *program, const char *name, edgecore_candidate *candidate,
                                     bool *taken);

/* Both inputs and the output of an ADD have one shape, and both inputs are activations. */
bool edgecore_is_plain_add(const edgecore_program *program, const edgecore_program_node *node);

bool edgecore_is_unary(edgecore_op_kind kind);

edgecore_status edgecore_fuse_fire(edgecore_program *program, int32_t node);
edgecore_status edgecore_fuse_residual(edgecore_program *program, int32_t node);
edgecore_status edgecore_fuse_activation(edgecore_program *program, int32_t node);
edgecore_status edgecore_fuse_stem(edgecore_program *program, int32_t node);

#endif
