#include "hostile_tensors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SCALES = 1 << 12, MOST_SOUND = 1 << 16 };

uint32_t hostile_below(hostile *h, uint32_t limit)
{
    return limit > 1 ? h->draw(h->stream, limit) : 0;
}

bool hostile_odd(hostile *h, uint32_t one_in)
{
    return hostile_below(h, one_in) == 1; /* a stream that is at its end gives 0 */
}

int32_t hostile_one_of(hostile *h, int32_t count, ...)
{
    const int32_t chosen = (int32_t)hostile_below(h, (uint32_t)count);
    int32_t value = 0;
    va_list values;
    va_start(values, count);
    for (int32_t i = 0; i <= chosen; i++)
        value = va_arg(values, int32_t);
    va_end(values);
    return value;
}

int32_t hostile_wrong(hostile *h)
{
    return hostile_odd(h, 2) ? (int32_t)hostile_below(h, 12) - 2
                             : hostile_one_of(h, 10, INT32_MAX, INT32_MIN, INT32_MAX - 63, 1 << 20, (1 << 20) + 1, 65536, 46341,
                                              255, -128, 1 << 29);
}

size_t hostile_bytes(const edgecore_tensor *tensor)
{
    size_t bytes = tensor->dtype == EDGECORE_INT32 ? 4 : 1;
    for (int32_t i = 0; i < tensor->rank && i < EDGECORE_MAX_RANK; i++) {
        bytes *= tensor->dims[i] >= 0 && tensor->dims[i] < HOSTILE_BYTES ? (size_t)tensor->dims[i] : HOSTILE_BYTES;
        bytes = bytes < HOSTILE_BYTES ? bytes : HOSTILE_BYTES;
    }
    return bytes;
}

void *hostile_contents(const hostile *h, const edgecore_tensor *tensor, uint32_t which)
{
    const size_t count = hostile_bytes(tensor);
    uint8_t *bytes = malloc(count + (count == 0));
    uint32_t state = h->noise + which * 7919u;
    const uint32_t kind = state % 8;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = kind == 0 ? 0x80 : kind == 1 ? 0x7f : kind == 2 ? 0xff : (uint8_t)(state >> 24);
    }
    for (size_t i = 3; tensor->dtype == EDGECORE_INT32 && kind > 2 && i < count; i += 4) /* sums as they are, most of them */
        bytes[i] = (uint8_t)(bytes[i - 1] < 128 ? 0 : 0xff);
    return bytes;
}

static void spoil(hostile *h, edgecore_tensor *tensor)
{
    switch (hostile_below(h, 5)) {
    case 0:
        tensor->rank = hostile_wrong(h);
        break;
    case 1:
        tensor->dtype = (edgecore_dtype)hostile_below(h, 4);
        break;
    case 2:
        tensor->scale_count = hostile_wrong(h);
        break;
    default:
        tensor->dims[hostile_below(h, 4)] = hostile_wrong(h);
    }
}

static float usual_scale(hostile *h, bool constant, int32_t *zero_point)
{
    static const float scales[] = {0.05f, 0.05f, 0.05f, 0.04f, 1.0f / 256, 0.11f};
    static const int32_t zeros[] = {-9, -9, -9, -128, -128, 100};
    static const float wild[] = {0.0f, -1.0f, 1e-45f, 1e-30f, 1e30f, 3e38f, 1e-6f, 100.0f};
    const uint32_t choice = hostile_below(h, 6);
    *zero_point = constant ? 0 : zeros[choice] + (h->dtype == EDGECORE_UINT8 ? 128 : 0);
    if (hostile_odd(h, 60))
        *zero_point = hostile_wrong(h);
    if (hostile_odd(h, 60))
        return wild[hostile_below(h, 8)];
    return constant ? 0.001f + 0.0005f * (float)choice : scales[choice];
}

/* Everything that a description points to has exactly the size that it tells, for an address sanitizer to watch. */
static int32_t add(hostile *h, edgecore_tensor tensor, bool constant)
{
    const int32_t at = h->count++;
    if (hostile_odd(h, 60))
        spoil(h, &tensor);
    tensor.scale_count = tensor.scale_count < MOST_SCALES ? tensor.scale_count : MOST_SCALES;
    const int32_t count = tensor.scale_count > 0 ? tensor.scale_count : 0;
    float *scales = malloc((size_t)count * sizeof *scales + (count == 0));
    int32_t *zero_points = malloc((size_t)count * sizeof *zero_points + (count == 0)), zero_point;
    const float scale = usual_scale(h, constant, &zero_point);
    for (int32_t i = 0; i < count; i++) {
        scales[i] = scale * (1.0f + 0.01f * (float)(i % 16));
        zero_points[i] = zero_point;
    }
    tensor.scales = scales;
    tensor.zero_points = zero_points;
    const bool large = hostile_bytes(&tensor) >= HOSTILE_BYTES;
    tensor.data = constant && !large ? hostile_contents(h, &tensor, (uint32_t)at) : NULL;
    h->tensors[at] = tensor;
    h->ids[at] = (int32_t)hostile_below(h, HOSTILE_TENSORS) - 1;
    h->is_known[at] = !edgecore_graph_add_tensor(h->graph, &tensor, &h->ids[at], NULL);
    return at;
}

