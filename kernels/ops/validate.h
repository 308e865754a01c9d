/* What check() functions have in common. Nothing about a description is trusted before these have seen it. */
#ifndef EDGECORE_OPS_VALIDATE_H
#define EDGECORE_OPS_VALIDATE_H

#include "ops/op.h"

/* The description itself: pointers, `inputs` inputs (absent ones allowed only from `required` on), an output. */
edgecore_status edgecore_check_description(const edgecore_op_desc *desc, int32_t required, int32_t most,
                                           edgecore_message *message);

/* int8 or uint8, of any shape that a view can have, one finite scale above 0 and one zero point in the type's range. */
edgecore_status edgecore_check_values(const edgecore_tensor *tensor, const char *role, edgecore_message *message);

/* int8 or uint8, rank 1 to 4, batch 1, one finite scale above 0 and one zero point in the type's range. */
edgecore_status edgecore_check_activation(const edgecore_tensor *tensor, const char *role, edgecore_message *message);

/* An operator with one activation in and one out. */
edgecore_status edgecore_check_one_to_one(const edgecore_op_desc *desc, edgecore_message *message);

/* The same real value for the same byte, whatever the storage: scales equal, zero points equal in the uint8 domain. */
edgecore_status edgecore_check_same_quantisation(const edgecore_tensor *a, const edgecore_tensor *b,
                                                 edgecore_message *message);

bool edgecore_same_dims(const edgecore_tensor *a, const edgecore_tensor *b);

/* Elements of a tensor that edgecore_tensor_layout accepts; below 2^31. */
int64_t edgecore_element_count(const edgecore_tensor *tensor);

/* Dimensions as [batch, height, width, channels]; the same mapping as views have. */
typedef struct edgecore_shape4 {
    int32_t dims[4];
} edgecore_shape4;
edgecore_shape4 edgecore_shape4_of(const edgecore_tensor *tensor);

/* Which of the four an axis of a tensor of this rank is, or -1 where it is out of range; negative axes count from the end. */
int32_t edgecore_axis4(int32_t axis, int32_t rank);

/* A multiplier that the reference can apply to values below 2^value_bits without overflow. */
edgecore_status edgecore_check_multiplier(double real, int32_t value_bits, edgecore_message *message);

#endif
