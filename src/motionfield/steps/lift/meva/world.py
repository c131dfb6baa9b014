"""Where the root joint is in the world: one least-squares path through all that tells of it.

The picture shows the place across the viewing ray, and by the person's size the distance; the
network says how the root moves, and which foot rests; what rests stays, and lies on the ground.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.steps.lift.meva.banded import BandedPath, geman_mcclure
from motionfield.steps.lift.meva.config import RootPathConfig

_NEAREST_M = 0.1
_FAINT = 1e-6
"""Precision that holds what nothing else tells: the first place of a path of which no frame is
seen."""


class PathEvidence(NamedTuple):
    """All that tells of the root's way; world axes, metres; the root joint is the unknown."""

    place: Float[Tensor, "frames 3"]
    """Where the picture has the root; NaN: not seen."""
    depth_sd: Float[Tensor, "frames"]
    """Error of its distance, as a share of it."""
    camera_place: Float[Tensor, "frames 3"]
    velocity: Float[Tensor, "frames 3"]
    """The network's, m/s."""
    soles: Float[Tensor, "frames soles 3"]
    """Points of the soles from the root."""
    rest: Float[Tensor, "frames soles"]
    """Probability that each rests."""
    sole_height: Float[Tensor, "soles"]
    """Height of each above the ground when standing."""
    rate_hz: float
    ground_doubt_m: float = 0.0
    """How far the ground may be from z = 0 where the person goes, beside ``ground_sd_m``."""


class RootPath(NamedTuple):
    """The path, and how sure it is."""

    place: Float[Tensor, "frames 3"]
    """World, metres."""
    std: Float[Tensor, "frames 3"]
    """Standard deviation along each of the world's axes."""


def solve_path(evidence: PathEvidence, config: RootPathConfig) -> RootPath:
    """The likeliest way of the root joint.

    Terms, each with its own error (``RootPathConfig``): the place in the picture, across and along
    the viewing ray; the velocity, and its change, against the network's; points of the soles that
    rest stay where they are, and at their height above the ground z = 0. Outliers lose weight in
    a few rounds (Geman-McClure). Frames in which nobody is seen follow from the others.
    """
    problem = _Problem(evidence, config)
    place = problem.solve()
    return RootPath(
        torch.from_numpy(place).to(evidence.velocity), problem.std().to(evidence.velocity)
    )


