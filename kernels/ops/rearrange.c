/* The loops over axes: those that lie behind each other in both tensors become one, and the two innermost are either runs of
 * bytes or the transposition of a block, of which one side is contiguous in the input and the other in the output. */
#include "ops/rearrange.h"

#include <stdlib.h>
#include <string.h>

#include "isa/independent.h"
#include "isa/tier.h"
#include "ops/arithmetic.h"
#include "ops/validate.h"
#include "ops/view.h"

typedef struct rearrange {
    edgecore_op base;
    void (*xor_row)(uint8_t *out, const uint8_t *in, size_t n, uint8_t flip);
    edgecore_rearrangement how;
    int32_t in_rank, out_rank;
    int32_t in_dims[EDGECORE_MAX_RANK], out_dims[EDGECORE_MAX_RANK];
    uint8_t flip; /* from the input's storage to the output's */
} rearrange;

/* A loop: steps in bytes. */
typedef struct loop {
    ptrdiff_t count, in, out;
} loop;

edgecore_status edgecore_check_rearranged(const edgecore_op_desc *desc, edgecore_message *message)
{
    edgecore_status status = edgecore_check_description(desc, 1, 1, message);
    if (status == EDGECORE_OK)
        status = edgecore_check_values(desc->inputs[0], "the input", message);
    if (status == EDGECORE_OK)
        status = edgecore_check_values(desc->output, "the output", message);
    if (status != EDGECORE_OK)
        return status;
    if (desc->inputs[0]->data)
        return edgecore_fail(message, EDGECORE_UNSUPPORTED, "the input is a constant");
    return edgecore_check_same_quantisation(desc->inputs[0], desc->output, message);
}

/* The first dim that a view sees: a batch of one is none of its axes. */
static int32_t first_dim(const int32_t *dims, int32_t rank)
{
    return rank > 1 && dims[0] == 1;
}

/* Bytes from one element to the next along each dim, as edgecore_tensor_layout lays dims over a view's axes. */
static void strides_of(const edgecore_view *view, const int32_t *dims, int32_t rank, ptrdiff_t *strides)
{
    const int32_t first = first_dim(dims, rank);
    ptrdiff_t pixels = 1;
    strides[0] = 0;
    for (int32_t i = rank - 1; i >= first; i--) {
        if (i == rank - 1) {
            strides[i] = 1;
        } else if (i == first && rank - first > 2) {
            strides[i] = view->row_stride;
        } else {
            strides[i] = view->pixel_stride * pixels;
            pixels *= dims[i];
        }
    }
}

/* Loops over the rows [y0, y1) of the output, outermost first; returns their number. */
static int32_t make_loops(const rearrange *self, const edgecore_view *in, const edgecore_view *output, int32_t y0, int32_t y1,
                          loop *loops, ptrdiff_t *begin)
{
    ptrdiff_t in_strides[EDGECORE_MAX_RANK], out_strides[EDGECORE_MAX_RANK];
    strides_of(in, self->in_dims, self->in_rank, in_strides);
    strides_of(output, self->out_dims, self->out_rank, out_strides);
    *begin = 0;
    for (int32_t i = 0; i < self->in_rank; i++)
        *begin += self->how.begin[i] * in_strides[i];
    const int32_t first = first_dim(self->out_dims, self->out_rank);
    const bool has_rows = self->out_rank - first > 2;
    int32_t count = 0;
    for (int32_t i = first; i < self->out_rank; i++) {
        loop next = {self->out_dims[i], self->how.step[i] * in_strides[self->how.in_dim[i]], out_strides[i]};
        if (i == first && has_rows) {
            *begin += y0 * next.in;
            next.count = y1 - y0;
        }
        loop *before = count ? &loops[count - 1] : NULL;
        if (next.count == 1)
            continue;
        if (before && before->in == next.in * next.count && before->out == next.out * next.count)
            *before = (loop){before->count * next.count, next.in, next.out};
        else
            loops[count++] = next;
    }
    return count;
}

/* The blocks above and below the diagonal of two words change places: `mask` has the lower block's bits. */
static inline void swap_blocks(uint64_t *a, uint64_t *b, uint64_t mask, int32_t bits)
{
    const uint64_t upper = (*a >> bits ^ *b) & mask;
    *a ^= upper << bits;
    *b ^= upper;
}

/* Eight rows of eight bytes, the first byte of a row being its word's lowest. */
static void transpose_8x8(uint8_t *out, ptrdiff_t out_stride, const uint8_t *in, ptrdiff_t in_stride, uint64_t flips)
{
    uint64_t rows[8];
#pragma GCC unroll 8
    for (int32_t r = 0; r < 8; r++)
        memcpy(&rows[r], in + r * in_stride, 8);
#pragma GCC unroll 4
    for (int32_t r = 0; r < 4; r++)
        swap_blocks(&rows[r], &rows[r + 4], 0x00000000ffffffff, 32);
#pragma GCC unroll 4
    for (int32_t r = 0; r < 4; r++)
        swap_blocks(&rows[r + r / 2 * 2], &rows[r + r / 2 * 2 + 2], 0x0000ffff0000ffff, 16);
#pragma GCC unroll 4
    for (int32_t r = 0; r < 4; r++)
        swap_blocks(&rows[2 * r], &rows[2 * r + 1], 0x00ff00ff00ff00ff, 8);
#pragma GCC unroll 8
    for (int32_t r = 0; r < 8; r++) {
        const uint64_t row = rows[r] ^ flips;
        memcpy(out + r * out_stride, &row, 8);
    }
}

