"""Takes in the form that pictures need: bodies in the world, frame by frame, and cameras."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.data import CameraPath, Motion, Take
from motionfield.rendering import View

CHUNK_FRAMES = 16
"""Frames posed at a time: enough for speed, few enough for flat memory."""


class PosedBody(NamedTuple):
    """One body at one moment, world metres."""

    vertices_world: Float[ndarray, "vertices 3"]
    joints_world: Float[ndarray, "24 3"]


def joints_of(motion: Motion, body: Body) -> Float[ndarray, "frames 24 3"]:
    """Joints of the whole motion in the world, metres."""
    return body.pose(**_arguments(motion, slice(None))).joints.numpy()


def bodies_by_frame(takes: Sequence[Take], body: Body) -> Iterator[list[PosedBody]]:
    """All takes' bodies of each frame in turn."""
    frames = min(take.motion.num_frames for take in takes)
    for start in range(0, frames, CHUNK_FRAMES):
        part = slice(start, min(start + CHUNK_FRAMES, frames))
        chunk = [_posed(take.motion, body, part) for take in takes]
        for i in range(part.stop - part.start):
            yield [PosedBody(vertices[i], joints[i]) for vertices, joints in chunk]


def view_of(camera: CameraPath, frame: int) -> View:
    """The camera of one frame as a view."""
    return View(
        camera.K[frame].astype(float),
        camera.R_camera_world[frame].astype(float),
        camera.t_camera_world[frame].astype(float),
        camera.image_width,
        camera.image_height,
        camera.distortion.astype(float),
    )


def _posed(motion: Motion, body: Body, part: slice) -> tuple[ndarray, ndarray]:
    arguments = _arguments(motion, part)
    vertices = body.vertices(**arguments).numpy().astype(np.float64)
    return vertices, body.pose(**arguments).joints.numpy().astype(np.float64)


def _arguments(motion: Motion, part: slice) -> dict:
    scale = motion.bone_scale
    return {
        "global_orient": tensor_of(motion.global_orient[part]),
        "body_pose": tensor_of(motion.body_pose[part]),
        "transl": tensor_of(motion.transl[part]),
        "betas": tensor_of(motion.betas),
        "bone_scale": None if scale is None else tensor_of(scale),
    }
