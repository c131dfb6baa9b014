"""Made cameras that move: hand-held behind the person, on a tripod, round the person, on a rail.

Every path is a smooth function of time: aims and places are the person's own path, averaged over a
fraction of a second, and the hand's shake is a sum of sinusoids in a band. So it is the same at
every frame rate, and a seed gives one path.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from motionfield.core.errors import OptionError
from motionfield.data.camera_path import CameraPath
from motionfield.worlds.cameras import CameraConfig, given_path, inside, look_at

_SHAKE_HZ: Final = (0.3, 6.0)
"""Band of a hand's shake: sway, steps and tremor; amplitudes fall with frequency."""
_WANDER_HZ: Final = (0.02, 0.15)
_AIM_HZ: Final = (0.05, 0.5)
_WAVES: Final = 24
_TRIES: Final = 30
_NEAREST_M: Final = 0.7
_FARTHER: Final = 1.12
_TRAVELS_M: Final = 1.5
"""A person who gets this far from the start is gone along with on rails."""


class _Person(NamedTuple):
    """What a camera operator goes by."""

    points: Float[ndarray, "frames points 3"]
    aim: Float[ndarray, "frames 3"]
    """Middle of the person, calmed."""
    carry: Float[ndarray, "frames 3"]
    """The same, calmer: where an operator on foot gets to."""
    time_s: Float[ndarray, "frames"]


class _Drawn(NamedTuple):
    """What is drawn once per camera; the distance then grows until the person is in the picture."""

    azimuth: float
    height: float
    roll: float
    focal: float
    speed: float
    """Of orbit (radians per second) or dolly (metres per second), with its sense."""
    rail: Float[ndarray, "3"]
    """Displacement from the first to the last place on the rail."""
    wander: Float[ndarray, "frames"]
    turns: Float[ndarray, "frames 3"]
    """Errors of the aim and the hand's turns, rotation vectors in camera axes."""
    shifts: Float[ndarray, "frames 3"]


def draw_moving_camera(
    points_world: Float[ndarray, "frames points 3"],
    fps: float,
    rng: np.random.Generator,
    config: CameraConfig,
) -> CameraPath:
    """A camera of ``config.kind`` that keeps the person in the picture in nearly all frames.

    Args:
        points_world: points of the person, metres, Z up.
        fps: frames per second.

    Raises:
        OptionError: no such camera keeps the person in the picture, or the kind does not move.
    """
    person = _watch(points_world.astype(np.float64), fps, config)
    distance = rng.uniform(*config.distance_m)
    drawn = _draw(person, rng, config)
    for _ in range(_TRIES):
        places = _places(person, drawn, distance, config)
        R = _aimed(places, person.aim, drawn)
        t = -np.einsum("tij,tj->ti", R, places)
        points_camera = np.einsum("tij,tpj->tpi", R, person.points) + t[:, None]
        framed = inside(points_camera, drawn.focal, config).all(-1).mean()
        near = points_camera[..., 2].min() < _NEAREST_M
        if framed >= config.moving.framed_share and not near:
            return given_path(R, t, drawn.focal, config)
        distance *= _FARTHER
    raise OptionError(f"no camera of kind {config.kind!r} keeps this motion in the picture")


def _watch(points: Float[ndarray, "frames points 3"], fps: float, config: CameraConfig) -> _Person:
    middle = (points.min(1) + points.max(1)) / 2
    aim, carry = (
        calmed(middle, seconds * fps) for seconds in (config.moving.aim_s, config.moving.carry_s)
    )
    return _Person(points, aim, carry, np.arange(len(points)) / fps)


