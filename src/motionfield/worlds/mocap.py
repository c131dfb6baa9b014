"""Mocap clips as motions of our body: exact truth for made worlds, poses for the priors."""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.formats.mocap_npz import ClipInfo, MocapClip, MocapShard
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_calibration import (
    FLEXION_AXIS,
    Calibration,
    calibrate_subject,
    collar_raise,
    shoulders_in_chest,
)
from motionfield.worlds.mocap_floor import level_floor
from motionfield.worlds.mocap_proportions import bone_offsets
from motionfield.worlds.mocap_sample import LOWER_BONES, UPPER_BONES, Bone

_TOE_GROUND_M: Final = 0.03
_TOE_FREE_M: Final = 0.12
_MAX_TOE_BEND_RAD: Final = 1.1
_GROUND_QUANTILE: Final = 0.05
_OWN_GROUND_M: Final = 0.12
"""A clip's own lowest sole is taken for the ground if it is this near the subject's."""
_GROUND_FRAMES: Final = 100
_MAX_HYPEREXTENSION_RAD: Final = math.radians(20)
_MAX_TURN_RAD_S: Final = math.radians(2500)


class Retargeted(NamedTuple):
    """A clip's motion with what the shard says of it."""

    info: ClipInfo
    motion: Motion


def retarget(clip: MocapClip, body: Body, how: Calibration) -> Motion:
    """A clip as a motion of ``body``.

    Limbs have the clip's directions and lengths exactly, hips its place. The trunk follows the
    rig's frames, the collars the shoulders' movement in the chest. Toes bend only where the
    ball of the foot stands while the heel rises (mocap of toes is noise). The floor is made
    level and the clip's lowest sole put on it, z = 0. Glitches and frames beside a jump of a
    joint's rotation (2500 degrees/s) are not ``observed``.

    Args:
        clip: positions and rotations in the Z-up world (``formats.mocap_npz``).
        body: what to move.
        how: from ``calibrate_subject``.
    """
    clip = level_floor(clip)
    world = _world_rotations(clip, body, how)
    global_orient, body_pose = _local(world)
    joints = body.rest_joints(how.betas, how.bone_scale)
    hips = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
    to_hips = joints[hips].mean(0) - joints[0]
    own_hips = [clip.canonical["l_hip"], clip.canonical["r_hip"]]
    places = clip.positions_world[:, own_hips].mean(1)
    transl = places - (world[:, 0] @ to_hips) - joints[0]
    transl[:, 2] += how.ground_shift_m
    body_pose = _bend_toes(body_pose, world, transl, body, how)
    transl[:, 2] -= _own_ground(global_orient, body_pose, transl, body, how)
    frames = len(transl)
    return Motion(
        global_orient=global_orient.numpy(),
        body_pose=body_pose.numpy(),
        transl=transl.numpy(),
        betas=how.betas.numpy(),
        bone_scale=how.bone_scale.numpy(),
        body_model=body.name,
        fps=clip.fps,
        time_s=np.arange(frames) / clip.fps,
        frame_index=np.arange(frames),
        observed=~clip.bad_frame & ~_jumps(body_pose, clip.fps),
        history=(step("retarget", clip=clip.info.name, subject=clip.info.subject),),
    )


def retarget_clips(
    shard: MocapShard, infos: Sequence[ClipInfo], body: Body
) -> Iterator[Retargeted]:
    """Retarget clips one after the other; each subject is calibrated once."""
    known: dict[str, Calibration] = {}
    for info in infos:
        if info.subject not in known:
            known[info.subject] = calibrate_subject(shard, info.subject, body)
        motion = retarget(shard.clip(info), body, known[info.subject])
        yield Retargeted(info, motion)


def _world_rotations(
    clip: MocapClip, body: Body, how: Calibration
) -> Float[Tensor, "frames 24 3 3"]:
    world: dict[str, Tensor] = {}
    for joint, (first, second, share) in how.source.items():
        end = clip.rotations_world[:, second] @ how.frame[joint]
        if share:
            anchor = _carrier(how, first) or joint
            start = clip.rotations_world[:, first] @ how.frame[anchor]
            arc = roma.rotmat_to_rotvec(start.mT @ end)
            end = start @ roma.rotvec_to_rotmat(share * arc)
        world[joint] = end
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        world |= _unflipped(world, upper, lower, body, how)
    world |= _collars(clip, body, how, world["spine3"])
    for joint, parent in _FOLLOWERS.items():
        world.setdefault(joint, world[parent])
    return torch.stack([world[name] for name in JOINT_INDEX], dim=1)


