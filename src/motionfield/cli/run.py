"""``motionfield run``: videos (or keypoint files) in, motions out."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from motionfield.cli.parser import Verbs, add_common, later
from motionfield.core.errors import OptionError

if TYPE_CHECKING:
    from motionfield.pipeline import RunResult
    from motionfield.run_config import RunConfig
    from motionfield.steps.fit import GroupConfig
    from motionfield.steps.read import ReadConfig

_NO_END_S = 1e9
"""End of an open range: infinity is no JSON, and the range is written to run.json."""
_JOINT = ("same_person", "synchronized", "mirrored")
"""Options of the joint fit itself, as its config names them."""
_WORDS = {"motion.npz": "canonical", "variation.csv": "variation", "takes.glb": "takes"}
"""What the files of several takes together are, for the eye."""
METHODS = ("auto", "fit", "meva", "nemo", "diffopt", "neuhmr")


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("run", help="videos in, 3D motion out")
    parser.add_argument(
        "videos",
        nargs="*",
        type=Path,
        metavar="VIDEO",
        help="a video file or a folder of images; several are takes of one action (--method nemo)",
    )
    parser.add_argument(
        "-o", "--output", required=True, type=Path, metavar="OUT", help="folder of the results"
    )
    _add_method_options(parser)
    _add_group_options(parser)
    _add_camera_options(parser)
    _add_input_options(parser)
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def _add_method_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("method")
    group.add_argument(
        "--method",
        choices=METHODS,
        default="auto",
        help="auto: nemo for two or more inputs, else fit; fit: each input by itself; nemo: takes "
        "of one action together; meva: the lift alone, by MEVA's network, which is fast",
    )
    group.add_argument(
        "--preset",
        choices=("default", "paper"),
        default="default",
        help="paper: as the papers run it (fit: per-frame SMPLify; nemo: the published NeMo)",
    )
    group.add_argument("--body", default="anny", metavar="anny|smpl:FILE", help="default: anny")
    group.add_argument(
        "--landmarks",
        choices=("auto", "full", "heavy"),
        default="auto",
        help="landmark network; auto: heavy where it is installed, else full",
    )
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on at the last finished stage of a run that was cut",
    )
    group.add_argument("--no-overlay", action="store_true", help="do not draw overlay.mp4")


def _add_group_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("several takes of one action (--method nemo)")
    group.add_argument(
        "--repetitions",
        metavar="auto|N",
        help="cut every video into its repetitions of the action; each is a take",
    )
    group.add_argument(
        "--same-person", action="store_true", help="all takes are of one person: one body shape"
    )
    group.add_argument(
        "--synchronized",
        action="store_true",
        help="the videos show one performance from several sides, started together",
    )
    group.add_argument(
        "--mirrored",
        action="store_true",
        help="takes done with the other hand are mirrored for the joint fit",
    )
    group.add_argument(
        "--drop-outliers",
        action="store_true",
        help="go on without takes that show another action",
    )


def _add_camera_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("camera and scale")
    group.add_argument("--camera", default="auto", metavar="auto|static|moving|FILE")
    intrinsics = group.add_mutually_exclusive_group()
    intrinsics.add_argument("--focal", type=float, metavar="PX", help="focal length in pixels")
    intrinsics.add_argument(
        "--calib",
        metavar="CALIB",
        help='"fx fy cx cy [k1 k2 p1 p2 [k3]]" in pixels, or a file with them',
    )
    group.add_argument("--height", type=float, metavar="M", help="the subject's height in metres")


def _add_input_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    group.add_argument(
        "--person",
        default="auto",
        metavar="auto|INDEX|all",
        help="whom to measure: the subject (auto), the INDEX-th, or all",
    )
    group.add_argument("--range", metavar="START-END", help="seconds of the video to use")
    group.add_argument(
        "--capture-fps",
        metavar="N[,N...]",
        help="rate at which the world was filmed, for slow motion; for all videos, or one per "
        "video with commas (auto: as the file says), e.g. 240,auto,auto",
    )
    group.add_argument(
        "--keypoints",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="2D keypoints (our .npz, OpenPose JSON) instead of tracking",
    )
    group.add_argument(
        "--features",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="per-frame image features of each input, for --method meva with --meva-weights",
    )
    group.add_argument(
        "--meva-weights",
        type=Path,
        metavar="FILE",
        help="weights of your own for --method meva",
    )
    group.add_argument(
        "--init",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="first 3D estimate of each video",
    )


def run_verb(options: argparse.Namespace) -> int:
    _refuse_later(options)
    config = config_of(options)
    from motionfield.cli.progress import progress_of
    from motionfield.pipeline import run_pipeline

    result = run_pipeline(config, progress_of(options.quiet))
    tell(result, config.out)
    return result.failed[0][1].exit_code if result.failed else 0


def _refuse_later(options: argparse.Namespace) -> None:
    if options.method in ("diffopt", "neuhmr"):
        later(f"--method {options.method}", "use --method fit")
    if options.camera not in ("auto", "static"):
        later(f"--camera {options.camera}", "use --camera static, with a camera that stands still")
    if options.body != "anny":
        later(f"--body {options.body}", "use --body anny")
    if options.init:
        later("--init", "leave it out")
    if options.device == "cuda":
        later("--device cuda", "use --device cpu")


def config_of(options: argparse.Namespace) -> "RunConfig":
    """The run's config from the parsed options."""
    from motionfield.formats.calib_file import parse_calib
    from motionfield.run_config import RunConfig
    from motionfield.steps.calibrate import CalibrateConfig
    from motionfield.steps.fit import SequenceFitConfig, SmplifyConfig
    from motionfield.steps.lift import LiftConfig
    from motionfield.steps.track import TrackConfig

    if options.focal is not None and not 1 <= options.focal <= 1e6:
        raise OptionError(f"--focal {options.focal:g}: give the focal length in pixels")
    if options.height is not None and not options.height > 0:
        raise OptionError(f"--height {options.height:g}: give the height in metres")
    if not 0 <= options.seed < 2**32:
        raise OptionError(f"--seed {options.seed}: give a number from 0 to 4294967295")
    intrinsics = None if options.calib is None else parse_calib(options.calib)
    method = method_of(options)
    if options.meva_weights is not None and method != "meva":
        raise OptionError("--meva-weights: only MEVA reads them; add --method meva")
    lift = LiftConfig(
        height_m=options.height, weights=options.meva_weights, images=bool(options.features)
    )
    return RunConfig(
        method=method,
        out=options.output,
        videos=tuple(options.videos),
        keypoints=tuple(options.keypoints),
        features=tuple(options.features),
        read=_reads_of(options),
        track=TrackConfig(person=options.person),
        calibrate=CalibrateConfig(intrinsics, options.focal, options.height),
        lift=replace(lift, method="meva") if method == "meva" else lift,
        fit=SmplifyConfig() if options.preset == "paper" else SequenceFitConfig(),
        group=_group_of(options, method),
        repetitions=parse_repetitions(options.repetitions),
        drop_outliers=options.drop_outliers,
        landmarks=options.landmarks,
        seed=options.seed,
        resume=options.resume,
        overlay=not options.no_overlay,
    )


