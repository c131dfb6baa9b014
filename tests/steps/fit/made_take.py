"""A made take with exact truth: the toy body squats and waves before a static camera."""

from typing import NamedTuple

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data import CameraPath, Keypoints, Motion
from motionfield.geometry.rotations import axis_rotation

FOCAL = 1000.0
SIZE = (1280, 960)


class MadeTake(NamedTuple):
    """Truth and what a camera saw of it."""

    body: Body
    truth: Motion
    keypoints: Keypoints
    camera: CameraPath


def make_motion(frames: int, fps: float = 30.0) -> Motion:
    """Squats with waving arms; the feet stay flat where they are."""
    body = load_body("toy")
    time = torch.arange(frames) / fps
    bend = 0.4 * (1 - torch.cos(2 * torch.pi * time / 1.5))
    wave = 0.5 * torch.sin(2 * torch.pi * time / 1.2)
    pose = torch.eye(3).repeat(frames, 24, 1, 1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        pose[:, JOINT_INDEX[f"{side}_hip"]] = axis_rotation("x", -bend)
        pose[:, JOINT_INDEX[f"{side}_knee"]] = axis_rotation("x", 2 * bend)
        pose[:, JOINT_INDEX[f"{side}_ankle"]] = axis_rotation("x", -bend)
        down = axis_rotation("z", torch.full((frames,), -1.0 * sign))
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = axis_rotation("y", wave) @ down
        elbow = torch.full((frames,), -0.6 * sign)
        pose[:, JOINT_INDEX[f"{side}_elbow"]] = axis_rotation("y", elbow)
    upright = axis_rotation("x", torch.tensor(torch.pi / 2))
    facing = (axis_rotation("z", torch.tensor(0.5)) @ upright).expand(frames, 3, 3)
    betas = torch.zeros(body.num_betas)
    joints = body.pose(facing, pose[:, 1:], torch.zeros(frames, 3), betas).joints
    ankle = joints[:, JOINT_INDEX["left_ankle"]]
    vertices = body.vertices(facing, pose[:, 1:], torch.zeros(frames, 3), betas)
    transl = ankle[:1] - ankle
    transl[:, 2] -= (vertices[..., 2].amin(1) + transl[:, 2]).min()
    return Motion(
        global_orient=facing.contiguous().numpy(),
        body_pose=pose[:, 1:].numpy(),
        transl=transl.numpy(),
        betas=betas.numpy(),
        body_model=body.name,
        fps=fps,
        time_s=time.double().numpy(),
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )


def make_camera(frames: int) -> CameraPath:
    """A level camera 4 m away, 1.2 m above the ground, looking along +Y."""
    K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1]], np.float32)
    R = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
    return CameraPath(
        K=np.tile(K, (frames, 1, 1)),
        distortion=np.zeros(5, np.float32),
        R_camera_world=np.tile(R, (frames, 1, 1)),
        t_camera_world=np.tile(-R @ np.array([0, -4, 1.2], np.float32), (frames, 1)),
        image_width=SIZE[0],
        image_height=SIZE[1],
        moving=False,
        focal_source="given",
        focal_range_px=(FOCAL, FOCAL),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def see(motion: Motion, camera: CameraPath, keypoint_set: str = "blazepose33") -> Keypoints:
    """Exact 2D keypoints and exact coarse 3D of a motion."""
    points = points_of(motion, keypoint_set)
    R = torch.tensor(camera.R_camera_world)
    in_camera = points @ R.mT + torch.tensor(camera.t_camera_world).unsqueeze(1)
    pixels = FOCAL * in_camera[..., :2] / in_camera[..., 2:] + torch.tensor(SIZE) / 2
    names = KEYPOINT_SETS[keypoint_set].keypoint_names
    hips = [names.index("left_hip"), names.index("right_hip")]
    ones = torch.ones(*pixels.shape[:2], 1)
    return Keypoints(
        keypoints_2d=torch.cat((pixels, ones), -1).numpy(),
        keypoint_names=names,
        image_width=SIZE[0],
        image_height=SIZE[1],
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        coarse_camera=(in_camera - in_camera[:, hips].mean(1, keepdim=True)).numpy(),
        observed=np.ones(motion.num_frames, bool),
    )


def points_of(motion: Motion, keypoint_set: str = "blazepose33") -> torch.Tensor:
    """The set's points of a motion, world metres."""
    return (
        load_body(motion.body_model)
        .pose(
            torch.tensor(motion.global_orient),
            torch.tensor(motion.body_pose),
            torch.tensor(motion.transl),
            torch.tensor(motion.betas),
            keypoint_set,
        )
        .keypoints
    )


def disturb(motion: Motion, angle: float = 0.15, place_m: float = 0.1, seed: int = 0) -> Motion:
    """A bad first 3D: every rotation and place is off, smoothly over nothing."""
    generator = torch.Generator().manual_seed(seed)

    def turn(shape: tuple[int, ...]) -> torch.Tensor:
        off = angle * torch.randn((*shape, 3), generator=generator)
        return axis_rotation("x", off[..., 0]) @ axis_rotation("y", off[..., 1])

    frames = motion.num_frames
    shift = place_m * torch.randn((frames, 3), generator=generator)
    return motion.replace(
        global_orient=(torch.tensor(motion.global_orient) @ turn((frames,))).numpy(),
        body_pose=(torch.tensor(motion.body_pose) @ turn((frames, 23))).numpy(),
        transl=motion.transl + shift.numpy(),
    )


def make_take(frames: int = 45, fps: float = 30.0) -> MadeTake:
    truth = make_motion(frames, fps)
    camera = make_camera(frames)
    return MadeTake(load_body("toy"), truth, see(truth, camera), camera)
