/* Every activation is stored in the type that the tier's micro-kernels want. The value b of an int8 tensor and b ^ 0x80
 * of a uint8 one stand for the same number when the zero point moves by 128, so nothing else changes. */
#include "graph/program.h"

void edgecore_storage_pass(edgecore_program *program, edgecore_dtype storage)
{
    for (int32_t i = 0; i < program->tensor_count; i++) {
        edgecore_program_tensor *tensor = &program->tensors[i];
        if (tensor->tensor.data || tensor->tensor.dtype == EDGECORE_INT32 || tensor->tensor.dtype == storage)
            continue;
        tensor->tensor.dtype = storage;
        tensor->zero_point += storage == EDGECORE_UINT8 ? 128 : -128;
    }
}
