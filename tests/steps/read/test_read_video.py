"""Reading: every frame once, at its true time, upright; clear words for what is no video."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from motionfield.core.errors import InputError, OptionError
from motionfield.formats.video_file import VideoWriter, stream_frames
from motionfield.steps.read import ReadConfig, read_video


def numbered(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey frame whose brightness tells its index; its top left quarter is red."""
    frame = np.full((height, width, 3), 40 + 6 * (index % 36), np.uint8)
    frame[: height // 2, : width // 2] = (200, 0, 0)
    return frame


def write_video(
    path: Path,
    times_ms: list[int],
    size: tuple[int, int] = (64, 48),
    rotation: int = 0,
) -> Path:
    """An mp4 with these time stamps and this rotation flag (degrees, counter-clockwise)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"g": "5", "crf": "10"}
        if rotation:
            stream.set_display_rotation(rotation)
        for index, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(numbered(index, *size), format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def indices(frames: list[np.ndarray]) -> list[int]:
    """Which frames these are, told by the brightness of their lower right corner."""
    return [round((float(f[-8:, -8:].mean()) - 40) / 6) for f in frames]


def test_variable_rates_keep_their_true_time_stamps(tmp_path: Path) -> None:
    times = [0, 33, 70, 100, 180, 200, 290, 300, 350, 400]
    video = read_video(write_video(tmp_path / "variable.mp4", times))
    np.testing.assert_allclose(video.time_s, np.array(times) / 1000, atol=1.1e-3)
    assert video.fps == pytest.approx(9 / 0.4, rel=0.01)
    assert indices(list(stream_frames(video))) == list(range(10))


def test_a_range_gives_just_its_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", [40 * i for i in range(30)])
    video = read_video(path, ReadConfig(range_s=(0.4, 0.8)))
    np.testing.assert_array_equal(video.frame_index, np.arange(10, 20))
    assert indices(list(stream_frames(video))) == list(range(10, 20))


def test_a_late_range_is_sought_and_exact(tmp_path: Path) -> None:
    path = write_video(tmp_path / "late.mp4", [150 * i for i in range(30)])
    video = read_video(path, ReadConfig(range_s=(3.0, 4.0)))
    assert indices(list(stream_frames(video))) == list(video.frame_index) == list(range(20, 27))


def test_capture_rate_slows_the_clock_not_the_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "slow.mp4", [40 * i for i in range(10)])
    video = read_video(path, ReadConfig(capture_fps=250.0))
    assert video.fps == pytest.approx(250)
    np.testing.assert_allclose(video.time_s, np.arange(10) / 250, atol=1e-4)
    np.testing.assert_allclose(video.playback_s, np.arange(10) / 25, atol=1e-3)
    assert len(list(stream_frames(video))) == 10


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_rotation_flags_are_obeyed(tmp_path: Path, rotation: int) -> None:
    """A player turns the stored picture by the flag; the red quarter must land where it does."""
    path = write_video(tmp_path / "turned.mp4", [0, 33], rotation=rotation)
    video = read_video(path)
    expected = np.rot90(numbered(0), k=rotation // 90)
    assert video.image_size == expected.shape[1::-1]
    frame = next(stream_frames(video))
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 12


def test_odd_sizes_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.mp4"
    with VideoWriter(path, 65, 49, 30.0) as writer:
        for index in range(4):
            writer.write(numbered(index, 65, 49))
    video = read_video(path)
    assert video.image_size == (64, 48)
    assert len(list(stream_frames(video))) == 4


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with VideoWriter(tmp_path / "broken.mp4", 64, 48, 30.0) as writer:
            writer.write(numbered(0))
            raise KeyError("stop")

    with pytest.raises(KeyError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_images_is_a_video_in_natural_order(tmp_path: Path) -> None:
    for index in (1, 2, 10):
        Image.fromarray(numbered(index)).save(tmp_path / f"frame{index}.png")
    (tmp_path / "notes.txt").write_text("not an image")
    video = read_video(tmp_path)
    assert video.num_frames == 3
    assert indices(list(stream_frames(video))) == [1, 2, 10]


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    video = read_video(write_video(tmp_path / "one.mp4", [0]))
    assert video.num_frames == 1
    assert len(list(stream_frames(video))) == 1


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.mp4: does not exist"):
        read_video(tmp_path / "missing.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(InputError, match=r"text.mp4: cannot be read as a video"):
        read_video(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(InputError, match=r"empty\.mp4"):
        read_video(tmp_path / "empty.mp4")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no images"):
        read_video(folder)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="holds no video stream"):
        read_video(path)


def test_a_cut_file_says_where_it_is_damaged(tmp_path: Path) -> None:
    path = write_video(tmp_path / "whole.mkv", [33 * i for i in range(60)], (320, 240))
    video = read_video(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"damaged at frame \d+.*--range"):
        list(stream_frames(video))


def test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    Image.fromarray(numbered(0)).save(tmp_path / "a.png")
    Image.fromarray(numbered(0, 32, 32)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"b\.png: is 32x32"):
        list(stream_frames(read_video(tmp_path)))


@pytest.mark.parametrize(
    "config",
    [
        ReadConfig(range_s=(2.0, 1.0)),
        ReadConfig(range_s=(-1.0, 1.0)),
        ReadConfig(capture_fps=0.0),
        ReadConfig(capture_fps=float("nan")),
    ],
)
def test_senseless_options_are_refused(tmp_path: Path, config: ReadConfig) -> None:
    path = write_video(tmp_path / "video.mp4", [0, 33])
    with pytest.raises(OptionError):
        read_video(path, config)


def test_a_range_beyond_the_end_says_how_long_the_file_is(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4", [0, 100, 200])
    with pytest.raises(InputError, match=r"0\.20 s long"):
        read_video(path, ReadConfig(range_s=(5.0, 6.0)))
