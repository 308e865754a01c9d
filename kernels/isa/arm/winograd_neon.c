/* Weights and products of the neon tier's Winograd kernel; isa/winograd.h has the transforms. */
#include "isa/arm/kernels.h"
#include "isa/arm/winograd_neon.h"
#if !defined(__aarch64__)
#include "isa/arm/winograd_armv7.h"
#endif

static size_t tiles_bytes(size_t channels)
{
    return POSITIONS * chunks_of(channels) * TILES * CHUNK * sizeof(int16_t);
}

static size_t block_bytes(size_t channels)
{
    return sizeof(winograd_head) + POSITIONS * chunks_of(channels) * CHUNK * COLS * sizeof(int16_t);
}

static void pack(void *block, const edgecore_columns *columns)
{
    const size_t channels = columns->k, position_step = chunks_of(channels) * CHUNK * COLS;
    memset(block, 0, block_bytes(channels));
    winograd_head *head = block;
    head->requant = make_head(columns);
    make_requant(head->scales, head->bias, head->left, HALVES, columns);
    edgecore_winograd_scale(head->bias, COLS);
    edgecore_winograd_pack((int16_t *)(head + 1), columns, position_step, 1, COLS);
}

/* acc, and w[4 lanes] * d[channel]. */
#if defined(__aarch64__)
#define FIRST_LOW(acc, w, d, channel) vmull_laneq_s16(vget_low_s16(w), d, channel)
#define FIRST_HIGH(acc, w, d, channel) vmull_high_laneq_s16(w, d, channel)
#define NEXT_LOW(acc, w, d, channel) vmlal_laneq_s16(acc, vget_low_s16(w), d, channel)
#define NEXT_HIGH(acc, w, d, channel) vmlal_high_laneq_s16(acc, w, d, channel)
#else
#define LANES_OF(d, channel) ((channel) < 4 ? vget_low_s16(d) : vget_high_s16(d))
#define FIRST_LOW(acc, w, d, channel) vmull_lane_s16(vget_low_s16(w), LANES_OF(d, channel), (channel) & 3)
#define FIRST_HIGH(acc, w, d, channel) vmull_lane_s16(vget_high_s16(w), LANES_OF(d, channel), (channel) & 3)
#define NEXT_LOW(acc, w, d, channel) vmlal_lane_s16(acc, vget_low_s16(w), LANES_OF(d, channel), (channel) & 3)
#define NEXT_HIGH(acc, w, d, channel) vmlal_lane_s16(acc, vget_high_s16(w), LANES_OF(d, channel), (channel) & 3)
#endif

#define MULTIPLY_CHANNEL(step, channel)                                                                                  \
    {                                                                                                                     \
        const int16x8_t w = vld1q_s16(u + (channel) * COLS);                                                             \
        for (size_t t = 0; t < tiles; t++) {                                                                              \
            acc[t][0] = step##_LOW(acc[t][0], w, d[t], channel);                                                         \
            acc[t][1] = step##_HIGH(acc[t][1], w, d[t], channel);                                                        \
        }                                                                                                                 \
    }

#define MULTIPLY_CHUNK(step)                                                                                             \
    {                                                                                                                     \
        int16x8_t d[TILES];                                                                                               \
        for (size_t t = 0; t < tiles; t++)                                                                                \
            d[t] = vld1q_s16(v + t * CHUNK);                                                                             \
        MULTIPLY_CHANNEL(step, 0)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 1)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 2)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 3)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 4)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 5)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 6)                                                                                         \
        MULTIPLY_CHANNEL(NEXT, 7)                                                                                         \
        v += TILES * CHUNK;                                                                                               \
        u += CHUNK * COLS;                                                                                                \
    }

/* Sums over the channels in every position: [position][TILES][COLS]. */
INLINE void multiply(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to, const size_t tiles)
{
    for (size_t p = 0; p < POSITIONS; p++, to += TILES * COLS) {
        int32x4_t acc[TILES][HALVES];
        MULTIPLY_CHUNK(FIRST)
        for (size_t chunk = 1; chunk < chunks; chunk++)
            MULTIPLY_CHUNK(NEXT)
        for (size_t t = 0; t < tiles; t++) {
            vst1q_s32(to + t * COLS, acc[t][0]);
            vst1q_s32(to + t * COLS + 4, acc[t][1]);
        }
    }
}

typedef void multiply_function(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to);

#define MULTIPLY(tiles)                                                                                                   \
    static void multiply_##tiles(const int16_t *v, const int16_t *u, size_t chunks, int32_t *to)                         \
    {                                                                                                                     \
        multiply(v, u, chunks, to, tiles);                                                                                \
    }
MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
#if defined(__aarch64__)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)
MULTIPLY(7)
MULTIPLY(8)
#endif

static multiply_function *const multiplies[TILES] = {
    multiply_1, multiply_2, multiply_3, multiply_4,
#if defined(__aarch64__)
    multiply_5, multiply_6, multiply_7, multiply_8,
#endif
};

static void run(const edgecore_winograd_args *args)
{
    const winograd_head *head = args->block;
    multiplies[args->count - 1](args->tiles, (const int16_t *)(head + 1), chunks_of(args->channels), args->scratch);
    edgecore_winograd_output_neon(args);
}

/* Of a byte of weights from memory, where an instruction costs 1: about 4 GB/s for four cores of 1.5 GHz, as on a Pi 4. */
#define BYTE_COST 1.5f

/* Costs are instructions, as counted. */
#if defined(__aarch64__)
enum { CHUNK_COST = POSITIONS * 140, TILE_COST = POSITIONS * 16 + TILES * 690, INPUT_COST = 390 };
#else
enum { CHUNK_COST = POSITIONS * 73, TILE_COST = 5100, INPUT_COST = 390 };
#endif

const edgecore_winograd_kernel edgecore_winograd_neon = {
    .name = "winograd_4x4_8c__neon",
    .tiles = TILES,
    .cols = COLS,
    .lanes = COLS,
    .column_bytes = SIDE * CHUNK * sizeof(int16_t),
    .chunk_cost = CHUNK_COST,
    .tile_cost = TILE_COST,
    .input_cost = INPUT_COST,
    .byte_cost = BYTE_COST,
    .most_bytes = 8 << 20,
    .tiles_bytes = tiles_bytes,
    .block_bytes = block_bytes,
    .pack = pack,
    .transform = edgecore_winograd_transform_neon,
    .run = run,
};
