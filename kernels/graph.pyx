"""The engine's front door on arrays: describe a network as a graph, compile it once, run it many times.

A thin binding over edgecore/graph.h. Tensors are numbered by `Graph.tensor`; a node names its operator as the engine's steps do.
"""

from buffers cimport PyBuffer_Release, Py_buffer, open_dense
from capi cimport *
from cpython.exc cimport PyErr_NoMemory
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t
from libc.string cimport memset
from posix.unistd cimport getpid

import struct
from collections import namedtuple

NODES = (
    "conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv", "max_pool_2d", "average_pool_2d", "mean", "add", "mul",
    "concatenation", "pad", "reshape", "softmax", "relu", "relu6", "leaky_relu", "logistic", "tanh", "hard_swish", "quantize",
    "resize_nearest_neighbor", "resize_bilinear", "transpose", "strided_slice", "swish", "multi_scale_max_pool",
    "affine_channel",
)
ACTIVATIONS = ("none", "relu", "relu_n1_to_1", "relu6")
DTYPES = ("int8", "uint8", "int32")
_FORMATS = {"int8": "b", "uint8": "B", "int32": "i"}
_INT32_LIMIT = 2**31

Step = namedtuple("Step", "name nodes macs bytes output_shape nanoseconds")
Step.__doc__ = """One step of a compiled plan: an operator or a fused block.

name: "conv_2d", "fire", "residual_add", ...; nodes: numbers of the graph's nodes that it runs; macs: multiply-accumulates of one run;
bytes: activation and weight bytes read and written; output_shape; nanoseconds: of the last run, 0 unless profiling is on.
"""


cdef int raise_status(edgecore_status status, edgecore_message *message) except -1:
    if status == EDGECORE_NO_MEMORY:
        PyErr_NoMemory()
    if status != EDGECORE_OK:
        raise ValueError(message.text.decode("utf-8", "replace"))
    return 0


cdef int32_t int32_of(object value, str name) except? -1:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{name}: {value!r} is not an integer")
    number = value.__index__()
    if not -_INT32_LIMIT <= number < _INT32_LIMIT:
        raise ValueError(f"{name}: {number} does not fit into 32 bits")
    return number


cdef int fill_ints(object values, int32_t *target, int least, int most, str name) except -1:
    """Writes a sequence of integers and returns their number."""
    try:
        numbers = list(values)
    except TypeError:
        raise ValueError(f"{name}: {values!r} is not a sequence of integers") from None
    if not least <= len(numbers) <= most:
        raise ValueError(f"{name}: {len(numbers)} values, not {least} to {most}")
    for i, number in enumerate(numbers):
        target[i] = int32_of(number, name)
    return len(numbers)


cdef float float_of(object value, str name) except? -1:
    try:
        return <float>float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is not a number") from None


cdef bytes packed(str code, object values, str name):
    """Numbers as the bytes of C items with a struct code."""
    try:
        numbers = list(values)
        return struct.pack(f"{len(numbers)}{code}", *numbers)
    except (TypeError, OverflowError, struct.error) as error:
        raise ValueError(f"{name}: {error}") from None


cdef int index_of(object value, tuple names, str argument) except -1:
    if value not in names:
        raise ValueError(f"{argument}: {value!r} is not one of {', '.join(names)}")
    return names.index(value)


