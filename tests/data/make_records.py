"""Small valid records for tests."""

from pathlib import Path

import numpy as np

from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, JointTrack, Keypoints, Motion, Quality, Tracks, Video

HISTORY = (step("made", seed=3),)


def _eye(*shape: int) -> np.ndarray:
    return np.tile(np.eye(3, dtype=np.float32), (*shape, 1, 1))


def make_video(frames: int = 5) -> Video:
    clock = np.arange(frames) / 30
    return Video(
        path=Path("some video ü.mp4"),
        image_width=64,
        image_height=48,
        rotation_deg=90,
        fps=30.0,
        frame_index=np.arange(frames),
        time_s=clock,
        playback_s=clock,
        history=HISTORY,
    )


def make_keypoints(frames: int = 5, seed: int = 0) -> Keypoints:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (frames, 33, 3)).astype(np.float32)
    points[:, 4] = np.nan
    return Keypoints(
        keypoints_2d=points,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=64,
        image_height=48,
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        coarse_camera=rng.normal(0, 0.3, (frames, 33, 3)).astype(np.float32),
        observed=np.ones(frames, bool),
        history=HISTORY,
    )


def make_tracks(frames: int = 5) -> Tracks:
    return Tracks.of_one(make_keypoints(frames)).replace(warnings=("one", "two"))


def make_camera(frames: int = 5) -> CameraPath:
    K = _eye(frames) * np.float32(1000)
    K[:, 2, 2] = 1
    return CameraPath(
        K=K,
        distortion=np.zeros(5, np.float32),
        R_camera_world=_eye(frames),
        t_camera_world=np.zeros((frames, 3), np.float32),
        image_width=64,
        image_height=48,
        moving=False,
        focal_source="given",
        focal_range_px=(900.0, 1100.0),
        gravity_source="estimated",
        gravity_doubt_deg=2.0,
        scale_source="assumed",
        scale_range=(0.9, 1.1),
        warnings=("tilted",),
        history=HISTORY,
    )


def make_motion(frames: int = 5) -> Motion:
    return Motion(
        global_orient=_eye(frames),
        body_pose=_eye(frames, 23),
        transl=np.zeros((frames, 3), np.float32),
        betas=np.zeros(16, np.float32),
        body_model="toy",
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
        contacts=np.full((frames, 2), 0.5, np.float32),
        history=HISTORY,
    )


def make_joint_track(frames: int = 5) -> JointTrack:
    joints = np.random.default_rng(0).normal(0, 0.5, (frames, 3, 3)).astype(np.float32)
    joints[1, 2] = np.nan
    return JointTrack(
        joints_world=joints,
        joint_names=("pelvis", "left_hip", "C7"),
        fps=50.0,
        time_s=np.arange(frames) / 50,
        frame_index=np.arange(frames),
        history=HISTORY,
    )


def make_quality(frames: int = 5) -> Quality:
    return Quality(
        time_s=np.arange(frames) / 30,
        reprojection_px=np.ones(frames, np.float32),
        reprojection_box=np.full(frames, np.nan, np.float32),
        contact_seen=np.zeros((frames, 2), bool),
        foot_slide_m=np.zeros((frames, 2), np.float32),
        penetration_m=np.zeros(frames, np.float32),
        jitter_m_s3=np.zeros(frames, np.float32),
        observed=np.ones(frames, bool),
        spans=((0.0, 0.1, "doubtful"), (0.2, 0.3, "more")),
        history=HISTORY,
    )


ALL = (
    make_video,
    make_keypoints,
    make_tracks,
    make_camera,
    make_motion,
    make_joint_track,
    make_quality,
)
