"""Joint angles: each named movement of the body gives its angle, with its sign, and no other."""

import math

import pytest
import roma
import torch
from torch import Tensor

from motionfield.body.joint_angles import ANGLES, MIRRORED_MIDLINE, joint_angles
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order, mirrored_name
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.rotations import axis_rotation

UPRIGHT = axis_rotation("x", torch.tensor(math.pi / 2))
FORWARD, BACK, UP, DOWN = (0.0, 0, 1), (0.0, 0, -1), (0.0, 1, 0), (0.0, -1, 0)
LEFT, RIGHT = (1.0, 0, 0), (-1.0, 0, 0)
ANGLE = math.radians(25)

# name of the angle, joint turned, axis and sense of the turn (of the hanging-armed body, left
# side), a point that the turn moves, and where to: in words of the body, not of matrices.
MOVEMENTS = [
    ("left_hip_flexion", "left_hip", "x", -1, "left_knee", FORWARD),
    ("left_hip_adduction", "left_hip", "z", -1, "left_knee", RIGHT),
    ("left_hip_rotation", "left_hip", "y", -1, "left_foot_index", RIGHT),
    ("left_knee_flexion", "left_knee", "x", 1, "left_ankle", BACK),
    ("left_knee_adduction", "left_knee", "z", -1, "left_ankle", RIGHT),
    ("left_knee_rotation", "left_knee", "y", -1, "left_foot_index", RIGHT),
    ("left_ankle_dorsiflexion", "left_ankle", "x", -1, "left_foot_index", UP),
    ("left_ankle_inversion", "left_ankle", "z", -1, "left_heel", RIGHT),
    ("left_ankle_rotation", "left_ankle", "y", -1, "left_foot_index", RIGHT),
    ("left_shoulder_flexion", "left_shoulder", "x", -1, "left_elbow", FORWARD),
    ("left_shoulder_abduction", "left_shoulder", "z", 1, "left_elbow", LEFT),
    ("left_shoulder_rotation", "left_shoulder", "y", -1, "left_thumb", RIGHT),
    ("left_elbow_flexion", "left_elbow", "x", -1, "left_wrist", FORWARD),
    ("left_elbow_adduction", "left_elbow", "z", -1, "left_wrist", RIGHT),
    ("left_forearm_pronation", "left_elbow", "y", -1, "left_thumb", RIGHT),
    ("left_forearm_pronation", "left_wrist", "y", -1, "left_thumb", RIGHT),
    ("left_wrist_flexion", "left_wrist", "z", -1, "left_index", RIGHT),
    ("left_wrist_deviation", "left_wrist", "x", -1, "left_index", FORWARD),
    ("pelvis_rotation", "pelvis", "y", 1, "right_hip", FORWARD),
    ("pelvis_obliquity", "pelvis", "z", 1, "left_hip", UP),
    ("pelvis_tilt", "pelvis", "x", 1, "neck", FORWARD),
    ("trunk_flexion", "spine2", "x", 1, "neck", FORWARD),
    ("trunk_lateral_bending", "spine1", "z", 1, "neck", RIGHT),
    ("trunk_rotation", "spine3", "y", 1, "right_shoulder", FORWARD),
    ("neck_flexion", "neck", "x", 1, "nose", DOWN),
    ("neck_lateral_bending", "head", "z", 1, "left_eye", RIGHT),
    ("neck_rotation", "neck", "y", 1, "nose", LEFT),
]


def hanging() -> Tensor:
    """Parent-relative rotations of all 24 joints with both arms hanging, thumbs forward."""
    rotations = torch.eye(3).repeat(24, 1, 1)
    for side, sign in (("left", -1), ("right", 1)):
        turn = axis_rotation("z", torch.tensor(sign * math.pi / 2))
        rotations[JOINT_INDEX[f"{side}_shoulder"]] = turn
    return rotations


def turned(joint: str, axis: str, angle: float) -> Tensor:
    """The hanging-armed body with one joint turned about an axis as the body stands."""
    rotations = hanging()
    turn = axis_rotation(axis, torch.tensor(angle))
    side = joint.split("_")[0]
    arm = joint.split("_")[-1] in ("shoulder", "elbow", "wrist")
    lift = rotations[JOINT_INDEX[f"{side}_shoulder"]].clone() if arm else torch.eye(3)
    index = JOINT_INDEX[joint]
    rotations[index] = turn @ lift if joint.endswith("shoulder") else lift.mT @ turn @ lift
    return rotations


def angles_of(rotations: Tensor) -> dict[str, Tensor]:
    if rotations.ndim == 3:
        rotations = rotations[None]
    return joint_angles(UPRIGHT @ rotations[:, 0], rotations[:, 1:])


def points_of(rotations: Tensor) -> dict[str, Tensor]:
    body = load_body("toy")
    posed = body.pose(
        rotations[None, 0], rotations[None, 1:], torch.zeros(1, 3), torch.zeros(16), "blazepose33"
    )
    points = dict(zip(BLAZEPOSE_33.keypoint_names, posed.keypoints[0], strict=True))
    return points | dict(zip(JOINT_NAMES, posed.joints[0], strict=True))


def on_the_right(row: tuple) -> tuple:
    name, joint, axis, sense, point, direction = row
    sense = sense if axis == "x" else -sense
    direction = (-direction[0], *direction[1:])
    return mirrored_name(name), mirrored_name(joint), axis, sense, mirrored_name(point), direction


BOTH_SIDES = MOVEMENTS + [on_the_right(row) for row in MOVEMENTS if row[0].startswith("left_")]


