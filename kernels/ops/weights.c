#include "ops/weights.h"

#include <stdlib.h>
#include <string.h>

#include "ops/arithmetic.h"
#include "ops/validate.h"

static edgecore_status check_bias(const edgecore_op_desc *desc, int32_t channels, edgecore_message *message)
{
    const edgecore_tensor *bias = desc->input_count > 2 ? desc->inputs[2] : NULL;
    if (!bias)
        return EDGECORE_OK;
    if (bias->dtype != EDGECORE_INT32 || !bias->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the bias is not an int32 constant");
    int64_t elements = 1;
    if (bias->rank < 1 || bias->rank > EDGECORE_MAX_RANK)
        return edgecore_fail(message, EDGECORE_INVALID, "the bias has rank %d", bias->rank);
    for (int32_t i = 0; i < bias->rank; i++) {
        if (bias->dims[i] < 1 || bias->dims[i] > EDGECORE_MAX_CHANNELS)
            return edgecore_fail(message, EDGECORE_INVALID, "the bias has a dimension of %d", bias->dims[i]);
        elements = elements > EDGECORE_MAX_CHANNELS ? elements : elements * bias->dims[i];
    }
    if (elements != channels)
        return edgecore_fail(message, EDGECORE_INVALID, "the bias does not have one element for each of %d channels",
                             channels);
    return EDGECORE_OK;
}

edgecore_status edgecore_check_weighted(const edgecore_op_desc *desc, int32_t rank, int32_t channel_axis,
                                        bool per_channel, edgecore_message *message)
{
    edgecore_status status = edgecore_check_description(desc, 2, 3, message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->inputs[0], "the input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_activation(desc->output, "the output", message);
    if (status != EDGECORE_OK)
        return status;
    const edgecore_tensor *weights = desc->inputs[1];
    if (desc->inputs[0]->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the input is a constant");
    if ((weights->dtype != EDGECORE_INT8 && weights->dtype != EDGECORE_UINT8) || !weights->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the weights are not an 8-bit constant");
    if (weights->rank != rank)
        return edgecore_fail(message, EDGECORE_INVALID, "the weights have rank %d instead of %d", weights->rank, rank);
    int64_t elements = 1;
    for (int32_t i = 0; i < rank; i++) {
        if (weights->dims[i] < 1 || weights->dims[i] > EDGECORE_MAX_CHANNELS)
            return edgecore_fail(message, EDGECORE_INVALID, "the weights have a dimension of %d", weights->dims[i]);
        elements *= weights->dims[i];
        if (elements > INT32_MAX)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the weights have 2^31 elements or more");
    }
    const int32_t channels = weights->dims[channel_axis];
    const bool asymmetric = weights->dtype == EDGECORE_UINT8;
    if (weights->scale_count != 1 && !(per_channel && !asymmetric && weights->scale_count == channels))
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the weights have %d scales for %d channels",
                             weights->scale_count, channels);
    if (!weights->scales || !weights->zero_points)
        return edgecore_fail(message, EDGECORE_INVALID, "the weights have no scales or zero points");
    for (int32_t c = 0; c < weights->scale_count; c++) {
        if (!isfinite(weights->scales[c]) || weights->scales[c] < 0.0f)
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "weight scale %d is %g", c, (double)weights->scales[c]);
        if (weights->zero_points[c] < 0 || weights->zero_points[c] > (asymmetric ? 255 : 0))
            return edgecore_fail(message, EDGECORE_UNSUPPORTED, "weight zero point %d is %d", c, weights->zero_points[c]);
        status = edgecore_check_multiplier(edgecore_channel_multiplier(desc, c, false), 1, message);
        if (status != EDGECORE_OK)
            return status;
    }
    return check_bias(desc, channels, message);
}

/* Rows or columns that a kernel makes of an input, or -1 where a number is out of range. */
static int64_t windows_along(int32_t in, int32_t before, int32_t after, int32_t kernel, int32_t stride, int32_t dilation)
{
    const int32_t most = EDGECORE_MAX_CHANNELS;
    if (before < 0 || before > most || after < 0 || after > most || stride < 1 || stride > most || dilation < 1 ||
        dilation > most)
        return -1;
    const int64_t spare = (int64_t)in + before + after - ((int64_t)(kernel - 1) * dilation + 1);
    return spare < 0 ? -1 : spare / stride + 1;
}

edgecore_status edgecore_check_window(const edgecore_op_desc *desc, edgecore_message *message)
{
    const edgecore_op_params *p = desc->params;
    const edgecore_window w = edgecore_window_of(desc);
    if ((int64_t)w.kernel_h * w.kernel_w > EDGECORE_MAX_TAPS)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "a kernel of %dx%d", w.kernel_h, w.kernel_w);
    if ((unsigned)p->activation > EDGECORE_ACT_RELU6)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "fused activation %d", (int)p->activation);
    if (windows_along(w.in_h, p->pad_top, p->pad_bottom, w.kernel_h, w.stride_h, w.dilation_h) != w.out_h ||
        windows_along(w.in_w, p->pad_left, p->pad_right, w.kernel_w, w.stride_w, w.dilation_w) != w.out_w)
        return edgecore_fail(message, EDGECORE_INVALID,
                             "an output of %dx%d does not follow from input, kernel, stride, dilation and padding",
                             w.out_h, w.out_w);
    return EDGECORE_OK;
}

