"""The public C API (include/edgecore/*.h) as Cython sees it."""

from libc.stddef cimport ptrdiff_t, size_t
from libc.stdint cimport int32_t, int64_t, uint8_t


cdef extern from "edgecore/types.h" nogil:
    ctypedef enum edgecore_status:
        EDGECORE_OK
        EDGECORE_INVALID
        EDGECORE_UNSUPPORTED
        EDGECORE_NO_MEMORY

    ctypedef struct edgecore_message:
        char text[240]

    enum:
        EDGECORE_MAX_RANK
        EDGECORE_MAX_WINDOWS

    ctypedef enum edgecore_dtype:
        EDGECORE_INT8
        EDGECORE_UINT8
        EDGECORE_INT32

    ctypedef struct edgecore_tensor:
        edgecore_dtype dtype
        int32_t rank
        int32_t dims[6]
        int32_t scale_count
        const float *scales
        const int32_t *zero_points
        const void *data
        const char *name

    ctypedef enum edgecore_op_kind:
        EDGECORE_CONV_2D
        EDGECORE_DEPTHWISE_CONV_2D
        EDGECORE_FULLY_CONNECTED
        EDGECORE_TRANSPOSE_CONV
        EDGECORE_MAX_POOL_2D
        EDGECORE_AVERAGE_POOL_2D
        EDGECORE_MEAN
        EDGECORE_ADD
        EDGECORE_MUL
        EDGECORE_CONCATENATION
        EDGECORE_PAD
        EDGECORE_RESHAPE
        EDGECORE_SOFTMAX
        EDGECORE_RELU
        EDGECORE_RELU6
        EDGECORE_LEAKY_RELU
        EDGECORE_LOGISTIC
        EDGECORE_TANH
        EDGECORE_HARD_SWISH
        EDGECORE_QUANTIZE
        EDGECORE_RESIZE_NEAREST_NEIGHBOR
        EDGECORE_RESIZE_BILINEAR
        EDGECORE_TRANSPOSE
        EDGECORE_STRIDED_SLICE
        EDGECORE_SWISH
        EDGECORE_MULTI_SCALE_MAX_POOL
        EDGECORE_AFFINE_CHANNEL

    ctypedef enum edgecore_activation:
        EDGECORE_ACT_NONE
        EDGECORE_ACT_RELU
        EDGECORE_ACT_RELU_N1_TO_1
        EDGECORE_ACT_RELU6

    ctypedef struct edgecore_op_params:
        edgecore_activation activation
        int32_t stride_h, stride_w
        int32_t dilation_h, dilation_w
        int32_t filter_h, filter_w
        int32_t pad_top, pad_bottom, pad_left, pad_right
        int32_t depth_multiplier
        int32_t axis
        int32_t axis_count
        int32_t axes[6]
        bint keep_dims
        int32_t pad_before[6]
        int32_t pad_after[6]
        float alpha
        float beta
        int32_t window_count
        int32_t windows[8]
        int32_t begin[6]
        int32_t step[6]
        int32_t size[6]
        bint align_corners, half_pixel_centers


cdef extern from "edgecore/cpu.h" nogil:
    int32_t edgecore_isa_count()
    const char *edgecore_isa_name(int32_t index)
    bint edgecore_isa_available(int32_t index)
    edgecore_status edgecore_isa_select(const char *name, int32_t *index, edgecore_message *message)
    int32_t edgecore_cpu_cores()


cdef extern from "edgecore/graph.h" nogil:
    enum:
        EDGECORE_NO_TENSOR

    ctypedef struct edgecore_graph:
        pass

    ctypedef struct edgecore_engine:
        pass

    ctypedef struct edgecore_options:
        int32_t threads
        const char *isa
        bint fuse

    ctypedef struct edgecore_step_info:
        const char *name
        const int32_t *tags
        int32_t tag_count
        int64_t macs
        int64_t bytes
        int32_t output_dims[6]
        int32_t output_rank
        int64_t nanoseconds

    edgecore_graph *edgecore_graph_create()
    void edgecore_graph_destroy(edgecore_graph *graph)
    edgecore_status edgecore_graph_add_tensor(edgecore_graph *graph, const edgecore_tensor *tensor, int32_t *id,
                                              edgecore_message *message)
    edgecore_status edgecore_graph_add_node(edgecore_graph *graph, edgecore_op_kind kind,
                                            const edgecore_op_params *params, const int32_t *inputs,
                                            int32_t input_count, int32_t output, int32_t tag,
                                            edgecore_message *message)
    edgecore_status edgecore_graph_set_io(edgecore_graph *graph, const int32_t *inputs, int32_t input_count,
                                          const int32_t *outputs, int32_t output_count, edgecore_message *message)
    edgecore_status edgecore_engine_create(const edgecore_graph *graph, const edgecore_options *options,
                                           edgecore_engine **engine, edgecore_message *message)
    void edgecore_engine_destroy(edgecore_engine *engine)
    edgecore_status edgecore_engine_run(edgecore_engine *engine, const void *const *inputs, void *const *outputs,
                                        edgecore_message *message)
    int32_t edgecore_engine_step_count(const edgecore_engine *engine)
    edgecore_status edgecore_engine_step(const edgecore_engine *engine, int32_t index, edgecore_step_info *info)
    void edgecore_engine_set_profiling(edgecore_engine *engine, bint on)
    size_t edgecore_engine_arena_bytes(const edgecore_engine *engine)
    size_t edgecore_engine_weight_bytes(const edgecore_engine *engine)
    const char *edgecore_engine_isa(const edgecore_engine *engine)
    int32_t edgecore_engine_threads(const edgecore_engine *engine)


cdef extern from "edgecore/image.h" nogil:
    enum:
        EDGECORE_IMAGE_MAX_SIDE

    ctypedef enum edgecore_pixels:
        EDGECORE_PIXELS_BGR
        EDGECORE_PIXELS_RGB
        EDGECORE_PIXELS_GREY
        EDGECORE_PIXELS_YUV420
        EDGECORE_PIXELS_NV12

    ctypedef enum edgecore_colour:
        EDGECORE_COLOUR_BT601
        EDGECORE_COLOUR_BT709
        EDGECORE_COLOUR_JPEG

    ctypedef struct edgecore_image_box:
        int32_t x
        int32_t y
        int32_t width
        int32_t height

    ctypedef enum edgecore_fit:
        EDGECORE_FIT_STRETCH
        EDGECORE_FIT_LETTERBOX
        EDGECORE_FIT_CROP

    ctypedef enum edgecore_filter:
        EDGECORE_FILTER_TRIANGLE
        EDGECORE_FILTER_BILINEAR

    ctypedef struct edgecore_image_spec:
        int32_t frame_height
        int32_t frame_width
        int32_t height
        int32_t width
        edgecore_pixels frame_pixels
        edgecore_pixels pixels
        edgecore_fit fit
        edgecore_filter filter
        edgecore_colour colour
        edgecore_image_box box
        const uint8_t *tables

    ctypedef struct edgecore_image_plan:
        pass

    edgecore_status edgecore_image_plan_create(const edgecore_image_spec *spec, edgecore_image_plan **plan,
                                               edgecore_message *message)
    void edgecore_image_plan_destroy(edgecore_image_plan *plan)
    edgecore_status edgecore_image_plan_run(edgecore_image_plan *plan, const uint8_t *frame, ptrdiff_t row_stride,
                                            uint8_t *out, edgecore_message *message)
    size_t edgecore_image_plan_bytes(const edgecore_image_plan *plan)
