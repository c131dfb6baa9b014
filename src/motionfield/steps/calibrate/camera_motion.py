"""How large the unit of a tracked camera path is, by the feet that rest in the world.

A foot that rests moves in the camera's axes as the camera moves, and only as fast as the camera
does if the path has the right unit: ``slope(R_i^T p_i) + scale * slope(place_i) = 0``. Every short
window of every sole votes; feet that swing are outliers, so the unit is the one on which most
agree, refined by robust least squares.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import max_pool1d, normalize

from motionfield.core.errors import OptionError
from motionfield.data.camera_path import CameraPath
from motionfield.losses.contact import WINDOW_S, frames_within, windowed_slope

_CANDIDATES = 300
_ROUNDS = 20
_TURNS_ONLY = 1e-6
"""A camera whose places differ by less, in its own unit, only turns: its path needs no unit."""


@dataclass(frozen=True)
class CameraMotionConfig:
    """Errors of the speed of a resting sole, and when a scale is believed."""

    across_m_s: float = 0.1
    """Across the viewing ray: the detector's slow error."""
    along_per_s: float = 0.2
    """Along it, as a share of the distance: that of the person's size in the picture."""
    outlier_sds: float = 3.0
    """Geman-McClure scale: faster soles swing."""
    told_doubt: float = 0.5
    """A relative standard deviation beyond this is told. (It is a cautious one: estimates with 0.5
    were off by 0.2 on made takes.)"""
    most_doubt: float = 2.0
    """Beyond this it is no estimate."""
    least_share: float = 0.01
    """Nor is a scale at which fewer of the soles rest."""


class FirstCameraPath(NamedTuple):
    """A camera path in the axes of its first frame's camera."""

    R_first_camera: Float[Tensor, "frames 3 3"]
    place: Float[Tensor, "frames 3"]
    """The camera's centre."""

    def to_first(
        self, points_camera: Float[Tensor, "frames points 3"]
    ) -> Float[Tensor, "frames points 3"]:
        """Points in each frame's camera axes, seen from the first camera."""
        return points_camera @ self.R_first_camera.mT + self.place.unsqueeze(1)

    def extrinsics(self) -> tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames 3"]]:
        """R_camera_first and t_camera_first of every frame."""
        R = self.R_first_camera.mT
        return R, -(R @ self.place.unsqueeze(-1)).squeeze(-1)

    def moves(self) -> bool:
        """Whether any frame's camera is not where and as the first is."""
        turns = not torch.equal(self.R_first_camera, torch.eye(3).expand_as(self.R_first_camera))
        return turns or bool((self.place != 0).any())

    def scaled(self, scale: float) -> "FirstCameraPath":
        """The same path in a unit that is ``scale`` times as long."""
        return self._replace(place=scale * self.place)


class PathScale(NamedTuple):
    """Metres per unit of a camera path."""

    metres: float
    doubt: float
    """Relative standard deviation; 0 where the path needs no scale."""
    warning: str | None


def path_of(camera_motion: CameraPath | None, frames: int) -> FirstCameraPath:
    """The tracked path, or that of a camera that stands still.

    Raises:
        OptionError: the path has other frames than the keypoints.
    """
    if camera_motion is None:
        return FirstCameraPath(torch.eye(3).expand(frames, 3, 3), torch.zeros(frames, 3))
    if camera_motion.num_frames != frames:
        counts = f"{frames} frames of keypoints, {camera_motion.num_frames} of camera motion"
        raise OptionError(f"{counts}: give both for the same frames")
    first = camera_motion.R_camera_world[0].astype(np.float64)
    turns = first @ camera_motion.R_camera_world.astype(np.float64).transpose(0, 2, 1)
    places = camera_motion.position_world.astype(np.float64)
    places = (places - places[0]) @ first.T
    return FirstCameraPath(
        torch.tensor(turns, dtype=torch.float32), torch.tensor(places, dtype=torch.float32)
    )


