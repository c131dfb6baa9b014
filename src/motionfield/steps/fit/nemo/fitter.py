"""``--method nemo``: the takes of one action fitted together.

NeMo's idea (Wang et al., CVPR 2023): one motion field over the phase of the action, a phase and a
camera of each take, and what is a take's own. What differs from the published method, and why,
is in docs/papers/nemo.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.history import Step, step
from motionfield.core.progress import Bar, Progress, silent
from motionfield.data.action import Action
from motionfield.data.motion import Motion
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import FitResult
from motionfield.steps.fit.group import GroupFitter, GroupResult, GroupTake
from motionfield.steps.fit.nemo.align import align_phases
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.handed import mirror_result, mirror_take, mirrored_takes
from motionfield.steps.fit.nemo.problem import NemoProblem
from motionfield.steps.fit.nemo.start import Frames, common_world
from motionfield.steps.fit.terms import Clip, FitWeights


@final
class NemoFitter(GroupFitter):
    """One motion field for all takes, and what is each take's own."""

    def __init__(self, config: NemoConfig, body: Body, prior: PosePrior | None) -> None:
        self._config, self._body, self._prior = config, body, prior

    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        if len(takes) < 2:
            raise OptionError(f"nemo: {len(takes)} takes; give two or more of one action")
        bodies = {take.initial.body_model for take in takes}
        if len(bodies) > 1:
            raise OptionError(f"nemo: takes of different bodies ({', '.join(sorted(bodies))})")
        config = self._config
        other_hand = mirrored_takes([take.initial for take in takes], self._body).mirrored.tolist()
        mirrored = [hand and config.mirrored for hand in other_hand]
        takes = [_turned(take, turn) for take, turn in zip(takes, mirrored, strict=True)]
        problem = self.problem(takes)
        with progress("nemo", sum(config.steps), "step") as bar:
            self.optimise(problem, bar)
        result = _result(problem, takes, step("nemo", config), mirrored)
        warnings = _warnings(takes, other_hand, config)
        return result._replace(warnings=warnings)

    def problem(self, takes: Sequence[GroupTake]) -> NemoProblem:
        """What is minimised, as it starts: aligned in time and turned into one world."""
        config = self._config
        motions = [take.initial for take in takes]
        if config.synchronized:
            phases = _common_clock(motions)
        else:
            phases = align_phases(motions, self._body, config.align)
        frames = Frames.of(motions, phases, self._body)
        clips = [Clip(take.keypoints, take.camera, take.initial) for take in takes]
        worlds = common_world(frames, len(takes))
        return NemoProblem(config, self._body, self._prior, clips, frames, worlds)

    def optimise(self, problem: NemoProblem, bar: Bar) -> None:
        """First what the takes share; then, as far as they are alike, what each has of its own."""
        config, weights = self._config, self._config.weights
        wide, narrow = config.wide_scale, weights.reprojection_scale
        rough, shared, own = config.steps
        weights = replace(weights, reprojection_scale=wide)
        problem.enter("shared")
        _run(problem, rough, lambda _: weights, bar)
        problem.settle()
        alike = config.alike(problem.spread())
        weights = replace(
            weights, start=alike.doubt * weights.start, coarse=alike.doubt * weights.coarse
        )
        _run(problem, shared, lambda _: weights, bar)
        problem.settle()
        problem.enter("own")
        problem.coupling, problem.std_factor = alike.coupling, alike.std_factor
        weights = replace(weights, reprojection_scale=narrow)
        _run(problem, own, lambda done: weights.narrowing(wide, done), bar)


def _run(
    problem: NemoProblem, steps: int, weights: Callable[[float], FitWeights], bar: Bar
) -> None:
    """Adam with one cycle of rates.

    Args:
        weights: of the terms, by how much of the stage is done.
    """
    if steps == 0:
        return
    groups = problem.groups()
    optimiser = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        [group["lr"] for group in groups],
        total_steps=steps,
        # The rise takes two steps at least: with fewer the schedule divides by zero.
        pct_start=max(0.1, 2 / steps),
    )
    for index in range(steps):
        problem.weights = weights(index / steps)
        optimiser.zero_grad(set_to_none=True)
        problem.loss().backward()
        optimiser.step()
        schedule.step()
        bar.advance()


