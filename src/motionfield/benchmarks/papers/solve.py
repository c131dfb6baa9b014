"""A method of the open benchmark on the sequences of a data set."""

import datetime
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.benchmarks.open.benchmark import commit, machine
from motionfield.benchmarks.open.case import Given, Method, Tools
from motionfield.benchmarks.open.methods import METHODS, SYNCHRONIZED_ONLY
from motionfield.benchmarks.papers.report import OwnRow, PaperReport
from motionfield.body.registry import load_body
from motionfield.core.assets import fetch_asset
from motionfield.core.errors import InputError, MotionfieldError, OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.formats.calib_file import Intrinsics
from motionfield.formats.datasets.origins import unverified
from motionfield.formats.datasets.sequence import DatasetSequence, Pictures
from motionfield.formats.video_file import stream_frames
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit import FitResult
from motionfield.steps.read import read_video
from motionfield.steps.read.read_video import ReadConfig
from motionfield.steps.track import PoseModels, TrackConfig, Tracker

DETECTED: Final = "2D keypoints are those of this project's tracker"


class Solved(NamedTuple):
    """What a method made of one sequence."""

    sequence: DatasetSequence
    result: FitResult
    seconds: float
    """Of the method alone; takes that are solved together share their time."""

    def figures(self) -> dict[str, Any]:
        """What every sequence's entry of a report begins with."""
        return {
            "sequence": self.sequence.name,
            "action": self.sequence.action,
            "frames": self.sequence.num_frames,
            "seconds": self.seconds,
        }


