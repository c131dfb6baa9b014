"""How well one retargeted clip follows its source: errors, feet, bends, trunk."""

import math
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.joint_angles import joint_angles
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX
from motionfield.data.motion import Motion
from motionfield.formats.mocap_npz import MocapClip
from motionfield.worlds.mocap_floor import level_floor
from motionfield.worlds.mocap_sample import FLEXION_AXIS, LOWER_BONES, UPPER_BONES

GROUPS: Final = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
"""Left and right of each; the head is scored apart."""
WRONG_BEND_DEG: Final = 20.0
TRUNK_LIMITS_DEG: Final = {
    "trunk_flexion": (-45.0, 110.0),
    "trunk_lateral_bending": (-55.0, 55.0),
    "trunk_rotation": (-75.0, 75.0),
}
"""The thorax in the pelvis: about the range of motion of athletes."""
_CONTACT: Final = 0.5
_MESH_FRAMES: Final = 25


class ClipScore(NamedTuple):
    """One clip, frame by frame; frames that are not observed are left out (but for two)."""

    errors_m: dict[str, Float[ndarray, "values"]]
    """Distance of each joint (``GROUPS``, "head") from the clip's, all frames and both sides."""
    slide_source_m: Float[ndarray, "steps"]
    """Horizontal way of the stiller of ankle and toe during each step in contact, per 1/30 s."""
    slide_m: Float[ndarray, "steps"]
    """The same of our ankle and foot joints."""
    sole_m: Float[ndarray, "samples"]
    """Height of the lowest vertex of feet in contact: they float, or (< 0) are sunk."""
    flexion_deg: Float[ndarray, "values"]
    """Of knees and elbows; negative is the wrong way."""
    trunk_deg: dict[str, Float[ndarray, "frames"]]
    observed: Bool[ndarray, "frames"]
    contact: Float[ndarray, "values"]
    """All frames, both feet."""


def source_in_world(
    clip: MocapClip, motion: Motion, joints: Float[Tensor, "frames 24 3"]
) -> Float[Tensor, "frames joints 3"]:
    """The clip's joints on the level floor, moved up or down by one constant to the motion's."""
    places = level_floor(clip).positions_world.clone()
    hips = [clip.canonical["l_hip"], clip.canonical["r_hip"]]
    ours = joints[:, [JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]], 2].mean(1)
    seen = torch.from_numpy(motion.observed.copy())
    places[..., 2] += (ours - places[:, hips, 2].mean(1))[seen].median()
    return places


def joints_of(motion: Motion, body: Body) -> Float[Tensor, "frames 24 3"]:
    """The motion's joints in the world."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    parts = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    orient, pose, transl, betas = (tensor_of(part) for part in parts)
    return body.pose(orient, pose, transl, betas, bone_scale=scale).joints


def score_clip(clip: MocapClip, motion: Motion, body: Body, wrist_share: float) -> ClipScore:
    """Compare a motion with the clip that it was made of.

    Args:
        clip: the source.
        motion: from ``worlds.mocap.retarget``.
        body: its body.
        wrist_share: from the calibration: the wrist lies this much farther out than the rig's.
    """
    joints = joints_of(motion, body)
    source = source_in_world(clip, motion, joints)
    seen = torch.from_numpy(motion.observed.copy())
    angles = joint_angles(tensor_of(motion.global_orient), tensor_of(motion.body_pose))
    trunk = {name: torch.rad2deg(angles[name])[seen].numpy() for name in TRUNK_LIMITS_DEG}
    before, after = _slides(clip, motion, source, joints)
    contacts = np.zeros((motion.num_frames, 2)) if motion.contacts is None else motion.contacts
    return ClipScore(
        errors_m=_errors(clip, source, joints, seen, wrist_share)
        | {"head": _head_error(clip, motion, source, joints)},
        slide_source_m=before,
        slide_m=after,
        sole_m=_soles(motion, body, contacts),
        flexion_deg=_flexion(motion)[:, motion.observed].reshape(-1),
        trunk_deg=trunk,
        observed=motion.observed,
        contact=contacts.reshape(-1),
    )


def _errors(
    clip: MocapClip, source: Tensor, joints: Tensor, seen: Tensor, wrist_share: float
) -> dict[str, Float[ndarray, "values"]]:
    errors = {}
    for group in GROUPS:
        both = []
        for side in ("left", "right"):
            theirs = source[:, clip.canonical[f"{side[0]}_{group}"]]
            if group == "wrist":
                elbow = source[:, clip.canonical[f"{side[0]}_elbow"]]
                theirs = theirs + wrist_share * (theirs - elbow)
            both.append((joints[:, JOINT_INDEX[f"{side}_{group}"]] - theirs).norm(dim=-1)[seen])
        errors[group] = torch.cat(both).numpy()
    return errors


def _head_error(clip: MocapClip, motion: Motion, source: Tensor, joints: Tensor) -> ndarray:
    """Rigs mark other points of the head: about where the clip's lies in ours at its median."""
    seen = torch.from_numpy(motion.observed.copy())
    orient = tensor_of(motion.global_orient)
    # The head's frame is the chain of the trunk's rotations.
    for joint in ("spine1", "spine2", "spine3", "neck", "head"):
        orient = orient @ tensor_of(motion.body_pose)[:, JOINT_INDEX[joint] - 1]
    away = source[:, clip.canonical["head"]] - joints[:, JOINT_INDEX["head"]]
    inside = (away.unsqueeze(1) @ orient)[:, 0][seen]
    return (inside - inside.median(dim=0).values).norm(dim=-1).numpy()


