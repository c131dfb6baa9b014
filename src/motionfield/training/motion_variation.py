"""Variations of windows of motion that stay true to how people move.

The three of MEVA (Luo et al., ACCV 2020, section 3.3) are speed, left-right flip and random root;
the others are ours, and docs/motion_vae.md has what each is worth.
"""

import math
from dataclasses import dataclass
from typing import Final

import roma
import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.geometry.rotations import axis_rotation, rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.steps.evaluate.reconstruction import camera_roots

_MIRROR: Final = torch.tensor(mirror_order(JOINT_NAMES))
# Of the first column the y and z parts change their sign, of the second x.
_FLIP: Final = torch.tensor([1.0, -1.0, -1.0, -1.0, 1.0, 1.0])
_LOWER: Final = ("pelvis", "hip", "knee", "ankle", "foot")
_UPPER: Final = torch.tensor([not name.endswith(_LOWER) for name in JOINT_NAMES])
_STEEPEST: Final = 1.3
"""Fastest and slowest of a warped window against its mean pace."""

Windows = Float[Tensor, "windows frames 24 6"]


@dataclass(frozen=True)
class Variation:
    """How windows are varied; the defaults are MEVA's three, off is 0, False or one rate."""

    rates_hz: tuple[float, ...] = (20.0, 30.0, 40.0)
    """A clip resampled at 20 Hz and read as 30 Hz is half as fast again."""
    flip: float = 0.5
    """Share of windows seen in a mirror."""
    random_root: bool = True
    """Turned so that the first root is that of a random camera; else as in the world."""
    reverse: float = 0.0
    """Share of windows that run backwards (MEVA's second public version: 0.5)."""
    swap: float = 0.0
    """Share that takes the upper body's joints of another window."""
    noise_rad: float = 0.0
    """Deviation, per axis, of a turn of each joint that lasts through the window."""
    warp: float = 0.0
    """Share whose tempo rises or falls within the window."""
    upright: float = 0.0
    """Share whose camera stands in the world, so that whoever bends or lies stays so."""


def varied(windows: Windows, variation: Variation, generator: Generator) -> Windows:
    """The windows, varied; those that come in have their root in the world (Z up).

    Each window's neighbour in the batch is what it swaps parts with.
    """
    if variation.swap:
        other = windows.roll(1, 0)
        parts = torch.where(_UPPER[:, None], other, windows)
        windows = torch.where(_chosen(windows, variation.swap, generator), parts, windows)
    if variation.reverse:
        back = windows.flip(1)
        windows = torch.where(_chosen(windows, variation.reverse, generator), back, windows)
    if variation.flip:
        image = mirrored(windows)
        windows = torch.where(_chosen(windows, variation.flip, generator), image, windows)
    if variation.noise_rad:
        windows = bent(windows, variation.noise_rad, generator)
    if not variation.random_root:
        return windows
    root = rot6d_to_rotmat(windows[:, :, 0])
    turn = camera_roots(len(windows), generator).to(root) @ root[:, 0].mT
    if variation.upright:
        stay = torch.rand(len(windows), 1, 1, generator=generator) < variation.upright
        turn = torch.where(stay, standing_cameras(len(windows), generator), turn)
    placed = rotmat_to_rot6d(turn.unsqueeze(1) @ root)
    return torch.cat((placed.unsqueeze(2), windows[:, :, 1:]), dim=2)


def mirrored(windows: Windows) -> Windows:
    """Seen in a mirror: sides exchanged, M R M with M = diag(-1, 1, 1)."""
    return windows[..., _MIRROR, :] * _FLIP


def bent(windows: Windows, size_rad: float, generator: Generator) -> Windows:
    """Every joint but root and hands turned by its own rotation, the same through a window."""
    turn = size_rad * torch.randn((len(windows), 1, 24, 3), generator=generator)
    turn[:, :, [0, 22, 23]] = 0
    return rotmat_to_rot6d(rot6d_to_rotmat(windows) @ roma.rotvec_to_rotmat(turn))


def standing_cameras(count: int, generator: Generator) -> Float[Tensor, "count 3 3"]:
    """``R_camera_world`` of cameras that look from any side, from 20 degrees below level to 60
    above, level to 5 degrees."""
    yaw, pitch = torch.rand(2, count, generator=generator)
    roll = math.radians(5) * torch.randn(count, generator=generator)
    level = axis_rotation("x", torch.full_like(yaw, math.pi / 2))
    tilt = axis_rotation("z", roll) @ axis_rotation("x", math.radians(1) * (80 * pitch - 20))
    return tilt @ level @ axis_rotation("z", math.tau * yaw)


def warped_times(
    count: int, length: int, share: float, generator: Generator
) -> Float[Tensor, "windows frames"]:
    """Times in frames, 0 to length - 1, of windows; a share of them at a pace that changes."""
    even = torch.arange(float(length)).expand(count, length)
    if not share:
        return even
    t = torch.linspace(0, 1, length)
    bow = (2 * torch.rand(count, 1, generator=generator) - 1) * (_STEEPEST - 1)
    warped = (t + bow * t * (1 - t)) * (length - 1)
    return torch.where(torch.rand(count, 1, generator=generator) < share, warped, even)


def _chosen(windows: Windows, share: float, generator: Generator) -> Bool[Tensor, "windows 1 1 1"]:
    return torch.rand(len(windows), 1, 1, 1, generator=generator) < share