@dataclass
class Bench:
    """A method with its tools; keeps what the tracker found, and which sequences failed."""

    method: str
    tools: Tools
    progress: Progress = silent
    failures: dict[str, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    """Sentences for the report, each once."""
    _seen: dict[str, Keypoints] = field(default_factory=dict)
    _first_error: MotionfieldError | None = None
    _tracker: Tracker | None = None

    def solve(
        self,
        sequences: Sequence[DatasetSequence],
        camera_motions: Sequence[CameraPath | None] | None = None,
        keypoints: Sequence[Keypoints] | None = None,
    ) -> list[Solved]:
        """Solve sequences together, as one case; nothing where the method or tracker fails.

        Args:
            camera_motions: of each, where its camera moves.
            keypoints: of each, where they are not simply ``keypoints_of``.
        """
        solve = find_method(self.method)
        name = "+".join(sequence.name for sequence in sequences)
        try:
            seen = keypoints or [self.keypoints_of(sequence) for sequence in sequences]
            motions = camera_motions or [None] * len(sequences)
            given = [
                Given(k, lens_of(sequence.camera), motion)
                for sequence, k, motion in zip(sequences, seen, motions, strict=True)
            ]
            started = time.perf_counter()
            results = solve(given, self.tools)
            seconds = (time.perf_counter() - started) / len(sequences)
        except MotionfieldError as error:
            self._fail(name, error)
            return []
        for sequence in sequences:
            self.notes.update(dict.fromkeys((*unverified(sequence.dataset), *sequence.notes)))
        return [Solved(s, r, seconds) for s, r in zip(sequences, results, strict=True)]

    def report(
        self,
        name: str,
        rows: Sequence[OwnRow],
        notes: Sequence[str],
        figures: Sequence[Mapping[str, Any]],
    ) -> PaperReport:
        """What the benchmark gives back: these rows, with what the bench has seen.

        Raises:
            MotionfieldError: nothing at all could be scored: the first sequence's error.
        """
        if not figures and self._first_error is not None:
            raise self._first_error
        setting = {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "machine": machine(),
            "seed": self.tools.seed,
            "body": self.tools.body.name,
        }
        every = tuple(dict.fromkeys((*notes, *self.notes)))
        return PaperReport(
            name, self.method, tuple(rows), every, tuple(figures), self.failures, setting
        )

    def find(self, sequence: DatasetSequence) -> Keypoints | None:
        """``keypoints_of``; None, and a failure noted, where there are none."""
        try:
            return self.keypoints_of(sequence)
        except MotionfieldError as error:
            self._fail(sequence.name, error)
            return None

    def _fail(self, name: str, error: MotionfieldError) -> None:
        self.failures[name] = str(error)
        self._first_error = self._first_error or error

    def keypoints_of(self, sequence: DatasetSequence) -> Keypoints:
        """The sequence's 2D keypoints: the data set's own, else what the tracker finds.

        Raises:
            InputError: there are neither keypoints nor pictures.
            NoPersonError: nobody was found.
        """
        if sequence.keypoints is not None:
            self.notes["2D keypoints are those that come with the data"] = None
            return sequence.keypoints
        if sequence.pictures is None:
            fault = f"{sequence.name} has neither pictures nor 2D keypoints"
            cure = "get its pictures, or run a detector (docs/papers_data.md shows where they lie)"
            raise InputError(sequence.dataset, fault, cure)
        self.notes[DETECTED] = None
        key = f"{sequence.dataset} {sequence.name} {sequence.num_frames}"
        if key not in self._seen:
            self._seen[key] = self._track(sequence, sequence.pictures)
        return self._seen[key]

    def _track(self, sequence: DatasetSequence, pictures: Pictures) -> Keypoints:
        whole = read_video(pictures.path, ReadConfig(capture_fps=sequence.fps))
        if int(pictures.numbers.max()) >= whole.num_frames:
            fault = f"has {whole.num_frames} frames, the truth {int(pictures.numbers.max()) + 1}"
            raise InputError(pictures.path, fault, "get the whole sequence again")
        video = whole.at_frames(pictures.numbers).replace(fps=sequence.fps)
        if self._tracker is None:
            names = ("pose_detector", "pose_landmarks_full")
            models = PoseModels(*(fetch_asset(name, self.progress) for name in names))
            self._tracker = Tracker(TrackConfig(person="all"), models)
        tracks = self._tracker.track(video, stream_frames(video), self.progress)
        persons = [tracks.person(index) for index in range(tracks.num_persons)]
        chosen = nearest_person(persons, true_pixels(sequence, self.tools))
        clock = sequence.clock()
        return chosen.replace(time_s=clock, frame_index=np.arange(len(clock)))


def find_method(name: str) -> Method:
    """A method of the open benchmark that needs no synchronized views.

    Raises:
        OptionError: there is none of this name.
    """
    fitting = [known for known in METHODS if known not in SYNCHRONIZED_ONLY]
    if name not in fitting:
        raise OptionError(f"--method {name}: is none of {', '.join(fitting)}")
    return METHODS[name]


def make_bench(method: str, progress: Progress = silent, tools: Tools | None = None) -> Bench:
    """A bench with the default body and prior.

    Raises:
        OptionError: no such method.
    """
    find_method(method)
    return Bench(method, tools or Tools(load_body(), PoseMixture.load()), progress)


def lens_of(camera: CameraPath | None) -> Intrinsics | None:
    """The true lens, where the data set has one."""
    if camera is None:
        return None
    K = camera.K[0]
    k1, k2, p1, p2, k3 = (float(term) for term in camera.distortion)
    fx, fy, cx, cy = (float(v) for v in (K[0, 0], K[1, 1], K[0, 2], K[1, 2]))
    return Intrinsics(fx, fy, cx, cy, (k1, k2, p1, p2, k3))


def true_pixels(sequence: DatasetSequence, tools: Tools) -> Float[Tensor, "frames points 2"] | None:
    """Where the person truly is in the pictures; None where the data set does not say."""
    if sequence.labels is not None:
        return torch.tensor(sequence.labels.keypoints_2d[..., :2])
    camera = sequence.camera
    points = None if sequence.joints is None else torch.tensor(sequence.joints.joints_world)
    if points is None and sequence.motion is not None:
        points = torch.tensor(sequence.motion.transl)[:, None]
    if camera is None or points is None:
        return None
    R, t = torch.tensor(camera.R_camera_world), torch.tensor(camera.t_camera_world)
    return project(world_to_camera(points, R, t), torch.tensor(camera.K))


def nearest_person(
    persons: Sequence[Keypoints], pixels: Float[Tensor, "frames points 2"] | None
) -> Keypoints:
    """The person whose keypoints' middle is nearest to the true one's, by the mean over frames.

    Frames in which a person was not found count as the picture's diagonal. Without a truth: the
    tracker's subject.
    """
    if pixels is None or len(persons) == 1:
        return persons[0]
    middle = pixels.nanmean(1)
    distances = []
    for person in persons:
        own = torch.tensor(person.keypoints_2d[..., :2]).nanmean(1)
        diagonal = float(np.hypot(*person.image_size))
        distances.append(float((own - middle).norm(dim=-1).nan_to_num(diagonal).mean()))
    return persons[int(np.argmin(distances))]
