"""Files of features: every form gives the same clip; bad ones are told in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from formats.made_pickles import joblib_bytes
from motionfield.core.errors import InputError
from motionfield.data.feature_clip import FeatureClip
from motionfield.formats.features import on_frames, read_features

FRAMES = 7
FEATURES = np.random.default_rng(0).normal(size=(FRAMES, 2048)).astype(np.float32)
BOXES = np.tile([100.0, 50.0, 40.0, 60.0], (FRAMES, 1))


def _npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def _joblib(path: Path, content: Any) -> Path:
    path.write_bytes(joblib_bytes(content))
    return path


def _torch(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_all_forms_give_the_same_features(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FEATURES)
    two = np.concatenate((FEATURES + 1, FEATURES))
    names = np.array(["/data/videos/other.mp4"] * FRAMES + ["/data/videos/mine.mp4"] * FRAMES)
    numbers = np.array([f"image_{n:05d}.jpg" for n in (*range(FRAMES), *range(FRAMES))])
    table = {
        "features": two,
        "vid_name": names,
        "frame_id": numbers,
        "bbox": np.tile(BOXES, (2, 1)),
    }
    files = [
        tmp_path / "a.npy",
        _npz(tmp_path / "b.npz", features=FEATURES, fps=30.0, bboxes=BOXES),
        _npz(tmp_path / "c.npz", features=FEATURES[:, :, None, None]),
        _joblib(tmp_path / "3dpw_test_db.pt", table),
        _joblib(tmp_path / "people.pkl", {1: {"features": FEATURES, "bboxes": BOXES}}),
        _torch(tmp_path / "e.pth", torch.tensor(FEATURES)),
        _torch(tmp_path / "f.pt", {"features": torch.tensor(FEATURES)}),
    ]
    for path in files:
        clip = read_features(path, "mine" if path.name.startswith("3dpw") else None)
        np.testing.assert_array_equal(clip.features, FEATURES)
        np.testing.assert_array_equal(clip.frame_index, np.arange(FRAMES))
        if clip.bbox_xyxy is not None:
            np.testing.assert_allclose(clip.bbox_xyxy[0], (80.5, 20.5, 120.5, 80.5))
    assert read_features(files[1]).fps == 30.0
    assert read_features(files[3], "mine").bbox_xyxy is not None


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"features": FEATURES[:, :512]}, "512 features per frame, not 2048"),
        ({"features": FEATURES[0]}, r"shape \(2048,\)"),
        ({"features": FEATURES[:0]}, r"shape \(0, 2048\)"),
        ({"features": np.where(np.arange(FRAMES)[:, None] == 3, np.nan, FEATURES)}, "row 3"),
        ({"features": FEATURES, "fps": 0.0}, "fps 0.0"),
        ({"features": FEATURES, "bboxes": BOXES[:3]}, r"bboxes of shape \(3, 4\)"),
        ({"features": FEATURES, "bboxes": 0 * BOXES}, "without a size"),
        ({"features": FEATURES, "frame_ids": np.arange(3)}, "do not number its 7 rows"),
        ({"features": FEATURES, "frame_ids": np.zeros(FRAMES)}, "do not grow"),
        ({"embedding": FEATURES}, r"no features \(it has embedding\)"),
        ({"features": np.array(["a"] * FRAMES)}, "holds no numbers"),
    ],
)
def test_bad_files(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        read_features(_npz(tmp_path / "x.npz", **arrays))
    assert "x.npz" in str(error.value)
    assert "\n" not in str(error.value)


def test_damaged_missing_and_several(tmp_path: Path) -> None:
    for name in ("x.npz", "x.npy", "x.pt"):
        with pytest.raises(InputError, match="does not exist"):
            read_features(tmp_path / name)
        (tmp_path / name).write_bytes(b"PK no such thing")
        with pytest.raises(InputError, match="damaged"):
            read_features(tmp_path / name)
    whole = _npz(tmp_path / "whole.npz", features=FEATURES).read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged"):
        read_features(tmp_path / "half.npz")
    people = _joblib(tmp_path / "p.pkl", {k: {"features": FEATURES} for k in (1, 2)})
    with pytest.raises(InputError, match=r"2 videos or persons \(1, 2\)"):
        read_features(people)
    np.testing.assert_array_equal(read_features(people, "2").features, FEATURES)


def test_frames_of_the_video() -> None:
    path = Path("f.npz")
    clip = FeatureClip(features=FEATURES, frame_index=np.arange(FRAMES))
    used = np.arange(10, 10 + FRAMES)
    assert on_frames(clip, used, path).frame_index.tolist() == used.tolist()
    with pytest.raises(InputError, match="features of 7 frames, the video has 9"):
        on_frames(clip, np.arange(9), path)
    numbered = clip.replace(frame_index=np.array([2, 3, 5, 6, 7, 9, 10]))
    found = on_frames(numbered, np.arange(3, 8), path)
    np.testing.assert_array_equal(found.features[[0, 2, 3, 4]], FEATURES[[1, 2, 3, 4]])
    assert np.isnan(found.features[1]).all()
    with pytest.raises(InputError, match="frames 2 to 10 only"):
        on_frames(numbered, np.arange(20, 30), path)
