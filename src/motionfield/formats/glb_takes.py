"""GLB of all takes of an action in phase: one row of bodies that do the same at the same time.

The canonical motion stands first, the takes follow along +X (to its left), each moving as in its
own take but on the canonical clock: at every moment all are at the same phase. Takes done with
the other hand are shown as they were. ``asset.extras`` holds the names in order and the distance
between neighbours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.errors import RecordError
from motionfield.data.action import Action
from motionfield.data.motion import Motion
from motionfield.formats.animation import (
    Animation,
    animation_of,
    at_times,
    bone_scale_of,
    tensor,
)
from motionfield.formats.glb import Figure, skin_of, write_figures
from motionfield.geometry.resample import time_at_phase

CANONICAL: Final = "canonical"
"""Name of the canonical motion's figure."""
GAP_M: Final = 0.6
"""Least free space between the joints of neighbours, along the row."""
LEAST_SPACING_M: Final = 1.2
MAX_POSES: Final = 20_000
"""Frames of all figures together; longer animations are thinned out (25 numbers x 4 a pose)."""


def write_takes_glb(
    path: Path, takes: Sequence[Motion], action: Action, canonical: Motion, body: Body
) -> None:
    """Write the canonical motion and all takes, side by side and in phase, into one file.

    Raises:
        RecordError: the action is not of these takes.
        OutputError: the file cannot be written.
    """
    if [take.num_frames for take in takes] != torch.bincount(torch.tensor(action.take)).tolist():
        raise RecordError("GLB of takes: the action has other frames; give the one of this fit")
    frames = canonical.num_frames
    count = min(frames, max(2, MAX_POSES // (len(takes) + 1)))
    clock = torch.linspace(0, action.duration_s, count, dtype=torch.float64)
    phase = torch.linspace(0, 1, count, dtype=torch.float64)
    phases = [torch.linspace(0, 1, frames, dtype=torch.float64)]
    phases += [torch.tensor(action.phase[action.frames_of(k)]) for k in range(len(takes))]
    everyone = [canonical, *takes]
    animations = [
        _in_phase(animation_of(motion, body), own.double(), phase, clock)
        for motion, own in zip(everyone, phases, strict=True)
    ]
    spacing = _spacing(everyone, animations, body)
    figures = [
        Figure(name, animation, skin_of(motion, body), (k * spacing, 0.0, 0.0))
        for k, (name, motion, animation) in enumerate(
            zip((CANONICAL, *action.take_names), everyone, animations, strict=True)
        )
    ]
    extras = {
        "up": "+Y",
        "unit": "metre",
        "clock": "canonical: all figures are at the same phase",
        "duration_s": action.duration_s,
        "row": [figure.name for figure in figures],
        "spacing_m": spacing,
        "body_model": canonical.body_model,
    }
    write_figures(path, figures, extras)


def _in_phase(
    animation: Animation,
    own: Float[Tensor, "frames"],
    phase: Float[Tensor, "samples"],
    clock: Float[Tensor, "samples"],
) -> Animation:
    """The animation at these phases, played on the clock."""
    at = time_at_phase(own, animation.time_s, phase)
    return at_times(animation, at, smooth=True)._replace(time_s=clock)


def _spacing(motions: list[Motion], animations: list[Animation], body: Body) -> float:
    """Distance along the row at which no two neighbours ever meet."""
    lows, highs = [], []
    for motion, animation in zip(motions, animations, strict=True):
        pose = body.pose(
            animation.rotations[:, 0],
            animation.rotations[:, 1:],
            animation.root - animation.rest[0],
            tensor(motion.betas),
            bone_scale=bone_scale_of(motion),
        )
        lows.append(pose.joints[..., 0].min(1).values)
        highs.append(pose.joints[..., 0].max(1).values)
    needed = [float((high - low).max()) for high, low in zip(highs, lows[1:], strict=False)]
    return round(max(LEAST_SPACING_M, *(GAP_M + gap for gap in needed)), 2)
