"""Up and ground from made evidence."""

import numpy as np
import pytest

from motionfield.steps.calibrate.gravity import (
    CAMERA_UP,
    GravityConfig,
    PersonEvidence,
    estimate_gravity,
)


def tilted_up(roll_deg: float, pitch_deg: float) -> np.ndarray:
    roll, pitch = np.deg2rad([roll_deg, pitch_deg])
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(pitch), -np.cos(roll) * np.sin(pitch)])


def person_on(
    up: np.ndarray,
    ground: float,
    generator: np.random.Generator,
    lean_deg: float = 0.0,
    frames: int = 120,
) -> PersonEvidence:
    """A person who walks over an area: body axes about ``up``, soles in the plane."""
    side = np.cross(up, [0.0, 0, 1])
    side /= np.linalg.norm(side)
    ahead = np.cross(side, up)
    place = generator.uniform((-1.5, 3.5), (1.5, 6.5), (frames, 2))
    soles = ground * up + place[:, :1] * side + place[:, 1:] * ahead
    wobble = np.deg2rad(generator.normal(0, 5, (frames, 1))) * side
    body_up = up + wobble + np.deg2rad(lean_deg) * ahead
    body_up /= np.linalg.norm(body_up, axis=1, keepdims=True)
    time_s = np.arange(frames) / 30
    return PersonEvidence(body_up, np.ones(frames, bool), soles, np.ones(frames), time_s)


@pytest.mark.parametrize(("roll", "pitch"), [(0, 0), (0, 22), (-24, 21), (5, -15)])
def test_up_and_ground_are_found(roll: float, pitch: float) -> None:
    up = tilted_up(roll, pitch)
    evidence = person_on(up, -1.4, np.random.default_rng(0))
    found = estimate_gravity([evidence], 30.0, 0.03, GravityConfig())
    angle = np.rad2deg(np.arccos(found.up @ up))
    assert angle < 3.0
    assert found.source == "estimated"
    assert found.ground == pytest.approx(-1.43, abs=0.12)
    assert found.doubt_deg > angle / 3


def test_resting_feet_of_a_long_walk_correct_a_lean() -> None:
    up = tilted_up(0, 10)
    leaning = person_on(up, -1.4, np.random.default_rng(1), lean_deg=8, frames=600)
    found = estimate_gravity([leaning], 30.0, 0.0, GravityConfig())
    blind = estimate_gravity([leaning], 30.0, 0.0, GravityConfig(contact_m=100.0))
    assert np.arccos(found.up @ up) < 0.7 * np.arccos(blind.up @ up)


def test_persons_on_grounds_of_different_depth_agree() -> None:
    """A person of wrongly assumed size seems to stand on another plane; up must not tilt."""
    up = tilted_up(0, 15)
    generator = np.random.default_rng(2)
    near = person_on(up, -1.4, generator)
    far = person_on(up, -2.6, generator)
    far = far._replace(soles=far.soles + np.array([0, 0, 8]))
    found = estimate_gravity([near, far], 30.0, 0.0, GravityConfig())
    assert np.rad2deg(np.arccos(found.up @ up)) < 3


def test_nobody_upright_falls_back_to_a_level_camera_with_a_warning() -> None:
    evidence = person_on(tilted_up(0, 20), -1.4, np.random.default_rng(3))
    seated = evidence._replace(upright=np.zeros(120, bool))
    found = estimate_gravity([seated], 30.0, 0.0, GravityConfig())
    np.testing.assert_array_equal(found.up, CAMERA_UP)
    assert found.source == "assumed"
    assert "level" in str(found.warning)


def test_who_climbs_down_does_not_tilt_the_world() -> None:
    """One person's feet rest on a roof, then 2.5 m lower and 4 m aside on the lawn."""
    up = tilted_up(0, 5)
    generator = np.random.default_rng(4)
    above, below = (person_on(up, height, generator) for height in (1.1, -1.4))
    whole = PersonEvidence(
        np.concatenate((above.body_up, below.body_up)),
        np.ones(240, bool),
        np.concatenate((above.soles, below.soles + np.array([4.0, 0, 0]))),
        np.ones(240),
        np.arange(240) / 30,
    )
    found = estimate_gravity([whole], 30.0, 0.0, GravityConfig())
    assert np.rad2deg(np.arccos(found.up @ up)) < 3


def test_the_ground_is_the_subjects_unless_somebody_stands_far_below() -> None:
    up = tilted_up(0, 5)
    subject = person_on(up, -1.4, np.random.default_rng(5))

    def ground_with(height: float) -> float:
        other = person_on(up, height, np.random.default_rng(6))
        return estimate_gravity([subject, other], 30.0, 0.0, GravityConfig()).ground

    assert ground_with(-1.8) == pytest.approx(-1.4, abs=0.15)
    assert ground_with(0.5) == pytest.approx(-1.4, abs=0.15)
    assert ground_with(-3.4) == pytest.approx(-3.4, abs=0.15)
