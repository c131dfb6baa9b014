"""A clip's pose on our skeleton in closed form: directions and frames, no ground yet.

Limbs have the clip's directions. The trunk follows the rig's frames, then leans until the middle
of its shoulders lies on the clip's; the collars follow the shoulders' movement in the chest.
"""

import math
from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_feet import Soles
from motionfield.worlds.mocap_figure import Figure, swing
from motionfield.worlds.mocap_proportions import bone_offsets
from motionfield.worlds.mocap_rolls import forearm_roll, limited, nearest_half_turn
from motionfield.worlds.mocap_sample import (
    FLEXION_AXIS,
    LOWER_BONES,
    UPPER_BONES,
    Bone,
    raised_by_arms,
)

_MAX_HYPEREXTENSION_RAD: Final = math.radians(20)
_MAX_NECK_RAD: Final = math.radians(60)
_MAX_WRIST_RAD: Final = math.radians(95)
_MAX_LEAN_RAD: Final = math.radians(20)
# Joints without a rotation of their own, after those that they follow.
_FOLLOWERS: Final = {
    "left_wrist": "left_elbow",
    "right_wrist": "right_elbow",
    "left_hand": "left_wrist",
    "right_hand": "right_wrist",
    "left_foot": "left_ankle",
    "right_foot": "right_ankle",
}
_LEANING: Final = ("spine1", "spine2", "spine3", "left_collar", "right_collar")
_SHOULDERS: Final = [JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]]
_HIPS: Final = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]


class Calibration(NamedTuple):
    """How one subject's clips become motions of one body."""

    source: dict[str, tuple[int, int, float]]
    """Per joint of ours: two joints of the rig and the share between their frames."""
    frame: dict[str, Float[Tensor, "3 3"]]
    """Per joint of ours: rotation of our joint frame in the rig's."""
    shoulder_rest: Float[Tensor, "2 3"]
    """Places of the shoulders in our spine3's axes, relative to the rig's chest, at rest."""
    collar_rad: Float[Tensor, "2"] | None
    """How far the collars are raised at rest; None: the rig's are rigid, ours follow the arms."""
    betas: Float[Tensor, "betas"]
    bone_scale: Float[Tensor, "24"]
    ground_shift_m: float
    """What puts standing soles on z = 0."""
    soles: Soles
    wrist_share: float
    """The wrist lies this much farther out than the rig's, as a share of the rig's forearm."""
    collar_back_m: float = 0.0
    """The shoulders are this much farther forward in the chest than our body's."""
    lean_free_m: float = 0.0
    """What is left of that: the rig's shoulders lie where no person's do."""


def base_figure(
    positions: Float[Tensor, "frames joints 3"],
    rotations: Float[Tensor, "frames joints 3 3"],
    canonical: dict[str, int],
    body: Body,
    how: Calibration,
    lean: bool = True,
) -> Figure:
    """The skeleton with the clip's directions, its hips' middle at the clip's.

    Args:
        positions, rotations: the rig's joints in the world.
        canonical: its joint of each canonical name.
        body: what to move.
        how: from ``calibrate_subject``.
        lean: put the shoulders' middle in line with the clip's.
    """
    joints = body.rest_joints(how.betas, how.bone_scale)
    world = _followed(rotations, how)
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        world |= _unflipped(world, upper, lower, joints)
    world |= _collars(positions, rotations, canonical, joints, how, world["spine3"])
    world |= _unrolled(world, joints)
    for joint, parent in _FOLLOWERS.items():
        world.setdefault(joint, world[parent])
    turns = torch.stack([world[name] for name in JOINT_INDEX], dim=1)
    middle = positions[:, [canonical["l_hip"], canonical["r_hip"]]].mean(1)
    offsets = bone_offsets(joints)
    figure = Figure(turns, middle - turns[:, 0] @ offsets[_HIPS].mean(0), offsets)
    if not lean:
        return figure
    target = positions[:, [canonical["l_shoulder"], canonical["r_shoulder"]]].mean(1)
    return _leaned(figure, target - how.lean_free_m * turns[:, 0, :, 2])


def shoulders_ahead(
    figure: Figure, positions: Float[Tensor, "frames joints 3"], canonical: dict[str, int]
) -> Float[Tensor, "frames"]:
    """How far the clip's shoulders lie ahead of the figure's, along its pelvis's z, metres."""
    theirs = positions[:, [canonical["l_shoulder"], canonical["r_shoulder"]]].mean(1)
    ours = figure.joints[:, _SHOULDERS].mean(1)
    return ((theirs - ours) * figure.rotations[:, 0, :, 2]).sum(-1)


def _leaned(figure: Figure, target: Float[Tensor, "frames 3"]) -> Figure:
    """Trunk and collars turned about spine1 until the shoulders' middle points at ``target``."""
    joints = figure.joints
    pivot = joints[:, JOINT_INDEX["spine1"]]
    turn = roma.rotmat_to_rotvec(swing(joints[:, _SHOULDERS].mean(1) - pivot, target - pivot))
    angle = turn.norm(dim=-1, keepdim=True)
    turn = turn * (_MAX_LEAN_RAD / angle.clamp(min=_MAX_LEAN_RAD))
    return figure.turned(_LEANING, roma.rotvec_to_rotmat(turn))


