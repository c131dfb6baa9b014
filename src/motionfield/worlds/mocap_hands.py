"""Hands of a retargeted clip: at the clip's wrists, and on the ground where they lean on it."""

import math
from typing import Final

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_INDEX
from motionfield.worlds.mocap_figure import Figure, across, reach
from motionfield.worlds.mocap_sample import LOWER_BONES, UPPER_BONES

_FINGERS: Final = 2.0
"""Finger tips are this much farther from the wrist than the hand's joint."""
_TIP_GROUND_M: Final = 0.015
_WRIST_GROUND_M: Final = 0.04
_DOWN_RAD: Final = math.radians(150)
_MAX_BEND_RAD: Final = math.radians(90)


def reach_wrists(figure: Figure, targets: Float[Tensor, "frames 2 3"]) -> Figure:
    """Both arms made to reach the clip's wrists (left, right), which stay above the ground."""
    high = torch.cat((targets[..., :2], targets[..., 2:].clamp(min=_WRIST_GROUND_M)), dim=-1)
    for side, (upper, lower) in enumerate(zip(UPPER_BONES[2:], LOWER_BONES[2:], strict=True)):
        figure = reach(figure, upper, lower, high[:, side])
    return figure


def lift_hands(figure: Figure) -> Figure:
    """Hands bent at the wrist, back or palm-wards, as far as keeps the finger tips above ground.

    Rigs without hands, and hands that follow a stiff forearm, would go through it.
    """
    joints = figure.joints
    for side in ("left", "right"):
        wrist, hand = JOINT_INDEX[f"{side}_wrist"], JOINT_INDEX[f"{side}_hand"]
        length = _FINGERS * figure.offsets[hand].norm()
        along = (joints[:, hand] - joints[:, wrist]) * (_FINGERS / length)
        back = torch.nn.functional.normalize(
            across(figure.rotations[:, wrist, :, 1], along), dim=-1
        )
        wanted = (_TIP_GROUND_M - joints[:, wrist, 2]) / length
        bend = _bend(along[:, 2], back[:, 2], wanted)
        turn = roma.rotvec_to_rotmat(torch.linalg.cross(along, back) * bend[:, None])
        figure = figure.turned((f"{side}_wrist", f"{side}_hand"), turn)
    return figure


def _bend(
    along: Float[Tensor, "frames"], back: Float[Tensor, "frames"], wanted: Float[Tensor, "frames"]
) -> Float[Tensor, "frames"]:
    """The smallest angle t with ``cos(t) along + sin(t) back >= wanted``, towards the back or not.

    Heights of three unit vectors' tips; the angle is limited to a right one.
    """
    size = torch.hypot(along, back).clamp(min=1e-6)
    peak = torch.atan2(back, along)
    # A hand that points straight down is bent back: so people lean on it.
    peak = torch.where(peak < -_DOWN_RAD, peak + math.tau, peak)
    away = torch.acos((wanted / size).clamp(-1, 1))
    # The tip is high enough within ``away`` of the peak: go to the nearer edge.
    bend = peak - torch.sign(peak) * torch.minimum(away, peak.abs())
    return torch.where(along >= wanted, torch.zeros_like(bend), bend).clamp(
        -_MAX_BEND_RAD, _MAX_BEND_RAD
    )
