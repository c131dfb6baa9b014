"""``motionfield evaluate``: a result file of any known program against the truth."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from motionfield.cli.parser import Verbs, add_common

if TYPE_CHECKING:
    from motionfield.formats.results import ReadConfig, Result
    from motionfield.steps.evaluate.pairing import Evaluation, PairConfig

_FILES = "motion.npz, AMASS, joints in an npz, TRC, C3D, BVH, or what WHAM, GVHMR, TRAM,"
_PROGRAMS = "PromptHMR, VIBE, MEVA, GLAMR, HybrIK wrote"


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "evaluate",
        help="compare a motion with the truth",
        description=f"Compare a motion with the truth. Files: {_FILES} {_PROGRAMS}.",
    )
    parser.add_argument("--pred", type=Path, required=True, metavar="FILE", help="the motion")
    parser.add_argument("--truth", type=Path, required=True, metavar="FILE", help="the truth")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    _add_pairing_options(parser)
    _add_reading_options(parser)
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def _add_pairing_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument("--range", metavar="START-END", help="seconds of the truth to compare")
    group.add_argument("--fps", type=float, metavar="RATE", help="resample both to this rate")
    group.add_argument(
        "--offset",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how much later the prediction's clock started than the truth's",
    )
    group.add_argument(
        "--joints",
        metavar="NAMES",
        help="only these joints, with commas between them, or a set: smpl24, openpose25, coco17 …",
    )
    group.add_argument(
        "--align",
        choices=("auto", "frame", "clip", "none"),
        default="auto",
        help="only figures that align every frame, or the clip (a camera that stands still), or "
        "all (default: what the frames of the files allow)",
    )


def _add_reading_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what files do not say")
    group.add_argument("--person", metavar="ID", help="which person of the prediction's file")
    group.add_argument("--truth-person", metavar="ID", help="which person of the truth's file")
    group.add_argument("--up", choices=("y", "z"), help="the up axis of TRC, C3D and BVH files")
    group.add_argument(
        "--unit", choices=("m", "cm", "mm", "in", "ft", "cmu"), help="the unit of BVH files"
    )


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.formats.results import read_result
    from motionfield.steps.evaluate.pairing import evaluate_results

    config = pair_config(options)
    predicted = read_result(options.pred, read_config(options, options.person))
    truth = read_result(options.truth, read_config(options, options.truth_person))
    found = evaluate_results(predicted, truth, config)
    for statement in found.statements:
        print(statement)
    print(found.comparison.table())
    if options.json is not None:
        write_json(options.json, predicted, truth, found)
    return 0


def read_config(options: argparse.Namespace, person: str | None) -> "ReadConfig":
    """How the options want a file to be read."""
    from motionfield.formats.results import ReadConfig
    from motionfield.formats.results.marker_files import AxesConfig

    return ReadConfig(person, AxesConfig(options.up, options.unit))


def pair_config(options: argparse.Namespace) -> "PairConfig":
    """How the options want two files to be compared."""
    from motionfield.cli.run import parse_range
    from motionfield.steps.evaluate.frame_matching import TimeConfig
    from motionfield.steps.evaluate.pairing import PairConfig

    names = None if options.joints is None else options.joints.split(",")
    return PairConfig(
        time=TimeConfig(parse_range(options.range), options.fps, options.offset),
        joints=None if names is None else tuple(name.strip() for name in names),
        align=options.align,
    )


def write_json(path: Path, predicted: "Result", truth: "Result", found: "Evaluation") -> None:
    """The figures and statements as a file.

    Raises:
        OutputError: it cannot be written.
    """
    from motionfield.data.record import write_whole

    content = {
        **{
            name: {"file": str(result.path), "source": result.source, "person": result.person}
            for name, result in (("prediction", predicted), ("truth", truth))
        },
        "statements": found.statements,
        "scores": found.comparison.summary(),
    }
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8"))