def _common_clock(motions: Sequence[Motion]) -> list[Float[Tensor, "_"]]:
    """Phases of views of the same instants: time from the first frame to the last of all."""
    first = min(float(motion.time_s[0]) for motion in motions)
    span = max(float(motion.time_s[-1]) for motion in motions) - first
    return [tensor_of((motion.time_s - first) / max(span, 1e-6)) for motion in motions]


def _turned(take: GroupTake, mirrored: bool) -> GroupTake:
    return mirror_take(take) if mirrored else take


def _warnings(
    takes: Sequence[GroupTake], other_hand: Sequence[bool], config: NemoConfig
) -> tuple[str, ...]:
    names = [take.name for take, other in zip(takes, other_hand, strict=True) if other]
    if not names or config.mirrored:
        return ()
    verb = "was" if len(names) == 1 else "were"
    return (
        f"{', '.join(names)} {verb} done with the other hand than most takes: "
        "fit them mirrored with --mirrored, or leave them out",
    )


def _result(
    problem: NemoProblem, takes: Sequence[GroupTake], made_by: Step, mirrored: Sequence[bool]
) -> GroupResult:
    state = problem.detached()
    contacts = problem.foot_contacts()
    results = []
    for index, take in enumerate(takes):
        own = problem.frames_of(index)
        betas = state.betas if state.betas.ndim == 1 else state.betas[own][0]
        motion = take.initial.replace(
            made_by,
            global_orient=state.rotations[own, 0].numpy(),
            body_pose=state.rotations[own, 1:].numpy(),
            transl=state.transl[own].numpy(),
            betas=betas.numpy(),
            contacts=None if contacts is None else contacts[own],
            joints_std=_deviations(take.initial, problem.std_factor),
        )
        camera = take.camera.replace(
            made_by,
            R_camera_world=state.cameras.R_camera_world[own].numpy(),
            t_camera_world=state.cameras.t_camera_world[own].numpy(),
            K=state.cameras.K[own].numpy(),
        )
        fitted = FitResult(motion, camera)
        results.append(mirror_result(fitted) if mirrored[index] else fitted)
    length = [float(take.initial.time_s[-1] - take.initial.time_s[0]) for take in takes]
    action = Action(
        history=(made_by,),
        take_names=tuple(take.name for take in takes),
        take=problem.take.numpy(),
        phase=problem.monotone(state.phase).numpy(),
        time_s=np.concatenate([take.initial.time_s for take in takes]).astype(np.float32),
        mirrored=np.array(mirrored, bool),
        duration_s=float(np.median(length)),
    )
    return GroupResult(results, _canonical(problem, takes, action, made_by), action)


def _deviations(initial: Motion, factor: float) -> Float[ndarray, "frames 24 3"] | None:
    """What the first 3D was doubted by, less for what the other takes tell."""
    return None if initial.joints_std is None else factor * initial.joints_std


def _canonical(
    problem: NemoProblem, takes: Sequence[GroupTake], action: Action, made_by: Step
) -> Motion:
    """The field at equal steps of phase."""
    fps = float(np.median([take.initial.fps for take in takes]))
    frames = max(2, round(action.duration_s * fps) + 1)
    with torch.no_grad():
        shared = problem.shared(torch.linspace(0, 1, frames))
    return Motion(
        history=(made_by,),
        global_orient=shared.rotations[:, 0].numpy(),
        body_pose=shared.rotations[:, 1:].numpy(),
        transl=shared.transl.numpy(),
        betas=problem.all_betas().detach().mean(0).numpy(),
        body_model=takes[0].initial.body_model,
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        observed=np.ones(frames, bool),
    )
