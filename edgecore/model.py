"""A .tflite with its labels and preprocessing, ready for frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecore.errors import UserError
from edgecore.network import Network, TensorSpec, label_lines

if TYPE_CHECKING:
    import numpy as np

    from edgecore.preprocess import Box, Preprocessing

BUNDLED_MODEL = Path(__file__).parent / "assets" / "res_squeezenet_cifar10.tflite"
ORDERS_BY_CHANNELS = {1: ("GREY",), 3: ("RGB", "BGR")}
OPTIONS = ("order", "resize", "filter", "mean", "scale")


@dataclass(frozen=True)
class Prediction:
    """One class and its score, dequantised; `index` counts the model's outputs from 0."""

    label: str
    score: float
    index: int


class Model:
    """A classifier of images: a uint8 or int8 input (1, height, width, 1 or 3), an output (1, classes)."""

    def __init__(self, network: Network, labels: Sequence[str] | None, preprocessing: Preprocessing) -> None:
        from edgecore.preprocess import Preprocessor

        self.network = network
        self.preprocessing = preprocessing
        self.input, self.output = network.inputs[0], network.outputs[0]
        classes = self.output.shape[-1]
        if labels is not None and len(labels) != classes:
            raise UserError(
                f"{len(labels)} labels do not fit {network.path}, which has {classes} outputs; "
                "give the label file that belongs to it"
            )
        self.labels = list(labels) if labels is not None else [f"class {index}" for index in range(classes)]
        self._logits = network.artefact is not None and network.artefact.logits
        self._preprocess = Preprocessor(
            preprocessing, self.input.dtype, self.input.scale, self.input.zero_point
        )

    @property
    def name(self) -> str:
        """The artefact's name, else the file's."""
        artefact = self.network.artefact
        return artefact.name if artefact is not None and artefact.name else self.network.path.stem

    def prepare(
        self,
        frame: np.ndarray,
        frame_order: str = "BGR",
        columns: int | None = None,
        colour: str = "bt601",
        box: Box | None = None,
    ) -> None:
        """Resizes, reorders and quantises a frame straight into the interpreter's input buffer.

        The arguments are those of `classify`.
        """
        view = self.network.input()
        self._preprocess(frame, view[0], frame_order, columns, colour, box)

    def infer(self) -> None:
        """One inference over the frame that was prepared last."""
        self.network.invoke()

    def scores(self) -> np.ndarray:
        """The dequantised output of the last inference, float32 (classes,); its softmax, where the file says
        that the network ends before one.
        """
        import numpy as np

        stored = self.network.output().reshape(-1).astype(np.int32)
        scores: np.ndarray = (stored - self.output.zero_point) * np.float32(self.output.scale or 1.0)
        if not self._logits:
            return scores
        shares = np.exp(scores - scores.max())
        return np.asarray(shares / shares.sum())

    @property
    def largest_score(self) -> float:
        """What no score can exceed."""
        import numpy as np

        if self._logits:
            return 1.0
        return float((np.iinfo(self.output.dtype).max - self.output.zero_point) * (self.output.scale or 1.0))

    def predictions(self, top: int = 5) -> list[Prediction]:
        """The best classes of the last inference, best first; equal scores in the order of their indices."""
        return ranked(self.scores(), self.labels, top)

    def check_golden(self) -> bool | None:
        """Whether this machine gives the golden output that the file carries; None: it carries none, or the
        engine does not run the whole network. Labels and preprocessing given by the user change nothing.

        Raises UserError: the network fails while it runs.
        """
        from edgecore.golden import reproduced

        return reproduced(self.network)

    def classify(
        self,
        frame: np.ndarray,
        top: int = 5,
        frame_order: str = "BGR",
        columns: int | None = None,
        colour: str = "bt601",
        box: Box | None = None,
    ) -> list[Prediction]:
        """The `top` best classes of a frame.

        Args:
            frame: uint8, of any size: (height, width, 3), (height, width) grey, or a camera's planes,
                (height * 3 / 2, stride).
            top: how many classes to return, at most.
            frame_order: how `frame` lies: "BGR" as OpenCV gives it, "RGB", "YUV420" (I420) or "NV12".
            columns: how many columns of a planar frame are picture; None: all.
            colour: what a planar frame's bytes mean: "bt601" or "bt709" (limited range) or "jpeg" (full).
            box: (x, y, width, height), the part of the frame to look at; None: all of it.

        Raises ValueError for a frame of another shape or dtype, or a box outside it.
        """
        self.prepare(frame, frame_order, columns, colour, box)
        self.infer()
        return self.predictions(top)


def ranked(scores: np.ndarray, labels: Sequence[str], top: int) -> list[Prediction]:
    """The `top` best of (classes,) scores, best first; equal ones in the order of their indices."""
    import numpy as np

    order = scores.argmax(keepdims=True) if top == 1 else np.argsort(-scores, kind="stable")
    best: list[int] = order[: max(top, 0)].tolist()
    return [Prediction(labels[index], float(scores[index]), index) for index in best]


