"""Made takes: a body that walks a curve before a camera, with keypoints and quality."""

import numpy as np
import roma
import torch

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Keypoints, Motion, Quality, Take
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.rendering import look_at


def walk_pose(phase: torch.Tensor) -> torch.Tensor:
    """A plain walk: rotations of joints 1 to 23, (frames, 23, 3, 3)."""
    rotvec = torch.zeros(len(phase), 24, 3)
    swing = torch.sin(phase)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rotvec[:, JOINT_INDEX[f"{side}_hip"], 0] = -0.45 * sign * swing
        rotvec[:, JOINT_INDEX[f"{side}_knee"], 0] = 0.35 - 0.35 * sign * torch.cos(phase)
        rotvec[:, JOINT_INDEX[f"{side}_elbow"], 1] = -sign * 0.5
    pose = roma.rotvec_to_rotmat(rotvec)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        down = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, -sign * 1.25])).expand(
            len(phase), 3, 3
        )
        across = torch.zeros(len(phase), 3)
        across[:, 0] = 0.5 * sign * swing
        pose[:, JOINT_INDEX[f"{side}_shoulder"]] = roma.rotvec_to_rotmat(across) @ down
    return pose[:, 1:]


def made_motion(body: Body, frames: int = 60, fps: float = 30.0, start=(0.0, 0.0)) -> Motion:
    """A walk along an arc of 1.3 m/s; frames 20 to 25 are carried over."""
    time = torch.arange(frames) / fps
    yaw = 0.25 * time + 1.2
    upright = roma.rotvec_to_rotmat(torch.tensor([torch.pi / 2, 0.0, 0.0]))
    turn = roma.rotvec_to_rotmat(torch.stack((0 * yaw, 0 * yaw, yaw), -1))
    forward = torch.stack((torch.sin(yaw), -torch.cos(yaw)), -1)
    ground = torch.cumsum(forward * 1.3 / fps, dim=0) + torch.tensor(start)
    pose = walk_pose(2 * torch.pi * 0.9 * time)
    betas = torch.zeros(body.num_betas)
    still = torch.zeros(frames, 3)
    joints = body.pose(turn @ upright, pose, still, betas).joints
    height = 0.03 - joints[..., 2].min(-1).values
    observed = np.ones(frames, bool)
    observed[20:26] = False
    return Motion(
        global_orient=(turn @ upright).numpy(),
        body_pose=pose.numpy(),
        transl=torch.cat((ground, height[:, None]), -1).numpy(),
        betas=betas.numpy(),
        body_model=body.name,
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        observed=observed,
        history=(step("lift", start="coarse"), step("fit", iterations=40, smooth=0.5)),
    )


def made_camera(frames: int, size: tuple[int, int] = (640, 360)) -> CameraPath:
    view = look_at((1.0, -6.5, 1.5), (1.0, 0.0, 0.9), size, 32.0)
    return CameraPath(
        K=np.repeat(view.K[None], frames, 0).astype(np.float32),
        distortion=np.zeros(5, np.float32),
        R_camera_world=np.repeat(view.R_camera_world[None], frames, 0).astype(np.float32),
        t_camera_world=np.repeat(view.t_camera_world[None], frames, 0).astype(np.float32),
        image_width=size[0],
        image_height=size[1],
        moving=False,
        focal_source="assumed",
        focal_range_px=(0.8 * float(view.K[0, 0]), 1.4 * float(view.K[0, 0])),
        gravity_source="estimated",
        gravity_doubt_deg=3.0,
        scale_source="assumed",
        scale_range=(0.92, 1.08),
        warnings=("The focal length is assumed: distances along the view are uncertain.",),
    )


def made_take(
    body: Body,
    name: str = "person 0",
    frames: int = 60,
    start: tuple[float, float] = (0.0, 0.0),
    size: tuple[int, int] = (640, 360),
) -> Take:
    """One person's take with exact keypoints and two doubtful spans."""
    motion = made_motion(body, frames, start=start)
    camera = made_camera(frames, size)
    as_tensor = torch.tensor
    world = body.pose(
        as_tensor(motion.global_orient),
        as_tensor(motion.body_pose),
        as_tensor(motion.transl),
        as_tensor(motion.betas),
        "blazepose33",
    ).keypoints
    points = world_to_camera(
        world, as_tensor(camera.R_camera_world), as_tensor(camera.t_camera_world)
    )
    xy = project(points, as_tensor(camera.K)).numpy()
    keypoints = np.concatenate((xy, np.full_like(xy[..., :1], 0.9)), -1).astype(np.float32)
    keypoints[~motion.observed] = np.nan
    return Take(
        name=name,
        keypoints=Keypoints(
            keypoints_2d=keypoints,
            keypoint_names=BLAZEPOSE_33.keypoint_names,
            image_width=size[0],
            image_height=size[1],
            fps=motion.fps,
            time_s=motion.time_s,
            frame_index=motion.frame_index,
            observed=motion.observed,
        ),
        camera=camera,
        motion=motion,
        quality=made_quality(motion),
    )


def made_quality(motion: Motion) -> Quality:
    frames, time = motion.num_frames, motion.time_s
    wave = np.abs(np.sin(time * 3))
    contact = np.stack((np.sin(time * 5.6) > 0.2, np.sin(time * 5.6) < -0.2), -1)
    slide = np.where(contact, 0.002 + 0.003 * wave[:, None], np.nan)
    error = np.where(motion.observed, 2 + 2 * wave, np.nan)
    end = float(time[-1])
    return Quality(
        time_s=time,
        reprojection_px=error,
        reprojection_box=error / 200,
        contact_seen=contact,
        foot_slide_m=slide,
        penetration_m=0.01 * np.clip(wave - 0.5, 0, 1),
        jitter_m_s3=20 + 30 * wave,
        observed=motion.observed,
        spans=(
            (
                float(time[min(20, frames - 1)]),
                float(time[min(25, frames - 1)]),
                "The person was not seen; the motion is carried over.",
            ),
            (
                0.8 * end,
                0.9 * end,
                "The projected body is far from the keypoints (9 % of its height).",
            ),
        ),
    )
