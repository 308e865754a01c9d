/* A node's inputs as its operator's parser reads them. */
#include "tflite/parse.h"

#include <string.h>

const tfl_tensor *edgecore_tfl_input_at(const edgecore_tfl_source *from, int position)
{
    const int index = position < from->node->inputs->size ? from->node->inputs->data[position] : TFL_OPTIONAL_TENSOR;
    return index >= 0 && (size_t)index < from->context->tensors_size ? &from->context->tensors[index] : NULL;
}

int edgecore_tfl_read_integers(const edgecore_tfl_source *from, int position, int limit, int64_t *values)
{
    const tfl_tensor *tensor = edgecore_tfl_input_at(from, position);
    if (!tensor || !edgecore_tfl_is_constant(tensor))
        return -1;
    const size_t width = tensor->type == TFL_INT32 ? 4 : tensor->type == TFL_INT64 ? 8 : 0;
    if (!width || tensor->bytes % width || tensor->bytes / width > (size_t)limit)
        return -1;
    const int count = (int)(tensor->bytes / width);
    for (int i = 0; i < count; i++) {
        int32_t narrow = 0;
        const char *at = (const char *)tensor->data + (size_t)i * width;
        if (width == 8) {
            memcpy(&values[i], at, sizeof values[i]);
        } else {
            memcpy(&narrow, at, sizeof narrow);
            values[i] = narrow;
        }
    }
    return count;
}
