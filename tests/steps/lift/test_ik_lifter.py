"""Lift on made worlds: pose, heading and place come back, with gaps, one frame, or 2D alone."""

import numpy as np
import pytest
import roma
import torch

from motionfield.body.joint_limits import swing_twist
from motionfield.body.registry import load_body
from motionfield.body.stature import stature_m
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import NoPersonError, OptionError
from motionfield.data import Keypoints, Motion
from motionfield.geometry.alignment import align_points
from motionfield.steps.lift import IKLiftConfig, IKLifter, LiftConfig
from steps.lift.made_worlds import World, camera_at, make_world, points_of, seen, walk


def lifted(world: World, config: LiftConfig | None = None) -> Motion:
    return IKLifter(config or LiftConfig(), world.body).lift(world.keypoints, world.camera)


def pa_error_m(world: World, motion: Motion) -> torch.Tensor:
    """Mean distance of the 24 joints per frame after a similarity."""
    ours, truth = (points_of(world.body, m, "smpl24") for m in (motion, world.motion))
    return (align_points(ours, truth, with_scale=True).apply(ours) - truth).norm(dim=-1).mean(-1)


def turn_error_deg(world: World, motion: Motion) -> torch.Tensor:
    a, b = (torch.tensor(m.global_orient) for m in (motion, world.motion))
    return torch.rad2deg(roma.rotmat_geodesic_distance(a, b))


def place_error_m(world: World, motion: Motion) -> torch.Tensor:
    ours, truth = (points_of(world.body, m, "smpl24")[:, 0] for m in (motion, world.motion))
    return (ours - truth).norm(dim=-1)


@pytest.mark.parametrize("heading", [0.0, 1.5, 3.0, 4.6])
def test_coarse_3d_becomes_the_motion(heading: float) -> None:
    world = make_world(heading=heading)
    motion = lifted(world)
    assert pa_error_m(world, motion).mean() < 0.04
    assert turn_error_deg(world, motion).max() < 35
    assert place_error_m(world, motion).max() < 0.35
    assert motion.observed.all()
    assert motion.body_model == "toy"
    assert [entry.name for entry in motion.history] == ["lift"]


def test_without_noise_the_truth_comes_back() -> None:
    world = make_world(noise_px=0.0, coarse_noise_m=0.0)
    motion = lifted(world)
    assert pa_error_m(world, motion).mean() < 0.015
    assert turn_error_deg(world, motion).max() < 6
    assert place_error_m(world, motion).max() < 0.1


@pytest.mark.parametrize("heading", [0.0, 1.5, 3.0, 4.6])
@pytest.mark.parametrize("keypoint_set", ["blazepose33", "coco17", "openpose25"])
def test_2d_alone_gives_pose_and_heading(heading: float, keypoint_set: str) -> None:
    world = make_world(heading=heading, keypoint_set=keypoint_set, coarse_noise_m=None)
    motion = lifted(world)
    assert pa_error_m(world, motion).mean() < 0.14
    assert turn_error_deg(world, motion).max() < 60, "somebody walks backwards"
    assert place_error_m(world, motion).max() < 0.5


def test_picture_is_met() -> None:
    """Without noise the body's points lie on the keypoints, whatever is unsure in depth."""
    world = make_world(noise_px=0.0, coarse_noise_m=None)
    motion = lifted(world)
    again = seen(world.body, motion, world.camera, noise_px=0.0)
    off = np.linalg.norm(again.keypoints_2d - world.keypoints.keypoints_2d, axis=-1)
    assert off.mean() < 6


def test_gaps_are_carried_over_and_marked() -> None:
    world = make_world()
    points = world.keypoints.keypoints_2d.copy()
    gone = np.zeros(40, bool)
    gone[[0, 1, 14, 15, 16, 17, 39]] = True
    points[gone] = np.nan
    coarse = np.array(world.keypoints.coarse_camera)
    coarse[gone] = np.nan
    keypoints = world.keypoints.replace(keypoints_2d=points, coarse_camera=coarse, observed=~gone)
    motion = lifted(world._replace(keypoints=keypoints))
    np.testing.assert_array_equal(motion.observed, ~gone)
    np.testing.assert_array_equal(motion.body_pose[0], motion.body_pose[2])
    np.testing.assert_array_equal(motion.transl[39], motion.transl[38])
    assert pa_error_m(world, motion)[14:18].max() < 0.08
    between = motion.transl[[13, 18]].mean(0)
    np.testing.assert_allclose(motion.transl[[15, 16]].mean(0), between, atol=1e-4)


@pytest.mark.parametrize("coarse_noise_m", [0.03, None])
def test_one_frame(coarse_noise_m: float | None) -> None:
    world = make_world(frames=1, coarse_noise_m=coarse_noise_m)
    motion = lifted(world)
    assert motion.num_frames == 1
    assert pa_error_m(world, motion).max() < 0.14
    assert turn_error_deg(world, motion).max() < 45


