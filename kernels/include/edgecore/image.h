/* From a camera's frame to the network's input tensor in one call: resize, colour order and quantisation.
 *
 * The resize is the separable, antialiased triangle filter in 22-bit fixed point: the horizontal pass, an 8-bit
 * image, the vertical pass. Either pass is byte for byte Pillow's Image.resize(size, BILINEAR, box), and so are both together up
 * to Pillow 12 (13 begins with the vertical pass where the height shrinks much more than the width). An axis whose size does not
 * change is copied. The bytes depend on nothing but the arguments, on every CPU. */
#ifndef EDGECORE_IMAGE_H
#define EDGECORE_IMAGE_H

#include "edgecore/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EDGECORE_IMAGE_MAX_SIDE 32768
#define EDGECORE_LETTERBOX_PIXEL 114 /* fills the bars of a letterbox, in every channel, before the table */

/* How pixels lie in a frame or in a tensor. The first three are interleaved bytes.
 * Colour becomes grey as (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R BT.601, Pillow's "L"), before the
 * resize; grey becomes colour by repeating it, after the resize.
 *
 * The last two are cameras' planes, in frames alone, of even height and width: `height` rows of luma, one `row_stride` apart,
 * and behind them chroma, a U and a V for every 2 x 2 pixels. NV12 has height / 2 rows with U and V in turns, one `row_stride`
 * apart; YUV420 (I420) the U plane and then the V plane, each height / 2 rows that are half a `row_stride` apart. Pixel (x, y)
 * takes chroma (x / 2, y / 2) and becomes colour before the resize; grey comes from luma alone, after the resize. */
typedef enum edgecore_pixels {
    EDGECORE_PIXELS_BGR = 0,
    EDGECORE_PIXELS_RGB,
    EDGECORE_PIXELS_GREY,
    EDGECORE_PIXELS_YUV420,
    EDGECORE_PIXELS_NV12,
} edgecore_pixels;

/* What Y, U and V mean. The conversion is in integers, 0.56 from the real value at the most (isa/image_template.h). */
typedef enum edgecore_colour {
    EDGECORE_COLOUR_BT601 = 0, /* ITU-R BT.601, limited range: Y 16 to 235, U and V 16 to 240 */
    EDGECORE_COLOUR_BT709,     /* ITU-R BT.709, limited range */
    EDGECORE_COLOUR_JPEG,      /* BT.601 in full range, as JPEG has it */
} edgecore_colour;

/* A part of a frame, in pixels. */
typedef struct edgecore_image_box {
    int32_t x, y, width, height;
} edgecore_image_box;

/* Which part of the frame, or of its box, fills which part of the tensor. Halves of odd differences are rounded down. */
typedef enum edgecore_fit {
    EDGECORE_FIT_STRETCH = 0, /* all of it fills the whole tensor */
    EDGECORE_FIT_LETTERBOX,   /* all of it, its shape kept, centred between bars */
    EDGECORE_FIT_CROP,        /* the largest centred box with the tensor's shape fills the tensor */
} edgecore_fit;

/* How many frame pixels make one tensor pixel along an axis that shrinks. */
typedef enum edgecore_filter {
    EDGECORE_FILTER_TRIANGLE = 0, /* all that it covers: no aliasing */
    EDGECORE_FILTER_BILINEAR,     /* the two around its centre, as models trained elsewhere often saw it */
} edgecore_filter;

typedef struct edgecore_image_spec {
    int32_t frame_height, frame_width; /* 1 .. EDGECORE_IMAGE_MAX_SIDE, as the next two */
    int32_t height, width;
    edgecore_pixels frame_pixels;
    edgecore_pixels pixels;            /* of the tensor */
    edgecore_fit fit;
    edgecore_filter filter;
    edgecore_colour colour;            /* of planar frames */
    edgecore_image_box box;            /* what is seen of the frame, as if it were cut out before; all zero: the whole frame */
    /* [channels of `pixels`][256]: the byte to store for a pixel value of a channel; NULL stores pixel values. */
    const uint8_t *tables;
} edgecore_image_spec;

typedef struct edgecore_image_plan edgecore_image_plan;

/* Computes the filter's weights for one frame size and reserves all working memory. `spec` and its tables are
 * not needed afterwards. EDGECORE_INVALID names the bad argument. */
EDGECORE_API edgecore_status edgecore_image_plan_create(const edgecore_image_spec *spec,
                                                        edgecore_image_plan **plan, edgecore_message *message);
EDGECORE_API void edgecore_image_plan_destroy(edgecore_image_plan *plan);

/* Fills `out`, height x width x channels dense bytes. `row_stride` is the bytes from one frame row to the next: negative in an
 * interleaved frame that is upside down; in a planar one at least the width, and even for YUV420. Allocates nothing; one call at
 * a time per plan. */
EDGECORE_API edgecore_status edgecore_image_plan_run(edgecore_image_plan *plan, const uint8_t *frame,
                                                     ptrdiff_t row_stride, uint8_t *out,
                                                     edgecore_message *message);

/* Bytes that a run writes. */
EDGECORE_API size_t edgecore_image_plan_bytes(const edgecore_image_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
