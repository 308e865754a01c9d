/* ADD, MUL and averages of byte rows for every ARM tier. Bytes are taken in the int8 domain; distances from the zero point have 9
 * bits and a sign, and stay in 16 bits as long as they can.
 *
 * A row that does not end with a whole vector ends with one that overlaps the one before. It is made before the first store, from
 * inputs as they were, because a row may be worked on in place. Shorter rows go through a buffer. */
#include "isa/arm/kernels.h"
#include "isa/arm/requant.h"

/* Elements at a time: half as many registers hold half as many. */
#if defined(__aarch64__)
enum { LANES = 16 };
typedef uint8x16_t lanes;
#define lanes_load vld1q_u8
#define lanes_store vst1q_u8
#define lanes_flip veorq_u8
#else
enum { LANES = 8 };
typedef uint8x8_t lanes;
#define lanes_load vld1_u8
#define lanes_store vst1_u8
#define lanes_flip(v, flips) veor_u8(v, vget_low_u8(flips))
#endif
enum { HALVES = LANES / 8, QUARTERS = LANES / 4 };

/* Ties away from zero. `nonzero`: known to be a shift; a value below 0 then is one less before it. */
INLINE int32x4_t rounding_shift(int32x4_t v, int32x4_t right, const bool nonzero)
{
    return vrshlq_s32(vsraq_n_s32(v, nonzero ? v : vandq_s32(v, right), 31), right);
}

typedef struct row_input {
    uint8x16_t flip;      /* the input's bytes to the int8 domain */
    int8x16_t zero_point; /* int8 domain */
    int32x4_t multiplier, right;
} row_input;

typedef struct row_output {
    output_bounds bounds;
    int32x4_t left, multiplier, right;
} row_output;

/* From the zero point, 8 elements a vector. */
typedef struct distances {
    int16x8_t half[HALVES];
} distances;

INLINE row_input input_of(const edgecore_row_input *input)
{
    row_input in = {
        vdupq_n_u8(input->flip ^ 0x80),
        vdupq_n_s8((int8_t)(input->zero_point - 128)),
        vdupq_n_s32(input->multiplier),
        vdupq_n_s32(-input->right_shift),
    };
    __asm__("" : "+w"(in.zero_point)); /* clang sees equal halves, and would move bytes to subtract the lower one */
    return in;
}

INLINE row_output output_of(const edgecore_row_arithmetic *how)
{
    return (row_output){
        .bounds = {
            vdupq_n_s16((int16_t)(how->zero_point - 128)),
            vdupq_n_s8((int8_t)(how->min - 128)),
            vdupq_n_s8((int8_t)(how->max - 128)),
            vdupq_n_u8(how->flip ^ 0x80),
        },
        .left = vdupq_n_s32(how->left_shift),
        .multiplier = vdupq_n_s32(how->multiplier),
        .right = vdupq_n_s32(-how->right_shift),
    };
}

INLINE distances distances_of(lanes bytes, const row_input *input, const bool flips)
{
    if (flips)
        bytes = lanes_flip(bytes, input->flip);
#if defined(__aarch64__)
    const int8x16_t u = vreinterpretq_s8_u8(bytes);
    return (distances){{vsubl_s8(vget_low_s8(u), vget_low_s8(input->zero_point)), vsubl_high_s8(u, input->zero_point)}};
#else
    return (distances){{vsubl_s8(vreinterpret_s8_u8(bytes), vget_low_s8(input->zero_point))}};
#endif
}

INLINE int16x4_t quarter(const distances *d, size_t i)
{
    return i % 2 ? vget_high_s16(d->half[i / 2]) : vget_low_s16(d->half[i / 2]);
}

/* Two vectors of results to 16 bits, with the zero point. `fits`: they are far from what 16 bits hold. */
INLINE int16x8_t narrow_half(int32x4_t low, int32x4_t high, const row_output *output, const bool fits)
{
    if (!fits)
        return vqaddq_s16(vcombine_s16(vqmovn_s32(low), vqmovn_s32(high)), output->bounds.zero_point);
#if defined(__aarch64__)
    const int16x8_t words = vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high));
#else
    const int16x8_t words = vcombine_s16(vmovn_s32(low), vmovn_s32(high));
#endif
    return vaddq_s16(words, output->bounds.zero_point);
}

