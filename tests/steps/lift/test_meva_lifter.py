"""The lift by a network that knows the truth: what remains is the lifter's own doing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from motionfield.body.joint_limits import swing_twist
from motionfield.body.registry import load_body
from motionfield.body.stature import stature_m
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import InputError, MissingAssetError, NoPersonError, OptionError
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.lift import LiftConfig, MevaLiftConfig, MevaLifter, make_lifter
from motionfield.steps.lift.meva.gravity import mean_up
from motionfield.steps.lift.meva.network import MevaOutput
from motionfield.worlds.foothold import resting, sole_points
from steps.lift.made_answers import SD_M, Truthful, joints_of, lifted
from steps.lift.made_worlds import World, camera_at, seen, walk
from worlds.walks import walk as firm_walk

NO_FEET = LiftConfig(meva=MevaLiftConfig(feet=None))


def made(frames: int = 200, fps: float = 30.0, keypoint_set: str = "blazepose33") -> World:
    """Seen without noise."""
    body = load_body("toy")
    motion = walk(body, frames, fps=fps)
    camera = camera_at(frames, (0.2, -4.5, 1.5), yaw=0.1)
    coarse = 0.0 if keypoint_set == "blazepose33" else None
    return World(body, motion, camera, seen(body, motion, camera, keypoint_set, 0.0, coarse))


def moving(world: World) -> World:
    """The same walk before a camera that goes along and turns."""
    frames = world.motion.num_frames
    steps = [camera_at(1, (0.2 + 0.01 * i, -4.5, 1.5), yaw=0.002 * i) for i in range(frames)]
    camera = world.camera.replace(
        R_camera_world=np.concatenate([c.R_camera_world for c in steps]),
        t_camera_world=np.concatenate([c.t_camera_world for c in steps]),
        moving=True,
    )
    keypoints = seen(world.body, world.motion, camera, "blazepose33", 0.0, 0.0)
    return world._replace(camera=camera, keypoints=keypoints)


def error_m(world: World, motion: Motion) -> torch.Tensor:
    return (joints_of(world.body, motion) - joints_of(world.body, world.motion)).norm(dim=-1)


def without(world: World, gone: np.ndarray) -> World:
    """Nobody is seen in these frames."""
    points, coarse = (
        np.array(a) for a in (world.keypoints.keypoints_2d, world.keypoints.coarse_camera)
    )
    points[gone] = np.nan
    coarse[gone] = np.nan
    keypoints = world.keypoints.replace(keypoints_2d=points, coarse_camera=coarse, observed=~gone)
    return world._replace(keypoints=keypoints)


@pytest.mark.parametrize("frames", [1, 2, 60, 90, 200])
def test_the_truth_comes_back(frames: int) -> None:
    world = made(frames)
    motion = lifted(world)
    assert error_m(world, motion).max() < 0.005
    assert motion.observed.all()
    assert [entry.name for entry in motion.history] == ["lift"]
    assert motion.contacts is not None
    assert motion.contacts.shape == (frames, 2)
    assert motion.joints_std is not None
    assert (motion.joints_std > SD_M).all()


def test_the_truth_comes_back_from_a_moving_camera() -> None:
    world = moving(made())
    assert error_m(world, lifted(world)).max() < 0.005


@pytest.mark.parametrize("keypoint_set", [n for n in KEYPOINT_SETS if n != "blazepose33"])
def test_other_keypoints_do_as_well(keypoint_set: str) -> None:
    world = made(100, keypoint_set=keypoint_set)
    assert error_m(world, lifted(world)).max() < 0.01


@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0, 240.0])
def test_any_frame_rate(fps: float) -> None:
    world = made(round(4 * fps), fps)
    motion = lifted(world)
    assert motion.num_frames == world.motion.num_frames
    assert motion.fps == fps
    np.testing.assert_array_equal(motion.time_s, world.keypoints.time_s)
    assert error_m(world, motion).max() < (0.012 if fps == 10 else 0.006)


def test_sixty_frames_a_second_give_what_thirty_give() -> None:
    body = load_body("toy")
    fast = walk(body, 241, fps=60.0)
    even = np.arange(0, 241, 2)
    worlds = []
    for motion in (fast, fast.at_frames(even).replace(fps=30.0)):
        camera = camera_at(motion.num_frames, (0.2, -4.5, 1.5))
        keypoints = seen(body, motion, camera, "blazepose33", 0.0, 0.0)
        worlds.append(World(body, motion, camera, keypoints))
    a, b = (joints_of(body, lifted(world)) for world in worlds)
    torch.testing.assert_close(a[even], b, atol=0.004, rtol=0)


def test_gaps_are_filled_and_marked() -> None:
    world = made()
    gone = np.zeros(200, bool)
    gone[:4] = gone[70:100] = gone[198:] = True
    motion = lifted(without(world, gone))
    np.testing.assert_array_equal(motion.observed, ~gone)
    assert error_m(world, motion).max() < 0.05
    assert motion.joints_std is not None
    assert motion.joints_std[85, 0].min() > motion.joints_std[50, 0].min() + 0.05


def test_depth_is_what_is_least_known() -> None:
    world = made(60)
    motion = lifted(world)
    assert motion.joints_std is not None
    across, along, up = motion.joints_std.mean((0, 1))
    assert along > 3 * across
    assert along > 3 * up


def farther(answer: MevaOutput, first: int) -> MevaOutput:
    """A network that takes everybody for a tenth farther than they are."""
    camera = answer.camera * torch.tensor([1 / 1.1, 1.0, 1.0])
    return answer._replace(camera=camera)


def test_the_less_is_seen_the_more_the_networks_distance_counts() -> None:
    world = made(60)
    arm = ("left_wrist", "left_elbow", "left_shoulder", "left_index", "left_pinky")
    shares, stds = [], []
    for seen_part in (world, only(world, arm)):
        motion = lifted(seen_part, NO_FEET, spoil=farther)
        root, true = (joints_of(world.body, m)[:, 0] for m in (motion, world.motion))
        place = torch.tensor(world.camera.position_world)
        further = (root - place).norm(dim=-1) / (true - place).norm(dim=-1) - 1
        shares.append(float(further.mean()) / 0.1)
        assert motion.joints_std is not None
        stds.append(float(motion.joints_std[..., 1].mean()))
    assert shares[0] < 0.2
    assert 0.25 < shares[1] < 1.0
    assert stds[1] > 1.5 * stds[0]


def wavering(size_rad: float) -> Callable[[MevaOutput, int], MevaOutput]:
    """Every window errs by its own constant turns."""

    def spoil(answer: MevaOutput, first: int) -> MevaOutput:
        windows = len(answer.root)
        generator = torch.Generator().manual_seed(first)
        turns = roma.rotvec_to_rotmat(
            size_rad * torch.randn(windows, 1, 23, 3, generator=generator)
        )
        return answer._replace(body_pose=answer.body_pose @ turns)

    return spoil


def test_seams_leave_no_jump() -> None:
    """Where windows meet that differ by some 50 mm, nothing moves more suddenly than elsewhere."""
    world = made(400)
    smooth = lifted(world, NO_FEET)
    motion = lifted(world, NO_FEET, spoil=wavering(0.05))
    off = joints_of(world.body, motion) - joints_of(world.body, smooth)
    off = off - off[:, :1]
    assert off.norm(dim=-1).max() > 0.05
    sudden = off.diff(n=2, dim=0).norm(dim=-1).mean(-1)
    own = joints_of(world.body, smooth).diff(n=2, dim=0).norm(dim=-1).mean(-1)
    assert sudden.max() < 0.3 * own.median()


def test_whole_windows_more_before_change_nothing() -> None:
    long = made(330)
    late = np.arange(120, 330)
    short = World(
        long.body,
        long.motion.at_frames(late),
        long.camera.at_frames(late),
        long.keypoints.at_frames(late),
    )
    a, b = (joints_of(long.body, lifted(world)) for world in (long, short))
    torch.testing.assert_close(a[120:], b, atol=0.005, rtol=0)


def test_the_world_may_be_moved() -> None:
    world = made(100)
    R = axis_rotation("z", torch.tensor(1.1)).numpy()
    t = np.array([3.0, -2.0, 0.0], np.float32)
    root = np.array(world.body.rest_joints(torch.zeros(world.body.num_betas))[0])
    there = world._replace(
        camera=world.camera.moved(R, t),
        motion=world.motion.replace(
            global_orient=R @ world.motion.global_orient,
            transl=(world.motion.transl + root) @ R.T + t - root,
        ),
    )
    joints = joints_of(world.body, lifted(world)).numpy() @ R.T + t
    np.testing.assert_allclose(joints_of(world.body, lifted(there)), joints, atol=1e-3)


def noisy_legs(answer: MevaOutput, first: int) -> MevaOutput:
    """Legs that tremble slowly, and a clear word on which foot rests."""
    generator = torch.Generator().manual_seed(first)
    phase = 6.28 * torch.rand(24, 3, generator=generator)
    turns = 0.06 * torch.sin(torch.arange(90)[:, None, None] / 7 + phase)
    turns = roma.rotvec_to_rotmat(turns)
    contacts = 0.1 + 0.8 * answer.contacts
    pose = answer.body_pose @ turns[:, 1:]
    return answer._replace(body_pose=pose, contacts=contacts)


def test_resting_feet_rest() -> None:
    body = load_body("toy")
    motion = firm_walk(body, 150)
    soles = sole_points(motion, body)
    rest = resting(soles, 30.0) > 0.6
    feet = rest.unflatten(1, (2, 2)).any(-1).float()
    motion = motion.replace(contacts=feet.numpy())
    camera = camera_at(150, (0.2, -5.0, 1.5))
    world = World(body, motion, camera, seen(body, motion, camera, "blazepose33", 1.0, 0.0))
    both = rest[1:] & rest[:-1]
    slides = []
    for config in (NO_FEET, LiftConfig()):
        ours = lifted(world, config, spoil=noisy_legs)
        way = sole_points(ours, body).diff(dim=0)[..., :2].norm(dim=-1)
        slides.append(1000 * float(way[both].mean()))
    assert feet.amax(-1).mean() > 0.4
    assert slides[1] < 5.0
    assert slides[1] < 0.6 * slides[0]
    knees = swing_twist(torch.tensor(ours.body_pose))
    for knee in ("left_knee", "right_knee"):
        assert torch.rad2deg(knees[:, JOINT_INDEX[knee] - 1, 0]).min() > -8


def test_height_fixes_stature_and_distance() -> None:
    world = made(60)
    average = stature_m(world.body, torch.zeros(world.body.num_betas))
    tall = lifted(world, LiftConfig(height_m=1.1 * average))
    assert stature_m(world.body, torch.tensor(tall.betas)) == pytest.approx(1.1 * average, 1e-3)
    place = world.camera.position_world[0]
    root = [joints_of(world.body, m)[:, 0].numpy() - place for m in (tall, lifted(world))]
    ratio = np.linalg.norm(root[0], axis=-1) / np.linalg.norm(root[1], axis=-1)
    np.testing.assert_allclose(ratio, 1.1, atol=0.01)
    with pytest.raises(OptionError, match="height"):
        lifted(world, LiftConfig(height_m=9.0))


def only(world: World, words: tuple[str, ...]) -> World:
    """Only points with these words in their names are seen."""
    points = np.array(world.keypoints.keypoints_2d)
    hidden = [
        i
        for i, name in enumerate(world.keypoints.keypoint_names)
        if not any(word in name for word in words)
    ]
    points[:, hidden] = np.nan
    return world._replace(keypoints=world.keypoints.replace(keypoints_2d=points))


@pytest.mark.parametrize(
    "words",
    [
        ("left_wrist", "left_elbow", "left_shoulder", "left_index", "left_pinky"),
        ("nose", "eye", "ear", "mouth", "shoulder", "elbow", "wrist"),
        ("hip", "knee", "ankle", "heel", "foot"),
    ],
    ids=["one arm", "upper half", "lower half"],
)
def test_parts_of_a_person_are_enough(words: tuple[str, ...]) -> None:
    world = only(made(100), words)
    motion = lifted(world)
    assert error_m(world, motion).max() < 0.03
    assert motion.observed.all()


def test_who_is_not_seen_is_not_made_up() -> None:
    world = made(10)
    points = np.array(world.keypoints.keypoints_2d)
    points[..., 2] = 0.0
    for unseen in (points, np.full_like(points, np.nan)):
        with pytest.raises(NoPersonError, match="no frame"):
            lifted(world._replace(keypoints=world.keypoints.replace(keypoints_2d=unseen)))
    truth = MevaLifter(LiftConfig(), world.body, Truthful(world))
    with pytest.raises(OptionError, match="10 frames of keypoints, 4 of camera"):
        truth.lift(world.keypoints, camera_at(4, (0.0, -4.0, 1.0)))


def test_weights_that_cannot_be_used(tmp_path: Path) -> None:
    """One line says which file, what is wrong and what to do."""
    from motionfield.priors.weight_file import write_weights

    body, lift = load_body("toy"), LiftConfig(method="meva")
    with pytest.raises(MissingAssetError, match=r"nowhere\.safetensors: no weights there"):
        make_lifter(replace(lift, weights=tmp_path / "nowhere.safetensors"), body, None)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\x00" * 64)
    with pytest.raises(InputError, match=r"damaged\.safetensors: cannot be read"):
        make_lifter(replace(lift, weights=damaged), body, None)
    old = tmp_path / "old.safetensors"
    write_weights(old, {"a": torch.zeros(1)}, {"format": "motionfield-meva-0"})
    with pytest.raises(InputError, match=r"holds motionfield-meva-0, not motionfield-meva-"):
        make_lifter(replace(lift, weights=old), body, None)


def test_the_clips_mean_up() -> None:
    """Of frames that err, and some that are upside down."""
    generator = torch.Generator().manual_seed(0)
    turn = roma.random_rotmat(100)
    truth = torch.tensor([0.0, 0.6, 0.8])
    up = truth + 0.1 * torch.randn(100, 3, generator=generator)
    up[::9] = -up[::9]
    up = torch.nn.functional.normalize(up, dim=-1)
    weights = torch.ones(100)
    weights[50:] = 0.0
    found = mean_up((turn.mT @ up.unsqueeze(-1))[..., 0], turn, weights)
    assert torch.rad2deg(torch.acos(found.up_world @ truth)) < 3
    assert 4 < found.spread_deg < 12
    R = roma.random_rotmat()
    turned = mean_up((turn.mT @ up.unsqueeze(-1))[..., 0], R @ turn, weights)
    torch.testing.assert_close(turned.up_world, R @ found.up_world, atol=1e-5, rtol=0)
