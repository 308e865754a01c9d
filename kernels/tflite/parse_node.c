/* Per operator: TFLite's parameters as the engine's, with "SAME" turned into numbers. */
#include "ops/op.h"
#include "tflite/parse.h"

static bool has_rank(const tfl_tensor *tensor, int rank)
{
    return tensor && tensor->dims && tensor->dims->size == rank;
}

static edgecore_status set_activation(const edgecore_tfl_source *from, int activation, edgecore_op_params *params)
{
    if (activation < EDGECORE_ACT_NONE || activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "fused activation %d", activation);
    params->activation = (edgecore_activation)activation;
    return EDGECORE_OK;
}

/* Padding before and after along one axis, as TFLite computes it from the size of the output. */
static bool pad_axis(int padding, int in, int filter, int stride, int dilation, int32_t *before, int32_t *after)
{
    const int64_t reach = ((int64_t)filter - 1) * dilation + 1;
    if (filter < 1 || stride < 1 || dilation < 1 || reach > INT32_MAX)
        return false;
    int64_t out = 0;
    if (padding == TFL_PADDING_SAME)
        out = ((int64_t)in + stride - 1) / stride;
    else if (padding == TFL_PADDING_VALID)
        out = ((int64_t)in + stride - reach) / stride;
    if (out < 1)
        return false;
    int64_t total = (out - 1) * stride + reach - in;
    if (total < 0)
        total = 0;
    *before = (int32_t)(total / 2);
    *after = (int32_t)(total - total / 2);
    return true;
}

static edgecore_status set_padding(const edgecore_tfl_source *from, int padding, int filter_h, int filter_w,
                                   edgecore_op_params *params)
{
    const tfl_tensor *x = edgecore_tfl_input_at(from, 0);
    if (!has_rank(x, 4))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an input that is not of rank 4");
    const int *dims = x->dims->data;
    if (!pad_axis(padding, dims[1], filter_h, params->stride_h, params->dilation_h, &params->pad_top,
                  &params->pad_bottom) ||
        !pad_axis(padding, dims[2], filter_w, params->stride_w, params->dilation_w, &params->pad_left,
                  &params->pad_right))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a window larger than its input, or no stride");
    return EDGECORE_OK;
}

/* Height and width of a filter of rank 4 stand in its dims 1 and 2, for both kinds of convolution. */
static edgecore_status set_filter_padding(const edgecore_tfl_source *from, int padding, edgecore_op_params *params)
{
    const tfl_tensor *w = edgecore_tfl_input_at(from, 1);
    if (!has_rank(w, 4))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "weights that are not of rank 4");
    return set_padding(from, padding, w->dims->data[1], w->dims->data[2], params);
}

static edgecore_status parse_conv(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_conv_params *given = from->node->builtin;
    params->stride_h = given->stride_h;
    params->stride_w = given->stride_w;
    params->dilation_h = given->dilation_h;
    params->dilation_w = given->dilation_w;
    const edgecore_status status = set_activation(from, given->activation, params);
    return status ? status : set_filter_padding(from, given->padding, params);
}

static edgecore_status parse_depthwise(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_depthwise_params *given = from->node->builtin;
    params->stride_h = given->stride_h;
    params->stride_w = given->stride_w;
    params->dilation_h = given->dilation_h;
    params->dilation_w = given->dilation_w;
    /* The runtime ignores the number in the file and divides the channels. */
    const tfl_tensor *x = edgecore_tfl_input_at(from, 0);
    const tfl_tensor *w = edgecore_tfl_input_at(from, 1);
    if (!has_rank(x, 4) || !has_rank(w, 4) || x->dims->data[3] < 1)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "tensors that are not of rank 4");
    params->depth_multiplier = w->dims->data[3] / x->dims->data[3];
    const edgecore_status status = set_activation(from, given->activation, params);
    return status ? status : set_filter_padding(from, given->padding, params);
}

