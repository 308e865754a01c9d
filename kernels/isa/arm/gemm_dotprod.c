/* GEMM tiles on sdot by lane: 16 bytes of an activation row are 4 groups of 4 K, each multiplied with 4 channels a vector.
 *
 * A block ends in the weights [taps][groups of 4 k][cols][4]. 6x16 is the tile with the fewest loads for its multiplies that 32
 * registers hold:
 *            6 x 16    8 x 8
 *   rows     v0-v5     v0-v7     16 bytes of each
 *   weights  v6-v7     v8-v9
 *   sums     v8-v31    v16-v31   [row][vector of 4 channels] */
#include "isa/arm/kernels.h"
#include "isa/arm/gemm_finish.h"

#if !defined(__ARM_FEATURE_DOTPROD)
#error "this file needs the flags of the dotprod tier"
#endif

/* The assembly knows the distances from `weights` back. */
typedef struct gemm_block {
    finish_head head;
    requant_4 scale[4];
    int32_t bias[16];
    finish_bounds bounds;
    int8_t weights[];
} gemm_block;

static size_t bytes_of_block(size_t taps, size_t k, size_t cols)
{
    return sizeof(gemm_block) + taps * ((k + 3) / 4) * cols * 4;
}

static void pack(void *memory, const edgecore_columns *columns, size_t cols)
{
    memset(memory, 0, bytes_of_block(columns->taps, columns->k, cols));
    gemm_block *block = memory;
    pack_finish(&block->head, block->bias, &block->bounds, cols / 4, columns);
    memcpy(block->scale, block->head.scale, sizeof block->scale);
    const size_t k = columns->k, groups = (k + 3) / 4;
    const int8_t *w = columns->weights;
    for (size_t c = 0; c < columns->cols; c++)
        for (size_t t = 0; t < columns->taps; t++)
            for (size_t i = 0; i < k; i++)
                block->weights[((t * groups + i / 4) * cols + c) * 4 + i % 4] = *w++;
}

#define SUM_16_00 "8"
#define SUM_16_01 "9"
#define SUM_16_02 "10"
#define SUM_16_03 "11"
#define SUM_16_10 "12"
#define SUM_16_11 "13"
#define SUM_16_12 "14"
#define SUM_16_13 "15"
#define SUM_16_20 "16"
#define SUM_16_21 "17"
#define SUM_16_22 "18"
#define SUM_16_23 "19"
#define SUM_16_30 "20"
#define SUM_16_31 "21"
#define SUM_16_32 "22"
#define SUM_16_33 "23"
#define SUM_16_40 "24"
#define SUM_16_41 "25"
#define SUM_16_42 "26"
#define SUM_16_43 "27"
#define SUM_16_50 "28"
#define SUM_16_51 "29"
#define SUM_16_52 "30"
#define SUM_16_53 "31"
#define SUM_8_00 "16"
#define SUM_8_01 "17"
#define SUM_8_10 "18"
#define SUM_8_11 "19"
#define SUM_8_20 "20"
#define SUM_8_21 "21"
#define SUM_8_30 "22"
#define SUM_8_31 "23"
#define SUM_8_40 "24"
#define SUM_8_41 "25"
#define SUM_8_50 "26"
#define SUM_8_51 "27"
#define SUM_8_60 "28"
#define SUM_8_61 "29"
#define SUM_8_70 "30"
#define SUM_8_71 "31"

#define BIAS_16(r, ...)                                                                                                 \
    "ldp q" SUM_16_##r##0 ", q" SUM_16_##r##1 ", [x21, #-128]\n"                                                        \
    "ldp q" SUM_16_##r##2 ", q" SUM_16_##r##3 ", [x21, #-96]\n"
#define BIAS_8(r, ...) "ldp q" SUM_8_##r##0 ", q" SUM_8_##r##1 ", [x21, #-128]\n"

#define DOT(cols, r, v, w, lane) "sdot v" SUM_##cols##_##r##v ".4s, v" w ".16b, v" #r ".4b[" #lane "]\n"
#define DOT_16(r, v, w, lane) DOT(16, r, v, w, lane)
#define DOT_8(r, v, w, lane) DOT(8, r, v, w, lane)
#define GROUP_16(rows, lane)                                                                                            \
    "ldp q6, q7, [x13], #32\n" EACH_##rows(DOT_16, 0, "6", lane) EACH_##rows(DOT_16, 1, "7", lane)                      \
    "ldp q6, q7, [x13], #32\n" EACH_##rows(DOT_16, 2, "6", lane) EACH_##rows(DOT_16, 3, "7", lane)
