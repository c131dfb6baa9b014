"""Cutting a mesh: what is kept has the right area, the right side and its rim on the line."""

import numpy as np
import pytest
import trimesh
from jaxtyping import Float
from numpy import ndarray

from motionfield.worlds.avatars.cut import Cut, cut_mesh

_BALL = trimesh.creation.icosphere(subdivisions=3)
_VERTICES = np.array(_BALL.vertices)
_FACES = np.array(_BALL.faces)


def _area_vector(vertices: Float[ndarray, "v 3"], cut: Cut) -> Float[ndarray, "faces 3"]:
    a, b, c = (vertices[cut.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a) / 2


def test_all_inside_is_the_mesh_itself() -> None:
    cut = cut_mesh(_FACES, np.full(len(_VERTICES), -1.0))
    assert (cut.carry(_VERTICES)[cut.faces] == _VERTICES[_FACES]).all()


def test_nothing_inside_is_nothing() -> None:
    cut = cut_mesh(_FACES, np.ones(len(_VERTICES)))
    assert len(cut.faces) == len(cut.first) == 0


@pytest.mark.parametrize("height", [-0.6, 0.013, 0.5])
def test_a_cap_of_a_ball(height: float) -> None:
    value = height - _VERTICES[:, 2]
    cut = cut_mesh(_FACES, value)
    kept = cut.carry(_VERTICES)
    assert kept[:, 2].min() == pytest.approx(height, abs=1e-9)
    area = _area_vector(kept, cut)
    # Area of a cap is 2 pi (1 - height); the ball of triangles is a little smaller.
    assert np.linalg.norm(area, axis=1).sum() == pytest.approx(2 * np.pi * (1 - height), rel=0.02)
    outward = np.einsum("fx,fx->f", area, kept[cut.faces].mean(1))
    assert (outward > 0).all()


def test_both_parts_make_the_whole() -> None:
    value = np.sin(3 * _VERTICES[:, 0]) + 0.3 * _VERTICES[:, 1]
    areas = []
    for sign in (1, -1):
        cut = cut_mesh(_FACES, sign * value)
        areas.append(np.linalg.norm(_area_vector(cut.carry(_VERTICES), cut), axis=1).sum())
    assert sum(areas) == pytest.approx(_BALL.area, rel=1e-9)


def test_rim_lies_on_the_line() -> None:
    value = _VERTICES[:, 0] - 0.2
    cut = cut_mesh(_FACES, value)
    new = cut.first != cut.second
    assert new.any()
    assert np.abs(cut.carry(value)[new]).max() < 1e-9
