"""A retargeted CMU walk is a human walk in our world: the issue of every motion pipeline."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
import pytest
import roma
import torch
from torch import Tensor

from helpers import shared_path
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import InputError, OptionError
from motionfield.data import Motion
from motionfield.formats.mocap_npz import MocapClip, MocapShard, read_mocap
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap import retarget, retarget_clips
from motionfield.worlds.mocap_calibration import calibrate_subject, hinge_axis
from motionfield.worlds.mocap_figure import swing
from motionfield.worlds.mocap_floor import floor_slope, level_floor
from motionfield.worlds.mocap_sample import raised_by_arms

_SIDES = ("left", "right")


class Walk(NamedTuple):
    shard: MocapShard
    clip: MocapClip
    motion: Motion
    body_name: str

    @property
    def joints(self) -> Tensor:
        return _joints(self.motion)

    def place(self, name: str) -> Tensor:
        return self.joints[:, JOINT_INDEX[name]]

    @property
    def facing(self) -> Tensor:
        """Horizontal direction that the pelvis faces: its +Z."""
        ahead = _tensor(self.motion.global_orient)[:, :, 2].clone()
        ahead[:, 2] = 0
        return torch.nn.functional.normalize(ahead, dim=-1)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.tensor(np.array(array))


def _joints(motion: Motion) -> Tensor:
    assert motion.bone_scale is not None
    parts = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    body = load_body(motion.body_model)
    return body.pose(*map(_tensor, parts), bone_scale=_tensor(motion.bone_scale)).joints


@pytest.fixture(scope="module", params=["toy", "anny"])
def walk(request: pytest.FixtureRequest) -> Walk:
    shard = read_mocap(shared_path("mocap", "cmu_amc.npz"))
    info = shard.find("02_01")
    body = load_body(request.param)
    clip = shard.clip(info)
    motion = retarget(clip, body, calibrate_subject(shard, info.subject, body))
    # The laboratory's floor leans by a degree: compare with the clip as it stands on level ground.
    return Walk(shard, level_floor(clip), motion, request.param)


def test_stands_upright(walk: Walk) -> None:
    pelvis, head = walk.place("pelvis"), walk.place("head")
    ankles = torch.stack([walk.place(f"{side}_ankle") for side in _SIDES])
    assert (head[:, 2] > pelvis[:, 2] + 0.4).all()
    assert (pelvis[:, 2] > ankles[..., 2].amax(0) + 0.3).all()
    spine = torch.nn.functional.normalize(head - pelvis, dim=-1)
    assert (spine[:, 2] > math.cos(math.radians(20))).all()
    root_up = _tensor(walk.motion.global_orient)[:, 2, 1]
    assert (root_up > math.cos(math.radians(25))).all()


def test_walks_forward(walk: Walk) -> None:
    pelvis = walk.place("pelvis")
    velocity = (pelvis[10:] - pelvis[:-10]) * walk.motion.fps / 10
    velocity[:, 2] = 0
    assert (velocity.norm(dim=-1) > 0.8).all()
    ahead = (torch.nn.functional.normalize(velocity, dim=-1) * walk.facing[5:-5]).sum(-1)
    assert (ahead > math.cos(math.radians(25))).all()
    toes = walk.place("left_foot") + walk.place("right_foot")
    heels = walk.place("left_ankle") + walk.place("right_ankle")
    assert (((toes - heels) * walk.facing).sum(-1) > 0.05).all()


def test_knees_and_elbows_bend_the_right_way(walk: Walk) -> None:
    """Bent knees lie in front of the line from hip to ankle, bent elbows behind theirs."""
    for side in _SIDES:
        for ends, middle, sign in (
            (("hip", "ankle"), "knee", 1),
            (("shoulder", "wrist"), "elbow", -1),
        ):
            first, last = (walk.place(f"{side}_{end}") for end in ends)
            bone = torch.nn.functional.normalize(last - first, dim=-1)
            out = walk.place(f"{side}_{middle}") - first
            off = out - (out * bone).sum(-1, keepdim=True) * bone
            forward = sign * (off * walk.facing).sum(-1)
            assert forward.min() > -0.015
            assert forward.max() > 0.04


def test_flexion_turns_about_the_body_axes(walk: Walk) -> None:
    """Knees about +x, left elbows about -y, right elbows about +y of our T-pose."""
    turns = roma.rotmat_to_rotvec(_tensor(walk.motion.body_pose))
    for joint, axis, sign, most in (
        ("left_knee", 0, 1, 50),
        ("right_knee", 0, 1, 50),
        ("left_elbow", 1, -1, 25),
        ("right_elbow", 1, 1, 25),
    ):
        flexion = sign * torch.rad2deg(turns[:, JOINT_INDEX[joint] - 1, axis])
        assert flexion.min() > -5, joint
        assert flexion.max() > most, joint


def test_left_stays_left(walk: Walk) -> None:
    canonical = walk.clip.canonical
    left_of_body = _tensor(walk.motion.global_orient)[:, :, 0]
    for part in ("hip", "shoulder"):
        across = walk.place(f"left_{part}") - walk.place(f"right_{part}")
        assert ((across * left_of_body).sum(-1) > 0.05).all()
    up = torch.tensor([0.0, 0.0, 1.0]).expand_as(left_of_body)
    assert ((torch.linalg.cross(up, walk.facing) * left_of_body).sum(-1) > 0.8).all()
    source = walk.clip.positions_world
    own, other = source[:, canonical["l_ankle"]], source[:, canonical["r_ankle"]]
    ankle = walk.place("left_ankle")
    apart = (own - other).norm(dim=-1) > 0.3
    assert apart.sum() > 20
    near, far = (ankle - own).norm(dim=-1), (ankle - other).norm(dim=-1)
    assert (near < far)[apart].all()


def test_ankles_and_wrists_are_those_of_the_clip(walk: Walk) -> None:
    """But for the rig's two legs, which differ in length; the wrist lies farther out."""
    body = load_body(walk.body_name)
    how = calibrate_subject(walk.shard, "cmu02", body)
    joints = _joints(retarget(walk.shard.clip(walk.clip.info), body, how, plant=False))
    source, canonical = walk.clip.positions_world, walk.clip.canonical
    hips = [canonical["l_hip"], canonical["r_hip"]]
    centre = joints[:, [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]].mean(1)
    for side in _SIDES:
        theirs = {
            name: source[:, canonical[f"{side[0]}_{name}"]] - source[:, hips].mean(1)
            for name in ("knee", "ankle", "elbow", "wrist")
        }
        wrist = theirs["wrist"] + how.wrist_share * (theirs["wrist"] - theirs["elbow"])
        for name, place, most in (
            ("ankle", theirs["ankle"], 0.004),
            ("knee", theirs["knee"], 0.03),
            ("wrist", wrist, 0.02),
            ("elbow", theirs["elbow"], 0.07),
        ):
            ours = joints[:, JOINT_INDEX[f"{side}_{name}"]] - centre
            assert (ours - place).norm(dim=-1).max() < most, name


