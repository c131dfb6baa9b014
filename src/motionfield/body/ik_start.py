"""A closed-form first pose for inverse kinematics: trunk by its points, limbs by their bones.

The trunk's and chest's rotations come from hips and shoulders. A limb's upper bone takes the
direction of its points, and turns about itself so that the hinge in its middle (elbow, knee)
bends in the plane of the three points, always forwards; the hinge's angle is that between the
two bones. Whatever is not seen keeps the standing pose.
"""

from typing import Final, NamedTuple

import roma
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.body.base import Body
from motionfield.body.joint_limits import standing_pose
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.geometry.alignment import align_points

_STRAIGHT = 0.2
"""Sine of a hinge's angle below which the plane of its three points says little."""
_UP: Final = (0.0, 1.0, 0.0)


class _Limb(NamedTuple):
    """A limb of two bones. Directions are those in the T-pose."""

    side: str
    points: tuple[str, str, str]
    base: str
    """The joint whose frame the limb hangs in."""
    bone: tuple[float, float, float]
    hinge: tuple[float, float, float]
    """Bending turns the lower bone about this axis."""


_LIMBS: Final = tuple(
    limb
    for side, sign in (("left", 1.0), ("right", -1.0))
    for limb in (
        _Limb(side, ("hip", "knee", "ankle"), "pelvis", (0, -1, 0), (1, 0, 0)),
        _Limb(side, ("shoulder", "elbow", "wrist"), "spine3", (sign, 0, 0), (0, -sign, 0)),
    )
)


class PoseStart(NamedTuple):
    """Rotations of all joints (the root first) and the root's translation."""

    rotations: Float[Tensor, "frames 24 3 3"]
    transl: Float[Tensor, "frames 3"]


class _Targets:
    """Named target points."""

    def __init__(self, targets: Tensor, weights: Tensor, keypoint_set: str) -> None:
        self._names = KEYPOINT_SETS[keypoint_set].keypoint_names
        self.points, self.weights = targets, weights

    def point(self, name: str) -> tuple[Float[Tensor, "frames 3"], Bool[Tensor, "frames 1"]]:
        """Places, and where they are known."""
        if name not in self._names:
            return self.points[:, 0] * 0, self.points.new_zeros((len(self.points), 1)).bool()
        index = self._names.index(name)
        return self.points[:, index], self.weights[:, index : index + 1] > 0

    def trunk_weights(self) -> Float[Tensor, "frames keypoints"]:
        """Hips and shoulders carry the trunk; the others only decide where those are missing."""
        corner = [n.endswith(("_hip", "_shoulder")) for n in self._names]
        share = torch.where(torch.tensor(corner), 1.0, 1e-4).to(self.points)
        return self.weights * share


def closed_form_start(
    body: Body,
    betas: Float[Tensor, "betas"],
    targets: Float[Tensor, "frames keypoints 3"],
    weights: Float[Tensor, "frames keypoints"],
    keypoint_set: str,
) -> PoseStart:
    """First rotations and translations; targets with weight 0 are ignored."""
    frames = len(targets)
    named = _Targets(targets, weights, keypoint_set)
    local = standing_pose().to(targets).expand(frames, 23, 3, 3)
    eye = torch.eye(3).to(targets).expand(frames, 1, 3, 3)
    zero = targets.new_zeros(1, 3)
    standing = body.pose(eye[:1, 0], local[:1], zero, betas, keypoint_set)
    rest = standing.keypoints.expand_as(targets)
    root = align_points(rest, targets, named.trunk_weights())
    rotations = torch.cat((root.R_b_a.unsqueeze(1), local), dim=1)
    rotations = _turn_chest(rotations, named)
    for limb in _LIMBS:
        rotations = _pose_limb(rotations, named, limb)
    pelvis = standing.joints[0, 0]
    transl = (root.R_b_a @ pelvis.unsqueeze(-1)).squeeze(-1) + root.t_b_a - pelvis
    seen = weights.sum(-1, keepdim=True) > 0
    transl = torch.where(seen, transl, 0.0)
    return PoseStart(rotations, transl)


