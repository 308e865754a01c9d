"""Stands in for the bindings of a display's driver, which picamera2 imports and uses only for previews."""

from __future__ import annotations


class _Names:
    def __getattr__(self, name: str) -> str:
        return name


PixelFormat = _Names()
