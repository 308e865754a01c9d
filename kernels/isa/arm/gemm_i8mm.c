/* GEMM tiles on smmla, which multiplies 2 rows by 2 channels over 8 K: an accumulator is [2 rows][2 channels].
 *
 * A block ends in the weights [taps][groups of 8 k][cols][8]. Two rows of 16 bytes are zipped into their first 8 K and their last;
 * an odd row is zipped with itself.
 *            6 x 16       8 x 8
 *   rows     v0-v5        v0-v7     16 bytes of each; then
 *   first    v6 v0 v2     v8 v0 v2 v4
 *   last     v1 v3 v5     v1 v3 v5 v7
 *   weights  v4 v7        v9 v10    of two channels each
 *   sums     v8-v31       v16-v31   [pair of rows][pair of channels] */
#include "isa/arm/kernels.h"
#include "isa/arm/gemm_finish.h"

#if !defined(__ARM_FEATURE_MATMUL_INT8)
#error "this file needs the flags of the i8mm tier"
#endif

/* The assembly knows the distances from `weights` back. Pairs of channels stand twice, for two rows. */
typedef struct gemm_block {
    finish_head head;
    requant_4 scale[8];
    int32_t bias[32];
    finish_bounds bounds;
    int8_t weights[];
} gemm_block;

static size_t bytes_of_block(size_t taps, size_t k, size_t cols)
{
    return sizeof(gemm_block) + taps * ((k + 7) / 8) * cols * 8;
}

static void pack(void *memory, const edgecore_columns *columns, size_t cols)
{
    memset(memory, 0, bytes_of_block(columns->taps, columns->k, cols));
    gemm_block *block = memory;
    int32_t bias[16] = {0};
    pack_finish(&block->head, bias, &block->bounds, cols / 4, columns);
    for (size_t c = 0; c < cols; c++)
        for (size_t row = 0; row < 2; row++) {
            const size_t lane = row * 2 + c % 2;
            block->bias[c / 2 * 4 + lane] = bias[c];
            block->scale[c / 2].multiplier[lane] = block->head.scale[c / 4].multiplier[c % 4];
            block->scale[c / 2].right[lane] = block->head.scale[c / 4].right[c % 4];
        }
    const size_t k = columns->k, groups = (k + 7) / 8;
    const int8_t *w = columns->weights;
    for (size_t c = 0; c < columns->cols; c++)
        for (size_t t = 0; t < columns->taps; t++)
            for (size_t i = 0; i < k; i++)
                block->weights[((t * groups + i / 8) * cols + c) * 8 + i % 8] = *w++;
}

#define SUM_16_00 "8"
#define SUM_16_01 "9"
#define SUM_16_02 "10"
#define SUM_16_03 "11"
#define SUM_16_04 "12"
#define SUM_16_05 "13"
#define SUM_16_06 "14"
#define SUM_16_07 "15"
#define SUM_16_10 "16"
#define SUM_16_11 "17"
#define SUM_16_12 "18"
#define SUM_16_13 "19"
#define SUM_16_14 "20"
#define SUM_16_15 "21"
#define SUM_16_16 "22"
#define SUM_16_17 "23"
#define SUM_16_20 "24"
#define SUM_16_21 "25"
#define SUM_16_22 "26"
#define SUM_16_23 "27"
#define SUM_16_24 "28"
#define SUM_16_25 "29"
#define SUM_16_26 "30"
#define SUM_16_27 "31"
#define SUM_8_00 "16"
#define SUM_8_01 "17"
#define SUM_8_02 "18"
#define SUM_8_03 "19"
#define SUM_8_10 "20"
#define SUM_8_11 "21"
#define SUM_8_12 "22"
#define SUM_8_13 "23"
#define SUM_8_20 "24"
#define SUM_8_21 "25"
#define SUM_8_22 "26"
#define SUM_8_23 "27"
#define SUM_8_30 "28"
#define SUM_8_31 "29"
#define SUM_8_32 "30"
#define SUM_8_33 "31"