/* `free`: no clamp but that of the type, which is int8. */
INLINE lanes narrow(const int32x4_t results[QUARTERS], const row_output *output, const bool fits, const bool free)
{
    const int16x8_t first = narrow_half(results[0], results[1], output, fits);
#if defined(__aarch64__)
    const int16x8_t second = narrow_half(results[2], results[3], output, fits);
    const int8x16_t bytes = vcombine_s8(vqmovn_s16(first), vqmovn_s16(second));
    if (free)
        return vreinterpretq_u8_s8(bytes);
    const int8x16_t clamped = vminq_s8(vmaxq_s8(bytes, output->bounds.min), output->bounds.max);
    return veorq_u8(vreinterpretq_u8_s8(clamped), output->bounds.flip);
#else
    const int8x8_t bytes = vqmovn_s16(first);
    if (free)
        return vreinterpret_u8_s8(bytes);
    const int8x8_t clamped = vmin_s8(vmax_s8(bytes, vget_low_s8(output->bounds.min)), vget_low_s8(output->bounds.max));
    return veor_u8(vreinterpret_u8_s8(clamped), vget_low_u8(output->bounds.flip));
#endif
}

/* What is known of an addition when compiling. */
typedef struct addition {
    /* Inputs and output are int8, all shifts but a's are at least 1, results fit into 16 bits, and a is exactly half of the common
     * scale, as that of the larger scale is. */
    bool usual;
    bool up;   /* the clamp hides what ties of negative values become */
    bool free; /* no clamp but that of the type */
} addition;

/* A quarter of the distances: 20 bits up, 5 of which they are already, times the multiplier, shifted right. */
INLINE int32x4_t scaled_quarter(const distances *d, size_t i, const row_input *input, const bool nonzero)
{
    return rounding_shift(vqrdmulhq_s32(vshll_n_s16(quarter(d, i), 15), input->multiplier), input->right, nonzero);
}

INLINE lanes add_lanes(lanes a, lanes b, const row_input *in_a, const row_input *in_b, const row_output *output,
                       const addition known)
{
    const bool usual = known.usual;
    const int16x4_t lowest = vdup_n_s16(INT16_MIN);
    distances x = distances_of(a, in_a, !usual), y = distances_of(b, in_b, !usual);
    for (size_t h = 0; h < HALVES; h++) {
        x.half[h] = usual ? vshlq_n_s16(x.half[h], 4) : vshlq_n_s16(x.half[h], 5);
        y.half[h] = vshlq_n_s16(y.half[h], 5);
    }
    int32x4_t sums[QUARTERS];
    for (size_t i = 0; i < QUARTERS; i++) {
        int32x4_t sum = scaled_quarter(&y, i, in_b, usual);
        if (usual) /* 4 bits up already, 15 more make half of 20 */
            sum = vmlsl_s16(sum, quarter(&x, i), lowest);
        else
            sum = vaddq_s32(sum, scaled_quarter(&x, i, in_a, false));
        const int32x4_t high = vqrdmulhq_s32(sum, output->multiplier);
        sums[i] = known.up ? vrshlq_s32(high, output->right) : rounding_shift(high, output->right, usual);
    }
    return narrow(sums, output, usual, known.free);
}

INLINE void add_run(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how,
                    const addition known)
{
    const row_input in_a = input_of(&how->a), in_b = input_of(&how->b);
    const row_output output = output_of(how);
    const size_t whole = n / LANES * LANES, end = n - LANES;
    const lanes last = add_lanes(lanes_load(a + end), lanes_load(b + end), &in_a, &in_b, &output, known);
    for (size_t i = 0; i < whole; i += LANES)
        lanes_store(out + i, add_lanes(lanes_load(a + i), lanes_load(b + i), &in_a, &in_b, &output, known));
    lanes_store(out + end, last);
}

static bool input_is_half(const edgecore_row_input *input)
{
    return input->multiplier == 1 << 30 && input->right_shift == 0;
}

/* Both inputs together are below 2^28 on the common scale. */
static bool sum_fits(const edgecore_row_arithmetic *how)
{
    return ((INT64_C(1) << 28) * how->multiplier >> 31 >> how->right_shift) < INT16_MAX - 256;
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    edgecore_row_arithmetic swapped = *how;
    if (!input_is_half(&how->a)) {
        const uint8_t *other = a;
        a = b;
        b = other;
        swapped.a = how->b;
        swapped.b = how->a;
    }
    const bool bytes = (how->a.flip & how->b.flip & how->flip) == 0x80;
    const bool shifts = swapped.b.right_shift > 0 && how->right_shift > 0;
    const bool up = how->min >= how->zero_point, free = how->min <= 0 && how->max >= 255;
    if (!bytes || !shifts || !input_is_half(&swapped.a) || !sum_fits(how))
        add_run(out, a, b, n, &swapped, (addition){false, false, false});
    else if (up && free)
        add_run(out, a, b, n, &swapped, (addition){true, true, true});
    else if (up)
        add_run(out, a, b, n, &swapped, (addition){true, true, false});
    else if (free)
        add_run(out, a, b, n, &swapped, (addition){true, false, true});
    else
        add_run(out, a, b, n, &swapped, (addition){true, false, false});
}

