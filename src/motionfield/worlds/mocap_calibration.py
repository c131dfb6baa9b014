"""From a rig's conventions to ours: one fixed rotation per joint, bone lengths per subject.

Rest poses differ between rigs, so their local rotations cannot be compared; but in every rig a bone
is constant in the frame of its joint. A limb's frame is therefore fixed by its bone and by the axis
about which the next joint flexes (measured from the clips), and with these two carried onto our
T-pose's the bones agree in every frame, exactly. The trunk follows the rig's upright rest pose,
or, where that means nothing, the mean posture of upright frames. Feet: flat while they stand.
"""

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import OptionError
from motionfield.formats.mocap_npz import MocapShard
from motionfield.worlds.mocap_feet import soles_of
from motionfield.worlds.mocap_figure import across
from motionfield.worlds.mocap_pose import (
    Calibration,
    base_figure,
    shoulders_ahead,
    shoulders_in_chest,
)
from motionfield.worlds.mocap_proportions import (
    measure_proportions,
    sole_depth,
    unit_bones,
    wrist_share_of,
)
from motionfield.worlds.mocap_rigs import TRUNK, Rig, rig_of
from motionfield.worlds.mocap_sample import (
    FEET,
    FLEXION_AXIS,
    LOWER_BONES,
    UPPER_BONES,
    Sample,
    median_of,
    raised_by_arms,
    take_sample,
    upright_frames,
    upright_share,
)

_STANCE_SPEED_M_S: Final = 0.15
_MIN_FRAMES: Final = 600
"""Subjects with less than this are calibrated on all clips of their shard."""

_MIN_UPRIGHT: Final = 0.2
"""The same with subjects who stand upright in less than this share of their frames."""

_RIGID_M: Final = 0.005
_MAX_LEAN_M: Final = 0.025
_MAX_COLLAR_M: Final = 0.03


def calibrate_subject(shard: MocapShard, subject: str, body: Body) -> Calibration:
    """Measure the conventions of a shard and the proportions of a subject.

    Raises:
        OptionError: the shard has no such subject.
        InputError: the shard's skeleton is unknown.
    """
    own = [info for info in shard.clips if info.subject == subject]
    if not own:
        raise OptionError(f"{shard.path.name} has no subject {subject!r}; see its subject column")
    rig = rig_of(shard)
    sizes = take_sample(shard, own, subject)
    few = len(sizes.positions) < _MIN_FRAMES or upright_share(sizes) < _MIN_UPRIGHT
    sample = take_sample(shard, shard.clips, subject) if few else sizes
    source = _sources(rig, shard)
    betas, scale = measure_proportions(sizes, rig, body)
    rest = unit_bones(body, betas, scale)
    frame = _trunk_frames(sample, rig, source) | _limb_frames(sample, rest)
    feet, stance = _foot_frames(sample, rest)
    frame |= feet
    frame |= _hand_frames(sample, rig, frame, rest)
    own_stance = _foot_frames(sizes, rest)[1]
    ankle_height = own_stance if len(own_stance) else stance
    shoulders, collar_rad = _shoulder_rest(sample, frame["spine3"], source["spine3"][1])
    how = Calibration(
        source=source,
        frame=frame,
        shoulder_rest=shoulders,
        collar_rad=collar_rad,
        betas=betas,
        bone_scale=scale,
        ground_shift_m=sole_depth(body, betas, scale) - float(ankle_height.median()),
        soles=soles_of(body, betas, scale),
        wrist_share=wrist_share_of(sizes, rig),
    )
    back, free = _shoulder_depth(sample, body, how)
    return how._replace(collar_back_m=back, lean_free_m=free)


def _shoulder_depth(sample: Sample, body: Body, how: Calibration) -> tuple[float, float]:
    """How far the rig's shoulders lie ahead of ours while upright, and who makes up for it.

    First the trunk leans, then the collars turn, each as far as no one would notice; what is left
    is the rig's convention.
    """
    upright = upright_frames(sample)
    positions, rotations = sample.positions[upright], sample.rotations[upright]
    figure = base_figure(positions, rotations, sample.canonical, body, how, lean=False)
    ahead = float(shoulders_ahead(figure, positions, sample.canonical).median())
    lean = min(max(ahead, -_MAX_LEAN_M), _MAX_LEAN_M)
    back = min(max(ahead - lean, -_MAX_COLLAR_M), _MAX_COLLAR_M)
    return back, ahead - lean - back


# --- frames -------------------------------------------------------------------------------------


