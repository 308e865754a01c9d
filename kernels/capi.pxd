"""The public C API (include/edgecore/*.h) as Cython sees it."""

from libc.stddef cimport ptrdiff_t, size_t
from libc.stdint cimport int32_t, uint8_t


cdef extern from "edgecore/types.h" nogil:
    ctypedef enum edgecore_status:
        EDGECORE_OK
        EDGECORE_INVALID
        EDGECORE_UNSUPPORTED
        EDGECORE_NO_MEMORY

    ctypedef struct edgecore_message:
        char text[240]


cdef extern from "edgecore/image.h" nogil:
    enum:
        EDGECORE_IMAGE_MAX_SIDE

    ctypedef enum edgecore_pixels:
        EDGECORE_PIXELS_BGR
        EDGECORE_PIXELS_RGB
        EDGECORE_PIXELS_GREY

    ctypedef enum edgecore_fit:
        EDGECORE_FIT_STRETCH
        EDGECORE_FIT_LETTERBOX
        EDGECORE_FIT_CROP

    ctypedef struct edgecore_image_spec:
        int32_t frame_height
        int32_t frame_width
        int32_t height
        int32_t width
        edgecore_pixels frame_pixels
        edgecore_pixels pixels
        edgecore_fit fit
        const uint8_t *tables

    ctypedef struct edgecore_image_plan:
        pass

    edgecore_status edgecore_image_plan_create(const edgecore_image_spec *spec, edgecore_image_plan **plan,
                                               edgecore_message *message)
    void edgecore_image_plan_destroy(edgecore_image_plan *plan)
    edgecore_status edgecore_image_plan_run(edgecore_image_plan *plan, const uint8_t *frame, ptrdiff_t row_stride,
                                            uint8_t *out, edgecore_message *message)
    size_t edgecore_image_plan_bytes(const edgecore_image_plan *plan)
