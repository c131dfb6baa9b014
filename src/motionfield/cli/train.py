"""``motionfield train``: make what ships, from data that the user has."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common

NAMES = ("pose_mixture",)


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a part that ships, on your own data")
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="motion files")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    raise NotImplementedError
