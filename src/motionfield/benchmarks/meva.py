"""``motionfield benchmark meva --data DIR``: MEVA's network on made takes of held-out subjects.

Besides what training prints: how often the truth lies within the stated deviations, joint by
joint, and how many frames per second the lift gives.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.motion import Motion
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.meva.lifter import MevaLifter
from motionfield.steps.lift.meva.network import MevaNetwork
from motionfield.training.meva_judge import Coverage, MevaFigures, coverage, held_out_windows, judge
from motionfield.training.motion_data import find_training_data
from motionfield.worlds.cameras import CameraConfig
from motionfield.worlds.take import TakeConfig, make_take

_LONG_FRAMES: Final = 3000


@dataclass(frozen=True)
class MevaReport:
    """What the command prints."""

    figures: dict[str, MevaFigures]
    covered: dict[str, Coverage]
    frames_per_s: float
    """Of the whole lift: features, network, path, feet; keypoints at 30 frames per second."""
    threads: int

    def table(self) -> str:
        """Lines for people."""
        lines = [figures.line(split) for split, figures in self.figures.items()]
        lines.append(
            f"lift: {self.frames_per_s:.0f} frames/s with {self.threads} thread(s), "
            f"{_LONG_FRAMES} frames at 30 Hz"
        )
        lines.append("share of truths within 1 and 2 stated deviations (right: 68, 95 %):")
        for split, found in self.covered.items():
            lines.append(f"  {split}: all joints {_percent(found.one.mean(), found.two.mean())}")
            for name, one, two in zip(JOINT_NAMES[1:], found.one, found.two, strict=True):
                lines.append(f"    {name:<16}{_percent(one, two)}")
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        return {
            "figures": {split: figures._asdict() for split, figures in self.figures.items()},
            "coverage": {
                split: {
                    name: [float(one), float(two)]
                    for name, one, two in zip(JOINT_NAMES[1:], found.one, found.two, strict=True)
                }
                for split, found in self.covered.items()
            },
            "frames_per_s": self.frames_per_s,
            "threads": self.threads,
            "lift": asdict(LiftConfig(method="meva").meva),
        }


def measure_meva(data: Path | None = None, progress: Progress = silent) -> MevaReport:
    """Judge the network that ships.

    Args:
        data: folder of motions with val and test splits, as ``motionfield train`` reads them.

    Raises:
        OptionError: no folder.
        MissingAssetError: no network.
    """
    if data is None:
        raise OptionError("benchmark meva: needs --data DIR, the folder of the mocap shards")
    body = load_body("anny")
    network = MevaNetwork.load(body)
    found = find_training_data(data)
    figures, covered = {}, {}
    longest: list[Motion] = []
    for split in ("val", "test"):
        clips = list(found.clips((split,), body, progress))
        windows = held_out_windows(clips, body)
        figures[split] = judge(network, windows)
        covered[split] = coverage(network, windows)
        longest.append(max((clip.motion for clip in clips), key=lambda motion: motion.num_frames))
    speed = _speed(network, longest[-1], body)
    return MevaReport(figures, covered, speed, torch.get_num_threads())


def _speed(network: MevaNetwork, motion: Motion, body: Body) -> float:
    """Frames per second of the lift of a long take: the motion there and back again."""
    count = motion.num_frames
    turn = np.abs((np.arange(_LONG_FRAMES) + count - 1) % (2 * count - 2) - (count - 1))
    contacts = None if motion.contacts is None else motion.contacts[turn]
    long = motion.replace(
        global_orient=motion.global_orient[turn],
        body_pose=motion.body_pose[turn],
        transl=motion.transl[turn],
        contacts=contacts,
        joints_std=None,
        observed=motion.observed[turn],
        fps=30.0,
        time_s=np.arange(_LONG_FRAMES) / 30,
        frame_index=np.arange(_LONG_FRAMES),
    )
    take = make_take(long, body, 0, TakeConfig(camera=CameraConfig()))
    lifter = MevaLifter(LiftConfig(method="meva"), body, network)
    lifter.lift(take.keypoints, take.camera)  # once to warm up
    started = time.perf_counter()
    lifter.lift(take.keypoints, take.camera)
    return _LONG_FRAMES / (time.perf_counter() - started)


def _percent(one: float, two: float) -> str:
    return f"{100 * one:.0f} {100 * two:.0f}"
