"""Readers that only trainings use, on tiny files in the true form."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from formats.datasets import make_files as make
from formats.datasets import make_training_files as make_training
from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import LSP_14
from motionfield.formats.datasets.h36m import TRAIN_SUBJECTS, read_h36m
from motionfield.formats.datasets.mpi_inf_3dhp_train import (
    TRAIN_28,
    list_3dhp_train,
    read_3dhp_train,
)
from motionfield.formats.datasets.posetrack import list_posetrack, read_posetrack
from motionfield.formats.datasets.prepared import INSTA_25, SPIN_49, in_box, read_prepared


def test_posetrack(tmp_path: Path) -> None:
    points = make_training.write_posetrack(tmp_path)
    (path,) = list_posetrack(tmp_path)
    (one,) = read_posetrack(path)
    assert one.name == "000001_bonn_train_0"
    assert one.labels is not None
    assert one.labels.keypoint_names[1] == "neck"
    assert one.good.tolist() == [n != 2 for n in range(12)]
    got = one.labels.keypoints_2d
    np.testing.assert_allclose(got[0, 5:, :2], points[0, 5:] + 0.5, atol=1e-3)
    assert np.isnan(got[:, 3:5]).all()
    assert np.isnan(got[2]).all()


def test_bad_posetrack(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"PoseTrack18.*posetrack.net"):
        list_posetrack(tmp_path / "none")
    make_training.write_posetrack(tmp_path)
    (path,) = list_posetrack(tmp_path)
    content = json.loads(path.read_text())
    del content["images"]
    for text in ("[", json.dumps(content), "[]"):
        path.write_text(text)
        with pytest.raises(InputError, match="is no PoseTrack annotation"):
            read_posetrack(path)


def test_3dhp_train(tmp_path: Path) -> None:
    pixels, joints = make_training.write_3dhp_train(tmp_path)
    (path,) = list_3dhp_train(tmp_path)
    videos = read_3dhp_train(path)
    assert [v.name for v in videos[:4]] == [f"S3_Seq2_{k}" for k in (0, 1, 2, 4)]
    first, second = videos[:2]
    assert first.joints is not None
    assert first.labels is not None
    np.testing.assert_allclose(first.joints.joints_world, joints, atol=1e-5)
    np.testing.assert_allclose(first.labels.keypoints_2d[..., :2], pixels + 0.5, atol=1e-2)
    assert first.good.all()
    assert second.good.tolist() == [False] + [True] * 5
    assert set(LSP_14.keypoint_names) <= set(TRAIN_28)


def test_bad_3dhp_train(tmp_path: Path) -> None:
    import scipy.io

    make_training.write_3dhp_train(tmp_path)
    (path,) = list_3dhp_train(tmp_path)
    scipy.io.savemat(path, {"annot2": np.zeros((3, 56)), "annot3": np.zeros((3, 84))})
    with pytest.raises(InputError, match="annotations of"):
        read_3dhp_train(path)


def test_h36m_training_subjects_stand_before_the_frontal_camera(tmp_path: Path) -> None:
    positions = make.h36m_positions().astype(np.float32)
    content = {subject: {"Walking": positions} for subject in TRAIN_SUBJECTS}
    np.savez_compressed(tmp_path / "data_3d_h36m.npz", positions_3d=np.array(content, object))
    found = read_h36m(tmp_path, TRAIN_SUBJECTS)
    assert [s.subject for s in found] == list(TRAIN_SUBJECTS)
    for sequence in found:
        camera = sequence.camera
        assert camera is not None
        R = camera.R_camera_world[0]
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-5)
        # 3 to 5 m away, 1.4 to 1.8 m high, upright, and looks at the middle of the room.
        place = camera.position_world[0]
        assert 1.4 < place[2] < 1.8
        assert 3 < np.linalg.norm(place[:2]) < 5
        assert R[1, 2] < -0.9
        assert R[2] @ (np.array([0, 0, 1]) - place) / np.linalg.norm(place) > 0.9
    with pytest.raises(InputError, match="positions_3d of S9 and S11"):
        read_h36m(tmp_path)


def test_prepared_rows_by_video(tmp_path: Path) -> None:
    table = make_training.prepared_table()
    path = tmp_path / "3dpw_train_db.pt"
    make_training.write_prepared(path, table)
    first, second = read_prepared(path)
    assert (first.name, second.name) == ("a_0", "b_1")
    assert len(second.features) == 7
    np.testing.assert_array_equal(second.features[1:3], table["features"][6:8])
    np.testing.assert_allclose(
        second.points[..., 0], (table["joints2D"][5:, :, 0] - 200) / 40, atol=1e-3
    )
    np.testing.assert_allclose(
        second.points[..., 1], (table["joints2D"][5:, :, 1] - 100) / 40, atol=1e-3
    )
    assert second.joints is not None
    assert second.rotvecs is not None
    assert second.betas is not None
    np.testing.assert_allclose(second.joints, table["joints3D"][5:], atol=1e-5)
    np.testing.assert_allclose(second.rotvecs.reshape(7, 72), table["pose"][5:], atol=1e-5)
    assert second.has_pose.all()
    assert second.point_names == SPIN_49


def test_prepared_without_boxes_and_truth(tmp_path: Path) -> None:
    """As InstaVariety's: pixels of a crop of 224."""
    table = make_training.prepared_table(points=25)
    for key in ("bbox", "joints3D", "pose", "shape"):
        del table[key]
    path = tmp_path / "x.pt"
    make_training.write_prepared(path, table)
    first = next(read_prepared(path))
    np.testing.assert_allclose(
        first.points[..., :2], table["joints2D"][:5, :, :2] / 112 - 1, atol=1e-4
    )
    assert first.point_names == INSTA_25
    assert first.joints is None
    assert not first.has_pose.any()
    assert INSTA_25[0] == "openpose25.right_heel"
    assert INSTA_25[13] == "lsp14.head_top"


