"""Lets picamera2 run on libcamera's virtual pipeline, which has neither DMA buffers nor raw streams."""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path
from typing import Any


def install(folder: Path) -> None:
    """Makes `import picamera2` in this process find picamera2 with the software camera in `folder`."""
    # At the end: numpy is this Python's own. In this file's folder is pykms.py.
    sys.path += [str(folder / "site"), str(Path(__file__).parent)]
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")  # libcamera reads it when it is loaded
    import libcamera
    import picamera2
    from picamera2 import picamera2 as implementation
    from picamera2.allocators.allocator import Allocator, Sync

    class MemorySync(Sync):
        """Access to a buffer that needs no ioctl."""

        def __init__(self, allocator: MemoryAllocator, buffer: Any, write: bool) -> None:
            self._memory = allocator.memory[buffer]

        def __enter__(self) -> mmap.mmap:
            return self._memory

        def __exit__(self, *_: object) -> None:
            pass

    class MemoryAllocator(Allocator):
        """NV12 buffers of two planes, because there is no /dev/dma_heap."""

        def __init__(self) -> None:
            super().__init__()
            self.sync = MemorySync
            self.memory: dict[Any, mmap.mmap] = {}
            self._buffers: dict[Any, list[Any]] = {}

        def allocate(self, libcamera_config: Any, use_case: object) -> None:
            self.close()
            for stream in libcamera_config:
                luma = stream.stride * stream.size.height
                self._buffers[stream.stream] = [
                    self._buffer(luma, stream.frame_size) for _ in range(stream.buffer_count)
                ]

        def _buffer(self, luma: int, size: int) -> Any:
            descriptor = os.memfd_create("software-camera")
            os.ftruncate(descriptor, size)
            planes = []
            for offset, length in ((0, luma), (luma, size - luma)):
                plane = libcamera.FrameBuffer.Plane()
                plane.fd, plane.offset, plane.length = descriptor, offset, length
                planes.append(plane)
            buffer = libcamera.FrameBuffer(planes)
            self.memory[buffer] = mmap.mmap(descriptor, size)
            os.close(descriptor)  # libcamera and mmap have duplicates
            return buffer

        def buffers(self, stream: Any) -> list[Any]:
            return self._buffers[stream]

        def close(self) -> None:
            self._buffers = {}
            self.memory = {}

    class SoftwareCamera(picamera2.Picamera2):
        """Asks for the sizes of the video stream where others have those of a raw one."""

        def _get_raw_modes(self) -> list[dict[str, Any]]:
            role = libcamera.StreamRole.VideoRecording
            formats = self.camera.generate_configuration([role]).at(0).formats
            return [
                {"format": str(pixel), "size": (size.width, size.height)}
                for pixel in formats.pixel_formats
                for size in formats.sizes(pixel)
            ]

    implementation.DmaAllocator = MemoryAllocator
    picamera2.Picamera2 = SoftwareCamera
