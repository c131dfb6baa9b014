"""How well a motion autoencoder gives windows back, seen from random cameras: MEVA's Table 3."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from motionfield.body.base import Body
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LSP_14
from motionfield.geometry.rotations import axis_rotation, rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.posed import Pose, posed_points
from motionfield.steps.evaluate.score import Score
from motionfield.steps.evaluate.smoothness import acceleration_error

Windows = Float[Tensor, "windows frames 24 6"]
CAMERA_ROOTS: Final = 3
"""Random cameras per window."""
_HIPS: Final = (LSP_14.index("right_hip"), LSP_14.index("left_hip"))


class Reconstruction(NamedTuple):
    """Each over all frames of all windows and cameras; 14 LSP joints, the hips at the origin."""

    mpjpe: Score
    """mm."""
    pa_mpjpe: Score
    """mm."""
    acceleration: Score
    """mm/frame^2; its frames are those of a window, each the mean over windows."""


def reconstruction_error(
    autoencode: Callable[[Windows], Windows],
    windows: Windows,
    body: Body,
    generator: Generator,
    cameras: int = CAMERA_ROOTS,
) -> Reconstruction:
    """Errors of ``autoencode`` on windows turned into random camera frames.

    Each window is seen by ``cameras`` random cameras as in MEVA's augmentation (``camera_roots``),
    given to ``autoencode`` (encode, take the mean, decode), and compared through the mean shape's
    joints.

    Args:
        autoencode: windows in, windows out; 6D rotations, the first two columns concatenated.
        windows: the root's rotation (world, Z up) and those of the 23 joints as 6D; 90 frames for
            MEVA.

    Raises:
        OptionError: what comes back has another shape, or no window is given.

    Source: Luo et al., MEVA, ACCV 2020, Table 3 (MPJPE, PA-MPJPE, ACC-ERR of the VAE alone) and
    sec. 3.3 (random root rotation); its code for the joints (H36M regressor, 14 of LSP). There
    3DPW's motion is in true camera frames; here the cameras are those of its augmentation.
    """
    if not len(windows):
        raise OptionError("reconstruction: no windows to reconstruct; give at least one")
    seen = torch.cat([in_camera(windows, generator) for _ in range(cameras)])
    back = autoencode(seen)
    if back.shape != seen.shape:
        raise OptionError(
            f"reconstruction: the autoencoder returned {tuple(back.shape)} for "
            f"{tuple(seen.shape)}; give windows back as they came"
        )
    ours, theirs = (_points(part, body) for part in (back, seen))
    # Side by side, the windows are the joints of one clip: no difference crosses a border.
    beside = (points.unflatten(0, seen.shape[:2]).transpose(0, 1) for points in (ours, theirs))
    acceleration = acceleration_error(*(points.flatten(1, 2) for points in beside))
    return Reconstruction(mpjpe(ours, theirs), pa_mpjpe(ours, theirs), acceleration)


def in_camera(windows: Windows, generator: Generator) -> Windows:
    """Each window turned as a whole so that its first root is that of a random camera."""
    R = rot6d_to_rotmat(windows)
    root = R[:, :, 0]
    turn = camera_roots(len(windows), generator).to(root) @ root[:, 0].mT
    turned = torch.cat(((turn.unsqueeze(1) @ root).unsqueeze(2), R[:, :, 1:]), dim=2)
    return rotmat_to_rot6d(turned)


def camera_roots(count: int, generator: Generator) -> Float[Tensor, "count 3 3"]:
    """Roots of upright people in camera axes (y down): ``Rx(pitch) Ry(yaw)``.

    Yaw is uniform over the circle, pitch uniform from 180 to 240 degrees: the camera looks down
    by up to 60 degrees. Source: MEVA's augmentation code.
    """
    yaw, pitch = torch.rand(2, count, generator=generator, dtype=torch.float64)
    return axis_rotation("x", math.pi * (1 + pitch / 3)) @ axis_rotation("y", math.tau * yaw)


def _points(windows: Tensor, body: Body) -> Float[Tensor, "frames 14 3"]:
    """Joints of all frames one after the other, the hips at the origin, metres."""
    R = rot6d_to_rotmat(windows.flatten(0, 1)).float()
    pose = Pose(R[:, 0], R[:, 1:], torch.zeros(len(R), 3), torch.zeros(body.num_betas))
    points = posed_points(pose, body, LSP_14.name).keypoints
    return points - points[:, _HIPS].mean(1, keepdim=True)