static edgecore_tensor shaped(int32_t rank, const int32_t *dims)
{
    edgecore_tensor tensor = {.rank = rank, .scale_count = 1};
    memcpy(tensor.dims, dims, (size_t)rank * sizeof *dims);
    return tensor;
}

int32_t hostile_activation(hostile *h, int32_t rank, const int32_t *dims)
{
    edgecore_tensor tensor = shaped(rank, dims);
    tensor.dtype = h->dtype;
    return add(h, tensor, false);
}

int32_t hostile_weights(hostile *h, int32_t rank, const int32_t *dims, int32_t scales)
{
    edgecore_tensor tensor = shaped(rank, dims);
    tensor.dtype = h->dtype;
    tensor.scale_count = hostile_below(h, 2) && h->dtype == EDGECORE_INT8 ? scales : 1;
    return add(h, tensor, true);
}

int32_t hostile_bias(hostile *h, int32_t count)
{
    edgecore_tensor tensor = shaped(1, &count);
    tensor.dtype = EDGECORE_INT32;
    return add(h, tensor, true);
}

bool hostile_is_sound(const hostile *h, int32_t tensor)
{
    const edgecore_tensor *t = &h->tensors[tensor];
    int64_t elements = 1;
    if (!h->is_made[tensor] || t->rank < 1 || t->rank > EDGECORE_MAX_RANK)
        return false;
    for (int32_t i = 0; i < t->rank; i++) {
        if (t->dims[i] < 1 || (elements *= t->dims[i]) > MOST_SOUND)
            return false;
    }
    return true;
}

int32_t hostile_pick(hostile *h)
{
    int32_t skip = (int32_t)hostile_below(h, hostile_below(h, 2) ? 8 : 2);
    int32_t found = HOSTILE_NONE;
    for (int32_t t = h->count - 1; t >= 0; t--)
        if (hostile_is_sound(h, t)) {
            found = t;
            if (skip-- == 0)
                break;
        }
    return found;
}

int32_t hostile_like_dims(hostile *h, int32_t rank, const int32_t *dims)
{
    for (int32_t t = h->count - 1; t >= 0; t--)
        if (h->is_made[t] && h->tensors[t].rank == rank && !memcmp(h->tensors[t].dims, dims, (size_t)rank * sizeof *dims) &&
            !hostile_odd(h, 3))
            return t;
    return HOSTILE_NONE;
}

int32_t hostile_like(hostile *h, int32_t x)
{
    h->is_made[x] = false;
    const int32_t other = hostile_like_dims(h, h->tensors[x].rank, h->tensors[x].dims);
    h->is_made[x] = true;
    return other == HOSTILE_NONE ? x : other;
}

void hostile_begin(hostile *h, hostile_draw *draw, void *stream)
{
    *h = (hostile){.draw = draw, .stream = stream, .graph = edgecore_graph_create()};
    h->noise = hostile_below(h, 65536);
    h->dtype = hostile_odd(h, 6) ? EDGECORE_UINT8 : EDGECORE_INT8;
    const uint32_t inputs = hostile_odd(h, 6) ? 2 : 1;
    for (uint32_t i = 0; i < inputs; i++) {
        const int32_t dims[4] = {1, 1 + (int32_t)hostile_below(h, 20), 1 + (int32_t)hostile_below(h, 20),
                                 hostile_one_of(h, 8, 1, 3, 4, 8, 16, 19, 64, 67)};
        const int32_t tensor = hostile_activation(h, 4, dims);
        h->is_input[tensor] = h->is_made[tensor] = h->is_known[tensor];
    }
}

void hostile_end(hostile *h)
{
    edgecore_graph_destroy(h->graph);
    for (int32_t i = 0; i < h->count; i++) {
        free((void *)(uintptr_t)h->tensors[i].data);
        free((void *)(uintptr_t)h->tensors[i].scales);
        free((void *)(uintptr_t)h->tensors[i].zero_points);
    }
}
