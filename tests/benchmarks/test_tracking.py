"""The matching of marks and persons, without networks."""

from pathlib import Path

import numpy as np
import pytest

from motionfield.benchmarks.tracking import (
    benchmark_tracking,
    match_marks,
    person_boxes,
    score_clip,
)
from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.tracks import Tracks, boxes_of
from motionfield.steps.track import PoseModels


def _boxes(*boxes: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(boxes, float).reshape(-1, 4)


def test_each_mark_and_each_person_is_used_once() -> None:
    marks = _boxes((0, 0, 10, 20), (2, 0, 12, 20))
    persons = _boxes((2, 0, 12, 20))
    assert match_marks(marks, persons) == [(1, 0)]
    assert match_marks(marks[:1], persons) == [(0, 0)]
    assert match_marks(marks, _boxes((100, 0, 110, 20))) == []
    assert match_marks(marks, _boxes()) == []


def test_boxes_grow_inside_the_picture_only() -> None:
    keypoints = np.full((2, 33, 3), np.nan, np.float32)
    keypoints[0] = (0, 50, 1)
    keypoints[0, 0] = (20, 150, 1)
    (box,) = person_boxes(keypoints, (200, 152))
    assert np.allclose(box, (0, 42, 28, 152))


def _tracks(places: list[tuple[float, float, float, float]]) -> Tracks:
    keypoints = np.zeros((len(places), 1, 33, 3), np.float32)
    for person, (x0, y0, x1, y1) in enumerate(places):
        keypoints[person, 0] = ((x0 + x1) / 2, (y0 + y1) / 2, 1)
        keypoints[person, 0, :2] = [(x0, y0, 1), (x1, y1, 1)]
    return Tracks(
        keypoints_2d=keypoints,
        bbox_xyxy=np.stack([boxes_of(k) for k in keypoints]),
        observed=np.ones((len(places), 1), bool),
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=640,
        image_height=480,
        fps=30.0,
        time_s=np.zeros(1),
        frame_index=np.zeros(1, int),
    )


def test_score_counts_found_missed_and_unmarked() -> None:
    tracks = _tracks([(100, 100, 160, 300), (400, 100, 460, 300)])
    marks = {"0": [[95.0, 95.0, 165.0, 305.0], [250.0, 100.0, 300.0, 300.0]]}
    clip = score_clip("a.mp4", tracks, marks, (2.0, 3.0))
    assert (clip.marked, clip.found, clip.unmarked) == (2, 1, 1)
    assert clip.missed == ((0, (250.0, 100.0, 300.0, 300.0)),)
    assert (clip.frames_per_s, clip.cpu_ms_per_frame) == (0.5, 3000.0)


def test_missing_marks_and_videos_are_named(tmp_path: Path) -> None:
    models = PoseModels(tmp_path, tmp_path)
    with pytest.raises(InputError, match="no marks"):
        benchmark_tracking(tmp_path, tmp_path / "nothing.json", models)
    (tmp_path / "person_marks.json").write_text('{"away.mp4": {"0": []}}')
    with pytest.raises(InputError, match=r"away\.mp4.*--data"):
        benchmark_tracking(tmp_path, None, models)