def _followed(
    rotations: Float[Tensor, "frames joints 3 3"], how: Calibration
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    world: dict[str, Tensor] = {}
    for joint, (first, second, share) in how.source.items():
        end = rotations[:, second] @ how.frame[joint]
        if share:
            anchor = _carrier(how, first) or joint
            start = rotations[:, first] @ how.frame[anchor]
            arc = roma.rotmat_to_rotvec(start.mT @ end)
            end = start @ roma.rotvec_to_rotmat(share * arc)
        world[joint] = end
    return world


def _carrier(how: Calibration, rig_joint: int) -> str | None:
    """Our joint of the trunk that follows this joint of the rig alone."""
    return next((j for j, source in how.source.items() if source[:2] == (rig_joint,) * 2), None)


def _unflipped(
    world: dict[str, Tensor], upper: Bone, lower: Bone, joints: Float[Tensor, "24 3"]
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    """Limbs that the rig bends the wrong way: both bones rolled by half a turn.

    Some clips jump to this second solution of the same places for a few frames.
    """
    ends = [JOINT_INDEX[bone.child] for bone in (upper, lower)]
    bones = torch.nn.functional.normalize(bone_offsets(joints)[ends], dim=-1)
    along = [world[b.joint] @ bone for b, bone in zip((upper, lower), bones, strict=True)]
    axis = world[upper.joint] @ torch.tensor(FLEXION_AXIS[lower.joint])
    bend = (torch.linalg.cross(*along) * axis).sum(-1)
    flipped = (bend < -math.sin(_MAX_HYPEREXTENSION_RAD)).float()[:, None] * math.pi
    return {
        b.joint: world[b.joint] @ roma.rotvec_to_rotmat(flipped * bone)
        for b, bone in zip((upper, lower), bones, strict=True)
    }


def _unrolled(
    world: dict[str, Tensor], joints: Float[Tensor, "24 3"]
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    """Feet, heads and hands that the rig holds the wrong way round."""
    bones = torch.nn.functional.normalize(bone_offsets(joints), dim=-1)
    found: dict[str, Tensor] = {}
    for joint, parent in (("neck", "spine3"), ("head", "neck")):
        below = found.get(parent, world[parent])
        turned = world[joint] @ nearest_half_turn(below.mT @ world[joint], torch.eye(3))
        found[joint] = turned @ limited(below.mT @ turned, _MAX_NECK_RAD)
    for side in ("left", "right"):
        ankle, shank = world[f"{side}_ankle"], world[f"{side}_knee"]
        axes = bones[[JOINT_INDEX[f"{side}_foot"]]]
        found[f"{side}_ankle"] = ankle @ nearest_half_turn(shank.mT @ ankle, axes)
        hand = world.get(f"{side}_wrist")
        if hand is not None:
            bone = bones[JOINT_INDEX[f"{side}_hand"]]
            forearm = world[f"{side}_elbow"]
            hand = hand @ forearm_roll(forearm.mT @ hand, bone)
            found[f"{side}_wrist"] = hand @ limited(forearm.mT @ hand, _MAX_WRIST_RAD)
    return found


def _collars(
    positions: Float[Tensor, "frames joints 3"],
    rotations: Float[Tensor, "frames joints 3 3"],
    canonical: dict[str, int],
    joints: Float[Tensor, "24 3"],
    how: Calibration,
    chest: Float[Tensor, "frames 3 3"],
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    """Each collar turns so that its shoulder moves in the chest as the rig's does.

    Where the rig's shoulders are fixed in its chest, collars rise with the arms instead.
    """
    moved = shoulders_in_chest(positions, rotations, canonical, how.source["spine3"][1])
    moved = moved @ how.frame["spine3"] - how.shoulder_rest
    moved = moved + moved.new_tensor((0.0, 0.0, how.collar_back_m))
    raised = how.collar_rad
    if raised is None:
        raised = raised_by_arms(positions, canonical, chest[..., 1])
    raised = raised.expand(len(moved), 2)
    collars = {}
    for side, (name, up) in enumerate((("left", 1), ("right", -1))):
        rest = joints[JOINT_INDEX[f"{name}_shoulder"]] - joints[JOINT_INDEX[f"{name}_collar"]]
        lift = axis_rotation("z", up * raised[:, side])
        bone = lift @ rest
        collars[f"{name}_collar"] = chest @ swing(bone, bone + moved[:, side]) @ lift
    return collars


def shoulders_in_chest(
    positions: Float[Tensor, "frames joints 3"],
    rotations: Float[Tensor, "frames joints 3 3"],
    canonical: dict[str, int],
    chest: int,
) -> Float[Tensor, "frames 2 3"]:
    """Places of the left and right shoulder in the frame of the rig's chest."""
    both = [canonical["l_shoulder"], canonical["r_shoulder"]]
    from_chest = positions[:, both] - positions[:, chest : chest + 1]
    return from_chest @ rotations[:, chest]
