"""Laws of the records: checked when made, immutable, the same after a file."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.make_records import (
    ALL,
    make_camera,
    make_joint_track,
    make_keypoints,
    make_motion,
    make_tracks,
    make_video,
)
from motionfield.core.errors import InputError, OutputError, RecordError
from motionfield.core.history import Step, history_from_json, history_to_json, step
from motionfield.data import CameraPath, Motion, Record, Tracks
from motionfield.data.record import write_whole
from motionfield.data.tracks import boxes_of

EVERY = pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)


@pytest.fixture
def own_checks() -> Iterator[None]:
    """Only the records' own checks, as users have them: the tests' run-time ones come first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def assert_same(a: Record, b: Record) -> None:
    assert type(a) is type(b)
    for field in dataclasses.fields(a):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name
            assert type(one) is type(other), field.name


@EVERY
def test_the_same_after_a_file(make: Callable[[], Record], tmp_path: Path) -> None:
    record = make()
    record.save(tmp_path / "a.npz")
    assert_same(type(record).load(tmp_path / "a.npz"), record)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@EVERY
def test_arrays_are_read_only(make: Callable[[], Record]) -> None:
    record = make()
    arrays = [v for v in vars(record).values() if isinstance(v, np.ndarray)]
    assert arrays
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.history = ()  # type: ignore[misc]


def test_the_callers_array_is_not_tied_to_the_record() -> None:
    own = np.zeros((5, 3), np.float32)
    motion = make_motion().replace(transl=own)
    own[:] = 7
    assert (motion.transl == 0).all()


@EVERY
@pytest.mark.usefixtures("own_checks")
def test_wrong_lengths_are_named(make: Callable[[], Record]) -> None:
    """Any array that loses its last frame contradicts the others."""
    record = make()
    if isinstance(record, CameraPath):
        with pytest.raises(RecordError, match=r"R_camera_world has 4 frames, not the 5 of K"):
            record.replace(R_camera_world=record.R_camera_world[:4])
        return
    with pytest.raises(RecordError, match=r"time_s has 4 frames|has 5 frames, not the 4"):
        record.replace(time_s=record.time_s[:4])  # type: ignore[attr-defined]


@pytest.mark.usefixtures("own_checks")
def test_all_problems_are_told_together() -> None:
    motion = make_motion()
    with pytest.raises(RecordError) as caught:
        motion.replace(transl=motion.transl[:, :2], betas=np.zeros(16, int))
    assert "transl has 2 3, not the 3" in str(caught.value)
    assert "betas has dtype int64" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"focal_source": "guessed"}, "focal_source"),
        ({"R_camera_world": np.zeros((5, 3, 3), np.float32)}, "no rotation"),
        ({"R_camera_world": -make_camera().R_camera_world}, "no rotation"),
    ],
)
def test_cameras_that_contradict_themselves(change: dict[str, object], text: str) -> None:
    with pytest.raises(RecordError, match=text):
        make_camera().replace(**change)


def test_motion_has_to_be_finite() -> None:
    transl = np.array(make_motion().transl)
    transl[2, 1] = np.nan
    with pytest.raises(RecordError, match="transl holds values that are not finite"):
        make_motion().replace(transl=transl)


def test_names_of_joints_differ() -> None:
    with pytest.raises(RecordError, match="the same name"):
        make_joint_track().replace(joint_names=("pelvis", "C7", "C7"))
    with pytest.raises(RecordError, match="2 names for 3 joints"):
        make_joint_track().replace(joint_names=("pelvis", "C7"))


def test_time_has_to_grow() -> None:
    stopped = np.array([0, 0.1, 0.1, 0.2, 0.3])
    with pytest.raises(RecordError, match="does not grow"):
        make_video().replace(time_s=stopped)
    with pytest.raises(RecordError, match="does not grow"):
        make_keypoints().replace(time_s=stopped)


def test_unobserved_frames_hold_no_keypoints() -> None:
    with pytest.raises(RecordError, match="not observed"):
        make_keypoints().replace(observed=np.array([True, True, False, True, True]))


@EVERY
def test_damaged_files_are_refused(make: Callable[[], Record], tmp_path: Path) -> None:
    record, path = make(), tmp_path / "a.npz"
    record.save(path)
    whole = path.read_bytes()
    for content in (b"", b"no npz", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npz: is not a"):
            type(record).load(path)
    with pytest.raises(InputError, match=r"is not a"):
        type(record).load(tmp_path / "missing.npz")


def test_another_record_is_refused(tmp_path: Path) -> None:
    make_camera().save(tmp_path / "a.npz")
    with pytest.raises(InputError, match="holds CameraPath"):
        Motion.load(tmp_path / "a.npz")


def test_replace_adds_to_the_history() -> None:
    motion = make_motion().replace(step=step("smooth", cutoff_hz=6.0))
    assert [entry.name for entry in motion.history] == ["made", "smooth"]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
OPTIONS = st.dictionaries(st.text(), PLAIN, max_size=3)


@given(st.lists(st.tuples(st.text(), OPTIONS), max_size=3))
def test_history_survives_json(entries: list[tuple[str, dict[str, object]]]) -> None:
    history = tuple(Step(name, options) for name, options in entries)
    assert history_from_json(history_to_json(history)) == history


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_whole(path, b"old")

    def fail(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OutputError, match="no space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_tracks_of_one_give_the_keypoints_back() -> None:
    keypoints = make_keypoints()
    again = Tracks.of_one(keypoints).person(0)
    np.testing.assert_array_equal(again.keypoints_2d, keypoints.keypoints_2d)
    np.testing.assert_array_equal(again.coarse_camera, keypoints.coarse_camera)
    assert again.bbox_xyxy is not None
    assert make_tracks().num_persons == 1


def test_boxes_are_tight_and_nan_where_nothing_is_seen() -> None:
    points = np.full((2, 3, 3), np.nan, np.float32)
    points[0, 0] = (5, 7, 1)
    points[0, 2] = (2, 9, 0)
    np.testing.assert_array_equal(boxes_of(points), [[2, 7, 5, 9], [np.nan] * 4])


def test_moving_the_world_moves_the_camera_along() -> None:
    """A camera moved with its world sees the moved points where it saw the old ones."""
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    shift = np.array([1, 2, 3], np.float32)
    camera = make_camera()
    moved = camera.moved(turn, shift)
    point = np.array([0.3, -0.2, 4], np.float32)
    seen = camera.R_camera_world[0] @ point + camera.t_camera_world[0]
    again = moved.R_camera_world[0] @ (turn @ point + shift) + moved.t_camera_world[0]
    np.testing.assert_allclose(again, seen, atol=1e-5)
    expected = turn @ camera.position_world[0] + shift
    np.testing.assert_allclose(moved.position_world[0], expected, atol=1e-5)


def test_some_frames_of_a_record() -> None:
    """Every array that has frames follows; the others stay."""
    tracks, motion, camera = make_tracks(6), make_motion(6), make_camera(6)
    index = np.array([1, 4])
    few = tracks.at_frames(index)
    assert few.keypoints_2d.shape == (1, 2, 33, 3)
    np.testing.assert_array_equal(few.keypoints_2d, tracks.keypoints_2d[:, index])
    np.testing.assert_array_equal(few.time_s, tracks.time_s[index])
    assert few.warnings == tracks.warnings
    np.testing.assert_array_equal(motion.at_frames(index).betas, motion.betas)
    assert motion.at_frames(index).num_frames == 2
    assert camera.at_frames(index).distortion.shape == (5,)