class _Problem:
    """The terms as numpy arrays, float64."""

    def __init__(self, evidence: PathEvidence, config: RootPathConfig) -> None:
        self._config = config
        self._rate = evidence.rate_hz
        place = evidence.place.double().numpy()
        self._seen = np.isfinite(place).all(-1)
        camera = evidence.camera_place.double().numpy()
        self._place = np.where(self._seen[:, None], place, camera)
        sight = self._place - camera
        self._distance = np.linalg.norm(sight, axis=-1).clip(_NEAREST_M)
        self._ray = sight / self._distance[:, None]
        self._depth_sd_m = evidence.depth_sd.double().numpy() * self._distance
        self._across_sd_m = config.across_sd * self._distance
        velocity = evidence.velocity.double().numpy()
        self._step = (velocity[1:] + velocity[:-1]) / 2 / self._rate
        soles = evidence.soles.double().numpy()
        self._rest = evidence.rest.double().numpy()
        self._rest_step = self._rest[1:] * self._rest[:-1]
        self._sole_step = -np.diff(soles, axis=0)
        self._ground_sd_m = float(np.hypot(config.ground_sd_m, evidence.ground_doubt_m))
        self._root_height = evidence.sole_height.double().numpy() - soles[..., 2]

    def solve(self) -> Float[ndarray, "frames 3"]:
        found = self._place
        trust = self._first_trust()
        for _ in range(self._config.rounds):
            found = self._least_squares(*trust)
            trust = self._trusts(found)
        return found

    def std(self) -> Float[Tensor, "frames 3"]:
        """Errors of the place in the picture, growing into gaps as the velocity's."""
        config = self._config
        frames = np.arange(len(self._seen))
        if not self._seen.any():
            return torch.full((len(frames), 3), torch.nan)
        seen = frames[self._seen]
        after = np.searchsorted(seen, frames).clip(0, len(seen) - 1)
        nearest = np.where(
            np.abs(seen[after] - frames) < np.abs(seen[after - 1] - frames),
            seen[after],
            seen[after - 1],
        )
        nearest = np.where(self._seen, frames, nearest)
        lost = config.velocity_sd_m_s * np.abs(frames - nearest) / self._rate
        ray = self._ray[nearest]
        along, across = self._depth_sd_m[nearest, None], self._across_sd_m[nearest, None]
        variance = across**2 + (along**2 - across**2) * ray**2 + lost[:, None] ** 2
        return torch.from_numpy(np.sqrt(variance))

    # --- one round ----------------------------------------------------------------------------

    def _first_trust(self) -> tuple[ndarray, ndarray, ndarray]:
        """Feet are not believed before it is known about how they move."""
        return self._seen.astype(float), 0 * self._rest_step, self._rest

    def _trusts(self, found: Float[ndarray, "frames 3"]) -> tuple[ndarray, ndarray, ndarray]:
        """Weights of places, of steps of resting points, and of their heights."""
        config = self._config
        off = found - self._place
        along = (off * self._ray).sum(-1)
        across = np.linalg.norm(off - along[:, None] * self._ray, axis=-1)
        sds = np.hypot(
            along / self._depth_sd_m,
            across / self._across_sd_m,
        )
        slide = np.diff(found, axis=0)[:, None] - self._sole_step
        speed = np.linalg.norm(slide, axis=-1) * self._rate
        height = found[:, None, 2] - self._root_height
        return (
            self._seen * geman_mcclure(sds / config.outlier_sds),
            self._rest_step * geman_mcclure(speed / config.outlier_slide_m_s),
            self._rest * geman_mcclure(height / config.outlier_ground_m),
        )

    def _least_squares(
        self,
        seen: Float[ndarray, "frames"],
        rest_step: Float[ndarray, "steps soles"],
        rest: Float[ndarray, "frames soles"],
    ) -> Float[ndarray, "frames 3"]:
        config = self._config
        path = BandedPath(len(self._place))
        path.add_places(self._place_precision(seen), self._place)
        # Resting points count as one: an error of the pose is common to them.
        share = rest / rest.sum(-1, keepdims=True).clip(1)
        ground = self._precision(self._ground_sd_m, config.ground_lasts_s)
        path.add_heights(share * ground, self._root_height)
        moving = self._precision(config.velocity_sd_m_s / self._rate, config.velocity_lasts_s)
        path.add_steps(np.full((len(self._step), 1), moving), self._step[:, None])
        path.add_steps(rest_step * (self._rate / config.slide_sd_m_s) ** 2, self._sole_step)
        bending = (self._rate**2 / config.acceleration_sd_m_s2) ** 2
        path.add_bends(bending, np.diff(self._step, axis=0))
        return path.solve()

    def _place_precision(self, seen: Float[ndarray, "frames"]) -> Float[ndarray, "frames 3 3"]:
        config = self._config
        across = self._precision(1.0, config.across_lasts_s) / self._across_sd_m**2
        along = self._precision(1.0, config.depth_lasts_s) / self._depth_sd_m**2
        outer = self._ray[:, :, None] * self._ray[:, None, :]
        matrix = across[:, None, None] * (np.eye(3) - outer) + along[:, None, None] * outer
        return seen[:, None, None] * matrix + _FAINT * np.eye(3)

    def _precision(self, sd: float, lasts_s: float) -> float:
        """Of one frame, where so many frames share an error."""
        return 1 / sd**2 / max(1.0, lasts_s * self._rate)
