"""What the own body hides."""

import numpy as np
import pytest

from motionfield.worlds.self_occlusion import self_occlusion
from worlds.made_detector import at, person


def test_one_who_faces_the_camera_with_arms_spread_hides_nothing() -> None:
    hidden = self_occlusion(person()[1])[0]
    body = [i for i in range(33) if i > 10]
    assert hidden[body].max() < 0.5
    assert hidden[at("nose")] == 0


def test_from_behind_the_face_is_hidden() -> None:
    hidden = self_occlusion(person(facing="away")[1])[0]
    assert hidden[at("nose")] > 0.9
    assert hidden[at("left_ear")] < 0.5


def test_from_the_side_the_far_side_is_hidden() -> None:
    """Facing left of the picture, the left side is nearer."""
    hidden = self_occlusion(person(facing="left")[1])[0]
    for part in ("hip", "knee", "shoulder"):
        assert hidden[at(f"right_{part}")] > 0.9, part
        assert hidden[at(f"left_{part}")] < 0.1, part


@pytest.mark.parametrize(("depth", "expected"), [(0.25, 1.0), (-0.25, 0.0)])
def test_a_hand_behind_the_trunk_is_hidden_and_one_before_it_not(
    depth: float, expected: float
) -> None:
    points = person()[1].copy()
    hand = [at(f"left_{part}") for part in ("wrist", "pinky", "index", "thumb")]
    middle = (points[0, at("left_hip")] + points[0, at("right_shoulder")]) / 2
    points[:, hand] = middle + np.array([0, 0, depth])
    points[:, at("left_elbow")] = points[:, at("left_shoulder")] + [0.1, 0.2, depth / 2]
    assert self_occlusion(points)[0, hand] == pytest.approx(expected, abs=0.05)


def test_bodies_of_another_size_hide_alike() -> None:
    points = person(facing="left")[1]
    np.testing.assert_allclose(self_occlusion(0.5 * points), self_occlusion(points), atol=1e-9)
