"""Takes as files that other programs read: ``--export DIR``."""

from pathlib import Path

import numpy as np

from motionfield.benchmarks.open.case import BenchTake, Case
from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.data.record import write_npz
from motionfield.steps.evaluate.posed import pose_of, posed_points


def export_case(case: Case, folder: Path, body: Body) -> list[Path]:
    """Write each take of a case as ``<case>/<take>.npz``.

    Keys: ``keypoints_2d``, ``keypoint_names``, ``image_size``, ``fps`` (a keypoint file that
    ``motionfield run --keypoints`` reads), ``camera_K``; the truth as ``truth_joints`` (frames, 24,
    3) world metres with ``joint_names``, ``truth_camera_R`` and ``truth_camera_t`` (world to
    camera); where the camera moves, its tracked path ``tracked_R`` and ``tracked_t``.
    """
    target = folder / case.name
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for take in case.takes:
        path = target / f"{take.name.split('/')[-1]}.npz"
        write_npz(path, **_arrays(take, body))
        paths.append(path)
    return paths


def _arrays(take: BenchTake, body: Body) -> dict[str, np.ndarray]:
    keypoints, camera, truth = take.keypoints, take.camera, take.truth
    joints = posed_points(pose_of(truth, body), body).joints
    arrays = {
        "keypoints_2d": keypoints.keypoints_2d,
        "keypoint_names": np.array(keypoints.keypoint_names),
        "image_size": np.array(keypoints.image_size),
        "fps": np.array(keypoints.fps),
        "camera_K": camera.K,
        "truth_joints": joints.numpy().astype(np.float32),
        "joint_names": np.array(JOINT_NAMES),
        "truth_observed": truth.observed,
        "truth_camera_R": camera.R_camera_world,
        "truth_camera_t": camera.t_camera_world,
    }
    if keypoints.coarse_camera is not None:
        arrays["coarse_camera"] = keypoints.coarse_camera
    if take.camera_motion is not None:
        arrays["tracked_R"] = take.camera_motion.R_camera_world
        arrays["tracked_t"] = take.camera_motion.t_camera_world
    return arrays
