"""Motions made by formula, whose truth is the body's own joints."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Keypoints, Motion, Quality, Take
from motionfield.geometry.rotations import axis_rotation

FPS = 30.0
UPRIGHT = axis_rotation("x", torch.tensor(math.pi / 2))
HIP_HEIGHT_M = 0.93


def _motion(pose: Tensor, transl: Tensor, time: Tensor, body: str) -> Motion:
    count = len(time)
    betas = np.zeros(16, np.float32)
    betas[:3] = (0.8, -1.0, 0.6)
    return Motion(
        global_orient=(UPRIGHT @ pose[:, 0]).numpy(),
        body_pose=pose[:, 1:].numpy(),
        transl=transl.float().numpy(),
        betas=betas,
        body_model=body,
        fps=FPS,
        time_s=time.numpy().astype(np.float64),
        frame_index=np.arange(count) + 7,
        observed=np.arange(count) % 11 != 5,
        history=(step("made"),),
    )


def _poses(count: int) -> Tensor:
    """Arms hanging at 60 degrees from the T-pose."""
    pose = torch.eye(3).repeat(count, 24, 1, 1)
    for side, sign in (("left", -1), ("right", 1)):
        turn = axis_rotation("z", torch.tensor(sign * math.radians(60)))
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = turn
    return pose


def _clock(count: int) -> Tensor:
    return 0.2 + torch.arange(count, dtype=torch.float64) / FPS


def _limbs(pose: Tensor, phase: Tensor) -> None:
    """Legs and arms swing, each side's in its own way, so that no symmetry hides a fault."""
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hip = axis_rotation("x", -0.6 * sign * torch.sin(phase)) @ axis_rotation(
            "z", sign * 0.1 + 0 * phase
        )
        pose[:, JOINT_INDEX[f"{side}_hip"]] = hip
        bend = 0.7 + 0.6 * torch.sin(phase + sign)
        pose[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", bend)
        pose[:, JOINT_INDEX[f"{side}_elbow"]] = axis_rotation("y", -sign * (0.5 + 0.3 * bend))
        index = JOINT_INDEX[f"{side}_shoulder"]
        pose[:, index] = axis_rotation("x", 0.5 * sign * torch.sin(phase)) @ pose[:, index]
    pose[:, JOINT_INDEX["spine2"]] = axis_rotation("y", 0.2 * torch.sin(phase))
    pose[:, JOINT_INDEX["head"]] = axis_rotation("x", 0.3 * torch.cos(phase))
    pose[:, JOINT_INDEX["left_wrist"]] = axis_rotation("z", 0.4 * torch.sin(phase))


def walk_ahead(body: str = "toy", count: int = 60) -> Motion:
    """Walks 2 m along the world's -Y, which a body of heading zero faces; the left arm is up."""
    time = _clock(count)
    pose = _poses(count)
    _limbs(pose, (6 * time).float())
    pose[:, JOINT_INDEX["left_shoulder"]] = torch.eye(3)
    pose[:, JOINT_INDEX["left_elbow"]] = torch.eye(3)
    share = (time - time[0]) / max(float(time[-1] - time[0]), 1e-9)
    height = torch.full_like(share, HIP_HEIGHT_M)
    return _motion(pose, torch.stack((0 * share, -2 * share, height), -1), time, body)


def walk_in_circles(body: str = "toy", count: int = 150) -> Motion:
    """Two and a half turns to the left on a circle."""
    time = _clock(count)
    turn = (2.5 * math.tau * (time - time[0]) / (count / FPS)).float()
    pose = _poses(count)
    _limbs(pose, (6 * time).float())
    pose[:, 0] = axis_rotation("y", turn)
    place = torch.stack((torch.cos(turn), torch.sin(turn), 0 * turn + HIP_HEIGHT_M), -1)
    return _motion(pose, place, time, body)


def cartwheel(body: str = "toy", count: int = 73) -> Motion:
    """Over the left side, one whole turn in steps of exactly 5 degrees, arms up, legs apart."""
    time = _clock(count)
    angle = torch.deg2rad(torch.arange(count) * -5.0)
    pose = _poses(count)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        up = axis_rotation("z", torch.tensor(sign * math.radians(75)))
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = up
        apart = axis_rotation("z", torch.tensor(sign * 0.6))
        pose[:, JOINT_INDEX[f"{side}_hip"]] = apart
    pose[:, 0] = axis_rotation("y", torch.tensor(0.3)) @ axis_rotation("z", angle)
    place = torch.stack((-angle * 0.5, 0 * angle, 0.9 + 0 * angle), -1)
    return _motion(pose, place, time, body)


def somersault_then_sit(body: str = "toy", count: int = 120) -> Motion:
    """A whole turn forward, and hips and knees folded beyond a right angle."""
    time = _clock(count)
    angle = torch.linspace(0, math.tau + 0.4, count)
    pose = _poses(count)
    fold = 2.2 * torch.linspace(0, 1, count)
    for side in ("left", "right"):
        pose[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -fold)
        pose[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", fold)
        sign = 1.0 if side == "left" else -1.0
        down = axis_rotation("z", torch.tensor(-sign * math.pi / 2))
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = axis_rotation("x", -1.3 * fold) @ down
    pose[:, 0] = axis_rotation("x", angle)
    place = torch.stack((0 * angle, -0.3 * angle, 0.7 + 0.1 * torch.cos(angle)), -1)
    return _motion(pose, place, time, body)


MOTIONS: dict[str, Callable[..., Motion]] = {
    "walk_ahead": walk_ahead,
    "walk_in_circles": walk_in_circles,
    "cartwheel": cartwheel,
    "somersault_then_sit": somersault_then_sit,
}


def long_legged(motion: Motion) -> Motion:
    """The same motion by a body whose proportions leave the shape space."""
    scale = np.ones(24, np.float32)
    for side in ("left", "right"):
        scale[JOINT_INDEX[f"{side}_knee"]] = 1.2
        scale[JOINT_INDEX[f"{side}_ankle"]] = 1.1
        scale[JOINT_INDEX[f"{side}_elbow"]] = 0.9
    return motion.replace(bone_scale=scale)


def unevenly_timed(motion: Motion) -> Motion:
    """The same motion with every seventh frame lost."""
    keep = np.arange(motion.num_frames) % 7 != 3
    arrays = ("global_orient", "body_pose", "transl", "time_s", "frame_index", "observed")
    return motion.replace(**{name: getattr(motion, name)[keep] for name in arrays})


def parameters(motion: Motion) -> dict[str, Tensor]:
    """What ``Body.pose`` and ``Body.vertices`` take, float64."""
    names = ("global_orient", "body_pose", "transl", "betas", "bone_scale")
    found = {name: getattr(motion, name) for name in names}
    return {
        name: torch.from_numpy(np.array(value, np.float64))
        for name, value in found.items()
        if value is not None
    }


def true_joints(motion: Motion) -> np.ndarray:
    """(T, 24, 3) in our Z-up world, metres."""
    return load_body(motion.body_model).pose(**parameters(motion)).joints.numpy()


def z_up(points_y_up: np.ndarray) -> np.ndarray:
    """Points of a Y-up file in our Z-up world, written out by hand."""
    x, y, z = np.moveaxis(np.asarray(points_y_up), -1, 0)
    return np.stack((x, -z, y), axis=-1)


def take_of(motion: Motion) -> Take:
    """A take round a made motion: a camera that sees it, keypoints with gaps."""
    count = motion.num_frames
    generator = np.random.default_rng(4)
    points = generator.uniform(0, 700, (count, 33, 3)).astype(np.float32)
    points[..., 2] = generator.uniform(0, 1, (count, 33))
    points[~motion.observed] = np.nan
    points[2, 5] = np.nan
    keypoints = Keypoints(
        keypoints_2d=points,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=1080,
        image_height=720,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        observed=motion.observed,
    )
    look = np.array(((1, 0, 0), (0, 0, -1), (0, 1, 0)), np.float32)
    camera = CameraPath(
        K=np.repeat(
            np.array(((900, 0, 540), (0, 900, 360), (0, 0, 1)), np.float32)[None], count, 0
        ),
        distortion=np.array((0.1, 0, 0, 0, 0), np.float32),
        R_camera_world=np.repeat(look[None], count, 0),
        t_camera_world=np.repeat(np.array((0, 1, 6), np.float32)[None], count, 0),
        image_width=1080,
        image_height=720,
        moving=False,
        focal_source="given",
        focal_range_px=(900.0, 900.0),
        gravity_source="estimated",
        gravity_doubt_deg=1.5,
        scale_source="assumed",
        scale_range=(0.9, 1.1),
        warnings=("a warning",),
    )
    quality = Quality(
        time_s=motion.time_s,
        reprojection_px=np.zeros(count),
        reprojection_box=np.zeros(count),
        contact_seen=np.zeros((count, 2), bool),
        foot_slide_m=np.zeros((count, 2)),
        penetration_m=np.zeros(count),
        jitter_m_s3=np.zeros(count),
        observed=motion.observed,
    )
    return Take("person 0", keypoints, camera, motion, quality)


def assert_walks_ahead(joints: np.ndarray, up: int, ahead: int, ahead_sign: int) -> None:
    """The motion of ``walk_ahead`` as a spectator sees it, whatever the file says of itself.

    ``joints`` (T, 24, 3) as read; ``up`` and ``ahead`` are the columns of these directions, and
    the body's left is +X in both of our worlds.
    """
    place = {name: joints[:, index] for index, name in enumerate(JOINT_NAMES)}
    head, pelvis, ankle = place["head"], place["pelvis"], place["left_ankle"]
    assert (head[:, up] > pelvis[:, up] + 0.3).all(), "upside down or lying"
    assert (pelvis[:, up] > ankle[:, up] + 0.2).all(), "upside down or lying"
    stature = float((head - ankle)[:, up].max())
    assert 1.2 < stature < 2.0, f"wrong unit: head {stature} above the ankle"
    across = place["left_hip"] - place["right_hip"]
    assert (across[:, 0] > 0.05).all(), "turned about, or left and right exchanged"
    assert (place["left_elbow"][:, up] > place["right_elbow"][:, up] + 0.1).all(), (
        "left and right exchanged: the left arm is the one held up"
    )
    toes = (place["left_foot"] - place["left_ankle"])[:, ahead] * ahead_sign
    assert toes.mean() > 0, "faces backward"
    knee = place["right_knee"][:, ahead] * ahead_sign
    line = (place["right_hip"] + place["right_ankle"])[:, ahead] * ahead_sign / 2
    assert (knee > line - 1e-4).all(), "knees bend backward"
    walked = (pelvis[-1] - pelvis[0])[ahead] * ahead_sign
    assert abs(walked - 2) < 0.01, f"walked {walked} m, not 2: stuck, or a wrong unit"


def assert_t_pose(rest: np.ndarray) -> None:
    """``rest`` (24, 3) in Y-up axes: a person with arms stretched sideways, not a heap."""
    place = dict(zip(JOINT_NAMES, rest, strict=True))
    for side, sign in (("left", 1), ("right", -1)):
        arm = place[f"{side}_wrist"] - place[f"{side}_shoulder"]
        assert sign * arm[0] > 0.3, "arm not stretched sideways"
        assert abs(arm[1]) < 0.1 * abs(arm[0]), "arm not level"
        leg = place[f"{side}_ankle"] - place[f"{side}_hip"]
        assert leg[1] < -0.5, "leg not down"
        assert abs(leg[0]) + abs(leg[2]) < 0.2, "leg not straight"
        assert (place[f"{side}_foot"] - place[f"{side}_ankle"])[2] > 0.03, "toes not ahead"
    assert place["head"][1] - place["pelvis"][1] > 0.4
