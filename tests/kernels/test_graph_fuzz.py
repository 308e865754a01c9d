"""Random small networks: what the graph folds, places and fuses never changes a byte of the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Network, Quant, assert_same, random_inputs
from oracle.rearrange import shuffle, split_v

COMMON = Quant(0.05, -9)
RELU_LIKE = Quant(0.04, -128)
FUSED = st.sampled_from(["NONE", "RELU", "RELU6"])
SLOPES = st.sampled_from([0.1, 0.25, 1.5])

Pick = Callable[..., int]


class Builder:
    """Grows a network by one layer or block at a time; every tensor stays available as an input."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.net = Network(seed=self.draw(st.integers(0, 999)))
        size = (
            1,
            self.draw(st.integers(3, 14)),
            self.draw(st.integers(3, 14)),
            self.draw(st.sampled_from([1, 3, 4, 8, 19])),
        )
        self.tensors = [self.net.input(size, COMMON)]
        self.used: set[int] = set()

    def pick(self, suits: Callable[[int], bool] = lambda _: True) -> int | None:
        """An earlier tensor, more likely a late one."""
        choices = [t for t in self.tensors if len(self.net.shape(t)) == 4 and suits(t)]
        if not choices:
            return None
        tensor = choices[max(self.draw(st.integers(-len(choices), len(choices) - 1)), -3)]
        self.used.add(tensor)
        return tensor

    def like(self, x: int) -> int | None:
        """Another tensor with the shape of `x`."""
        return self.pick(lambda t: t != x and self.net.shape(t) == self.net.shape(x))

    def quant(self) -> Quant | None:
        return self.draw(st.sampled_from([COMMON, COMMON, RELU_LIKE, None]))

    def conv(self, x: int, channels: int | None = None, kernel: int | None = None) -> int:
        side = kernel or self.draw(st.sampled_from([1, 1, 3, 5]))
        fits = min(self.net.shape(x)[1:3]) >= side
        return self.net.conv2d(
            x,
            channels or self.draw(st.sampled_from([1, 3, 8, 16, 17, 33])),
            (side, side),
            (1, 1) if channels else self.draw(st.sampled_from([(1, 1), (2, 2), (1, 2)])),
            padding="SAME" if channels or not fits else self.draw(st.sampled_from(["SAME", "VALID"])),
            activation=self.draw(FUSED),
            out=self.quant(),
        )

    def maybe_unary(self, x: int) -> int:
        kind = self.draw(st.sampled_from(["", "", "LEAKY_RELU", "HARD_SWISH", "RELU", "RELU6", "QUANTIZE"]))
        if not kind:
            return x
        options = {"alpha": self.draw(SLOPES)} if kind == "LEAKY_RELU" else {}
        return self.net.unary(kind, x, self.quant(), **options)

    def fire(self, x: int) -> int:
        squeezed = self.maybe_unary(self.conv(x, self.draw(st.sampled_from([4, 8, 16])), 1))
        sides = self.draw(st.sampled_from([(1, 3), (3, 1), (1, 3, 5)]))
        total = self.net.shape(x)[3] if self.draw(st.booleans()) else self.draw(st.integers(3, 40))
        widths = [max(1, total // len(sides))] * (len(sides) - 1)
        widths.append(max(1, total - sum(widths)))
        expands = []
        for side, width in zip(sides, widths, strict=True):
            made = self.net.conv2d(squeezed, width, (side, side), activation=self.draw(FUSED), out=COMMON)
            expands.append(made)
        if self.draw(st.integers(0, 4)) == 0:
            self.tensors.append(expands[0])
        joined = self.net.concatenation(expands)
        if self.net.shape(joined) == self.net.shape(x) and self.draw(st.booleans()):
            other = self.conv(x, self.net.shape(x)[3], 1) if self.draw(st.booleans()) else x
            pair = [joined, other] if self.draw(st.booleans()) else [other, joined]
            return self.maybe_unary(
                self.net.binary("ADD", *pair, activation=self.draw(FUSED), out=self.quant())
            )
        return joined

    def residual(self, x: int) -> int:
        channels = self.draw(st.sampled_from([self.net.shape(x)[3], 8]))
        left = self.maybe_unary(self.conv(x, channels, 3))
        other = self.like(left)
        if other is None or self.draw(st.booleans()):
            other = self.maybe_unary(self.conv(x, channels, 1))
        pair = [left, other] if self.draw(st.booleans()) else [other, left]
        return self.maybe_unary(self.net.binary("ADD", *pair, activation=self.draw(FUSED), out=self.quant()))

    def pool(self, x: int) -> int:
        side = self.draw(st.integers(1, min(3, *self.net.shape(x)[1:3])))
        return self.net.pool(
            x,
            self.draw(st.sampled_from(["MAX_POOL_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D"])),
            (side, side),
            self.draw(st.sampled_from([(1, 1), (2, 2)])),
            self.draw(st.sampled_from(["SAME", "VALID"])),
        )

    def stem(self, _: int) -> int:
        return self.pool(self.maybe_unary(self.conv(self.tensors[0])))

    def pad(self, x: int) -> int:
        pairs = (
            [(0, 0)]
            + [(self.draw(st.integers(0, 3)), self.draw(st.integers(0, 3))) for _ in range(2)]
            + [(0, 0)]
        )
        padded = self.net.pad(x, pairs)
        if self.draw(st.integers(0, 3)) == 0:
            self.tensors.append(padded)
        kind = self.draw(st.sampled_from(["conv", "depthwise", "pool"]))
        if kind == "conv":
            return self.conv(padded)
        if kind == "depthwise":
            return self.depthwise(padded)
        return self.pool(padded)

    def depthwise(self, x: int) -> int:
        fits = min(self.net.shape(x)[1:3]) >= 3
        made = self.net.depthwise_conv2d(
            x,
            stride=self.draw(st.sampled_from([(1, 1), (2, 2)])),
            padding=self.draw(st.sampled_from(["SAME", "VALID"])) if fits else "SAME",
            activation=self.draw(FUSED),
            out=self.quant(),
        )
        return self.maybe_unary(made)

    def concatenation(self, x: int) -> int:
        """Along any axis, of tensors that serve elsewhere too, perhaps one of them twice."""
        axis = self.draw(st.sampled_from([3, 3, 3, 2, 1]))
        shape = self.net.shape(x)

        def suits(t: int) -> bool:
            other = self.net.shape(t)
            same = all(a == b for i, (a, b) in enumerate(zip(shape, other, strict=True)) if i != axis)
            return same and self.net.quants[t] == self.net.quants[x]

        parts = [x]
        for _ in range(self.draw(st.integers(1, 3))):
            part = self.pick(suits)
            parts.append(x if part is None else part)
        return self.net.concatenation(self.draw(st.permutations(parts)), axis)

    def multi_scale(self, x: int) -> int:
        height, width = self.net.shape(x)[1:3]
        sides = self.draw(st.lists(st.integers(1, min(height, width)), min_size=2, max_size=4))
        flat = []
        for side in sides:
            pooled = self.net.pool(x, "MAX_POOL_2D", (side, side))
            flat.append(self.net.reshape(pooled, (1, int(np.prod(self.net.shape(pooled))))))
        return self.net.concatenation(flat, 1)

    def reshape(self, x: int) -> int:
        _, height, width, channels = self.net.shape(x)
        return self.net.reshape(
            x, self.draw(st.sampled_from([(1, width, height, channels), (1, 1, height * width, channels)]))
        )

    def resize(self, x: int) -> int:
        _, height, width, _ = self.net.shape(x)
        kind = self.draw(st.sampled_from(["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"]))
        corners, centers = self.draw(st.sampled_from([(False, False), (True, False), (False, True)]))
        return self.net.resize(x, kind, (2 * height, 2 * width), corners, centers)

    def shuffle(self, x: int) -> int:
        channels = self.net.shape(x)[3]
        groups = self.draw(st.sampled_from([n for n in (1, 2, 3, 4) if channels % n == 0]))
        return shuffle(self.net, x, groups)

    def split(self, x: int) -> int:
        """One of the parts; the others may serve later."""
        axis = self.draw(st.sampled_from([1, 2, 3, 3]))
        size = self.net.shape(x)[axis]
        first = self.draw(st.integers(1, size))
        parts = split_v(self.net, x, [first, size - first] if first < size else [first], axis)
        self.tensors.extend(parts[:-1])
        return parts[-1]

    def grow(self) -> None:
        x = self.pick()
        assert x is not None
        plain = [self.conv, self.pool, self.pad, self.depthwise, self.reshape, self.resize, self.maybe_unary]
        plain += [self.shuffle, self.split]
        blocks = [self.fire, self.residual, self.concatenation, self.stem]
        layer = self.draw(st.sampled_from([*plain, *blocks, *blocks, self.fire, self.multi_scale]))
        made = layer(x)
        if made != x:
            self.tensors.append(made)

    def build(self) -> bytes:
        loose = [t for t in self.tensors[1:] if t not in self.used]
        self.net.output(*(loose or self.tensors[-1:])[:8])
        if len(self.tensors) > 2 and self.draw(st.integers(0, 3)) == 0:
            middle = self.tensors[self.draw(st.integers(1, len(self.tensors) - 1))]
            if middle not in self.net.writer.outputs:
                self.net.output(middle)
        return self.net.build()


@settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    builder = Builder(data)
    for _ in range(data.draw(st.integers(1, 7))):
        builder.grow()
    if len(builder.tensors) == 1:
        return
    model = builder.build()
    assert_same(
        model, random_inputs(model, data.draw(st.integers(0, 99))), threads=(1, 3), fuse=(True, False)
    )
