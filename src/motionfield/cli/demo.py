"""``motionfield demo``: the main job on a real video."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("demo", help="fetch a real video and run on it")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("motionfield-demo"),
        metavar="OUT",
        help="folder of the results (default: motionfield-demo)",
    )
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.cli.progress import progress_of
    from motionfield.cli.run import tell
    from motionfield.core.assets import fetch_asset
    from motionfield.pipeline import run_pipeline
    from motionfield.run_config import RunConfig
    from motionfield.steps.track import TrackConfig

    progress = progress_of(options.quiet)
    video = fetch_asset("demo_video", progress)
    # A demo that was cut goes on; one that is finished only says again where its files lie.
    # Two people are in it, each for a part of the time; everybody is followed.
    everybody = TrackConfig(person="all")
    config = RunConfig(out=options.output, videos=(video,), track=everybody, resume=True)
    tell(run_pipeline(config, progress), options.output)
    return 0
