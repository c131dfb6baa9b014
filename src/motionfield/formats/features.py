"""Per-frame image features in files: what networks such as SPIN's ResNet-50 make of each crop.

Read are

- ``.npz``: ``features`` (T, 2048); optional ``fps``, ``bboxes`` (T, 4: centre x, centre y, width,
  height in pixels), ``frame_ids`` (T,: index of each row's frame in the video);
- ``.npy``: the array alone;
- pickles of joblib or torch: the array, or a dictionary with ``features`` (and ``bbox`` or
  ``bboxes``, ``frame_id`` or ``frame_ids``); VIBE's and MEVA's prepared data sets
  (``3dpw_test_db.pt`` …), whose rows of all videos lie one after the other with ``vid_name``;
  a dictionary of such dictionaries by person.

Unverified: no file that those programs wrote was at hand; names and shapes are those of their
public code (lib/data_utils of VIBE).
"""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.history import step
from motionfield.data.feature_clip import FeatureClip
from motionfield.formats.safe_pickle import load_pickle

FEATURE_WIDTH: Final = 2048
"""Of ResNet-50, which HMR, SPIN, VIBE and MEVA read."""
_CURE: Final = "write features (T, 2048) with numpy.savez, as docs/papers/meva.md shows"
_SHOWN: Final = 6


def read_features(
    path: Path, name: str | None = None, width: int | None = FEATURE_WIDTH
) -> FeatureClip:
    """One person's features.

    Args:
        path: of the file.
        name: which video or person, where the file holds several; of ``vid_name`` its last part
            without a suffix is enough.
        width: numbers per frame that are wanted; None takes any.

    Raises:
        InputError: missing, damaged, of another form or width, with values that are not finite,
            or with several videos or persons of which none is chosen.
    """
    content = _load(path)
    if isinstance(content, Mapping) and "features" not in content:
        content = _of_person(path, content, name)
    if not isinstance(content, Mapping):
        content = {"features": content}
    rows = _rows_of(path, content, name)
    features = _numbers(path, content["features"], "features")[rows]
    if features.ndim > 2 and features[0].size == features.shape[1]:
        features = features.reshape(len(features), -1)  # (T, 2048, 1, 1)
    if features.ndim != 2 or len(features) == 0:
        raise InputError(path, f"features have shape {features.shape}, not (frames, width)", _CURE)
    if width is not None and features.shape[1] != width:
        fault = f"has {features.shape[1]} features per frame, not {width}"
        raise InputError(path, fault, "give the features that the network was trained with")
    if not np.isfinite(features).all():
        at = int(np.flatnonzero(~np.isfinite(features).all(1))[0])
        fault = f"has features that are not finite (first in row {at})"
        raise InputError(path, fault, "leave such frames out and say which are there by frame_ids")
    return FeatureClip(
        features=features.astype(np.float32),
        frame_index=_frames(path, content, rows),
        bbox_xyxy=_boxes(path, content, rows),
        fps=_rate(path, content),
        history=(step("read features", path=path.name),),
    )


def on_frames(clip: FeatureClip, frame_index: Int[ndarray, "frames"], path: Path) -> FeatureClip:
    """The features of some frames of the video; rows of NaN where the file has none.

    Args:
        clip: as read.
        frame_index: the frames of the video that are used (``Video.frame_index``).
        path: of the file, for the message.

    Raises:
        InputError: the file has no frame numbers and another count of frames, or none of these
            frames.
    """
    if clip.num_frames == len(frame_index) and _counted(clip.frame_index):
        return clip.replace(frame_index=frame_index)
    if _counted(clip.frame_index):
        fault = f"has features of {clip.num_frames} frames, the video has {len(frame_index)}"
        raise InputError(path, fault, "give a row per frame, or frame_ids beside the features")
    place = np.searchsorted(clip.frame_index, frame_index).clip(max=clip.num_frames - 1)
    there = clip.frame_index[place] == frame_index
    if not there.any():
        fault = f"has features of frames {clip.frame_index[0]} to {clip.frame_index[-1]} only"
        raise InputError(path, fault, "give features of the frames that are used (see --range)")
    boxes = clip.bbox_xyxy
    return clip.replace(
        features=_where(there, clip.features[place]),
        bbox_xyxy=None if boxes is None else _where(there, boxes[place]),
        frame_index=frame_index,
    )


