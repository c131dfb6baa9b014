"""Keypoint files: a round trip, foreign zeros become NaN, and clear words for bad files."""

import json
from pathlib import Path

import numpy as np
import pytest

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import COCO_17
from motionfield.formats.keypoint_files import read_keypoints, write_keypoints


def made(frames: int = 5) -> np.ndarray:
    points = np.random.default_rng(0).uniform(0, 1, (frames, 17, 3)).astype(np.float32)
    points[..., :2] *= 500
    points[1, 3] = np.nan
    points[2] = np.nan
    return points


def write_ours(path: Path, **changes: object) -> Path:
    content: dict[str, object] = {
        "keypoints_2d": made(),
        "keypoint_names": np.array(COCO_17.keypoint_names),
        "image_size": np.array([640, 480]),
        "fps": 25.0,
    }
    content.update(changes)
    np.savez(path, **{k: v for k, v in content.items() if v is not None})  # type: ignore[arg-type]
    return path


def test_round_trip(tmp_path: Path) -> None:
    keypoints = read_keypoints(write_ours(tmp_path / "a.npz"))
    assert keypoints.image_size == (640, 480)
    assert keypoints.fps == 25
    np.testing.assert_array_equal(keypoints.observed, [True, True, False, True, True])
    write_keypoints(tmp_path / "b.npz", keypoints)
    again = read_keypoints(tmp_path / "b.npz")
    np.testing.assert_array_equal(again.keypoints_2d, keypoints.keypoints_2d)
    assert again.keypoint_names == COCO_17.keypoint_names
    np.testing.assert_allclose(again.time_s, keypoints.time_s)


def openpose_person(value: float) -> dict[str, list[float]]:
    points = np.full((25, 3), float(value))
    points[:, 2] = 0.9
    points[7] = 0
    return {"pose_keypoints_2d": points.ravel().tolist()}


def test_openpose_zeros_become_nan_and_the_surest_person_is_taken(tmp_path: Path) -> None:
    doubtful = {"pose_keypoints_2d": [5.0, 5.0, 0.1] * 25}
    frames = [[doubtful, openpose_person(10)], [], [openpose_person(20)]]
    for index, people in enumerate(frames):
        text = json.dumps({"version": 1.3, "people": people})
        (tmp_path / f"v_{index:012d}_keypoints.json").write_text(text)
    keypoints = read_keypoints(tmp_path, fps=50.0, image_size=(100, 200))
    assert keypoints.fps == 50
    assert keypoints.image_size == (100, 200)
    np.testing.assert_array_equal(keypoints.observed, [True, False, True])
    assert np.isnan(keypoints.keypoints_2d[0, 7]).all()
    np.testing.assert_allclose(keypoints.keypoints_2d[[0, 2], 0, 0], [10, 20])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"keypoints_2d": None}, "holds no array"),
        ({"keypoints_2d": np.zeros((5, 17, 2), np.float32)}, "shape"),
        ({"keypoints_2d": np.zeros((0, 17, 3), np.float32)}, "shape"),
        ({"keypoints_2d": np.full((5, 17, 3), np.nan, np.float32)}, "no observed keypoint"),
        ({"keypoints_2d": np.array(["a"])}, "not a keypoint file"),
        ({"keypoint_names": np.array(["nose"])}, "1 keypoint_names for 17"),
        ({"fps": 0.0}, "fps"),
        ({"fps": np.nan}, "fps"),
        ({"image_size": np.array(["wide", "high"])}, "not a keypoint file"),
    ],
)
def test_bad_files_are_named_with_their_fault(
    tmp_path: Path, changes: dict[str, object], fault: str
) -> None:
    path = write_ours(tmp_path / "bad.npz", **changes)
    with pytest.raises(InputError, match=f"bad.npz.*{fault}"):
        read_keypoints(path)


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_keypoints(tmp_path / "missing.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(InputError, match=r"text\.npz: is not a keypoint file"):
        read_keypoints(tmp_path / "text.npz")
    (tmp_path / "other.json").write_text('{"people": 3}')
    with pytest.raises(InputError, match=r"other\.json: is not OpenPose"):
        read_keypoints(tmp_path / "other.json")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="holds no OpenPose JSON"):
        read_keypoints(empty)
    (empty / "a.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": [1.0] * 54}]}))
    with pytest.raises(InputError, match="18 keypoints"):
        read_keypoints(empty)
