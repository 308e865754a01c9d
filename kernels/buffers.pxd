"""Checks of array arguments through the buffer protocol; every error is a ValueError that names the argument."""

from cpython.buffer cimport (
    PyBUF_FORMAT,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyBuffer_IsContiguous,
    PyBuffer_Release,
    PyObject_GetBuffer,
)


cdef inline bint open_buffer(object array, Py_buffer *view, str name, str formats, bint writable) except 0:
    """Opens `array` with strides; its items must have one of the struct codes `formats`. The caller releases it."""
    try:
        PyObject_GetBuffer(array, view, PyBUF_STRIDES | PyBUF_FORMAT)
    except (TypeError, BufferError, ValueError) as error:
        raise ValueError(f"{name}: not an array: {error}") from None
    cdef str code = "B" if view.format is NULL else view.format.decode("ascii", "replace")
    cdef str kind = code.lstrip("@=<")
    if kind == "l" and view.itemsize == 4:
        kind = "i"  # numpy's int32 where C's long has 32 bits
    if kind not in tuple(formats):
        PyBuffer_Release(view)
        raise ValueError(f"{name}: items have the type {code!r}, not one of {', '.join(formats)}")
    if writable and view.readonly:
        PyBuffer_Release(view)
        raise ValueError(f"{name}: the array is read-only")
    return True


cdef inline bint open_dense(object array, Py_buffer *view, str name, str formats, bint writable) except 0:
    """Like open_buffer, for C-contiguous arrays only."""
    open_buffer(array, view, name, formats, writable)
    if not PyBuffer_IsContiguous(view, b"C"):
        PyBuffer_Release(view)
        raise ValueError(f"{name}: the array is not C-contiguous; pass numpy.ascontiguousarray of it")
    return True
