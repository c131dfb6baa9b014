"""Inputs for whole runs that need no network: keypoints of a made person, small made videos."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import Keypoints, Tracks
from motionfield.formats.keypoint_files import write_keypoints
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import axis_rotation
from motionfield.run_config import RunConfig
from motionfield.steps.calibrate import CalibrateConfig
from motionfield.steps.fit import SequenceFitConfig
from motionfield.steps.lift import LiftConfig

SIZE = (320, 240)
FOCAL = 400.0
FRAMES = 16


def made_keypoints(frames: int = FRAMES, aside_m: float = 0.0, sits: bool = False) -> Keypoints:
    """The toy body stands 4 m before a level camera and swings its arms; or sits, arms raised."""
    body = load_body("toy")
    upright = axis_rotation("z", torch.tensor(0.4)) @ axis_rotation("x", torch.tensor(torch.pi / 2))
    pose = torch.eye(3).repeat(frames, 23, 1, 1)
    swing = torch.sin(torch.arange(frames) / 4)
    down = -1.0 if sits else 1.0
    pose[:, JOINT_INDEX["left_shoulder"] - 1] = axis_rotation("z", -down + 0.4 * swing)
    pose[:, JOINT_INDEX["right_shoulder"] - 1] = axis_rotation("z", down + 0.4 * swing)
    for side in ("left", "right") if sits else ():
        pose[:, JOINT_INDEX[f"{side}_hip"] - 1] = axis_rotation("x", torch.tensor(-1.5))
        pose[:, JOINT_INDEX[f"{side}_knee"] - 1] = axis_rotation("x", torch.tensor(1.5))
    transl = torch.tensor([aside_m, 0, 0]).expand(frames, 3)
    orient = upright.expand(frames, 3, 3)
    world = body.pose(orient, pose, transl, torch.zeros(body.num_betas), "blazepose33").keypoints
    R = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    camera = (world - torch.tensor([0.0, -4.0, 0.9])) @ R.mT
    pixels = FOCAL * camera[..., :2] / camera[..., 2:] + torch.tensor(SIZE) / 2
    hips = camera[:, [23, 24]].mean(1, keepdim=True)
    coarse = (camera - hips) @ turn_to_ray(camera.mean(1))
    return Keypoints(
        keypoints_2d=torch.cat((pixels, torch.ones(frames, 33, 1)), -1).numpy(),
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=SIZE[0],
        image_height=SIZE[1],
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        coarse_camera=coarse.numpy(),
        observed=np.ones(frames, bool),
    )


def made_tracks(persons: int) -> Tracks:
    """Several such persons beside one another."""
    each = [Tracks.of_one(made_keypoints(aside_m=0.8 * index)) for index in range(persons)]
    names = ("keypoints_2d", "coarse_camera", "bbox_xyxy", "observed")
    return each[0].replace(**{n: np.concatenate([getattr(t, n) for t in each]) for n in names})


def keypoint_file(path: Path, frames: int = FRAMES) -> Path:
    write_keypoints(path, made_keypoints(frames))
    return path


def video_file(
    path: Path, frames: int = FRAMES, size: tuple[int, int] = SIZE, fps: int = 30
) -> Path:
    """A grey video with a moving bar: nobody is in it."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast"}
        for index in range(frames):
            picture = np.full((size[1], size[0], 3), 128, np.uint8)
            picture[:, index * 4 : index * 4 + 8] = 30
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def quick_config(out: Path, **changes: object) -> RunConfig:
    """A run on the toy body with few steps."""
    options: dict[str, object] = {
        "body": "toy",
        "calibrate": CalibrateConfig(focal_px=FOCAL),
        "lift": LiftConfig(method="ik"),  # MEVA's network knows another body
        "fit": SequenceFitConfig(iterations=4),
        "overlay": False,
    }
    return RunConfig(out=out, **{**options, **changes})  # type: ignore[arg-type]
