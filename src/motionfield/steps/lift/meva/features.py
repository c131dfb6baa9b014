"""What the keypoint network reads of each frame: the person as a crop shows it.

Crop axes are those of a camera at the same place that looks along the calmed ray to the person:
what is seen there does not depend on where in the picture the person stands, nor on the focal
length but through the size. docs/meva.md lists the numbers.
"""

from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.cameras import back_project
from motionfield.geometry.placement import turn_to_ray

RATE_HZ: Final = 30.0
"""Frames per second inside the network."""
WINDOW: Final = 90
"""Frames that it sees at a time."""
POINTS: Final = len(BLAZEPOSE_33.keypoint_names)
_LEAST_CONFIDENCE: Final = 0.1
"""Points below it do not say where the person is."""
_LEAST_POINTS: Final = 3
_CENTRE_S: Final = 0.15
_SIZE_S: Final = 0.4
"""Place and size of the crop are calmed over these times."""
_LEAST_SIZE: Final = 1e-3
_MOST: Final = 3.0
"""Numbers beyond this many units are cut: a point that far off is an accident."""
_MIRROR: Final = list(BLAZEPOSE_33.mirror)


class CropFeatures(NamedTuple):
    """One person at ``RATE_HZ``, or windows of it (a further leading dimension everywhere)."""

    points: Float[Tensor, "*windows frames 33 3"]
    """x, y on the plane z = 1 of crop axes in units of ``size``, confidence (0: not seen)."""
    coarse: Float[Tensor, "*windows frames 33 3"]
    """The detector's 3D, metres, crop axes, hips at zero; 0 where there is none."""
    coarse_known: Float[Tensor, "*windows frames"]
    """1 where there is coarse 3D."""
    path: Float[Tensor, "*windows frames 2"]
    """Where the crop's middle is: x / z and y / z in the camera."""
    size: Float[Tensor, "*windows frames"]
    """Larger side of the box round the person on the plane z = 1 of crop axes."""
    turning: Float[Tensor, "*windows frames 3"]
    """The camera's rotational velocity, rad/s, along crop axes."""
    turning_known: Float[Tensor, "*windows frames"]
    seen: Float[Tensor, "*windows frames"]
    """1 where enough points are seen."""
    R_camera_crop: Float[Tensor, "*windows frames 3 3"]

    @property
    def inputs(self) -> Float[Tensor, "*windows frames inputs"]:
        """One row of numbers of about unit size per frame; all finite."""
        confidence = self.points[..., 2:]
        known = self.coarse_known.unsqueeze(-1)
        size = self.size.unsqueeze(-1)
        rows = (
            (2 * self.points[..., :2] * (confidence > 0)).flatten(-2),
            confidence.flatten(-2),
            (2 * self.coarse * known.unsqueeze(-1)).flatten(-2),
            known,
            self.path,
            _rate(self.path) / size,
            size.log(),
            _rate(size.log()),
            self.turning * self.turning_known.unsqueeze(-1),
            self.turning_known.unsqueeze(-1),
            self.seen.unsqueeze(-1),
        )
        return torch.cat(rows, dim=-1).clamp(-_MOST, _MOST)

    def mirrored(self) -> "CropFeatures":
        """The same person in a mirror: sides exchanged, x turned round."""
        flip = self.points.new_tensor([-1.0, 1.0, 1.0])
        turn = self.points.new_tensor([1.0, -1.0, -1.0])
        return self._replace(
            points=self.points[..., _MIRROR, :] * flip,
            coarse=self.coarse[..., _MIRROR, :] * flip,
            path=self.path * flip[:2],
            turning=self.turning * turn,
            R_camera_crop=self.R_camera_crop * torch.outer(flip, flip),
        )


INPUTS: Final = POINTS * 6 + 12
"""Numbers per frame."""