edgecore_window edgecore_window_of(const edgecore_op_desc *desc)
{
    const edgecore_op_params *p = desc->params;
    int32_t channels;
    edgecore_window w = {
        .kernel_h = desc->inputs[1]->dims[1],
        .kernel_w = desc->inputs[1]->dims[2],
        .stride_h = p->stride_h,
        .stride_w = p->stride_w,
        .dilation_h = p->dilation_h,
        .dilation_w = p->dilation_w,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
    };
    edgecore_tensor_hwc(desc->inputs[0], &w.in_h, &w.in_w, &channels);
    edgecore_tensor_hwc(desc->output, &w.out_h, &w.out_w, &channels);
    return w;
}

void edgecore_window_rows(const edgecore_window *window, int32_t y0, int32_t y1, int32_t *in_y0, int32_t *in_y1)
{
    const int64_t reach = (int64_t)(window->kernel_h - 1) * window->dilation_h + 1;
    int64_t first = (int64_t)y0 * window->stride_h - window->pad_top;
    int64_t end = (int64_t)(y1 - 1) * window->stride_h - window->pad_top + reach;
    first = first < 0 ? 0 : first >= window->in_h ? window->in_h - 1 : first;
    end = end > window->in_h ? window->in_h : end <= first ? first + 1 : end;
    *in_y0 = (int32_t)first;
    *in_y1 = (int32_t)end;
}

double edgecore_channel_multiplier(const edgecore_op_desc *desc, int32_t channel, bool float_scale_product)
{
    const edgecore_tensor *weights = desc->inputs[1];
    const float in = desc->inputs[0]->scales[0], w = weights->scales[weights->scale_count == 1 ? 0 : channel];
    const double product = float_scale_product ? (double)(in * w) : (double)in * (double)w;
    return product / (double)desc->output->scales[0];
}

/* How many int8 parts the farthest weight from the zero point takes. */
static int32_t parts_of(const uint8_t *weights, int64_t count, int32_t zero)
{
    uint8_t low = 255, high = 0;
    for (int64_t i = 0; i < count; i++) {
        low = weights[i] < low ? weights[i] : low;
        high = weights[i] > high ? weights[i] : high;
    }
    const int32_t least = low - zero, most = high - zero;
    return least >= INT8_MIN && most <= INT8_MAX ? 1 : least >= 2 * INT8_MIN && most <= 2 * INT8_MAX ? 2 : 3;
}

