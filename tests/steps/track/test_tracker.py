"""The whole step: reading ahead, errors, and the networks on real frames."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from motionfield.core.assets import find_asset
from motionfield.core.errors import InputError, NoPersonError, OptionError, RecordError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.video import Video
from motionfield.formats.video_file import stream_frames
from motionfield.steps.read import ReadConfig, read_video
from motionfield.steps.track import PoseModels, TrackConfig, Tracker
from motionfield.steps.track.tracker import read_ahead


def _frames(count: int) -> Iterator[ndarray]:
    for value in range(count):
        yield np.full((4, 4, 3), value, np.uint8)


def test_reading_ahead_changes_nothing() -> None:
    assert [int(f[0, 0, 0]) for f in read_ahead(_frames(20))] == list(range(20))
    assert list(read_ahead(iter(()))) == []


def test_reading_ahead_hands_on_errors_after_the_good_frames() -> None:
    def damaged() -> Iterator[ndarray]:
        yield from _frames(3)
        raise InputError("a.mp4", "is damaged", "re-encode it")

    stream = read_ahead(damaged())
    assert [int(f[0, 0, 0]) for f in itertools.islice(stream, 3)] == [0, 1, 2]
    with pytest.raises(InputError, match="damaged"):
        next(stream)


def test_reading_ahead_stops_with_its_consumer_and_reads_little_more() -> None:
    read = itertools.count()
    endless = (np.full((4, 4, 3), next(read) % 255, np.uint8) for _ in itertools.count())
    stream = read_ahead(endless)
    next(stream)
    stream.close()
    assert next(read) < 8
    assert not [t for t in threading.enumerate() if t.name == "read-ahead"]


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"no network at all")
    with pytest.raises(InputError, match=r"wrong\.tflite.*not a usable"):
        Tracker(TrackConfig(), PoseModels(wrong, wrong))


def _models() -> PoseModels:
    return PoseModels(find_asset("pose_detector"), find_asset("pose_landmarks_full"))


def _blank_video(frames: int) -> Video:
    time_s = np.arange(frames) / 30
    return Video(
        path=Path("blank.mp4"),
        image_width=320,
        image_height=240,
        rotation_deg=0,
        fps=30.0,
        frame_index=np.arange(frames),
        time_s=time_s,
        playback_s=time_s,
    )


@pytest.mark.models
def test_exchanged_networks_are_refused() -> None:
    models = _models()
    with pytest.raises(InputError, match="outputs"):
        Tracker(TrackConfig(), PoseModels(models.landmarks, models.detector))


@pytest.mark.models
def test_an_empty_picture_has_nobody() -> None:
    frames = [np.full((240, 320, 3), 90, np.uint8)] * 8
    tracker = Tracker(TrackConfig(), _models())
    with pytest.raises(NoPersonError, match=r"blank\.mp4"):
        tracker.track(_blank_video(8), frames)
    with pytest.raises(RecordError, match="8 frames came, 9"):
        tracker.track(_blank_video(9), frames)


@pytest.mark.models("demo_video")
def test_people_of_the_demo_have_plausible_skeletons() -> None:
    video = read_video(find_asset("demo_video"), ReadConfig(range_s=(2.4, 2.9)))
    tracks = Tracker(TrackConfig(person="all"), _models()).track(video, stream_frames(video))
    assert tracks.num_persons == 2
    assert tracks.keypoint_names == BLAZEPOSE_33.keypoint_names
    index = BLAZEPOSE_33.index
    for person in range(2):
        keypoints, coarse = tracks.keypoints_2d[person], tracks.coarse_camera[person]
        assert tracks.observed[person].all()
        assert np.nanmedian(keypoints[..., 2]) > 0.8
        # upright: the nose above the hips above the ankles, in 2D and in 3D (y points down)
        for points in (keypoints, coarse):
            order = [points[:, index(n), 1].mean() for n in ("nose", "left_hip", "left_ankle")]
            assert order == sorted(order)
        height = np.nanmax(coarse[..., 1], axis=1) - np.nanmin(coarse[..., 1], axis=1)
        assert 1.2 < np.median(height) < 1.9
        hips = coarse[:, [index("left_hip"), index("right_hip")]].mean(1)
        assert np.abs(hips).max() < 0.05
    # the man on the box faces the camera: his left is on the picture's right, his nose is nearer
    man = int(np.argmin(np.nanmean(tracks.keypoints_2d[:, :, 0, 1], axis=1)))
    left, right = (
        tracks.keypoints_2d[man, :, index(f"{s}_shoulder"), 0] for s in ("left", "right")
    )
    assert (left > right).all()
    depth = tracks.coarse_camera[man]
    shoulders = depth[:, [index("left_shoulder"), index("right_shoulder")], 2].mean(1)
    assert np.median(depth[:, 0, 2] - shoulders) < 0


@pytest.mark.models("demo_video")
def test_one_person_by_number_is_the_same_as_among_all() -> None:
    video = read_video(find_asset("demo_video"), ReadConfig(range_s=(2.4, 2.6)))
    everyone, second = (
        Tracker(TrackConfig(person=person), _models()).track(video, stream_frames(video))
        for person in ("all", 1)
    )
    assert np.array_equal(second.keypoints_2d[0], everyone.keypoints_2d[1], equal_nan=True)
    with pytest.raises(OptionError, match=r"--person 7: only \d found"):
        Tracker(TrackConfig(person=7), _models()).track(video, stream_frames(video))


@pytest.mark.models("demo_video")
def test_the_number_of_workers_changes_nothing() -> None:
    video = read_video(find_asset("demo_video"), ReadConfig(range_s=(2.4, 2.6)))
    one, two = (
        Tracker(TrackConfig(workers=workers), _models()).track(video, stream_frames(video))
        for workers in (1, 2)
    )
    assert np.array_equal(one.keypoints_2d, two.keypoints_2d, equal_nan=True)