def square_boxes(
    centre_size: Float[ndarray, "frames 4"],
) -> Float[ndarray, "frames 4"]:
    """x1, y1, x2, y2 from centre x, centre y, width, height.

    Both of OpenCV's kind on the way in (first pixel's centre at 0), of ours on the way out.
    """
    middle, half = centre_size[:, :2] + 0.5, centre_size[:, 2:] / 2
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32)


def _load(path: Path) -> Any:
    if path.suffix != ".npz":
        return load_pickle(path)
    if not path.is_file():
        raise InputError(path, "does not exist", "check the path")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(path, f"is damaged or no file of features ({error})", _CURE) from error


def _of_person(path: Path, content: Mapping[Any, Any], name: str | None) -> Mapping[Any, Any]:
    people = {
        str(key): one
        for key, one in content.items()
        if isinstance(one, Mapping) and "features" in one
    }
    if not people:
        keys = ", ".join(str(key) for key in list(content)[:_SHOWN])
        raise InputError(path, f"holds no features (it has {keys})", _CURE)
    return people[_chosen(path, tuple(people), name)]


def _rows_of(path: Path, content: Mapping[Any, Any], name: str | None) -> Int[ndarray, "rows"]:
    """The rows of one video of a prepared data set, or all."""
    count = len(_numbers(path, content["features"], "features"))
    if content.get("vid_name") is None:
        return np.arange(count)
    videos = np.array([_text(video) for video in np.ravel(content["vid_name"])])
    if len(videos) != count:
        fault = f"has {len(videos)} vid_name for {count} rows of features"
        raise InputError(path, fault, _CURE)
    return np.flatnonzero(videos == _chosen(path, tuple(np.unique(videos)), name))


def _chosen(path: Path, names: tuple[str, ...], name: str | None) -> str:
    """The one of several that is meant."""
    if len(names) == 1:
        return names[0]
    found = [n for n in names if name is not None and name in (n, _stem(n))]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    fault = f"holds features of {len(names)} videos or persons ({listed})"
    raise InputError(path, fault, "save those of one, or name the video like one of them")


def _stem(name: str) -> str:
    return re.split(r"[/\\]", name)[-1].split(".")[0]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(path: Path, value: Any, key: str) -> ndarray:
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(path, f"{key} holds no numbers ({error})", _CURE) from error


def _given(content: Mapping[Any, Any], *keys: str) -> Any:
    return next((content[key] for key in keys if content.get(key) is not None), None)


def _frames(path: Path, content: Mapping[Any, Any], rows: ndarray) -> Int[ndarray, "rows"]:
    """Frame numbers: as given (numbers, or names with one at the end), else counted."""
    given = _given(content, "frame_ids", "frame_id")
    if given is None:
        return np.arange(len(rows))
    found = [re.findall(r"\d+", _text(value)) for value in np.ravel(given)]
    if len(found) <= int(rows.max()) or not all(found):
        fault = f"has frame_ids that do not number its {len(rows)} rows"
        raise InputError(path, fault, "give one number per row")
    numbers = np.array([int(words[-1]) for words in found], np.int64)[rows]
    if (np.diff(numbers) <= 0).any():
        raise InputError(path, "has frame_ids that do not grow from row to row", "sort the rows")
    return numbers


def _boxes(
    path: Path, content: Mapping[Any, Any], rows: ndarray
) -> Float[ndarray, "rows 4"] | None:
    given = _given(content, "bboxes", "bbox")
    if given is None:
        return None
    boxes = _numbers(path, given, "bboxes")
    if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) <= int(rows.max()):
        fault = f"has bboxes of shape {boxes.shape}, not ({len(rows)}, 4)"
        raise InputError(path, fault, "give centre x, centre y, width, height per row")
    boxes = boxes[rows]
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
        raise InputError(path, "has bboxes without a size", "give width and height above 0")
    return square_boxes(boxes)


def _rate(path: Path, content: Mapping[Any, Any]) -> float | None:
    given = _given(content, "fps")
    if given is None:
        return None
    rate = float(_numbers(path, given, "fps").ravel()[0])
    if not (np.isfinite(rate) and rate > 0):
        raise InputError(path, f"has fps {rate}", "give frames per second, above 0")
    return rate


def _counted(frame_index: Int[ndarray, "frames"]) -> bool:
    """Whether frames are numbered 0, 1, 2, …: no more than a count."""
    return bool((frame_index == np.arange(len(frame_index))).all())


def _where(
    there: Bool[ndarray, "frames"], values: Float[ndarray, "frames n"]
) -> Float[ndarray, "frames n"]:
    return np.where(there[:, None], values, np.float32(np.nan)).astype(np.float32)
