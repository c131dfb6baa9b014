"""What sports science asks: joint angles, speeds, times of contact."""

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

_FLEXED: Final = {
    "knee": ("hip", "ankle"),
    "hip": ("shoulder", "knee"),
    "elbow": ("shoulder", "wrist"),
}
"""Joints with the two points beside them."""


def flexion_deg(
    points: Float[Tensor, "frames joints 3"], names: Sequence[str]
) -> dict[str, Float[Tensor, "frames"]]:
    """Flexion of knees, hips and elbows from three points each, degrees; 0 is a straight limb.

    Knee: hip, knee, ankle. Hip: shoulder, hip, knee of one side (so that a bent back counts as
    flexed hips, and abduction is not told from flexion). Elbow: shoulder, elbow, wrist. The angle
    is 180 degrees minus the angle at the middle point: never negative, blind to bending the wrong
    way.
    """
    at = {name: index for index, name in enumerate(names)}
    angles = {}
    for joint, (upper, lower) in _FLEXED.items():
        for side in ("left", "right"):
            triple = [at[f"{side}_{part}"] for part in (upper, joint, lower)]
            angles[f"{side}_{joint}"] = _bend_deg(*points[:, triple].unbind(1))
    return angles


def _bend_deg(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    into, out = b - a, c - b
    # atan2 of sine and cosine is exact near 0 and 180 degrees, where acos is not.
    sine = torch.linalg.cross(into, out).norm(dim=-1)
    return torch.atan2(sine, (into * out).sum(-1)).rad2deg()


def angle_rmse(
    predicted_deg: Float[Tensor, "frames"], truth_deg: Float[Tensor, "frames"]
) -> tuple[float, int]:
    """Root mean square difference of two angles in degrees, and the number of frames used.

    Differences are taken the short way round (359 and 1 differ by 2). NaN over no frame.
    """
    difference = (predicted_deg - truth_deg + 180) % 360 - 180
    used = difference[torch.isfinite(difference)].double()
    return (float(used.square().mean().sqrt()) if len(used) else float("nan")), len(used)