def frame_of(first: Tensor, second: Tensor) -> Float[Tensor, "*batch 3 3"]:
    """Columns: ``first``, ``second`` made orthogonal to it, and their cross product."""
    x = torch.nn.functional.normalize(first, dim=-1)
    y = torch.nn.functional.normalize(second - (second * x).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def _sources(rig: Rig, shard: MocapShard) -> dict[str, tuple[int, int, float]]:
    index = {name: i for i, name in enumerate(shard.joint_names)}
    source = {j: (index[a], index[b], share) for j, (a, b, share) in rig.trunk.items()}
    for bone in (*UPPER_BONES, *LOWER_BONES, *FEET):
        joint = shard.canonical[bone.canon]
        source[bone.joint] = (joint, joint, 0.0)
    if rig.hands is not None:
        for name, (joint_name, _) in zip(("left_wrist", "right_wrist"), rig.hands, strict=True):
            source[name] = (index[joint_name], index[joint_name], 0.0)
    return source


def _trunk_frames(
    sample: Sample, rig: Rig, source: dict[str, tuple[int, int, float]]
) -> dict[str, Float[Tensor, "3 3"]]:
    pelvis = sample.rotations[:, source["pelvis"][0]]
    across = sample.place("l_hip") - sample.place("r_hip")
    left = median_of((pelvis.mT @ across.unsqueeze(-1)).squeeze(-1))
    up = torch.tensor([0.0, 1.0, 0.0])
    facing = frame_of(left, up)
    upright = upright_frames(sample)
    frames = {}
    for joint in TRUNK:
        frames[joint] = facing
        if joint in rig.levelled:
            own = sample.rotations[upright, source[joint][1]] @ facing
            level = median_of(own[:, 2, :])  # the world's up in our joint frame
            level[0] = 0.0
            frames[joint] = facing @ frame_of(torch.tensor([1.0, 0.0, 0.0]), level)
    return frames


def _limb_frames(sample: Sample, rest: Float[Tensor, "24 3"]) -> dict[str, Float[Tensor, "3 3"]]:
    frames = {}
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        upper_bone = sample.bone(upper.canon_child)
        lower_bone = sample.bone(lower.canon_child)
        relative = sample.frame(upper.canon).mT @ sample.frame(lower.canon)
        bent = (relative @ lower_bone.unsqueeze(-1)).squeeze(-1)
        axis = hinge_axis(upper_bone, bent)
        in_lower = (relative.mT @ axis.unsqueeze(-1)).squeeze(-1).mean(0)
        target_axis = torch.tensor(FLEXION_AXIS[lower.joint])
        for bone, direction, hinge in (
            (upper, upper_bone, axis),
            (lower, lower_bone, in_lower),
        ):
            target = frame_of(rest[JOINT_INDEX[bone.child]], target_axis)
            frames[bone.joint] = frame_of(direction, hinge) @ target.mT
    return frames


def hinge_axis(upper: Float[Tensor, "3"], lower: Float[Tensor, "frames 3"]) -> Float[Tensor, "3"]:
    """The axis, in the upper bone's frame, about which the lower bone flexes.

    Args:
        upper: the upper bone's direction.
        lower: the lower bone's direction frame by frame. Both in the upper bone's frame.
    """
    normal = torch.linalg.cross(upper.expand_as(lower), lower)
    axis = torch.linalg.eigh(normal.mT @ normal).eigenvectors[:, -1]
    return axis * torch.sign((normal @ axis).sum())


def _foot_frames(
    sample: Sample, rest: Float[Tensor, "24 3"]
) -> tuple[dict[str, Float[Tensor, "3 3"]], Float[Tensor, "stances"]]:
    """Frames of the ankles, and the heights of the ankles while the feet stand."""
    up = torch.tensor([0.0, 1.0, 0.0])
    frames, heights = {}, []
    for bone in FEET:
        ankle, toe = sample.place(bone.canon), sample.place(bone.canon_child)
        still = (_speed(ankle, sample) < _STANCE_SPEED_M_S) & (
            _speed(toe, sample) < _STANCE_SPEED_M_S
        )
        low = toe[:, 2] < toe[:, 2].quantile(0.3)
        stance = still & low
        if stance.sum() < 10:
            stance = low
        rotation = sample.frame(bone.canon)
        level = median_of(rotation[stance][:, 2, :])
        forward = median_of((rotation.mT @ (toe - ankle).unsqueeze(-1)).squeeze(-1))
        target = frame_of(up, rest[JOINT_INDEX[bone.child]])
        frames[bone.joint] = frame_of(level, forward) @ target.mT
        heights.append(ankle[stance, 2])
    return frames, torch.cat(heights)


def _speed(places: Float[Tensor, "frames 3"], sample: Sample) -> Float[Tensor, "frames"]:
    speed = torch.zeros(len(places))
    speed[1:] = (places[1:] - places[:-1]).norm(dim=-1) * sample.fps
    return torch.where(sample.first, torch.inf, speed)


def _hand_frames(
    sample: Sample,
    rig: Rig,
    frame: dict[str, Float[Tensor, "3 3"]],
    rest: Float[Tensor, "24 3"],
) -> dict[str, Float[Tensor, "3 3"]]:
    """The hand's roll is known up to a constant: the forearm's mean roll is set to 0.

    Where rigs hold some hands half a turn round, the mean is that of lines, not of directions.
    """
    if rig.hands is None:
        return {}
    frames = {}
    names = list(sample.joint_names)
    for side, (joint, child) in zip(("left", "right"), rig.hands, strict=True):
        elbow = f"{side}_elbow"
        axis = torch.tensor(FLEXION_AXIS[elbow])
        forearm = sample.frame(f"{side[0]}_elbow") @ frame[elbow]
        hand = sample.rotations[:, names.index(joint)]
        in_hand = (hand.mT @ forearm @ axis.unsqueeze(-1)).squeeze(-1)
        bone = sample.offsets[names.index(child)]
        around = across(in_hand, bone.expand_as(in_hand))
        mean = torch.linalg.eigh(around.mT @ around).eigenvectors[:, -1]
        mean = mean * torch.sign((around @ mean).median())
        target = frame_of(rest[JOINT_INDEX[f"{side}_hand"]], axis)
        frames[f"{side}_wrist"] = frame_of(bone, mean) @ target.mT
    return frames


def _shoulder_rest(
    sample: Sample, chest_frame: Float[Tensor, "3 3"], chest: int
) -> tuple[Float[Tensor, "2 3"], Float[Tensor, "2"] | None]:
    places = shoulders_in_chest(sample.positions, sample.rotations, sample.canonical, chest)
    places = places @ chest_frame
    rest = median_of(places[upright_frames(sample)].flatten(1)).unflatten(0, (2, 3))
    if (places - rest).norm(dim=-1).quantile(0.9) < _RIGID_M:
        return rest, None
    axes = sample.rotations[:, chest] @ chest_frame
    raised = raised_by_arms(sample.positions, sample.canonical, axes[..., 1])
    return rest, median_of(raised[upright_frames(sample)])
