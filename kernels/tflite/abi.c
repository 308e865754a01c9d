/* Proves the layout of the runtime's structures before the delegate believes in it. */
#include "tflite/abi.h"

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(tfl_tensor) == 112, "tensor");
_Static_assert(sizeof(tfl_node) == 80, "node");
_Static_assert(sizeof(tfl_registration) == 88, "registration");
#endif

/* The runtime keeps node and registration side by side in one array, so the distances between pointers are
 * the sizes of both. A model of one operator shows only the node's. */
static bool nodes_match(tfl_context *context, const tfl_ints *plan)
{
    const char *last_node = NULL;
    int last_index = 0;
    for (int i = 0; i < plan->size; i++) {
        tfl_node *node = NULL;
        tfl_registration *registration = NULL;
        if (context->get_node_and_registration(context, plan->data[i], &node, &registration) != TFL_OK || !node ||
            !registration)
            return false;
        if ((char *)registration - (char *)node != (ptrdiff_t)sizeof(tfl_node))
            return false;
        const ptrdiff_t pair = (ptrdiff_t)(sizeof(tfl_node) + sizeof(tfl_registration));
        if (last_node && (char *)node - last_node != pair * (plan->data[i] - last_index))
            return false;
        last_node = (char *)node;
        last_index = plan->data[i];
    }
    return true;
}

/* No function returns the address of a tensor, so the stride is proved by the fields: with a wrong one these
 * enums, flags and alignments would have to fit by chance in every tensor. Nothing is dereferenced. */
static bool tensors_match(const tfl_context *context)
{
    for (size_t i = 0; i < context->tensors_size; i++) {
        const tfl_tensor *tensor = &context->tensors[i];
        const unsigned char *flags = (const unsigned char *)&tensor->stale;
        if (tensor->type < 0 || tensor->type > 64 || tensor->allocation < 0 || tensor->allocation > TFL_ALLOC_LAST)
            return false;
        if (flags[0] > 1 || flags[1] > 1 || (uintptr_t)tensor->dims % sizeof(int))
            return false;
        if (tensor->quantisation.type < 0 || tensor->quantisation.type > 8)
            return false;
        const uintptr_t params = (uintptr_t)tensor->quantisation.params;
        if (tensor->quantisation.type && (!params || params % sizeof(int)))
            return false;
    }
    return true;
}

bool edgecore_tfl_abi_matches(tfl_context *context, const tfl_ints *plan)
{
    return context->tensors && nodes_match(context, plan) && tensors_match(context);
}
