from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["BGR", "RGB", "GREY"]
FrameOrder = Literal["BGR", "RGB", "GREY", "YUV420", "NV12"]
Colour = Literal["bt601", "bt709", "jpeg"]
Resize = Literal["stretch", "letterbox", "crop"]

ORDERS: tuple[str, ...]
PLANAR: tuple[str, ...]
FRAME_ORDERS: tuple[str, ...]
COLOURS: tuple[str, ...]
RESIZES: tuple[str, ...]
FILTERS: tuple[str, ...]
MAX_SIDE: int

class ImagePlan:
    frame_order: str
    frame_shape: tuple[int, ...]  # of planar frames (rows, columns), else (height, width, channels)
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
        colour: str = "bt601",
        box: tuple[int, int, int, int] | None = None,
    ) -> None: ...
    def run(self, frame: NDArray[np.uint8], out: NDArray[np.int8] | NDArray[np.uint8]) -> None: ...
