"""Keypoints and camera at the network's frame rate, from any other."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.core.arrays import tensor_of
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.geometry.resample import resample_positions, resample_rotations
from motionfield.steps.lift.meva.features import RATE_HZ

_NEAR_RATE = 0.04
"""A rate that is off by less than this share is taken as it is: nothing is blurred, and the
network has seen people of any tempo."""
_UNEVEN = 0.25
"""… unless frames are unevenly spaced by more than this share of a step."""
_LEAST_SHARE = 0.5
"""A point is known at a time if it was seen in this share of what is averaged there."""
_LONGEST_S = 0.2
"""Nothing is interpolated over longer times between frames."""
_FLAT = 1e-3
_LEAST_TRUST = 1e-2
"""A point of no confidence still counts a little beside others of none."""


class AtRate(NamedTuple):
    """One person and camera at ``rate_hz`` frames per second, which is about ``RATE_HZ``."""

    keypoints: Keypoints
    camera: CameraPath
    rate_hz: float


def at_network_rate(keypoints: Keypoints, camera: CameraPath) -> AtRate:
    """Resample both records; the first and the last frame stay where they are in time.

    From high rates points are averaged over a 30th of a second to either side (a triangle, with
    their confidences as weights, and a straight line fitted, so that what is missing shifts
    nothing); from low rates they are interpolated. Of what is seen at less than half of such a
    time nothing is said (NaN).
    """
    time_s = keypoints.time_s - keypoints.time_s[0]
    if _is_near(time_s):
        rate = RATE_HZ if len(time_s) < 2 else (len(time_s) - 1) / float(time_s[-1])
        return AtRate(keypoints, camera, rate)
    count = max(2, round(float(time_s[-1]) * RATE_HZ) + 1)
    at_s = np.linspace(0, float(time_s[-1]), count)
    rate = (count - 1) / float(time_s[-1])
    return AtRate(_keypoints_at(keypoints, time_s, at_s), _camera_at(camera, time_s, at_s), rate)


def _is_near(time_s: Float[ndarray, "frames"]) -> bool:
    if len(time_s) < 2:
        return True
    step = float(time_s[-1]) / (len(time_s) - 1)
    uneven = float(np.abs(np.diff(time_s) - step).max()) > _UNEVEN * step
    return abs(1 / step / RATE_HZ - 1) < _NEAR_RATE and not uneven


def _keypoints_at(
    keypoints: Keypoints, time_s: Float[ndarray, "frames"], at_s: Float[ndarray, "samples"]
) -> Keypoints:
    points = keypoints.keypoints_2d.astype(np.float64)
    window = _Window.of(time_s, at_s)
    pixels, confidence = window.mean(points[..., :2], points[..., 2])
    coarse = None
    if keypoints.coarse_camera is not None:
        coarse = window.mean(keypoints.coarse_camera.astype(np.float64), points[..., 2])[0]
        coarse = coarse.astype(np.float32)
    resampled = np.concatenate((pixels, confidence[..., None]), -1).astype(np.float32)
    nearest = np.abs(np.searchsorted(time_s, at_s)).clip(0, len(time_s) - 1)
    return keypoints.replace(
        keypoints_2d=resampled,
        coarse_camera=coarse,
        bbox_xyxy=None,
        observed=np.isfinite(resampled).all(-1).any(-1),
        fps=RATE_HZ,
        time_s=keypoints.time_s[0] + at_s,
        frame_index=keypoints.frame_index[nearest],
    )


def _camera_at(
    camera: CameraPath, time_s: Float[ndarray, "frames"], at_s: Float[ndarray, "samples"]
) -> CameraPath:
    old, new = torch.from_numpy(time_s), torch.from_numpy(at_s)

    def places(values: ndarray) -> ndarray:
        return resample_positions(tensor_of(values), old, new).numpy()

    R = resample_rotations(tensor_of(camera.R_camera_world), old, new)
    # The camera's place moves evenly, not its translation.
    position = resample_positions(tensor_of(camera.position_world), old, new)
    t = -(R @ position.unsqueeze(-1))[..., 0]
    return camera.replace(K=places(camera.K), R_camera_world=R.numpy(), t_camera_world=t.numpy())


class _Window(NamedTuple):
    """The frames round each time, column by column, nearest past ones first."""

    frame: Int[ndarray, "samples columns"]
    offset: Float[ndarray, "samples columns"]
    """In units of the window's half width."""
    weight: Float[ndarray, "samples columns"]
    """A triangle over the window."""

    @classmethod
    def of(cls, time_s: Float[ndarray, "frames"], at_s: Float[ndarray, "samples"]) -> "_Window":
        right = np.searchsorted(time_s, at_s, side="right").clip(1, len(time_s) - 1)
        # As wide as the frames lie apart, where that is wider.
        half = (time_s[right] - time_s[right - 1]).clip(1 / RATE_HZ, _LONGEST_S)
        first = np.searchsorted(time_s, at_s - half)
        last = np.searchsorted(time_s, at_s + half, side="right")
        columns = int((last - first).max())
        frame = first[:, None] + np.arange(columns)
        inside = frame < last[:, None]
        frame = frame.clip(0, len(time_s) - 1)
        offset = (time_s[frame] - at_s[:, None]) / half[:, None]
        weight = np.where(inside, (1 - np.abs(offset)).clip(0), 0.0)
        return cls(frame, offset, weight)

    def mean(
        self,
        values: Float[ndarray, "frames points axes"],
        confidence: Float[ndarray, "frames points"],
    ) -> tuple[Float[ndarray, "samples points axes"], Float[ndarray, "samples points"]]:
        """Weighted straight lines' values at the times, and mean confidences; NaN if unknown."""
        known = np.isfinite(values).all(-1) & np.isfinite(confidence)
        values = np.where(known[..., None], values, 0.0)
        confidence = np.where(known, confidence, 0.0)
        shape = (len(self.frame), values.shape[1])
        all_weight = self.weight.sum(-1)
        seen, sure = np.zeros(shape), np.zeros(shape)
        sums = np.zeros((3, *shape))
        x0, x1 = np.zeros((2, *shape, values.shape[2]))
        for frame, offset, weight in zip(self.frame.T, self.offset.T, self.weight.T, strict=True):
            here = weight[:, None] * known[frame]
            seen += here
            sure += here * confidence[frame]
            trust = here * confidence[frame].clip(_LEAST_TRUST)
            off = offset[:, None]
            sums += trust * np.stack((off**0, off, off**2))
            x0 += trust[..., None] * values[frame]
            x1 += (trust * off)[..., None] * values[frame]
        total = sums[0].clip(1e-12)
        spread = sums[0] * sums[2] - sums[1] ** 2
        sloped = spread > _FLAT * total**2
        line = sums[2][..., None] * x0 - sums[1][..., None] * x1
        line = line / np.where(sloped, spread, 1.0)[..., None]
        found = np.where(sloped[..., None], line, x0 / total[..., None])
        unknown = (seen < (_LEAST_SHARE - 1e-6) * all_weight[:, None]) | (seen <= 0)
        found[unknown] = np.nan
        sure = np.where(unknown, np.nan, sure / seen.clip(1e-12))
        return found, sure