#define FIRST_16_0 "6"
#define FIRST_16_1 "0"
#define FIRST_16_2 "2"
#define FIRST_8_0 "8"
#define FIRST_8_1 "0"
#define FIRST_8_2 "2"
#define FIRST_8_3 "4"
#define LAST_0 "1"
#define LAST_1 "3"
#define LAST_2 "5"
#define LAST_3 "7"

/* DO(pair, ...) for each pair of rows. */
#define PAIRS_1(DO, ...) EACH_1(DO, __VA_ARGS__)
#define PAIRS_2(DO, ...) EACH_1(DO, __VA_ARGS__)
#define PAIRS_3(DO, ...) EACH_2(DO, __VA_ARGS__)
#define PAIRS_4(DO, ...) EACH_2(DO, __VA_ARGS__)
#define PAIRS_5(DO, ...) EACH_3(DO, __VA_ARGS__)
#define PAIRS_6(DO, ...) EACH_3(DO, __VA_ARGS__)
#define PAIRS_7(DO, ...) EACH_4(DO, __VA_ARGS__)
#define PAIRS_8(DO, ...) EACH_4(DO, __VA_ARGS__)

/* The first 8 K of rows a and b; and the last 8 too, in `last`, whose vector is one of the rows'. */
#define ZIP_FIRST(first, a, b) "zip1 v" first ".2d, v" a ".2d, v" b ".2d\n"
#define ZIP(first, last, a, b) ZIP_FIRST(first, a, b) "zip2 v" last ".2d, v" a ".2d, v" b ".2d\n"
#define ZIPS_1(DO, spare) DO(spare, "1", "0", "0")
#define ZIPS_2(DO, spare) DO(spare, "1", "0", "1")
#define ZIPS_3(DO, spare) ZIPS_2(DO, spare) DO("0", "3", "2", "2")
#define ZIPS_4(DO, spare) ZIPS_2(DO, spare) DO("0", "3", "2", "3")
#define ZIPS_5(DO, spare) ZIPS_4(DO, spare) DO("2", "5", "4", "4")
#define ZIPS_6(DO, spare) ZIPS_4(DO, spare) DO("2", "5", "4", "5")
#define ZIPS_7(DO, spare) ZIPS_6(DO, spare) DO("4", "7", "6", "6")
#define ZIPS_8(DO, spare) ZIPS_6(DO, spare) DO("4", "7", "6", "7")
#define ZIP_ONLY_FIRST(first, last, a, b) ZIP_FIRST(first, a, b)
#define SPARE_16 "6"
#define SPARE_8 "8"

#define LOAD_8(r, ...) "ldr d" #r ", [" POINTER_##r "]\n"

#define BIAS_16(p, ...)                                                                                                 \
    "ldp q" SUM_16_##p##0 ", q" SUM_16_##p##1 ", [x21, #-192]\n"                                                        \
    "ldp q" SUM_16_##p##2 ", q" SUM_16_##p##3 ", [x21, #-160]\n"                                                        \
    "ldp q" SUM_16_##p##4 ", q" SUM_16_##p##5 ", [x21, #-128]\n"                                                        \
    "ldp q" SUM_16_##p##6 ", q" SUM_16_##p##7 ", [x21, #-96]\n"
#define BIAS_8(p, ...)                                                                                                  \
    "ldp q" SUM_8_##p##0 ", q" SUM_8_##p##1 ", [x21, #-192]\n"                                                          \
    "ldp q" SUM_8_##p##2 ", q" SUM_8_##p##3 ", [x21, #-160]\n"

#define MULTIPLY(sum, x, w) "smmla v" sum ".4s, v" x ".16b, v" w ".16b\n"
#define FIRST_OF_16(p, c, w) MULTIPLY(SUM_16_##p##c, FIRST_16_##p, w)
#define LAST_OF_16(p, c, w) MULTIPLY(SUM_16_##p##c, LAST_##p, w)
#define FIRST_OF_8(p, c, w) MULTIPLY(SUM_8_##p##c, FIRST_8_##p, w)
#define LAST_OF_8(p, c, w) MULTIPLY(SUM_8_##p##c, LAST_##p, w)
#define GROUP_16(rows, half)                                                                                            \
    "ldp q4, q7, [x13], #32\n" PAIRS_##rows(half##_OF_16, 0, "4") PAIRS_##rows(half##_OF_16, 1, "7")                    \
    "ldp q4, q7, [x13], #32\n" PAIRS_##rows(half##_OF_16, 2, "4") PAIRS_##rows(half##_OF_16, 3, "7")                    \
    "ldp q4, q7, [x13], #32\n" PAIRS_##rows(half##_OF_16, 4, "4") PAIRS_##rows(half##_OF_16, 5, "7")                    \
    "ldp q4, q7, [x13], #32\n" PAIRS_##rows(half##_OF_16, 6, "4") PAIRS_##rows(half##_OF_16, 7, "7")
