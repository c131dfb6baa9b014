"""How fast NeMo's step is, and of what its time is made.

    motionfield benchmark nemo_speed

Eight made takes of 100 frames. In one run: the step of the paper's network and of a small one,
each against its naive twin (``nemo_naive``: the same network and losses in loops over takes,
joints and keypoints); the step at once, twice and four times as many frames; the memory of 64
takes of 200 frames; the default fit as a whole, and one with a schedule four times as long.
"""

import multiprocessing
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import torch
from torch import Tensor, nn

from motionfield.benchmarks.nemo_naive import LoopBody, NaiveNemo
from motionfield.benchmarks.nemo_schedule import Fitted, StepTimes, compare_schedules, time_step
from motionfield.benchmarks.nemo_takes import made_takes, repeated
from motionfield.body.anny import load_anny_parts
from motionfield.body.skinned import SkinnedBody
from motionfield.core.progress import Progress, silent
from motionfield.fields.motion_field import FieldPose
from motionfield.priors.base import PosePrior
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.priors.pose_vae import PoseVAE
from motionfield.steps.fit.group import GroupTake
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import PaperLoss, PaperModel, draw_frames, see

_TAKES: Final = 8
_FRAMES: Final = 100
_PAPER: Final = PaperNemoConfig(batch=None, initial_3d=1000.0, camera_start="root")
_CONFIGS: Final = {
    "paper's network": _PAPER,
    "small network": replace(_PAPER, hidden=(128, 128)),
}
_MEMORY: Final = 64, 200
Priors = tuple[PosePrior | None, PosePrior | None]


class Parts(NamedTuple):
    """Milliseconds of processor time of one step, forward and backward."""

    network: float
    kinematics: float
    loss: float
    optimiser: float
    wall_ms: float
    """Of the whole step; on a busy machine longer than the sum of the others."""

    @property
    def whole(self) -> float:
        return self.network + self.kinematics + self.loss + self.optimiser

    def __str__(self) -> str:
        parts = (self.network, self.kinematics, self.loss, self.optimiser, self.whole)
        return "".join(f"{part:12.1f}" for part in (*parts, self.wall_ms))


@final
class Problem:
    """A model of takes with its fast and its naive step."""

    def __init__(self, config: PaperNemoConfig, takes: Sequence[GroupTake]) -> None:
        parts = load_anny_parts()
        body = SkinnedBody(parts)
        priors: Priors = (PoseMixture.load(), PoseVAE.load())
        seen = see(takes, config)
        self.model = PaperModel(config, takes, seen, body)
        self._loss = PaperLoss(config, seen, body, priors)
        self._every = draw_frames(seen, None, torch.Generator())
        self._naive = NaiveNemo(config, self.model, seen, LoopBody(parts), priors)
        self._optimiser = torch.optim.Adam(self.model.parameters(), lr=0.0)

    def difference(self) -> float:
        """Relative difference between the losses of the two."""
        with torch.no_grad():
            fast = float(self._loss.whole(self.model, *self._every))
            return abs(fast - float(self._naive.whole())) / fast

    def fast(self) -> Parts:
        """One step of all takes at once."""

        def loss(pose: list[FieldPose], points: list[Tensor]) -> Tensor:
            return self._loss.terms(self.model, pose[0], points[0], *self._every)

        return _timed(
            lambda: [self._loss.pose(self.model, self._every[0])],
            lambda pose: [self._loss.points(pose[0])],
            loss,
            self._optimiser,
        )

    def naive(self) -> Parts:
        """The same step in loops."""
        naive = self._naive
        return _timed(naive.network, naive.kinematics, naive.loss, self._optimiser)


def _timed(network: Any, kinematics: Any, loss: Any, optimiser: torch.optim.Optimizer) -> Parts:
    """The parts one by one: each on leaves of its own, so that its backward pass is timed too."""
    optimiser.zero_grad(set_to_none=True)
    start = time.perf_counter()
    clock = [time.process_time()]

    def tick() -> None:
        clock.append(time.process_time())

    poses = network()
    tick()
    pose_leaves = [FieldPose(*(_leaf(part) for part in pose)) for pose in poses]
    points = kinematics(pose_leaves)
    tick()
    point_leaves = [_leaf(part) for part in points]
    total = loss(pose_leaves, point_leaves)
    total.backward()
    tick()
    torch.autograd.backward(points, [leaf.grad for leaf in point_leaves])
    tick()
    outputs = [part for pose in poses for part in pose]
    leaves = [part for pose in pose_leaves for part in pose]
    torch.autograd.backward(outputs, [leaf.grad for leaf in leaves])
    tick()
    optimiser.step()
    tick()
    spent = [1e3 * (b - a) for a, b in pairwise(clock)]
    wall = 1e3 * (time.perf_counter() - start)
    return Parts(spent[0] + spent[4], spent[1] + spent[3], spent[2], spent[5], wall)


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


def _median(steps: Sequence[Parts]) -> Parts:
    return Parts(*(statistics.median(values) for values in zip(*steps, strict=True)))