def test_hanging_arms_are_zero_and_the_t_pose_is_abduction() -> None:
    for name, angle in angles_of(hanging()).items():
        assert abs(float(angle)) < 1e-3, name
    t_pose = angles_of(torch.eye(3).repeat(24, 1, 1))
    for side in ("left", "right"):
        assert float(t_pose[f"{side}_shoulder_abduction"]) == pytest.approx(math.pi / 2)
        assert float(t_pose[f"{side}_shoulder_flexion"]) == pytest.approx(0, abs=1e-6)
        assert float(t_pose[f"{side}_shoulder_rotation"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("row", BOTH_SIDES, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_movement_gives_its_angle_and_no_other(row: tuple) -> None:
    name, joint, axis, sense, point, direction = row
    rotations = turned(joint, axis, sense * ANGLE)
    way = points_of(rotations)[point] - points_of(hanging())[point]
    assert float(way @ torch.tensor(direction)) > 0.01, "the table's words are wrong"
    angles = angles_of(rotations)
    assert float(angles[name]) == pytest.approx(ANGLE, abs=1e-4)
    side = name.split("_")[0]
    allowed = {name}
    if "shoulder_flexion" in name or "shoulder_abduction" in name:
        allowed.add(f"{side}_shoulder_elevation")
    if name.startswith("pelvis"):
        allowed |= {n for n in ANGLES if n.startswith("pelvis")}
    others = {n: float(a) for n, a in angles.items() if n not in allowed}
    assert max(others.values(), key=abs) == pytest.approx(0, abs=1e-3), others


def test_every_angle_has_a_movement() -> None:
    named = {row[0] for row in BOTH_SIDES}
    assert set(ANGLES) - named == {"left_shoulder_elevation", "right_shoulder_elevation"}


def smooth_motion(frames: int, size: float, seed: int) -> Tensor:
    """Rotations of 24 joints that wander within ``size`` radians of the T-pose."""
    generator = torch.Generator().manual_seed(seed)
    knots = torch.randn(72, max(frames // 20, 4), generator=generator)
    curve = torch.nn.functional.interpolate(
        knots[None], size=frames, mode="linear", align_corners=True
    )[0]
    return roma.rotvec_to_rotmat(size * curve.T.reshape(frames, 24, 3))


def test_the_mirrored_body_has_the_mirrored_angles() -> None:
    rotations = smooth_motion(200, 0.4, seed=3)
    mirror = torch.diag(torch.tensor((-1.0, 1, 1)))
    mirrored = (mirror @ rotations @ mirror)[:, list(mirror_order(JOINT_NAMES))]
    plain, other = angles_of(rotations), angles_of(mirrored)
    for name in ANGLES:
        sign = -1 if name in MIRRORED_MIDLINE else 1
        torch.testing.assert_close(
            other[mirrored_name(name)], sign * plain[name], rtol=0, atol=2e-4
        )


def test_angles_do_not_jump_in_large_motions() -> None:
    """Turning, somersaults and whole-circle arms: no step is larger than the motion's own."""
    time = torch.linspace(0, 1, 240)
    rotations = hanging().repeat(240, 1, 1, 1)
    turn = axis_rotation("y", 15 * time) @ axis_rotation("x", 9 * time)
    rotations[:, 0] = turn
    for side in ("left", "right"):
        index = JOINT_INDEX[f"{side}_shoulder"]
        rotations[:, index] = axis_rotation("x", -14 * time) @ rotations[:, index]
        rotations[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", 2.4 * time)
        rotations[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -2.2 * time)
    angles = angles_of(rotations)
    for name, angle in angles.items():
        assert float(angle.diff().abs().max()) < 0.25, name
    assert float(angles["pelvis_rotation"][-1]) == pytest.approx(15, abs=1e-3)
    assert float(angles["pelvis_tilt"][-1]) == pytest.approx(9, abs=1e-3)
    assert float(angles["left_shoulder_flexion"].diff().min()) > 0, "the arm only goes forward"
    assert float(angles["right_knee_flexion"][-1]) == pytest.approx(2.4, abs=1e-4)


def test_an_arm_that_swings_through_hanging_and_t_pose_moves_evenly() -> None:
    """The ISB's own shoulder angles jump by half a turn in both places."""
    time = torch.linspace(0, 1, 240)
    rotations = hanging().repeat(240, 1, 1, 1)
    index = JOINT_INDEX["left_shoulder"]
    forward = axis_rotation("x", -0.6 * torch.sin(25 * time))
    sideways = axis_rotation("z", 2.4 * torch.sin(6 * time) ** 2)
    rotations[:, index] = forward @ sideways @ rotations[:, index]
    for name, angle in angles_of(rotations).items():
        assert float(angle.diff().abs().max()) < 0.2, name


def test_turning_the_world_changes_only_the_heading() -> None:
    rotations = smooth_motion(50, 0.3, seed=5)
    heading = axis_rotation("z", torch.tensor(2.5))
    plain = joint_angles(UPRIGHT @ rotations[:, 0], rotations[:, 1:])
    moved = joint_angles(heading @ UPRIGHT @ rotations[:, 0], rotations[:, 1:])
    for name in ANGLES:
        difference = moved[name] - plain[name]
        expected = 2.5 if name == "pelvis_rotation" else 0.0
        turns = torch.round((difference - expected) / math.tau) * math.tau
        torch.testing.assert_close(
            difference - turns, torch.full_like(difference, expected), rtol=0, atol=1e-4
        )


def test_one_frame_is_enough() -> None:
    angles = angles_of(smooth_motion(1, 0.3, seed=1))
    assert all(angle.shape == (1,) and angle.isfinite().all() for angle in angles.values())
