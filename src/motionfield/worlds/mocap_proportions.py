"""Bone lengths of a mocap subject as a shape of our body and factors on its bones."""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS
from motionfield.worlds.mocap_rigs import Rig
from motionfield.worlds.mocap_sample import (
    LOWER_BONES,
    UPPER_BONES,
    Sample,
    median_of,
    upright_frames,
)

_SPINE_RANGE: Final = (0.8, 1.25)
_WIDTH_RANGE: Final = (0.85, 1.2)


def unit_bones(
    body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]
) -> Float[Tensor, "24 3"]:
    """Directions of the bones that end in each joint, in the T-pose."""
    joints = body.rest_joints(betas, scale)
    return torch.nn.functional.normalize(bone_offsets(joints), dim=-1)


def bone_offsets(joints: Float[Tensor, "24 3"]) -> Float[Tensor, "24 3"]:
    """Each joint relative to its parent (zero for the root), in the T-pose."""
    return joints - joints[[0, *JOINT_PARENTS[1:]]]


def measure_proportions(
    sizes: Sample, rig: Rig, body: Body
) -> tuple[Float[Tensor, "betas"], Float[Tensor, "24"]]:
    """The shape with the subject's legs, and factors for what is left of each bone."""
    place = sizes.place

    def apart(a: str, b: str) -> float:
        return float(median_of((place(a) - place(b)).norm(dim=-1)))

    legs = sum(apart(f"{s}_{a}", f"{s}_{b}") for s in "lr" for a, b in _LEG_BONES) / 2
    betas = _betas_of_legs(body, legs)
    joints = body.rest_joints(betas)
    length = bone_offsets(joints).norm(dim=-1)
    scale = torch.ones(NUM_JOINTS)
    # Where a rig puts the toes is convention: feet keep the body's own length.
    for bone in (*UPPER_BONES, *LOWER_BONES):
        child = JOINT_INDEX[bone.child]
        scale[child] = apart(bone.canon, bone.canon_child) / length[child]
    if rig.wrist_share:
        for side, hand in zip(("l", "r"), rig.hands or (), strict=True):
            reach = sizes.positions[:, sizes.joint_names.index(hand[0])] - place(f"{side}_wrist")
            child = JOINT_INDEX["left_wrist" if side == "l" else "right_wrist"]
            scale[child] += rig.wrist_share * float(median_of(reach.norm(dim=-1))) / length[child]
    hips = [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]]
    scale[hips] = apart("l_hip", "r_hip") / (joints[hips[0], 0] - joints[hips[1], 0])
    return betas, _trunk_scale(sizes, joints, scale)


_LEG_BONES: Final = (("hip", "knee"), ("knee", "ankle"))


def _betas_of_legs(body: Body, legs_m: float) -> Float[Tensor, "betas"]:
    betas = torch.zeros(2, body.num_betas)
    betas[1, 0] = 1.0
    joints = body.rest_joints(betas)
    hip, knee, ankle = (JOINT_INDEX[f"left_{n}"] for n in ("hip", "knee", "ankle"))
    legs = (joints[:, hip] - joints[:, knee]).norm(dim=-1)
    legs = legs + (joints[:, knee] - joints[:, ankle]).norm(dim=-1)
    stature = (legs_m - legs[0]) / (legs[1] - legs[0])
    return betas[1] * stature.clamp(-4, 4)


def _trunk_scale(
    sizes: Sample, joints: Float[Tensor, "24 3"], scale: Float[Tensor, "24"]
) -> Float[Tensor, "24"]:
    hips = (sizes.place("l_hip") + sizes.place("r_hip")) / 2
    shoulders = (sizes.place("l_shoulder") + sizes.place("r_shoulder")) / 2
    height = median_of((shoulders - hips).norm(dim=-1)[upright_frames(sizes)])
    width = median_of((sizes.place("l_shoulder") - sizes.place("r_shoulder")).norm(dim=-1))
    at = {n: joints[JOINT_INDEX[n]] for n in ("left_hip", "spine3", "pelvis", "left_shoulder")}
    spine = at["spine3"][1] - at["pelvis"][1]
    rest = at["left_shoulder"][1] - at["left_hip"][1] - spine
    factor = ((height - rest) / spine).clamp(*_SPINE_RANGE)
    scale[[JOINT_INDEX[n] for n in ("spine1", "spine2", "spine3")]] = factor
    broad = (width / (2 * at["left_shoulder"][0])).clamp(*_WIDTH_RANGE)
    across = [f"{side}_{part}" for side in ("left", "right") for part in ("collar", "shoulder")]
    scale[[JOINT_INDEX[n] for n in across]] = broad
    return scale


def sole_depth(body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]) -> float:
    """Height of the ankle above the sole in the T-pose."""
    vertices = body.skin(betas, bone_scale=scale).rest_vertices
    ankle = body.rest_joints(betas, scale)[JOINT_INDEX["left_ankle"], 1]
    return float(ankle - vertices[:, 1].min())
