"""``motionfield train``: make what ships, from data that the user has."""

import argparse
from collections.abc import Callable
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress


def _pose_mixture(options: argparse.Namespace, output: Path, progress: Progress) -> list[str]:
    from motionfield.training.pose_mixture import train_pose_mixture

    if options.steps is not None:
        raise OptionError("train pose_mixture: is not trained in steps; leave --steps out")
    return train_pose_mixture(options.data, output, options.seed, progress).lines()


def _pose_vae(options: argparse.Namespace, output: Path, progress: Progress) -> list[str]:
    from dataclasses import replace

    from motionfield.training.pose_vae import PoseVAETraining, train_pose_vae

    config = PoseVAETraining(seed=options.seed, free_data=options.free_data)
    if options.steps is not None:
        config = replace(config, loop=replace(config.loop, steps=options.steps))
    return train_pose_vae(options.data, output, config, progress).lines()


TRAININGS: dict[str, Callable[[argparse.Namespace, Path, Progress], list[str]]] = {
    "pose_mixture": _pose_mixture,
    "pose_vae": _pose_vae,
}
"""Name → what trains it and tells the figures, line by line."""


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("train", help="train a part that ships, on your own data")
    parser.add_argument("name", choices=TRAININGS, metavar="NAME", help=", ".join(TRAININGS))
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="mocap shards")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="what to write (default: NAME.safetensors here); a training that was cut goes on "
        "from the checkpoint beside it",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--free-data",
        action="store_true",
        help="only data that is free for all uses (pose_mixture always)",
    )
    parser.add_argument("--steps", type=_positive, metavar="N", help="train longer or shorter")
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.cli.progress import progress_of

    output = options.output or Path(f"{options.name}.safetensors")
    lines = TRAININGS[options.name](options, output, progress_of(options.quiet))
    print("\n".join(lines))
    return 0
