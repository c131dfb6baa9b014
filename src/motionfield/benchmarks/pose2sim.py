"""``motionfield benchmark pose2sim``: each camera of the pose2sim demo alone, against four views.

The table's set is Demo_SinglePerson: one man, 100 frames at 60 fps, four cameras. Demo_MultiPerson
(``pose2sim_multi``) is the set to choose by: it shows the same performance of the man, half hidden
by a rendered woman, and her. docs/benchmarks/pose2sim.md has the protocol.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import torch

from motionfield.benchmarks.pose2sim_cameras import CAMERA_NAMES, read_qca
from motionfield.benchmarks.pose2sim_reference import (
    Reference,
    build_references,
    match_person,
    reference_height_m,
)
from motionfield.benchmarks.pose2sim_score import (
    Row,
    format_rows,
    score_landmarks,
    score_motion,
)
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.assets import fetch_asset
from motionfield.core.progress import Progress, silent
from motionfield.data.keypoints import Keypoints
from motionfield.data.record import write_whole
from motionfield.data.tracks import Tracks
from motionfield.formats.calib_file import Intrinsics
from motionfield.formats.video_file import stream_frames
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.calibrate import CalibrateConfig, Calibrator
from motionfield.steps.fit import SequenceFitConfig, SequenceFitter
from motionfield.steps.lift import LiftConfig, Lifter, make_lifter
from motionfield.steps.read import ReadConfig, read_video
from motionfield.steps.track import PoseModels, TrackConfig, Tracker

Demo = Literal["SinglePerson", "MultiPerson"]
Landmarks = Literal["full", "heavy"]
_DATA: Final = Path(__file__).parent / "data"
_PERSONS: Final[dict[str, tuple[str, ...]]] = {
    "SinglePerson": ("man",),
    "MultiPerson": ("man", "avatar"),
}
_EVERYONE: Final = TrackConfig(person="all")
_ADULTS: Final = ("man",)
"""Whose height says something of the shape: the rendered woman is an adult shrunk to a child's."""


@dataclass(frozen=True)
class Methods:
    """What is measured."""

    landmarks: Landmarks = "full"
    cameras: tuple[str, ...] = CAMERA_NAMES
    """Which of the four are run."""
    body: str = "anny"
    lift: LiftConfig = field(default_factory=LiftConfig)
    fit: SequenceFitConfig = field(default_factory=SequenceFitConfig)
    seed: int = 0


class Solvers(NamedTuple):
    """The methods that are measured, ready to run."""

    body: Body
    lifter: Lifter
    fitter: SequenceFitter


@dataclass(frozen=True)
class Pose2simReport:
    """Rows by take; a take is a camera and a person."""

    title: str
    rows: dict[str, list[Row]]

    def table(self) -> str:
        """The text that the command prints."""
        blocks = [f"{name}\n{format_rows(rows)}" for name, rows in self.rows.items()]
        return "\n\n".join((self.title, *blocks))

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        takes = {name: [row.summary() for row in rows] for name, rows in self.rows.items()}
        return {"title": self.title, "takes": takes}


def measure_pose2sim(
    data: Path | None = None,
    progress: Progress = silent,
    demo: Demo = "SinglePerson",
    methods: Methods = Methods(),
) -> Pose2simReport:
    """Track, lift and fit each camera alone, with true intrinsics and height and with defaults.

    Args:
        data: folder that holds ``Demo_SinglePerson`` and ``Demo_MultiPerson``; None: fetched.

    Raises:
        MissingAssetError: the clips or the pose models are not there and cannot be fetched.
    """
    clips = data if data is not None else fetch_asset("pose2sim_clips", progress)
    body, prior = load_body(methods.body), PoseMixture.load()
    lifter = make_lifter(methods.lift, body, prior)
    fitter = SequenceFitter(methods.fit, body, prior)
    rows: dict[str, list[Row]] = {}
    track = TrackConfig() if demo == "SinglePerson" else _EVERYONE
    followed = track_views(clips, demo, methods.landmarks, methods.cameras, track, progress)
    for camera, tracks in zip(methods.cameras, followed, strict=True):
        view = CAMERA_NAMES.index(camera)
        for person in _PERSONS[demo]:
            reference = load_reference(person)
            height_m = reference_height_m(reference, body) if person in _ADULTS else None
            keypoints = tracks.person(match_person(tracks, reference, view))
            torch.manual_seed(methods.seed)
            rows[f"{camera} {person}"] = _measure_take(
                keypoints, reference, view, height_m, Solvers(body, lifter, fitter)
            )
    return Pose2simReport(f"pose2sim Demo_{demo}, landmarks {methods.landmarks}", rows)


def measure_pose2sim_multi(data: Path | None = None, progress: Progress = silent) -> Pose2simReport:
    """``measure_pose2sim`` on Demo_MultiPerson, the set to choose by."""
    return measure_pose2sim(data, progress, "MultiPerson")


