"""Each reader on a tiny file in the true form: what was written comes out, in our conventions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import roma
import torch

from formats.datasets import make_files as make
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import OPENPOSE_25
from motionfield.formats.datasets.amass import list_amass, read_amass
from motionfield.formats.datasets.cmu import list_cmu, read_cmu
from motionfield.formats.datasets.emdb import list_emdb, read_emdb
from motionfield.formats.datasets.h36m import read_h36m
from motionfield.formats.datasets.mpi_inf_3dhp import list_3dhp, read_3dhp
from motionfield.formats.datasets.nemo_mocap import read_nemo_mocap
from motionfield.formats.datasets.parts import camera_of, joints_of
from motionfield.formats.datasets.penn import PENN_13, list_penn, read_penn
from motionfield.formats.datasets.sequence import DatasetSequence
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M, smpl_motion, z_up
from motionfield.formats.datasets.threedpw import list_3dpw, read_3dpw
from motionfield.formats.datasets.zju import read_zju
from motionfield.geometry.cameras import project, world_to_camera
from motionfield.worlds.mocap import retarget_clips


def roots(sequence: DatasetSequence) -> np.ndarray:
    assert sequence.motion is not None
    return sequence.motion.transl + np.asarray(SMPL_PELVIS_M)


def shown(sequence: DatasetSequence, points_world: np.ndarray) -> np.ndarray:
    """Our pixels of points through the sequence's camera."""
    camera = sequence.camera
    assert camera is not None
    seen = world_to_camera(
        torch.tensor(points_world, dtype=torch.float32),
        torch.tensor(camera.R_camera_world),
        torch.tensor(camera.t_camera_world),
    )
    return project(seen, torch.tensor(camera.K)).numpy()


def same_person(sequence: DatasetSequence, who: make.Person) -> None:
    """The motion stands upright in the Z-up world where the person was made."""
    assert sequence.motion is not None
    upright = roma.rotvec_to_rotmat(torch.tensor(who.rotvecs)).numpy()
    np.testing.assert_allclose(sequence.motion.global_orient, upright[:, 0], atol=1e-5)
    np.testing.assert_allclose(sequence.motion.body_pose[:, :21], upright[:, 1:22], atol=1e-5)
    np.testing.assert_allclose(roots(sequence), who.root, atol=1e-5)


def test_penn_sides_and_pixels(tmp_path: Path) -> None:
    who = make.write_penn(tmp_path, "0789", "golf_swing")
    assert list_penn(tmp_path) == ["0789"]
    sequence = read_penn(tmp_path, "0789")
    assert sequence.action == "golf_swing"
    labels = sequence.labels
    assert labels is not None
    assert labels.image_size == make.SIZE
    truth = who.pixels("openpose25") + 0.5  # the first pixel's centre is at (0.5, 0.5)
    for name in ("left_wrist", "right_wrist", "left_ankle", "right_hip"):
        column = PENN_13.index(name)
        at = OPENPOSE_25.index(name)
        np.testing.assert_allclose(labels.keypoints_2d[:, column, :2], truth[:, at], atol=1e-3)
    assert labels.keypoints_2d[0, PENN_13.index("left_ankle"), 2] == 0  # hidden, still there
    assert sequence.keypoints is not None
    np.testing.assert_allclose(sequence.keypoints.keypoints_2d[..., :2], truth, atol=1e-3)


def test_penn_without_openpose(tmp_path: Path) -> None:
    make.write_penn(tmp_path, "0001", openpose=False)
    assert read_penn(tmp_path, "0001").keypoints is None


def test_nemo_mocap(tmp_path: Path) -> None:
    who = make.write_nemo_mocap(tmp_path / "data", "tennis_serve", 3)
    sequence = read_nemo_mocap(tmp_path, "tennis_serve", 3)
    same_person(sequence, who)
    assert sequence.labels is not None
    assert sequence.labels.image_size == make.SIZE
    labels = sequence.labels.keypoints_2d
    np.testing.assert_allclose(
        labels[:, :15, :2], who.pixels("openpose25")[:, :15] + 0.5, atol=1e-3
    )
    assert np.isnan(labels[:, 15:]).all()
    assert sequence.keypoints is not None
    assert sequence.pictures is not None


