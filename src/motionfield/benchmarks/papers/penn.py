"""NeMo on Penn Action: Table 3.

Forty batches of three clips of one action and one handedness are drawn (the paper's draw is not
published; here it follows from the seed). Clips are those that the public code lists as
right-handed. Each is thinned to 50 frames from beginning to end (to the shortest but one of its
batch, where that is less, as the code does). Keypoints that a detector puts further from the label
than 10 % of the image (its longer side; the text says "the image dimension") are dropped.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from motionfield.benchmarks.open.case import Tools
from motionfield.benchmarks.papers.nemo_mocap import by_action
from motionfield.benchmarks.papers.nemo_picture import (
    AS_CODE,
    CODES_MEASURE,
    NOTES,
    picture_figures,
)
from motionfield.benchmarks.papers.report import OwnRow, PaperReport
from motionfield.benchmarks.papers.scores import resampled
from motionfield.benchmarks.papers.solve import Bench, Solved, make_bench
from motionfield.core.arrays import tensor_of
from motionfield.core.keypoint_sets import LIMB_JOINTS, LSP_14, OPENPOSE_25
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data.keypoints import Keypoints
from motionfield.formats.datasets.origins import wrong
from motionfield.formats.datasets.penn import list_penn, read_penn
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.steps.evaluate.image import project_path
from motionfield.steps.evaluate.posed import pose_of, posed_points

BATCHES: Final = 40
BATCH_CLIPS: Final = 3
FRAMES: Final = 50
DROP_SHARE: Final = 0.1
LABELS_SEEN: Final = (
    "clips without pictures and detections: methods see the labels that they are scored by"
)
COLUMNS: Final = {
    "baseball_pitch": "Baseball Pitch",
    "baseball_swing": "Baseball Swing",
    "tennis_serve": "Tennis Serve",
    "tennis_forehand": "Tennis Swing",
    "golf_swing": "Golf Swing",
}
"""Actions as the files name them → the paper's columns."""
_DETECTOR_NAMES: Final = {name: name for name in LIMB_JOINTS} | {"head": "nose"}


def run_penn(
    data: Path,
    method: str = "fit",
    progress: Progress = silent,
    tools: Tools | None = None,
    batches: int = BATCHES,
) -> PaperReport:
    """All actions; each figure is the mean over the clips of all batches of an action.

    Raises:
        InputError: the data set is not there, or too few of the listed clips.
        OptionError: no such method.
    """
    bench = make_bench(method, progress, tools)
    drawn = draw_batches(data, list_penn(data), bench.tools.seed, batches)
    figures: list[dict[str, Any]] = []
    for action, numbers in tracked(drawn, progress, "batches", len(drawn), "batch"):
        clips = [read_penn(data, number) for number in numbers]
        figures += run_batch(bench, action, clips)
    label = f"motionfield {method}"
    rows = tuple(
        OwnRow(f"penn.{name}", said, by_action(figures, (f"{name}{ending}",), COLUMNS))
        for name in ("recon", "pck")
        for said, ending in ((label, ""), (f"{label}, {CODES_MEASURE}", AS_CODE))
    )
    notes = (
        f"{batches} batches of {BATCH_CLIPS} drawn with seed {bench.tools.seed}; the paper's draw "
        "is not published",
        "labels' left and right corrected; the label of the head is compared with the body's top "
        "of the head; hidden joints are not scored",
        *NOTES,
    )
    return bench.report("penn", rows, notes, figures)


def run_batch(bench: Bench, action: str, clips: Sequence[DatasetSequence]) -> list[dict[str, Any]]:
    """The clips of a batch solved together, without those in which nobody is found."""
    whole = []
    for clip in clips:
        if has_detections(clip):
            found = bench.find(clip)
        else:
            bench.notes[LABELS_SEEN] = None
            found = detector_of_labels(clip)
        if found is not None:
            whole.append(replace(clip, keypoints=found))
    if not whole:
        return []
    count = max(1, min(FRAMES, min(clip.num_frames for clip in whole) - 1))
    thinned = [resampled(clip, count)[0] for clip in whole]
    seen = [drop_far(_keypoints(few), _labels(few)) for few in thinned]
    return [score_clip(one, action, bench.tools) for one in bench.solve(thinned, keypoints=seen)]


