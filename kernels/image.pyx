"""Frames to input tensors in C: resize, colour order and a table from pixel to byte, in one call.

The resize is the antialiased triangle filter of Pillow's Image.resize(size, BILINEAR, box), the horizontal pass always first; either
pass gives Pillow's bytes. Grey is ITU-R BT.601's luma as Pillow's "L" has it, (19595 R + 38470 G + 7471 B + 32768) >> 16.

Planar frames, "YUV420" (I420) and "NV12", are arrays as cameras give them, (height * 3 / 2, stride) for an even height and width:
`height` rows of luma, then height / 2 rows with U and V in turns (NV12), or the U and then the V plane, each height / 2 rows of
stride / 2 bytes (YUV420). Columns past the width are padding.
"""

from buffers cimport PyBuffer_Release, open_buffer, open_dense
from capi cimport *
from cpython.exc cimport PyErr_NoMemory
from libc.stdint cimport uint8_t
from operator import index

ORDERS = ("BGR", "RGB", "GREY")
PLANAR = ("YUV420", "NV12")
FRAME_ORDERS = ORDERS + PLANAR
COLOURS = ("bt601", "bt709", "jpeg")
RESIZES = ("stretch", "letterbox", "crop")
FILTERS = ("triangle", "bilinear")
MAX_SIDE = EDGECORE_IMAGE_MAX_SIDE


cdef int index_of(object value, tuple names, str argument) except -1:
    if value not in names:
        raise ValueError(f"{argument}: {value!r} is not one of {', '.join(names)}")
    return names.index(value)


cdef int side_of(object value, str argument) except -1:
    if not isinstance(value, int) or not 1 <= value <= MAX_SIDE:
        raise ValueError(f"{argument}: {value!r} is not an integer from 1 to {MAX_SIDE}")
    return value


cdef edgecore_image_box box_of(object value) except *:
    cdef edgecore_image_box box
    try:
        box.x, box.y, box.width, box.height = map(index, value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"box: {value!r} is not four integers x, y, width, height") from None
    if box.width < 1 or box.height < 1:
        raise ValueError(f"box: {value!r} holds no pixels")
    return box