def world_rotations(
    rotations: Float[Tensor, "frames 24 3 3"],
) -> Float[Tensor, "frames 24 3 3"]:
    """Every joint's rotation in the world, from those relative to the parents."""
    world = [rotations[:, 0]]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        world.append(world[parent] @ rotations[:, joint])
    return torch.stack(world, dim=1)


def _turn_chest(rotations: Tensor, named: _Targets) -> Tensor:
    """Turn the chest to the shoulders, a third of the way in each joint of the spine."""
    corners = {
        f"{side}_{part}": named.point(f"{side}_{part}")
        for side in ("left", "right")
        for part in ("hip", "shoulder")
    }
    known = torch.stack([seen for _, seen in corners.values()]).all(0)
    left, right = corners["left_shoulder"][0], corners["right_shoulder"][0]
    hips = 0.5 * (corners["left_hip"][0] + corners["right_hip"][0])
    up = normalize(0.5 * (left + right) - hips, dim=-1)
    across = left - right
    across = normalize(across - (across * up).sum(-1, keepdim=True) * up, dim=-1)
    chest = torch.stack((across, up, torch.linalg.cross(across, up)), dim=-1)
    turn = roma.rotmat_to_rotvec(rotations[:, 0].mT @ chest)
    third = roma.rotvec_to_rotmat(torch.where(known, turn / 3, 0.0))
    turned = rotations.clone()
    for name in ("spine1", "spine2", "spine3"):
        turned[:, JOINT_INDEX[name]] = third
    return turned


def _pose_limb(rotations: Tensor, named: _Targets, limb: _Limb) -> Tensor:
    upper, middle, end = (named.point(f"{limb.side}_{name}") for name in limb.points)
    base = world_rotations(rotations)[:, JOINT_INDEX[limb.base]]
    bone, hinge = rotations.new_tensor(limb.bone), rotations.new_tensor(limb.hinge)
    rest = torch.stack((bone, hinge, torch.linalg.cross(bone, hinge)), dim=-1)
    u = normalize(middle[0] - upper[0], dim=-1)
    f = normalize(end[0] - middle[0], dim=-1)
    f = torch.where(middle[1] & end[1], f, u)
    swing = swing_onto(base @ bone, u)
    # The plane of the points, or where they lie on a line what the swing alone would give.
    normal = torch.linalg.cross(u, f) + _STRAIGHT * (swing @ base @ hinge)
    normal = normal - (normal * u).sum(-1, keepdim=True) * u
    normal = normalize(normal, dim=-1)
    frame = torch.stack((u, normal, torch.linalg.cross(u, normal)), dim=-1) @ rest.mT
    angle = torch.atan2(torch.linalg.cross(u, f).norm(dim=-1), (u * f).sum(-1))
    joint, bend = (JOINT_INDEX[f"{limb.side}_{name}"] for name in limb.points[:2])
    posed = rotations.clone()
    known = (upper[1] & middle[1]).unsqueeze(-1)
    posed[:, joint] = torch.where(known, base.mT @ frame, rotations[:, joint])
    bent = roma.rotvec_to_rotmat(angle.unsqueeze(-1) * hinge)
    seen = known & end[1].unsqueeze(-1)
    posed[:, bend] = torch.where(seen, bent, rotations[:, bend])
    return posed


def swing_onto(start: Tensor, end: Tensor) -> Float[Tensor, "frames 3 3"]:
    """The smallest rotations that carry unit vectors ``start`` onto ``end``."""
    quat = torch.cat(
        (torch.linalg.cross(start, end), 1 + (start * end).sum(-1, keepdim=True)), dim=-1
    )
    quat = quat + quat.new_tensor((1e-6, 0, 0, 0))
    return roma.unitquat_to_rotmat(normalize(quat, dim=-1))
