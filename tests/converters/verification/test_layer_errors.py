"""The report on layers finds the one that was broken, and no noise where nothing is rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def errors_of(network: Any) -> Any:
    from edgecore.converters.verification.layer_errors import layer_errors

    images = np.rint(network.inputs[:4] * 255)
    pairs = (
        ((image[None] / 255).astype(np.float32), (image[None] - 128).astype(np.int8)) for image in images
    )
    return layer_errors(network.whole, network.int8, pairs)


def blow_up(network: Any, layer: str, following: str, factor: float) -> None:
    """Makes the loudest channel of a layer louder and its readers deafer: the same function in float."""
    import keras

    model = network.keras
    seen = keras.Model(model.input, model.get_layer(layer).output).predict_on_batch(network.inputs)
    channel = int(seen.mean(axis=(0, 1, 2)).argmax())
    kernel, bias = model.get_layer(layer).get_weights()
    kernel[..., channel] *= factor
    bias[channel] *= factor
    model.get_layer(layer).set_weights([kernel, bias])
    kernel, bias = model.get_layer(following).get_weights()
    kernel[:, :, channel] /= factor
    model.get_layer(following).set_weights([kernel, bias])


def test_every_layer_is_judged_and_named(network: Any) -> None:
    layers = errors_of(network)
    names = ["conv1", "conv2", "conv3", "side", "both", "average", "classifier", "softmax"]
    assert [layer.layer for layer in sorted(layers, key=lambda layer: layer.node)] == names
    assert [layer.noise for layer in layers] == sorted((layer.noise for layer in layers), reverse=True)
    for layer in layers:
        assert (layer.noise == 0) == (layer.layer == "both"), (
            "only the concat rounds nothing: its inputs share a scale"
        )
        assert layer.noise < 0.5
        assert 0 < layer.used <= 1
        assert layer.clipped < 0.01
    first = min(layers, key=lambda layer: layer.node)
    assert first.noise == pytest.approx(first.arrived)


@pytest.mark.parametrize(("layer", "following"), [("conv1", "conv2"), ("conv2", "conv3")])
def test_a_layer_with_one_channel_blown_up_comes_first(network: Any, layer: str, following: str) -> None:
    before = {entry.layer: entry for entry in errors_of(network)}
    answers = network.keras.predict_on_batch(network.inputs)
    broken = network.copy()
    blow_up(broken, layer, following, 100)
    np.testing.assert_allclose(broken.keras.predict_on_batch(network.inputs), answers, atol=1e-4)
    layers = errors_of(broken)
    # Its other channels drown, and the small weights of its reader, which the loud channel needs, round to 0.
    assert [entry.layer for entry in layers[:2]] == [layer, following]
    assert layers[0].noise > 5 * before[layer].noise
    assert layers[1].noise > 1.5 * layers[2].noise
    # Those behind it suffer, but are not to blame.
    after = {entry.layer: entry for entry in layers}
    assert after["average"].arrived > 3 * before["average"].arrived
    assert after["average"].noise < 2 * before["average"].noise


def test_a_range_calibrated_too_small_shows_as_clipped_values(network: Any) -> None:
    from edgecore.converters.verification.layer_errors import layer_errors

    dark = network.copy()
    dark.inputs = network.inputs * np.float32(0.5)
    image = np.rint(network.inputs[:1] * 255)
    stored = (np.clip(image * 2, 0, 255) - 128).astype(np.int8)
    layers = layer_errors(network.whole, dark.int8, [(network.inputs[:1], stored)])
    assert max(layer.clipped for layer in layers) > 0.01
