"""The takes of a group: the inputs, or the repetitions that are cut from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.errors import InputError, MotionfieldError, OptionError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, named
from motionfield.data import Video
from motionfield.outputs import Source
from motionfield.pipeline.first import FirstMaker, FirstMotion, check_length
from motionfield.pipeline.result import Failed
from motionfield.run_config import RunConfig
from motionfield.stages import StageTime, fingerprint
from motionfield.steps.cut import CutConfig, find_repetitions
from motionfield.steps.fit import GroupTake

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


def members_of(
    config: RunConfig, first: FirstMaker, sources: Sequence[Source], progress: Progress
) -> tuple[list[Member], list[Failed]]:
    """The first 3D of every take, and the inputs that cannot be used.

    Raises:
        OptionError: two inputs are the same, or fewer than two takes can be used.
    """
    _refuse_duplicates(sources)
    members, failed = _members(config, first, sources, progress)
    _refuse_too_few(members, failed)
    return members, failed


def member_of(made: FirstMotion) -> Member:
    """An input's subject as a take."""
    seen = made.seen
    take = GroupTake(seen.source.name, seen.tracks.person(0), made.camera, made.initial[0])
    times = [*seen.store.times]
    return Member(seen.source, seen.video, take, made.keys[0], seen.tracks.warnings, times)


def _members(
    config: RunConfig, first: FirstMaker, sources: Sequence[Source], progress: Progress
) -> tuple[list[Member], list[Failed]]:
    """The first 3D of every take, and the inputs that cannot be used."""
    members: list[Member] = []
    failed: list[Failed] = []
    for source in sources:
        try:
            made = first.make(source, named(progress, source.name), LEAST_FRAMES)
            found = _takes_of(config, made, first.body())
        except MotionfieldError as error:
            failed.append((source, error))
            continue
        for member in found:
            try:
                check_length(member.source, member.take.keypoints.observed, LEAST_FRAMES)
                members.append(member)
            except InputError as error:
                failed.append((member.source, error))
    return members, failed


def _takes_of(config: RunConfig, made: FirstMotion, body: Body) -> list[Member]:
    """The take of one input, or its repetitions.

    Raises:
        OptionError: it shows none, or fewer than were asked for.
    """
    whole = member_of(made)
    source, take = whole.source, whole.take
    if config.repetitions is None:
        return [whole]
    try:
        parts = find_repetitions(take.initial, body, CutConfig(count=config.repetitions))
    except OptionError as error:
        raise OptionError(f"{source.called}: {error}") from error
    frames = np.arange(take.initial.num_frames)
    return [_part(whole, frames[part], number) for number, part in enumerate(parts, start=1)]


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


def _refuse_duplicates(sources: Sequence[Source]) -> None:
    """The same take twice says nothing of how takes differ.

    Raises:
        OptionError: two inputs have the same content.
    """
    seen: dict[str, Source] = {}
    for source in sources:
        content = fingerprint(source.keypoints or source.path)
        if content in seen:
            raise OptionError(
                f"{source.called}: is the same take as {seen[content].called}; give each take once"
            )
        seen[content] = source


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
