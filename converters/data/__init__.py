"""Labelled images for training, calibration and evaluation, as the device would see them.

`open_source` and `open_splits` list a folder or zip; `Batches` streams varied batches of it for training,
`in_order` and `Images` all images as they are; `load` has them in memory at once. All decode alike: see
`decoded`. What does not decode is left out and named by `left_out`.
"""

from edgecore.converters.data.augment import Augmentation
from edgecore.converters.data.batches import Batches
from edgecore.converters.data.images import CACHE, Images, in_order, load, to_input
from edgecore.converters.data.left_out import LeftOut
from edgecore.converters.data.reading import decoded
from edgecore.converters.data.sources import Source, judged_source, left_out, open_source, open_splits

__all__ = [
    "CACHE",
    "Augmentation",
    "Batches",
    "Images",
    "LeftOut",
    "Source",
    "decoded",
    "in_order",
    "judged_source",
    "left_out",
    "load",
    "open_source",
    "open_splits",
    "to_input",
]
