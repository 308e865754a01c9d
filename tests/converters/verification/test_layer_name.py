"""Names that the converter fuses lead back to the layer that a person wrote."""

from __future__ import annotations

import pytest

from edgecore.converters.verification.naming import layer_name

KERAS3 = (
    "mobilenet_v2_1/block0_relu6_1/Relu6;mobilenet_v2_1/block0_bn_1/batchnorm/add_1;"
    "mobilenet_v2_1/block0_bn_1/batchnorm/mul_1;mobilenet_v2_1/block0_depthwise_1/depthwise;"
    "mobilenet_v2_1/block0_bn_1/batchnorm/mul;mobilenet_v2_1/block0_bn_1/batchnorm/sub1"
)
KERAS2 = (
    "model/batch_normalization_4/FusedBatchNormV3;model/conv2d_4/BiasAdd/ReadVariableOp/resource;"
    "model/conv2d_4/BiasAdd;model/conv2d_5/Conv2D;model/conv2d_4/Conv2D"
)
SHARED = (
    "model/activation_5/Relu;model/depthwise_conv2d_2/depthwise;model/depthwise_conv2d_2/BiasAdd;"
    "model/depthwise_conv2d_3/depthwise;model/depthwise_conv2d_2/BiasAdd/ReadVariableOp/resource1"
)


@pytest.mark.parametrize(
    ("tensor", "operator", "layer"),
    [
        (KERAS3, "DEPTHWISE_CONV_2D", "block0_depthwise"),
        (KERAS2, "CONV_2D", "conv2d_4"),
        (SHARED, "DEPTHWISE_CONV_2D", "depthwise_conv2d_2"),
        ("squeezenet_v1_1_1/fire2_concat_1/concat", "CONCATENATION", "fire2_concat"),
        ("model/activation_2/Relu;model/add/add", "ADD", "activation_2"),
        (
            "net_1/stage2_a_relu_1/Relu;net_1/stage2_a_bn_1/batchnorm/add_1;convolution",
            "CONV_2D",
            "stage2_a_relu",
        ),
        ("StatefulPartitionedCall_1:0", "SOFTMAX", "softmax"),
        ("Identity_int8", "SOFTMAX", "softmax"),
        ("", "RESHAPE", "reshape"),
        ("conv_1", "CONV_2D", "conv_1"),
    ],
)
def test_layer_name(tensor: str, operator: str, layer: str) -> None:
    assert layer_name(tensor, operator) == layer
