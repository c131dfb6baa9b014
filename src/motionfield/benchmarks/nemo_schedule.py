"""The default joint fit: what a step takes, and whether a longer schedule would find more."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from motionfield.body.base import Body
from motionfield.core.keypoint_sets import known_keypoint_set
from motionfield.core.progress import Progress, silent
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.group import GroupTake
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.fitter import NemoFitter
from motionfield.steps.fit.nemo.problem import NemoProblem


class Fitted(NamedTuple):
    """One whole fit."""

    steps: int
    seconds: float
    processor_s: float
    loss: float
    """At the end, all weights as the shorter schedule ends with."""


class StepTimes(NamedTuple):
    """Milliseconds of processor time of one step, forward and backward."""

    network: float
    kinematics: float
    loss: float
    """What is left of the step: all terms."""

    @property
    def whole(self) -> float:
        return self.network + self.kinematics + self.loss


def compare_schedules(
    takes: Sequence[GroupTake],
    body: Body,
    prior: PosePrior,
    times: int = 4,
    progress: Progress = silent,
) -> tuple[Fitted, Fitted]:
    """The default's schedule and one ``times`` as long, judged by the same loss."""
    config = NemoConfig()
    first, second, third = config.steps
    longer = replace(config, steps=(times * first, times * second, times * third))
    short, spent = _solved(config, takes, body, prior, progress)
    long, spent_long = _solved(longer, takes, body, prior, progress)
    # How much takes are held to each other is found on the way: judge both by the same.
    long.coupling, long.weights = short.coupling, short.weights
    with torch.no_grad():
        losses = float(short.loss()), float(long.loss())
    return (
        Fitted(sum(config.steps), *spent, losses[0]),
        Fitted(sum(longer.steps), *spent_long, losses[1]),
    )


def _solved(
    config: NemoConfig,
    takes: Sequence[GroupTake],
    body: Body,
    prior: PosePrior,
    progress: Progress,
) -> tuple[NemoProblem, tuple[float, float]]:
    """A fitted problem, with the seconds (wall, processor) of everything before the records."""
    wall, processor = time.perf_counter(), time.process_time()
    fitter = NemoFitter(config, body, prior)
    problem = fitter.problem(takes)
    with progress("nemo", sum(config.steps), "step") as bar:
        fitter.optimise(problem, bar)
    return problem, (time.perf_counter() - wall, time.process_time() - processor)


def time_step(takes: Sequence[GroupTake], body: Body, prior: PosePrior, runs: int = 5) -> StepTimes:
    """A step of the last stage, by its parts."""
    problem = NemoFitter(NemoConfig(), body, prior).problem(takes)
    problem.enter("own")

    def network() -> torch.Tensor:
        state = problem.state()
        return state.rotations.sum() + state.transl.sum() + state.phase.sum()

    state = problem.detached()
    turns, place = state.rotations.requires_grad_(), state.transl.requires_grad_()

    def kinematics() -> torch.Tensor:
        total = torch.zeros(())
        # Twice in a step: the takes, and the motion that they share on their shapes.
        for keypoints in (takes[0].keypoints.keypoint_names, ()):
            name = known_keypoint_set(keypoints).name if keypoints else None
            posed = body.pose(turns[:, 0], turns[:, 1:], place, state.betas, name)
            total = total + posed.joints.sum() + posed.keypoints.sum()
        return total

    parts = [_least(part, runs) for part in (network, kinematics, problem.loss)]
    return StepTimes(parts[0], parts[1], max(parts[2] - parts[0] - parts[1], 0.0))


def _least(part: Callable[[], torch.Tensor], runs: int) -> float:
    spent = []
    for _ in range(runs + 1):
        start = time.process_time()
        part().backward()
        spent.append(1e3 * (time.process_time() - start))
    return min(spent[1:])