edgecore_status edgecore_make_int8_weights(const edgecore_tensor *weights, int32_t filters, edgecore_int8_weights *made,
                                           edgecore_message *message)
{
    *made = (edgecore_int8_weights){.data = weights->data, .parts = 1};
    if (weights->dtype == EDGECORE_INT8)
        return EDGECORE_OK;
    int64_t count = 1;
    for (int32_t i = 0; i < weights->rank; i++)
        count *= weights->dims[i];
    const uint8_t *from = weights->data;
    const int32_t zero = weights->zero_points[0], parts = parts_of(from, count, zero);
    if ((uint64_t)count > SIZE_MAX / (uint64_t)parts)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "the weights would take more than this machine can address");
    const size_t own = (size_t)(count / filters);
    int8_t *to = malloc((size_t)count * (size_t)parts);
    if (!to)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for %zu bytes of weights", (size_t)count * (size_t)parts);
    *made = (edgecore_int8_weights){to, parts, to};
    for (int32_t f = 0; f < filters; f++, from += own)
        for (int32_t p = 0; p < parts; p++)
            for (size_t i = 0; i < own; i++) {
                int32_t left = from[i] - zero;
                for (int32_t before = 0; before < p; before++)
                    left -= left < INT8_MIN ? INT8_MIN : left > INT8_MAX ? INT8_MAX : left;
                *to++ = (int8_t)(left < INT8_MIN ? INT8_MIN : left > INT8_MAX ? INT8_MAX : left);
            }
    return EDGECORE_OK;
}

int32_t edgecore_parts_needed(const int8_t *weights, int32_t filters, int32_t parts, size_t n)
{
    int32_t needed = 1;
    for (int32_t f = 0; f < filters; f++, weights += (size_t)parts * n)
        for (int32_t p = parts - 1; p >= needed; p--) {
            size_t zeros = 0;
            while (zeros < n && weights[(size_t)p * n + zeros] == 0)
                zeros++;
            if (zeros < n)
                needed = p + 1;
        }
    return needed;
}

static uint32_t sum_weights(const int8_t *w, int64_t count, int64_t stride)
{
    uint32_t sum = 0;
    if (stride == 1) /* a loop of its own: the compiler turns it into vectors */
        for (int64_t i = 0; i < count; i++)
            sum += (uint32_t)w[i];
    else
        for (int64_t i = 0; i < count; i++)
            sum += (uint32_t)w[i * stride];
    return sum;
}

edgecore_status edgecore_make_channel_scales(const edgecore_op_desc *desc, const edgecore_tier *tier,
                                             const edgecore_weight_layout *layout,
                                             edgecore_channel_scales *scales, edgecore_message *message)
{
    const size_t channels = (size_t)layout->channels;
    int32_t *memory = calloc(3 * channels, sizeof *memory);
    if (!memory)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "no memory for the scales of %zu channels", channels);
    int32_t *biases = memory, *multipliers = memory + channels, *shifts = memory + 2 * channels;
    const edgecore_tensor *bias = desc->input_count > 2 ? desc->inputs[2] : NULL;
    const int32_t zero = edgecore_zero_point_u8(desc->inputs[0]) - edgecore_flip_of(tier->storage);
    for (int32_t c = 0; c < layout->channels; c++) {
        const int8_t *w = layout->weights + c * layout->channel_stride;
        const uint32_t sum = sum_weights(w, layout->per_channel, layout->weight_stride);
        const uint32_t own = bias ? (uint32_t)((const int32_t *)bias->data)[c] : 0;
        biases[c] = (int32_t)(own - (uint32_t)zero * sum);
        const edgecore_multiplier m =
            edgecore_quantize_multiplier(edgecore_channel_multiplier(desc, c, layout->float_scale_product));
        multipliers[c] = m.multiplier;
        shifts[c] = m.shift;
    }
    *scales = (edgecore_channel_scales){
        .requant = {
            .bias = biases,
            .multiplier = multipliers,
            .shift = shifts,
            .zero_point = edgecore_zero_point_u8(desc->output),
            .flip = edgecore_flip_of(desc->output->dtype),
        },
        .zero = (uint8_t)zero,
        .flip_in = edgecore_flip_of(desc->inputs[0]->dtype) ^ edgecore_flip_of(tier->storage),
        .memory = memory,
    };
    edgecore_activation_range(desc->params->activation, desc->output, &scales->requant.min, &scales->requant.max);
    return EDGECORE_OK;
}
