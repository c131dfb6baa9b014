"""Focal length and distortion: given, from the file's metadata, or a stated assumption."""

from typing import NamedTuple

import numpy as np

from motionfield.formats.calib_file import Intrinsics

ASSUMED_FOCAL = 0.9
"""Focal length over the long side of the picture, where nothing is known: a phone's main camera
while filming (26 mm equivalent with the crop of stabilisation, 58 degrees)."""
ASSUMED_RANGE = (0.65, 2.5)
"""Plausible range of that ratio, from wide phone lenses to telephoto broadcast."""
EXIF_TOLERANCE = 0.15
"""Metadata states the lens of the still picture; video is often cropped by as much."""


class KnownIntrinsics(NamedTuple):
    """Intrinsics with how they are known."""

    intrinsics: Intrinsics
    source: str
    focal_range_px: tuple[float, float]


def choose_intrinsics(
    image_size: tuple[int, int],
    given: Intrinsics | None,
    focal_px: float | None,
    exif_focal_px: float | None,
) -> KnownIntrinsics:
    """The best known intrinsics: calibration, focal length, metadata, assumption; in this order."""
    width, height = image_size
    if given is not None:
        focal = 0.5 * (given.fx + given.fy)
        return KnownIntrinsics(given, "given", (focal, focal))

    def centred(focal: float) -> Intrinsics:
        return Intrinsics(focal, focal, width / 2, height / 2)

    if focal_px is not None:
        return KnownIntrinsics(centred(focal_px), "given", (focal_px, focal_px))
    if exif_focal_px is not None:
        low, high = exif_focal_px * (1 - 0.02), exif_focal_px * (1 + EXIF_TOLERANCE)
        return KnownIntrinsics(centred(exif_focal_px), "exif", (low, high))
    long_side = max(width, height)
    low, high = (ratio * long_side for ratio in ASSUMED_RANGE)
    return KnownIntrinsics(centred(ASSUMED_FOCAL * long_side), "assumed", (low, high))


def matrix_of(intrinsics: Intrinsics, num_frames: int) -> np.ndarray:
    """K of every frame, (frames, 3, 3) float32."""
    fx, fy, cx, cy, _ = intrinsics
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.float32)
    return np.tile(K, (num_frames, 1, 1))
