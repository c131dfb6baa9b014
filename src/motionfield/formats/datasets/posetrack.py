"""PoseTrack18: people in videos of the web, 15 keypoints marked by hand in some of the frames.

Layout as VIBE's loader (lib/data_utils/posetrack_utils.py) and the data set's own tools have it:
``posetrack_data/annotations/train/000001_bonn_train.json`` (``images``: ``frame_id``,
``file_name``, ``is_labeled``; ``annotations``: ``track_id``, ``image_id``, ``keypoints`` of x, y,
visible; ``categories``: the keypoints' names) and ``images/train/000001_bonn_train/000000.jpg``.
Never seen on the real files here: unverified. The files carry no frame rate: 30 is assumed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.formats.datasets.origins import need_any, wrong
from motionfield.formats.datasets.parts import keypoints_of, pictures_in, size_of_pictures
from motionfield.formats.datasets.sequence import DatasetSequence

FPS: Final = 30.0
LEAST_LABELLED: Final = 8
"""Frames that a person has to be marked in, as VIBE's data."""
_OURS: Final = {"head_bottom": "neck"}
_SIZE: Final = (1280, 720)
"""Where neither file nor pictures say it."""


def list_posetrack(folder: Path, split: str = "train") -> list[Path]:
    """The annotation files of a split.

    Raises:
        InputError: the folder is missing or holds none.
    """
    patterns = (f"annotations/{split}/*.json", f"posetrack_data/annotations/{split}/*.json")
    return need_any(folder, patterns, "posetrack")


def read_posetrack(path: Path) -> list[DatasetSequence]:
    """The persons of one video who are marked in enough frames; all frames of the video.

    Raises:
        InputError: the file has another form.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        images = sorted(content["images"], key=lambda image: int(image["frame_id"]))
        place = {int(image["frame_id"]): n for n, image in enumerate(images)}
        names = tuple(_OURS.get(n, n) for n in content["categories"][0]["keypoints"])
        people: dict[int, dict[int, Any]] = {}
        for mark in content["annotations"]:
            mine = people.setdefault(int(mark["track_id"]), {})
            mine[place[int(mark["image_id"])]] = mark["keypoints"]
        return [
            _person(path, images, names, track, marks)
            for track, marks in sorted(people.items())
            if len(marks) >= LEAST_LABELLED
        ]
    except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise wrong(path, f"is no PoseTrack annotation ({error})", "posetrack") from error


def _person(
    path: Path,
    images: Sequence[Mapping[str, Any]],
    names: tuple[str, ...],
    track: int,
    marks: Mapping[int, Any],
) -> DatasetSequence:
    points = np.full((len(images), len(names), 3), np.nan)
    for frame, mark in marks.items():
        points[frame] = np.asarray(mark, np.float64).reshape(len(names), 3)
    # Not marked is x = y = 0; the third number is not kept up in these files.
    there = (points[..., :2] != 0).any(-1) & np.isfinite(points).all(-1)
    points = np.where(there[..., None], points + np.array((0.5, 0.5, 0)), np.nan)
    points[..., 2] = np.where(there, 1.0, np.nan)
    root = path.parents[3] if path.parents[2].name == "posetrack_data" else path.parents[2]
    folder = (root / str(images[0]["file_name"])).parent
    pictures = pictures_in(folder, len(images))
    name = f"{path.stem}_{track}"
    size = size_of_pictures(pictures, _SIZE)
    labels = keypoints_of(points, names, size, FPS, f"PoseTrack {name}")
    return DatasetSequence(
        dataset="posetrack",
        name=name,
        subject=name,
        action="",
        fps=FPS,
        good=labels.observed,
        pictures=pictures,
        labels=labels,
        notes=("frame rate not in the files: 30 assumed",),
    )