def keypoint_features(
    keypoints_2d: Float[ndarray, "frames 33 3"],
    coarse_camera: Float[ndarray, "frames 33 3"] | None,
    K: Float[ndarray, "frames 3 3"],
    distortion: Float[ndarray, "5"],
    R_camera_world: Float[ndarray, "frames 3 3"],
) -> CropFeatures:
    """Features of one person.

    Args:
        keypoints_2d: BlazePose's points at ``RATE_HZ``: pixels and confidence; NaN: not seen.
        coarse_camera: the detector's 3D in crop axes, as ``Keypoints`` holds it.
        K, distortion, R_camera_world: the camera in each frame.
    """
    points = tensor_of(keypoints_2d)
    known = torch.isfinite(points).all(-1)
    confidence = torch.where(known, points[..., 2], 0.0).clamp(0, 1)
    pixels = torch.where(known.unsqueeze(-1), points[..., :2], 0.0)
    rays = back_project(pixels, tensor_of(K), tensor_of(distortion))
    firm = known & (confidence > _LEAST_CONFIDENCE)
    seen = firm.sum(-1) >= _LEAST_POINTS
    path = _calmed(_middle(rays[..., :2], firm), seen, _CENTRE_S)
    R_camera_crop = turn_to_ray(torch.cat((path, torch.ones(len(path), 1)), dim=-1))
    turned = rays @ R_camera_crop
    xy = turned[..., :2] / turned[..., 2:].clamp_min(0.1)
    side = _box(xy, firm)[1].amax(-1).clamp_min(_LEAST_SIZE)
    size = _calmed(side.log().unsqueeze(-1), seen, _SIZE_S)[..., 0].exp()
    crop = torch.cat((xy / size[:, None, None], confidence.unsqueeze(-1)), dim=-1)
    crop = torch.where((confidence > 0).unsqueeze(-1), crop, 0.0)
    coarse, coarse_known = _coarse(coarse_camera, crop)
    return CropFeatures(
        points=crop,
        coarse=coarse,
        coarse_known=coarse_known,
        path=path,
        size=size,
        turning=_turning(tensor_of(R_camera_world), R_camera_crop),
        turning_known=torch.ones(len(path)),
        seen=seen.float(),
        R_camera_crop=R_camera_crop,
    )


def _coarse(
    coarse_camera: Float[ndarray, "frames 33 3"] | None, crop: Float[Tensor, "frames 33 3"]
) -> tuple[Float[Tensor, "frames 33 3"], Float[Tensor, "frames"]]:
    if coarse_camera is None:
        return torch.zeros_like(crop), torch.zeros(len(crop))
    coarse = tensor_of(coarse_camera)
    known = torch.isfinite(coarse).all(-1).all(-1)
    return torch.where(known[:, None, None], coarse, 0.0), known.float()


def _turning(
    R_camera_world: Float[Tensor, "frames 3 3"], R_camera_crop: Float[Tensor, "frames 3 3"]
) -> Float[Tensor, "frames 3"]:
    """The camera's own turning in the world, along crop axes."""
    if len(R_camera_world) < 2:
        return torch.zeros(len(R_camera_world), 3)
    step = roma.rotmat_to_rotvec(R_camera_world[:-1] @ R_camera_world[1:].mT) * RATE_HZ
    step = torch.cat((step, step[-1:]))
    return (R_camera_crop.mT @ step.unsqueeze(-1))[..., 0]


def _box(
    xy: Float[Tensor, "frames points 2"], firm: Bool[Tensor, "frames points"]
) -> tuple[Float[Tensor, "frames 2"], Float[Tensor, "frames 2"]]:
    """Middle and sides; zeros where nothing is seen."""
    any_seen = firm.any(-1, keepdim=True)
    high = torch.where(firm.unsqueeze(-1), xy, -torch.inf).amax(1)
    low = torch.where(firm.unsqueeze(-1), xy, torch.inf).amin(1)
    zero = torch.zeros_like(high)
    return (
        torch.where(any_seen, (high + low) / 2, zero),
        torch.where(any_seen, high - low, zero),
    )


def _middle(
    xy: Float[Tensor, "frames points 2"], firm: Bool[Tensor, "frames points"]
) -> Float[Tensor, "frames 2"]:
    return _box(xy, firm)[0]


def _calmed(
    values: Float[Tensor, "frames n"], seen: Bool[Tensor, "frames"], seconds: float
) -> Float[Tensor, "frames n"]:
    """Gaps bridged by straight lines, then averaged over about ``seconds``."""
    if not bool(seen.any()):
        return torch.zeros_like(values)
    at = np.arange(len(values))
    good = seen.numpy()
    bridged = [np.interp(at, at[good], column[good]) for column in values.double().numpy().T]
    calm = gaussian_filter1d(np.stack(bridged, -1), seconds * RATE_HZ, axis=0, mode="nearest")
    return torch.from_numpy(calm).float()


def _rate(values: Float[Tensor, "*windows frames n"]) -> Float[Tensor, "*windows frames n"]:
    """Change per second; the last frame repeats its predecessor's."""
    if values.shape[-2] < 2:
        return torch.zeros_like(values)
    step = values.diff(dim=-2) * RATE_HZ
    return torch.cat((step, step[..., -1:, :]), dim=-2)