def test_emdb(tmp_path: Path) -> None:
    who = make.write_emdb(tmp_path, "P0", "09_outdoor_walk")
    make.write_emdb(tmp_path, "P1", "14_outdoor_climb", first=True)
    files = list_emdb(tmp_path)
    assert [file.sequence for file in files] == ["09_outdoor_walk", "14_outdoor_climb"]
    sequence, first = read_emdb(files[0])
    assert not first
    assert read_emdb(files[1])[1]
    same_person(sequence, who)
    assert not sequence.good[-1]
    assert sequence.good[:-1].all()
    assert sequence.camera is not None
    assert sequence.camera.moving
    assert sequence.labels is not None
    pixels = shown(sequence, who.points["smpl24"])
    np.testing.assert_allclose(pixels, sequence.labels.keypoints_2d[..., :2], atol=0.02)


def test_3dpw_of_python_2(tmp_path: Path) -> None:
    people = make.write_3dpw(tmp_path, "test", "downtown_walk")
    (path,) = list_3dpw(tmp_path, "test")
    sequences = read_3dpw(path)
    assert [s.name for s in sequences] == ["downtown_walk_0", "downtown_walk_1"]
    for sequence, who in zip(sequences, people, strict=True):
        same_person(sequence, who)
        assert sequence.joints is not None
        assert sequence.joints.joint_names == JOINT_NAMES
        np.testing.assert_allclose(sequence.joints.joints_world, who.points["smpl24"], atol=1e-5)
        assert sequence.keypoints is not None
        points = sequence.keypoints.keypoints_2d
        assert np.isnan(points[0, sequence.keypoints.keypoint_names.index("right_wrist")]).all()
        np.testing.assert_allclose(
            shown(sequence, who.points["coco17"])[1:], points[1:, :, :2], atol=0.02
        )
        assert not sequence.good[0]
        assert sequence.keypoints.image_size == make.SIZE


@pytest.mark.parametrize("write", [make.write_h36m_mat, make.write_h36m_npz])
def test_h36m(tmp_path: Path, write: Callable[[Path], np.ndarray]) -> None:
    write(tmp_path)
    sequences = read_h36m(tmp_path)
    assert sorted(s.name for s in sequences) == ["S11_Walking", "S9_Directions", "S9_Walking"]
    truth = make.person(10).points["h36m17"]
    for sequence in sequences:
        assert sequence.joints is not None
        np.testing.assert_allclose(sequence.joints.joints_world, truth, atol=1e-5)
        camera = sequence.camera
        assert camera is not None
        # The frontal camera stands 3 to 5 m away, 1.6 m high, level to 20 degrees, and sees.
        assert 1.4 < camera.position_world[0, 2] < 1.8
        assert abs(camera.R_camera_world[0, 2, 2]) < 0.35
        assert camera.R_camera_world[0, 1, 2] < -0.9
        assert (np.abs(shown(sequence, truth) - 500) < 500).all()


def test_h36m_cdf_says_what_is_read_instead(tmp_path: Path) -> None:
    folder = tmp_path / "S9" / "MyPoseFeatures" / "D3_Positions"
    folder.mkdir(parents=True)
    (folder / "Walking.cdf").write_bytes(b"\xcd\xf3")
    with pytest.raises(InputError, match="VideoPose3D"):
        read_h36m(tmp_path)


def test_3dhp(tmp_path: Path) -> None:
    pixels, joints = make.write_3dhp(tmp_path)
    (path,) = list_3dhp(tmp_path)
    sequence = read_3dhp(path)
    assert sequence.joints is not None
    np.testing.assert_allclose(sequence.joints.joints_world, joints, atol=1e-5)
    assert sequence.good.tolist() == [True] * 3 + [False] + [True] * 6
    own = read_3dhp(path, universal=False)
    assert own.joints is not None
    np.testing.assert_allclose(own.joints.joints_world, joints * 1.1, atol=1e-5)
    assert sequence.labels is not None
    np.testing.assert_allclose(sequence.labels.keypoints_2d[..., :2], pixels - 0.5, atol=1e-2)


def test_mat_7_3_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "TS1"
    folder.mkdir()
    head = b"MATLAB 7.3 MAT-file, Platform: made".ljust(124) + b"\x00\x02IM"
    (folder / "annot_data.mat").write_bytes(head.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match="pip install h5py"):
        read_3dhp(folder / "annot_data.mat")


