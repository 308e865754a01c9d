"""A moving picture with a clock drawn into it: a camera for tests, that can say how old its frames are."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Self

from edgecore.camera.layout import shape_of
from edgecore.camera.opencv import opencv
from edgecore.camera.source import FORMATS, PLANAR, TIMEOUT, Frame, Source
from edgecore.camera.throttle import Throttle
from edgecore.camera.uri import Uri
from edgecore.errors import UserError

if TYPE_CHECKING:
    import numpy as np

BITS = 32  # of the clock: the millisecond of time.monotonic(), the lowest first
SPARE = 8  # canvases that are kept for later frames
LIVE_RATE = 30.0
SMALLEST, FLATTEST = (32, 16), 16  # the clock needs a column for each bit, and rows of its own


class Pattern(Source):
    """Colour bars, a white square that wanders over them, and the time as black and white bars at the top.

    A frame's pixels are read-only: its memory is drawn on again once it was released, and only what moves.

    Args:
        size: (width, height) in pixels.
        order: one of FORMATS.
        fps: frames a second; None: 30 when live, else as fast as they are taken.
        frames: how many there are; None: no end.
        live: behave as a camera: a frame that nobody waits for is lost.
    """

    title = "test:pattern"

    def __init__(
        self,
        size: tuple[int, int] = (640, 480),
        order: str = "BGR",
        fps: float | None = None,
        frames: int | None = None,
        live: bool = False,
    ) -> None:
        width, height = size
        if width < SMALLEST[0] or height < SMALLEST[1] or width > FLATTEST * height:
            raise UserError(
                f"{self.title}: a clock does not fit {width}x{height}; give at least "
                f"{SMALLEST[0]}x{SMALLEST[1]}, and no more than {FLATTEST} times as wide as high"
            )
        shape_of(order, width, height, self.title)
        self.live = live
        rate = LIVE_RATE if live and fps is None else fps
        self.timeout = TIMEOUT + (1 / rate if rate else 0)
        self._size = size
        self._order = order
        self._frames = frames
        self._throttle = Throttle(rate, fixed=live)
        self._scene: _Scene | None = None
        self._free: deque[_Canvas] = deque(maxlen=SPARE)
        self._count = 0

    @classmethod
    def from_uri(cls, uri: Uri) -> Self:
        """`test:pattern?size=640x480&fps=30&frames=100&format=NV12&live=1`."""
        if uri.target != "pattern":
            raise UserError(f"{uri.text}: there is no such test picture; there is test:pattern")
        options = uri.options
        size = options.size("size", (640, 480)) or (640, 480)
        order = options.choice("format", FORMATS, "BGR")
        fps, frames = options.number("fps"), options.integer("frames")
        return cls(size, order, fps, frames, options.flag("live"))

    def open(self) -> None:
        self._scene = self._scene or _Scene(*self._size, self._order)
        self._count = 0
        self._throttle.start()

    def read(self) -> Frame | None:
        if self._scene is None or self._count == self._frames:
            return None
        self._throttle.wait()
        canvas = self._canvas(self._scene)
        now = time.monotonic()
        self._scene.draw(canvas, self._count, int(now * 1e3))
        self._count += 1
        return Frame(
            canvas.pixels,
            self._order,
            now,
            self._count - 1,
            clock="exposure",
            on_release=partial(self._free.append, canvas),
        )

    def _canvas(self, scene: _Scene) -> _Canvas:
        try:
            return self._free.popleft()
        except IndexError:
            return _Canvas(scene.ground, self._order, self._size[1])

    def close(self) -> None:
        self._scene = None
        self._free.clear()


class _Canvas:
    """The memory of one frame.

    Attributes:
        pixels: as Frame has them, read-only.
        planes: writable views of it, uint8 (rows, bytes).
        at: (x, y) of the square, None where there is none.
    """

    def __init__(self, ground: np.ndarray, order: str, height: int) -> None:
        memory = ground.copy()
        self.planes = _planes(memory, order, height)
        self.pixels = memory.view()
        self.pixels.flags.writeable = False
        self.at: tuple[int, int] | None = None


def _planes(pixels: np.ndarray, order: str, height: int) -> list[np.ndarray]:
    if order not in PLANAR:
        return [pixels.reshape(height, -1)]
    width = pixels.shape[1]
    luma, chroma = pixels[:height], pixels[height:].reshape(-1)
    if order == "NV12":
        return [luma, chroma.reshape(height // 2, width)]
    return [luma, *chroma.reshape(2, height // 2, width // 2)]


def _encoded(bgr: np.ndarray, order: str) -> np.ndarray:
    """A picture in another format; planar ones in limited range, with even sides."""
    import numpy as np

    cv2 = opencv()
    if order == "BGR":
        return bgr
    if order in ("RGB", "GREY"):
        wanted = cv2.COLOR_BGR2RGB if order == "RGB" else cv2.COLOR_BGR2GRAY
        picture: np.ndarray = cv2.cvtColor(bgr, wanted)
        return picture
    planar: np.ndarray = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    if order == "NV12":
        _, *chroma = _planes(planar, "YUV420", bgr.shape[0])
        planar[bgr.shape[0] :] = np.stack(chroma, axis=-1).reshape(-1, bgr.shape[1])
    return planar


class _Scene:
    """What all frames of a pattern share, and how one is drawn.

    A plane holds (x * across, y // down) of a picture's pixel (x, y), for even x and y.
    """

    def __init__(self, width: int, height: int, order: str) -> None:
        import numpy as np

        top = _clock_rows(width)
        self._side = max(4, height // 6 & ~1)
        self._order = order
        self._top = top
        # Even positions, so that the square covers whole pixels of chroma.
        self._ways = [max(0, width - self._side), max(0, height - top - self._side)]
        self._steps = [max(2, way // 160 & ~1) for way in self._ways]
        self.ground = _encoded(_bars(width, height, top), order)
        white = np.full((self._side, self._side, 3), 255, np.uint8)
        self._square = _planes(_encoded(white, order), order, self._side)
        self._ground = _planes(self.ground, order, height)
        self._scales = {
            "GREY": [(1.0, 1)],
            "NV12": [(1.0, 1), (1.0, 2)],
            "YUV420": [(1.0, 1), (0.5, 2), (0.5, 2)],
        }.get(order, [(3.0, 1)])
        shifts = np.arange(width, dtype=np.uint32) * BITS // width
        self._shifts = shifts.repeat(self._ground[0].shape[1] // width)  # of the bit that each byte shows
        self._levels = np.array([16, 235] if order in PLANAR else [0, 255], np.uint8)

    def draw(self, canvas: _Canvas, number: int, milliseconds: int) -> None:
        """Draws frame `number` over whatever frame the canvas held."""
        import numpy as np

        if canvas.at is not None:
            self._copy(canvas, canvas.at, None)
        canvas.at = (self._place(0, number), self._top + self._place(1, number))
        self._copy(canvas, canvas.at, self._square)
        bits = np.uint32(milliseconds & 0xFFFFFFFF) >> self._shifts & 1
        canvas.planes[0][: self._top] = self._levels[bits]

    def _place(self, axis: int, number: int) -> int:
        """Where the square is: to and fro."""
        way = self._ways[axis] & ~1
        return way - abs(number * self._steps[axis] % (2 * way) - way) if way else 0

    def _copy(self, canvas: _Canvas, at: tuple[int, int], square: list[np.ndarray] | None) -> None:
        """The square into the canvas, or the ground on which it stood."""
        for index, (across, down) in enumerate(self._scales):
            x, y = int(at[0] * across), at[1] // down
            side = int(self._side * across)
            box = (slice(y, y + self._side // down), slice(x, x + side))
            canvas.planes[index][box] = self._ground[index][box] if square is None else square[index]


def _clock_rows(width: int) -> int:
    """Rows of the clock: as high as a bit is wide, and even."""
    return max(2, width // BITS & ~1)


def _bars(width: int, height: int, top: int) -> np.ndarray:
    """White, yellow, cyan, green, magenta, red, blue and black, darker towards the bottom: BGR."""
    import numpy as np

    colours = np.array([(code & 1, code >> 2 & 1, code >> 1 & 1) for code in range(7, -1, -1)], np.float32)
    shade = np.linspace(255, 64, height, dtype=np.float32)[:, None, None]
    picture = (colours[np.arange(width) * 8 // width] * shade).astype(np.uint8)
    picture[:top] = 128
    return picture


def read_clock(pixels: np.ndarray, columns: int | None = None) -> int | None:
    """The time that is drawn into a picture of test:pattern, also after a lossy codec.

    Args:
        pixels: uint8 as Frame has them, of any order: (height, width, 3), or (rows, width) with luma on top.
        columns: how many columns are picture; None: all.

    Returns:
        The low 32 bits of the millisecond of time.monotonic() at which it was drawn; None: no clock to see.
    """
    width = pixels.shape[1] if columns is None else columns
    if width < BITS:
        return None
    rows = _clock_rows(width)
    luma = pixels[rows // 4 : max(rows * 3 // 4, 1), :width].reshape(-1, width, pixels[0, 0].size)
    value = 0
    for bit in range(BITS):
        left, right = (-(-edge * width // BITS) for edge in (bit, bit + 1))
        margin = (right - left) // 4
        level = luma[:, left + margin : right - margin].mean()
        if 88 < level < 168:
            return None
        value |= (level > 128) << bit
    return int(value)