def draw_batches(
    data: Path, present: Sequence[str], seed: int, batches: int = BATCHES
) -> list[tuple[str, tuple[str, ...]]]:
    """(action, clips of a batch), ``batches`` per action: each without repetition in itself.

    Raises:
        InputError: fewer than three of an action's listed clips are there.
    """
    there = set(present)
    drawn = []
    for index, (action, listed) in enumerate(right_handed().items()):
        known = [number for number in listed if number in there]
        if len(known) < BATCH_CLIPS:
            fault = f"holds {len(known)} of the {len(listed)} clips of {action} that NeMo lists"
            raise wrong(data / "labels", fault, "penn")
        rng = np.random.default_rng((seed, index))
        for _ in range(batches):
            chosen = rng.choice(len(known), BATCH_CLIPS, replace=False)
            drawn.append((action, tuple(known[k] for k in sorted(chosen))))
    return drawn


def right_handed() -> dict[str, list[str]]:
    """Action → numbers of the clips with right-handed players, as the public code lists them."""
    text = files("motionfield.benchmarks.papers").joinpath("penn_clips.toml").read_text("utf-8")
    return {action: _numbers(spans) for action, spans in tomllib.loads(text).items()}


def _numbers(spans: Iterable[Sequence[int]]) -> list[str]:
    return [f"{n:04d}" for first, last in spans for n in range(first, last + 1)]


def drop_far(keypoints: Keypoints, labels: Keypoints, share: float = DROP_SHARE) -> Keypoints:
    """Keypoints without those further from a visible label than a share of the image."""
    limit = share * max(keypoints.image_size)
    points = keypoints.keypoints_2d.copy()
    for label, name in _DETECTOR_NAMES.items():
        if name not in keypoints.keypoint_names or label not in labels.keypoint_names:
            continue
        column = keypoints.keypoint_names.index(name)
        truth = labels.keypoints_2d[:, labels.keypoint_names.index(label)]
        distance = np.linalg.norm(points[:, column, :2] - truth[:, :2], axis=-1)
        points[(distance > limit) & (truth[:, 2] > 0), column] = np.nan
    coarse = keypoints.coarse_camera
    if coarse is not None:
        coarse = np.where(np.isfinite(points[..., :1]), coarse, np.float32(np.nan))
    seen = np.isfinite(points).all(-1).any(-1)
    return keypoints.replace(
        keypoints_2d=points, coarse_camera=coarse, observed=keypoints.observed & seen
    )


def detector_of_labels(clip: DatasetSequence) -> Keypoints:
    """The labels in the slots of OpenPose's 25 (the head in the nose's, as the public code)."""
    labels = _labels(clip)
    points = np.full((labels.num_frames, 25, 3), np.nan, np.float32)
    for label, name in _DETECTOR_NAMES.items():
        column = labels.keypoints_2d[:, labels.keypoint_names.index(label)]
        points[:, OPENPOSE_25.index(name)] = np.where(column[:, 2:] > 0, column, np.nan)
    return labels.replace(
        keypoints_2d=points,
        keypoint_names=OPENPOSE_25.keypoint_names,
        observed=np.isfinite(points).all(-1).any(-1),
    )


def score_clip(solved: Solved, action: str, tools: Tools) -> dict[str, Any]:
    """2D error and PCK of the 13 labelled points."""
    pose = pose_of(solved.result.motion, tools.body)
    limbs = posed_points(pose, tools.body, OPENPOSE_25.name).keypoints
    top = posed_points(pose, tools.body, LSP_14.name).keypoints[:, LSP_14.index("head_top")]
    nose = OPENPOSE_25.index(_DETECTOR_NAMES["head"])
    points = torch.cat((limbs[:, :nose], top.unsqueeze(1), limbs[:, nose + 1 :]), dim=1)
    shown = project_path(points, solved.result.camera)
    slots = tensor_of(detector_of_labels(solved.sequence).keypoints_2d)[..., :2].double()
    return solved.figures() | {"action": action} | picture_figures(shown, slots)


def has_detections(clip: DatasetSequence) -> bool:
    """Whether a detector's keypoints are there or can be made."""
    return clip.keypoints is not None or clip.pictures is not None


def _keypoints(clip: DatasetSequence) -> Keypoints:
    if clip.keypoints is None:
        raise wrong(Path(clip.name), "has no keypoints", "penn")
    return clip.keypoints


def _labels(clip: DatasetSequence) -> Keypoints:
    if clip.labels is None:
        raise wrong(Path(clip.name), "has no labels", "penn")
    return clip.labels