cdef int fill_params(edgecore_op_params *params, dict values) except -1:
    cdef int32_t pair[2]
    cdef int32_t sides[4]
    memset(params, 0, sizeof(edgecore_op_params))
    params.stride_h = params.stride_w = params.dilation_h = params.dilation_w = 1
    params.filter_h = params.filter_w = params.depth_multiplier = 1
    params.beta = 1.0
    for name, value in values.items():
        if name == "activation":
            params.activation = <edgecore_activation>index_of(value, ACTIVATIONS, name)
        elif name in ("stride", "dilation", "window"):
            fill_ints(value, pair, 2, 2, name)
            if name == "stride":
                params.stride_h, params.stride_w = pair[0], pair[1]
            elif name == "dilation":
                params.dilation_h, params.dilation_w = pair[0], pair[1]
            else:
                params.filter_h, params.filter_w = pair[0], pair[1]
        elif name == "padding":
            fill_ints(value, sides, 4, 4, name)
            params.pad_top, params.pad_bottom, params.pad_left, params.pad_right = sides[0], sides[1], sides[2], sides[3]
        elif name == "depth_multiplier":
            params.depth_multiplier = int32_of(value, name)
        elif name == "axis":
            params.axis = int32_of(value, name)
        elif name == "axes":
            params.axis_count = fill_ints(value, params.axes, 1, EDGECORE_MAX_RANK, name)
        elif name == "keep_dims":
            params.keep_dims = bool(value)
        elif name == "pad_before":
            fill_ints(value, params.pad_before, 1, EDGECORE_MAX_RANK, name)
        elif name == "pad_after":
            fill_ints(value, params.pad_after, 1, EDGECORE_MAX_RANK, name)
        elif name == "alpha":
            params.alpha = float_of(value, name)
        elif name == "beta":
            params.beta = float_of(value, name)
        elif name == "windows":
            params.window_count = fill_ints(value, params.windows, 1, EDGECORE_MAX_WINDOWS, name)
        elif name == "begin":
            fill_ints(value, params.begin, 1, EDGECORE_MAX_RANK, name)
        elif name == "step":
            fill_ints(value, params.step, 1, EDGECORE_MAX_RANK, name)
        elif name == "size":
            fill_ints(value, params.size, 1, EDGECORE_MAX_RANK, name)
        elif name == "align_corners":
            params.align_corners = bool(value)
        elif name == "half_pixel_centers":
            params.half_pixel_centers = bool(value)
        else:
            raise ValueError(f"{name}: no parameter of a node has this name")
    return 0


