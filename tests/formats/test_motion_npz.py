"""``motion.npz``, reopened by numpy alone, and by our own reader."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from formats.made import (
    MOTIONS,
    assert_walks_ahead,
    long_legged,
    take_of,
    true_joints,
    unevenly_timed,
    walk_ahead,
)
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES, JOINT_PARENTS
from motionfield.core.errors import InputError, OutputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import Motion
from motionfield.formats.motion_npz import KEYS, read_motion_npz, write_motion_npz

CONTRACT = (
    *("poses", "trans", "betas", "gender", "mocap_framerate", "joints", "joint_names"),
    *("body_model", "camera_R", "camera_t", "camera_K", "frame_index", "time_s"),
    *("keypoints_2d", "keypoints_world", "keypoint_names"),
    *("focal_source", "scale_source", "gravity_source", "history"),
)


def written(folder: Path, motion: Motion) -> Path:
    path = folder / "motion.npz"
    write_motion_npz(path, take_of(motion), load_body(motion.body_model))
    return path


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def test_every_key_of_the_contract_has_its_shape(tmp_path: Path) -> None:
    motion = walk_ahead()
    count = motion.num_frames
    std = np.full((count, 24, 3), 0.01, np.float32)
    content = arrays_of(written(tmp_path, motion.replace(joints_std=std)))
    assert set(CONTRACT) <= set(content) <= set(KEYS)
    lengths = {"T": count, "K": 33, "B": 16}
    for key, array in content.items():
        assert array.shape == tuple(lengths.get(str(n), n) for n in KEYS[key].shape), key
    shapes = {
        "poses": (count, 72),
        "trans": (count, 3),
        "betas": (16,),
        "joints": (count, 24, 3),
        "joint_names": (24,),
        "camera_R": (count, 3, 3),
        "camera_t": (count, 3),
        "camera_K": (count, 3, 3),
        "frame_index": (count,),
        "time_s": (count,),
        "keypoints_2d": (count, 33, 3),
        "keypoints_world": (count, 33, 3),
        "keypoint_names": (33,),
        "joints_std": (count, 24, 3),
    }
    assert {key: content[key].shape for key in shapes} == shapes
    assert [str(name) for name in content["joint_names"]] == list(JOINT_NAMES)
    assert str(content["gender"]) == "neutral"
    assert float(content["mocap_framerate"]) == motion.fps
    assert json.loads(str(content["history"]))[0]["name"] == "made"


@pytest.mark.parametrize("name", MOTIONS)
def test_numpy_alone_poses_the_body_as_amass_says(tmp_path: Path, name: str) -> None:
    """Forward kinematics of ``poses`` and ``trans`` on the rest joints give ``joints``."""
    motion = long_legged(MOTIONS[name]())
    content = arrays_of(written(tmp_path, motion))
    truth = true_joints(motion)
    np.testing.assert_allclose(content["joints"], truth, atol=1e-5)
    turned: list[Rotation] = []
    place = np.zeros_like(truth)
    body = load_body("toy")
    scale = None if motion.bone_scale is None else content["bone_scale"]
    rest = body.rest_joints(
        torch.from_numpy(content["betas"]), None if scale is None else torch.from_numpy(scale)
    ).numpy()
    rotvec = content["poses"].reshape(-1, 24, 3)
    for joint, parent in enumerate(JOINT_PARENTS):
        local = Rotation.from_rotvec(rotvec[:, joint])
        if parent < 0:
            turned.append(local)
            place[:, joint] = content["rest_pelvis"] + content["trans"]
        else:
            turned.append(turned[parent] * local)
            place[:, joint] = place[:, parent] + turned[parent].apply(rest[joint] - rest[parent])
    np.testing.assert_allclose(place, truth, atol=1e-3)


def test_a_spectator_sees_the_person_walk_ahead(tmp_path: Path) -> None:
    """Not upside down, not turned, not mirrored, not stuck, in metres."""
    content = arrays_of(written(tmp_path, walk_ahead()))
    assert_walks_ahead(content["joints"], up=2, ahead=1, ahead_sign=-1)
    first = Rotation.from_rotvec(content["poses"][:, :3])
    np.testing.assert_allclose(first.apply([0, 1, 0]), np.tile([0, 0, 1], (60, 1)), atol=1e-5)
    np.testing.assert_allclose(content["trans"][-1] - content["trans"][0], [0, -2, 0], atol=1e-5)


def test_the_camera_sees_the_same_pixels(tmp_path: Path) -> None:
    take = take_of(walk_ahead())
    content = arrays_of(written(tmp_path, take.motion))
    seen = np.einsum("tij,tkj->tki", content["camera_R"], content["joints"])
    seen = seen + content["camera_t"][:, None]
    camera = take.camera
    truth = np.einsum("tij,tkj->tki", camera.R_camera_world, true_joints(take.motion))
    np.testing.assert_allclose(seen, truth + camera.t_camera_world[:, None], atol=1e-4)
    np.testing.assert_array_equal(content["camera_K"], camera.K)


def test_records_come_back(tmp_path: Path) -> None:
    motion = long_legged(unevenly_timed(walk_ahead()))
    contacts = np.linspace(0, 1, 2 * motion.num_frames, dtype=np.float32).reshape(-1, 2)
    take = take_of(motion.replace(contacts=contacts))
    path = tmp_path / "motion.npz"
    write_motion_npz(path, take, load_body("toy"))
    motion, joints, camera, keypoints = read_motion_npz(path)
    for name in ("global_orient", "body_pose", "transl", "betas", "bone_scale", "contacts"):
        np.testing.assert_allclose(getattr(motion, name), getattr(take.motion, name), atol=1e-6)
    for name in ("time_s", "frame_index", "observed"):
        np.testing.assert_array_equal(getattr(motion, name), getattr(take.motion, name))
    assert (motion.fps, motion.body_model, motion.history) == (30.0, "toy", take.motion.history)
    np.testing.assert_allclose(joints, true_joints(take.motion), atol=1e-5)
    assert camera is not None
    for name in ("K", "distortion", "R_camera_world", "t_camera_world"):
        np.testing.assert_array_equal(getattr(camera, name), getattr(take.camera, name))
    for name in ("image_size", "moving", "focal_source", "focal_range_px", "gravity_source"):
        assert getattr(camera, name) == getattr(take.camera, name)
    for name in ("gravity_doubt_deg", "scale_source", "scale_range", "warnings"):
        assert getattr(camera, name) == getattr(take.camera, name)
    assert keypoints is not None
    np.testing.assert_array_equal(keypoints.keypoints_2d, take.keypoints.keypoints_2d)
    np.testing.assert_array_equal(keypoints.observed, take.keypoints.observed)
    assert keypoints.keypoint_names == BLAZEPOSE_33.keypoint_names


def test_a_file_with_amass_keys_alone_is_read(tmp_path: Path) -> None:
    content = arrays_of(written(tmp_path, walk_ahead()))
    keys = ("poses", "trans", "betas", "gender", "mocap_framerate", "body_model")
    np.savez(tmp_path / "amass.npz", **{key: content[key] for key in keys})
    motion, joints, camera, keypoints = read_motion_npz(tmp_path / "amass.npz")
    assert (joints, camera, keypoints) == (None, None, None)
    np.testing.assert_allclose(true_joints(motion), content["joints"], atol=1e-5)


def test_an_unknown_keypoint_set_has_no_points_on_the_body(tmp_path: Path) -> None:
    take = take_of(walk_ahead())
    names = tuple(f"marker_{n}" for n in range(33))
    take = take._replace(keypoints=take.keypoints.replace(keypoint_names=names))
    write_motion_npz(tmp_path / "motion.npz", take, load_body("toy"))
    content = arrays_of(tmp_path / "motion.npz")
    assert content["keypoints_world"].shape == (60, 33, 3)
    assert np.isnan(content["keypoints_world"]).all()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"poses": None}, "holds no array 'poses'"),
        ({"body_model": None}, "holds no array 'body_model'"),
        ({"camera_info": None}, "holds no array 'camera_info'"),
        ({"poses": np.zeros((60, 156))}, "poses has shape"),
        ({"trans": np.zeros((59, 3))}, r"trans has shape \(59, 3\), not \(T, 3\) with T = 60"),
        ({"keypoint_names": np.array(["a", "b"])}, "keypoint_names has shape"),
        ({"poses": np.zeros((0, 72))}, "poses has shape"),
        ({"trans": np.full((60, 3), np.nan)}, "do not fit"),
        ({"mocap_framerate": np.array(0.0)}, "mocap_framerate is 0"),
        ({"history": np.array("{")}, "is not a motion file"),
        ({"camera_R": np.zeros((60, 3, 3), np.float32)}, "do not fit"),
        ({"joints": np.zeros((60, 17, 3))}, "joints has shape"),
        ({"poses": np.array(["x"])}, "poses has shape"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, change: dict, fault: str) -> None:
    content = arrays_of(written(tmp_path, walk_ahead())) | change
    path = tmp_path / "bad.npz"
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    with pytest.raises(InputError, match=fault) as caught:
        read_motion_npz(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_motion_are_one_clear_error(tmp_path: Path) -> None:
    whole = written(tmp_path, walk_ahead()).read_bytes()
    cases = {"text.npz": b"hello", "empty.npz": b"", "cut.npz": whole[: len(whole) // 2]}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: is not an npz file"):
            read_motion_npz(tmp_path / name)
    with pytest.raises(InputError, match="does not exist"):
        read_motion_npz(tmp_path / "nothing.npz")
    with pytest.raises(InputError):
        read_motion_npz(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path, walk_ahead())
    before = path.read_bytes()
    with pytest.raises(OutputError, match="cannot be written"):
        write_motion_npz(tmp_path / "no" / "motion.npz", take_of(walk_ahead()), load_body("toy"))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["motion.npz"]
