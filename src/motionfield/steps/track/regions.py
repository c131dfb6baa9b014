"""Where a network looks: turned square regions of the image, and the maps to and from them.

All places are pixels with the first pixel's centre at (0.5, 0.5).
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

ROI_SCALE = 2.5
"""A region's side per distance of the hip centre and the point on the body's circle (BlazePose)."""


class Roi(NamedTuple):
    """A square region of the image: centre and side in pixels, turned by ``angle`` radians.

    The region's axes are the image's turned by ``angle`` (positive from x towards y); a person
    whose body axis points along the region's negative y stands upright in the crop.
    """

    x: float
    y: float
    side: float
    angle: float

    def is_sound(self) -> bool:
        """All numbers finite and the side at least a few pixels."""
        return all(math.isfinite(value) for value in self) and self.side >= 8

    def scaled(self, factor: float) -> "Roi":
        """The same place and turn with another side."""
        return self._replace(side=self.side * factor)


def roi_from_points(hip_center: Float[ndarray, "2"], circle_point: Float[ndarray, "2"]) -> Roi:
    """The region in which the body's axis (hip centre to circle point) points up."""
    dx, dy = (float(d) for d in circle_point - hip_center)
    side = ROI_SCALE * math.hypot(dx, dy)
    return Roi(float(hip_center[0]), float(hip_center[1]), side, math.atan2(dx, -dy))


def image_from_crop(roi: Roi, crop_size: int) -> Float[ndarray, "2 3"]:
    """Affine map from crop pixels to image pixels (both with centres at one half)."""
    scale = roi.side / crop_size
    cos, sin = scale * math.cos(roi.angle), scale * math.sin(roi.angle)
    half = crop_size / 2
    return np.array(
        [
            [cos, -sin, roi.x - cos * half + sin * half],
            [sin, cos, roi.y - sin * half - cos * half],
        ]
    )


def to_image(
    points_crop: Float[ndarray, "points 2"], roi: Roi, crop_size: int
) -> Float[ndarray, "points 2"]:
    """Crop pixels to image pixels."""
    affine = image_from_crop(roi, crop_size)
    return points_crop @ affine[:, :2].T + affine[:, 2]


def to_crop(
    points_image: Float[ndarray, "points 2"], roi: Roi, crop_size: int
) -> Float[ndarray, "points 2"]:
    """Image pixels to crop pixels: the inverse of ``to_image``."""
    affine = image_from_crop(roi, crop_size)
    return (points_image - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T


def crop(
    frame: UInt8[ndarray, "height width 3"], roi: Roi, crop_size: int
) -> UInt8[ndarray, "size size 3"]:
    """Cut the region out of the frame; what lies outside repeats the frame's border."""
    affine = _opencv(image_from_crop(roi, crop_size))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (crop_size, crop_size)
    return cv2.warpAffine(frame, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def paste(
    picture: Float[ndarray, "size size"], roi: Roi, width: int, height: int
) -> Float[ndarray, "height width"]:
    """Lay what was seen in a region back into an image of this size; 0 elsewhere."""
    affine = _opencv(image_from_crop(roi, len(picture)))
    return cv2.warpAffine(picture, affine, (width, height), flags=cv2.INTER_LINEAR)


def _opencv(affine: Float[ndarray, "2 3"]) -> Float[ndarray, "2 3"]:
    """The same map between OpenCV's pixels, whose centres are at whole numbers."""
    affine = affine.copy()
    affine[:, 2] += affine[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return affine


def share_inside(roi: Roi, image_width: int, image_height: int) -> float:
    """How much of the region's area lies inside the image, from 0 to 1."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    region = to_image(corners, roi, 1).astype(np.float32)
    image = corners.astype(np.float32) * np.array([image_width, image_height], np.float32)
    area, _ = cv2.intersectConvexConvex(region, image)
    return float(area) / roi.side**2
