"""Windows to train on: which there are, and that every variation is a motion still."""

import math

import numpy as np
import pytest
import roma
import torch
from torch import Tensor

from made_clips import made_clip
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order
from motionfield.core.errors import OptionError
from motionfield.geometry.rotations import axis_rotation, rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.training.motion_variation import (
    Variation,
    bent,
    mirrored,
    standing_cameras,
    varied,
    warped_times,
)
from motionfield.training.motion_windows import (
    WindowPool,
    collect_windows,
    draw_windows,
    every_window,
    has_window,
)

_OFF = Variation(rates_hz=(30.0,), flip=0, random_root=False)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _windows(count: int = 6) -> Tensor:
    """Upright people in the world who move their joints."""
    turn = 0.4 * torch.randn(count, 1, 24, 3, generator=_generator())
    path = torch.linspace(0, 1, 20)[:, None, None]
    R = roma.rotvec_to_rotmat(turn * path)
    R[:, :, 0] = axis_rotation("x", torch.tensor(math.pi / 2)) @ R[:, :, 0]
    return rotmat_to_rot6d(R)


def test_every_run_of_enough_frames_is_a_window() -> None:
    pool = collect_windows([made_clip(25), made_clip(9), made_clip(30)], 30.0, 20)
    assert pool.starts.tolist() == [*range(6), *range(25, 36)]
    assert every_window(pool, 20, 5).shape == (2 + 3, 20, 24, 6)


def test_no_window_holds_what_was_not_observed() -> None:
    observed = np.ones(50, dtype=bool)
    observed[22] = False
    clip = made_clip(50, observed=observed)
    pool = collect_windows([clip], 30.0, 20)
    assert pool.starts.tolist() == [0, 1, 2, *range(23, 31)]
    # At half the rate two frames stand for each of these.
    assert collect_windows([clip], 15.0, 8).starts.tolist() == [0, 1, 2, 3, *range(12, 18)]


def test_slower_clips_give_fewer_frames_of_the_same_motion() -> None:
    fast = collect_windows([made_clip(61, fps=60.0)], 60.0, 10)
    slow = collect_windows([made_clip(61, fps=60.0)], 20.0, 10)
    assert len(slow.frames) == 21
    torch.testing.assert_close(slow.frames, fast.frames[::3], atol=1e-5, rtol=0)


def test_sources_count_by_the_power_of_their_windows() -> None:
    pool = collect_windows([made_clip(24, "a"), made_clip(119, "b")], 30.0, 20, source_power=0.5)
    share = pool.chance[:5].sum() / pool.chance[5:].sum()
    assert share == pytest.approx(math.sqrt(5 / 100), rel=1e-4)


def test_clips_too_short_are_refused() -> None:
    with pytest.raises(OptionError, match="no clip has 90 observed frames at 30 Hz"):
        collect_windows([made_clip(60)], 30.0, 90)
    assert not has_window([made_clip(60)], 30.0, 90)
    assert has_window([made_clip(60), made_clip(90)], 30.0, 90)


def test_without_variation_windows_come_as_they_are() -> None:
    pool = collect_windows([made_clip(40)], 30.0, 20)
    drawn = draw_windows([pool], 30, 20, _OFF, _generator())
    every = every_window(pool, 20, 1)
    assert all((every == window).flatten(1).all(1).any() for window in drawn)