def method_of(options: argparse.Namespace) -> Literal["fit", "meva", "nemo"]:
    """The method that was asked for, or the one that suits the inputs.

    Two or more inputs are takes of one action, unless everybody in them is asked for.
    """
    if options.method != "auto":
        method: Literal["fit", "meva", "nemo"] = options.method
        return method
    several = max(len(options.videos), len(options.keypoints)) > 1
    together = several and options.person != "all" and not options.features
    return "nemo" if together or options.repetitions is not None else "fit"


def _reads_of(options: argparse.Namespace) -> "tuple[ReadConfig, ...]":
    """What to read: of all inputs, or of each where ``--capture-fps`` names several rates."""
    from motionfield.steps.read import ReadConfig

    range_s = parse_range(options.range)
    if options.capture_fps is None:
        return (ReadConfig(range_s),)
    return tuple(ReadConfig(range_s, rate) for rate in parse_rates(options.capture_fps))


def _group_of(options: argparse.Namespace, method: str) -> "GroupConfig":
    """The joint fit's config; its options are refused where nothing is fitted jointly."""
    from motionfield.steps.fit import NemoConfig, PaperNemoConfig

    given = {name: getattr(options, name) for name in _JOINT}
    flags = ", ".join(f"--{name.replace('_', '-')}" for name, on in given.items() if on)
    if flags and method != "nemo":
        raise OptionError(f"{flags}: of several takes of one action; add --method nemo")
    if options.preset == "paper":
        if flags:
            raise OptionError(f"{flags}: the published NeMo knows none of it; drop --preset paper")
        return PaperNemoConfig(seed=options.seed)
    # The repetitions in one video are one person's.
    given["same_person"] |= max(len(options.videos), len(options.keypoints)) == 1
    return NemoConfig(**given)


def parse_repetitions(text: str | None) -> Literal["auto"] | int | None:
    """``auto``, or how many."""
    if text is None:
        return None
    try:
        return "auto" if text == "auto" else int(text)
    except ValueError:
        raise OptionError(f"--repetitions {text}: give a number, or auto") from None


def parse_rates(text: str) -> list[float | None]:
    """Frames per second with commas between them; None for ``auto``."""
    try:
        return [None if word.strip() == "auto" else float(word) for word in text.split(",")]
    except ValueError:
        fault = "give frames per second, one per video with commas, e.g. 240,auto,auto"
        raise OptionError(f"--capture-fps {text}: {fault}") from None


def parse_range(text: str | None) -> tuple[float, float] | None:
    """Seconds from ``START-END``; either may be left out."""
    if text is None:
        return None
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        return float(start or 0), float(end or _NO_END_S)
    except ValueError:
        raise OptionError(f"--range {text}: give seconds as START-END, e.g. 2.5-6") from None


def tell(result: "RunResult", out: Path) -> None:
    """Say where the results lie, and what went wrong."""
    from motionfield.outputs import warnings_of

    if result.group is not None:
        for warning in result.group.outcome.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        for odd in result.group.outcome.odd:
            print(f"warning: {odd.called}: {odd.why}; left out", file=sys.stderr)
    # What holds for a whole video is not said for each of its repetitions.
    told: dict[tuple[Path, str], str] = {}
    for finished in result.finished:
        for warning in warnings_of(finished.result):
            told.setdefault((finished.result.source.path, warning), finished.result.source.name)
    for (_, warning), name in told.items():
        print(f"warning: {name}: {warning}", file=sys.stderr)
    for _, error in result.failed:
        print(f"motionfield: {' '.join(str(error).split())}", file=sys.stderr)
    shown = [("report", out / "report.html")]
    if result.group is not None:
        shown += [(_WORDS[file.name], file) for file in result.group.files if file.name in _WORDS]
    for finished in result.finished:
        shown += [("overlay", finished.overlay)] if finished.overlay else []
        shown += [("motion", file) for file in finished.files if file.name == "motion.npz"]
    width = 2 + max(len(name) for name, _ in shown)
    for name, path in shown:
        print(f"{name + ':':{width}}{path}")
