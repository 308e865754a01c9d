from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

NODES: tuple[str, ...]
ACTIVATIONS: tuple[str, ...]
DTYPES: tuple[str, ...]

class Step(NamedTuple):
    name: str
    nodes: tuple[int, ...]
    macs: int
    bytes: int
    output_shape: tuple[int, ...]
    nanoseconds: int

class Graph:
    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scales: Iterable[float] = (),
        zero_points: Iterable[int] = (),
        data: NDArray[Any] | None = None,
        name: str = "",
    ) -> int: ...
    def node(self, kind: str, inputs: Iterable[int | None], output: int, **params: Any) -> int: ...
    def set_io(self, inputs: Sequence[int], outputs: Sequence[int]) -> None: ...
    def compile(self, threads: int = 1, isa: str | None = None, fuse: bool = True) -> Engine: ...

class Engine:
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    def run(self, inputs: Sequence[NDArray[Any]], outputs: Sequence[NDArray[Any]]) -> None: ...
    def steps(self) -> list[Step]: ...
    def set_profiling(self, on: bool) -> None: ...
    @property
    def arena_bytes(self) -> int: ...
    @property
    def weight_bytes(self) -> int: ...
    @property
    def isa(self) -> str: ...
    @property
    def threads(self) -> int: ...
