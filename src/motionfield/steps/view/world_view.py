"""The world from a camera that stands still and sees the whole path."""

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from motionfield.rendering import (
    Ground,
    RayScene,
    Shading,
    View,
    ground_picture,
    look_at,
    render_layer,
)
from motionfield.rendering.drawing import Colour, draw_lines
from motionfield.rendering.ground import cast_shadow
from motionfield.steps.view.looks import UNSEEN_COLOUR

ELEVATION_DEG = 17.0
VERTICAL_VIEW_DEG = 32.0
SIDE_STEP_DEG = 48.0
"""How far the world's camera stands to the side of the one that filmed."""
MARGIN = 1.12
"""Room round the path, as a factor on the distance."""


def world_camera(
    points_world: Float[ndarray, "points 3"],
    filmed_from_world: Float[ndarray, "3"],
    size: tuple[int, int],
) -> View:
    """A camera that sees all points, from the side that shows more of the path.

    It stands to the left or right of the direction from which the scene was filmed; ``size``
    is (width, height) in pixels.
    """
    low, high = points_world.min(0), points_world.max(0)
    centre = (low + high) / 2
    away = filmed_from_world[:2] - centre[:2]
    azimuth = np.arctan2(away[1], away[0]) if np.linalg.norm(away) > 1e-3 else -np.pi / 2
    sides = [azimuth + sign * np.deg2rad(SIDE_STEP_DEG) for sign in (1, -1)]
    side = max(sides, key=lambda a: _extent_across(points_world, a))
    elevation = np.deg2rad(ELEVATION_DEG)
    backward = np.array(
        [np.cos(side) * np.cos(elevation), np.sin(side) * np.cos(elevation), np.sin(elevation)]
    )
    distance = 1.0
    for _ in range(3):
        view = look_at(centre + distance * backward, centre, size, VERTICAL_VIEW_DEG)
        distance, shift = _fitted(points_world, centre, view)
        centre = centre + shift
    return look_at(centre + distance * backward, centre, size, VERTICAL_VIEW_DEG)


def _extent_across(points_world: ndarray, azimuth: float) -> float:
    across = points_world[:, :2] @ np.array([-np.sin(azimuth), np.cos(azimuth)])
    return float(np.ptp(across))


def _fitted(points_world: ndarray, centre: ndarray, view: View) -> tuple[float, ndarray]:
    """Distance at which all points fit, and the shift that centres their outline."""
    seen = (points_world - centre) @ view.R_camera_world.T
    tangents = np.array([view.width / 2 / view.K[0, 0], view.height / 2 / view.K[1, 1]])
    near = (np.abs(seen[:, :2]) / tangents).max(-1) - seen[:, 2]
    distance = max(float(near.max()) * MARGIN, 2.0)
    outline = seen[:, :2] / (seen[:, 2:] + distance)
    middle = (outline.max(0) + outline.min(0)) / 2 * distance
    return distance, middle @ view.R_camera_world[:2]


class WorldView:
    """Draws bodies into a fixed picture of the ground, with their paths."""

    def __init__(self, view: View, ground: Ground | None = None) -> None:
        self.view = view
        self._ground = ground or Ground()
        self._empty = ground_picture(view, self._ground)

    def add_path(self, root_world: Float[ndarray, "frames 3"], colour: Colour) -> None:
        """Draw a whole path on the empty ground, faintly."""
        red, green, blue = (round(0.35 * c + 0.65 * 205) for c in colour)
        draw_lines(self._empty, self.on_ground(root_world), (red, green, blue), 1)

    def on_ground(self, root_world: Float[ndarray, "frames 3"]) -> Float[ndarray, "frames 2"]:
        """Pixels of the points' feet on the ground."""
        return self.view.pixels_of(root_world * (1.0, 1.0, 0.0))[0]

    def picture(
        self, scene: RayScene, shading: Shading, paths: list["PathSoFar"]
    ) -> UInt8[ndarray, "height width 3"]:
        """The scene on the ground, with the paths gone so far."""
        picture = self._empty.copy()
        cast_shadow(picture, scene, self.view, self._ground)
        for path in paths:
            path.draw(picture)
        render_layer(scene, self.view, shading, ground_m=0.0).blend_onto(picture)
        return picture


class PathSoFar:
    """The way of a person on the ground up to now; carried-over parts in their own colour."""

    def __init__(
        self,
        pixels: Float[ndarray, "frames 2"],
        observed: Bool[ndarray, "frames"],
        colour: Colour,
    ) -> None:
        self._pixels, self._observed, self._colour = pixels, observed, colour

    def draw(self, picture: UInt8[ndarray, "height width 3"]) -> None:
        draw_lines(picture, self._pixels, self._colour, 2)
        if not self._observed.all():
            # A step belongs to the unseen part where either of its ends does.
            unseen = ~self._observed
            unseen[:-1] |= ~self._observed[1:]
            unseen[1:] |= ~self._observed[:-1]
            draw_lines(picture, np.where(unseen[:, None], self._pixels, np.nan), UNSEEN_COLOUR, 2)
