"""Shadows on the ground lie opposite of the light, where geometry puts them."""

import numpy as np
import pytest

from motionfield.rendering import Mesh, RayScene, look_at
from motionfield.rendering.ground import shadow_on_ground
from rendering.meshes import sphere


@pytest.mark.parametrize("light", [(0.5, 0.2, 1.0), (-0.8, 0.3, 0.9), (0.0, 0.0, 1.0)])
def test_shadow_of_a_ball(light: tuple[float, float, float]) -> None:
    towards = np.array(light)
    scene = RayScene([sphere((0.3, -0.2, 0.8), 0.25)])
    view = look_at((0.01, -0.2, 6.0), (0.0, 0.0, 0.0), (400, 400), 50.0)
    box, shade = shadow_on_ground(scene, view, towards)
    expected = np.array((0.3, -0.2, 0.0)) - 0.8 / towards[2] * np.array((*towards[:2], 0.0))
    pixel, _ = view.pixels_of(expected[None])
    rows, columns = np.nonzero(shade > 0.5)
    middle = np.array((columns.mean() + box.x0 + 0.5, rows.mean() + box.y0 + 0.5))
    assert np.linalg.norm(middle - pixel[0]) < 3


def test_a_blurred_shadow_is_not_cut_off() -> None:
    scene = RayScene([sphere((0.0, 0.0, 0.8), 0.25)])
    view = look_at((0.01, -0.2, 6.0), (0.0, 0.0, 0.0), (400, 400), 50.0)
    _, shade = shadow_on_ground(scene, view, np.array((0.3, 0.2, 1.0)), blur=8.0)
    rim = np.concatenate((shade[0], shade[-1], shade[:, 0], shade[:, -1]))
    assert rim.max() < 0.02 * shade.max()


def test_nothing_shades_nothing() -> None:
    view = look_at((0.0, -3.0, 2.0), (0.0, 0.0, 0.0), (80, 60))
    empty = RayScene([Mesh(np.empty((0, 3)), np.empty((0, 3), int))])
    box, shade = shadow_on_ground(empty, view, np.array((0.0, 0.0, 1.0)))
    assert box.empty
    assert shade.size == 0