def test_corners_of_a_box() -> None:
    points = np.array([[[160.0, 60.0, 1.0], [240.0, 140.0, 0.5]]])
    got = in_box(points, np.array([[200.0, 100.0, 80.0, 80.0]]))
    np.testing.assert_allclose(got[0], [[-1, -1, 1], [1, 1, 0.5]])


def test_bad_prepared(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    table = make_training.prepared_table()
    for change, said in (
        ({"features": None}, "holds no features"),
        ({"features": table["features"][:3]}, "different lengths"),
        ({"joints2D": table["joints2D"][:, :7]}, "joints2D of shape"),
    ):
        make_training.write_prepared(path, table | change)
        with pytest.raises(InputError, match=said):
            list(read_prepared(path))
    make_training.write_prepared(path, {"features": table["features"]})
    with pytest.raises(InputError, match="holds no vid_name, joints2D"):
        list(read_prepared(path))
    (tmp_path / "insta_train_db.h5").write_bytes(b"nothing")
    with pytest.raises(InputError, match="HDF5"):
        list(read_prepared(tmp_path / "insta_train_db.h5"))


def test_hdf5_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """h5py is optional: one that has the table in memory, and counts the rows that are read."""
    table = make_training.prepared_table(points=25)
    del table["bbox"]
    table["vid_name"] = np.char.encode(table["vid_name"], "ascii")
    read: list[int] = []

    class Column:
        def __init__(self, values: np.ndarray) -> None:
            self.values, self.shape = values, values.shape

        def __len__(self) -> int:
            return len(self.values)

        def __getitem__(self, rows: slice) -> np.ndarray:
            read.append(len(self.values[rows]))
            return self.values[rows]

        def __array__(self, *_: object, **__: object) -> np.ndarray:
            return self.values

    fake = types.ModuleType("h5py")
    fake.File = lambda path, mode: {k: Column(v) for k, v in table.items()}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "h5py", fake)
    (tmp_path / "insta_train_db.h5").write_bytes(b"rows")
    first, second = read_prepared(tmp_path / "insta_train_db.h5")
    assert (first.name, second.name) == ("a_0", "b_1")
    read.clear()
    np.testing.assert_array_equal(second.features[2:4], table["features"][7:9])
    assert read == [2]