/* Of the inputs the output's shape comes first, then weights, x and bias. The padding is that of a convolution the other way. */
static edgecore_status parse_transpose_conv(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_transpose_conv_params *given = from->node->builtin;
    const tfl_tensor *shape = edgecore_tfl_input_at(from, 0), *w = edgecore_tfl_input_at(from, 1);
    const int output = from->node->outputs->data[0];
    if (!shape || !edgecore_tfl_is_constant(shape) || output < 0 || (size_t)output >= from->context->tensors_size)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a shape that is not known before the run");
    const tfl_tensor *y = &from->context->tensors[output];
    if (!has_rank(w, 4) || !has_rank(y, 4))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "tensors that are not of rank 4");
    const int *kernel = w->dims->data, *size = y->dims->data;
    int32_t after;
    if (!pad_axis(given->padding, size[1], kernel[1], given->stride_h, 1, &params->pad_top, &after) ||
        !pad_axis(given->padding, size[2], kernel[2], given->stride_w, 1, &params->pad_left, &after))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a window larger than its output, or no stride");
    params->stride_h = given->stride_h;
    params->stride_w = given->stride_w;
    const tfl_ints *inputs = from->node->inputs;
    edgecore_tfl_node *parsed = from->parsed;
    parsed->ordered[0] = inputs->data[2];
    parsed->ordered[1] = inputs->data[1];
    parsed->ordered[2] = inputs->size > 3 ? inputs->data[3] : TFL_OPTIONAL_TENSOR;
    parsed->inputs = parsed->ordered;
    return set_activation(from, given->activation, params);
}

static edgecore_status parse_pool(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_pool_params *given = from->node->builtin;
    params->stride_h = given->stride_h;
    params->stride_w = given->stride_w;
    params->dilation_h = params->dilation_w = 1;
    params->filter_h = given->filter_h;
    params->filter_w = given->filter_w;
    const edgecore_status status = set_activation(from, given->activation, params);
    return status ? status : set_padding(from, given->padding, given->filter_h, given->filter_w, params);
}

static edgecore_status parse_fully_connected(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_fully_connected_params *given = from->node->builtin;
    if (given->weights_format != 0)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "shuffled weights");
    params->keep_dims = given->keep_num_dims;
    return set_activation(from, given->activation, params);
}

static edgecore_status parse_concatenation(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_concatenation_params *given = from->node->builtin;
    params->axis = given->axis;
    return set_activation(from, given->activation, params);
}

static edgecore_status parse_arithmetic(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    return set_activation(from, ((const tfl_activation_params *)from->node->builtin)->activation, params);
}

static edgecore_status parse_softmax(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    params->beta = ((const tfl_float_params *)from->node->builtin)->value;
    return EDGECORE_OK;
}

static edgecore_status parse_leaky_relu(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    params->alpha = ((const tfl_float_params *)from->node->builtin)->value;
    return EDGECORE_OK;
}

/* The runtime has computed the output's dims from a constant size; from any other they would be dynamic. */
static edgecore_status parse_resize(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_resize_params *given = from->node->builtin;
    const tfl_tensor *size = edgecore_tfl_input_at(from, 1);
    if (!size || !edgecore_tfl_is_constant(size))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a size that is not known before the run");
    params->align_corners = given->align_corners;
    params->half_pixel_centers = given->half_pixel_centers;
    return EDGECORE_OK;
}

static edgecore_status parse_mean(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    int64_t axes[EDGECORE_MAX_RANK];
    const int count = edgecore_tfl_read_integers(from, 1, EDGECORE_MAX_RANK, axes);
    if (count < 1)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "axes that are not known before the run");
    params->axis_count = count;
    for (int i = 0; i < count; i++) {
        if (axes[i] < -EDGECORE_MAX_RANK || axes[i] >= EDGECORE_MAX_RANK)
            return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an axis out of range");
        params->axes[i] = (int32_t)axes[i];
    }
    params->keep_dims = ((const tfl_reducer_params *)from->node->builtin)->keep_dims;
    return EDGECORE_OK;
}

