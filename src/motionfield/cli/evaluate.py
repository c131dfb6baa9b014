"""``motionfield evaluate``: a motion against the truth."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common, later


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("evaluate", help="compare a motion.npz with the truth")
    parser.add_argument("--pred", type=Path, required=True, metavar="MOTION")
    parser.add_argument("--truth", type=Path, required=True, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    later("evaluate", "report.html shows the quality of a run")