def test_soles_are_on_the_ground(walk: Walk) -> None:
    motion = walk.motion
    assert motion.bone_scale is not None
    parts = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    body = load_body(walk.body_name)
    scale = _tensor(motion.bone_scale)
    lowest = body.vertices(*map(_tensor, parts), bone_scale=scale)[..., 2].amin(-1)
    assert lowest.abs().max() < 0.035
    assert lowest.abs().median() < 0.02


def test_a_leaning_floor_is_made_level(walk: Walk) -> None:
    """A level walk leaned by 1.5 degrees along its way comes back; stairs are left alone."""
    assert floor_slope(walk.clip) is not None
    assert abs(floor_slope(walk.clip).rise) < 1e-3
    ahead = torch.nn.functional.normalize(walk.facing.mean(0), dim=0)
    axis = torch.linalg.cross(ahead, torch.tensor([0.0, 0.0, 1.0]))
    lean = roma.rotvec_to_rotmat(math.radians(1.5) * axis)
    leaning = dataclasses.replace(
        walk.clip,
        positions_world=walk.clip.positions_world @ lean.mT,
        rotations_world=lean @ walk.clip.rotations_world,
    )
    slope = floor_slope(leaning)
    assert slope is not None
    assert slope.rise * (slope.direction @ ahead) == pytest.approx(
        math.tan(math.radians(1.5)), abs=2e-3
    )
    level = level_floor(leaning)
    places = level.positions_world - level.positions_world[0, 0]
    expected = walk.clip.positions_world - walk.clip.positions_world[0, 0]
    torch.testing.assert_close(places, expected, atol=5e-3, rtol=0)
    rough = leaning.positions_world.clone()
    rough[40:, :, 2] += 0.2
    assert floor_slope(dataclasses.replace(leaning, positions_world=rough)) is None


