"""``motionfield benchmark nemo_robustness --data DIR``: groups of takes that are not all alike.

Val groups of the open benchmark's NeMo track, changed: takes of other rates, slow motion, with the
other hand, of another action, very short and very long, before a camera that moves. Each is seen
by the made detector; the table has the errors of the changed takes and of the others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from motionfield.benchmarks.open.build import build_truth
from motionfield.benchmarks.open.case import BenchTake, Tools
from motionfield.benchmarks.open.clips import ClipSource, clip_folder
from motionfield.benchmarks.open.jobs import show
from motionfield.benchmarks.open.methods import group_takes
from motionfield.benchmarks.open.scoring import score_take
from motionfield.benchmarks.open.spec import CURRENT_VERSION, VERSIONS_FOLDER, read_spec
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import MotionfieldError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.motion import Motion
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupFitter, GroupResult
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.fitter import NemoFitter
from motionfield.worlds.cameras import CameraConfig
from motionfield.worlds.mirror import mirror_motion
from motionfield.worlds.retime import retimed
from motionfield.worlds.take import TakeConfig, make_take

MOST_FRAMES: Final = 2000
LEAST_FRAMES: Final = 10
_STROKES: Final = "nemo_tennis_serve_val"
_KICKS: Final = "nemo_hdm_kickLFront1Reps_val"
_SQUATS: Final = "nemo_hdm_squat1Reps_val"
_SEED: Final = 600
_FOLLOW: Final = TakeConfig(camera=CameraConfig(kind="follow"))
_SCORES: Final = ("nemo_local_mpjpe_mm", "pa_mpjpe_mm", "g_mpjpe_mm")


class RobustGroup(NamedTuple):
    """Takes that are fitted together, some of them changed."""

    name: str
    takes: tuple[BenchTake, ...]
    changed: tuple[int, ...]
    """Which takes are not as the others."""


@dataclass(frozen=True)
class GroupRow:
    """What became of a group. Errors in mm, by name of the score: of the first 3D, and fitted."""

    group: str
    frames: int
    changed: Mapping[str, tuple[float, float]]
    others: Mapping[str, tuple[float, float]]
    seconds: float
    mirrored: tuple[bool, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None

    def lines(self) -> list[str]:
        """For a terminal."""
        if self.error is not None:
            return [f"{self.group:<16}failed: {self.error}"]
        parts = [f"{self.group:<16}{self.frames:>6}"]
        for errors in (self.others, self.changed):
            parts += [_pair(*errors[name]) if name in errors else f"{'–':>14}" for name in _SCORES]
        parts.append(f"{self.seconds:8.1f}")
        turned = [str(index + 1) for index, is_so in enumerate(self.mirrored) if is_so]
        notes = [f"    mirrored: take {', '.join(turned)}"] if turned else []
        return ["".join(parts), *notes, *(f"    {warning}" for warning in self.warnings)]


@dataclass(frozen=True)
class RobustnessReport:
    """What the command prints."""

    rows: tuple[GroupRow, ...]

    def table(self) -> str:
        """Lines for people."""
        columns = "".join(f"{name:>14}" for name in ("local", "PA", "global")) * 2
        head = [
            "MPJPE in mm, first 3D > fitted together: of the takes that are as ever, then of the "
            "changed ones",
            f"{'group':<16}{'frames':>6}{columns}{'s':>8}",
        ]
        return "\n".join((*head, *(line for row in self.rows for line in row.lines())))

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        return {"groups": [vars(row) for row in self.rows]}


def measure_nemo_robustness(
    data: Path | None = None,
    progress: Progress = silent,
    make_fitter: Callable[[Tools], GroupFitter] | None = None,
    names: Sequence[str] = (),
) -> RobustnessReport:
    """Fit each group and score it.

    Args:
        data: folder of the mocap shards.
        make_fitter: by default NeMo's preset.
        names: of these groups alone.

    Raises:
        OptionError: no folder.
    """
    body = load_body("anny")
    tools = Tools(body, PoseMixture.load())
    make = make_fitter or _default_fitter
    groups = [
        group for group in robust_groups(data, body, progress) if not names or group.name in names
    ]
    rows = [
        fit_group(group, make(tools), tools)
        for group in tracked(groups, progress, "robustness", len(groups), "group")
    ]
    return RobustnessReport(tuple(rows))


def _default_fitter(tools: Tools) -> GroupFitter:
    return NemoFitter(NemoConfig(), tools.body, tools.prior)


def robust_groups(data: Path | None, body: Body, progress: Progress = silent) -> list[RobustGroup]:
    """All groups; the same call gives the same takes.

    Raises:
        OptionError: no folder of the mocap shards.
        InputError: a shard is missing.
    """
    spec = read_spec(VERSIONS_FOLDER / CURRENT_VERSION, "mocap")
    source = ClipSource("mocap", clip_folder("mocap", data), body)
    cases = {case.name: case for case in spec.cases if case.name in (_STROKES, _KICKS, _SQUATS)}
    source.load((p for case in cases.values() for t in case.takes for p in t.pieces), progress)
    truths = {
        name: [build_truth(take, source, body) for take in case.takes]
        for name, case in cases.items()
    }
    serves, kicks, squats = (truths[name] for name in (_STROKES, _KICKS, _SQUATS))
    return [
        _group("as ever", serves, {}, body),
        _group("rates", serves, {1: at_rate(serves[1], 120), 2: at_rate(serves[2], 25)}, body),
        _group("slow motion", serves, {2: slowed(serves[2], 4)}, body),
        _group("other hand", serves, {1: mirror_motion(serves[1])}, body),
        _group("odd take", serves, {3: squats[0]}, body),
        _group("ten frames", kicks, {2: with_frames(kicks[2], LEAST_FRAMES)}, body),
        _group("2000 frames", serves, {1: with_pauses(serves[1], MOST_FRAMES)}, body),
        _group("two takes", serves[:2], {}, body),
        _group("moving camera", serves, {0: serves[0]}, body, moving=(0,)),
    ]


def at_rate(motion: Motion, fps: float) -> Motion:
    """The same motion filmed at another rate, which is known."""
    end_s = motion.time_s[-1] - motion.time_s[0]
    return retimed(motion, np.arange(int(end_s * fps + 1e-6) + 1) / fps, fps, smooth=True)


def slowed(motion: Motion, times: int) -> Motion:
    """Filmed at ``times`` the rate and shown at the motion's, which is all that is known of it."""
    end_s = motion.time_s[-1] - motion.time_s[0]
    count = round(end_s * motion.fps * times) + 1
    return retimed(motion, np.arange(count) / (motion.fps * times), motion.fps, smooth=True)


