from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["BGR", "RGB", "GREY"]
Resize = Literal["stretch", "letterbox", "crop"]

ORDERS: tuple[str, ...]
RESIZES: tuple[str, ...]
FILTERS: tuple[str, ...]
MAX_SIDE: int

class ImagePlan:
    frame_shape: tuple[int, int, int]
    shape: tuple[int, int, int]
    def __init__(
        self,
        frame_height: int,
        frame_width: int,
        frame_order: str,
        height: int,
        width: int,
        order: str,
        resize: str = "stretch",
        tables: NDArray[np.uint8] | None = None,
        filter: str = "triangle",
    ) -> None: ...
    def run(self, frame: NDArray[np.uint8], out: NDArray[np.int8] | NDArray[np.uint8]) -> None: ...