/* out[r * out_stride + c] = in[c * in_stride + r]. */
static void transpose_bytes(uint8_t *out, ptrdiff_t out_stride, const uint8_t *in, ptrdiff_t in_stride, ptrdiff_t rows,
                            ptrdiff_t columns, uint8_t flip)
{
    const uint64_t flips = flip * UINT64_C(0x0101010101010101);
    ptrdiff_t c = 0;
    for (; c + 8 <= columns; c += 8) {
        ptrdiff_t r = 0;
        for (; r + 8 <= rows; r += 8)
            transpose_8x8(out + r * out_stride + c, out_stride, in + c * in_stride + r, in_stride, flips);
        for (; r < rows; r++)
            for (ptrdiff_t i = c; i < c + 8; i++)
                out[r * out_stride + i] = in[i * in_stride + r] ^ flip;
    }
    for (; c < columns; c++)
        for (ptrdiff_t r = 0; r < rows; r++)
            out[r * out_stride + c] = in[c * in_stride + r] ^ flip;
}

/* The transposition of two to four rows, as in the shuffle of as many groups of channels. */
static inline __attribute__((always_inline)) void interleave(uint8_t *out, const uint8_t *in, ptrdiff_t in_stride,
                                                             ptrdiff_t n, int32_t rows, uint8_t flip)
{
    const uint8_t *a = in, *b = a + in_stride, *c = b + in_stride, *d = c + in_stride;
    EDGECORE_INDEPENDENT
    for (ptrdiff_t i = 0; i < n; i++) {
        out[rows * i] = a[i] ^ flip;
        out[rows * i + 1] = b[i] ^ flip;
        if (rows > 2)
            out[rows * i + 2] = c[i] ^ flip;
        if (rows > 3)
            out[rows * i + 3] = d[i] ^ flip;
    }
}

/* What is left of the loops when those outside have chosen an element. */
typedef struct inner {
    loop along, across;
} inner;

static void run_inner(const rearrange *self, const inner *it, uint8_t *out, const uint8_t *in)
{
    if (it->along.in == 1 && it->along.out == 1)
        self->xor_row(out, in, (size_t)it->along.count, self->flip);
    else if (it->across.out == it->along.count && it->along.count == 2)
        interleave(out, in, it->along.in, it->across.count, 2, self->flip);
    else if (it->across.out == it->along.count && it->along.count == 3)
        interleave(out, in, it->along.in, it->across.count, 3, self->flip);
    else if (it->across.out == it->along.count && it->along.count == 4)
        interleave(out, in, it->along.in, it->across.count, 4, self->flip);
    else if (it->across.in == 1 && it->along.out == 1)
        transpose_bytes(out, it->across.out, in, it->along.in, it->across.count, it->along.count, self->flip);
    else
        for (ptrdiff_t i = 0; i < it->along.count; i++)
            out[i * it->along.out] = in[i * it->along.in] ^ self->flip;
}

/* Takes the innermost loop, and the one that is contiguous in the input where that is another, out of the loops. */
static inner split_inner(loop *loops, int32_t *count)
{
    inner it = {{1, 1, 1}, {1, 0, 0}};
    if (*count > 0)
        it.along = loops[--*count];
    if (it.along.out != 1 || it.along.in == 1)
        return it;
    for (int32_t i = 0; i < *count; i++)
        if (loops[i].in == 1) {
            it.across = loops[i];
            for (--*count; i < *count; i++)
                loops[i] = loops[i + 1];
        }
    return it;
}

void edgecore_rearrange_run(const edgecore_op *op, const edgecore_view *inputs, const edgecore_view *output,
                            edgecore_region region, void *scratch)
{
    const rearrange *self = (const rearrange *)op;
    loop loops[EDGECORE_MAX_RANK];
    ptrdiff_t begin, done[EDGECORE_MAX_RANK] = {0};
    (void)scratch;
    int32_t count = make_loops(self, inputs, output, region.y0, region.y1, loops, &begin);
    const inner it = split_inner(loops, &count);
    const uint8_t *in = inputs->data + begin;
    uint8_t *out = edgecore_view_at(output, region.y0, 0, 0);
    for (;;) {
        run_inner(self, &it, out, in);
        int32_t i = count - 1;
        for (; i >= 0; i--) {
            in += loops[i].in;
            out += loops[i].out;
            if (++done[i] < loops[i].count)
                break;
            in -= done[i] * loops[i].in;
            out -= done[i] * loops[i].out;
            done[i] = 0;
        }
        if (i < 0)
            return;
    }
}

void edgecore_rearrange_destroy(edgecore_op *op)
{
    free(op);
}

edgecore_status edgecore_rearrange_prepare(const edgecore_op_class *klass, const edgecore_op_desc *desc,
                                           const edgecore_tier *tier, const edgecore_rearrangement *how,
                                           edgecore_op **op, edgecore_message *message)
{
    rearrange *self = calloc(1, sizeof *self);
    if (!self)
        return edgecore_fail(message, EDGECORE_NO_MEMORY, "out of memory");
    const edgecore_tensor *in = desc->inputs[0], *out = desc->output;
    self->how = *how;
    self->in_rank = in->rank;
    self->out_rank = out->rank;
    memcpy(self->in_dims, in->dims, sizeof self->in_dims);
    memcpy(self->out_dims, out->dims, sizeof self->out_dims);
    self->xor_row = tier->xor_row;
    self->flip = edgecore_flip_of(in->dtype) ^ edgecore_flip_of(out->dtype);
    self->base.klass = klass;
    self->base.activation_inputs = 1;
    self->base.splits_rows = true;
    *op = &self->base;
    return EDGECORE_OK;
}