static edgecore_status parse_pad(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    int64_t pads[2 * EDGECORE_MAX_RANK];
    const tfl_tensor *x = edgecore_tfl_input_at(from, 0);
    const int count = edgecore_tfl_read_integers(from, 1, 2 * EDGECORE_MAX_RANK, pads);
    if (!x || !x->dims || count != 2 * x->dims->size)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "paddings that are not known before the run");
    for (int i = 0; i < count; i++) {
        if (pads[i] < 0 || pads[i] > INT16_MAX)
            return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a padding out of range");
        (i % 2 ? params->pad_after : params->pad_before)[i / 2] = (int32_t)pads[i];
    }
    return EDGECORE_OK;
}

/* The runtime has computed the output's dims from a constant shape; from any other they would be dynamic or stale. */
static edgecore_status parse_reshape(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    (void)params;
    if (from->node->inputs->size > 1 && from->node->inputs->data[1] != TFL_OPTIONAL_TENSOR) {
        const tfl_tensor *shape = edgecore_tfl_input_at(from, 1);
        if (!shape || !edgecore_tfl_is_constant(shape))
            return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "a shape that is not known before the run");
    }
    return EDGECORE_OK;
}

static edgecore_status parse_transpose(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    int64_t order[EDGECORE_MAX_RANK];
    const tfl_tensor *x = edgecore_tfl_input_at(from, 0);
    const int count = edgecore_tfl_read_integers(from, 1, EDGECORE_MAX_RANK, order);
    if (!x || !x->dims || count != x->dims->size)
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an order that is not known before the run");
    if (edgecore_tfl_input_at(from, 1)->type != TFL_INT32) /* the runtime takes any bytes for that */
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an order that is not of int32");
    params->axis_count = count;
    for (int i = 0; i < count; i++)
        params->axes[i] = (int32_t)(order[i] < 0 ? order[i] + count : order[i] < count ? order[i] : count);
    return EDGECORE_OK;
}

/* The runtime has computed the output's dims. */
static edgecore_status parse_new_dims(const edgecore_tfl_source *from, edgecore_op_params *params)
{
    const tfl_tensor *axis = edgecore_tfl_input_at(from, 1);
    (void)params;
    if (from->node->inputs->size > 1 && (!axis || !edgecore_tfl_is_constant(axis)))
        return edgecore_fail(from->message, EDGECORE_UNSUPPORTED, "an axis that is not known before the run");
    return EDGECORE_OK;
}

