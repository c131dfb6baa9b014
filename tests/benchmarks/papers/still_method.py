"""A method that costs nothing, and the camera that it assumes."""

from collections.abc import Sequence

import numpy as np

from formats.datasets import make_files as make
from motionfield.benchmarks.open.case import Given, Tools
from motionfield.data import CameraPath, Motion
from motionfield.formats.datasets.parts import camera_of
from motionfield.steps.fit import FitResult


def still(takes: Sequence[Given], tools: Tools) -> list[FitResult]:
    """A method that costs nothing: everybody stands still before the middle of the picture."""
    results = []
    for given in takes:
        keypoints = given.keypoints
        frames = keypoints.num_frames
        upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
        motion = Motion(
            global_orient=np.tile(upright, (frames, 1, 1)),
            body_pose=np.tile(np.eye(3, dtype=np.float32), (frames, 23, 1, 1)),
            transl=np.zeros((frames, 3), np.float32),
            betas=np.zeros(16, np.float32),
            body_model=tools.body.name,
            fps=keypoints.fps,
            time_s=keypoints.time_s,
            frame_index=keypoints.frame_index,
            observed=np.ones(frames, bool),
        )
        results.append(FitResult(motion, before(frames)))
    return results


def before(frames: int) -> CameraPath:
    """The camera of the made person, standing still."""
    who = make.person(1)
    R, t = np.tile(who.R, (frames, 1, 1)), np.tile(who.t, (frames, 1))
    return camera_of(make.K, R, t, make.SIZE)
