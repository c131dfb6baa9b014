"""``motionfield run``: videos (or keypoint files) in, motions out."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from motionfield.cli.parser import Verbs, add_common, later
from motionfield.core.errors import OptionError

if TYPE_CHECKING:
    from motionfield.pipeline import RunResult
    from motionfield.run_config import RunConfig

_NO_END_S = 1e9
"""End of an open range: infinity is no JSON, and the range is written to run.json."""
METHODS = ("auto", "fit", "meva", "nemo", "diffopt", "neuhmr")


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("run", help="videos in, 3D motion out")
    parser.add_argument(
        "videos", nargs="*", type=Path, metavar="VIDEO", help="a video file or a folder of images"
    )
    parser.add_argument(
        "-o", "--output", required=True, type=Path, metavar="OUT", help="folder of the results"
    )
    _add_method_options(parser)
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
        help="auto: fit; meva: the lift alone, by MEVA's network, which is fast",
    )
    group.add_argument(
        "--preset",
        choices=("default", "paper"),
        default="default",
        help="paper: per-frame SMPLify, as the papers run it",
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
        type=float,
        metavar="N",
        help="rate at which the world was filmed, for slow motion",
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
    if options.method not in ("auto", "fit", "meva"):
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
    from motionfield.steps.read import ReadConfig
    from motionfield.steps.track import TrackConfig

    if options.focal is not None and not 1 <= options.focal <= 1e6:
        raise OptionError(f"--focal {options.focal:g}: give the focal length in pixels")
    if options.height is not None and not options.height > 0:
        raise OptionError(f"--height {options.height:g}: give the height in metres")
    if not 0 <= options.seed < 2**32:
        raise OptionError(f"--seed {options.seed}: give a number from 0 to 4294967295")
    intrinsics = None if options.calib is None else parse_calib(options.calib)
    meva = options.method == "meva"
    if options.meva_weights is not None and not meva:
        raise OptionError("--meva-weights: only MEVA reads them; add --method meva")
    lift = LiftConfig(
        height_m=options.height, weights=options.meva_weights, images=bool(options.features)
    )
    return RunConfig(
        method="meva" if meva else "fit",
        out=options.output,
        videos=tuple(options.videos),
        keypoints=tuple(options.keypoints),
        features=tuple(options.features),
        read=ReadConfig(parse_range(options.range), options.capture_fps),
        track=TrackConfig(person=options.person),
        calibrate=CalibrateConfig(intrinsics, options.focal, options.height),
        lift=replace(lift, method="meva") if meva else lift,
        fit=SmplifyConfig() if options.preset == "paper" else SequenceFitConfig(),
        landmarks=options.landmarks,
        seed=options.seed,
        resume=options.resume,
        overlay=not options.no_overlay,
    )


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

    for finished in result.finished:
        for warning in warnings_of(finished.result):
            print(f"warning: {finished.result.source.name}: {warning}", file=sys.stderr)
    for _, error in result.failed:
        print(f"motionfield: {' '.join(str(error).split())}", file=sys.stderr)
    shown = [("report", out / "report.html")]
    for finished in result.finished:
        shown += [("overlay", finished.overlay)] if finished.overlay else []
        shown += [("motion", file) for file in finished.files if file.name == "motion.npz"]
    for name, path in shown:
        print(f"{name + ':':9}{path}")
