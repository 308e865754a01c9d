"""Files of weights are read as data: every format gives its arrays, and none runs what is in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
import torch_writer
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def read(path: Path) -> dict[str, NDArray[Any]]:
    from edgecore.converters import weights

    return weights.read(path)


@pytest.fixture
def state() -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(2)
    return {
        "features.0.weight": random.standard_normal((4, 3, 3, 2), np.float32),
        "features.0.bias": random.standard_normal(4, np.float32),
        "features.1.num_batches_tracked": np.array(7, np.int64),
    }


def write_npz(path: Path, state: dict[str, NDArray[Any]]) -> None:
    np.savez(path, **state)  # type: ignore[arg-type]


def write_onnx(path: Path, state: dict[str, NDArray[Any]]) -> None:
    arrays = [numpy_helper.from_array(array, name) for name, array in state.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])
    onnx.save(helper.make_model(helper.make_graph([], "g", [image], [image], arrays)), path)


WRITERS: dict[str, Callable[[Path, dict[str, NDArray[Any]]], None]] = {
    "new.pth": torch_writer.save,
    "old.pt": torch_writer.save_legacy,
    "checkpoint.pth": torch_writer.save_checkpoint,
    "s.safetensors": lambda path, state: save_file(state, path),
    "a.npz": write_npz,
    "m.onnx": write_onnx,
}


@pytest.mark.parametrize("name", WRITERS)
def test_arrays_come_back(name: str, tmp_path: Path, state: dict[str, NDArray[Any]]) -> None:
    WRITERS[name](tmp_path / name, state)
    found = read(tmp_path / name)
    for key in ("features.0.weight", "features.0.bias"):
        own = f"module.{key}" if name == "checkpoint.pth" else key
        np.testing.assert_array_equal(found[own], state[key])


@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file_is_one_line(name: str, tmp_path: Path, state: dict[str, NDArray[Any]]) -> None:
    path = tmp_path / name
    WRITERS[name](path, state)
    whole = path.read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(60):
        broken = bytearray(whole[: random.integers(1, len(whole))])
        broken[random.integers(len(broken))] ^= 0x55
        path.write_bytes(broken)
        try:
            read(path)
        except UserError as error:
            refused += 1
            assert str(path) in str(error)
            assert "\n" not in str(error)
    assert refused > 30


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    touch = torch_writer.Call(torch_writer.Global("os", "system"), f"touch {mark}")
    torch_writer.write_zip(tmp_path / "evil.pth", OrderedDict(weight=touch), [])
    with pytest.raises(UserError, match=r"holds os\.system, which is not loaded"):
        read(tmp_path / "evil.pth")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_import_dotted_name"),
        ("torch", "FloatStorage.x"),
    ],
)
def test_only_what_tensors_need_is_known(module: str, name: str, tmp_path: Path) -> None:
    torch_writer.write_zip(tmp_path / "x.pth", {"weight": torch_writer.Global(module, name)}, [])
    with pytest.raises(UserError, match=f"holds {module}.{name}"):
        read(tmp_path / "x.pth")


def test_strides_and_offsets_of_a_shared_storage(tmp_path: Path) -> None:
    storage = torch_writer.Storage("0", np.arange(12, dtype=np.float32))
    content = OrderedDict(
        rows=torch_writer.tensor(storage, (2, 3), (3, 1), 6),
        transposed=torch_writer.tensor(storage, (3, 2), (1, 3), 0),
    )
    torch_writer.write_zip(tmp_path / "views.pth", content, [storage])
    found = read(tmp_path / "views.pth")
    np.testing.assert_array_equal(found["rows"], [[6, 7, 8], [9, 10, 11]])
    np.testing.assert_array_equal(found["transposed"], [[0, 3], [1, 4], [2, 5]])


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [((13,), (1,), 0), ((2,), (1,), 11), ((2, 2), (12, 1), 0), ((2,), (-1,), 5), ((1 << 40,), (0,), 0)],
)
def test_a_tensor_out_of_its_storage_is_refused(
    shape: tuple[int, ...], stride: tuple[int, ...], offset: int, tmp_path: Path
) -> None:
    storage = torch_writer.Storage("0", np.arange(12, dtype=np.float32))
    content = {"weight": torch_writer.tensor(storage, shape, stride, offset)}
    torch_writer.write_zip(tmp_path / "far.pth", content, [storage])
    with pytest.raises(UserError, match="reaches out of its storage"):
        read(tmp_path / "far.pth")


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    half = torch_writer.Storage("0", np.array([0.5, -2], np.float16))
    # 1.0 and -3.5 in bfloat16: the upper halves of their float32.
    brain = torch_writer.Storage(
        "1", np.array([0x3F80, 0xC060], np.uint16).view(np.int16), kind="BFloat16Storage"
    )
    content = {
        "half": torch_writer.tensor(half, (2,), (1,)),
        "brain": torch_writer.tensor(brain, (2,), (1,)),
    }
    torch_writer.write_zip(tmp_path / "half.pth", content, [half, brain])
    found = read(tmp_path / "half.pth")
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(found["half"], [0.5, -2])
    np.testing.assert_array_equal(found["brain"], [1, -3.5])


def test_pickled_objects_in_an_npz_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", weight=np.array([{}], object))
    with pytest.raises(UserError, match=r"does not read as \.npz"):
        read(tmp_path / "objects.npz")


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.h5"])
def test_files_of_keras(name: str, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 1, name="first")(inputs)
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(keras.layers.Dropout(0.5)(x)))
    path = tmp_path / name
    if name == "m.weights.h5":
        model.save_weights(path)
    else:
        model.save(path)
    found = read(path)
    assert len(found) == 6
    kernel = found["first/kernel" if name == "m.h5" else "first/0"]
    np.testing.assert_array_equal(kernel, model.get_layer("first").kernel.numpy())


def test_layers_as_keras_2_wrote_them(tmp_path: Path) -> None:
    contents = {
        "conv1": ["conv1_3/kernel:0", "conv1_3/bias:0"],
        "fire2/squeeze1x1": ["fire2/squeeze1x1_2/kernel:0"],
        "inner_model": ["block/kernel:0", "head/kernel:0"],
    }
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in contents]
        for layer, names in contents.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name in names:
                group[name] = np.full(2, len(name), np.float32)
    found = read(tmp_path / "old.h5")
    assert list(found) == [
        "conv1/kernel",
        "conv1/bias",
        "fire2/squeeze1x1/kernel",
        "block/kernel",
        "head/kernel",
    ]
    np.testing.assert_array_equal(found["conv1/bias"], [14, 14])


def test_names_of_an_exporter_come_back(tmp_path: Path) -> None:
    weight = np.arange(6, dtype=np.float32).reshape(3, 2)
    arrays = [numpy_helper.from_array(weight, "onnx::MatMul_7"), numpy_helper.from_array(weight, "fc.weight")]
    nodes = [
        helper.make_node(
            "MatMul", ["x", "onnx::MatMul_7"], ["y"], "/features/features.1/block/block.3/MatMul"
        ),
        helper.make_node("Gemm", ["x", "fc.weight"], ["z"], "/fc/Gemm", transB=1),
    ]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [], arrays)), tmp_path / "m.onnx")
    found = read(tmp_path / "m.onnx")
    np.testing.assert_array_equal(found["features.1.block.3.weight"], weight.T)
    np.testing.assert_array_equal(found["fc.weight"], weight)


def test_unknown_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"give one of \.npz, \.keras"):
        read(tmp_path / "weights.caffemodel")
    with pytest.raises(UserError, match="there are no weights at"):
        read(tmp_path / "weights.npz")
    torch_writer.write_zip(tmp_path / "empty.pth", {"epoch": 3}, [])
    with pytest.raises(UserError, match="holds no weights"):
        read(tmp_path / "empty.pth")


def test_names_are_taken_apart() -> None:
    from edgecore.converters.weights.files import grouped

    names = ["conv1|conv1_3|kernel:0", "fire2|squeeze1x1|fire2|squeeze1x1_3|bias:0", "fire2/a/weight"]
    names += ["features.0.1.running_var", "features.0.1.num_batches_tracked"]
    found = grouped(dict.fromkeys(names, np.zeros(1)))
    assert found == {
        "conv1": {"kernel": names[0]},
        "fire2/squeeze1x1": {"bias": names[1]},
        "fire2/a": {"weight": names[2]},
        "features.0.1": {"running_var": names[3]},
    }