#define GROUP_8(rows, lane)                                                                                             \
    "ldp q8, q9, [x13], #32\n" EACH_##rows(DOT_8, 0, "8", lane) EACH_##rows(DOT_8, 1, "9", lane)

#define SCALE_16(r, how, v, multiplier, right) SCALE_##how(SUM_16_##r##v, multiplier, right)
#define SCALE_8(r, how, v, multiplier, right) SCALE_##how(SUM_8_##r##v, multiplier, right)
#define NARROW_16(r, how) NARROW_16_##how(SUM_16_##r##0, SUM_16_##r##1, SUM_16_##r##2, SUM_16_##r##3)
#define NARROW_8(r, how) NARROW_8_##how(SUM_8_##r##0, SUM_8_##r##1)
#define STORE_16(r, ...) "str q" SUM_16_##r##0 ", [" POINTER_##r ", x22]\n"
#define STORE_8(r, ...) "str d" SUM_8_##r##0 ", [" POINTER_##r ", x22]\n"

#define FINISH_16(rows, how)                                                                                            \
    "ldp q0, q1, [x21, #-256]\n"                                                                                        \
    "ldp q2, q3, [x21, #-224]\n"                                                                                        \
    "ldp q4, q5, [x21, #-192]\n"                                                                                        \
    "ldp q6, q7, [x21, #-160]\n"                                                                                        \
    EACH_##rows(SCALE_16, how, 0, "0", "1") EACH_##rows(SCALE_16, how, 1, "2", "3")                                     \
    EACH_##rows(SCALE_16, how, 2, "4", "5") EACH_##rows(SCALE_16, how, 3, "6", "7")                                     \
    BOUNDS_##how EACH_##rows(NARROW_16, how) EACH_##rows(STORE_16, )
#define FINISH_8(rows, how)                                                                                             \
    "ldp q0, q1, [x21, #-256]\n"                                                                                        \
    "ldp q2, q3, [x21, #-224]\n"                                                                                        \
    EACH_##rows(SCALE_8, how, 0, "0", "1") EACH_##rows(SCALE_8, how, 1, "2", "3")                                       \
    BOUNDS_##how EACH_##rows(NARROW_8, how) EACH_##rows(STORE_8, )

#define KEEP_16(r, ...)                                                                                                 \
    "stp q" SUM_16_##r##0 ", q" SUM_16_##r##1 ", [x24, #64 * " #r "]\n"                                                 \
    "stp q" SUM_16_##r##2 ", q" SUM_16_##r##3 ", [x24, #64 * " #r " + 32]\n"
#define KEEP_8(r, ...) "stp q" SUM_8_##r##0 ", q" SUM_8_##r##1 ", [x24, #32 * " #r "]\n"

/* 16 K. */
#define STEP(rows, cols, count)                                                                                         \
    EACH_##rows(LOAD_ROW, )                                                                                             \
    GROUP_##cols(rows, 0)                                                                                               \
    count                                                                                                               \
    GROUP_##cols(rows, 1) GROUP_##cols(rows, 2) GROUP_##cols(rows, 3)
/* 1 to 3 groups that remain. */
#define REST(rows, cols)                                                                                                \
    "tst x17, #3\n"                                                                                                     \
    "b.eq 14f\n"                                                                                                        \
    EACH_##rows(LOAD_ROW, )                                                                                             \
    GROUP_##cols(rows, 0)                                                                                               \
    "tbz x17, #1, 14f\n"                                                                                                \
    GROUP_##cols(rows, 1)                                                                                               \
    "tbz x17, #0, 14f\n"                                                                                                \
    GROUP_##cols(rows, 2)
#define ODD_STEPS_BIT "2"
#define BIASES(rows, cols) EACH_##rows(BIAS_##cols, )
#define KEEPS(rows, cols) EACH_##rows(KEEP_##cols, )

TILES(1, 16) TILES(2, 16) TILES(3, 16) TILES(4, 16) TILES(5, 16) TILES(6, 16)
static tiles_function *const tiles_16[] = {tiles_1x16, tiles_2x16, tiles_3x16, tiles_4x16, tiles_5x16, tiles_6x16};
TILE_KERNEL(dotprod, 4, 6, 16, 28.0f, 110.0f);

TILES(1, 8) TILES(2, 8) TILES(3, 8) TILES(4, 8) TILES(5, 8) TILES(6, 8) TILES(7, 8) TILES(8, 8)
static tiles_function *const tiles_8[] = {
    tiles_1x8, tiles_2x8, tiles_3x8, tiles_4x8, tiles_5x8, tiles_6x8, tiles_7x8, tiles_8x8,
};
TILE_KERNEL(dotprod, 4, 8, 8, 19.5f, 80.0f);