cdef class ImagePlan:
    """The prepared way from frames of one size to a tensor of one size.

    Weights and working memory are made here, once; `run` allocates nothing. One call at a time per plan.

    Args:
        frame_height, frame_width: the frame's size in pixels, 1 to MAX_SIDE.
        frame_order: "BGR", "RGB" (frames HxWx3), "GREY" (frames HxW or HxWx1), "YUV420" or "NV12" (planes, see above).
        height, width: the tensor's size in pixels, 1 to MAX_SIDE.
        order: the tensor's channels: "BGR", "RGB" or "GREY".
        resize: "stretch" fills the tensor with the whole frame; "letterbox" keeps the frame's shape and centres it between bars
            of pixel value 114; "crop" fills the tensor with the largest centred box of its shape.
        tables: uint8 (channels, 256), the byte to store for each pixel value; None stores pixel values.
        filter: "triangle" weighs every frame pixel that a tensor pixel covers, without aliasing; "bilinear" the two around its
            centre along either axis, as cv2.resize does.
        colour: what a planar frame's bytes mean: "bt601" or "bt709" in limited range, or "jpeg", BT.601 in full range.
        box: (x, y, width, height) of the part of the frame that is seen, as if the rest were not there; None: all of it.

    Raises:
        ValueError: a bad argument, by name.
    """

    cdef edgecore_image_plan *plan
    cdef readonly tuple frame_shape
    cdef readonly tuple shape
    cdef readonly str frame_order
    cdef bint running

    def __cinit__(self, frame_height, frame_width, frame_order, height, width, order, resize="stretch", tables=None,
                  filter="triangle", colour="bt601", box=None):
        cdef edgecore_image_spec spec
        cdef edgecore_message message
        cdef edgecore_status status
        cdef Py_buffer view
        spec.frame_height = side_of(frame_height, "frame_height")
        spec.frame_width = side_of(frame_width, "frame_width")
        spec.height = side_of(height, "height")
        spec.width = side_of(width, "width")
        spec.frame_pixels = <edgecore_pixels>index_of(frame_order, FRAME_ORDERS, "frame_order")
        spec.pixels = <edgecore_pixels>index_of(order, ORDERS, "order")
        spec.fit = <edgecore_fit>index_of(resize, RESIZES, "resize")
        spec.filter = <edgecore_filter>index_of(filter, FILTERS, "filter")
        spec.colour = <edgecore_colour>index_of(colour, COLOURS, "colour")
        spec.box = box_of(box if box is not None else (0, 0, frame_width, frame_height))
        spec.tables = NULL
        self.frame_order = frame_order
        if frame_order in PLANAR:
            self.frame_shape = (frame_height * 3 // 2, frame_width)
        else:
            self.frame_shape = (frame_height, frame_width, 1 if frame_order == "GREY" else 3)
        self.shape = (height, width, 1 if order == "GREY" else 3)
        if tables is None:
            status = edgecore_image_plan_create(&spec, &self.plan, &message)
        else:
            open_dense(tables, &view, "tables", "B", False)
            try:
                if view.ndim != 2 or view.shape[0] != self.shape[2] or view.shape[1] != 256:
                    raise ValueError(f"tables: the shape is not ({self.shape[2]}, 256)")
                spec.tables = <const uint8_t *>view.buf
                status = edgecore_image_plan_create(&spec, &self.plan, &message)
            finally:
                PyBuffer_Release(&view)
        if status == EDGECORE_NO_MEMORY:
            PyErr_NoMemory()
        if status != EDGECORE_OK:
            raise ValueError(message.text.decode())

    def __dealloc__(self):
        edgecore_image_plan_destroy(self.plan)

    def run(self, frame, out):
        """Fills `out` with the tensor of `frame`; releases the GIL.

        Args:
            frame: uint8 array of `frame_shape` (a grey one may lack the last axis). Rows may lie apart or upside down, pixels
                within a row are dense. Planar ones may have more columns; rows of NV12 may lie apart, those of YUV420 not,
                because two rows of chroma stand in one.
            out: C-contiguous, writable int8 or uint8 array with as many items as `shape`; int8 receives the same bytes.

        Raises:
            ValueError: a wrong dtype, shape or layout, by argument.
            RuntimeError: another thread is in `run` of this plan.
        """
        cdef Py_buffer source, target
        cdef edgecore_status status
        cdef edgecore_message message
        cdef const uint8_t *pixels
        cdef ptrdiff_t row_stride
        open_buffer(frame, &source, "frame", "B", False)
        try:
            self.check_frame(&source)
            open_dense(out, &target, "out", "Bb", True)
            try:
                if <size_t>target.len != edgecore_image_plan_bytes(self.plan):
                    raise ValueError(f"out: {target.len} items, where the tensor {self.shape} has others")
                if self.running:
                    raise RuntimeError("this ImagePlan is running in another thread")
                self.running = True
                pixels = <const uint8_t *>source.buf
                row_stride = source.strides[0]
                with nogil:
                    status = edgecore_image_plan_run(self.plan, pixels, row_stride, <uint8_t *>target.buf, &message)
                self.running = False
                if status != EDGECORE_OK:
                    raise ValueError(message.text.decode())
            finally:
                PyBuffer_Release(&target)
        finally:
            PyBuffer_Release(&source)

    cdef bint check_frame(self, Py_buffer *view) except 0:
        if len(self.frame_shape) == 2:
            return self.check_planes(view)
        cdef int height = self.frame_shape[0], width = self.frame_shape[1], channels = self.frame_shape[2]
        cdef bint fits = view.ndim >= 2 and view.shape[0] == height and view.shape[1] == width
        if view.ndim == 3:
            fits = fits and view.shape[2] == channels
        else:
            fits = fits and view.ndim == 2 and channels == 1
        if not fits:
            shape = tuple([view.shape[i] for i in range(view.ndim)])
            raise ValueError(f"frame: the shape is {shape}, not {self.frame_shape}")
        if width > 1 and view.strides[1] != channels or channels > 1 and view.strides[2] != 1:
            raise ValueError("frame: pixels within a row are not dense; pass numpy.ascontiguousarray of it")
        return True

    cdef bint check_planes(self, Py_buffer *view) except 0:
        cdef int rows = self.frame_shape[0], width = self.frame_shape[1]
        if view.ndim != 2 or view.shape[0] != rows or view.shape[1] < width:
            shape = tuple([view.shape[i] for i in range(view.ndim)])
            raise ValueError(f"frame: the shape is {shape}, where {self.frame_order} planes have {rows} rows and {width} "
                             "columns or more")
        if view.strides[1] != 1 or view.strides[0] < view.shape[1]:
            raise ValueError("frame: bytes or rows of the planes lie apart or are turned round; pass them as the camera gives them")
        if self.frame_order == "YUV420" and (view.strides[0] != view.shape[1] or view.shape[1] % 2):
            raise ValueError("frame: YUV420 planes are one block with an even number of columns; pass all columns, and the width")
        return True
