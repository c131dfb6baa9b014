"""All takes of one action together: first 3D of each, one joint fit, the files of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Int
from numpy import ndarray

from motionfield.core.errors import MotionfieldError, OptionError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, named
from motionfield.data import Action, CameraPath, Motion, Record, Take, Video
from motionfield.outputs import (
    GroupOutcome,
    OddTake,
    Source,
    SourceResult,
    check_key,
    write_group,
    write_source,
)
from motionfield.outputs.sources import CANONICAL
from motionfield.pipeline.first import FirstMaker, FirstMotion
from motionfield.pipeline.result import Failed, RunResult
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore, StageTime, fingerprint
from motionfield.steps.evaluate import assess
from motionfield.steps.fit import FitResult, GroupResult, GroupTake, make_group_fitter

LEAST_FRAMES = 10
"""A take with fewer shows no action that could be set against others."""
LEAST_TAKES = 2


class Member(NamedTuple):
    """One take of the group, and where it comes from."""

    source: Source
    video: Video | None
    take: GroupTake
    key: str
    """Of its first 3D."""
    warnings: tuple[str, ...]
    times: list[StageTime]


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupNotes(Record):
    """What the joint fit said."""

    warnings: tuple[str, ...]


def run_group(
    config: RunConfig, first: FirstMaker, sources: Sequence[Source], progress: Progress
) -> RunResult:
    """Fit all inputs together; takes that cannot be used are left out while two remain.

    Raises:
        MotionfieldError: fewer than two takes remain, or they do not show one action.
    """
    key = make_key([first.run_key(source) for source in sources], config.group)
    key = make_key(key, config.drop_outliers, config.repetitions)
    for folder in (config.out, *(source.folder for source in sources)):
        check_key(folder, key)
    _refuse_duplicates(sources)
    members, failed = _members(config, first, sources, progress)
    _refuse_too_few(members, failed)
    members, odd = _without_odd(config, members)
    store = StageStore(config.out / ".stages", config.resume)
    result = _fitted(config, first, members, store, progress)
    finished = []
    for index, (member, fitted) in enumerate(zip(members, result.takes, strict=True)):
        phase = result.action.phase[result.action.frames_of(index)]
        keypoints = member.take.keypoints
        quality = assess(fitted.motion, fitted.camera, keypoints, first.body())
        take = Take("person 0", keypoints, fitted.camera, fitted.motion, quality, phase)
        written = SourceResult(
            member.source, member.video, [take], member.warnings, member.times, key
        )
        bar = named(progress, member.source.name)
        finished.append(write_source(written, first.body(), config, bar))
    outcome = GroupOutcome(result.canonical, result.action, result.warnings, odd, store.times, key)
    files = write_group(outcome, finished, first.body(), config, named(progress, CANONICAL))
    return RunResult(finished, failed, files)


def _members(
    config: RunConfig, first: FirstMaker, sources: Sequence[Source], progress: Progress
) -> tuple[list[Member], list[Failed]]:
    """The first 3D of every take, and the inputs that cannot be used."""
    members: list[Member] = []
    failed: list[Failed] = []
    for source in sources:
        try:
            made = first.make(source, named(progress, source.name), LEAST_FRAMES)
            members += _takes_of(made)
        except MotionfieldError as error:
            failed.append((source, error))
    return members, failed


def _takes_of(made: FirstMotion) -> list[Member]:
    """The take of one input, or its repetitions."""
    source = made.source
    take = GroupTake(source.name, made.tracks.person(0), made.camera, made.initial[0])
    return [Member(source, made.video, take, made.keys[0], made.tracks.warnings, made.store.times)]


def _part(whole: Member, frames: Int[ndarray, "chosen"], number: int) -> Member:
    """One repetition of an input: its frames alone, in a folder below the input's."""
    source, take = whole.source, whole.take
    name = f"{source.name}/repetition_{number:02d}"
    part = GroupTake(
        name,
        take.keypoints.at_frames(frames),
        take.camera.at_frames(frames),
        take.initial.at_frames(frames),
    )
    start_s, end_s = part.keypoints.time_s[[0, -1]]
    words = f"repetition {number}, {start_s:.2f} to {end_s:.2f} s"
    folder = source.folder / f"repetition_{number:02d}"
    return Member(
        source._replace(name=name, folder=folder, repetition=words),
        None if whole.video is None else whole.video.at_frames(frames),
        part,
        make_key(whole.key, frames),
        whole.warnings if number == 1 else (),
        whole.times if number == 1 else [],
    )


def _fitted(
    config: RunConfig,
    first: FirstMaker,
    members: Sequence[Member],
    store: StageStore,
    progress: Progress,
) -> GroupResult:
    """The joint fit, loaded where an earlier run had finished it."""
    takes = [member.take for member in members]
    key = make_key([(member.take.name, member.key) for member in members])
    key = make_key(key, config.group, config.seed)

    def fit() -> list[Record]:
        fitter = make_group_fitter(config.group, first.body(), PoseMixture.load())
        made = first.seeded(lambda: fitter.fit(takes, progress))
        each = [record for take in made.takes for record in take]
        return [made.canonical, made.action, GroupNotes(warnings=made.warnings), *each]

    kinds = [Motion, Action, GroupNotes, *(Motion, CameraPath) * len(members)]
    canonical, action, notes, *each = store.records("nemo", key, kinds, fit)
    fitted = [FitResult(*pair) for pair in zip(each[::2], each[1::2], strict=True)]
    return GroupResult(fitted, canonical, action, notes.warnings)


def _refuse_duplicates(sources: Sequence[Source]) -> None:
    """The same take twice says nothing of how takes differ.

    Raises:
        OptionError: two inputs have the same content.
    """
    seen: dict[str, Source] = {}
    for source in sources:
        print_ = fingerprint(source.path)
        if print_ in seen:
            raise OptionError(
                f"{source.called}: is the same take as {seen[print_].called}; give each take once"
            )
        seen[print_] = source


def _refuse_too_few(members: Sequence[Member], failed: Sequence[Failed]) -> None:
    """Raises OptionError, with the exit code of the first failed input."""
    if len(members) >= LEAST_TAKES:
        return
    left = "no take is" if not members else "one take is"
    faults = "; ".join(str(error) for _, error in failed)
    told = OptionError(
        f"{faults}; {left} left, and nemo needs {LEAST_TAKES}: give others, or --method fit"
    )
    told.exit_code = failed[0][1].exit_code if failed else told.exit_code
    raise told


def _without_odd(
    config: RunConfig, members: list[Member]
) -> tuple[list[Member], tuple[OddTake, ...]]:
    """The takes of the action that most of them show.

    Raises:
        OptionError: a take shows another action and may not be left out.
    """
    return members, ()
