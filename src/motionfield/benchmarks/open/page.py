"""docs/benchmarks.md: the page that the command writes, from the summaries kept beside it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from motionfield.benchmarks.open.benchmark import OpenOptions, OpenReport
from motionfield.benchmarks.open.tables import Table, table_of
from motionfield.core.errors import InputError, OptionError
from motionfield.data.record import write_whole
from motionfield.steps.evaluate.catalogue import METRICS

PAGE: Final = "benchmarks.md"
_HEAD: Final = """# Open benchmark

Written by `motionfield benchmark open --write-docs`; do not edit it. Anyone can rerun it:

    motionfield benchmark open                                # clips that are fetched by pip
    motionfield benchmark open --clips mocap --data DIR       # the open mocap shards
    motionfield benchmark open --quick                        # a marked subset, within minutes

Version {version}, hash `{hash}` over its files (`src/motionfield/benchmarks/data/open/{version}`):
clips, frames, shapes, cameras, seeds and the detector's error are frozen there, with a fingerprint
of every take. A take that is no longer the same stops the command; then a new version is made
(`--freeze`) and all methods run on it. Rows of different versions are never in one table.

Figures are means over actions (within an action over clips, within a clip over takes), not over
frames; in brackets the 95 % bootstrap interval over clips, drawn within actions (actions with one
clip are drawn among each other). Methods are chosen on val; test is run for tables only, and each
run of it is a line of [the log](benchmarks/open_test_runs.tsv). *True lens*: every method is given
the true intrinsics. *Default focal*: none is, and each assumes its own. A method that fails on a
take is counted in the column *failed*, and its means are over the others. Time is wall time per
100 frames of all that the method does from the keypoints on.
"""
_TRACKS: Final = {
    "single": "One static camera, one take.",
    "nemo": "Groups of repetitions of one action; each take has its own static camera. Stroke: the "
    "fastest wrist or ankle of takes that reach 3 m/s, its greatest speed and when; sd: the stated "
    "deviation of each joint (right: 68.3 and 95.4 % within one and two).",
    "moving": "Up to 100 frames, a camera that moves (hand-held follow, pan, orbit, dolly). "
    "Methods see the camera's path as a tracker estimates it: of unknown scale, with drift.",
    "moving_long": "At least 1,300 frames and 20 m, clips of one person chained by blended joins.",
    "views": "Four static cameras see the same instants; only triangulation and synchronized "
    "methods use it, to others they are four takes.",
    "SinglePerson": "Real videos, the development set: four views of one man, each taken alone "
    "(triangulation: together), against [four-view triangulation](benchmarks/pose2sim.md) of "
    "another network's keypoints, so triangulation is flattered here. Methods of several takes see "
    "the four views as four takes of one action. The views show one "
    "performance: the intervals are over views.",
    "MultiPerson": "Beside it: the same performance, half hidden, and a rendered woman.",
}
_TIERS: Final = {
    "points": "Retargeted mocap on random shapes before made cameras, seen by a made detector "
    "with the real one's errors ([how](worlds.md)).",
    "render": "Rendered videos of dressed avatars, seen by the real detector. It counts while at "
    "least 95 % of the frames are seen and the detector errs as on real videos "
    "([the gates](render_tier.md)).",
    "pose2sim": "Real videos.",
}
_NOT_KEPT: Final = ("rows", "by_action")
_CLIPS: Final = {
    "mocap": "**Clips: open mocap.** Seven shards of CMU, HDM05 and tennis motion "
    "([retargeted](mocap.md)); val and test are other people than those the priors saw.",
    "pybullet": "**Clips: pybullet.** The 15 `humanoid3d_*` clips of DeepMimic inside the wheel "
    "`pybullet==3.2.7` (zlib licence, none of their own), downloaded by pip and not installed. "
    "Who moves in them is not known: clips of one kind of action share a split. None was found "
    "again in the mocap that the priors were trained on.",
}


def write_docs(folder: Path, report: OpenReport) -> Path:
    """Keep the report's summary and write the page anew from all summaries of its version.

    Args:
        folder: ``docs`` of a checkout.

    Raises:
        OptionError: the report is not of all cases.
        InputError: ``folder`` is no folder, or a summary in it is damaged.
    """
    options = report.options
    check_whole(options)
    if not (folder / "benchmarks").is_dir():
        raise InputError(folder, "has no folder benchmarks", "give the docs folder of a checkout")
    summary = {key: value for key, value in report.summary().items() if key not in _NOT_KEPT}
    path = folder / "benchmarks" / f"open_{options.clips}.json"
    write_whole(path, (json.dumps(summary, indent=1) + "\n").encode("utf-8"))
    page = folder / PAGE
    summaries = read_summaries(folder / "benchmarks", report.setting.version_hash)
    write_whole(page, page_of(summaries).encode("utf-8"))
    return page


def check_whole(options: OpenOptions) -> None:
    """Refuse to make a page of a part.

    Raises:
        OptionError: something was left out.
    """
    if options.quick or options.split or options.track or options.tier:
        raise OptionError(
            "--write-docs: the page is of whole runs; leave out --quick, --split, --track, --tier"
        )


def read_summaries(folder: Path, hash_: str) -> list[dict[str, Any]]:
    """The kept summaries of one version, by collection.

    Raises:
        InputError: one is damaged.
    """
    found = []
    for path in sorted(folder.glob("open_*.json")):
        try:
            summary = json.loads(path.read_text(encoding="utf-8"))
            if summary["version_hash"] == hash_:
                found.append(summary)
        except (OSError, ValueError, KeyError, TypeError) as error:
            cure = "delete it and run the benchmark again"
            raise InputError(path, f"is no summary ({error})", cure) from error
    return found


def page_of(summaries: Sequence[Mapping[str, Any]]) -> str:
    """The page's text."""
    first = summaries[0]
    parts = [_HEAD.format(version=first["version"], hash=first["version_hash"])]
    tables: list[Table] = []
    for summary in summaries:
        own = [table_of(plain) for plain in summary["tables"]]
        tables += own
        parts.append(_collection(summary, own))
    parts.append(_legend(tables))
    return "\n".join(parts)


def _collection(summary: Mapping[str, Any], tables: Sequence[Table]) -> str:
    clips = summary["options"]["clips"]
    lines = [
        f"## {clips}",
        "",
        _CLIPS[clips],
        "",
        f"Run on {summary['date'][:10]} at commit `{summary['commit']}`, {summary['machine']}, "
        f"seed {summary['options']['seed']}.",
    ]
    seen: list[tuple[str, ...]] = []
    for table in tables:
        if (table.tier,) not in seen:
            seen.append((table.tier,))
            lines += ["", f"### {clips}: {table.tier}", "", _TIERS[table.tier]]
        key = (table.tier, table.track, table.split)
        if key not in seen:
            seen.append(key)
            lines += ["", f"#### {table.track}, {table.split}", "", _TRACKS[table.track]]
        lines += ["", table.markdown()]
    return "\n".join((*lines, ""))


def _legend(tables: Iterable[Table]) -> str:
    """What each column is."""
    titles = {column.score: column.title for table in tables for column in table.columns}
    lines = ["## Columns", "", "| column | points | alignment | source |", "|---|---|---|---|"]
    for score, title in titles.items():
        metric = METRICS.get(score)
        if metric is not None:
            lines.append(f"| {title} | {metric.points} | {metric.alignment} | {metric.source} |")
    return "\n".join((*lines, "", "[All definitions](metrics.md)", ""))
