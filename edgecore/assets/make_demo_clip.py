"""Make demo.mp4 and ATTRIBUTION.md: a slow pan over free photographs of what the bundled model knows.

    python edgecore/assets/make_demo_clip.py [--deb gcompris-qt-data_*.deb]

The script stands beside the clip that it makes and is kept out of the wheel. It needs the `dev` extra, `pip
install av` (OpenCV cannot write video this small) and, without `--deb`, a Debian or Ubuntu whose apt-get can
download the package gcompris-qt-data. A photograph counts only with the SHA-256 written here, so the licences
stated below are those of the very files that were used.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT, RATE = 320, 240, 25
SHOT, FADE = 60, 8  # frames
SIZE_LIMIT = 1_000_000  # bytes


@dataclass(frozen=True)
class Photograph:
    """One shot: a free photograph and the views, (left, top, width) in its pixels, that the pan joins."""

    title: str
    author: str
    licence: str
    source: str
    sha256: str
    first: tuple[float, float, float]
    last: tuple[float, float, float]


PHOTOGRAPHS = (
    Photograph(
        "a German shepherd",
        "Hans Kemperman",
        "public domain",
        "https://commons.wikimedia.org/wiki/File:German-shepherd-4040871920._(2).jpg",
        "5e9d9544495740101e4cfff817d986b683731112b2cf17fde2e4c2a26c3c5314",
        (0, 0, 1024),
        (60, 5, 900),
    ),
    Photograph(
        "a kingfisher",
        "Frank-2.0",
        "CC0 1.0",
        "https://commons.wikimedia.org/wiki/File:Eisvogel_kingfisher.jpg",
        "b637658d7e0f8f555b5683a8c912646d57ba37be6ba9684df893a1d07ee9e637",
        (200, 60, 1320),
        (320, 80, 1120),
    ),
    Photograph(
        "Nokota horses",
        "Seth Zeigler",
        "CC0 1.0",
        "https://commons.wikimedia.org/wiki/File:Nokota_Horse_Stud_Band.jpg",
        "87879a9644b71713f52aadf22562f30cc3e6e25a36e07d602a90e0cf6ec888aa",
        (470, 190, 530),
        (535, 225, 450),
    ),
    Photograph(
        "Chelsea the cat",
        "Stéfan van der Walt",
        "CC0 1.0",
        "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.chelsea",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        (0, 0, 400),
        (55, 10, 370),
    ),
    Photograph(
        "a moose",
        "Ryan Hagerty, U.S. Fish and Wildlife Service",
        "public domain",
        "https://commons.wikimedia.org/wiki/File:Male_Moose.jpg",
        "2252a671c2e0ade9ce6ff6d41957348a81ebccfd952ba59bfddceff0b059ea48",
        (40, 20, 880),
        (100, 50, 780),
    ),
)


def webp_images(archive: bytes) -> Iterator[bytes]:
    """The WebP files in a Qt resource archive, stored unchanged: each RIFF header tells its length."""
    start = archive.find(b"RIFF")
    while start >= 0:
        length = 8 + int.from_bytes(archive[start + 4 : start + 8], "little")
        if archive[start + 8 : start + 12] == b"WEBP":
            yield archive[start : start + length]
        start = archive.find(b"RIFF", start + 4)


def candidates(deb: Path | None, scratch: Path) -> Iterator[bytes]:
    """Every file that may be one of the photographs: scikit-image's cat, then the Debian package's."""
    import skimage

    yield (Path(skimage.__file__).parent / "data" / "chelsea.png").read_bytes()
    if deb is None:
        subprocess.run(["apt-get", "download", "-q", "gcompris-qt-data"], cwd=scratch, check=True)
        deb = next(scratch.glob("gcompris-qt-data_*.deb"))
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(scratch / "unpacked")], check=True)
    for archive in sorted((scratch / "unpacked").rglob("*.rcc")):
        yield from webp_images(archive.read_bytes())


def load_photographs(deb: Path | None) -> list[np.ndarray]:
    """The photographs in PHOTOGRAPHS' order, each uint8 (height, width, 3) in BGR order."""
    wanted = {photograph.sha256 for photograph in PHOTOGRAPHS}
    found: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for data in candidates(deb, Path(scratch)):
            digest = hashlib.sha256(data).hexdigest()
            if digest in wanted:
                found[digest] = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    missing = [photograph.title for photograph in PHOTOGRAPHS if photograph.sha256 not in found]
    if missing:
        raise SystemExit(
            f"not found in the sources: {', '.join(missing)}; another version of the package was given"
        )
    return [found[photograph.sha256] for photograph in PHOTOGRAPHS]


def view(image: np.ndarray, left: float, top: float, width: float) -> np.ndarray:
    """The part of `image` at (left, top) that is `width` pixels wide, as one frame, uint8 (240, 320, 3).

    Positions are fractions of a pixel, so that a slow pan does not step; the blur keeps what is scaled down
    from flickering.
    """
    scale = width / WIDTH
    if scale > 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 * scale)
    matrix = np.array([[scale, 0, left], [0, scale, top]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def frames(images: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Every frame of the clip: SHOT frames per photograph, the last FADE of them fading into the next one."""
    for index, (photograph, image) in enumerate(zip(PHOTOGRAPHS, images, strict=True)):
        following = index + 1 if index + 1 < len(images) else None
        for step in range(SHOT):
            eased = 0.5 - 0.5 * math.cos(math.pi * step / (SHOT - 1))
            place = [a + (b - a) * eased for a, b in zip(photograph.first, photograph.last, strict=True)]
            frame = view(image, *place)
            fade = step - (SHOT - FADE)
            if fade >= 0 and following is not None:
                weight = (fade + 1) / (FADE + 1)
                coming = view(images[following], *PHOTOGRAPHS[following].first)
                frame = cv2.addWeighted(frame, 1 - weight, coming, weight, 0)
            yield frame


def write_clip(path: Path, images: list[np.ndarray]) -> int:
    """Write the clip as H.264, which every OpenCV with FFmpeg decodes; returns the number of frames."""
    count = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=RATE, options={"crf": "33", "preset": "veryslow", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in frames(images):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
            count += 1
        container.mux(stream.encode())
    return count


def attribution() -> str:
    """The text of ATTRIBUTION.md."""
    lines = [
        "# Where the pictures in demo.mp4 come from",
        "",
        "The clip was made by `make_demo_clip.py` from the photographs below: cropped, scaled, moved and",
        "compressed.",
        "The clip itself is dedicated to the public domain under CC0 1.0.",
        "",
        "| photograph | author | licence | source |",
        "|---|---|---|---|",
    ]
    lines += [f"| {p.title} | {p.author} | {p.licence} | <{p.source}> |" for p in PHOTOGRAPHS]
    lines += [
        "",
        "Chelsea is distributed with scikit-image; the others, with the statements repeated here, with",
        "GCompris (Debian's package gcompris-qt-data).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the bundled clip and its attribution.")
    parser.add_argument("--deb", type=Path, help="a downloaded gcompris-qt-data package")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for demo.mp4 and ATTRIBUTION.md")
    arguments = parser.parse_args()
    clip = arguments.out / "demo.mp4"
    count = write_clip(clip, load_photographs(arguments.deb))
    size = clip.stat().st_size
    if size > SIZE_LIMIT:
        raise SystemExit(f"{clip} has {size} bytes; the limit is {SIZE_LIMIT}")
    (arguments.out / "ATTRIBUTION.md").write_text(attribution(), encoding="utf-8")
    print(f"{clip}: {count} frames, {count / RATE:.1f} s, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