def test_a_turned_and_moved_clip_gives_the_turned_and_moved_motion(walk: Walk) -> None:
    body = load_body(walk.body_name)
    how = calibrate_subject(walk.shard, "cmu02", body)
    turn = axis_rotation("z", torch.tensor(2.0))
    shift = torch.tensor([1.0, -2.0, 0.0])
    moved = dataclasses.replace(
        walk.clip,
        positions_world=walk.clip.positions_world @ turn.mT + shift,
        rotations_world=turn @ walk.clip.rotations_world,
    )
    expected = walk.joints @ turn.mT + shift
    torch.testing.assert_close(_joints(retarget(moved, body, how)), expected, atol=1e-4, rtol=0)


def test_limbs_that_the_clip_rolls_by_half_a_turn_are_rolled_back(walk: Walk) -> None:
    """Thigh and shin rolled by 180 degrees and the knee bent backwards: the same places."""
    body = load_body(walk.body_name)
    how = calibrate_subject(walk.shard, "cmu02", body)
    canonical = walk.clip.canonical
    rotations = walk.clip.rotations_world.clone()
    for joint, child in (("l_hip", "l_knee"), ("l_knee", "l_ankle")):
        bone = walk.shard.offsets["cmu02"][canonical[child]]
        roll = roma.rotvec_to_rotmat(math.pi * torch.nn.functional.normalize(bone, dim=-1))
        rotations[:, canonical[joint]] = rotations[:, canonical[joint]] @ roll
    clip = dataclasses.replace(walk.clip, rotations_world=rotations)
    rolled = retarget(clip, body, how, plant=False)
    straight = retarget(walk.clip, body, how, plant=False)
    knee = JOINT_INDEX["left_knee"] - 1
    flexion = roma.rotmat_to_rotvec(_tensor(walk.motion.body_pose))[:, knee, 0]
    bent = flexion > math.radians(25)
    assert bent.sum() > 10
    difference = roma.rotmat_geodesic_distance(
        _tensor(rolled.body_pose)[bent], _tensor(straight.body_pose)[bent]
    )
    assert difference.max() < 1e-2


def test_jumps_are_not_observed(walk: Walk) -> None:
    body = load_body(walk.body_name)
    how = calibrate_subject(walk.shard, "cmu02", body)
    rotations = walk.clip.rotations_world.clone()
    arm = walk.clip.canonical["l_shoulder"]
    rotations[30, arm] = rotations[30, arm] @ axis_rotation("z", torch.tensor(2.0))
    motion = retarget(dataclasses.replace(walk.clip, rotations_world=rotations), body, how)
    assert np.flatnonzero(~motion.observed).tolist() == [29, 30, 31]