#define GROUP_8(rows, half)                                                                                             \
    "ldp q9, q10, [x13], #32\n" PAIRS_##rows(half##_OF_8, 0, "9") PAIRS_##rows(half##_OF_8, 1, "10")                    \
    "ldp q9, q10, [x13], #32\n" PAIRS_##rows(half##_OF_8, 2, "9") PAIRS_##rows(half##_OF_8, 3, "10")

#define SCALE_16(p, how, c, multiplier, right) SCALE_##how(SUM_16_##p##c, multiplier, right)
#define SCALE_8(p, how, c, multiplier, right) SCALE_##how(SUM_8_##p##c, multiplier, right)

/* Four pairs of channels, narrowed, are 4 times [2 rows][2 bytes]: rows are its even and its odd halfwords. */
#define UNZIP(row0, row1, a, b)                                                                                         \
    "uzp1 v" row0 ".8h, v" a ".8h, v" b ".8h\n"                                                                         \
    "uzp2 v" row1 ".8h, v" a ".8h, v" b ".8h\n"
#define NARROW_16(p, how)                                                                                               \
    NARROW_16_##how(SUM_16_##p##0, SUM_16_##p##1, SUM_16_##p##2, SUM_16_##p##3)                                         \
    NARROW_16_##how(SUM_16_##p##4, SUM_16_##p##5, SUM_16_##p##6, SUM_16_##p##7)                                         \
    UNZIP(SUM_16_##p##1, SUM_16_##p##2, SUM_16_##p##0, SUM_16_##p##4)
#define NARROW_8(p, how)                                                                                                \
    NARROW_16_##how(SUM_8_##p##0, SUM_8_##p##1, SUM_8_##p##2, SUM_8_##p##3)                                             \
    UNZIP(SUM_8_##p##1, SUM_8_##p##2, SUM_8_##p##0, SUM_8_##p##0)

/* Where narrowing leaves each row. */
#define ROW_16_0 SUM_16_01
#define ROW_16_1 SUM_16_02
#define ROW_16_2 SUM_16_11
#define ROW_16_3 SUM_16_12
#define ROW_16_4 SUM_16_21
#define ROW_16_5 SUM_16_22
#define ROW_8_0 SUM_8_01
#define ROW_8_1 SUM_8_02
#define ROW_8_2 SUM_8_11
#define ROW_8_3 SUM_8_12
#define ROW_8_4 SUM_8_21
#define ROW_8_5 SUM_8_22
#define ROW_8_6 SUM_8_31
#define ROW_8_7 SUM_8_32
#define STORE_16(r, ...) "str q" ROW_16_##r ", [" POINTER_##r ", x22]\n"
#define STORE_8(r, ...) "str d" ROW_8_##r ", [" POINTER_##r ", x22]\n"

#define LOAD_SCALES(offset)                                                                                             \
    "ldp q0, q1, [x21, #" #offset "]\n"                                                                                 \
    "ldp q2, q3, [x21, #" #offset " + 32]\n"                                                                            \
    "ldp q4, q5, [x21, #" #offset " + 64]\n"                                                                            \
    "ldp q6, q7, [x21, #" #offset " + 96]\n"
#define FINISH_16(rows, how)                                                                                            \
    LOAD_SCALES(-448)                                                                                                   \
    PAIRS_##rows(SCALE_16, how, 0, "0", "1") PAIRS_##rows(SCALE_16, how, 1, "2", "3")                                   \
    PAIRS_##rows(SCALE_16, how, 2, "4", "5") PAIRS_##rows(SCALE_16, how, 3, "6", "7")                                   \
    LOAD_SCALES(-320)                                                                                                   \
    PAIRS_##rows(SCALE_16, how, 4, "0", "1") PAIRS_##rows(SCALE_16, how, 5, "2", "3")                                   \
    PAIRS_##rows(SCALE_16, how, 6, "4", "5") PAIRS_##rows(SCALE_16, how, 7, "6", "7")                                   \
    BOUNDS_##how PAIRS_##rows(NARROW_16, how) EACH_##rows(STORE_16, )
#define FINISH_8(rows, how)                                                                                             \
    LOAD_SCALES(-448)                                                                                                   \
    PAIRS_##rows(SCALE_8, how, 0, "0", "1") PAIRS_##rows(SCALE_8, how, 1, "2", "3")                                     \
    PAIRS_##rows(SCALE_8, how, 2, "4", "5") PAIRS_##rows(SCALE_8, how, 3, "6", "7")                                     \
    BOUNDS_##how PAIRS_##rows(NARROW_8, how) EACH_##rows(STORE_8, )

/* Sums go out row by row; an odd row's twin too. */
#define KEEP(a, b, offset, next)                                                                                        \
    "zip1 v0.2d, v" a ".2d, v" b ".2d\n"                                                                                \
    "zip2 v1.2d, v" a ".2d, v" b ".2d\n"                                                                                \
    "str q0, [x24, #" offset "]\n"                                                                                      \
    "str q1, [x24, #" offset " + " next "]\n"
#define KEEP_16(p, ...)                                                                                                 \
    KEEP(SUM_16_##p##0, SUM_16_##p##1, "128 * " #p, "64") KEEP(SUM_16_##p##2, SUM_16_##p##3, "128 * " #p " + 16", "64") \
    KEEP(SUM_16_##p##4, SUM_16_##p##5, "128 * " #p " + 32", "64")                                                       \
    KEEP(SUM_16_##p##6, SUM_16_##p##7, "128 * " #p " + 48", "64")
#define KEEP_8(p, ...)                                                                                                  \
    KEEP(SUM_8_##p##0, SUM_8_##p##1, "64 * " #p, "32") KEEP(SUM_8_##p##2, SUM_8_##p##3, "64 * " #p " + 16", "32")

/* 16 K. */
#define STEP(rows, cols, count)                                                                                         \
    EACH_##rows(LOAD_ROW, )                                                                                             \
    ZIPS_##rows(ZIP, SPARE_##cols)                                                                                      \
    GROUP_##cols(rows, FIRST)                                                                                           \
    count                                                                                                               \
    GROUP_##cols(rows, LAST)
/* The group that may remain. */
#define REST(rows, cols)                                                                                                \
    "tbz x17, #0, 14f\n"                                                                                                \
    EACH_##rows(LOAD_8, )                                                                                               \
    ZIPS_##rows(ZIP_ONLY_FIRST, SPARE_##cols)                                                                           \
    GROUP_##cols(rows, FIRST)
#define ODD_STEPS_BIT "1"
#define BIASES(rows, cols) PAIRS_##rows(BIAS_##cols, )
#define KEEPS(rows, cols) PAIRS_##rows(KEEP_##cols, )

TILES(1, 16) TILES(2, 16) TILES(3, 16) TILES(4, 16) TILES(5, 16) TILES(6, 16)
static tiles_function *const tiles_16[] = {tiles_1x16, tiles_2x16, tiles_3x16, tiles_4x16, tiles_5x16, tiles_6x16};
TILE_KERNEL(i8mm, 8, 6, 16, 17.5f, 125.0f);

TILES(1, 8) TILES(2, 8) TILES(3, 8) TILES(4, 8) TILES(5, 8) TILES(6, 8) TILES(7, 8) TILES(8, 8)
static tiles_function *const tiles_8[] = {
    tiles_1x8, tiles_2x8, tiles_3x8, tiles_4x8, tiles_5x8, tiles_6x8, tiles_7x8, tiles_8x8,
};
TILE_KERNEL(i8mm, 8, 8, 8, 13.5f, 90.0f);
