"""Contact sheets of retargeted clips: our body with the clip's own skeleton over it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OutputError
from motionfield.data.motion import Motion
from motionfield.rendering.drawing import draw_lines, draw_text
from motionfield.rendering.ray_casting import Mesh, RayScene
from motionfield.rendering.shading import render_layer
from motionfield.rendering.view import View, look_at

_CELL: Final = (150, 210)
"""Width and height in pixels."""
_FRAMES: Final = 9
_AWAY_M: Final = 9.0
_FOV_DEG: Final = 14.0
_BONE: Final = (0, 150, 60)
_GROUND: Final = (150, 150, 160)


class Shot(NamedTuple):
    """One row of a sheet."""

    title: str
    motion: Motion
    source_world: Float[Tensor, "frames joints 3"]
    """The clip's joints in the motion's world, metres."""
    parents: tuple[int, ...]


def draw_sheet(shots: Sequence[Shot], body: Body, path: Path) -> None:
    """Write a PNG: two lines of pictures for each shot, seen from the front and from its left.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [_row(shot, body) for shot in shots]
    if not rows or not cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)):
        raise OutputError(path, "cannot be written", "check the folder and the ending .png")


def _row(shot: Shot, body: Body) -> UInt8[ndarray, "height width 3"]:
    motion = shot.motion
    chosen = np.linspace(0, motion.num_frames - 1, _FRAMES + 2).round().astype(int)[1:-1]
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    with torch.no_grad():
        vertices = body.vertices(
            tensor_of(motion.global_orient[chosen]),
            tensor_of(motion.body_pose[chosen]),
            tensor_of(motion.transl[chosen]),
            tensor_of(motion.betas),
            bone_scale=scale,
        ).numpy()
    faces = body.faces().numpy()
    width, height = _CELL
    picture = np.full((2 * height, _FRAMES * width, 3), 255, np.uint8)
    for column, frame in enumerate(chosen):
        scene = RayScene([Mesh(vertices[column], faces)])
        ahead = motion.global_orient[frame, :, 2] * (1, 1, 0)
        # Someone who lies faces up or down: the pelvis's up direction is as good a front.
        if np.linalg.norm(ahead) < 0.3:
            ahead = motion.global_orient[frame, :, 1] * (1, 1, 0)
        left = np.cross((0, 0, 1), ahead)
        for line, towards in enumerate((ahead, left)):
            cell = picture[line * height : (line + 1) * height, column * width :][:, :width]
            _draw(cell, scene, towards, shot.source_world[frame].numpy(), shot.parents)
            if not motion.observed[frame]:
                draw_text(cell, (4, height - 16), "not observed", 12, (200, 0, 0))
        draw_text(picture, (column * width + 4, height - 16), str(frame), 12, (90, 90, 90))
    draw_text(picture, (4, 2), shot.title, 13, (0, 0, 0))
    return picture


def _draw(
    cell: UInt8[ndarray, "height width 3"],
    scene: RayScene,
    towards: Float[ndarray, "3"],
    source: Float[ndarray, "joints 3"],
    parents: tuple[int, ...],
) -> None:
    low, high = scene.vertices_world.min(0), scene.vertices_world.max(0)
    centre = (low + high) / 2
    place = centre + _AWAY_M * towards / np.linalg.norm(towards)
    view = look_at(place, centre, _CELL, _FOV_DEG)
    across = np.cross(towards, (0, 0, 1)) / np.linalg.norm(towards)
    edge = centre * (1, 1, 0) + np.array([[-1.0], [1.0]]) * across
    draw_lines(cell, view.pixels_of(edge)[0], _GROUND, 1)
    render_layer(scene, view).blend_onto(cell)
    _skeleton(cell, view, source, parents)


def _skeleton(
    cell: UInt8[ndarray, "height width 3"],
    view: View,
    source: Float[ndarray, "joints 3"],
    parents: tuple[int, ...],
) -> None:
    pixels = view.pixels_of(source)[0]
    for child, parent in enumerate(parents):
        if parent >= 0:
            draw_lines(cell, pixels[[parent, child]], _BONE, 1)
