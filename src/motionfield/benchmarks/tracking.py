"""How many of the persons marked by hand are found, and how fast tracking runs.

Marks: ``{"video": {"frame": [[x0, y0, x1, y1], ...]}}``, pixels of the upright frame, frames from
0, persons at least a sixth of the frame's height tall. They lie beside the tests of the
repository; the videos are looked for by name below the given folder and among the pose2sim clips.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.assets import fetch_asset
from motionfield.core.errors import InputError
from motionfield.core.progress import Progress, silent
from motionfield.data.tracks import Tracks, boxes_of
from motionfield.data.video import Video
from motionfield.formats.video_file import stream_frames
from motionfield.steps.read import read_video
from motionfield.steps.track import PoseModels, TrackConfig, Tracker

OVERLAP_MIN = 0.4
"""Least intersection over union of a mark and the box of the keypoints found."""
_GROW = 0.08
"""Keypoints end at eyes, knuckles and toes; a body goes on: share of the box's longer side."""

Marks = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]


@dataclass(frozen=True)
class ClipResult:
    """One video: persons marked and found, and the speed of the pass."""

    name: str
    marked: int
    found: int
    missed: tuple[tuple[int, tuple[float, ...]], ...]
    """Frame and box of each mark that nobody was found for."""
    unmarked: int
    """Persons found in the marked frames where there is no mark (small, hidden, or false)."""
    persons: float
    """Mean number of persons followed."""
    frames_per_s: float
    """Decoding included, by the clock."""
    cpu_ms_per_frame: float


@dataclass(frozen=True)
class TrackingReport:
    """Recall over all marked clips, and the speed for one subject and for everyone."""

    everyone: tuple[ClipResult, ...]
    subject: tuple[ClipResult, ...]
    """The same clips with the subject alone; no recall."""

    @property
    def recall(self) -> float:
        marked = sum(clip.marked for clip in self.everyone)
        return sum(clip.found for clip in self.everyone) / max(marked, 1)

    def summary(self) -> dict[str, Any]:
        """Plain numbers for a file."""
        return {
            "recall": self.recall,
            "marked": sum(clip.marked for clip in self.everyone),
            "everyone": [vars(clip) for clip in self.everyone],
            "subject": [vars(clip) for clip in self.subject],
        }

    def table(self) -> str:
        """Lines of text as printed by the command."""
        head = f"{'video':34} marked found unmarked persons  frames/s  cpu ms/frame  subject alone"
        lines = [head]
        alone = {clip.name: clip for clip in self.subject}
        for clip in self.everyone:
            one = alone.get(clip.name)
            last = "" if one is None else f"{one.frames_per_s:8.1f} {one.cpu_ms_per_frame:8.1f}"
            lines.append(
                f"{clip.name:34} {clip.marked:6} {clip.found:5} {clip.unmarked:8} "
                f"{clip.persons:7.1f} {clip.frames_per_s:9.1f} {clip.cpu_ms_per_frame:13.1f}  "
                + last
            )
        for clip in self.everyone:
            for frame, box in clip.missed:
                lines.append(f"missed: {clip.name} frame {frame} at {[round(b) for b in box]}")
        lines.append(f"recall {self.recall:.1%} of {self.summary()['marked']} persons")
        return "\n".join(lines)


