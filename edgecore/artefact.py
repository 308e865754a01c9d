"""What a .tflite carries besides its flatbuffer: labels.txt and edgecore.json, zip-appended.

An interpreter reads the flatbuffer from the front and ignores the tail; a zip reader finds its directory
from the back and ignores the front. So one file serves both, and the standard library is enough to read it:

    flatbuffer bytes | labels.txt | edgecore.json | zip directory
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecore.errors import UserError

FORMAT = 1
FACTS = "edgecore.json"
LABELS = "labels.txt"
ORDERS = {"RGB": 3, "BGR": 3, "GREY": 1}
RESIZES = ("stretch", "letterbox", "crop")
LOGITS = "logits"
GOLDEN_PICTURES = 1  # the formula of edgecore/golden.py; another one gets another number


@dataclass(frozen=True)
class Artefact:
    """The facts of one model.

    `input` holds width, height, order, resize, and mean and scale per channel: the network's float input is
    (pixel - mean) * scale. `model_sha256` is of the flatbuffer alone, empty until written. `accuracy` and
    `training` are free-form facts for people and tests. `logits` says that the network ends before its
    softmax, which the device then computes. `golden` holds the reference's output bytes for the
    pictures of edgecore/golden.py; empty: none.
    """

    name: str
    classes: tuple[str, ...]
    input: dict[str, Any]
    task: str = "classification"
    model_sha256: str = ""
    training: dict[str, Any] = field(default_factory=dict)
    accuracy: dict[str, Any] = field(default_factory=dict)
    golden: bytes = b""
    logits: bool = False

    def to_json(self) -> dict[str, Any]:
        """The content of edgecore.json, in the order in which it is written."""
        facts: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "task": self.task,
            "input": self.input,
            "classes": list(self.classes),
            "model_sha256": self.model_sha256,
            "training": self.training,
            "accuracy": self.accuracy,
        }
        if self.logits:
            facts["scores"] = LOGITS
        if self.golden:
            output = base64.b64encode(self.golden).decode("ascii")
            facts["golden"] = {"pictures": GOLDEN_PICTURES, "output": output}
        return facts

    @classmethod
    def from_json(cls, facts: Any) -> Artefact:
        """The inverse of `to_json`; UserError names the first entry that is missing or of the wrong kind."""
        if not isinstance(facts, dict):
            raise UserError(f"{FACTS} holds no object; write the model again with 'edgecore convert'")
        if facts.get("format") != FORMAT:
            raise UserError(
                f"{FACTS} has format {facts.get('format')!r}, this edgecore reads {FORMAT}; update edgecore"
            )
        try:
            return cls(
                name=_typed(facts, "name", str),
                classes=tuple(str(label) for label in _typed(facts, "classes", list)),
                input=_checked_input(_typed(facts, "input", dict)),
                task=_typed(facts, "task", str),
                model_sha256=str(facts.get("model_sha256", "")),
                training=dict(facts.get("training") or {}),
                accuracy=dict(facts.get("accuracy") or {}),
                golden=_golden(facts),
                logits=facts.get("scores") == LOGITS,
            )
        except (TypeError, ValueError) as error:
            raise UserError(f"{FACTS} is damaged: {error}; write the model again") from error


def _typed(facts: dict[str, Any], key: str, kind: type) -> Any:
    value = facts.get(key)
    if not isinstance(value, kind):
        raise UserError(f"{FACTS} has no valid '{key}'; write the model again with 'edgecore convert'")
    return value


def _golden(facts: dict[str, Any]) -> bytes:
    """Empty also where a newer edgecore has written the output of pictures that this one cannot make."""
    if facts.get("golden") is None:
        return b""
    golden = _typed(facts, "golden", dict)
    if golden.get("pictures") != GOLDEN_PICTURES:
        return b""
    return base64.b64decode(_typed(golden, "output", str), validate=True)


def _checked_input(spec: dict[str, Any]) -> dict[str, Any]:
    width, height = _typed(spec, "width", int), _typed(spec, "height", int)
    order, resize = _typed(spec, "order", str), _typed(spec, "resize", str)
    if width < 1 or height < 1 or order not in ORDERS or resize not in RESIZES:
        raise UserError(f"{FACTS} describes no usable input: {width}x{height} {order} {resize}")
    for key in ("mean", "scale"):
        values = _typed(spec, key, list)
        if len(values) != ORDERS[order] or not all(isinstance(value, int | float) for value in values):
            raise UserError(f"{FACTS} needs {ORDERS[order]} numbers in '{key}' for {order}, got {values}")
    return spec


def append(model: bytes, artefact: Artefact) -> bytes:
    """`model` (a flatbuffer, with or without an older tail) with `artefact` zip-appended.

    The result depends on the arguments alone: entries carry no time of writing.
    """
    model = flatbuffer_of(model)
    facts = {**artefact.to_json(), "model_sha256": hashlib.sha256(model).hexdigest()}
    labels = "".join(f"{label}\n" for label in artefact.classes)
    target = io.BytesIO(model)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as tail:
        tail.writestr(zipfile.ZipInfo(LABELS), labels)
        tail.writestr(zipfile.ZipInfo(FACTS), json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return target.getvalue()


def flatbuffer_of(data: bytes) -> bytes:
    """The bytes before the zip tail; `data` itself if there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as tail:
            entries = tail.infolist()
    except zipfile.BadZipFile:
        return data
    return data[: min(entry.header_offset for entry in entries)] if entries else data


def read(path: str | Path) -> Artefact | None:
    """The artefact in the file at `path`, or None where the file carries no edgecore.json.

    Raises UserError if the file cannot be read, or if its facts are damaged, of another format, or belong
    to another flatbuffer than the one they are appended to.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}; check the path") from error
    try:
        return parse(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def parse(data: bytes) -> Artefact | None:
    """The same as `read`, for a file's bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as tail:
            if FACTS not in tail.namelist():
                return None
            facts = json.loads(tail.read(FACTS).decode("utf-8"))
    except zipfile.BadZipFile:
        return None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{FACTS} is damaged: {error}; write the model again") from error
    artefact = Artefact.from_json(facts)
    actual = hashlib.sha256(flatbuffer_of(data)).hexdigest()
    if artefact.model_sha256 and artefact.model_sha256 != actual:
        raise UserError("the facts in its tail belong to another model; convert or download it again")
    return artefact
