"""Clips of made motion, as trainings read them from mocap."""

import numpy as np

from made_mocap import FPS, made_pose
from motionfield.data.motion import Motion
from motionfield.training.motion_sources import TrainingClip


def made_clip(
    frames: int,
    source: str = "one",
    fps: float = FPS,
    observed: np.ndarray | None = None,
) -> TrainingClip:
    """Squats of the body "anny", whose place does not change."""
    pose = made_pose(frames).numpy()
    motion = Motion(
        fps=fps,
        global_orient=pose[:, 0],
        body_pose=pose[:, 1:],
        transl=np.zeros((frames, 3), dtype=np.float32),
        betas=np.zeros(16, dtype=np.float32),
        body_model="anny",
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        observed=np.ones(frames, dtype=bool) if observed is None else observed,
    )
    return TrainingClip("made", source, motion)
