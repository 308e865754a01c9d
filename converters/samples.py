"""Small stand-ins of the zoo's members for exactness tests and benchmarks: random weights, int8, calibrated.

    python -m edgecore.converters.samples --out DIR [NAME[@SIZE] ...]

A random network is no classifier, but with its activations kept in a sensible range it exercises every
kernel as a trained one does. Files are cached by what they are made from, so a second call is instant.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecore.converters import zoo
from edgecore.errors import UserError

if TYPE_CHECKING:
    import keras

SEED = 7
CALIBRATION_IMAGES = 24
# What a call without names builds: the networks that benchmarks and whole-model tests stand on.
NAMES = (
    "squeezenet_v1.0",
    "squeezenet_v1.1",
    "squeezenet_bypass",
    "res_squeezenet",
    "spp_covid_net",
    "resnet18",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "googlenet",
    "densenet121",
    "efficientnet_b0",
    "unet",
    "lenet5",
    "res_squeezenet_compact",
)


def images(count: int, size: int, *, seed: int = SEED) -> Iterator[np.ndarray]:
    """`count` uint8 images (size, size, 3) with the mixture of a photograph; no file is read.

    Soft light, shapes with hard edges and grain, each image with a brightness and contrast of its own: a
    network calibrated with less variety clips nearly everything that a photograph makes of it.
    """
    import cv2

    random = np.random.default_rng(seed)
    for _ in range(count):
        light = random.random((3, 3, 3)).astype(np.float32)
        image: np.ndarray = cv2.resize(light, (size, size), interpolation=cv2.INTER_CUBIC)
        for _ in range(random.integers(5, 40)):
            centre, axes = random.integers(0, size, 2), random.integers(1, max(2, size // 3), 2)
            colour = [float(value) for value in random.random(3)]
            if random.random() < 0.5:
                cv2.ellipse(image, centre.tolist(), axes.tolist(), random.uniform(0, 360), 0, 360, colour, -1)
            else:
                cv2.rectangle(image, centre.tolist(), (centre + axes).tolist(), colour, -1)
        image += random.normal(0, random.uniform(0, 0.15), image.shape).astype(np.float32)
        image = (image - 0.5) * random.uniform(0.2, 1.3) + random.uniform(0.2, 0.8)
        yield np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def randomise(model: keras.Model, inputs: np.ndarray, *, seed: int = SEED) -> None:
    """Gives `model` weights that keep every activation in range, as training would.

    Batch norms get random gains and offsets and the statistics of `inputs` (batch, height, width, channels);
    biases become small random numbers; the classifier is centred and scaled, so that images differ in scores.
    """
    import keras

    random = np.random.default_rng(seed)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.gamma.assign(random.uniform(0.6, 1.4, norm.gamma.shape))
        norm.beta.assign(random.normal(0.0, 0.3, norm.beta.shape))
    for layer in model.layers:
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.normal(0.0, 0.05, layer.bias.shape))
    # With momentum 0 one training pass stores the statistics of its own batch.
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(inputs, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    _spread_scores(model, inputs)


def _spread_scores(model: keras.Model, inputs: np.ndarray) -> None:
    """Centres each class over `inputs` and scales the last kernel, so that images get different answers."""
    import keras

    last = [layer for layer in model.layers if getattr(layer, "kernel", None) is not None][-1]
    activation, last.activation = last.activation, keras.activations.linear
    raw = np.asarray(keras.Model(model.input, last.output)(inputs, training=False))
    last.activation = activation
    last.bias.assign_sub(raw.mean(axis=tuple(range(raw.ndim - 1))))
    # A ReLU and an average are all that may follow, and a positive factor passes through both.
    scores = np.asarray(keras.Model(model.input, model.layers[-1].input)(inputs, training=False))
    # More classes need larger differences for one of them to stand out after the softmax.
    spread = 1.5 * math.log(scores.shape[-1])
    factor = spread / max(float(scores.std(axis=0).mean()), 1e-6)
    last.kernel.assign(last.kernel * factor)
    last.bias.assign(last.bias * factor)


def build_sample(name: str, **options: Any) -> bytes:
    """The int8 flatbuffer of the zoo's `name` with fixed random weights."""
    import keras

    from edgecore.converters.quantise import quantise

    keras.utils.set_random_seed(SEED)
    model = zoo.build(name, **options)
    entry = zoo.member(name)
    scale = np.asarray(entry.scale, np.float32)
    size = model.input_shape[1]
    pixels = images(CALIBRATION_IMAGES, size)
    if model.input_shape[-1] == 1:
        pixels = (image.mean(axis=2, keepdims=True) for image in pixels)
    inputs = np.stack([image * scale for image in pixels]).astype(np.float32)
    randomise(model, inputs)
    return quantise(model, iter(inputs))


def cache_folder() -> Path:
    """$EDGECORE_CACHE/samples, or ~/.cache/edgecore/samples."""
    base = os.environ.get("EDGECORE_CACHE")
    return (Path(base) if base else Path.home() / ".cache" / "edgecore") / "samples"


def _key(name: str, options: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps([name, SEED, options], sort_keys=True).encode())
    here = Path(__file__).resolve().parent
    for source in (*sorted((here / "zoo").glob("*.py")), here / "samples.py", here / "quantise.py"):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def sample(name: str, **options: Any) -> Path:
    """Path of the cached sample of `name`, built first if it is not there (needs TensorFlow then)."""
    zoo.member(name)
    path = cache_folder() / f"{name}-{_key(name, options)}.tflite"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(build_sample(name, **options))
        part.replace(path)
    return path


def named(text: str) -> Path:
    """The sample for NAME, or NAME@SIZE for another input size than the network's own.

    Raises UserError: there is no such network, or SIZE is not a number.
    """
    name, at, size = text.partition("@")
    if not at:
        return sample(name)
    if not size.isdecimal() or int(size) == 0:
        raise UserError(
            f"{text}: {size!r} is no input size; write NAME@SIZE, for example squeezenet_v1.1@224"
        )
    return sample(name, input_size=int(size))


def main(argv: list[str] | None = None) -> int:
    """Copies the named samples (all by default) to --out as NAME.tflite, or NAME@SIZE.tflite."""
    parser = argparse.ArgumentParser(prog="python -m edgecore.converters.samples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for NAME.tflite")
    parser.add_argument("names", nargs="*", metavar="NAME[@SIZE]", help=f"default: {' '.join(NAMES)}")
    args = parser.parse_args(argv)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        for name in args.names or NAMES:
            target = args.out / f"{name}.tflite"
            shutil.copyfile(named(name), target)
            print(f"{target}  {target.stat().st_size / 1e6:.2f} MB", flush=True)
    except (UserError, OSError) as error:
        print(f"edgecore: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
