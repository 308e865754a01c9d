"""Layers that Keras lacks: what they compute, against the same in numpy."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.host, pytest.mark.usefixtures("tensorflow")]


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_local_response_norm_divides_by_its_neighbours() -> None:
    from edgecore.converters.zoo.special import LocalResponseNorm

    x = 30 * values(2, 3, 3, 7)
    want = np.empty_like(x)
    for channel in range(7):
        near = x[..., max(0, channel - 2) : channel + 3]
        want[..., channel] = x[..., channel] / (2 + 1e-4 * (near**2).sum(axis=-1)) ** 0.75
    np.testing.assert_allclose(np.asarray(LocalResponseNorm()(x)), want, rtol=1e-5)


def test_channel_norm_is_layer_norm() -> None:
    from keras import layers

    from edgecore.converters.zoo.special import ChannelNorm

    x = 5 + 3 * values(2, 4, 4, 9)
    own, theirs = ChannelNorm(epsilon=1e-6), layers.LayerNormalization(epsilon=1e-6)
    own.build(x.shape)
    theirs.build(x.shape)
    for layer in (own, theirs):
        layer.set_weights([values(9, seed=1), values(9, seed=2)])
    np.testing.assert_allclose(np.asarray(own(x)), np.asarray(theirs(x)), atol=1e-5)


def test_a_table_convolution_sees_only_the_channels_of_its_table() -> None:
    from edgecore.converters.zoo.special import TableConv2D

    layer = TableConv2D([(0, 2), (1,)], 3)
    x = values(1, 6, 6, 3)
    first = np.asarray(layer(x))
    assert first.shape == (1, 4, 4, 2)
    assert layer.count_params() == 3 * 9 + 2
    x[..., 1] += 1
    again = np.asarray(layer(x))
    np.testing.assert_array_equal(first[..., 0], again[..., 0])
    assert np.abs(first[..., 1] - again[..., 1]).max() > 0.01


def test_map_bias_has_one_per_unit() -> None:
    from edgecore.converters.zoo.special import MapBias

    layer = MapBias()
    layer.build((None, 3, 4, 2))
    bias = values(3, 4, 2)
    layer.set_weights([bias])
    x = values(5, 3, 4, 2, seed=1)
    np.testing.assert_allclose(np.asarray(layer(x)), x + bias)


def test_sparse_weights_stay_zero_in_training() -> None:
    import keras

    from edgecore.converters.zoo.special import SparseInitializer, sparse

    zeros = sparse(0.4, "layer")
    start = SparseInitializer("he_normal", zeros)
    layer = keras.layers.Dense(50, kernel_initializer=start, kernel_constraint=zeros)
    model = keras.Sequential([keras.Input((60,)), layer])
    before = np.asarray(layer.kernel)
    assert (before == 0).mean() == pytest.approx(0.4, abs=0.03)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    model.train_on_batch(values(8, 60), values(8, 50))
    after = np.asarray(layer.kernel)
    np.testing.assert_array_equal(before == 0, after == 0)
    assert np.abs(after - before).max() > 1e-4


def test_channels_are_shuffled_as_a_transposed_table() -> None:
    import keras

    from edgecore.converters.zoo.blocks import channel_shuffle

    inputs = keras.Input((1, 2, 6))
    model = keras.Model(inputs, channel_shuffle(inputs, 2, "x"))
    row = np.arange(6, dtype=np.float32)
    out = model.predict_on_batch(np.stack([row, row + 10])[None, None])
    np.testing.assert_array_equal(out[0, 0, 0], [0, 3, 1, 4, 2, 5])
    np.testing.assert_array_equal(out[0, 0, 1], [10, 13, 11, 14, 12, 15])
