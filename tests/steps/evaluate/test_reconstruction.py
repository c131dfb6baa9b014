"""Reconstruction in random camera frames: perfect, shifted, still and wrong autoencoders."""

import math

import pytest
import roma
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.geometry.rotations import axis_rotation, rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.steps.evaluate.reconstruction import (
    camera_roots,
    in_camera,
    reconstruction_error,
)
from steps.evaluate.made import generator, made_motion


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("toy")


@pytest.fixture(scope="module")
def windows() -> torch.Tensor:
    """Two windows of 20 frames."""
    found = []
    for seed in (0, 1):
        motion = made_motion(seed, 20)
        R = torch.cat((tensor_of(motion.global_orient)[:, None], tensor_of(motion.body_pose)), 1)
        found.append(rotmat_to_rot6d(R))
    return torch.stack(found)


def test_identity_makes_no_error(windows: torch.Tensor, body: Body) -> None:
    scores = reconstruction_error(lambda x: x, windows, body, generator(0))
    assert scores.mpjpe.mean == 0
    assert scores.pa_mpjpe.mean == pytest.approx(0, abs=1e-3)
    assert scores.acceleration.mean == 0
    assert scores.mpjpe.frames_used == 2 * 3 * 20


def test_noise_makes_errors_and_the_first_frame_held_makes_no_noise(
    windows: torch.Tensor, body: Body
) -> None:
    noise = generator(1)

    def noisy(x: torch.Tensor) -> torch.Tensor:
        return x + 0.05 * torch.randn(x.shape, generator=noise)

    def smoother(x: torch.Tensor) -> torch.Tensor:
        return x.mean(1, keepdim=True).expand_as(x)

    rough = reconstruction_error(noisy, windows, body, generator(0))
    smooth = reconstruction_error(smoother, windows, body, generator(0))
    assert 0 < rough.pa_mpjpe.mean < rough.mpjpe.mean < smooth.mpjpe.mean
    assert rough.acceleration.mean > 2 * smooth.acceleration.mean


def test_a_turned_root_is_an_error_that_alignment_forgives(
    windows: torch.Tensor, body: Body
) -> None:
    """A turn of the whole body by 10 degrees: MPJPE sees it, PA-MPJPE does not."""
    turn = axis_rotation("y", torch.tensor(math.radians(10)))

    def turned(x: torch.Tensor) -> torch.Tensor:
        R = rot6d_to_rotmat(x)
        return rotmat_to_rot6d(torch.cat((turn @ R[:, :, :1], R[:, :, 1:]), dim=2))

    scores = reconstruction_error(turned, windows, body, generator(0))
    assert scores.mpjpe.mean > 20
    assert scores.pa_mpjpe.mean == pytest.approx(0, abs=1e-2)


def test_cameras_see_upright_people_and_keep_the_motion(windows: torch.Tensor) -> None:
    seen = in_camera(windows, generator(2))
    before, after = rot6d_to_rotmat(windows), rot6d_to_rotmat(seen)
    torch.testing.assert_close(before[:, :, 1:], after[:, :, 1:], atol=1e-5, rtol=0)
    step_before = before[:, :-1, 0].mT @ before[:, 1:, 0]
    step_after = after[:, :-1, 0].mT @ after[:, 1:, 0]
    torch.testing.assert_close(step_before, step_after, atol=1e-5, rtol=0)
    torch.testing.assert_close(after[:, 0, 0], camera_roots(2, generator(2)).float())
    # Up in camera axes is -y and, where the camera looks down, -z: up to 60 degrees.
    up = camera_roots(2000, generator(3))[..., 1]
    assert (up[:, 0].abs() < 1e-9).all()
    tilt = torch.atan2(-up[:, 2], -up[:, 1]).rad2deg()
    assert tilt.min() > 0
    assert 59 < float(tilt.max()) < 60
    assert float(tilt.mean()) == pytest.approx(30, abs=2)
    facing = camera_roots(2000, generator(3)) @ torch.tensor([0, 0, 1.0]).double()
    assert float(facing.mean(0).norm()) < 0.05  # any heading
    found = torch.linalg.det(camera_roots(5, generator(4)))
    torch.testing.assert_close(found, torch.ones(5).double())


def test_the_same_seed_gives_the_same_cameras(windows: torch.Tensor) -> None:
    torch.testing.assert_close(in_camera(windows, generator(5)), in_camera(windows, generator(5)))
    angle = roma.rotmat_geodesic_distance(*camera_roots(2, generator(5)))
    assert float(angle) > 0.1  # and each window has its own


def test_what_does_not_come_back_is_refused(windows: torch.Tensor, body: Body) -> None:
    with pytest.raises(OptionError, match="give windows back as they came"):
        reconstruction_error(lambda x: x[:, 1:], windows, body, generator(0))
    with pytest.raises(OptionError, match="no windows"):
        reconstruction_error(lambda x: x, windows[:0], body, generator(0))
