"""From a rig's conventions to ours: one fixed rotation per joint, bone lengths per subject.

Rest poses differ between rigs, so their local rotations cannot be compared; but in every rig a bone
is constant in the frame of its joint. A limb's frame is therefore fixed by its bone and by the axis
about which the next joint flexes (measured from the clips), and with these two carried onto our
T-pose's the bones agree in every frame, exactly. The trunk follows the rig's upright rest pose,
or, where that means nothing, the mean posture of upright frames. Feet: flat while they stand.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, NUM_JOINTS
from motionfield.core.errors import OptionError
from motionfield.formats.mocap_npz import ClipInfo, MocapShard
from motionfield.worlds.mocap_rigs import TRUNK, Rig, rig_of

_UPRIGHT_COS: Final = 0.97
"""A trunk within 14 degrees of the vertical is upright."""
_STANCE_SPEED_M_S: Final = 0.15
_MIN_FRAMES: Final = 600
"""Subjects with less than this are calibrated on all clips of their shard."""
_MAX_FRAMES: Final = 6000
_SPINE_RANGE: Final = (0.8, 1.25)
_WIDTH_RANGE: Final = (0.85, 1.2)


class Bone(NamedTuple):
    """One bone of a limb: its joint of ours, the canonical joints, the axis of flexion."""

    joint: str
    child: str
    canon: str
    canon_child: str


UPPER_BONES: Final = (
    Bone("left_hip", "left_knee", "l_hip", "l_knee"),
    Bone("right_hip", "right_knee", "r_hip", "r_knee"),
    Bone("left_shoulder", "left_elbow", "l_shoulder", "l_elbow"),
    Bone("right_shoulder", "right_elbow", "r_shoulder", "r_elbow"),
)
LOWER_BONES: Final = (
    Bone("left_knee", "left_ankle", "l_knee", "l_ankle"),
    Bone("right_knee", "right_ankle", "r_knee", "r_ankle"),
    Bone("left_elbow", "left_wrist", "l_elbow", "l_wrist"),
    Bone("right_elbow", "right_wrist", "r_elbow", "r_wrist"),
)
_FEET: Final = (
    Bone("left_ankle", "left_foot", "l_ankle", "l_toe"),
    Bone("right_ankle", "right_foot", "r_ankle", "r_toe"),
)
# Bending moves the lower bone back at the knee, forward at the elbow: about these body axes.
_FLEXION_AXIS: Final = {
    "left_knee": (1.0, 0.0, 0.0),
    "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -1.0, 0.0),
    "right_elbow": (0.0, 1.0, 0.0),
}


class Calibration(NamedTuple):
    """How one subject's clips become motions of one body."""

    source: dict[str, tuple[int, int, float]]
    """Per joint of ours: two joints of the rig and the share between their frames."""
    frame: dict[str, Float[Tensor, "3 3"]]
    """Per joint of ours: rotation of our joint frame in the rig's."""
    shoulder_rest: Float[Tensor, "2 3"]
    """Places of the shoulders in our spine3's axes, relative to the rig's chest, at rest."""
    betas: Float[Tensor, "betas"]
    bone_scale: Float[Tensor, "24"]
    ground_shift_m: float
    """What puts standing soles on z = 0."""