def with_frames(motion: Motion, count: int) -> Motion:
    """The whole motion in so many frames, at a rate to match."""
    end_s = float(motion.time_s[-1] - motion.time_s[0])
    return retimed(motion, np.linspace(0, end_s, count), (count - 1) / end_s)


def with_pauses(motion: Motion, count: int, fps: float = 240.0) -> Motion:
    """Filmed by a fast camera, with a rest before and after that fills ``count`` frames."""
    own = (motion.time_s[-1] - motion.time_s[0]) * fps
    return retimed(motion, (np.arange(count) - (count - own) / 2) / fps, fps, smooth=True)


def fit_group(group: RobustGroup, fitter: GroupFitter, tools: Tools) -> GroupRow:
    """Fit a group from MEVA's motions, with true lenses, and score its takes."""
    torch.manual_seed(tools.seed)
    given = [show(take.keypoints, take.camera, "true lens", None) for take in group.takes]
    frames = sum(take.truth.num_frames for take in group.takes)
    started = time.perf_counter()
    try:
        starts = group_takes(given, tools)
        result = fitter.fit(starts)
    except MotionfieldError as error:
        seconds = time.perf_counter() - started
        return GroupRow(group.name, frames, {}, {}, seconds, error=" ".join(str(error).split()))
    seconds = time.perf_counter() - started
    first = [FitResult(start.initial, start.camera) for start in starts]
    others = tuple(n for n in range(len(group.takes)) if n not in group.changed)
    return GroupRow(
        group=group.name,
        frames=frames,
        changed=_errors(group, first, result, group.changed, tools.body),
        others=_errors(group, first, result, others, tools.body),
        seconds=seconds,
        mirrored=tuple(bool(one) for one in result.action.mirrored),
        warnings=result.warnings,
    )


def _errors(
    group: RobustGroup,
    first: Sequence[FitResult],
    result: GroupResult,
    which: Sequence[int],
    body: Body,
) -> dict[str, tuple[float, float]]:
    """Means over these takes, by name of the score: of the first 3D, and fitted."""
    if not which:
        return {}
    scored = [
        [score_take(found[index], group.takes[index], body) for index in which]
        for found in (first, result.takes)
    ]
    means = [
        [float(np.mean([scores[name].value for scores in takes])) for name in _SCORES]
        for takes in scored
    ]
    return dict(zip(_SCORES, zip(*means, strict=True), strict=True))


def _group(
    name: str,
    truths: Sequence[Motion],
    changes: Mapping[int, Motion],
    body: Body,
    moving: Sequence[int] = (),
) -> RobustGroup:
    takes = []
    for index, truth in enumerate(truths):
        motion = changes.get(index, truth)
        config = _FOLLOW if index in moving else None
        made = make_take(motion, body, _SEED + index, config)
        takes.append(BenchTake(f"{name}/{index}", motion, made.camera, made.keypoints))
    return RobustGroup(name, tuple(takes), tuple(changes))


def _pair(first: float, fitted: float) -> str:
    return f"{f'{first:.0f} > {fitted:.0f}':>14}"