def test_zju_turns_about_the_origin(tmp_path: Path) -> None:
    who = make.write_zju(tmp_path, "393", joints=True)
    sequence = read_zju(tmp_path, "393")
    same_person(sequence, who)
    assert sequence.camera is not None
    np.testing.assert_allclose(sequence.camera.t_camera_world[0], who.t, atol=1e-4)
    assert not sequence.camera.moving
    assert sequence.joints is not None
    np.testing.assert_allclose(sequence.joints.joints_world, who.points["openpose25"], atol=1e-5)
    assert sequence.pictures is not None
    assert sequence.pictures.path.name == "Camera_B1"


@pytest.mark.parametrize("name", ["walk_poses", "walk_stageii"])
def test_amass(tmp_path: Path, name: str) -> None:
    who = make.write_amass(tmp_path, name)
    (path,) = list_amass(tmp_path)
    sequence = read_amass(path)
    same_person(sequence, who)
    assert sequence.fps == 60
    assert sequence.motion is not None
    np.testing.assert_array_equal(
        sequence.motion.body_pose[:, 21:], np.tile(np.eye(3), (40, 2, 1, 1))
    )


def naive_cmu(angles: dict[str, np.ndarray], frame: int) -> dict[str, np.ndarray]:
    """Beginning of each bone, bone by bone, as the format's description has it, metres, Y up."""

    def turn(degrees: np.ndarray) -> np.ndarray:
        x, y, z = (
            roma.rotvec_to_rotmat(torch.tensor(np.radians(d) * e)).numpy()
            for d, e in zip(degrees, np.eye(3), strict=True)
        )
        return z @ y @ x

    scale = 0.0254 / 0.45
    R = {"root": turn(angles["root"][frame, 3:])}
    end = {"root": angles["root"][frame, :3] * scale}
    begin = dict(end)
    for name, parent, direction, length, dof, axis in sorted_bones():
        C = turn(np.array(axis, float))
        own = np.zeros(3)
        if dof:
            own[:dof] = angles[name][frame]
        R[name] = R[parent] @ C @ turn(own) @ C.T
        begin[name] = end[parent]
        end[name] = end[parent] + R[name] @ (direction * length * scale)
    return begin


def sorted_bones() -> list:
    """Parents first."""
    bones, done, out = make.cmu_bones(), {"root"}, []
    while bones:
        ready = [bone for bone in bones if bone[1] in done]
        out += ready
        done |= {bone[0] for bone in ready}
        bones = [bone for bone in bones if bone[0] not in done]
    return out


def test_cmu_bones_lie_where_the_format_says(tmp_path: Path) -> None:
    angles = make.write_cmu(tmp_path)
    ((skeleton, motions),) = list_cmu(tmp_path).values()
    shard = read_cmu(skeleton, motions)
    clip = shard.clip(shard.clips[0])
    assert clip.fps == 30
    assert shard.clips[0].num_frames == 60
    for row, frame in ((0, 0), (20, 80)):
        for name, place in naive_cmu(angles, frame).items():
            x, y, z = place
            own = clip.positions_world[row, shard.joint_names.index(name)]
            np.testing.assert_allclose(own, (x, -z, y), atol=2e-4, err_msg=name)


def test_cmu_is_retargeted_like_the_open_shards(tmp_path: Path) -> None:
    make.write_cmu(tmp_path)
    ((skeleton, motions),) = list_cmu(tmp_path).values()
    from motionfield.body.registry import load_body

    shard = read_cmu(skeleton, motions)
    (found,) = retarget_clips(shard, shard.clips, load_body("toy"))
    assert found.motion.num_frames == 60
    up = found.motion.global_orient[:, 2, 1]
    assert (up > 0.9).all()