def _slides(
    clip: MocapClip, motion: Motion, source: Tensor, joints: Tensor
) -> tuple[ndarray, ndarray]:
    if motion.contacts is None or motion.num_frames < 2:
        return np.zeros(0), np.zeros(0)
    bears = tensor_of(motion.contacts) > _CONTACT
    held = bears[1:] & bears[:-1]
    found = []
    for places, names in (
        (source, [[clip.canonical[f"{s}_{p}"] for p in ("ankle", "toe")] for s in "lr"]),
        (joints, [[JOINT_INDEX[f"{s}_{p}"] for p in ("ankle", "foot")] for s in ("left", "right")]),
    ):
        points = places[:, names, :2]
        step = (points[1:] - points[:-1]).norm(dim=-1).amin(-1) * clip.fps / 30
        found.append(step[held].numpy())
    return found[0], found[1]


def _flexion(motion: Motion) -> Float[ndarray, "limbs frames"]:
    """Signed angle between the bones of each leg and arm about the hinge, degrees."""
    pose = tensor_of(motion.body_pose)
    bones = {"knee": (0.0, -1.0, 0.0), "left_elbow": (1.0, 0, 0), "right_elbow": (-1.0, 0, 0)}
    flexion = []
    for _, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        along = pose.new_tensor(bones.get(lower.joint) or bones["knee"])
        bent = pose[:, JOINT_INDEX[lower.joint] - 1] @ along
        axis = pose.new_tensor(FLEXION_AXIS[lower.joint])
        turned = torch.linalg.cross(along.expand_as(bent), bent) @ axis
        flexion.append(torch.atan2(turned, bent @ along))
    return torch.stack(flexion).numpy() * (180 / math.pi)


def _soles(
    motion: Motion, body: Body, contacts: Float[ndarray, "frames 2"]
) -> Float[ndarray, "samples"]:
    """Of feet in contact, in frames taken evenly: what of the mesh is below the ankle's height."""
    betas = tensor_of(motion.betas)
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    rest = body.skin(betas, bone_scale=scale).rest_vertices
    ankle = body.rest_joints(betas, scale)[JOINT_INDEX["left_ankle"]]
    low = rest[:, 1] < ankle[1]
    feet = (low & (rest[:, 0] > 0), low & (rest[:, 0] < 0))
    heights = []
    for foot, bears in zip(feet, contacts.T > _CONTACT, strict=True):
        frames = np.flatnonzero(bears & motion.observed)
        if not len(frames):
            continue
        some = frames[:: -(-len(frames) // _MESH_FRAMES)]
        vertices = body.vertices(
            tensor_of(motion.global_orient[some]),
            tensor_of(motion.body_pose[some]),
            tensor_of(motion.transl[some]),
            betas,
            bone_scale=scale,
        )
        heights.append(vertices[:, foot, 2].min(-1).values.numpy())
    return np.concatenate(heights) if heights else np.zeros(0)
