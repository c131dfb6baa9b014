"""``motionfield benchmark``: the measurements that the docs quote."""

import argparse
import importlib
import json
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common
from motionfield.core.errors import OptionError

BENCHMARKS = {
    "body_speed": "motionfield.benchmarks.body_speed:benchmark_body_speed",
    "tracking": "motionfield.benchmarks.tracking:benchmark_tracking",
    "pose2sim": "motionfield.benchmarks.pose2sim:measure_pose2sim",
    "pose2sim_multi": "motionfield.benchmarks.pose2sim:measure_pose2sim_multi",
}
"""Name → function of ``data`` (a folder, or None: fetched) and ``progress``.

It returns an object with ``table()`` (the printed lines) and ``summary()`` (plain data).
"""
NEED_DATA = ("tracking",)


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("benchmark", help="run a measurement and print its table")
    parser.add_argument("name", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--data", type=Path, metavar="DIR", help="files that it needs of yours")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    if options.data is None and options.name in NEED_DATA:
        raise OptionError(f"benchmark {options.name}: needs files of yours; give --data DIR")
    from motionfield.cli.progress import progress_of
    from motionfield.data.record import write_whole

    module, function = BENCHMARKS[options.name].split(":")
    measure = getattr(importlib.import_module(module), function)
    report = measure(data=options.data, progress=progress_of(options.quiet))
    print(report.table())
    if options.json is not None:
        text = json.dumps(report.summary(), indent=1, default=float)
        write_whole(options.json, text.encode("utf-8"))
    return 0