def estimate_scale(
    soles_camera: Float[Tensor, "frames soles 3"],
    confidence: Float[Tensor, "frames soles"],
    path: FirstCameraPath,
    time_s: Float[Tensor, "frames"],
    config: CameraMotionConfig,
) -> PathScale:
    """Metres per unit of the path; 1, with a warning, where no feet tell.

    Args:
        soles_camera: the subject's soles in each frame's camera axes, metres; NaN where not seen.
        confidence: of each.
        path: in its own unit.
    """
    if float(path.place.norm(dim=-1).max()) < _TURNS_ONLY:
        return PathScale(1.0, 0.0, None)
    half = frames_within(WINDOW_S, time_s)
    turned = soles_camera @ path.R_first_camera.mT
    known = torch.isfinite(soles_camera).all(-1)
    sole = windowed_slope(torch.where(known[..., None], turned, torch.nan), time_s, half)
    camera = windowed_slope(path.place.unsqueeze(1), time_s, half).expand_as(sole)
    known = known & torch.isfinite(sole).all(-1) & torch.isfinite(camera).all(-1)
    ray = normalize(soles_camera, dim=-1) @ path.R_first_camera.mT
    distance = soles_camera.norm(dim=-1, keepdim=True)
    a, c = (_whitened(v, ray, distance, config).nan_to_num().double() for v in (sole, camera))
    # Neighbouring frames share their windows: together they say what one window says.
    weight = torch.where(known, confidence, 0.0).double() / (2 * half + 1)
    return _consensus(a, c, weight, half, config)


def _whitened(
    speed: Float[Tensor, "frames soles 3"],
    ray: Float[Tensor, "frames soles 3"],
    distance: Float[Tensor, "frames soles 1"],
    config: CameraMotionConfig,
) -> Float[Tensor, "frames soles 3"]:
    """In standard deviations, which are larger along the viewing ray."""
    along = (ray * speed).sum(-1, keepdim=True)
    across_sd = config.across_m_s
    along_sd = torch.hypot(torch.tensor(across_sd), config.along_per_s * distance)
    return (speed - along * ray) / across_sd + along * ray / along_sd


def _consensus(
    a: Float[Tensor, "frames soles 3"],
    c: Float[Tensor, "frames soles 3"],
    weight: Float[Tensor, "frames soles"],
    half: int,
    config: CameraMotionConfig,
) -> PathScale:
    """The scale s > 0 with the least robust sum of |a + s c|²."""
    unknown = PathScale(
        1.0,
        float("inf"),
        "the camera's path has no known scale, and no resting feet show it: it is taken as metres",
    )
    limit = config.outlier_sds**2
    power = c.square().sum(-1)

    def trust(scale: Tensor) -> Float[Tensor, "frames soles"]:
        """Squared Geman-McClure weight of the fastest moment around each."""
        squared = (a + scale * c).square().sum(-1)
        squared = torch.where(weight > 0, squared, 0.0)
        slowest = max_pool1d(squared.T, 2 * half + 1, 1, half).T
        return weight * (1 + slowest / limit) ** -2

    votes = (-(a * c).sum(-1) / power.clamp_min(1e-12))[weight > 0]
    votes = votes[votes > 0]
    if len(votes) == 0:
        return unknown
    shares = torch.linspace(0, 1, min(_CANDIDATES, len(votes)), dtype=votes.dtype)
    candidates = torch.quantile(votes, shares)
    scale = max(candidates, key=lambda candidate: float(trust(candidate).sum()))
    for _ in range(_ROUNDS):
        trusted = trust(scale)
        information = (trusted * power).sum().clamp_min(1e-12)
        scale = -(trusted * (a * c).sum(-1)).sum() / information
    doubt = float(1 / (information.sqrt() * scale.abs()))
    share = float(trusted.sum() / weight.sum())
    if float(scale) <= 0 or doubt > config.most_doubt or share < config.least_share:
        return unknown
    warning = None
    if doubt > config.told_doubt:
        warning = (
            f"the scale of the camera's path is in doubt (±{100 * doubt:.0f} %): "
            "few feet rest while it moves"
        )
    return PathScale(float(scale), doubt, warning)
