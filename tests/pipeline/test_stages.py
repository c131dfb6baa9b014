"""Stages: made once, loaded after a cut, made again when anything that decides them differs."""

import os
from pathlib import Path

import numpy as np
import pytest

from data.make_records import make_camera, make_motion
from motionfield.core.history import make_key
from motionfield.data import CameraPath, Motion
from motionfield.stages import StageStore, fingerprint
from motionfield.steps.read import ReadConfig


class Counting:
    """Makes a motion and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Motion:
        self.calls += 1
        return make_motion()


def test_made_once_then_loaded(tmp_path: Path) -> None:
    make = Counting()
    first = StageStore(tmp_path, resume=False).record("lift_0", "k", Motion, make)
    store = StageStore(tmp_path, resume=True)
    second = store.record("lift_0", "k", Motion, make)
    assert make.calls == 1
    np.testing.assert_array_equal(first.body_pose, second.body_pose)
    assert [(time.stage, time.resumed) for time in store.times] == [("lift_0", True)]


def test_without_resume_it_is_made_again(tmp_path: Path) -> None:
    make = Counting()
    for _ in range(2):
        StageStore(tmp_path, resume=False).record("lift_0", "k", Motion, make)
    assert make.calls == 2


def test_another_key_is_made_again_and_replaces_the_old(tmp_path: Path) -> None:
    make = Counting()
    for key in ("a", "b"):
        StageStore(tmp_path, resume=True).record("lift_1", key, Motion, make)
    StageStore(tmp_path, resume=True).record("lift_10", "a", Motion, make)
    assert make.calls == 3
    assert {path.name for path in tmp_path.iterdir()} == {
        "lift_10-a-motion.npz",
        "lift_1-b-motion.npz",
    }


@pytest.mark.parametrize("damage", [b"", b"half of an npz"])
def test_a_damaged_stage_is_made_again(tmp_path: Path, damage: bytes) -> None:
    make = Counting()
    store = StageStore(tmp_path, resume=True)
    store.record("lift_0", "k", Motion, make)
    next(tmp_path.iterdir()).write_bytes(damage)
    store.record("lift_0", "k", Motion, make)
    assert make.calls == 2


def test_a_stage_with_one_of_two_records_is_made_again(tmp_path: Path) -> None:
    store = StageStore(tmp_path, resume=True)
    kinds = (Motion, CameraPath)
    store.records("fit_0", "k", kinds, lambda: (make_motion(), make_camera()))
    (tmp_path / "fit_0-k-camerapath.npz").unlink()
    motion, camera = store.records("fit_0", "k", kinds, lambda: (make_motion(7), make_camera(7)))
    assert motion.num_frames == camera.num_frames == 7


def test_keys_tell_options_apart() -> None:
    configs = [ReadConfig(), ReadConfig(range_s=(0, 1)), ReadConfig(capture_fps=240)]
    assert len({make_key("0.1", config) for config in configs}) == 3
    assert make_key("0.1", ReadConfig()) == make_key("0.1", ReadConfig())


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    a.write_bytes(b"x" * 3_000_000)
    b.write_bytes(a.read_bytes())
    os.utime(b, (0, 0))
    c.write_bytes(a.read_bytes() + b"y")
    assert fingerprint(a) == fingerprint(b)
    assert fingerprint(a) != fingerprint(c)


def test_fingerprint_of_a_folder_of_images(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"one")
    before = fingerprint(tmp_path)
    (tmp_path / "2.png").write_bytes(b"two")
    assert fingerprint(tmp_path) != before