INLINE lanes mul_lanes(lanes a, lanes b, const row_input *in_a, const row_input *in_b, const row_output *output,
                       const bool usual)
{
    const distances x = distances_of(a, in_a, true), y = distances_of(b, in_b, true);
    int32x4_t products[QUARTERS];
    for (size_t i = 0; i < QUARTERS; i++) {
        int32x4_t product = vmull_s16(quarter(&x, i), quarter(&y, i));
        if (!usual)
            product = vshlq_s32(product, output->left);
        products[i] = rounding_shift(vqrdmulhq_s32(product, output->multiplier), output->right, usual);
    }
    return narrow(products, output, false, false);
}

/* `usual`: no left shift, but a right shift. */
INLINE void mul_run(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how,
                    const bool usual)
{
    const row_input in_a = input_of(&how->a), in_b = input_of(&how->b);
    const row_output output = output_of(how);
    const size_t whole = n / LANES * LANES, end = n - LANES;
    const lanes last = mul_lanes(lanes_load(a + end), lanes_load(b + end), &in_a, &in_b, &output, usual);
    for (size_t i = 0; i < whole; i += LANES)
        lanes_store(out + i, mul_lanes(lanes_load(a + i), lanes_load(b + i), &in_a, &in_b, &output, usual));
    lanes_store(out + end, last);
}

static void mul(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    if (how->left_shift == 0 && how->right_shift > 0)
        mul_run(out, a, b, n, how, true);
    else
        mul_run(out, a, b, n, how, false);
}

typedef void row_function(uint8_t *, const uint8_t *, const uint8_t *, size_t, const edgecore_row_arithmetic *);

INLINE void whole_vectors(row_function *run, uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n,
                          const edgecore_row_arithmetic *how)
{
    if (n >= LANES) {
        run(out, a, b, n, how);
        return;
    }
    uint8_t some_out[LANES], some_a[LANES] = {0}, some_b[LANES] = {0};
    memcpy(some_a, a, n);
    memcpy(some_b, b, n);
    run(some_out, some_a, some_b, LANES, how);
    memcpy(out, some_out, n);
}

void edgecore_add_row_neon(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    whole_vectors(add, out, a, b, n, how);
}

void edgecore_mul_row_neon(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, const edgecore_row_arithmetic *how)
{
    whole_vectors(mul, out, a, b, n, how);
}

/* Up to this count a quotient of magnitudes m = |sum| + count / 2 < 256 * count is the high part of m * ceil(2^31 / count): what
 * that is too much stays below m * count / (count * 2^31) < 1 / count while 256 * count * count < 2^31. */
#define MOST_COUNT 2048

INLINE uint8x16_t average_16(const int32_t *sums, int32x4_t offset, int32x4_t half, int32x4_t reciprocal,
                             const output_bounds *bounds)
{
    int32x4_t means[4];
    for (size_t i = 0; i < 4; i++) {
        const int32x4_t sum = vsubq_s32(vld1q_s32(sums + 4 * i), offset), sign = vshrq_n_s32(sum, 31);
        const int32x4_t mean = vqdmulhq_s32(vaddq_s32(vabsq_s32(sum), half), reciprocal);
        means[i] = vsubq_s32(veorq_s32(mean, sign), sign);
    }
    return narrow_16(means[0], means[1], means[2], means[3], bounds);
}

static uint8_t average_of(int32_t sum, const edgecore_row_average *how)
{
    const int32_t distance = sum - how->zero * how->count, half = how->count / 2;
    const int32_t mean = (distance > 0 ? distance + half : distance - half) / how->count + how->zero;
    return (uint8_t)(mean < how->min ? how->min : mean > how->max ? how->max : mean) ^ how->flip;
}

void edgecore_average_row_neon(uint8_t *out, const int32_t *sums, size_t n, const edgecore_row_average *how)
{
    size_t i = 0;
    if (how->count > 1 && how->count <= MOST_COUNT) {
        const int32_t reciprocal = (int32_t)((UINT32_C(1) << 31) / (uint32_t)how->count) +
                                   ((UINT32_C(1) << 31) % (uint32_t)how->count != 0);
        const output_bounds bounds = {
            vdupq_n_s16((int16_t)(how->zero - 128)),
            vdupq_n_s8((int8_t)(how->min - 128)),
            vdupq_n_s8((int8_t)(how->max - 128)),
            vdupq_n_u8(how->flip ^ 0x80),
        };
        const int32x4_t offset = vdupq_n_s32(how->zero * how->count), half = vdupq_n_s32(how->count / 2);
        for (; i + 16 <= n; i += 16)
            vst1q_u8(out + i, average_16(sums + i, offset, half, vdupq_n_s32(reciprocal), &bounds));
    }
    for (; i < n; i++)
        out[i] = average_of(sums[i], how);
}
