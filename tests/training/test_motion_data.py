"""Training motions from folders: shards, AMASS, CMU and BVH give back the motions they hold."""

import re
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
from torch import Tensor

from formats.datasets.make_files import write_cmu
from helpers import shared_path
from made_mocap import write_made_shard
from motionfield.benchmarks.retargeting_score import joints_of
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError
from motionfield.data.motion import Motion
from motionfield.formats.bvh import write_bvh
from motionfield.formats.datasets.smpl import SMPL_PELVIS_M
from motionfield.formats.mocap_npz import read_mocap
from motionfield.training.motion_data import find_training_data, read_training_clips
from motionfield.training.motion_sources import TrainingClip, split_of
from motionfield.worlds.mocap import retarget_clips

_ALL = ("train", "val", "test")
_MIXAMO = {
    "pelvis": "Hips",
    "spine1": "Spine",
    "spine2": "Spine1",
    "spine3": "Spine2",
    "neck": "Neck",
    "head": "Head",
    **{
        f"{side}_{ours}": side.capitalize() + theirs
        for side in ("left", "right")
        for ours, theirs in (
            *(("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("foot", "ToeBase")),
            *(("collar", "Shoulder"), ("shoulder", "Arm"), ("elbow", "ForeArm")),
            *(("wrist", "Hand"), ("hand", "HandMiddle1")),
        )
    },
}
_NO_HANDS = {k: v for k, v in _MIXAMO.items() if not k.endswith("_hand")}


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("toy")


@pytest.fixture(scope="module")
def squats(body: Body, tmp_path_factory: pytest.TempPathFactory) -> Motion:
    """Squats with swinging arms, on the ground, of the average body."""
    path = Path(tmp_path_factory.mktemp("made")) / "made.npz"
    write_made_shard(path, body, frames=240)
    shard = read_mocap(path)
    return next(retarget_clips(shard, shard.clips[1:], body)).motion


def _clips(folder: Path, body: Body) -> list[TrainingClip]:
    return list(read_training_clips(folder, _ALL, False, body))


def _apart_mm(a: Motion, b: Motion, body: Body) -> Tensor:
    """Distances of joints about the pelvis (frames, 24)."""
    one, other = (joints_of(m, body) for m in (a, b))
    return 1000 * ((one - one[:, :1]) - (other - other[:, :1])).norm(dim=-1)


def _turns_deg(a: Motion, b: Motion) -> Tensor:
    one, other = (torch.tensor(m.body_pose) for m in (a, b))
    return torch.rad2deg(roma.rotmat_geodesic_distance(one, other))


def _renamed(path: Path, words: dict[str, str]) -> None:
    text = path.read_text("ascii")
    found = re.sub(r"(ROOT|JOINT) (\w+)", lambda m: f"{m[1]} x:{words.get(m[2], m[2])}", text)
    path.write_text(found, "ascii")


# --- what the folders give ----------------------------------------------------------------------


def test_a_bvh_of_ours_comes_back(squats: Motion, body: Body, tmp_path: Path) -> None:
    write_bvh(tmp_path / "squats.bvh", squats, body)
    (clip,) = _clips(tmp_path, body)
    assert (clip.shard, clip.source) == ("BVH", "squats")
    assert _apart_mm(clip.motion, squats, body).mean() < 2
    assert _turns_deg(clip.motion, squats).mean() < 1
    way = clip.motion.transl - squats.transl
    assert np.abs(way).max() < 0.02
    assert clip.motion.contacts is not None
    assert clip.motion.contacts.mean() > 0.9


@pytest.mark.parametrize("words", [_MIXAMO, _NO_HANDS], ids=["hands", "unknown hands"])
def test_a_bvh_with_others_words_in_centimetres_comes_back(
    squats: Motion, body: Body, tmp_path: Path, words: dict[str, str]
) -> None:
    folder = tmp_path / "some person"
    folder.mkdir()
    write_bvh(folder / "squats.bvh", squats, body, "cm")
    _renamed(folder / "squats.bvh", words)
    (clip,) = _clips(tmp_path, body)
    assert clip.source == "some person"
    # The trunk's rest pose is taken from standing frames, not from the file.
    assert _apart_mm(clip.motion, squats, body)[:, 1:12].mean() < 6
    assert _apart_mm(clip.motion, squats, body).mean() < 12


def test_a_bvh_whose_up_is_z_is_the_same(squats: Motion, body: Body, tmp_path: Path) -> None:
    """All of the root's numbers turned by a quarter; the tree is kept."""
    for name in ("y", "z"):
        (tmp_path / name).mkdir()
        write_bvh(tmp_path / name / f"{name}.bvh", squats, body)
    path = tmp_path / "z" / "z.bvh"
    head, tail = path.read_text("ascii").split("Frame Time")
    lines = tail.splitlines()
    rows = np.array([[float(x) for x in line.split()] for line in lines[1:]])
    turn = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    zxy = torch.deg2rad(torch.tensor(rows[:, 3:6]))
    own = roma.euler_to_rotmat("ZXY", zxy)
    rows[:, 3:6] = torch.rad2deg(roma.rotmat_to_euler("ZXY", turn @ own)).numpy()
    rows[:, :3] = rows[:, :3] @ turn.numpy().T
    text = "\n".join(" ".join(f"{x:.6f}" for x in row) for row in rows)
    path.write_text(f"{head}Frame Time{lines[0]}\n{text}\n", "ascii")
    one, other = (_clips(tmp_path / name, body)[0].motion for name in ("y", "z"))
    assert _apart_mm(one, other, body).max() < 1
    np.testing.assert_allclose(one.transl, other.transl, atol=2e-3)


def test_amass_drives_our_body_by_its_poses(squats: Motion, body: Body, tmp_path: Path) -> None:
    folder = tmp_path / "SetA" / "anna"
    folder.mkdir(parents=True)
    local = np.concatenate((squats.global_orient[:, None], squats.body_pose), axis=1)
    turns = roma.rotmat_to_rotvec(torch.tensor(local)).numpy().reshape(-1, 72)[:, :66]
    # A person with legs a tenth shorter, at four times the frames.
    transl = 0.9 * joints_of(squats, body)[:, 0].numpy() - np.array(SMPL_PELVIS_M)
    for name, rate in (("a_poses", 30.0), ("b_poses", 120.0)):
        n = round(rate / 30)
        np.savez(
            folder / f"{name}.npz",
            poses=turns.repeat(n, 0),
            trans=transl.repeat(n, 0),
            betas=np.zeros(16),
            gender="female",
            mocap_framerate=rate,
        )
    slow, fast = _clips(tmp_path, body)
    assert slow.source == "SetA/anna"
    assert slow.motion.fps == fast.motion.fps == 30
    for clip in (slow, fast):
        assert _turns_deg(clip.motion, squats)[:, :21].mean() < 3
        assert _apart_mm(clip.motion, squats, body).mean() < 10
        assert clip.motion.contacts is not None
        assert clip.motion.contacts.mean() > 0.9


def test_cmus_own_files_become_motions(body: Body, tmp_path: Path) -> None:
    write_cmu(tmp_path, "07")
    write_cmu(tmp_path, "11", frames=400)
    data = find_training_data(tmp_path)
    assert data.licence == "Apache-2.0"
    assert "mocap.cs.cmu.edu" in data.credit
    assert "2 files of 2 subjects" in data.what
    found = {clip.source: clip.motion for clip in data.clips(_ALL, body)}
    assert {name: motion.num_frames for name, motion in found.items()} == {
        "cmu07": 60,
        "cmu11": 100,
    }
    assert all(motion.fps == 30 for motion in found.values())
    assert [c.source for c in data.clips(("test",), body)] == ["cmu07"] + (
        ["cmu11"] if split_of("cmu11") == "test" else []
    )


def test_only_numbered_skeletons_are_taken_for_cmus(body: Body, tmp_path: Path) -> None:
    write_cmu(tmp_path, "HDM_tr")
    data = find_training_data(tmp_path)
    assert data.licence == "that of the user's data"
    assert data.credit == ""
    assert [clip.source for clip in data.clips(("test",), body)] == ["hdm05tr"]


def test_licences_follow_the_shards() -> None:
    folder = shared_path("mocap", "cmu_dm.npz").parent
    free, every = find_training_data(folder, free_data=True), find_training_data(folder)
    assert free.licence == "Apache-2.0"
    assert every.licence == "CC BY-SA 3.0"
    assert "HDM05" in every.credit
    assert "HDM05" not in free.credit


def test_the_strictest_licence_counts(squats: Motion, body: Body, tmp_path: Path) -> None:
    write_cmu(tmp_path)
    write_bvh(tmp_path / "squats.bvh", squats, body)
    data = find_training_data(tmp_path)
    assert data.licence == "that of the user's data"
    assert f"trained on user data in {tmp_path}" in data.what
    assert {clip.shard for clip in data.clips(_ALL, body)} == {"ASF and AMC", "BVH"}


# --- splits -------------------------------------------------------------------------------------


def test_a_subjects_split_never_changes() -> None:
    """Weights that were trained once must not have seen a held-out subject."""
    names = [f"SetA/s{k}" for k in range(12)]
    assert "".join(split_of(name)[1] for name in names) == "rrerarrerrrr"


def test_about_a_tenth_is_held_out_for_each() -> None:
    splits = [split_of(f"subject {k}") for k in range(4000)]
    for name in ("val", "test"):
        assert splits.count(name) / len(splits) == pytest.approx(0.1, abs=0.015)


def test_the_benchmarks_subjects_keep_their_split() -> None:
    folder = shared_path("mocap", "cmu_dm.npz").parent
    shards = (read_mocap(path) for path in folder.glob("*.npz"))
    named = {
        info.subject: info.split
        for shard in shards
        for info in shard.clips
        if re.fullmatch(r"(cmu\d+|hdm05\w+)", info.subject)
    }
    held_out = {name: split for name, split in named.items() if split in ("val", "test")}
    assert len(held_out) >= 7
    assert {name: split_of(name) for name in held_out} == held_out


def test_amass_and_bvh_name_cmus_subjects_alike(squats: Motion, body: Body, tmp_path: Path) -> None:
    write_bvh(tmp_path / "49_02.bvh", squats, body)
    write_bvh(tmp_path / "walk1_subject3.bvh", squats, body)
    assert [clip.source for clip in _clips(tmp_path, body)] == ["cmu49", "subject3"]


# --- bad input ----------------------------------------------------------------------------------


def test_folders_without_motions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        find_training_data(tmp_path / "missing")
    with pytest.raises(InputError, match="holds no motions"):
        find_training_data(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "motion.npz").write_bytes(b"x")
    with pytest.raises(InputError, match="holds no motions"):
        find_training_data(tmp_path)


def test_damaged_files_are_named(body: Body, tmp_path: Path) -> None:
    for name, folder in (
        ("cmu_dm.npz", "shard"),
        ("walk_poses.npz", "amass"),
        ("07.asf", "cmu"),
        ("a.bvh", "bvh"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(b"damaged")
        (tmp_path / folder / "07_01.amc").write_bytes(b"damaged")
        with pytest.raises(InputError, match=re.escape(name)):
            list(find_training_data(tmp_path / folder).clips(_ALL, body))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"LeftLeg": "Thing"}, "has no joint known as left_knee"),
        ({"Head": "Top", "Neck": "Between"}, "no joint known as head or neck"),
        (dict.fromkeys(_MIXAMO.values(), "a"), "words are unknown"),
    ],
)
def test_skeletons_that_cannot_be_mapped_are_refused_at_once(
    squats: Motion, body: Body, tmp_path: Path, change: dict[str, str], fault: str
) -> None:
    write_bvh(tmp_path / "odd.bvh", squats, body)
    _renamed(tmp_path / "odd.bvh", {k: change.get(v, v) for k, v in _MIXAMO.items()})
    with pytest.raises(InputError, match=fault) as told:
        find_training_data(tmp_path)
    assert "odd.bvh" in str(told.value)
    assert "\n" not in str(told.value)


def test_clips_that_are_too_short_are_told(squats: Motion, body: Body, tmp_path: Path) -> None:
    write_bvh(tmp_path / "short.bvh", squats.at_frames(np.arange(10)), body)
    with pytest.raises(InputError, match="too short"):
        _clips(tmp_path, body)


def test_a_split_without_clips_is_told(squats: Motion, body: Body, tmp_path: Path) -> None:
    write_bvh(tmp_path / "07_01.bvh", squats, body)
    with pytest.raises(InputError, match="has no clips of train"):
        list(read_training_clips(tmp_path, ("train",), False, body))