def match_marks(
    marks: Float[ndarray, "marks 4"], boxes: Float[ndarray, "persons 4"]
) -> list[tuple[int, int]]:
    """Pairs (mark, person), each used once, the best overlap first, none under OVERLAP_MIN."""
    low = np.maximum(marks[:, None, :2], boxes[None, :, :2])
    high = np.minimum(marks[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    area = [np.clip(b[:, 2:] - b[:, :2], 0, None).prod(-1) for b in (marks, boxes)]
    overlap = shared / np.maximum(area[0][:, None] + area[1][None] - shared, 1e-9)
    pairs: list[tuple[int, int]] = []
    while overlap.size and overlap.max() > OVERLAP_MIN:
        mark, person = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pairs.append((int(mark), int(person)))
        overlap[mark] = 0
        overlap[:, person] = 0
    return pairs


def person_boxes(
    keypoints_2d: Float[ndarray, "persons keypoints 3"], image_size: tuple[int, int]
) -> Float[ndarray, "seen 4"]:
    """Boxes round the persons seen in one frame, grown from keypoints to bodies, in the image."""
    seen = keypoints_2d[np.isfinite(keypoints_2d[..., 0]).any(-1)]
    boxes = boxes_of(seen).astype(np.float64)
    grow = _GROW * (boxes[:, 2:] - boxes[:, :2]).max(-1, initial=0, keepdims=True)
    limit = np.array(image_size, float)
    low = np.clip(boxes[:, :2] - grow, 0, limit)
    return np.concatenate((low, np.clip(boxes[:, 2:] + grow, 0, limit)), axis=-1)


def score_clip(
    name: str,
    tracks: Tracks,
    marks: Mapping[str, Sequence[Sequence[float]]],
    seconds: Sequence[float],
) -> ClipResult:
    """Compare the persons of one video with its marks. ``seconds``: of the clock, of all cores."""
    marked = found = unmarked = 0
    missed = []
    for frame, boxes in marks.items():
        truth = np.asarray(boxes, np.float64).reshape(-1, 4)
        persons = person_boxes(tracks.keypoints_2d[:, int(frame)], tracks.image_size)
        pairs = match_marks(truth, persons)
        marked, found = marked + len(truth), found + len(pairs)
        unmarked += len(persons) - len(pairs)
        hit = {mark for mark, _ in pairs}
        missed += [(int(frame), tuple(map(float, b))) for i, b in enumerate(truth) if i not in hit]
    return ClipResult(
        name=name,
        marked=marked,
        found=found,
        missed=tuple(missed),
        unmarked=unmarked,
        persons=float(tracks.observed.sum(0).mean()),
        frames_per_s=tracks.num_frames / seconds[0],
        cpu_ms_per_frame=1e3 * seconds[1] / tracks.num_frames,
    )


def benchmark_tracking(
    data: Path,
    marks: Path | None = None,
    models: PoseModels | None = None,
    progress: Progress = silent,
) -> TrackingReport:
    """Track every marked video, once everyone and once the subject alone.

    Args:
        data: folder below which the videos lie.
        marks: the marks' file; without it ``data/person_marks.json`` or the repository's.
        models: the networks; without them the shipped choice is fetched.

    Raises:
        InputError: the marks or a video are not there.
    """
    content: Marks = json.loads(_marks_file(data, marks).read_text())
    if models is None:
        models = PoseModels(fetch_asset("pose_detector"), fetch_asset("pose_landmarks_full"))
    everyone, subject = [], []
    for name, frames in content.items():
        video = read_video(_find_video(name, data))
        everyone.append(_timed(name, video, frames, TrackConfig(person="all"), models, progress))
        subject.append(_timed(name, video, {}, TrackConfig(person="auto"), models, progress))
    return TrackingReport(tuple(everyone), tuple(subject))


def _timed(
    name: str,
    video: Video,
    marks: Mapping[str, Sequence[Sequence[float]]],
    config: TrackConfig,
    models: PoseModels,
    progress: Progress,
) -> ClipResult:
    tracker = Tracker(config, models)
    clock, cpu = time.perf_counter(), time.process_time()
    tracks = tracker.track(video, stream_frames(video), progress)
    seconds = (time.perf_counter() - clock, time.process_time() - cpu)
    return score_clip(name, tracks, marks, seconds)


def _marks_file(data: Path, marks: Path | None) -> Path:
    repository = Path(__file__).resolve().parents[3] / "tests" / "data" / "person_marks.json"
    choices = [marks] if marks is not None else [data / "person_marks.json", repository]
    for choice in choices:
        if choice.is_file():
            return choice
    cure = "put person_marks.json of the repository's tests/data there"
    raise InputError(choices[0], "has no marks of persons", cure)


def _find_video(name: str, data: Path) -> Path:
    found = _first(path for path in data.rglob(Path(name).name) if path.match(f"*{name}"))
    if found is not None:
        return found
    folder, _, file = name.partition("/")
    if folder.startswith("Demo_"):
        path = fetch_asset("pose2sim_clips") / folder / "videos" / file
        if path.is_file():
            return path
    raise InputError(data / name, "is not there", "give the folder of the marked videos (--data)")


def _first(paths: Iterable[Path]) -> Path | None:
    return next(iter(paths), None)