class Sample(NamedTuple):
    """The frames that a subject is calibrated on."""

    positions: Float[Tensor, "frames joints 3"]
    rotations: Float[Tensor, "frames joints 3 3"]
    canonical: dict[str, int]
    fps: float
    moving: Bool[Tensor, "frames"]
    """True at the first frame of a clip, where no speed is known."""

    def place(self, canon: str) -> Float[Tensor, "frames 3"]:
        return self.positions[:, self.canonical[canon]]

    def frame(self, canon: str) -> Float[Tensor, "frames 3 3"]:
        return self.rotations[:, self.canonical[canon]]


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
    sizes = _sample(shard, own)
    few = len(sizes.positions) < _MIN_FRAMES
    sample = _sample(shard, shard.clips) if few else sizes
    source = _sources(rig, shard)
    frame = _trunk_frames(sample, rig, source, shard, subject)
    betas, scale = _proportions(sizes, rig, shard, body)
    rest = _unit_rest(body, betas, scale)
    frame |= _limb_frames(sample, shard, subject, rest)
    feet, stance = _foot_frames(sample, rest)
    frame |= feet
    frame |= _hand_frames(sample, rig, shard, subject, frame, rest)
    sole = _sole_depth(body, betas, scale)
    ankle_height = _stance_height(_foot_frames(sizes, rest)[1], stance)
    return Calibration(
        source=source,
        frame=frame,
        shoulder_rest=_shoulder_rest(sample, rig, shard, subject, frame["spine3"], source),
        betas=betas,
        bone_scale=scale,
        ground_shift_m=0.0 if ankle_height is None else sole - ankle_height,
    )


# --- samples ------------------------------------------------------------------------------------


