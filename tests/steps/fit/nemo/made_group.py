"""Takes of one made action, each before its own camera, at its own pace."""

import math
from typing import NamedTuple

import numpy as np
import torch

from made_action import eased, moved, movement
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data import CameraPath, Keypoints, Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.fit.group import GroupTake

SIZES = ((1280, 960), (1920, 1080), (640, 480))
TO_CAMERA = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)


class MadeGroup(NamedTuple):
    """Takes and their truths, each truth in its take's own world."""

    body: Body
    takes: list[GroupTake]
    truths: list[Motion]
    phases: list[np.ndarray]


def camera_of(azimuth: float, size: tuple[int, int], frames: int) -> CameraPath:
    """Level, 4.5 m from the origin, 1.2 m high, looking at it; as wide a view for every size."""
    focal = float(max(size))
    K = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]], np.float32)
    R = TO_CAMERA @ axis_rotation("z", torch.tensor(-azimuth)).numpy()
    back = axis_rotation("z", torch.tensor(azimuth)).numpy() @ np.array([0, -4.5, 0], np.float32)
    centre = back + np.array([0, -0.6, 1.2], np.float32)
    return CameraPath(
        K=np.tile(K, (frames, 1, 1)),
        distortion=np.zeros(5, np.float32),
        R_camera_world=np.tile(R, (frames, 1, 1)),
        t_camera_world=np.tile(-R @ centre, (frames, 1)),
        image_width=size[0],
        image_height=size[1],
        moving=False,
        focal_source="given",
        focal_range_px=(focal, focal),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def keypoints_of(motion: Motion, camera: CameraPath, keypoint_set: str = "coco17") -> Keypoints:
    """Exact keypoints with confidence 1."""
    arrays = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    tensors = [torch.tensor(array) for array in arrays]
    points = load_body(motion.body_model).pose(*tensors, keypoint_set).keypoints.numpy()
    seen = points @ camera.R_camera_world[0].T + camera.t_camera_world[0]
    pixels = (seen / seen[..., 2:]) @ camera.K[0].T
    pixels[..., 2] = 1
    return Keypoints(
        keypoints_2d=pixels.astype(np.float32),
        keypoint_names=KEYPOINT_SETS[keypoint_set].keypoint_names,
        image_width=camera.image_width,
        image_height=camera.image_height,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        observed=np.ones(motion.num_frames, bool),
    )


def made_group(frames: tuple[int, ...] = (40, 50, 30), off_rad: float = 0.1) -> MadeGroup:
    """Each take with a first 3D whose joints are turned by ``off_rad`` at random."""
    generator = torch.Generator().manual_seed(0)
    takes, truths, phases = [], [], []
    for index, count in enumerate(frames):
        phase = eased(count, power=(1.0, 1.4, 0.8)[index % 3])
        truth = moved(movement(phase), yaw=0.0, shift=(0.0, 0.0, 0.0))
        camera = camera_of(2 * math.pi * index / len(frames) + 0.3, SIZES[index % 3], count)
        off = off_rad * torch.randn(count, 23, generator=generator)
        pose = (torch.tensor(truth.body_pose.copy()) @ axis_rotation("x", off)).numpy()
        initial = truth.replace(body_pose=pose)
        takes.append(GroupTake(f"take {index}", keypoints_of(truth, camera), camera, initial))
        truths.append(truth)
        phases.append(phase)
    return MadeGroup(load_body("toy"), takes, truths, phases)