def load(
    path: str | Path | None = None,
    threads: int | None = None,
    labels: str | Path | Sequence[str] | None = None,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    delegate: bool = True,
    isa: str | None = None,
) -> Model:
    """Opens a classifier.

    Args:
        path: a full-integer .tflite; None takes the bundled one.
        threads: threads of the engine; None takes every core that the process may use.
        labels: a label file with one line per output, or the labels; None takes those in the .tflite.
        preprocessing: None takes what the .tflite says; a mapping with any of order, resize, filter, mean and
            scale replaces those parts of it. For a model that says nothing: RGB, stretched by plain bilinear
            interpolation, pixels as they are: a uint8 input holds the pixel, an int8 input pixel - 128.
        delegate: False runs the plain TFLite interpreter.
        isa: a tier's name, e.g. "avx2"; None takes $EDGECORE_ISA or the best of this CPU.

    Raises UserError: the file is missing, damaged or no full-integer image classifier; the labels do not fit.
    """
    network = Network(bundled_model() if path is None else path, threads, delegate, isa)
    _check_classifier(network)
    names: Sequence[str] | None
    if labels is None:
        names = network.labels
        if network.artefact is None and names is not None and len(names) != network.outputs[0].shape[-1]:
            names = None  # a foreign model's text file, which need not be its labels
    else:
        names = read_labels(labels) if isinstance(labels, str | Path) else labels
    return Model(network, names, preprocessing_of(network, preprocessing))


def bundled_model() -> Path:
    """The model that ships with edgecore. Raises UserError when this installation lacks it."""
    if not BUNDLED_MODEL.exists():
        raise UserError("this installation has no bundled model; name a model or reinstall edgecore")
    return BUNDLED_MODEL


def read_labels(path: str | Path) -> list[str]:
    """The lines of a label file, first class first; blank lines at the end do not count.

    Raises UserError: the file is missing, not text, or empty.
    """
    try:
        lines = label_lines(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"the label file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the label file {path} is not UTF-8 text") from error
    if not lines:
        raise UserError(f"the label file {path} is empty; write one label a line")
    return lines


def _check_classifier(network: Network) -> None:
    path = network.path
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise UserError(
            f"{path} has {len(network.inputs)} inputs and {len(network.outputs)} outputs; "
            "a classifier has one of each"
        )
    output = network.outputs[0]
    if not output.shape or output.shape[-1] < 1 or any(size != 1 for size in output.shape[:-1]):
        raise UserError(f"{path} gives {_dims(output)}, not one score per class: it is not a classifier")
    for side, spec in (("input", network.inputs[0]), ("output", output)):
        if spec.dtype not in ("int8", "uint8"):
            raise UserError(
                f"the {side} of {path} is {spec.dtype}; edgecore runs full-integer models: "
                "make one with `edgecore convert`"
            )
    if not takes_images(network):
        raise UserError(
            f"{path} takes {_dims(network.inputs[0])}, not one image; "
            "try `edgecore bench` or `edgecore inspect` on it"
        )


def takes_images(network: Network) -> bool:
    """Whether the only input is one uint8 or int8 image, grey or in colour."""
    spec = network.inputs[0]
    return (
        len(network.inputs) == 1
        and spec.dtype in ("int8", "uint8")
        and len(spec.shape) == 4
        and spec.shape[0] == 1
        and spec.shape[3] in ORDERS_BY_CHANNELS
    )


def _dims(spec: TensorSpec) -> str:
    return "x".join(map(str, spec.shape)) or "a scalar"


def preprocessing_of(
    network: Network, given: Preprocessing | Mapping[str, Any] | None = None
) -> Preprocessing:
    """The preprocessing of a network that takes images: see `load` for `given`.

    Raises UserError: it does not fit the network's input.
    """
    from edgecore.preprocess import Preprocessing

    spec = network.inputs[0]
    _, height, width, channels = spec.shape
    if isinstance(given, Preprocessing):
        chosen = given
    else:
        artefact = network.artefact
        base = Preprocessing.from_json(artefact.input) if artefact is not None else pixels_as_they_are(spec)
        chosen = _with_options(base, channels, given or {})
    if (chosen.width, chosen.height) != (width, height) or chosen.channels != channels:
        raise UserError(
            f"the preprocessing gives {chosen.width}x{chosen.height} {chosen.order}, "
            f"but {network.path} takes {width}x{height} with {channels} channel(s)"
        )
    return chosen


def _with_options(base: Preprocessing, channels: int, given: Mapping[str, Any]) -> Preprocessing:
    changes = {name: value for name, value in given.items() if value is not None}
    unknown = sorted(set(changes) - set(OPTIONS))
    if unknown:
        raise UserError(f"the preprocessing has no {unknown[0]!r}; it has {', '.join(OPTIONS)}")
    order = changes.get("order", base.order)
    if order in ORDERS_BY_CHANNELS[1] + ORDERS_BY_CHANNELS[3] and order not in ORDERS_BY_CHANNELS[channels]:
        raise UserError(f"the order {order} does not fit an input with {channels} channels")
    return replace(base, **changes)


def pixels_as_they_are(spec: TensorSpec) -> Preprocessing:
    """The preprocessing of a model that says nothing about itself: the tensor holds the pixel (uint8) or
    the pixel - 128 (int8), RGB, stretched to the input's size by plain bilinear interpolation."""
    from edgecore.preprocess import Preprocessing

    _, height, width, channels = spec.shape
    offset = spec.zero_point + (128 if spec.dtype == "int8" else 0)
    return Preprocessing(
        width=width,
        height=height,
        order=ORDERS_BY_CHANNELS[channels][0],
        resize="stretch",
        filter="bilinear",
        mean=(float(offset),) * channels,
        scale=(spec.scale or 1.0,) * channels,
    )
