"""All takes of one action together: first 3D of each, one joint fit, the files of all."""

from collections.abc import Sequence
from dataclasses import dataclass

from motionfield.core.history import make_key
from motionfield.core.progress import Progress, named
from motionfield.data import Action, CameraPath, Motion, Record, Take
from motionfield.outputs import (
    GroupOutcome,
    Source,
    SourceResult,
    check_key,
    write_group,
    write_source,
)
from motionfield.outputs.sources import CANONICAL
from motionfield.pipeline.first import FirstMaker
from motionfield.pipeline.members import Member, members_of
from motionfield.pipeline.result import RunResult
from motionfield.pipeline.subject import look_again, without_odd
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.run_config import RunConfig
from motionfield.stages import StageStore
from motionfield.steps.evaluate import assess
from motionfield.steps.fit import FitResult, GroupResult, make_group_fitter


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
    members, failed = members_of(config, first, sources, progress)
    members = look_again(config, first, members, progress)
    members, odd = without_odd(config, members, first.body())
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
