"""``motionfield benchmark``: the measurements that the docs quote."""

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

from motionfield.benchmarks.papers.registry import PAPER_BENCHMARKS
from motionfield.cli.parser import Verbs, add_common
from motionfield.core.errors import OptionError

BENCHMARKS = {
    "body_speed": "motionfield.benchmarks.body_speed:benchmark_body_speed",
    "nemo_speed": "motionfield.benchmarks.nemo_speed:measure_nemo_speed",
    "tracking": "motionfield.benchmarks.tracking:benchmark_tracking",
    "pose2sim": "motionfield.benchmarks.pose2sim:measure_pose2sim",
    "pose2sim_multi": "motionfield.benchmarks.pose2sim:measure_pose2sim_multi",
    "retargeting": "motionfield.benchmarks.retargeting:measure_retargeting",
    "meva": "motionfield.benchmarks.meva:measure_meva",
    "motion_vae": "motionfield.benchmarks.motion_vae:measure_motion_vae",
    "motion_vae_ablation": (
        "motionfield.benchmarks.motion_vae_ablation:measure_motion_vae_ablation"
    ),
    "pose_priors": "motionfield.benchmarks.pose_priors:measure_pose_priors",
    "nemo_robustness": "motionfield.benchmarks.nemo_robustness:measure_nemo_robustness",
    "detector_error": "motionfield.benchmarks.detector_error:measure_detector_error",
    "render_tier": "motionfield.benchmarks.render_tier:measure_render_tier",
}
"""Name → function of ``data`` (a folder, or None: fetched) and ``progress``.

It returns an object with ``table()`` (the printed lines) and ``summary()`` (plain data).
"""
OPEN = "open"
NEED_DATA = (
    *("tracking", "retargeting", "meva", "motion_vae", "motion_vae_ablation", "pose_priors"),
    *("render_tier", "nemo_robustness", *PAPER_BENCHMARKS),
)
_OPEN_OPTIONS = (
    *("method", "quick", "clips", "split", "track", "tier", "seed", "fresh", "jobs"),
    *("write_docs", "export", "freeze", "version", "by_action", "landmarks"),
)


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("benchmark", help="run a measurement and print its table")
    names = (OPEN, *BENCHMARKS, *PAPER_BENCHMARKS)
    parser.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--data", type=Path, metavar="DIR", help="files that it needs of yours")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--method", nargs="+", metavar="NAME", help="these methods (open: default all; papers: one)"
    )
    _add_open(parser)
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def _add_open(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("open", "the open benchmark: frozen takes with exact truth")
    group.add_argument("--quick", action="store_true", help="the marked subset, within minutes")
    group.add_argument(
        "--clips",
        choices=("pybullet", "mocap"),
        help="what it is made of: clips that pip fetches, or the shards in --data DIR "
        "(default: mocap with --data, else pybullet)",
    )
    group.add_argument("--split", metavar="NAME", help="val or test alone")
    group.add_argument(
        "--track", metavar="NAME", help="single, nemo, moving, SinglePerson, … alone"
    )
    group.add_argument("--tier", metavar="NAME", help="points, render or pose2sim alone")
    group.add_argument(
        "--by-action", action="store_true", help="a table of each action by itself, too"
    )
    group.add_argument(
        "--landmarks", choices=("full", "heavy"), help="network of the pose2sim tier (full)"
    )
    group.add_argument("--seed", type=int, metavar="N", help="of methods and intervals (0)")
    group.add_argument(
        "--fresh", action="store_true", help="compute all anew (default: reuse unchanged runs)"
    )
    group.add_argument(
        "--jobs", type=int, metavar="N", help="processes (default: cores, at most 4)"
    )
    group.add_argument(
        "--write-docs",
        nargs="?",
        type=Path,
        const=Path("docs"),
        metavar="DIR",
        help="write benchmarks.md in this docs folder (default: docs)",
    )
    group.add_argument(
        "--export", type=Path, metavar="DIR", help="write the takes as files instead"
    )
    group.add_argument("--freeze", metavar="VERSION", help="make a new version instead")
    group.add_argument("--version", metavar="VERSION", help="run an older version")


def run_verb(options: argparse.Namespace) -> int:
    if options.data is None and options.name in NEED_DATA:
        raise OptionError(f"benchmark {options.name}: needs files of yours; give --data DIR")
    if options.name == OPEN:
        return _run_open(options)
    known = ("method",) if options.name in PAPER_BENCHMARKS else ()
    for name in _OPEN_OPTIONS:
        if getattr(options, name) not in (None, False) and name not in known:
            option = "--" + name.replace("_", "-")
            raise OptionError(f"benchmark {options.name}: has no {option}; open has")
    from motionfield.cli.progress import progress_of

    more: dict[str, Any] = {}
    if options.name in PAPER_BENCHMARKS:
        if options.method is not None and len(options.method) != 1:
            raise OptionError(f"benchmark {options.name}: give one --method")
        more = {} if options.method is None else {"method": options.method[0]}
    module, function = {**BENCHMARKS, **PAPER_BENCHMARKS}[options.name].split(":")
    measure = getattr(importlib.import_module(module), function)
    report = measure(data=options.data, progress=progress_of(options.quiet), **more)
    _show(report, options.json)
    return 0


def _run_open(options: argparse.Namespace) -> int:
    from motionfield.benchmarks.open import benchmark
    from motionfield.benchmarks.open.page import check_whole, write_docs
    from motionfield.benchmarks.open.spec import CURRENT_VERSION
    from motionfield.cli.progress import progress_of

    chosen = benchmark.OpenOptions(
        clips=options.clips or ("pybullet" if options.data is None else "mocap"),
        data=options.data,
        methods=tuple(options.method or ()),
        split=options.split,
        track=options.track,
        tier=options.tier,
        quick=options.quick,
        by_action=options.by_action,
        landmarks=options.landmarks or "full",
        seed=options.seed or 0,
        fresh=options.fresh,
        workers=benchmark.default_workers() if options.jobs is None else options.jobs,
        version=options.version or CURRENT_VERSION,
    )
    progress = progress_of(options.quiet)
    if options.freeze is not None:
        made = benchmark.freeze_open(chosen, options.freeze, progress)
        print(f"open benchmark {options.freeze}, {chosen.clips} clips: hash {made}")
        return 0
    if options.export is not None:
        written = benchmark.export_open(chosen, options.export, progress)
        print(f"{len(written)} takes in {options.export}")
        return 0
    if options.write_docs is not None:
        check_whole(chosen)  # before an hour of computing, not after it
    report = benchmark.measure_open(chosen, progress)
    _show(report, options.json)
    if options.write_docs is not None:
        print(f"\nwritten: {write_docs(options.write_docs, report)}")
    return 0


def _show(report: Any, path: Path | None) -> None:
    """Print the table and, where asked for, write the figures."""
    from motionfield.data.record import write_whole

    print(report.table())
    if path is not None:
        text = json.dumps(report.summary(), indent=1, default=float)
        write_whole(path, text.encode("utf-8"))