def test_one_bad_frame_does_not_move_the_person() -> None:
    world = make_world()
    points = world.keypoints.keypoints_2d.copy()
    middle = points[20, :, :2].mean(0)
    points[20, :, :2] = middle + 0.4 * (points[20, :, :2] - middle)
    motion = lifted(world._replace(keypoints=world.keypoints.replace(keypoints_2d=points)))
    plain = lifted(world)
    assert np.linalg.norm(motion.transl[20] - plain.transl[20]) < 0.25


def test_a_moving_camera_leaves_the_world_alone() -> None:
    body = load_body("toy")
    motion = walk(body, 30)
    steps = [camera_at(30, (0.2 + 0.03 * i, -4.5, 1.5), yaw=0.01 * i) for i in range(30)]
    camera = steps[0].replace(
        R_camera_world=np.stack([c.R_camera_world[0] for c in steps]),
        t_camera_world=np.stack([c.t_camera_world[0] for c in steps]),
        moving=True,
    )
    world = World(body, motion, camera, seen(body, motion, camera))
    found = lifted(world)
    assert place_error_m(world, found).max() < 0.35
    assert turn_error_deg(world, found).max() < 35


def test_height_scales_the_distance() -> None:
    world = make_world()
    average = stature_m(world.body, torch.zeros(world.body.num_betas))
    tall = lifted(world, LiftConfig(height_m=1.1 * average))
    assert stature_m(world.body, torch.tensor(tall.betas)) == pytest.approx(1.1 * average, 1e-3)
    place = world.camera.position_world[0]
    root = [points_of(world.body, m, "smpl24")[:, 0].numpy() for m in (tall, lifted(world))]
    ratio = np.linalg.norm(root[0] - place, axis=-1) / np.linalg.norm(root[1] - place, axis=-1)
    np.testing.assert_allclose(ratio, 1.1, atol=0.02)


def test_size_of_the_coarse_3d_does_not_matter() -> None:
    world = make_world()
    coarse = 0.8 * np.array(world.keypoints.coarse_camera)
    smaller = lifted(world._replace(keypoints=world.keypoints.replace(coarse_camera=coarse)))
    np.testing.assert_allclose(smaller.transl, lifted(world).transl, atol=0.01)


@pytest.mark.parametrize("coarse_noise_m", [0.07, None])
def test_the_world_may_be_moved(coarse_noise_m: float | None) -> None:
    world = make_world(frames=12, coarse_noise_m=coarse_noise_m)
    R = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    t = np.array([3.0, -2.0, 0.5], np.float32)
    there = lifted(world._replace(camera=world.camera.moved(R, t)))
    here = lifted(world)
    joints = points_of(world.body, here, "smpl24").numpy() @ R.T + t
    np.testing.assert_allclose(points_of(world.body, there, "smpl24"), joints, atol=0.05)


def test_limbs_bend_the_right_way() -> None:
    world = make_world(coarse_noise_m=0.12)
    bends = swing_twist(torch.tensor(lifted(world).body_pose))
    hinges = (
        ("left_knee", 0, 1),
        ("right_knee", 0, 1),
        ("left_elbow", 1, -1),
        ("right_elbow", 1, 1),
    )
    for name, axis, sign in hinges:
        bend = torch.rad2deg(sign * bends[:, JOINT_INDEX[name] - 1, axis])
        assert bend.min() > -3
        assert bend.max() > 20


def broken(world: World, **changes: object) -> Keypoints:
    return world.keypoints.replace(**changes)


def test_bad_input_is_refused() -> None:
    world = make_world(frames=5)
    names = ("a", *world.keypoints.keypoint_names[1:])
    with pytest.raises(OptionError, match="no known set"):
        lifted(world._replace(keypoints=broken(world, keypoint_names=names)))
    with pytest.raises(OptionError, match="5 frames of keypoints, 4 of camera"):
        lifted(world._replace(camera=camera_at(4, (0.0, -4.0, 1.0))))
    nothing = np.full_like(world.keypoints.keypoints_2d, np.nan)
    with pytest.raises(NoPersonError, match="no frame"):
        lifted(world._replace(keypoints=broken(world, keypoints_2d=nothing)))
    with pytest.raises(OptionError, match="height"):
        lifted(world, LiftConfig(height_m=9.0))


def test_the_same_input_gives_the_same_motion() -> None:
    world = make_world(frames=10, coarse_noise_m=None)
    np.testing.assert_array_equal(lifted(world).body_pose, lifted(world).body_pose)


def test_every_heading_is_put_before_the_prior() -> None:
    class Counting:
        asked = 0

        def energy(self, body_pose: torch.Tensor) -> torch.Tensor:
            self.asked += len(body_pose)
            return body_pose.new_zeros(len(body_pose))

    world = make_world(frames=3, coarse_noise_m=None)
    prior = Counting()
    config = LiftConfig(ik=IKLiftConfig(headings=4, keyframes_per_s=30.0))
    IKLifter(config, world.body, prior).lift(world.keypoints, world.camera)
    assert prior.asked == 4 * 3
