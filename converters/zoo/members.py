"""The table of the zoo: every network's name, where it is built, its published defaults and its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

UNIT = (1.0 / 255.0,) * 3
RAW = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Member:
    """One name of the zoo: where it is built, its defaults, and the float input that it expects.

    The network's input is (pixel - 0) * `scale` in the channel order `order`. `source` is where the layout
    was published, and when.
    """

    module: str
    function: str
    classes: int
    input_size: int
    summary: str
    source: str
    options: dict[str, Any] = field(default_factory=dict)
    order: str = "RGB"
    scale: tuple[float, ...] = UNIT


def _imagenet(where: str, summary: str, source: str, size: int = 224, **options: Any) -> Member:
    """A network published for ImageNet's 1000 classes; `where` is module.function."""
    module, _, function = where.partition(".")
    return Member(module, function, 1000, size, summary, source, options)


def _cifar(where: str, summary: str, source: str, **options: Any) -> Member:
    """A network published for the 10 classes of CIFAR-10's 32x32 images."""
    module, _, function = where.partition(".")
    return Member(module, function, 10, 32, summary, source, options)


def _digits(where: str, summary: str, source: str, size: int) -> Member:
    """A network published for grey images of the 10 digits."""
    module, _, function = where.partition(".")
    return Member(module, function, 10, size, summary, source, order="GREY", scale=UNIT[:1])


def _food(where: str, summary: str, source: str, **options: Any) -> Member:
    """A network published for nine kinds of food."""
    module, _, function = where.partition(".")
    return Member(module, function, 9, 227, summary, source, options)


def _x_ray(where: str, summary: str, source: str, **options: Any) -> Member:
    """A network published for three kinds of chest X-rays, in raw blue-green-red."""
    module, _, function = where.partition(".")
    return Member(module, function, 3, 256, summary, source, options, order="BGR", scale=RAW)


ALEXNET = "Krizhevsky et al. 2012"
VGG = "Simonyan and Zisserman 2014, arXiv:1409.1556"
GOOGLENET = "Szegedy et al. 2014, arXiv:1409.4842"
INCEPTION_V2 = "Ioffe and Szegedy 2015, arXiv:1502.03167"
INCEPTION_V3 = "Szegedy et al. 2015, arXiv:1512.00567"
INCEPTION_V4 = "Szegedy et al. 2016, arXiv:1602.07261"
ALL_CNN = "Springenberg et al. 2014, arXiv:1412.6806"
RESNET = "He et al. 2015, arXiv:1512.03385"
WIDE_RESNET = "Zagoruyko and Komodakis 2016, arXiv:1605.07146"
RESNEXT = "Xie et al. 2016, arXiv:1611.05431"
DENSENET = "Huang et al. 2016, arXiv:1608.06993"
EXCITATION = "Hu et al. 2017, arXiv:1709.01507"
MOBILENET_V1 = "Howard et al. 2017, arXiv:1704.04861"
MOBILENET_V2 = "Sandler et al. 2018, arXiv:1801.04381"
MOBILENET_V3 = "Howard et al. 2019, arXiv:1905.02244"
SHUFFLENET_V1 = "Zhang et al. 2017, arXiv:1707.01083"
SHUFFLENET_V2 = "Ma et al. 2018, arXiv:1807.11164"
EFFICIENTNET = "Tan and Le 2019, arXiv:1905.11946"
SQUEEZENET = "Iandola et al. 2016, arXiv:1602.07360"
RES_SQUEEZENET = "the Res-SqueezeNet paper; layout edgecore's"
COVID_NETS = "the SPP-COVID-Net paper"
REPVGG = "Ding et al. 2021, arXiv:2101.03697"
CONVNEXT = "Liu et al. 2022, arXiv:2201.03545"
REPLKNET = "Ding et al. 2022, arXiv:2203.06717"
SLAK = "Liu et al. 2022, arXiv:2207.03620"
UNET = "Ronneberger et al. 2015, arXiv:1505.04597"
# Input side of EfficientNet's releases B0 to B7.
RESOLUTIONS = (224, 240, 260, 300, 380, 456, 528, 600)