cdef class Graph:
    """A network under construction. Every method raises ValueError that names the bad argument."""

    cdef edgecore_graph *graph
    cdef list specs     # (dtype, shape) of each tensor
    cdef list kept      # bytes that the C graph points into
    cdef int32_t node_count
    cdef tuple inputs, outputs

    def __cinit__(self):
        self.graph = edgecore_graph_create()
        if self.graph is NULL:
            raise MemoryError()
        self.specs = []
        self.kept = []

    def __dealloc__(self):
        edgecore_graph_destroy(self.graph)

    def tensor(self, shape, dtype="int8", scales=(), zero_points=(), data=None, name=""):
        """Adds a tensor and returns its number.

        Args:
            shape: dims; activations are NHWC with batch 1, convolution weights OHWI, depthwise weights 1HWO, fully connected OI.
            dtype: "int8", "uint8" or "int32".
            scales, zero_points: as many numbers each: none, one, or one per output channel of constant weights.
            data: C-contiguous array of the dtype and shape: the contents of a constant; copied. None: an activation.
            name: for error texts.
        """
        cdef edgecore_tensor tensor
        cdef edgecore_message message
        cdef Py_buffer view
        cdef int32_t number = -1
        cdef bytes label = str(name).encode()
        cdef bytes contents, real_scales, points
        memset(&tensor, 0, sizeof(tensor))
        tensor.dtype = <edgecore_dtype>index_of(dtype, DTYPES, "dtype")
        tensor.rank = fill_ints(shape, tensor.dims, 0, EDGECORE_MAX_RANK, "shape")
        dims = tuple([tensor.dims[i] for i in range(tensor.rank)])
        real_scales = packed("f", scales, "scales")
        points = packed("i", zero_points, "zero_points")
        if len(real_scales) != len(points):
            raise ValueError(f"zero_points: {len(points) // 4} for {len(real_scales) // 4} scales")
        tensor.scale_count = len(points) // 4
        tensor.scales = <const float *><char *>real_scales
        tensor.zero_points = <const int32_t *><char *>points
        tensor.name = label
        if data is not None:
            open_dense(data, &view, "data", _FORMATS[dtype], False)
            try:
                if tuple([view.shape[i] for i in range(view.ndim)]) != dims or view.len == 0:
                    raise ValueError(f"data: the shape is not {dims}, or the array is empty")
                contents = (<char *>view.buf)[:view.len]
            finally:
                PyBuffer_Release(&view)
            tensor.data = <const void *><char *>contents
            self.kept.append(contents)
        raise_status(edgecore_graph_add_tensor(self.graph, &tensor, &number, &message), &message)
        self.specs.append((dtype, dims))
        return number

    def node(self, kind, inputs, output, **params):
        """Adds a node, after those that make its inputs; returns its number, which steps report.

        Args:
            kind: one of NODES. inputs: tensor numbers, None for an absent optional one. output: tensor number.
            params: activation (one of ACTIVATIONS); stride, dilation, window: (height, width); padding: (top, bottom, left, right);
                depth_multiplier; axis; axes; keep_dims; pad_before, pad_after: one number per dim; alpha; beta; windows;
                begin, step, size: one number per dim of the input; align_corners, half_pixel_centers.
        """
        cdef edgecore_op_params values
        cdef edgecore_message message
        cdef int operation = index_of(kind, NODES, "kind")
        cdef int32_t *numbers
        cdef list given = list(inputs)
        fill_params(&values, params)
        numbers = <int32_t *>PyMem_Malloc((len(given) + 1) * sizeof(int32_t))
        if numbers is NULL:
            raise MemoryError()
        try:
            for i, number in enumerate(given):
                numbers[i] = EDGECORE_NO_TENSOR if number is None else int32_of(number, "inputs")
            raise_status(
                edgecore_graph_add_node(
                    self.graph, <edgecore_op_kind>operation, &values, numbers, <int32_t>len(given), int32_of(output, "output"),
                    self.node_count, &message,
                ),
                &message,
            )
        finally:
            PyMem_Free(numbers)
        self.node_count += 1
        return self.node_count - 1

    def set_io(self, inputs, outputs):
        """Names the network's input and output tensors, in the order in which `Engine.run` takes their arrays. Call it once."""
        cdef int32_t ins[256]
        cdef int32_t outs[256]
        cdef edgecore_message message
        cdef int in_count = fill_ints(inputs, ins, 1, 256, "inputs")
        cdef int out_count = fill_ints(outputs, outs, 1, 256, "outputs")
        raise_status(edgecore_graph_set_io(self.graph, ins, in_count, outs, out_count, &message), &message)
        self.inputs = tuple([self.specs[ins[i]] for i in range(in_count)])
        self.outputs = tuple([self.specs[outs[i]] for i in range(out_count)])

    def compile(self, threads=1, isa=None, fuse=True):
        """Plans the network and packs its weights; returns an Engine. The graph is not needed afterwards.

        Args:
            threads: 1 or more; 0 takes every core of the process.
            isa: a tier of `edgecore.kernels.cpu.isas()`; None takes $EDGECORE_ISA, else the best one.
            fuse: False makes one step per node.
        """
        cdef Engine engine = Engine.__new__(Engine)
        cdef edgecore_options options
        cdef edgecore_message message
        cdef edgecore_status status
        cdef bytes tier = b""
        if self.inputs is None:
            raise ValueError("the graph has no inputs and outputs yet: call set_io before compile")
        options.threads = int32_of(threads, "threads")
        options.fuse = bool(fuse)
        options.isa = NULL
        if isa is not None:
            if not isinstance(isa, str):
                raise ValueError(f"isa: {isa!r} is not a string")
            tier = isa.encode()
            options.isa = tier
        with nogil:
            status = edgecore_engine_create(self.graph, &options, &engine.engine, &message)
        raise_status(status, &message)
        engine.prepare(self.inputs, self.outputs)
        return engine