def test_the_mirror_mirrors_the_joints() -> None:
    body = load_body("toy")
    windows = _windows(2)

    def joints(windows: Tensor) -> Tensor:
        R = rot6d_to_rotmat(windows.flatten(0, 1))
        zero = torch.zeros(len(R), 3)
        posed = body.pose(R[:, 0], R[:, 1:], zero, torch.zeros(body.num_betas)).joints
        return posed - posed[:, :1]

    image = joints(mirrored(windows))[:, list(mirror_order(JOINT_NAMES))]
    expected = joints(windows) * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(image, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(mirrored(mirrored(windows)), windows)


def test_random_roots_keep_the_root_s_own_motion() -> None:
    windows = _windows()
    turned = varied(windows, Variation(flip=0), _generator())
    torch.testing.assert_close(turned[:, :, 1:], windows[:, :, 1:])
    before, after = (rot6d_to_rotmat(w[:, :, 0]) for w in (windows, turned))
    torch.testing.assert_close(
        after[:, :1].mT @ after, before[:, :1].mT @ before, atol=1e-5, rtol=0
    )
    # The first is upright before a camera that looks down by at most 60 degrees.
    up = after[:, 0, :, 1]
    assert (up[:, 1] <= -0.5 + 1e-4).all()
    torch.testing.assert_close(up[:, 0], torch.zeros(6), atol=1e-5, rtol=0)


def test_a_camera_that_stands_sees_who_lies_lie() -> None:
    R = standing_cameras(500, _generator())
    torch.testing.assert_close(R @ R.mT, torch.eye(3).expand_as(R), atol=1e-5, rtol=0)
    up = R[:, :, 2]  # of the world, in camera axes: against y
    down = torch.rad2deg(torch.atan2(-up[:, 2], -up[:, 1]))
    assert down.min() > -21
    assert down.max() < 61
    assert down.median() == pytest.approx(20, abs=5)
    lying = varied(
        rotmat_to_rot6d(torch.eye(3).expand(50, 20, 24, 3, 3)),
        Variation(flip=0, upright=1.0),
        _generator(),
    )
    # Flat on the back (the body's y is level), whatever the camera.
    length = rot6d_to_rotmat(lying[:, 0, 0])[:, :, 1]
    assert length[:, 1].abs().max() < math.sin(math.radians(75))


def test_backwards_windows_are_the_same_windows_from_the_end() -> None:
    windows = _windows()
    back = varied(windows, Variation(flip=0, random_root=False, reverse=1.0), _generator())
    assert torch.equal(back, windows.flip(1))


def test_swapped_windows_have_the_legs_of_one_and_the_arms_of_another() -> None:
    windows = _windows()
    both = varied(windows, Variation(flip=0, random_root=False, swap=1.0), _generator())
    legs = [JOINT_INDEX[f"left_{name}"] for name in ("hip", "knee", "ankle", "foot")]
    arms = [JOINT_INDEX[f"left_{name}"] for name in ("collar", "shoulder", "elbow", "wrist")]
    assert torch.equal(both[:, :, [0, *legs]], windows[:, :, [0, *legs]])
    assert torch.equal(both[1:, :, arms], windows[:-1, :, arms])


def test_noise_is_of_the_size_and_lasts() -> None:
    still = rotmat_to_rot6d(torch.eye(3).expand(400, 3, 24, 3, 3))
    turns = roma.rotmat_to_rotvec(rot6d_to_rotmat(bent(still, 0.1, _generator())))
    torch.testing.assert_close(turns[:, 0], turns[:, 2], atol=1e-5, rtol=0)
    assert turns[:, 0, 1:22].std() == pytest.approx(0.1, rel=0.05)
    assert turns[:, :, [0, 22, 23]].abs().max() < 1e-5


def test_a_warped_window_lasts_as_long_and_never_runs_back() -> None:
    times = warped_times(50, 90, 1.0, _generator())
    assert (times.diff(dim=1) > 0.6).all()
    assert (times.diff(dim=1) < 1.4).all()
    torch.testing.assert_close(times[:, [0, -1]], torch.tensor([[0.0, 89.0]]).expand(50, 2))
    assert times.std(0).max() > 1


def test_a_warped_window_lies_between_the_frames() -> None:
    frames = torch.arange(40.0)[:, None, None].expand(40, 24, 6)
    pool = WindowPool(frames, torch.tensor([3]), torch.ones(1))
    variation = Variation(rates_hz=(30.0,), flip=0, random_root=False, warp=1.0)
    drawn = draw_windows([pool], 4, 20, variation, _generator())
    expected = 3 + warped_times_of(4, 20)
    torch.testing.assert_close(drawn[:, :, 0, 0].sort(0).values, expected.sort(0).values)


def warped_times_of(count: int, length: int) -> Tensor:
    """Those that ``draw_windows`` draws from the same seed."""
    generator = _generator()
    torch.randint(1, (count,), generator=generator)
    torch.multinomial(torch.ones(1), count, True, generator=generator)
    return warped_times(count, length, 1.0, generator)
