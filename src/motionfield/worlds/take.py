"""A made take: a known motion before a made camera, seen by a made detector."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import back_project, project, world_to_camera
from motionfield.geometry.placement import mean_ray, turn_to_ray
from motionfield.worlds.camera_drift import DriftConfig, drifted
from motionfield.worlds.cameras import CameraConfig, draw_camera
from motionfield.worlds.detector_error import DetectorErrorConfig, detect
from motionfield.worlds.moving_cameras import draw_moving_camera


@dataclass(frozen=True)
class TakeConfig:
    """How the camera is drawn, and how the detector and the camera's tracker err."""

    camera: CameraConfig = field(default_factory=CameraConfig)
    detector: DetectorErrorConfig = field(default_factory=DetectorErrorConfig)
    drift: DriftConfig = field(default_factory=DriftConfig)


class MadeTake(NamedTuple):
    """What a tracker and a calibrator would have found, had the camera been known."""

    keypoints: Keypoints
    camera: CameraPath
    """The true one."""
    camera_motion: CameraPath | None = None
    """Where the camera moves: its path as a tracker estimates it (``camera_drift.drifted``)."""


def make_take(motion: Motion, body: Body, seed: int, config: TakeConfig | None = None) -> MadeTake:
    """Show a motion to a made camera and a made detector (BlazePose's 33 keypoints).

    The camera is exact and "given"; where it moves, the take holds its tracked path, too. Frames
    that the motion does not observe are not observed. The same seed gives the same take; noise,
    camera and drift are drawn from separate streams, so a camera stays where it is when the
    detector's options change.
    """
    config = config or TakeConfig()
    camera_rng, detector_rng, drift_rng = np.random.default_rng(seed).spawn(3)
    points = keypoints_world(motion, body)
    if config.camera.kind == "static":
        camera = draw_camera(points, camera_rng, config.camera)
        camera_motion = None
    else:
        camera = draw_moving_camera(points, motion.fps, camera_rng, config.camera)
        camera_motion = drifted(camera, motion.fps, drift_rng, config.drift)
    keypoints = detect_take(motion, body, camera, detector_rng, config.detector)
    return MadeTake(keypoints.replace(step("made take", seed=seed)), camera, camera_motion)


def detect_take(
    motion: Motion,
    body: Body,
    camera: CameraPath,
    rng: np.random.Generator,
    config: DetectorErrorConfig,
) -> Keypoints:
    """What the made detector reports of a motion that a known camera sees.

    Args:
        rng: where the detector's errors are drawn from.
    """
    points = keypoints_world(motion, body)
    pixels, points_camera = see(points, camera)
    seen = detect(pixels, points_camera, motion.fps, rng, config)
    observed = motion.observed & ~seen.lost
    hidden = ~observed
    keypoints_2d = seen.keypoints_2d.copy()
    coarse = in_crop_axes(seen.coarse_camera, keypoints_2d, camera)
    keypoints_2d[hidden] = np.nan
    coarse[hidden] = np.nan
    return Keypoints(
        keypoints_2d=keypoints_2d,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=camera.image_width,
        image_height=camera.image_height,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        coarse_camera=coarse,
        observed=observed,
        history=(*motion.history, step("made detector", config)),
    )


def in_crop_axes(
    coarse_camera: Float[ndarray, "frames points 3"],
    keypoints_2d: Float[ndarray, "frames points 3"],
    camera: CameraPath,
) -> Float[ndarray, "frames points 3"]:
    """Coarse 3D as a network reports it that sees a crop: as if the camera looked at the person."""
    seen = tensor_of(keypoints_2d)
    rays = back_project(seen[..., :2], tensor_of(camera.K), tensor_of(camera.distortion))
    turn = turn_to_ray(mean_ray(rays, seen[..., 2]))
    return (tensor_of(coarse_camera) @ turn).numpy()


def keypoints_world(motion: Motion, body: Body) -> Float[ndarray, "frames 33 3"]:
    """The body's BlazePose keypoints in the world, metres."""
    scale = motion.bone_scale
    with torch.no_grad():
        posed = body.pose(
            tensor_of(motion.global_orient),
            tensor_of(motion.body_pose),
            tensor_of(motion.transl),
            tensor_of(motion.betas),
            BLAZEPOSE_33.name,
            None if scale is None else tensor_of(scale),
        )
    return posed.keypoints.numpy()


def see(
    points_world: Float[ndarray, "frames points 3"], camera: CameraPath
) -> tuple[Float[ndarray, "frames points 2"], Float[ndarray, "frames points 3"]]:
    """Pixels of points, and the points in camera axes."""
    R, t = tensor_of(camera.R_camera_world), tensor_of(camera.t_camera_world)
    points_camera = world_to_camera(tensor_of(points_world), R, t)
    pixels = project(points_camera, tensor_of(camera.K), tensor_of(camera.distortion))
    return pixels.numpy(), points_camera.numpy()