@pytest.mark.parametrize("shard", ["cmu8", "cmu_daz", "cmu_dm", "cmu_iclone"])
def test_every_rig_bends_like_a_human(shard: str) -> None:
    read = read_mocap(shared_path("mocap", f"{shard}.npz"))
    body = load_body("toy")
    info = max(read.of_split("train"), key=lambda clip: clip.num_frames * (clip.num_frames < 400))
    motion = next(iter(retarget_clips(read, [info], body))).motion
    turns = torch.rad2deg(roma.rotmat_to_rotvec(_tensor(motion.body_pose)))[
        _tensor(motion.observed)
    ]
    for side, sign in zip(_SIDES, (-1, 1), strict=True):
        knee = turns[:, JOINT_INDEX[f"{side}_knee"] - 1, 0]
        elbow = sign * turns[:, JOINT_INDEX[f"{side}_elbow"] - 1, 1]
        assert knee.quantile(0.02) > -10
        assert elbow.quantile(0.02) > -10
        assert knee.max() > 30
    collars = turns[:, [JOINT_INDEX[f"{side}_collar"] - 1 for side in _SIDES]]
    assert collars.norm(dim=-1).quantile(0.95) < 50


def test_collars_hang_with_hanging_arms_and_rise_with_raised_ones(walk: Walk) -> None:
    """CMU's shoulders are fixed in the chest; people's are not."""
    turns = roma.rotmat_to_rotvec(_tensor(walk.motion.body_pose))
    left, right = (turns[:, JOINT_INDEX[f"{side}_collar"] - 1, 2] for side in _SIDES)
    assert left.max() < math.radians(-5)
    assert right.min() > math.radians(5)
    clip = walk.clip
    positions = torch.zeros(3, len(walk.shard.joint_names), 3)
    for frame, height in enumerate((-1.0, 0.0, 1.0)):
        elbow = clip.canonical["l_elbow"]
        positions[frame, elbow] = torch.tensor([1.0 - abs(height), height, 0.0])
    positions[:, clip.canonical["r_elbow"]] = torch.tensor([-1.0, 0.0, 0.0])
    raised = torch.rad2deg(raised_by_arms(positions, clip.canonical, torch.eye(3)[1].expand(3, 3)))
    torch.testing.assert_close(raised[:, 0], torch.tensor([-15.0, 0.0, 22.5]), atol=0.1, rtol=0)
    torch.testing.assert_close(raised[:, 1], torch.zeros(3), atol=0.1, rtol=0)


def test_the_hinge_axis_of_a_perfect_hinge_is_found() -> None:
    upper = torch.tensor([0.0, -1.0, 0.0])
    axis = torch.tensor([1.0, 0.0, 0.0])
    angles = torch.linspace(0.0, 2.0, 50)
    lower = (axis_rotation("x", angles) @ upper.unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(hinge_axis(upper, lower), axis, atol=1e-5, rtol=0)


def test_swing_carries_and_does_not_roll() -> None:
    generator = torch.Generator().manual_seed(1)
    start, end = torch.randn(2, 20, 3, generator=generator)
    turn = swing(start, end)
    unit = torch.nn.functional.normalize
    carried = (turn @ unit(start, dim=-1).unsqueeze(-1)).squeeze(-1)
    torch.testing.assert_close(carried, unit(end, dim=-1), atol=1e-5, rtol=0)
    angle = torch.acos((unit(start, dim=-1) * unit(end, dim=-1)).sum(-1))
    found = roma.rotmat_to_rotvec(turn).norm(dim=-1)
    torch.testing.assert_close(found, angle, atol=1e-3, rtol=0)


def test_unknown_subjects_and_skeletons_are_refused(walk: Walk) -> None:
    with pytest.raises(OptionError, match="no subject 'cmu99'"):
        calibrate_subject(walk.shard, "cmu99", load_body("toy"))
    strange = dataclasses.replace(walk.shard, joint_names=("a",) * len(walk.shard.joint_names))
    with pytest.raises(InputError, match="unknown"):
        calibrate_subject(strange, "cmu02", load_body("toy"))