MEMBERS: dict[str, Member] = {
    "lenet_1989": _digits("lenet.lenet_1989", "the first LeNet, for zip codes", "LeCun et al. 1989", 16),
    "lenet5": _digits("lenet.lenet5", "LeNet-5, for handwritten digits", "LeCun et al. 1998", 32),
    "alexnet": _imagenet("alexnet.alexnet", "local response norm, two groups", ALEXNET, 227),
    "alexnet_bn": _imagenet("alexnet.alexnet", "batch norm instead, for int8", ALEXNET, 227, norm="batch"),
    "vgg16": _imagenet("vgg.vgg", "3x3 convolutions only", VGG, depth=16),
    "vgg19": _imagenet("vgg.vgg", "3x3 convolutions only", VGG, depth=19),
    "googlenet": _imagenet("googlenet.googlenet", "Inception v1: parallel kernel sizes", GOOGLENET),
    "inception_v2": _imagenet("inception.inception_v2", "batch norm, 5x5 as two 3x3", INCEPTION_V2),
    "inception_v3": _imagenet("inception.inception_v3", "7x7 as 1x7 and 7x1", INCEPTION_V3, 299),
    "inception_v4": _imagenet("inception_v4.inception_v4", "larger and more regular", INCEPTION_V4, 299),
    "se_inception_v2": _imagenet("inception.inception_v2", "squeeze and excitation", EXCITATION, excite=16),
    "all_cnn": _cifar("all_cnn.all_cnn", "All-CNN-C: strides for pools", ALL_CNN),
    "all_cnn_imagenet": _imagenet("all_cnn.all_cnn", "strides for pools", ALL_CNN, variant="imagenet"),
    **{
        f"resnet{depth}": _imagenet("resnet.resnet", "residual blocks", RESNET, depth=depth)
        for depth in (18, 34, 50, 101, 152)
    },
    "wide_resnet16_4": _cifar("wide_resnet.wide_resnet", "few wide blocks", WIDE_RESNET, depth=16, widen=4),
    "wide_resnet28_10": _cifar("wide_resnet.wide_resnet", "few wide blocks", WIDE_RESNET, depth=28, widen=10),
    "wide_resnet50_2": _imagenet(
        "resnet.resnet", "ResNet-50 twice as wide inside", WIDE_RESNET, depth=50, group_width=128
    ),
    "resnext50": _imagenet(
        "resnet.resnet", "32 groups of 4 channels", RESNEXT, depth=50, groups=32, group_width=4
    ),
    "se_resnet50": _imagenet("resnet.resnet", "squeeze and excitation", EXCITATION, depth=50, excite=16),
    "densenet121": _imagenet("densenet.densenet", "every layer sees all before it", DENSENET, depth=121),
    "densenet169": _imagenet("densenet.densenet", "every layer sees all before it", DENSENET, depth=169),
    "mobilenet_v1": _imagenet("mobilenet.mobilenet_v1", "depthwise separable blocks", MOBILENET_V1),
    "mobilenet_v2": _imagenet("mobilenet.mobilenet_v2", "inverted residual blocks", MOBILENET_V2),
    "mobilenet_v3_small": _imagenet(
        "mobilenet_v3.mobilenet_v3", "searched blocks, hard swish", MOBILENET_V3, variant="small"
    ),
    "mobilenet_v3_large": _imagenet(
        "mobilenet_v3.mobilenet_v3", "searched blocks, hard swish", MOBILENET_V3, variant="large"
    ),
    "shufflenet_v1": _imagenet("shufflenet.shufflenet_v1", "3 groups, shuffled", SHUFFLENET_V1, groups=3),
    "shufflenet_v1_g8": _imagenet(
        "shufflenet.shufflenet_v1",
        "8 groups, as in SPP-COVID-Net's",
        SHUFFLENET_V1,
        groups=8,
        group_first=True,
    ),
    "shufflenet_v2": _imagenet("shufflenet.shufflenet_v2", "halves, shuffled", SHUFFLENET_V2, width=1.0),
    **{
        f"efficientnet_b{number}": _imagenet(
            "efficientnet.efficientnet", "compound scaling", EFFICIENTNET, size, scaling=number
        )
        for number, size in enumerate(RESOLUTIONS)
    },
    "squeezenet_v1.0": _imagenet("squeezenet.squeezenet", "fire blocks", SQUEEZENET, 227, version="1.0"),
    "squeezenet_v1.1": _imagenet(
        "squeezenet.squeezenet", "fire blocks, earlier pools", SQUEEZENET, 227, version="1.1"
    ),
    "squeezenet_bypass": _imagenet(
        "squeezenet.squeezenet", "v1.0 and four sums", SQUEEZENET, 227, version="1.0", bypass=True
    ),
    "squeezenet_bypass_all": _imagenet(
        "squeezenet.squeezenet", "v1.0 and eight sums", SQUEEZENET, 227, version="1.0", bypass_all=True
    ),
    "res_squeezenet": _food(
        "res_squeezenet.res_squeezenet", "SqueezeNet, two residual blocks", RES_SQUEEZENET
    ),
    "res_squeezenet_small": _food(
        "res_squeezenet.res_squeezenet", "SqueezeNet, two narrow residual blocks", RES_SQUEEZENET, width=96
    ),
    "res_squeezenet_compact": _cifar(
        "res_squeezenet.res_squeezenet_compact", "for small images; the bundled model's", RES_SQUEEZENET
    ),
    "spp_covid_net": _x_ray("spp_covid_net.spp_covid_net", "a pyramid of max pools", COVID_NETS),
    "dark_covid_net": _x_ray(
        "dark_covid_net.dark_covid_net", "as its code has it", "Ozturk et al. 2020", grow=True
    ),
    "dark_covid_net_keras": _x_ray(
        "dark_covid_net.dark_covid_net", "as rewritten for a comparison", COVID_NETS, grow=False
    ),
    "repvgg_a0": _imagenet("repvgg.repvgg", "branches that merge into one", REPVGG, variant="a0"),
    "repvgg_a0_merged": _imagenet(
        "repvgg.repvgg", "3x3 convolutions only", REPVGG, variant="a0", merged=True
    ),
    "convnext_tiny": _imagenet("convnext.convnext_tiny", "7x7 depthwise, layer norm, GELU", CONVNEXT),
    "replknet_31b": _imagenet("replknet.replknet", "31x31 depthwise, two branches", REPLKNET),
    "replknet_31b_merged": _imagenet("replknet.replknet", "31x31 depthwise", REPLKNET, merged=True),
    "slak_tiny": _imagenet("convnext.slak_tiny", "sparse 51x51 depthwise; zeros counted", SLAK),
    "unet": Member("unet", "unet", 13, 128, "segmentation: a class per pixel", UNET),
}