def _draw(person: _Person, rng: np.random.Generator, config: CameraConfig) -> _Drawn:
    """All randomness, in one order for every kind."""
    moving, time_s = config.moving, person.time_s
    azimuth = rng.uniform(0, 2 * math.pi)
    height = rng.uniform(*config.height_m)
    roll = math.radians(rng.uniform(-config.roll_deg, config.roll_deg))
    view = math.radians(rng.uniform(*config.view_deg))
    sense = rng.choice((-1.0, 1.0))
    orbit = math.radians(rng.uniform(*moving.orbit_deg_per_s))
    rail = _rail(person, azimuth, rng, config)
    hand = {"follow": 1.0, "orbit": 1 / 3}.get(config.kind, 0.0)
    waves = band_limited(rng, time_s, 6, _SHAKE_HZ)
    wander = band_limited(rng, time_s, 1, _WANDER_HZ)[:, 0]
    aim = band_limited(rng, time_s, 2, _AIM_HZ)
    turns = hand * math.radians(moving.shake_deg) * waves[:, :3]
    turns[:, :2] += math.radians(moving.aim_deg) * aim
    return _Drawn(
        azimuth=azimuth,
        height=height,
        roll=roll,
        focal=config.longer_side / 2 / math.tan(view / 2),
        speed=sense * orbit,
        rail=rail,
        wander=math.radians(moving.wander_deg) * wander,
        turns=turns,
        shifts=hand * moving.shake_m * waves[:, 3:],
    )


def _rail(
    person: _Person, azimuth: float, rng: np.random.Generator, config: CameraConfig
) -> Float[ndarray, "3"]:
    """Along the person's way for one who travels, else of random direction and length."""
    travel = person.carry[-1] - person.carry[0]
    travel[2] = 0
    heading = rng.uniform(0, 2 * math.pi)
    length = rng.uniform(*config.moving.dolly_m_per_s) * person.time_s[-1]
    length = float(np.clip(length, *config.moving.dolly_m))
    if np.linalg.norm(travel) > _TRAVELS_M:
        return travel
    return length * np.array([math.cos(heading), math.sin(heading), 0.0])


def _places(
    person: _Person, drawn: _Drawn, distance: float, config: CameraConfig
) -> Float[ndarray, "frames 3"]:
    """Where the camera is in each frame."""
    frames, time_s = len(person.time_s), person.time_s
    start = person.points.reshape(-1, 3)
    middle = (start.min(0) + start.max(0)) / 2
    azimuth = np.full(frames, drawn.azimuth)
    if config.kind == "follow":
        centre, azimuth = person.carry, azimuth + drawn.wander
    elif config.kind == "orbit":
        centre, azimuth = person.carry, azimuth + drawn.speed * (time_s - time_s[-1] / 2)
    elif config.kind == "dolly":
        along = (time_s / max(float(time_s[-1]), 1e-9) - 0.5)[:, None]
        centre = middle + along * drawn.rail
    elif config.kind == "pan":
        centre = middle[None].repeat(frames, 0)
    else:
        raise OptionError(f"camera {config.kind!r} does not move")
    places = centre + distance * np.stack((np.cos(azimuth), np.sin(azimuth), 0 * azimuth), -1)
    places[:, 2] = drawn.height
    return places + drawn.shifts


def _aimed(
    places: Float[ndarray, "frames 3"], aim: Float[ndarray, "frames 3"], drawn: _Drawn
) -> Float[ndarray, "frames 3 3"]:
    """R_camera_world of a camera that looks at its aim, up to the hand's turns."""
    level = look_at(places, aim, drawn.roll)
    return Rotation.from_rotvec(drawn.turns).as_matrix() @ level


def calmed(values: Float[ndarray, "frames axes"], frames: float) -> Float[ndarray, "frames axes"]:
    """Gaussian mean over about ``frames`` frames that leaves steady motion as it is.

    Beyond the ends motion goes on as it began and ended (odd reflection).
    """
    if len(values) == 1 or frames <= 0:
        return values.copy()
    edge = min(len(values) - 1, math.ceil(4 * frames))
    longer = np.pad(values, ((edge, edge), (0, 0)), mode="reflect", reflect_type="odd")
    return gaussian_filter1d(longer, frames, axis=0, mode="nearest")[edge:-edge]


def band_limited(
    rng: np.random.Generator,
    time_s: Float[ndarray, "frames"],
    columns: int,
    band_hz: tuple[float, float],
) -> Float[ndarray, "frames columns"]:
    """Smooth noise of unit root mean square: sinusoids in a band, amplitudes as 1 / frequency."""
    low, high = band_hz
    frequency = low * (high / low) ** rng.random((_WAVES, columns))
    phase = rng.uniform(0, 2 * math.pi, (_WAVES, columns))
    amplitude = 1 / frequency
    amplitude *= math.sqrt(2) / np.linalg.norm(amplitude, axis=0)
    angle = 2 * math.pi * time_s[:, None, None] * frequency + phase
    return (amplitude * np.sin(angle)).sum(1)
