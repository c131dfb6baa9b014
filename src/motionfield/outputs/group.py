"""The files of several takes together: what they have in common, and how they vary."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motionfield.body.base import Body
from motionfield.core.progress import Progress
from motionfield.data import Action, Motion
from motionfield.formats.motion_npz import write_motion_file
from motionfield.outputs.files import NUM_FORMS, motion_files, write_motion
from motionfield.outputs.sources import CANONICAL, finished_key, mark
from motionfield.outputs.written import Finished, told_where
from motionfield.run_config import RunConfig
from motionfield.stages import StageTime


class OddTake(NamedTuple):
    """A take that was left out because it shows another action than the others."""

    called: str
    why: str


class GroupOutcome(NamedTuple):
    """What the joint fit made, beside the takes themselves."""

    canonical: Motion
    action: Action
    warnings: tuple[str, ...]
    odd: tuple[OddTake, ...]
    times: list[StageTime]
    key: str
    """Names the result of the whole run."""


class GroupFiles(NamedTuple):
    """The joint result whose files are written."""

    outcome: GroupOutcome
    takes: list[Finished]
    files: list[Path]


def write_group(
    outcome: GroupOutcome,
    takes: list[Finished],
    body: Body,
    config: RunConfig,
    progress: Progress,
) -> GroupFiles:
    """Write ``canonical/`` and what compares the takes; a finished result is kept.

    Raises:
        OutputError: OUT cannot be written.
    """
    out = config.out
    folder = out / CANONICAL
    files = motion_files(folder)
    if finished_key(out) == outcome.key and all(file.exists() for file in files):
        return GroupFiles(outcome, takes, files)
    with told_where(out):
        mark(out, outcome.key, whole=False)
        phase = np.linspace(0, 1, outcome.canonical.num_frames)
        npz = partial(write_motion_file, motion=outcome.canonical, body=body, phase=phase)
        with progress("write", NUM_FORMS, "file") as bar:
            write_motion(folder, outcome.canonical, body, npz, bar)
        mark(out, outcome.key, whole=True)
    return GroupFiles(outcome, takes, files)
