"""ResNet (arXiv:1512.03385) and what it grew into: ResNeXt (arXiv:1611.05431), the wide ones of
arXiv:1605.07146, SE-ResNet (arXiv:1709.01507); with the paddings of the common releases of their weights,
which also have a deep block's stride at its 3x3 convolution.
"""

from __future__ import annotations

import keras

from edgecore.converters.zoo.blocks import bottleneck, classifier, conv_bn, max_pool, residual

FILTERS = (64, 128, 256, 512)
# Blocks of each stage; the deep block of three convolutions from 50 layers up.
BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
EXPANSION = 4


def resnet(
    classes: int = 1000,
    input_size: int = 224,
    *,
    depth: int = 18,
    width: float = 1.0,
    groups: int = 1,
    group_width: int = 64,
    excite: int = 0,
) -> keras.Model:
    """11,689,512 trainable parameters with depth 18 and 1000 classes, 25,557,032 with depth 50.

    Input float (batch, input_size, input_size, 3); output softmax (batch, classes). `width` multiplies
    the filters of every stage. In deep blocks the first stage's 3x3 convolution has `groups` of
    `group_width` channels. `excite` is the reduction of squeeze and excitation, 0 for none.
    """
    inputs = keras.Input((input_size, input_size, 3), name="image")
    x = conv_bn(inputs, round(64 * width), 7, stride=2, padding="symmetric", name="conv1")
    x = max_pool(x, 3, 2, "pool1")
    for stage, repeats in enumerate(BLOCKS[depth], start=1):
        filters = round(FILTERS[stage - 1] * width)
        for block in range(repeats):
            stride = 2 if block == 0 and stage > 1 else 1
            name = f"stage{stage}_{block + 1}"
            if depth >= 50:
                inner = filters * groups * group_width // 64
                x = bottleneck(
                    x,
                    filters * EXPANSION,
                    inner,
                    stride=stride,
                    project=block == 0,
                    groups=groups,
                    excite=excite,
                    name=name,
                )
            else:
                project = block == 0 and stage > 1
                x = residual(
                    x, filters, stride=stride, project=project, explicit_pad=True, excite=excite, name=name
                )
    name = "resnet" if groups == 1 else "resnext"
    name = f"{'se_' if excite else ''}{'wide_' if group_width > 64 else ''}{name}{depth}"
    return keras.Model(inputs, classifier(x, classes), name=name)
