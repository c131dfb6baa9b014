"""``motionfield benchmark``: the measurements that the docs quote."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common

NAMES = ("body_speed", "tracking", "pose2sim")


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("benchmark", help="run a measurement and print its table")
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    raise NotImplementedError
