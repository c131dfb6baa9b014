"""The files of several takes together: what they have in common, and how they vary."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from motionfield.body.base import Body
from motionfield.core.progress import Progress
from motionfield.data import Action, Motion, Variation
from motionfield.formats.glb_takes import write_takes_glb
from motionfield.formats.motion_npz import write_motion_file
from motionfield.formats.variation_csv import write_variation_csv
from motionfield.outputs.files import NUM_FORMS, motion_files, write_motion
from motionfield.outputs.sources import CANONICAL, finished_key, mark
from motionfield.outputs.written import Finished, told_where, whole_file
from motionfield.run_config import RunConfig
from motionfield.stages import StageTime
from motionfield.steps.evaluate import variation_of


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
    variation: Variation
    takes: list[Finished]
    files: list[Path]


def write_group(
    outcome: GroupOutcome,
    takes: list[Finished],
    body: Body,
    config: RunConfig,
    progress: Progress,
) -> GroupFiles:
    """Write ``canonical/``, ``variation.csv`` and ``takes.glb``; a finished result is kept.

    Raises:
        OutputError: OUT cannot be written.
    """
    out = config.out
    folder = out / CANONICAL
    action, canonical = outcome.action, outcome.canonical
    motions = [take.result.takes[0].motion for take in takes]
    files = [*motion_files(folder), out / "variation.csv", out / "takes.glb"]
    variation = variation_of(motions, action, canonical, body)
    if finished_key(out) == outcome.key and all(file.exists() for file in files):
        return GroupFiles(outcome, variation, takes, files)
    with told_where(out):
        mark(out, outcome.key, whole=False)
        phase = np.linspace(0, 1, canonical.num_frames)
        npz = partial(write_motion_file, motion=canonical, body=body, phase=phase)
        with progress("write", NUM_FORMS + 2, "file") as bar:
            write_motion(folder, canonical, body, npz, bar)
            with whole_file(out / "variation.csv") as part:
                write_variation_csv(part, variation)
            bar.advance()
            with whole_file(out / "takes.glb") as part:
                write_takes_glb(part, motions, action, canonical, body)
            bar.advance()
        mark(out, outcome.key, whole=True)
    return GroupFiles(outcome, variation, takes, files)