static const struct parser {
    int32_t code;
    edgecore_op_kind kind;
    int32_t min_inputs, max_inputs; /* max 0: no limit */
    int32_t kept_inputs;            /* the others become parameters; 0: all */
    bool needs_params;
    edgecore_status (*parse)(const edgecore_tfl_source *from, edgecore_op_params *params); /* NULL: nothing to read */
} parsers[] = {
    {TFL_OP_CONV_2D, EDGECORE_CONV_2D, 2, 3, 0, true, parse_conv},
    {TFL_OP_DEPTHWISE_CONV_2D, EDGECORE_DEPTHWISE_CONV_2D, 2, 3, 0, true, parse_depthwise},
    {TFL_OP_FULLY_CONNECTED, EDGECORE_FULLY_CONNECTED, 2, 3, 0, true, parse_fully_connected},
    {TFL_OP_TRANSPOSE_CONV, EDGECORE_TRANSPOSE_CONV, 3, 4, 3, true, parse_transpose_conv},
    {TFL_OP_MAX_POOL_2D, EDGECORE_MAX_POOL_2D, 1, 1, 0, true, parse_pool},
    {TFL_OP_AVERAGE_POOL_2D, EDGECORE_AVERAGE_POOL_2D, 1, 1, 0, true, parse_pool},
    {TFL_OP_MEAN, EDGECORE_MEAN, 2, 2, 1, true, parse_mean},
    {TFL_OP_ADD, EDGECORE_ADD, 2, 2, 0, true, parse_arithmetic},
    {TFL_OP_MUL, EDGECORE_MUL, 2, 2, 0, true, parse_arithmetic},
    {TFL_OP_CONCATENATION, EDGECORE_CONCATENATION, 1, 0, 0, true, parse_concatenation},
    {TFL_OP_PAD, EDGECORE_PAD, 2, 2, 1, false, parse_pad},
    {TFL_OP_RESHAPE, EDGECORE_RESHAPE, 1, 2, 1, false, parse_reshape},
    {TFL_OP_SOFTMAX, EDGECORE_SOFTMAX, 1, 1, 0, true, parse_softmax},
    {TFL_OP_RELU, EDGECORE_RELU, 1, 1, 0, false, NULL},
    {TFL_OP_RELU6, EDGECORE_RELU6, 1, 1, 0, false, NULL},
    {TFL_OP_LEAKY_RELU, EDGECORE_LEAKY_RELU, 1, 1, 0, true, parse_leaky_relu},
    {TFL_OP_LOGISTIC, EDGECORE_LOGISTIC, 1, 1, 0, false, NULL},
    {TFL_OP_TANH, EDGECORE_TANH, 1, 1, 0, false, NULL},
    {TFL_OP_HARD_SWISH, EDGECORE_HARD_SWISH, 1, 1, 0, false, NULL},
    {TFL_OP_QUANTIZE, EDGECORE_QUANTIZE, 1, 1, 0, false, NULL},
    {TFL_OP_RESIZE_NEAREST_NEIGHBOR, EDGECORE_RESIZE_NEAREST_NEIGHBOR, 2, 2, 1, true, parse_resize},
    {TFL_OP_RESIZE_BILINEAR, EDGECORE_RESIZE_BILINEAR, 2, 2, 1, true, parse_resize},
    {TFL_OP_SQUEEZE, EDGECORE_RESHAPE, 1, 1, 1, false, NULL},
    {TFL_OP_EXPAND_DIMS, EDGECORE_RESHAPE, 2, 2, 1, false, parse_new_dims},
    {TFL_OP_TRANSPOSE, EDGECORE_TRANSPOSE, 2, 2, 1, false, parse_transpose},
    {TFL_OP_SLICE, EDGECORE_STRIDED_SLICE, 3, 3, 1, false, edgecore_tfl_parse_slice},
    {TFL_OP_STRIDED_SLICE, EDGECORE_STRIDED_SLICE, 4, 4, 1, true, edgecore_tfl_parse_strided_slice},
    {TFL_OP_SPLIT, EDGECORE_STRIDED_SLICE, 2, 2, 1, false, edgecore_tfl_parse_split},
    {TFL_OP_SPLIT_V, EDGECORE_STRIDED_SLICE, 3, 3, 1, false, edgecore_tfl_parse_split_v},
};

edgecore_status edgecore_tfl_parse_node(const tfl_context *context, const tfl_node *node,
                                        const tfl_registration *registration, edgecore_tfl_node *parsed,
                                        edgecore_message *message)
{
    const struct parser *parser = NULL;
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        if (parsers[i].code == registration->builtin_code)
            parser = &parsers[i];
    }
    if (!parser || node->delegate)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "operator %d is not one of the engine's",
                             registration->builtin_code);
    if (!node->inputs || !node->outputs || node->inputs->size < parser->min_inputs ||
        (parser->max_inputs && node->inputs->size > parser->max_inputs) || node->outputs->size < 1 ||
        (parser->kind != EDGECORE_STRIDED_SLICE && node->outputs->size != 1))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "an unusual number of inputs or outputs");
    if (parser->needs_params && !node->builtin)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "no parameters");
    *parsed = (edgecore_tfl_node){
        .kind = parser->kind,
        .inputs = node->inputs->data,
        .input_count = parser->kept_inputs ? parser->kept_inputs : node->inputs->size,
        .outputs = node->outputs->data,
        .output_count = node->outputs->size,
        .split_axis = -1,
    };
    const edgecore_tfl_source from = {context, node, message, parsed};
    return parser->parse ? parser->parse(&from, &parsed->params) : EDGECORE_OK;
}
