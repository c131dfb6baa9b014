"""Tiny files in the true form of the data sets that only trainings read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from formats.made_pickles import joblib_bytes

POSETRACK_NAMES = (
    *("nose", "head_bottom", "head_top", "left_ear", "right_ear"),
    *(f"{s}_{p}" for p in ("shoulder", "elbow", "wrist") for s in ("left", "right")),
    *(f"{s}_{p}" for p in ("hip", "knee", "ankle") for s in ("left", "right")),
)


def write_posetrack(root: Path, frames: int = 12) -> np.ndarray:
    """One person marked in all frames but the third, one in two frames; (T, 17, 2) pixels."""
    rng = np.random.default_rng(0)
    points = rng.uniform(50, 400, (frames, 17, 2)).round(1)
    marked = [n for n in range(frames) if n != 2]
    marks = []
    for track, frames_of in ((0, marked), (1, [0, 1])):
        for n in frames_of:
            flat = np.concatenate((points[n] + track, np.ones((17, 1))), axis=1)
            flat[3:5] = 0  # ears are never marked
            marks.append(
                {
                    "track_id": track,
                    "image_id": 100 + n,
                    "keypoints": flat.ravel().tolist(),
                    "bbox": [0, 0, 10, 10],
                }
            )
    images = [
        {"frame_id": 100 + n, "file_name": f"images/train/v/{n:06d}.jpg", "is_labeled": n != 2}
        for n in range(frames)
    ]
    content = {
        "images": images[::-1],
        "annotations": marks,
        "categories": [{"name": "person", "keypoints": list(POSETRACK_NAMES)}],
    }
    folder = root / "posetrack_data" / "annotations" / "train"
    folder.mkdir(parents=True)
    (folder / "000001_bonn_train.json").write_text(json.dumps(content))
    return points


def write_3dhp_train(root: Path, frames: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and metres of the first camera; in the second the person leaves the picture."""
    rng = np.random.default_rng(1)
    joints = rng.normal(0, 0.4, (frames, 28, 3)) + np.array((0, 0, 4))
    pixels = joints[..., :2] / joints[..., 2:] * 1499 + 1024
    seen, deep = np.empty((14, 1), object), np.empty((14, 1), object)
    for camera in range(14):
        moved = pixels.copy()
        if camera == 1:
            moved[0, 0, 0] = 3000
        seen[camera, 0] = moved.reshape(frames, 56)
        deep[camera, 0] = joints.reshape(frames, 84) * 1000
    folder = root / "S3" / "Seq2"
    folder.mkdir(parents=True)
    scipy.io.savemat(folder / "annot.mat", {"annot2": seen, "annot3": deep})
    return pixels, joints


def prepared_table(frames: int = 5, width: int = 8, points: int = 49) -> dict[str, Any]:
    """Two videos of ``frames`` and ``frames + 2`` rows."""
    rng = np.random.default_rng(2)
    count = 2 * frames + 2
    return {
        "vid_name": np.array(["a_0"] * frames + ["b_1"] * (frames + 2)),
        "features": rng.normal(size=(count, width)).astype(np.float32),
        "joints2D": rng.uniform(0, 400, (count, points, 3)),
        "bbox": np.tile([200.0, 100.0, 80.0, 80.0], (count, 1)),
        "joints3D": rng.normal(size=(count, 49, 3)),
        "pose": rng.normal(0, 0.2, (count, 72)),
        "shape": rng.normal(size=(count, 10)),
    }


def write_prepared(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(joblib_bytes(table))
