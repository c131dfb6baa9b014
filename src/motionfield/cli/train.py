"""``motionfield train``: make what ships, from data that the user has."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common

NAMES = ("pose_mixture",)


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a part that ships, on your own data")
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="motion files")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="what to write (default: NAME.safetensors here)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.cli.progress import progress_of
    from motionfield.training.pose_mixture import train_pose_mixture

    output = options.output or Path(f"{options.name}.safetensors")
    report = train_pose_mixture(options.data, output, options.seed, progress_of(options.quiet))
    print("\n".join(report.lines()))
    return 0