def _unflipped(
    world: dict[str, Tensor], upper: Bone, lower: Bone, body: Body, how: Calibration
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    """Limbs that the rig bends the wrong way: both bones rolled by half a turn.

    Some clips jump to this second solution of the same places for a few frames.
    """
    offsets = bone_offsets(body.rest_joints(how.betas, how.bone_scale))
    ends = [JOINT_INDEX[bone.child] for bone in (upper, lower)]
    bones = torch.nn.functional.normalize(offsets[ends], dim=-1)
    along = [world[b.joint] @ bone for b, bone in zip((upper, lower), bones, strict=True)]
    axis = world[upper.joint] @ torch.tensor(FLEXION_AXIS[lower.joint])
    bend = (torch.linalg.cross(*along) * axis).sum(-1)
    flipped = (bend < -math.sin(_MAX_HYPEREXTENSION_RAD)).float()[:, None] * math.pi
    return {
        b.joint: world[b.joint] @ roma.rotvec_to_rotmat(flipped * bone)
        for b, bone in zip((upper, lower), bones, strict=True)
    }


def _jumps(body_pose: Float[Tensor, "frames 23 3 3"], fps: float) -> Bool[ndarray, "frames"]:
    """Frames beside a jump of any joint that is faster than any person."""
    turn = roma.rotmat_geodesic_distance(body_pose[:-1], body_pose[1:])
    jump = (turn * fps > _MAX_TURN_RAD_S).any(-1).numpy()
    beside = np.zeros(len(body_pose), dtype=bool)
    beside[:-1] |= jump
    beside[1:] |= jump
    return beside


def _carrier(how: Calibration, rig_joint: int) -> str | None:
    """Our joint of the trunk that follows this joint of the rig alone."""
    return next((j for j, source in how.source.items() if source[:2] == (rig_joint,) * 2), None)


# Joints without a rotation of their own, after those that they follow.
_FOLLOWERS: Final = {
    "left_wrist": "left_elbow",
    "right_wrist": "right_elbow",
    "left_hand": "left_wrist",
    "right_hand": "right_wrist",
    "left_foot": "left_ankle",
    "right_foot": "right_ankle",
}


def _collars(
    clip: MocapClip,
    body: Body,
    how: Calibration,
    chest: Float[Tensor, "frames 3 3"],
) -> dict[str, Float[Tensor, "frames 3 3"]]:
    """Each collar turns so that its shoulder moves in the chest as the rig's does.

    Where the rig's shoulders are fixed in its chest, collars rise with the arms instead.
    """
    source = how.source["spine3"][1]
    moved = shoulders_in_chest(clip.positions_world, clip.rotations_world, clip.canonical, source)
    moved = moved @ how.frame["spine3"] - how.shoulder_rest
    raised = how.collar_rad
    if raised is None:
        raised = collar_raise(clip.positions_world, clip.canonical, chest)
    raised = raised.expand(len(moved), 2)
    joints = body.rest_joints(how.betas, how.bone_scale)
    collars = {}
    for side, (name, up) in enumerate((("left", 1), ("right", -1))):
        rest = joints[JOINT_INDEX[f"{name}_shoulder"]] - joints[JOINT_INDEX[f"{name}_collar"]]
        lift = axis_rotation("z", up * raised[:, side])
        bone = lift @ rest
        collars[f"{name}_collar"] = chest @ swing(bone, bone + moved[:, side]) @ lift
    return collars


def swing(start: Float[Tensor, "frames 3"], end: Float[Tensor, "frames 3"]) -> Tensor:
    """The smallest rotations (frames, 3, 3) that carry ``start``'s direction onto ``end``'s."""
    a = torch.nn.functional.normalize(start, dim=-1)
    b = torch.nn.functional.normalize(end, dim=-1)
    # The unit quaternion (a x b, 1 + a.b), normalised.
    quat = torch.cat((torch.linalg.cross(a, b), 1 + (a * b).sum(-1, keepdim=True)), dim=-1)
    return roma.unitquat_to_rotmat(torch.nn.functional.normalize(quat, dim=-1))


def _local(
    world: Float[Tensor, "frames 24 3 3"],
) -> tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames 23 3 3"]]:
    parents = world[:, list(JOINT_PARENTS[1:])]
    local = parents.mT @ world[:, 1:]
    # Products of three float32 rotations drift by 1e-6: project back.
    return roma.special_gramschmidt(world[:, 0]), roma.special_gramschmidt(local)


def _bend_toes(
    body_pose: Float[Tensor, "frames 23 3 3"],
    world: Float[Tensor, "frames 24 3 3"],
    transl: Float[Tensor, "frames 3"],
    body: Body,
    how: Calibration,
) -> Float[Tensor, "frames 23 3 3"]:
    """Keep the toes level while the ball of the foot is near the ground and the heel is up."""
    joints = body.pose(world[:, 0], body_pose, transl, how.betas, bone_scale=how.bone_scale).joints
    bent = body_pose.clone()
    for side in ("left", "right"):
        foot = JOINT_INDEX[f"{side}_foot"]
        ahead = world[:, JOINT_INDEX[f"{side}_ankle"], 2, 2]
        pitch = torch.asin((-ahead).clamp(-1, 1)).clamp(0, _MAX_TOE_BEND_RAD)
        near = (_TOE_FREE_M - joints[:, foot, 2]) / (_TOE_FREE_M - _TOE_GROUND_M)
        bent[:, foot - 1] = axis_rotation("x", -pitch * near.clamp(0, 1))
    return bent


def _own_ground(
    global_orient: Float[Tensor, "frames 3 3"],
    body_pose: Float[Tensor, "frames 23 3 3"],
    transl: Float[Tensor, "frames 3"],
    body: Body,
    how: Calibration,
) -> float:
    stride = -(-len(transl) // _GROUND_FRAMES)
    some = slice(None, None, stride)
    vertices = body.vertices(
        global_orient[some], body_pose[some], transl[some], how.betas, bone_scale=how.bone_scale
    )
    lowest = vertices[..., 2].min(-1).values.quantile(_GROUND_QUANTILE)
    return float(lowest) if abs(lowest) < _OWN_GROUND_M else 0.0
