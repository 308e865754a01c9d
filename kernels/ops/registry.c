/* The one list of operators. */
#include "ops/op.h"

extern const edgecore_op_class edgecore_conv_2d_class, edgecore_depthwise_conv_2d_class, edgecore_fully_connected_class;
extern const edgecore_op_class edgecore_transpose_conv_class;
extern const edgecore_op_class edgecore_max_pool_2d_class, edgecore_average_pool_2d_class, edgecore_mean_class;
extern const edgecore_op_class edgecore_add_class, edgecore_mul_class, edgecore_concatenation_class;
extern const edgecore_op_class edgecore_pad_class, edgecore_reshape_class, edgecore_softmax_class;
extern const edgecore_op_class edgecore_relu_class, edgecore_relu6_class, edgecore_leaky_relu_class;
extern const edgecore_op_class edgecore_logistic_class, edgecore_tanh_class, edgecore_hard_swish_class, edgecore_quantize_class;
extern const edgecore_op_class edgecore_resize_nearest_neighbor_class, edgecore_resize_bilinear_class;
extern const edgecore_op_class edgecore_transpose_class, edgecore_strided_slice_class;
extern const edgecore_op_class edgecore_swish_class, edgecore_multi_scale_max_pool_class;
extern const edgecore_op_class edgecore_affine_channel_class;

static const edgecore_op_class *const classes[EDGECORE_OP_KINDS] = {
    [EDGECORE_CONV_2D] = &edgecore_conv_2d_class,
    [EDGECORE_DEPTHWISE_CONV_2D] = &edgecore_depthwise_conv_2d_class,
    [EDGECORE_FULLY_CONNECTED] = &edgecore_fully_connected_class,
    [EDGECORE_TRANSPOSE_CONV] = &edgecore_transpose_conv_class,
    [EDGECORE_MAX_POOL_2D] = &edgecore_max_pool_2d_class,
    [EDGECORE_AVERAGE_POOL_2D] = &edgecore_average_pool_2d_class,
    [EDGECORE_MEAN] = &edgecore_mean_class,
    [EDGECORE_ADD] = &edgecore_add_class,
    [EDGECORE_MUL] = &edgecore_mul_class,
    [EDGECORE_CONCATENATION] = &edgecore_concatenation_class,
    [EDGECORE_PAD] = &edgecore_pad_class,
    [EDGECORE_RESHAPE] = &edgecore_reshape_class,
    [EDGECORE_SOFTMAX] = &edgecore_softmax_class,
    [EDGECORE_RELU] = &edgecore_relu_class,
    [EDGECORE_RELU6] = &edgecore_relu6_class,
    [EDGECORE_LEAKY_RELU] = &edgecore_leaky_relu_class,
    [EDGECORE_LOGISTIC] = &edgecore_logistic_class,
    [EDGECORE_TANH] = &edgecore_tanh_class,
    [EDGECORE_HARD_SWISH] = &edgecore_hard_swish_class,
    [EDGECORE_QUANTIZE] = &edgecore_quantize_class,
    [EDGECORE_RESIZE_NEAREST_NEIGHBOR] = &edgecore_resize_nearest_neighbor_class,
    [EDGECORE_RESIZE_BILINEAR] = &edgecore_resize_bilinear_class,
    [EDGECORE_TRANSPOSE] = &edgecore_transpose_class,
    [EDGECORE_STRIDED_SLICE] = &edgecore_strided_slice_class,
    [EDGECORE_SWISH] = &edgecore_swish_class,
    [EDGECORE_MULTI_SCALE_MAX_POOL] = &edgecore_multi_scale_max_pool_class,
    [EDGECORE_AFFINE_CHANNEL] = &edgecore_affine_channel_class,
};

const edgecore_op_class *edgecore_op_class_of(edgecore_op_kind kind)
{
    return (int)kind >= 0 && (int)kind < EDGECORE_OP_KINDS ? classes[kind] : NULL;
}

bool edgecore_tensor_layout(const edgecore_tensor *tensor, int32_t *height, int32_t *width, int32_t *channels)
{
    const int32_t rank = tensor->rank, first = rank > 1 && tensor->dims[0] == 1;
    if (rank < 1 || rank > EDGECORE_MAX_RANK)
        return false;
    int64_t hwc[3] = {1, 1, 1}, elements = 1;
    for (int32_t i = first; i < rank; i++) {
        const int32_t axis = i == rank - 1 ? 2 : i == first && rank - first > 2 ? 0 : 1;
        if (tensor->dims[i] < 1 || tensor->dims[i] > EDGECORE_MAX_CHANNELS)
            return false;
        elements *= tensor->dims[i];
        hwc[axis] *= tensor->dims[i];
        if (elements > INT32_MAX || hwc[axis] > EDGECORE_MAX_CHANNELS)
            return false;
    }
    *height = (int32_t)hwc[0];
    *width = (int32_t)hwc[1];
    *channels = (int32_t)hwc[2];
    return true;
}

bool edgecore_tensor_hwc(const edgecore_tensor *tensor, int32_t *height, int32_t *width, int32_t *channels)
{
    return tensor->rank <= 4 && (tensor->rank < 2 || tensor->dims[0] == 1) &&
           edgecore_tensor_layout(tensor, height, width, channels);
}
