"""Other shapes: plausible adults; poses kept, soles on the ground and at rest."""

import numpy as np
import pytest
import torch

from motionfield.body.registry import load_body
from motionfield.body.stature import stature_m
from motionfield.core.errors import OptionError
from motionfield.data import Motion
from motionfield.worlds.foothold import held, leg_length, lowest_point, resting
from motionfield.worlds.shapes import draw_betas, reshape
from worlds.walks import slide_mm, walk


def test_drawn_shapes_are_adults_and_repeat_with_the_seed() -> None:
    body = load_body("anny")
    rng = np.random.default_rng(0)
    drawn = np.stack([draw_betas(rng) for _ in range(300)])
    assert np.abs(drawn).max() <= 2
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.25)
    np.testing.assert_allclose(drawn.std(0), 0.88, atol=0.12)
    statures = [stature_m(body, torch.from_numpy(betas)) for betas in drawn[:40]]
    assert 1.45 < min(statures) < 1.6 < 1.8 < max(statures) < 1.95
    np.testing.assert_array_equal(draw_betas(np.random.default_rng(0)), drawn[0])


@pytest.mark.parametrize("name", ["toy", "anny"])
@pytest.mark.parametrize("stature_sd", [-2.0, 2.0])
def test_the_movement_is_kept_and_feet_stay_on_the_ground(name: str, stature_sd: float) -> None:
    body = load_body(name)
    motion = walk(body)
    betas = np.zeros(16, np.float32)
    betas[:4] = stature_sd, 1.0, -1.0, 0.5
    other = reshape(motion, betas, body)
    np.testing.assert_array_equal(other.body_pose, motion.body_pose)
    np.testing.assert_array_equal(other.global_orient, motion.global_orient)
    np.testing.assert_array_equal(other.betas, betas)
    low = lowest_point(other, body)
    assert low.min() > -0.005
    assert low.max() < 0.015
    assert slide_mm(other, body) < slide_mm(motion, body) + 0.3
    size = leg_length(body.rest_joints(torch.from_numpy(betas))) / leg_length(
        body.rest_joints(torch.zeros(16))
    )
    way = [m.transl[-1, :2] - m.transl[0, :2] for m in (motion, other)]
    np.testing.assert_allclose(way[1], size * way[0], rtol=0.12, atol=0.02)


def test_without_the_corrections_the_feet_would_slide_and_float() -> None:
    """What the corrections are for: legs of other proportions under the same root path."""
    body = load_body("anny")
    scale = np.ones(24, np.float32)
    scale[[4, 5]], scale[[7, 8]] = 1.3, 0.8
    odd = walk(body, bone_scale=scale)
    own = reshape(odd, odd.betas, body)
    assert own.bone_scale is None
    naive = odd.replace(bone_scale=None)
    assert lowest_point(own, body).abs().max() < 0.01 < lowest_point(naive, body).min()
    assert slide_mm(own, body) < 0.6 * slide_mm(naive, body)


def test_contacts_and_unobserved_frames_are_kept() -> None:
    body = load_body("toy")
    motion = walk(body)
    contacts = np.random.default_rng(0).random((90, 2)).astype(np.float32)
    observed = motion.observed.copy()
    observed[3:7] = False
    motion = motion.replace(contacts=contacts, observed=observed)
    other = reshape(motion, draw_betas(np.random.default_rng(1)), body)
    assert other.contacts is not None
    np.testing.assert_array_equal(other.contacts, contacts)
    np.testing.assert_array_equal(other.observed, observed)


def test_what_sinks_is_put_on_the_ground() -> None:
    body = load_body("toy")
    motion = walk(body, 40)
    sunk = motion.replace(transl=motion.transl - np.array([0, 0, 0.05], np.float32))
    other = reshape(sunk, np.full(16, 0.5, np.float32), body)
    assert lowest_point(other, body).abs().max() < 0.005


def test_jumps_stay_jumps() -> None:
    """In the air the height is scaled, not taken to the ground."""
    body = load_body("toy")
    motion = walk(body, 40)
    up = np.zeros((40, 3), np.float32)
    up[10:25, 2] = 0.4 * np.sin(np.linspace(0, np.pi, 15))
    jump = motion.replace(transl=motion.transl + up)
    other = reshape(jump, np.full(16, 0.5, np.float32), body)
    assert lowest_point(other, body)[17] == pytest.approx(0.4 * _size(other), abs=0.02)


def _size(motion: Motion) -> float:
    return float(motion.history[-1].options["size"])


def test_another_body_is_refused() -> None:
    motion = walk(load_body("toy"), 5)
    with pytest.raises(OptionError, match="toy"):
        reshape(motion, np.zeros(16, np.float32), load_body("anny"))


def test_one_frame_can_be_reshaped() -> None:
    body = load_body("toy")
    other = reshape(walk(body, 1), np.ones(16, np.float32), body)
    assert other.num_frames == 1
    assert abs(float(lowest_point(other, body)[0])) < 0.01


def test_a_point_that_slides_is_held_and_one_in_the_air_is_not() -> None:
    points = torch.zeros(30, 1, 3)
    points[:, 0, 0] = torch.arange(30) * 0.01
    still = torch.zeros_like(points)
    shift = held(points, torch.ones(30, 1), still, 30.0)
    torch.testing.assert_close(points[:, 0, :2] + shift, torch.zeros(30, 2), atol=1e-5, rtol=0)
    assert held(points, torch.zeros(30, 1), still, 30.0).abs().max() == 0
    assert resting(torch.zeros(5, 1, 3), 30.0).min() > 0.9
    assert resting(points + torch.tensor([0, 0, 0.3]), 30.0).max() < 1e-3