def _sample(shard: MocapShard, infos: Sequence[ClipInfo]) -> Sample:
    positions, rotations, starts, total = [], [], [], 0
    stride = max(1, sum(info.num_frames for info in infos) // _MAX_FRAMES)
    for info in infos[::stride]:
        clip = shard.clip(info)
        good = torch.tensor(~clip.bad_frame)
        positions.append(clip.positions_world[good])
        rotations.append(clip.rotations_world[good])
        starts.append(torch.arange(int(good.sum())) == 0)
        total += len(positions[-1])
        if total > 2 * _MAX_FRAMES:
            break
    return Sample(
        torch.cat(positions), torch.cat(rotations), shard.canonical, shard.fps, torch.cat(starts)
    )


def _upright(sample: Sample) -> Bool[Tensor, "frames"]:
    hips = (sample.place("l_hip") + sample.place("r_hip")) / 2
    shoulders = (sample.place("l_shoulder") + sample.place("r_shoulder")) / 2
    trunk = torch.nn.functional.normalize(shoulders - hips, dim=-1)
    upright = trunk[:, 2] > _UPRIGHT_COS
    return upright if upright.sum() > 30 else trunk[:, 2] > 0.8


def _median(values: Tensor) -> Tensor:
    return values.median(dim=0).values


# --- frames -------------------------------------------------------------------------------------


def frame_of(first: Tensor, second: Tensor) -> Float[Tensor, "*batch 3 3"]:
    """Columns: ``first``, ``second`` made orthogonal to it, and their cross product."""
    x = torch.nn.functional.normalize(first, dim=-1)
    y = torch.nn.functional.normalize(second - (second * x).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def _sources(rig: Rig, shard: MocapShard) -> dict[str, tuple[int, int, float]]:
    index = {name: i for i, name in enumerate(shard.joint_names)}
    source = {j: (index[a], index[b], share) for j, (a, b, share) in rig.trunk.items()}
    for bone in (*UPPER_BONES, *LOWER_BONES, *_FEET):
        joint = shard.canonical[bone.canon]
        source[bone.joint] = (joint, joint, 0.0)
    if rig.hands is not None:
        for name, (joint_name, _) in zip(("left_wrist", "right_wrist"), rig.hands, strict=True):
            source[name] = (index[joint_name], index[joint_name], 0.0)
    return source


def _trunk_frames(
    sample: Sample, rig: Rig, source: dict[str, tuple[int, int, float]], shard: MocapShard, who: str
) -> dict[str, Float[Tensor, "3 3"]]:
    pelvis = sample.rotations[:, source["pelvis"][0]]
    across = sample.place("l_hip") - sample.place("r_hip")
    left = _median((pelvis.mT @ across.unsqueeze(-1)).squeeze(-1))
    up = torch.tensor([0.0, 1.0, 0.0])
    facing = frame_of(left, up)
    upright = _upright(sample)
    frames = {}
    for joint in TRUNK:
        frames[joint] = facing
        if joint in rig.levelled:
            own = sample.rotations[upright, source[joint][1]] @ facing
            level = _median(own[:, 2, :])  # the world's up in our joint frame
            level[0] = 0.0
            frames[joint] = facing @ frame_of(torch.tensor([1.0, 0.0, 0.0]), level)
    return frames


def _limb_frames(
    sample: Sample, shard: MocapShard, subject: str, rest: Float[Tensor, "24 3"]
) -> dict[str, Float[Tensor, "3 3"]]:
    frames = {}
    for upper, lower in zip(UPPER_BONES, LOWER_BONES, strict=True):
        upper_bone = _bone(shard, subject, upper.canon_child)
        lower_bone = _bone(shard, subject, lower.canon_child)
        relative = sample.frame(upper.canon).mT @ sample.frame(lower.canon)
        bent = (relative @ lower_bone.unsqueeze(-1)).squeeze(-1)
        axis = hinge_axis(upper_bone, bent)
        in_lower = (relative.mT @ axis.unsqueeze(-1)).squeeze(-1).mean(0)
        target_axis = torch.tensor(_FLEXION_AXIS[lower.joint])
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
    for bone in _FEET:
        ankle, toe = sample.place(bone.canon), sample.place(bone.canon_child)
        still = (_speed(ankle, sample) < _STANCE_SPEED_M_S) & (
            _speed(toe, sample) < _STANCE_SPEED_M_S
        )
        low = toe[:, 2] < toe[:, 2].quantile(0.3)
        stance = still & low
        if stance.sum() < 10:
            stance = low
        rotation = sample.frame(bone.canon)
        level = _median(rotation[stance][:, 2, :])
        forward = _median((rotation.mT @ (toe - ankle).unsqueeze(-1)).squeeze(-1))
        target = frame_of(up, rest[JOINT_INDEX[bone.child]])
        frames[bone.joint] = frame_of(level, forward) @ target.mT
        heights.append(ankle[stance, 2])
    return frames, torch.cat(heights)


def _speed(places: Float[Tensor, "frames 3"], sample: Sample) -> Float[Tensor, "frames"]:
    speed = torch.zeros(len(places))
    speed[1:] = (places[1:] - places[:-1]).norm(dim=-1) * sample.fps
    return torch.where(sample.moving, torch.inf, speed)


def _hand_frames(
    sample: Sample,
    rig: Rig,
    shard: MocapShard,
    subject: str,
    frame: dict[str, Float[Tensor, "3 3"]],
    rest: Float[Tensor, "24 3"],
) -> dict[str, Float[Tensor, "3 3"]]:
    """The hand's roll is known up to a constant: the median of the forearm's roll is set to 0."""
    if rig.hands is None:
        return {}
    frames = {}
    names = list(shard.joint_names)
    for side, (joint, child) in zip(("left", "right"), rig.hands, strict=True):
        elbow = f"{side}_elbow"
        axis = torch.tensor(_FLEXION_AXIS[elbow])
        forearm = sample.frame(f"{side[0]}_elbow") @ frame[elbow]
        hand = sample.rotations[:, names.index(joint)]
        in_hand = (hand.mT @ forearm @ axis.unsqueeze(-1)).squeeze(-1)
        bone = shard.offsets[subject][names.index(child)]
        target = frame_of(rest[JOINT_INDEX[f"{side}_hand"]], axis)
        frames[f"{side}_wrist"] = frame_of(bone, _median(in_hand)) @ target.mT
    return frames


def _shoulder_rest(
    sample: Sample,
    rig: Rig,
    shard: MocapShard,
    subject: str,
    chest_frame: Float[Tensor, "3 3"],
    source: dict[str, tuple[int, int, float]],
) -> Float[Tensor, "2 3"]:
    chest = source["spine3"][1]
    places = shoulders_in_chest(sample.positions, sample.rotations, sample.canonical, chest)
    places = places @ chest_frame
    return _median(places[_upright(sample)].flatten(1)).unflatten(0, (2, 3))


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


# --- lengths ------------------------------------------------------------------------------------


def _bone(shard: MocapShard, subject: str, canon_child: str) -> Float[Tensor, "3"]:
    return shard.offsets[subject][shard.canonical[canon_child]]


def _unit_rest(
    body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]
) -> Float[Tensor, "24 3"]:
    """Directions of the bones that end in each joint, in the T-pose."""
    joints = body.rest_joints(betas, scale)
    return torch.nn.functional.normalize(_offsets(joints), dim=-1)


def _offsets(joints: Float[Tensor, "24 3"]) -> Float[Tensor, "24 3"]:
    from motionfield.core.conventions import JOINT_PARENTS

    return joints - joints[[0, *JOINT_PARENTS[1:]]]


def _proportions(
    sizes: Sample, rig: Rig, shard: MocapShard, body: Body
) -> tuple[Float[Tensor, "betas"], Float[Tensor, "24"]]:
    """The shape with the subject's legs, and factors for what is left of each bone."""
    place = sizes.place

    def apart(a: str, b: str) -> float:
        return float(_median((place(a) - place(b)).norm(dim=-1)))

    legs = sum(apart(f"{s}_{a}", f"{s}_{b}") for s in "lr" for a, b in _LEG_BONES) / 2
    betas = _betas_of_legs(body, legs)
    joints = body.rest_joints(betas)
    length = _offsets(joints).norm(dim=-1)
    scale = torch.ones(NUM_JOINTS)
    for bone in (*UPPER_BONES, *LOWER_BONES, *_FEET):
        child = JOINT_INDEX[bone.child]
        scale[child] = apart(bone.canon, bone.canon_child) / length[child]
    if rig.wrist_share:
        for side, hand in zip(("l", "r"), rig.hands or (), strict=True):
            reach = sizes.positions[:, shard.joint_names.index(hand[0])] - place(f"{side}_wrist")
            child = JOINT_INDEX["left_wrist" if side == "l" else "right_wrist"]
            scale[child] += rig.wrist_share * float(_median(reach.norm(dim=-1))) / length[child]
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
    height = _median((shoulders - hips).norm(dim=-1)[_upright(sizes)])
    width = _median((sizes.place("l_shoulder") - sizes.place("r_shoulder")).norm(dim=-1))
    at = {n: joints[JOINT_INDEX[n]] for n in ("left_hip", "spine3", "pelvis", "left_shoulder")}
    spine = at["spine3"][1] - at["pelvis"][1]
    rest = at["left_shoulder"][1] - at["left_hip"][1] - spine
    factor = ((height - rest) / spine).clamp(*_SPINE_RANGE)
    scale[[JOINT_INDEX[n] for n in ("spine1", "spine2", "spine3")]] = factor
    broad = (width / (2 * at["left_shoulder"][0])).clamp(*_WIDTH_RANGE)
    across = [f"{side}_{part}" for side in ("left", "right") for part in ("collar", "shoulder")]
    scale[[JOINT_INDEX[n] for n in across]] = broad
    return scale


def _sole_depth(body: Body, betas: Float[Tensor, "betas"], scale: Float[Tensor, "24"]) -> float:
    """Height of the ankle above the sole in the T-pose."""
    vertices = body.skin(betas, bone_scale=scale).rest_vertices
    ankle = body.rest_joints(betas, scale)[JOINT_INDEX["left_ankle"], 1]
    return float(ankle - vertices[:, 1].min())


def _stance_height(
    own: Float[Tensor, "stances"], pooled: Float[Tensor, "all_stances"]
) -> float | None:
    heights = own if len(own) else pooled
    return float(heights.median()) if len(heights) else None