cdef class Engine:
    """A compiled network; made by `Graph.compile`. One run at a time; different engines may run at once."""

    cdef edgecore_engine *engine
    cdef Py_buffer *views   # of the arrays of the run under way: inputs, then outputs
    cdef void **pointers
    cdef int opened         # how many views are open
    cdef int runner         # the process of the run under way, or 0
    cdef readonly tuple inputs
    cdef readonly tuple outputs

    def __init__(self):
        raise TypeError("an Engine is made by Graph.compile")

    def __dealloc__(self):
        edgecore_engine_destroy(self.engine)
        PyMem_Free(self.views)
        PyMem_Free(self.pointers)

    cdef int prepare(self, tuple inputs, tuple outputs) except -1:
        cdef size_t count = len(inputs) + len(outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.views = <Py_buffer *>PyMem_Malloc(count * sizeof(Py_buffer))
        self.pointers = <void **>PyMem_Malloc(count * sizeof(void *))
        if self.views is NULL or self.pointers is NULL:
            raise MemoryError()
        return 0

    def run(self, inputs, outputs):
        """Runs one inference; releases the GIL.

        Args:
            inputs: C-contiguous arrays of `self.inputs`' (dtype, shape), in that order.
            outputs: C-contiguous, writable arrays of `self.outputs`' (dtype, shape); filled. None may overlap another array.

        Raises:
            ValueError: a wrong number, dtype, shape or layout, by argument.
            RuntimeError: another thread is in `run` of this engine.
        """
        cdef edgecore_status status
        cdef edgecore_message message
        cdef size_t split = len(self.inputs)
        if self.runner == getpid():
            raise RuntimeError("this Engine is running in another thread")
        if self.runner:
            self.opened = 0  # a thread of the parent was in `run` at the fork: here its arrays stay open
        self.runner = getpid()
        try:
            self.open_arrays(inputs, self.inputs, "inputs", False)
            self.open_arrays(outputs, self.outputs, "outputs", True)
            with nogil:
                status = edgecore_engine_run(self.engine, self.pointers, self.pointers + split, &message)
            raise_status(status, &message)
        finally:
            self.close_arrays()
            self.runner = 0

    cdef int open_arrays(self, object arrays, tuple specs, str name, bint writable) except -1:
        cdef Py_buffer *view
        given = list(arrays)
        if len(given) != len(specs):
            raise ValueError(f"{name}: {len(given)} arrays, not {len(specs)}")
        for i, (dtype, shape) in enumerate(specs):
            view = &self.views[self.opened]
            open_dense(given[i], view, f"{name}[{i}]", _FORMATS[dtype], writable)
            self.pointers[self.opened] = view.buf
            self.opened += 1
            if tuple([view.shape[j] for j in range(view.ndim)]) != shape:
                raise ValueError(f"{name}[{i}]: the shape is not {shape}")
        return 0

    cdef void close_arrays(self):
        while self.opened > 0:
            self.opened -= 1
            PyBuffer_Release(&self.views[self.opened])

    def steps(self):
        """The compiled plan, a list of `Step`."""
        cdef edgecore_step_info info
        cdef list steps = []
        for i in range(edgecore_engine_step_count(self.engine)):
            if edgecore_engine_step(self.engine, i, &info) != EDGECORE_OK:
                break
            steps.append(
                Step(
                    info.name.decode(),
                    tuple([info.tags[j] for j in range(info.tag_count)]),
                    info.macs,
                    info.bytes,
                    tuple([info.output_dims[j] for j in range(info.output_rank)]),
                    info.nanoseconds,
                )
            )
        return steps

    def set_profiling(self, on):
        """Whether runs measure each step's time."""
        edgecore_engine_set_profiling(self.engine, bool(on))

    @property
    def arena_bytes(self):
        """Memory for activations and scratch."""
        return edgecore_engine_arena_bytes(self.engine)

    @property
    def weight_bytes(self):
        """Memory for packed constants."""
        return edgecore_engine_weight_bytes(self.engine)

    @property
    def isa(self):
        """Name of the tier whose micro-kernels run."""
        return edgecore_engine_isa(self.engine).decode()

    @property
    def threads(self):
        return edgecore_engine_threads(self.engine)
