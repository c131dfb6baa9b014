"""What stands round the person: houses, trees, fences and people's things, or a hall."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import trimesh
from jaxtyping import Float
from numpy import ndarray

from motionfield.rendering.ray_casting import Mesh, RayScene
from motionfield.worlds.avatars.ground_paint import GroundPaint, draw_ground
from motionfield.worlds.avatars.light import Light, draw_light
from motionfield.worlds.avatars.noise import NoisePlane

SurfaceKind = Literal["plaster", "bricks", "windows", "planks", "leaves", "poster"]
SURFACES: Final[tuple[SurfaceKind, ...]] = (
    "plaster",
    "bricks",
    "windows",
    "planks",
    "leaves",
    "poster",
)


@dataclass(frozen=True, eq=False)
class Thing:
    """A mesh with a surface."""

    mesh: Mesh
    kind: SurfaceKind
    colour: Float[ndarray, "3"]
    """Linear."""
    second: Float[ndarray, "3"]
    cell_m: float
    """Size of what repeats on it."""
    shift: float
    """Where the repetition begins."""


class Surroundings(NamedTuple):
    """A place. The person and all cameras are inside ``reach_m`` of ``centre``."""

    things: tuple[Thing, ...]
    scene: RayScene
    ground: GroundPaint
    light: Light
    noise: NoisePlane
    indoors: bool
    sky: Float[ndarray, "2 3"]
    """Colours of the horizon and of the zenith, linear."""
    cloud: float
    centre: Float[ndarray, "2"]
    reach_m: float


def draw_surroundings(
    rng: np.random.Generator, centre: Float[ndarray, "2"], reach_m: float
) -> Surroundings:
    """A place at random; nothing stands inside the reach.

    Args:
        centre: x and y of its middle, metres.
        reach_m: radius that stays free for the person and the cameras.
    """
    indoors = bool(rng.random() < 0.35)
    light = draw_light(rng, indoors)
    ground = draw_ground(rng, indoors)
    things = _hall(rng, centre, reach_m) if indoors else _outdoors(rng, centre, reach_m)
    grey = rng.random()
    zenith = np.array((0.18, 0.36, 0.75)) * (1 - grey) + np.array((0.62, 0.66, 0.72)) * grey
    horizon = np.array((0.62, 0.74, 0.86)) * (1 - grey) + np.array((0.78, 0.79, 0.80)) * grey
    return Surroundings(
        things=tuple(things),
        scene=RayScene([thing.mesh for thing in things]),
        ground=ground,
        light=light,
        noise=NoisePlane(rng, slope=1.0),
        indoors=indoors,
        sky=np.stack((horizon, zenith)),
        cloud=float(rng.uniform(0, 0.5)),
        centre=np.asarray(centre, float),
        reach_m=float(reach_m),
    )


def _outdoors(rng: np.random.Generator, centre: ndarray, reach_m: float) -> list[Thing]:
    things = []
    for _ in range(rng.integers(10, 17)):
        place = _somewhere(rng, centre, reach_m + 7, reach_m + 30)
        size = rng.uniform((5, 4, 3), (14, 9, 11))
        kind: SurfaceKind = ("windows", "windows", "bricks", "plaster")[rng.integers(4)]
        things.append(_box(rng, place, size, kind))
    for _ in range(rng.integers(20, 36)):
        things += _tree(rng, _somewhere(rng, centre, reach_m + 2, reach_m + 24))
    for _ in range(rng.integers(14, 24)):
        place = _somewhere(rng, centre, reach_m + 0.7, reach_m + 9)
        size = rng.uniform((0.4, 0.3, 0.5), (1.2, 0.9, 1.6))
        kind = ("planks", "leaves", "poster", "bricks", "windows")[rng.integers(5)]
        things.append(_box(rng, place, size, kind))
    for _ in range(rng.integers(5, 12)):
        angle, away = rng.uniform(0, 2 * np.pi), reach_m + rng.uniform(1.0, 8.0)
        place = centre + away * np.array((np.cos(angle), np.sin(angle)))
        size = rng.uniform((0.08, 2.5, 0.7), (0.4, 9.0, 2.2))
        kind = ("planks", "leaves", "bricks", "poster")[rng.integers(4)]
        things.append(_box(rng, place, size, kind, angle))
    return things


def _hall(rng: np.random.Generator, centre: ndarray, reach_m: float) -> list[Thing]:
    half, height = reach_m + 1.0 + rng.uniform(0, 4), rng.uniform(3.5, 7)
    wall: SurfaceKind = ("plaster", "bricks", "planks")[rng.integers(3)]
    look = _look(rng, wall)
    things = []
    for angle in np.arange(4) * np.pi / 2:
        away = np.array((np.cos(angle), np.sin(angle)))
        place = centre + away * (half + 0.25)
        things.append(_box(rng, place, (0.5, 2 * half + 1, height), wall, angle, look))
        for _ in range(rng.integers(3, 7)):
            along = rng.uniform(-half, half) * np.array((-away[1], away[0]))
            size = rng.uniform((0.1, 0.6, 0.5), (0.1, 2.4, 1.6))
            low = rng.uniform(0.6, max(0.7, height - 1.8))
            things.append(_box(rng, centre + away * half + along, size, "poster", angle, lift=low))
        for _ in range(rng.integers(1, 4)):
            along = rng.uniform(-half, half) * np.array((-away[1], away[0]))
            size = rng.uniform((0.4, 0.5, 0.4), (0.8, 2.2, 1.9))
            kind: SurfaceKind = ("planks", "plaster", "windows")[rng.integers(3)]
            things.append(_box(rng, centre + away * (half - 0.5) + along, size, kind, angle))
    roof = (2 * half + 2, 2 * half + 2, 0.3)
    things.append(_box(rng, centre, roof, "planks", lift=height))
    return things


def _somewhere(rng: np.random.Generator, centre: ndarray, near: float, far: float) -> ndarray:
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(near, far)
    return centre + away * np.array((np.cos(angle), np.sin(angle)))


def _look(rng: np.random.Generator, kind: SurfaceKind) -> tuple[ndarray, ndarray, float]:
    """Two colours and the size of what repeats."""
    if kind == "leaves":
        green = np.array((0.06, 0.14, 0.04)) * rng.uniform(0.6, 1.7) + rng.uniform(0, 0.03, 3)
        return green, green * 2.2, float(rng.uniform(0.5, 1.2))
    base = rng.uniform(0.12, 0.62) * (1 + rng.uniform(-0.28, 0.28, 3))
    if kind == "bricks":
        base = np.array((0.30, 0.13, 0.09)) * rng.uniform(0.7, 1.8) + rng.uniform(0, 0.1)
    if kind == "planks":
        base = np.array((0.30, 0.20, 0.12)) * rng.uniform(0.5, 1.8) + rng.uniform(0, 0.1)
    second = np.array((0.06, 0.07, 0.09)) if kind == "windows" else rng.uniform(0.05, 0.8, 3)
    sizes = {
        "bricks": (0.2, 0.35),
        "windows": (1.6, 3.2),
        "planks": (0.1, 0.35),
        "poster": (0.08, 0.4),
    }
    return base, second, float(rng.uniform(*sizes.get(kind, (1.0, 3.0))))


def _box(
    rng: np.random.Generator,
    place: Float[ndarray, "2"],
    size: ndarray | tuple[float, float, float],
    kind: SurfaceKind,
    turn: float | None = None,
    look: tuple[ndarray, ndarray, float] | None = None,
    lift: float = 0.0,
) -> Thing:
    """A box on the ground (or lifted), turned about the upright axis."""
    turn = rng.uniform(0, np.pi) if turn is None else turn
    box = trimesh.creation.box(extents=np.asarray(size, float))
    cos, sin = np.cos(turn), np.sin(turn)
    corners = np.array(box.vertices) @ np.array(((cos, sin, 0), (-sin, cos, 0), (0, 0, 1)))
    corners += (place[0], place[1], lift + size[2] / 2)
    # Corners are not shared, so that every side has a normal of its own.
    faces = np.array(box.faces)
    mesh = Mesh(corners[faces.reshape(-1)], np.arange(faces.size).reshape(-1, 3))
    colour, second, cell = look if look is not None else _look(rng, kind)
    return Thing(mesh, kind, colour, second, cell, float(rng.uniform(0, 3)))


def _tree(rng: np.random.Generator, place: Float[ndarray, "2"]) -> list[Thing]:
    height = rng.uniform(2.5, 8)
    wide = 0.12 + 0.03 * height
    trunk = _box(rng, place, (wide, wide, 0.6 * height), "planks")
    leaves = _look(rng, "leaves")
    things = [trunk]
    for _ in range(rng.integers(2, 5)):
        ball = trimesh.creation.icosphere(subdivisions=3, radius=rng.uniform(0.2, 0.36) * height)
        points = np.array(ball.vertices)
        points *= (1 + 0.12 * np.sin(points @ rng.uniform(2, 6, (3, 3))).sum(1))[:, None]
        middle = (*(place + rng.uniform(-0.16, 0.16, 2) * height), height * rng.uniform(0.6, 0.9))
        mesh = Mesh(points + middle, np.array(ball.faces))
        things.append(Thing(mesh, "leaves", *leaves, shift=float(rng.uniform(0, 3))))
    return things
