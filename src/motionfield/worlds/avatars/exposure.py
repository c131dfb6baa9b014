"""What moves while the shutter is open: the person and, where it is carried, the camera."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation

from motionfield.body.base import Body
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.rendering.view import Box, View
from motionfield.worlds.avatars.dress import Avatar, pose_avatar

_CHUNK = 16
"""Frames that are posed at once."""
_STILL_PX = 0.4
"""Movement during the exposure below which one moment stands for all."""
_SOME = slice(None, None, 16)
"""Vertices whose movement is looked at."""


class Exposure(NamedTuple):
    """The middle of an exposure and how far everything moves during it."""

    view: View
    places: Float[ndarray, "vertices 3"]
    """The avatar's vertices in the world, metres."""
    travel: Float[ndarray, "vertices 3"]
    turn: Float[ndarray, "3"]
    """Rotation vector of the camera in its own axes, radians."""
    shift: Float[ndarray, "3"]
    """How far the world moves in the camera's axes beside that turn, metres."""

    def places_at(self, share: float) -> Float[ndarray, "vertices 3"]:
        """Vertices at a moment, -1/2 (opening) to 1/2 (closing)."""
        return self.places + share * self.travel

    def view_at(self, share: float) -> View:
        """The view at a moment."""
        if not (self.turn.any() or self.shift.any()):
            return self.view
        turned = Rotation.from_rotvec(share * self.turn).as_matrix()
        return dataclasses.replace(
            self.view,
            R_camera_world=turned @ self.view.R_camera_world,
            t_camera_world=turned @ self.view.t_camera_world + share * self.shift,
        )

    @property
    def still(self) -> bool:
        """Whether nothing of the person moves visibly in the picture."""
        ends = [self.view_at(s).pixels_of(self.places_at(s)[_SOME])[0] for s in (-0.5, 0.5)]
        moved = np.linalg.norm(ends[1] - ends[0], axis=1)
        return float(np.nanmax(moved, initial=0)) < _STILL_PX

    @property
    def box(self) -> Box:
        """Pixels that may show the person."""
        boxes = [self.view_at(s).box_of(self.places_at(s)) for s in (-0.5, 0.5)]
        full = [box for box in boxes if not box.empty]
        if not full:
            return boxes[0]
        low, high = np.array(full)[:, :2].min(0), np.array(full)[:, 2:].max(0)
        return Box(*(int(edge) for edge in (*low, *high)))

    def smear(
        self, picture: Float[ndarray, "height width 3"], count: int
    ) -> Float[ndarray, "height width 3"]:
        """Blur a picture of far things as the camera's turn does: the mean of ``count`` moments."""
        K = self.view.K
        corner = np.array((self.view.width, self.view.height, 1.0))
        lens = np.linalg.inv(K)
        ends = [K @ Rotation.from_rotvec(s * self.turn).as_matrix() @ lens for s in (-0.5, 0.5)]
        swept = [(end @ corner)[:2] / (end @ corner)[2] for end in ends]
        if np.linalg.norm(swept[1] - swept[0]) < _STILL_PX:
            return picture
        # OpenCV counts pixels from the first one's centre.
        centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
        total = np.zeros_like(picture)
        for share in (np.arange(count) + 0.5) / count - 0.5:
            turned = Rotation.from_rotvec(share * self.turn).as_matrix()
            warp = np.linalg.inv(centre) @ K @ turned @ lens @ centre
            size = picture.shape[1], picture.shape[0]
            total += cv2.warpPerspective(picture, warp, size, borderMode=cv2.BORDER_REPLICATE)
        return total / np.float32(count)


def exposures(
    avatar: Avatar, motion: Motion, camera: CameraPath, body: Body, exposure_s: float
) -> Iterator[Exposure]:
    """Every frame's exposure; its middle is the frame's time."""
    shutter = exposure_s * motion.fps
    for frame, places, speed in _posed(avatar, motion, body):
        turn, shift = _swing(camera, frame)
        view = view_of(camera, frame)
        yield Exposure(view, places, speed * shutter, turn * shutter, shift * shutter)


def view_of(camera: CameraPath, frame: int) -> View:
    """A frame's view."""
    return View(
        K=camera.K[frame].astype(float),
        R_camera_world=camera.R_camera_world[frame].astype(float),
        t_camera_world=camera.t_camera_world[frame].astype(float),
        width=camera.image_width,
        height=camera.image_height,
        distortion=camera.distortion.astype(float),
    )


def _swing(camera: CameraPath, frame: int) -> tuple[Float[ndarray, "3"], Float[ndarray, "3"]]:
    """Turn and shift of a camera per frame, from the frames before and after."""
    before, after = max(0, frame - 1), min(camera.num_frames - 1, frame + 1)
    if not camera.moving or before == after:
        return np.zeros(3), np.zeros(3)
    R, t = camera.R_camera_world.astype(float), camera.t_camera_world.astype(float)
    between = R[after] @ R[before].T
    shift = (t[after] - between @ t[before]) / (after - before)
    return Rotation.from_matrix(between).as_rotvec() / (after - before), shift


def _posed(
    avatar: Avatar, motion: Motion, body: Body
) -> Iterator[tuple[int, Float[ndarray, "vertices 3"], Float[ndarray, "vertices 3"]]]:
    """Frame by frame: its number, the vertices, and how far they move per frame."""
    last = motion.num_frames - 1
    for first in range(0, motion.num_frames, _CHUNK):
        wanted = np.arange(max(0, first - 1), min(last, first + _CHUNK) + 1)
        places = pose_avatar(avatar, motion.at_frames(wanted), body)
        for frame in range(first, min(first + _CHUNK, motion.num_frames)):
            at = frame - wanted[0]
            before, after = max(0, at - 1), min(len(places) - 1, at + 1)
            speed = (places[after] - places[before]) / max(1, after - before)
            yield frame, places[at].astype(float), speed.astype(float)
