"""Takes of one action that need no network, and a joint fit that fits nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motionfield.core.progress import Progress, silent
from motionfield.data import Action
from motionfield.formats.keypoint_files import write_keypoints
from motionfield.run_config import RunConfig
from motionfield.steps.fit import FitResult, GroupFitter, GroupResult, GroupTake
from pipeline.made_inputs import made_keypoints, quick_config


class StandInFitter(GroupFitter):
    """Gives back every take as it came; the first is the canonical motion, phases are even."""

    calls = 0
    dies = False

    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        type(self).calls += 1
        if self.dies:
            raise KeyboardInterrupt
        frames = [take.initial.num_frames for take in takes]
        canonical = takes[0].initial
        action = Action(
            take_names=tuple(take.name for take in takes),
            take=np.repeat(np.arange(len(takes)), frames),
            phase=np.concatenate([np.linspace(0, 1, count) for count in frames]),
            time_s=np.concatenate([take.initial.time_s for take in takes]),
            mirrored=np.zeros(len(takes), bool),
            duration_s=float(np.ptp(canonical.time_s)),
        )
        each = [FitResult(take.initial, take.camera) for take in takes]
        with progress("nemo", 1, "step") as bar:
            bar.advance()
        return GroupResult(each, canonical, action, (f"{takes[-1].name}: was not fitted",))


def take_file(path: Path, frames: int = 16, fps: float = 30.0, aside_m: float = 0.0) -> Path:
    """Keypoints of one take."""
    keypoints = made_keypoints(frames, aside_m)
    write_keypoints(path, keypoints.replace(fps=fps, time_s=np.arange(frames) / fps))
    return path


def nobody_file(path: Path, frames: int = 16) -> Path:
    """Keypoints that show nobody."""
    write_keypoints(path, made_keypoints(frames))
    with np.load(path) as file:
        content = {key: file[key] for key in file.files}
    content["keypoints_2d"] = np.full_like(content["keypoints_2d"], np.nan)
    np.savez(path, **content)
    return path


def group_config(folder: Path, takes: Sequence[Path], **changes: object) -> RunConfig:
    return quick_config(folder / "out", keypoints=tuple(takes), method="nemo", **changes)
