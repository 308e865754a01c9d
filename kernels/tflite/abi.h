/* The C structures through which a TFLite runtime and an external delegate talk, written down from their layout.
 *
 * They are the same in tflite_runtime 2.14 and ai-edge-litert up to 2.3; edgecore_tfl_abi_matches() tests that
 * before anything is believed. Fields that the delegate never reads keep only their size. */
#ifndef EDGECORE_TFLITE_ABI_H
#define EDGECORE_TFLITE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tfl_status {
    TFL_OK = 0,
    TFL_ERROR = 1,
    TFL_DELEGATE_ERROR = 2, /* the runtime restores the graph as it was before the delegate */
} tfl_status;

enum { TFL_FLOAT32 = 1, TFL_INT32 = 2, TFL_UINT8 = 3, TFL_INT64 = 4, TFL_INT8 = 9 };
enum { TFL_ALLOC_MMAP = 1, TFL_ALLOC_DYNAMIC = 4, TFL_ALLOC_PERSISTENT = 5, TFL_ALLOC_LAST = 8 };
enum { TFL_AFFINE_QUANTISATION = 1 };
enum { TFL_PADDING_SAME = 1, TFL_PADDING_VALID = 2 };
enum { TFL_OPTIONAL_TENSOR = -1 };
enum { TFL_ALLOWS_DYNAMIC_TENSORS = 1 }; /* of a delegate: prepare runs before any shape is computed, and only once */

enum {
    TFL_OP_ADD = 0,
    TFL_OP_AVERAGE_POOL_2D = 1,
    TFL_OP_CONCATENATION = 2,
    TFL_OP_CONV_2D = 3,
    TFL_OP_DEPTHWISE_CONV_2D = 4,
    TFL_OP_FULLY_CONNECTED = 9,
    TFL_OP_LOGISTIC = 14,
    TFL_OP_MAX_POOL_2D = 17,
    TFL_OP_MUL = 18,
    TFL_OP_RELU = 19,
    TFL_OP_RELU6 = 21,
    TFL_OP_RESHAPE = 22,
    TFL_OP_RESIZE_BILINEAR = 23,
    TFL_OP_SOFTMAX = 25,
    TFL_OP_TANH = 28,
    TFL_OP_PAD = 34,
    TFL_OP_TRANSPOSE = 39,
    TFL_OP_MEAN = 40,
    TFL_OP_SQUEEZE = 43,
    TFL_OP_STRIDED_SLICE = 45,
    TFL_OP_SPLIT = 49,
    TFL_OP_DELEGATE = 51,
    TFL_OP_SLICE = 65,
    TFL_OP_TRANSPOSE_CONV = 67,
    TFL_OP_EXPAND_DIMS = 70,
    TFL_OP_RESIZE_NEAREST_NEIGHBOR = 97,
    TFL_OP_LEAKY_RELU = 98,
    TFL_OP_SPLIT_V = 102,
    TFL_OP_QUANTIZE = 114,
    TFL_OP_HARD_SWISH = 117,
};

typedef struct tfl_ints {
    int size;
    int data[];
} tfl_ints;

typedef struct tfl_floats {
    int size;
    float data[];
} tfl_floats;

typedef struct tfl_affine {
    tfl_floats *scale;
    tfl_ints *zero_point;
    int32_t dimension; /* along which scales differ */
} tfl_affine;

typedef struct tfl_delegate tfl_delegate;
typedef struct tfl_context tfl_context;

typedef struct tfl_tensor {
    int type;
    void *data;
    tfl_ints *dims;
    struct {
        float scale;
        int32_t zero_point;
    } legacy;
    int allocation;
    size_t bytes;
    const void *mapping;
    const char *name;
    tfl_delegate *delegate;
    int buffer_handle;
    bool stale;
    bool variable;
    struct {
        int type;
        void *params;
    } quantisation;
    void *sparsity;
    const tfl_ints *signature;
} tfl_tensor;

typedef struct tfl_node {
    tfl_ints *inputs, *outputs, *intermediates, *temporaries;
    void *user_data;
    void *builtin;
    const void *custom;
    int custom_size;
    tfl_delegate *delegate;
    bool side_effect;
} tfl_node;

typedef struct tfl_registration {
    void *(*init)(tfl_context *context, const char *buffer, size_t length);
    void (*free)(tfl_context *context, void *user_data);
    tfl_status (*prepare)(tfl_context *context, tfl_node *node);
    tfl_status (*invoke)(tfl_context *context, tfl_node *node);
    const char *(*profiling_string)(const tfl_context *context, const tfl_node *node);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *external;
    void *async;
    uint64_t inplace;
} tfl_registration;

/* The head of the runtime's context; it goes on after the last field here. */
struct tfl_context {
    size_t tensors_size;
    tfl_status (*get_execution_plan)(tfl_context *context, tfl_ints **plan);
    tfl_tensor *tensors;
    void *impl;
    tfl_status (*resize_tensor)(tfl_context *context, tfl_tensor *tensor, tfl_ints *dims);
    void (*report_error)(tfl_context *context, const char *format, ...);
    tfl_status (*add_tensors)(tfl_context *context, int count, int *first);
    tfl_status (*get_node_and_registration)(tfl_context *context, int index, tfl_node **node,
                                            tfl_registration **registration);
    tfl_status (*replace_node_subsets_with_delegate_kernels)(tfl_context *context, tfl_registration registration,
                                                             const tfl_ints *nodes, tfl_delegate *delegate);
    int recommended_num_threads;
};

struct tfl_delegate {
    void *data;
    tfl_status (*prepare)(tfl_context *context, tfl_delegate *delegate);
    void (*buffer_functions[3])(void);
    int64_t flags; /* 0: prepare runs when all shapes are known, and again after a resize */
    void *builder;
};

/* What `init` of a delegate's kernel gets as its buffer. */
typedef struct tfl_partition {
    tfl_delegate *delegate;
    tfl_ints *nodes, *inputs, *outputs;
} tfl_partition;

/* Operators' own parameters; later versions only append to them. */
typedef struct tfl_conv_params {
    int padding, stride_w, stride_h, activation, dilation_w, dilation_h;
} tfl_conv_params;

typedef struct tfl_depthwise_params {
    int padding, stride_w, stride_h, depth_multiplier, activation, dilation_w, dilation_h;
} tfl_depthwise_params;

typedef struct tfl_transpose_conv_params {
    int padding, stride_w, stride_h;
    int activation; /* the runtime applies it whatever the operator's version */
} tfl_transpose_conv_params;

typedef struct tfl_pool_params {
    int padding, stride_w, stride_h, filter_w, filter_h, activation;
} tfl_pool_params;

typedef struct tfl_fully_connected_params {
    int activation, weights_format;
    bool keep_num_dims;
} tfl_fully_connected_params;

typedef struct tfl_concatenation_params {
    int axis, activation;
} tfl_concatenation_params;

typedef struct tfl_activation_params { /* ADD and MUL */
    int activation;
} tfl_activation_params;

typedef struct tfl_reducer_params {
    bool keep_dims;
} tfl_reducer_params;

typedef struct tfl_float_params { /* SOFTMAX's beta, LEAKY_RELU's alpha */
    float value;
} tfl_float_params;

typedef struct tfl_strided_slice_params {
    int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
} tfl_strided_slice_params;

typedef struct tfl_resize_params { /* both resizes */
    bool align_corners, half_pixel_centers;
} tfl_resize_params;

/* Whether the runtime's tensors, nodes and registrations have the sizes written down here. */
bool edgecore_tfl_abi_matches(tfl_context *context, const tfl_ints *plan);

#endif