MISSING: list[tuple[Callable[[Path], object], str, str]] = [
    (list_penn, "Penn Action", "dreamdragon"),
    (lambda p: read_nemo_mocap(p, "golf_swing", 0), "NeMo-MoCap", "wangkua1"),
    (list_emdb, "EMDB", "emdb.ait.ethz.ch"),
    (lambda p: list_3dpw(p, "test"), "3DPW", "virtualhumans"),
    (read_h36m, "Human3.6M", "vision.imar.ro"),
    (list_3dhp, "MPI-INF-3DHP", "vcai.mpi-inf"),
    (lambda p: read_zju(p, "393"), "ZJU-MoCap", "neuralbody"),
    (list_amass, "AMASS", "amass.is.tue.mpg.de"),
    (list_cmu, "CMU", "mocap.cs.cmu.edu"),
]


@pytest.mark.parametrize(("read", "title", "where"), MISSING)
@pytest.mark.parametrize("there", [False, True])
def test_missing_says_what_and_where(
    tmp_path: Path, read: Callable[[Path], object], title: str, where: str, there: bool
) -> None:
    folder = tmp_path if there else tmp_path / "nothing"
    with pytest.raises(InputError) as raised:
        read(folder)
    message = str(raised.value)
    assert title in message
    assert where in message
    assert "\n" not in message


def test_lost_camera_poses_keep_the_last_known() -> None:
    eye = np.eye(3)
    R = np.stack([np.zeros((3, 3)), eye, np.full((3, 3), np.nan), eye[[1, 2, 0]]])
    t = np.arange(12.0).reshape(4, 3)
    camera = camera_of(make.K, R, t, make.SIZE)
    np.testing.assert_array_equal(camera.R_camera_world, np.stack([eye, eye, eye, eye[[1, 2, 0]]]))
    np.testing.assert_array_equal(camera.t_camera_world, t[[1, 1, 1, 3]])


def test_h36m_videos_under_their_two_names(tmp_path: Path) -> None:
    positions = make.h36m_positions()
    content = {s: {"Photo 1": positions, "WalkDog": positions} for s in ("S9", "S11")}
    np.savez_compressed(tmp_path / "data_3d_h36m.npz", positions_3d=np.array(content, object))
    folder = tmp_path / "S9" / "Videos"
    folder.mkdir(parents=True)
    for name in ("TakingPhoto 1", "WalkingDog"):
        (folder / f"{name}.60457274.mp4").touch()
    for sequence in read_h36m(tmp_path):
        assert (sequence.pictures is not None) == (sequence.subject == "S9")


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_any_axis_may_be_up(axis: int, sign: int) -> None:
    """The world is turned upright; nothing moves in the picture."""
    who = make.person(6)
    up = sign * np.eye(3)[axis]
    side = np.eye(3)[(axis + 1) % 3]
    turn = np.stack([side, np.cross(up, side), up], axis=1)  # columns: our x, y, z in that world
    good = np.ones(6, bool)
    R = np.tile(who.R @ turn.T, (6, 1, 1))
    camera = camera_of(make.K, R, np.tile(who.t, (6, 1)), make.SIZE)
    motion = smpl_motion(who.rotvecs_in(turn), who.transl(turn), np.zeros(10), 30.0, good)
    points = who.points["smpl24"] @ turn.T
    sequence = z_up(
        DatasetSequence(
            dataset="emdb",
            name="turned",
            subject="",
            action="",
            fps=30.0,
            good=good,
            camera=camera,
            motion=motion,
            joints=joints_of(points, JOINT_NAMES, 30.0),
        )
    )
    assert sequence.motion is not None
    assert sequence.joints is not None
    np.testing.assert_allclose(sequence.motion.global_orient[:, :, 1], [[0, 0, 1]] * 6, atol=1e-5)
    pixels = shown(sequence, sequence.joints.joints_world)
    np.testing.assert_allclose(pixels, who.pixels("smpl24") + 0.5, atol=0.02)
    np.testing.assert_allclose(roots(sequence), sequence.joints.joints_world[:, 0], atol=1e-4)


def test_frames_of_a_sequence(tmp_path: Path) -> None:
    make.write_emdb(tmp_path, "P0", "09_outdoor_walk")
    sequence, _ = read_emdb(list_emdb(tmp_path)[0])
    few = sequence.at_frames(np.array([3, 7]))
    assert few.num_frames == 2
    assert few.motion is not None
    assert sequence.motion is not None
    np.testing.assert_array_equal(few.motion.transl, sequence.motion.transl[[3, 7]])
    assert few.camera is not None
    assert few.camera.num_frames == 2
