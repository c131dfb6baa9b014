"""What a camera tracker would have found of a moving camera: its path with the tracker's errors.

Monocular trackers give the path in the axes of their first camera, in a unit of length of their
own, and drift: errors of successive steps add up to a random walk, of the size of the unit too.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation

from motionfield.core.history import step
from motionfield.data.camera_path import CameraPath

_TRAVELS_M: Final = 0.01
"""A camera that stays this near its first place is taken for one that only turns."""


@dataclass(frozen=True)
class DriftConfig:
    """How wrong a tracked camera path is. ``EXACT`` has no errors at all."""

    rotation_deg: float = 0.75
    """Drift of the rotation: angle after ten seconds, root mean square; grows as a random walk."""
    path_share: float = 0.01
    """Drift of the place after ten metres travelled, as a share of them; likewise."""
    size_share: float = 0.02
    """Drift of the unit of length over ten metres travelled; likewise."""
    jitter_deg: float = 0.02
    """White error of the rotation, about each axis."""
    jitter_m: float = 0.002
    """White error of the place, along each axis, in true metres; none for one that only turns."""
    scale: tuple[float, float] = (0.2, 5.0)
    """Range of the tracker's units per metre, drawn log-uniformly."""


EXACT: Final = DriftConfig(0, 0, 0, 0, 0, (1.0, 1.0))


def drifted(
    camera: CameraPath, fps: float, rng: np.random.Generator, config: DriftConfig = DriftConfig()
) -> CameraPath:
    """The path as a tracker estimates it, in the axes of the first frame's camera.

    The first camera is at the origin with the identity as rotation (so Z is not up:
    ``gravity_source`` is "assumed"), lengths are in the tracker's unit (``scale_source`` is
    "assumed"). With ``EXACT`` relative rotations and places are the true ones. The lens is the
    true camera's.

    Args:
        camera: the true path, metres.
        fps: frames per second; drift is as fast at every rate.
    """
    seconds = 1 / fps
    places = camera.position_world.astype(np.float64)
    first = camera.R_camera_world[0].astype(np.float64)
    R = camera.R_camera_world.astype(np.float64) @ first.T
    c = (places - places[0]) @ first.T
    travels = bool(np.linalg.norm(c, axis=-1).max() > _TRAVELS_M)
    c *= travels
    # One draw of everything, whatever the config, so that options do not reshuffle the rest.
    low, high = (math.log(bound) for bound in config.scale)
    unit = math.exp(rng.uniform(low, high))
    turn, shift, shake, tremble = rng.normal(size=(4, len(R), 3))
    growth = rng.normal(size=len(R))

    per_step = math.radians(config.rotation_deg) * math.sqrt(seconds / 10 / 3)
    turned = Rotation.from_rotvec(_walk(per_step * turn)).as_matrix() @ R
    # A tracker measures each step in its camera's axes, so wrong turns bend the path.
    steps = np.diff(c, axis=0, prepend=c[:1])
    metres = np.linalg.norm(steps, axis=-1)
    steps = np.einsum("tji,tjk,tk->ti", turned, R, steps)
    size = np.exp(_walk(config.size_share * np.sqrt(metres / 10) * growth))
    off = 10 * config.path_share * np.sqrt(metres / 10 / 3)[:, None] * shift
    wrong = np.cumsum(size[:, None] * steps + off, axis=0)
    jitter = math.radians(config.jitter_deg) * (shake - shake[:1])
    turned = Rotation.from_rotvec(jitter).as_matrix() @ turned
    wrong += travels * config.jitter_m * (tremble - tremble[:1])
    t = -np.einsum("tij,tj->ti", turned, unit * wrong)
    return camera.replace(
        step("drifted", config, unit=unit),
        R_camera_world=turned.astype(np.float32),
        t_camera_world=t.astype(np.float32),
        gravity_source="assumed",
        gravity_doubt_deg=90.0,
        scale_source="assumed",
        scale_range=(1 / config.scale[1], 1 / config.scale[0]),
    )


def _walk(steps: Float[ndarray, "frames *axes"]) -> Float[ndarray, "frames *axes"]:
    """Random walk that starts at zero."""
    return np.cumsum(steps, axis=0) - steps[:1]
