"""``motionfield train``: make what ships, from data that the user has."""

import argparse
import importlib
from pathlib import Path
from typing import get_args

from motionfield.cli.parser import Verbs, add_common
from motionfield.training.order import Preset, TrainOrder

TRAININGS: dict[str, str] = {
    "meva": "motionfield.training.meva:train_as_ordered",
    "meva_images": "motionfield.training.meva_images:train_as_ordered",
    "motion_vae": "motionfield.training.motion_vae:train_as_ordered",
    "pose_mixture": "motionfield.training.pose_mixture:train_as_ordered",
    "pose_vae": "motionfield.training.pose_vae:train_as_ordered",
}
"""Name → function (``TrainOrder``, ``Progress``) -> lines that tell the figures."""


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a part that ships, on your own data")
    parser.add_argument("name", choices=TRAININGS, metavar="NAME", help=", ".join(TRAININGS))
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="motions: the open mocap shards, AMASS, CMU's ASF and AMC files, or BVH files "
        "(docs/training.md)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="what to write (default: NAME.safetensors here), with its card and curve beside it; "
        "a training that was cut goes on from the checkpoint there",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--free-data",
        action="store_true",
        help="only data that is free for all uses (pose_mixture always)",
    )
    parser.add_argument("--steps", type=_positive, metavar="N", help="train longer or shorter")
    parser.add_argument(
        "--preset",
        choices=get_args(Preset),
        default="default",
        help="size: the one that ships, or the paper's",
    )
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.cli.progress import progress_of

    order = TrainOrder(
        name=options.name,
        data=options.data,
        output=options.output or Path(f"{options.name}.safetensors"),
        seed=options.seed,
        free_data=options.free_data,
        steps=options.steps,
        preset=options.preset,
    )
    order.check_output()
    module, function = TRAININGS[order.name].split(":")
    train = getattr(importlib.import_module(module), function)
    print("\n".join(train(order, progress_of(options.quiet))))
    return 0
