"""Names and numbers of TFLite's schema (tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3)."""

from __future__ import annotations

IDENTIFIER = b"TFL3"

# TensorType -> (numpy's name where there is one, bits of one element; 0: no fixed size)
TENSOR_TYPES: dict[int, tuple[str, int]] = {
    0: ("float32", 32), 1: ("float16", 16), 2: ("int32", 32), 3: ("uint8", 8), 4: ("int64", 64),
    5: ("string", 0), 6: ("bool", 8), 7: ("int16", 16), 8: ("complex64", 64), 9: ("int8", 8),
    10: ("float64", 64), 11: ("complex128", 128), 12: ("uint64", 64), 13: ("resource", 0),
    14: ("variant", 0), 15: ("uint32", 32), 16: ("uint16", 16), 17: ("int4", 4), 18: ("bfloat16", 16),
    19: ("int2", 2), 20: ("uint4", 4),
}  # fmt: skip

# BuiltinOperator, in the order of its numbers.
# fmt: off
OPERATORS: tuple[str, ...] = (
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE",
    "DEQUANTIZE", "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION",
    "L2_POOL_2D", "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D",
    "MUL", "RELU", "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX",
    "SPACE_TO_DEPTH", "SVDF", "TANH", "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM",
    "EMBEDDING_LOOKUP_SPARSE", "PAD", "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND",
    "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB", "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2", "SPLIT", "LOG_SOFTMAX", "DELEGATE",
    "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX", "MINIMUM", "LESS", "NEG", "PADV2",
    "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN", "TRANSPOSE_CONV", "SPARSE_TO_DENSE",
    "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT", "SHAPE", "POW", "ARG_MIN",
    "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT", "LOGICAL_AND",
    "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD",
    "ABS", "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM",
    "BATCH_MATMUL", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM", "CALL_ONCE", "BROADCAST_TO", "RFFT2D",
    "CONV_3D", "IMAG", "REAL", "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE", "REDUCE_ALL", "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE",
    "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL", "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU",
    "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX",
    "UNSORTED_SEGMENT_SUM", "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN", "BITCAST", "BITWISE_XOR",
    "RIGHT_SHIFT",
)
# fmt: on

# Operators that cannot run without options -> the BuiltinOptions they need.
OPTIONS_NEEDED: dict[str, int] = {
    "CONV_2D": 1, "DEPTHWISE_CONV_2D": 2, "AVERAGE_POOL_2D": 5, "MAX_POOL_2D": 5, "L2_POOL_2D": 5,
    "FULLY_CONNECTED": 8, "SOFTMAX": 9, "CONCATENATION": 10, "TRANSPOSE_CONV": 49, "IF": 92, "WHILE": 93,
    "CALL_ONCE": 103,
}  # fmt: skip

LARGEST_OPTION = 1 << 15

# BuiltinOptions -> the numbers of its fields that are strides, filters, dilations or
# multipliers: from 1 to LARGEST_OPTION.
COUNT_OPTIONS: dict[int, tuple[tuple[int, int], ...]] = {
    # (field, default)
    1: ((1, 0), (2, 0), (4, 1), (5, 1)),  # Conv2DOptions: stride_w, stride_h, dilation_w, dilation_h
    2: ((1, 0), (2, 0), (3, 0), (5, 1), (6, 1)),  # DepthwiseConv2DOptions: and depth_multiplier
    5: ((1, 0), (2, 0), (3, 0), (4, 0)),  # Pool2DOptions: stride_w, stride_h, filter_width, filter_height
    49: ((1, 0), (2, 0)),  # TransposeConvOptions: stride_w, stride_h
}

# BuiltinOptions -> the numbers of its fields that are vectors of int32.
VECTOR_OPTIONS: dict[int, tuple[int, ...]] = {
    3: (1, 2),  # ConcatEmbeddingsOptions
    17: (0,),  # ReshapeOptions: new_shape
    30: (0,),  # SqueezeOptions: squeeze_dims
    115: (0,),  # BucketizeOptions: boundaries
}

# Operator -> number and type of those fields of its options that say how its arguments are meant.
ARGUMENT_OPTIONS: dict[str, tuple[tuple[int, str], ...]] = {
    # begin, end, ellipsis, new axis and shrink axis mask
    "STRIDED_SLICE": ((0, "i"), (1, "i"), (2, "i"), (3, "i"), (4, "i")),
    "MIRROR_PAD": ((0, "b"),),  # mode: 0 without the edge itself, 1 with it
    "REVERSE_SEQUENCE": ((0, "i"),),  # the dimension to reverse
    "IF": ((0, "i"), (1, "i")),  # subgraphs
    "WHILE": ((0, "i"), (1, "i")),
    "CALL_ONCE": ((0, "i"),),
}


def operator_name(code: int) -> str:
    """BuiltinOperator's name of a number."""
    return OPERATORS[code] if 0 <= code < len(OPERATORS) else f"OPERATOR_{code}"
