"""Mocap shards: the chain, the world's axes, damaged files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import shared_path
from motionfield.core.errors import InputError, OptionError
from motionfield.formats.mocap_npz import read_mocap, z_up_from_y_up

_PARENTS = np.array([-1, 0, 1, 0, 3])


def _arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    quat = rng.normal(size=(7, 5, 4))
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    return {
        "root": rng.normal(size=(7, 3)).astype(np.float32),
        "quat": np.round(quat * 32767).astype(np.int16),
        "clip_start": np.array([0, 3, 7]),
        "clip_name": np.array(["first", "second"]),
        "subject": np.array(["a", "b"]),
        "description": np.array(["walk", "run"]),
        "split": np.array(["train", "val"]),
        "bad_frame": np.array([0, 0, 0, 0, 1, 0, 0], dtype=bool),
        "offsets": rng.normal(size=(2, 5, 3)).astype(np.float32),
        "offset_subject": np.array(["b", "a"]),
        "joint_names": np.array(list("vwxyz")),
        "parents": _PARENTS,
        "canon_names": np.array(["pelvis", "l_hip", "head"]),
        "canon_index": np.array([0, 1, -1]),
        "fps": np.float32(30),
    }


def _write(path: Path, **changes: np.ndarray | None) -> Path:
    arrays = {k: v for k, v in {**_arrays(), **changes}.items() if v is not None}
    np.savez(path, **arrays)
    return path


def _naive(arrays: dict[str, np.ndarray], clip: int) -> np.ndarray:
    """Places joint by joint and frame by frame in float64, Y up."""
    start, end = arrays["clip_start"][clip : clip + 2]
    subject = list(arrays["offset_subject"]).index(arrays["subject"][clip])
    places = np.zeros((end - start, len(arrays["parents"]), 3))
    for t in range(start, end):
        turned = []
        for j, parent in enumerate(arrays["parents"]):
            q = arrays["quat"][t, j].astype(float)
            w, x, y, z = q / np.linalg.norm(q)
            v = np.array([x, y, z])
            cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
            local = (w * w - v @ v) * np.eye(3) + 2 * np.outer(v, v) + 2 * w * cross
            if parent < 0:
                turned.append(local)
                places[t - start, j] = arrays["root"][t]
            else:
                offset = arrays["offsets"][subject, j]
                places[t - start, j] = places[t - start, parent] + turned[parent] @ offset
                turned.append(turned[parent] @ local)
    return places


@pytest.mark.parametrize("clip", [0, 1])
def test_places_are_those_of_the_plain_loop_turned_to_z_up(tmp_path: Path, clip: int) -> None:
    shard = read_mocap(_write(tmp_path / "s.npz"))
    found = shard.clip(shard.clips[clip]).positions_world.numpy()
    naive = _naive(_arrays(), clip)
    # Y up becomes Z up: x stays, y becomes z, z becomes -y.
    np.testing.assert_allclose(found[..., 0], naive[..., 0], atol=1e-5)
    np.testing.assert_allclose(found[..., 2], naive[..., 1], atol=1e-5)
    np.testing.assert_allclose(found[..., 1], -naive[..., 2], atol=1e-5)


def test_children_hang_on_their_parents_in_the_new_world(tmp_path: Path) -> None:
    shard = read_mocap(_write(tmp_path / "s.npz"))
    clip = shard.clip(shard.find("second"))
    parents = torch.tensor(_PARENTS[1:])
    moved = clip.rotations_world[:, parents] @ shard.offsets["b"][1:].unsqueeze(-1)
    expected = clip.positions_world[:, parents] + moved.squeeze(-1)
    torch.testing.assert_close(clip.positions_world[:, 1:], expected, atol=1e-5, rtol=0)


def test_the_world_turn_is_a_rotation_that_lifts_y() -> None:
    turn = z_up_from_y_up()
    assert torch.linalg.det(turn) == pytest.approx(1)
    assert (turn @ torch.tensor([0.0, 1.0, 0.0])).tolist() == [0, 0, 1]


def test_what_the_shard_says_of_clips(tmp_path: Path) -> None:
    shard = read_mocap(_write(tmp_path / "s.npz"))
    info = shard.find("second")
    assert (info.subject, info.split, info.num_frames) == ("b", "val", 4)
    assert shard.of_split("train") == (shard.find("first"),)
    assert shard.canonical == {"pelvis": 0, "l_hip": 1}
    assert shard.clip(info).bad_frame.tolist() == [False, True, False, False]
    with pytest.raises(OptionError, match="no clip 'third'"):
        shard.find("third")


@pytest.mark.parametrize("side", [0, 2])
def test_a_mirrored_shard_is_the_shard_in_a_mirror(tmp_path: Path, side: int) -> None:
    """Two arms and a head on a root; the rig's left is its x or (facing along x) its z."""
    arrays = _arrays()
    names = np.array(["pelvis", "l_hip", "l_knee", "r_hip", "r_knee"])
    arrays["offsets"][:, 1:, side] = (0.3, 0.1, -0.25, -0.1)
    arrays["offsets"][:, 1:, [i for i in range(3) if i != side]] *= 0.1
    path = _write(
        tmp_path / "s.npz", canon_names=names, canon_index=np.arange(5), offsets=arrays["offsets"]
    )
    shard = read_mocap(path)
    flip, order = torch.tensor([-1.0, 1.0, 1.0]), [0, 3, 4, 1, 2]
    for info in shard.clips:
        clip, mirrored = shard.clip(info), shard.mirrored().clip(info)
        expected = clip.positions_world[:, order] * flip
        torch.testing.assert_close(mirrored.positions_world, expected, atol=1e-6, rtol=0)
        again = shard.mirrored().mirrored().clip(info)
        torch.testing.assert_close(again.rotations_world, clip.rotations_world, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quat": None}, "lacks quat"),
        ({"quat": np.zeros((7, 5, 4), np.float32)}, "not int16"),
        ({"root": np.zeros((6, 3), np.float32)}, "different numbers of frames"),
        ({"clip_start": np.array([0, 3, 6])}, "does not cover"),
        ({"parents": np.array([-1, 2, 1, 0, 3])}, "no tree"),
        ({"subject": np.array(["a", "c"])}, "no offsets for subject c"),
    ],
)
def test_damaged_shards_are_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_mocap(_write(tmp_path / "s.npz", **changes))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.npz").write_bytes(b"no npz at all")
    with pytest.raises(InputError, match="cannot be read"):
        read_mocap(tmp_path / "s.npz")


def test_a_real_walk_agrees_with_the_plain_loop() -> None:
    path = shared_path("mocap", "cmu_amc.npz")
    with np.load(path) as file:
        arrays = {name: file[name] for name in _arrays()}
    shard = read_mocap(path)
    info = shard.find("02_01")
    naive = _naive(arrays, info.index)
    found = shard.clip(info).positions_world.numpy()
    np.testing.assert_allclose(found[..., 2], naive[..., 1], atol=2e-5)
    np.testing.assert_allclose(found[..., 1], -naive[..., 2], atol=2e-5)