class NemoSpeedReport(NamedTuple):
    """What the command prints."""

    parameters: dict[str, int]
    steps: dict[str, dict[str, Parts]]
    """Network → "all at once" or "naive" → its parts."""
    difference: float
    """Relative, between the losses of the two."""
    frames: dict[int, Parts]
    """Frames in all → the small network's step."""
    memory_mb: dict[str, float]
    """Of the process: before and at its highest, 64 takes of 200 frames, the paper's network."""
    default_step: dict[str, StepTimes]
    """"all at once", or with the naive body."""
    default_fits: tuple[Fitted, Fitted]
    """As it is, and with four times the steps."""

    def table(self) -> str:
        """The text that the command prints."""
        head = (
            f"{_TAKES} made takes of {_FRAMES} frames, 33 keypoints, one step of all frames, "
            f"{torch.get_num_threads()} thread; processor ms, medians"
        )
        columns = ("network", "kinematics", "loss", "optimiser", "step", "wall")
        lines = [head, f"{'':34s}" + "".join(f"{column:>12s}" for column in columns)]
        for network, ways in self.steps.items():
            for way, parts in ways.items():
                lines.append(f"{network + ', ' + way:34s}{parts}")
            ratio = ways["naive"].whole / ways["all at once"].whole
            lines.append(f"{'':34s}{self.parameters[network]:,} numbers learnt; {ratio:.1f} times")
        lines.append(f"largest relative difference of their losses: {self.difference:.1e}")
        lines += [f"{f'small network, {n} frames':34s}{parts}" for n, parts in self.frames.items()]
        takes, frames = _MEMORY
        before, most = self.memory_mb["before"], self.memory_mb["most"]
        lines.append(
            f"memory of {takes} takes of {frames} frames: {most:,.0f} MB, {before:,.0f} before"
        )
        return "\n".join((*lines, *self._default_lines()))

    def _default_lines(self) -> list[str]:
        lines = []
        for way, parts in self.default_step.items():
            text = "".join(f"{part:12.1f}" for part in parts)
            lines.append(f"{f'default, {way}':34s}{text}{'':12s}{parts.whole:12.1f}")
        for fit in self.default_fits:
            lines.append(
                f"default, {fit.steps} steps: {fit.seconds:.1f} s (processor "
                f"{fit.processor_s:.1f} s), final loss {fit.loss:.1f}"
            )
        return lines

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        steps = {
            network: {way: parts._asdict() for way, parts in ways.items()}
            for network, ways in self.steps.items()
        }
        frames = {n: parts._asdict() for n, parts in self.frames.items()}
        default = {
            "default_step": {way: parts._asdict() for way, parts in self.default_step.items()},
            "default_fits": [fit._asdict() for fit in self.default_fits],
        }
        return {**self._asdict(), "steps": steps, "frames": frames, **default}


def measure_nemo_speed(
    data: Path | None = None, progress: Progress = silent, runs: int = 7
) -> NemoSpeedReport:
    """Time the steps on one thread.

    Args:
        data: not needed.
        runs: of which the median is taken.
    """
    torch.set_num_threads(1)
    parts = load_anny_parts()
    body, prior = SkinnedBody(parts), PoseMixture.load()
    steps: dict[str, dict[str, Parts]] = {}
    counts, difference, growth = {}, 0.0, {}
    with progress("nemo speed", 2 * len(_CONFIGS) + 5, "part") as bar:
        takes = made_takes(_TAKES, _FRAMES, body)
        for name, config in _CONFIGS.items():
            problem = Problem(config, takes)
            difference = max(difference, problem.difference())
            problem.fast()
            ways = {"all at once": _median([problem.fast() for _ in range(runs)])}
            bar.advance()
            ways["naive"] = _median([problem.naive() for _ in range(max(3, runs // 2))])
            bar.advance()
            steps[name] = ways
            counts[name] = _numbers(problem.model)
        for times in (1, 2, 4):
            more = Problem(_CONFIGS["small network"], repeated(takes, times))
            more.fast()
            growth[_TAKES * _FRAMES * times] = _median([more.fast() for _ in range(runs)])
            bar.advance()
        memory = peak_memory(*_MEMORY)
        bar.advance()
        default = {
            "all at once": time_step(takes, body, prior, runs),
            "naive body": time_step(takes, LoopBody(parts), prior, max(3, runs // 2)),
        }
        fits = compare_schedules(takes, body, prior)
        bar.advance()
    return NemoSpeedReport(counts, steps, difference, growth, memory, default, fits)


def _numbers(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def peak_memory(takes: int, frames: int) -> dict[str, float]:
    """MB of a process of its own that makes two steps: after loading, and at its highest."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory_of_steps, (takes, frames))


def _memory_of_steps(takes: int, frames: int) -> dict[str, float]:
    torch.set_num_threads(1)
    few = made_takes(_TAKES, frames, SkinnedBody(load_anny_parts()))
    problem = Problem(_PAPER, repeated(few, takes // _TAKES))
    before = _memory_mb("VmRSS")
    problem.fast()
    problem.fast()
    return {"before": before, "most": _memory_mb("VmHWM")}


def _memory_mb(key: str) -> float:
    """From the kernel's own book-keeping; NaN where there is none."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    found = re.search(rf"{key}:\s+(\d+) kB", status.read_text("utf-8"))
    return float("nan") if found is None else int(found[1]) / 1024
