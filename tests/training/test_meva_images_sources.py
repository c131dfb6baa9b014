"""Data sets to train MEVA on images: raw with features beside them, prepared, or not there."""

from pathlib import Path

import numpy as np
import pytest
import torch

from formats.datasets import make_files as make
from formats.datasets import make_training_files as make_training
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.errors import InputError
from motionfield.formats.datasets.h36m import TRAIN_SUBJECTS
from motionfield.training.meva_images_data import JOINT_NAMES, POINT_NAMES, ImageVideo
from motionfield.training.meva_images_sources import SOURCES, find_videos

WIDTH = 8


def _features(root: Path, name: str, frames: int, **more: np.ndarray) -> None:
    folder = root / "features"
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(0).normal(size=(frames, WIDTH)).astype(np.float32)
    np.savez(folder / f"{name}.npz", features=rows, **more)


def _columns(names: tuple[str, ...], kind: str) -> list[int]:
    return [n for n, name in enumerate(names) if name.startswith(kind)]


def _one(folder: Path) -> ImageVideo:
    (video,) = find_videos(folder).train
    return video


def test_3dpw_as_distributed(tmp_path: Path) -> None:
    """Pose, joints and points agree: the body in that pose has those joints, in camera axes."""
    root = tmp_path / "3dpw"
    people = make.write_3dpw(root, "train", "walk")
    make.write_3dpw(root, "validation", "other")
    boxes = np.tile([320.0, 240.0, 200.0, 200.0], (20, 1))
    _features(root, "walk_0", 20, bboxes=boxes)
    _features(root, "other_1", 20)
    found = find_videos(tmp_path)
    assert [v.name for v in found.validation] == ["other_1"]
    (video,) = found.train
    assert any("3dpw (train): 1 sequences have no features" in note for note in found.notes)
    assert np.isnan(video.pose[0]).all()  # its camera is not valid there
    assert not video.points[0, :, 2].any()
    body = load_body("toy")
    pose = torch.tensor(video.pose[1:])
    posed = body.pose(pose[:, 0], pose[:, 1:], torch.zeros(19, 3), torch.zeros(16)).joints.numpy()
    joints = video.joints[1:, _columns(JOINT_NAMES, "smpl24")]
    np.testing.assert_allclose(joints - joints[:, :1], posed - posed[:, :1], atol=2e-4)
    assert np.isnan(video.joints[:, _columns(JOINT_NAMES, "lsp14")]).all()
    wrist = POINT_NAMES.index("openpose25.left_wrist")
    coco = people[0].pixels("coco17")
    np.testing.assert_allclose(
        video.points[1:, wrist, :2], (coco[1:, 9] - (320, 240)) / 100, atol=1e-4
    )
    assert np.isnan(video.betas).all()


def test_h36m_takes_every_second_frame_and_projects_joints(tmp_path: Path) -> None:
    root = tmp_path / "h36m"
    positions = make.h36m_positions().astype(np.float32)
    root.mkdir()
    content = {subject: {"Walking": positions} for subject in TRAIN_SUBJECTS}
    np.savez_compressed(root / "data_3d_h36m.npz", positions_3d=np.array(content, object))
    _features(root, "S5_Walking", 10)
    video = _one(tmp_path)
    assert video.num_frames == 5
    lsp = _columns(POINT_NAMES, "lsp14")
    assert (video.points[:, lsp, 2] == 1).all()
    # The box is a fifth larger than the points need.
    assert 0.6 < np.abs(video.points[:, lsp, :2]).max() < 1
    # Camera axes: upright people have their heads above (y down) their hips.
    head, hip = (JOINT_NAMES.index(f"lsp14.{n}") for n in ("head_top", "left_hip"))
    assert (video.joints[:, head, 1] < video.joints[:, hip, 1] - 0.4).all()


def test_the_others_as_distributed(tmp_path: Path) -> None:
    make.write_penn(tmp_path / "penn", "0789")
    _features(tmp_path / "penn", "0789", 12)
    make_training.write_posetrack(tmp_path / "posetrack")
    _features(tmp_path / "posetrack", "000001_bonn_train_0", 12)
    make_training.write_3dhp_train(tmp_path / "mpi-inf-3dhp")
    _features(tmp_path / "mpi-inf-3dhp", "S3_Seq2_4", 4, frame_ids=np.array([0, 2, 3, 5]))
    found = find_videos(tmp_path)
    videos = {video.dataset: video for video in found.train}
    assert set(videos) == {"penn", "posetrack", "mpi-inf-3dhp"}
    assert found.datasets == ("mpi-inf-3dhp", "penn", "posetrack")
    assert any("3DPW: left out" in note for note in found.notes)
    assert {name: video.has_3d for name, video in videos.items()} == {
        "penn": False,
        "posetrack": False,
        "mpi-inf-3dhp": True,
    }
    known = {
        name: {POINT_NAMES[n] for n in np.flatnonzero(video.points[..., 2].any(0))}
        for name, video in videos.items()
    }
    assert len(known["penn"]) == 13
    assert len(known["mpi-inf-3dhp"]) == 14
    assert "openpose25.nose" in known["posetrack"]
    assert "openpose25.left_ear" not in known["posetrack"]
    assert not videos["posetrack"].points[2, :, 2].any()
    assert videos["mpi-inf-3dhp"].num_frames == 4


def test_prepared_files_win(tmp_path: Path) -> None:
    table = make_training.prepared_table(width=WIDTH)
    make_training.write_prepared(tmp_path / "3dpw_train_db.pt", table)
    make_training.write_prepared(tmp_path / "3dpw_val_db.pt", table)
    make.write_penn(tmp_path / "penn", "0789")
    _features(tmp_path / "penn", "0789", 12)
    found = find_videos(tmp_path)
    assert [v.name for v in found.train] == ["a_0", "b_1", "0789"]
    assert len(found.validation) == 2
    first = found.train[0]
    np.testing.assert_allclose(first.points[..., 2], table["joints2D"][:5, :39, 2], atol=1e-4)
    lsp = _columns(JOINT_NAMES, "lsp14")
    np.testing.assert_allclose(first.joints[:, lsp], table["joints3D"][:5, 25:39], atol=1e-5)
    assert np.isnan(first.joints[:, _columns(JOINT_NAMES, "smpl24")]).all()
    assert np.isfinite(first.pose).all()


def test_bad_folders_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in SOURCES:
        (tmp_path / source.name).mkdir()
    order = ["train", "meva_images", "--data", str(tmp_path), "-o", str(tmp_path / "w.safetensors")]
    assert main(order) == 2
    said = capsys.readouterr().err.strip()
    assert "holds no features of any of 3dpw, mpi-inf-3dhp, h36m, penn" in said
    assert "\n" not in said
    make.write_penn(tmp_path / "penn", "0789")
    _features(tmp_path / "penn", "0789", 11)
    with pytest.raises(InputError, match="features of 11 frames, the video has 12"):
        find_videos(tmp_path)
    _features(tmp_path / "penn", "0789", 12)
    make_training.write_prepared(
        tmp_path / "3dpw_train_db.pt", make_training.prepared_table(width=WIDTH + 1)
    )
    with pytest.raises(InputError, match=r"different widths \(8, 9\)"):
        find_videos(tmp_path)
