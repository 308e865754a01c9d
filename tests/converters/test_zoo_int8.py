"""Members of every family become full int8, of about the size that the zoo's table says."""

from __future__ import annotations

from typing import Any

import pytest

from edgecore.converters import samples, zoo
from edgecore.errors import UserError

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]

# One of each kind of block, as small as it builds.
SMALL: list[tuple[str, int, dict[str, Any]]] = [
    ("lenet5", 32, {}),
    ("alexnet_bn", 67, {"hidden": 64}),
    ("dark_covid_net", 96, {}),
    ("unet", 32, {}),
    ("mobilenet_v3_small", 64, {}),
    ("shufflenet_v1", 64, {}),
    ("shufflenet_v2", 64, {}),
    ("efficientnet_b0", 64, {}),
    ("wide_resnet16_4", 32, {"widen": 1}),
    ("resnet50", 64, {"groups": 4, "group_width": 16, "excite": 16}),
    ("slak_tiny", 64, {"width": 0.2}),
]


def int8(name: str, size: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(samples, "CALIBRATION_IMAGES", 4)
    return samples.build_sample(name, input_size=size, classes=5, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "options"), SMALL)
def test_members_become_full_int8_of_the_estimated_size(
    name: str, size: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgecore.converters.integer import check_integer
    from edgecore.converters.zoo.count import figures, sketch

    model = int8(name, size, options, monkeypatch)
    check_integer(model)
    estimate = figures(sketch(lambda: zoo.build(name, 5, input_size=size, **options))).int8_bytes
    assert len(model) == pytest.approx(estimate, rel=0.05)


def test_local_response_norm_stays_in_float_and_another_alexnet_is_named() -> None:
    import numpy as np

    from edgecore.converters.formats import KerasNetwork
    from edgecore.converters.integer import check_integer
    from edgecore.converters.quantise import quantise

    network = KerasNetwork(zoo.build("alexnet", 5, input_size=67, hidden=8))
    images = np.random.default_rng(0).random((2, 67, 67, 3)).astype(np.float32)
    layers = r"conv1_norm \(SQUARE, POW\), conv2_norm \(SQUARE, POW\)"
    with pytest.raises(UserError, match=rf"no int8 form of layer {layers}; put a batch norm .* alexnet_bn"):
        check_integer(quantise(network, images), network)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lenet5", "squeezenet_v1.1", "mobilenet_v3_small", "shufflenet_v2", "unet"])
def test_members_run_wholly_in_the_engine_with_the_references_bytes(name: str) -> None:
    from edgecore.converters.zoo.convertible import look

    row = look(name)
    assert (row.refused, row.left, row.differing) == ("", "", 0)
    assert row.pictures == 4
    assert row.nodes > 10