def load_reference(person: str) -> Reference:
    """The truth that ships: "man" or "avatar"."""
    return Reference.load(_DATA / f"pose2sim_{person}.npz")


def track_views(
    clips: Path,
    demo: Demo,
    landmarks: Landmarks = "full",
    cameras: Sequence[str] = CAMERA_NAMES,
    track: TrackConfig = _EVERYONE,
    progress: Progress = silent,
) -> list[Tracks]:
    """The persons in the video of each camera."""
    models = PoseModels(
        fetch_asset("pose_detector", progress),
        fetch_asset(f"pose_landmarks_{landmarks}", progress),
    )
    tracker = Tracker(track, models)
    found = []
    for name in cameras:
        path = clips / f"Demo_{demo}" / "videos" / f"{name}.mp4"
        video = read_video(path, ReadConfig())
        found.append(tracker.track(video, stream_frames(video), progress))
    return found


def _measure_take(
    keypoints: Keypoints,
    reference: Reference,
    view: int,
    height_m: float | None,
    solvers: Solvers,
) -> list[Row]:
    """All rows of one person in one camera; ``height_m`` None: it is not given to any."""
    body, lifter, fitter = solvers
    rows = [score_landmarks(keypoints, reference)]
    given = CalibrateConfig(intrinsics=_intrinsics(reference, view), height_m=height_m)
    given_note = "true f" if height_m is None else "true f, height"
    for config, note in ((CalibrateConfig(), "defaults"), (given, given_note)):
        camera = Calibrator(config, body).calibrate(Tracks.of_one(keypoints))
        initial = lifter.lift(keypoints, camera)
        fitted = fitter.fit(keypoints, camera, initial)
        made = (("initial", initial, camera), ("fit", *fitted))
        rows += [
            score_motion(f"{name}, {note}", motion, seen_by, body, reference, view)
            for name, motion, seen_by in made
        ]
    return rows


def _intrinsics(reference: Reference, view: int) -> Intrinsics:
    K = reference.K[view]
    k1, k2, p1, p2, k3 = (float(term) for term in reference.distortion[view])
    focal = float(K[0, 0]), float(K[1, 1])
    return Intrinsics(*focal, float(K[0, 2]), float(K[1, 2]), (k1, k2, p1, p2, k3))


def make_references(folder: Path, data: Path | None = None, progress: Progress = silent) -> str:
    """Triangulate the two persons anew from the heavy network's keypoints and save them.

    Returns:
        How well the views agree: the leave-one-out error of each camera in pixels.
    """
    clips = data if data is not None else fetch_asset("pose2sim_clips", progress)
    lines = []
    whose: tuple[tuple[Demo, str, int], ...]
    whose = (("SinglePerson", "man", 0), ("MultiPerson", "avatar", 1))
    for demo, person, index in whose:
        tracks = track_views(clips, demo, "heavy", progress=progress)
        shipped = read_qca(clips / f"Demo_{demo}" / "calibration" / "Calib.qca.txt")
        before = build_references(tracks, shipped, correct=False)[index]
        after = build_references(tracks, shipped)[index]
        after.reference.save(folder / f"pose2sim_{person}.npz")
        for note, built in (("as shipped", before), ("cameras 1 and 3 corrected", after)):
            median, mean = (
                " / ".join(f"{px:.1f}" for px in part)
                for part in (built.loo_median_px, built.loo_mean_px)
            )
            lines.append(f"{person}, {note}: LOO median {median} px, mean {mean} px")
    return "\n".join(lines)


def plot_report(report: Pose2simReport, path: Path) -> None:
    """A picture of PA-MPJPE by frame and by joint, a panel pair per take."""
    from motionfield.benchmarks.pose2sim_plot import draw_report

    draw_report(report.rows, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m motionfield.benchmarks.pose2sim``: what ``motionfield benchmark`` has not."""
    import json

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the demos instead of fetching them")
    parser.add_argument("--demo", choices=tuple(_PERSONS), default="SinglePerson")
    parser.add_argument("--landmarks", choices=get_args(Landmarks), default="full")
    parser.add_argument("--cameras", nargs="+", choices=CAMERA_NAMES, default=CAMERA_NAMES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="PNG of the errors by frame and by joint")
    parser.add_argument("--make-reference", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    if options.make_reference is not None:
        print(make_references(options.make_reference, options.data))
        return 0
    methods = Methods(landmarks=options.landmarks, cameras=tuple(options.cameras))
    report = measure_pose2sim(options.data, demo=options.demo, methods=methods)
    print(report.table())
    if options.json is not None:
        write_whole(options.json, json.dumps(report.summary(), indent=1).encode())
    if options.plot is not None:
        plot_report(report, options.plot)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
