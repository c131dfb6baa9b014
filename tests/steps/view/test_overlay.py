"""The overlay shows bodies where the camera sees them, and marks what cannot be trusted."""

import itertools

import numpy as np
import pytest

from motionfield.core.errors import RecordError
from motionfield.rendering import Shading
from motionfield.steps.view import OverlayConfig, overlay_frames, overlay_size
from motionfield.steps.view.looks import DOUBT_COLOUR, UNSEEN_COLOUR
from motionfield.steps.view.posed import bodies_by_frame, joints_of, view_of
from motionfield.steps.view.world_view import world_camera
from steps.view.made_takes import made_take

GREY = 90
QUICK = OverlayConfig(
    max_pixels=640 * 360,
    video_shading=Shading(ray_budget=8_000),
    world_shading=Shading(ray_budget=8_000),
)


def grey_frames(count: int, size: tuple[int, int] = (640, 360)) -> list[np.ndarray]:
    return [np.full((size[1], size[0], 3), GREY, np.uint8)] * count


@pytest.fixture(scope="module")
def pictures(take, body):
    return list(overlay_frames(grey_frames(60), [take], body, QUICK))


def test_one_even_sized_picture_per_frame(pictures):
    assert len(pictures) == 60
    assert {p.shape for p in pictures} == {(360, 640 + 306, 3)}
    assert all(p.dtype == np.uint8 for p in pictures)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (639, 361), (3840, 2160), (64, 48)])
def test_sizes_are_even_capped_and_keep_the_shape(size):
    config = OverlayConfig()
    width, world, height = overlay_size(size, config)
    assert width % 2 == world % 2 == height % 2 == 0
    assert height <= config.max_height
    assert width * height <= config.max_pixels * 1.01
    assert width / height == pytest.approx(size[0] / size[1], rel=0.04)
    assert width <= size[0] + 1


def test_body_is_drawn_where_the_camera_sees_it(pictures, take, body):
    joints = joints_of(take.motion, body)
    for index in (0, 40):
        pixels, _ = view_of(take.camera, index).pixels_of(joints[index].astype(float))
        column, row = np.round(pixels[0] - 0.5).astype(int)
        assert abs(pictures[index][row, column].astype(int) - GREY).max() > 30
        far = pictures[index][100:300, :60] if column > 320 else pictures[index][100:300, 560:640]
        assert (far == GREY).all()


def test_doubtful_frames_have_a_border_and_others_none(pictures, take):
    for index, picture in enumerate(pictures):
        time = take.motion.time_s[index]
        doubtful = any(a <= time <= b for a, b, _ in take.quality.spans)
        edge = picture[1, :640]
        assert (edge == DOUBT_COLOUR).all() == doubtful, index


def test_carried_over_frames_are_marked_in_the_world_view(pictures, take):
    for index in (10, 22, 30):
        edge = (pictures[index][1, 640:] == UNSEEN_COLOUR).all()
        assert edge == (not take.motion.observed[index])


def test_persons_have_their_own_colours(take, body):
    other = made_take(body, "person 1", start=(0.6, 1.0))
    both = next(overlay_frames(grey_frames(1), _first(take, other), body, QUICK))
    alone = next(overlay_frames(grey_frames(1), _first(take), body, QUICK))
    video = both[:, :640].astype(int)
    blue = (video[..., 2] > video[..., 0] + 20).sum()
    orange = (video[..., 0] > video[..., 2] + 20).sum()
    assert min(blue, orange) > 200
    only = alone[:, :640].astype(int)
    assert (only[..., 0] > only[..., 2] + 20).sum() < 0.5 * orange


def _first(*takes):
    """The takes cut to their first frame."""
    seen = ("keypoints_2d", "time_s", "frame_index", "observed")
    moved = ("global_orient", "body_pose", "transl", "time_s", "frame_index", "observed")
    return [
        take._replace(
            keypoints=take.keypoints.replace(**{k: getattr(take.keypoints, k)[:1] for k in seen}),
            motion=take.motion.replace(**{k: getattr(take.motion, k)[:1] for k in moved}),
        )
        for take in takes
    ]


@pytest.mark.parametrize("count", [2, 4])
def test_other_number_of_frames_is_refused(count, body):
    with pytest.raises(RecordError, match="3"):
        list(overlay_frames(grey_frames(count), [made_take(body, frames=3)], body, QUICK))


def test_input_frames_are_left_alone(take, body):
    frame = np.full((360, 640, 3), GREY, np.uint8)
    next(overlay_frames([frame], _first(take), body, QUICK))
    assert (frame == GREY).all()


def test_frames_are_asked_for_one_at_a_time(take, body):
    asked = []

    def source():
        for index, frame in enumerate(grey_frames(60)):
            asked.append(index)
            yield frame

    pictures = overlay_frames(source(), [take], body, QUICK)
    list(itertools.islice(pictures, 3))
    assert asked == [0, 1, 2]


def test_body_behind_the_camera_leaves_the_frame(take, body):
    turned = take.camera.R_camera_world * np.array([-1, 1, -1], np.float32)[:, None]
    camera = take.camera.replace(
        R_camera_world=turned, t_camera_world=take.camera.t_camera_world * (-1, 1, -1)
    )
    keypoints = take.keypoints.replace(
        keypoints_2d=np.full_like(take.keypoints.keypoints_2d, np.nan),
        observed=np.zeros(60, bool),
    )
    hidden = take._replace(camera=camera, keypoints=keypoints)
    picture = next(overlay_frames(grey_frames(1), _first(hidden), body, QUICK))
    assert (picture[100:300, :640] == GREY).all()


def test_posing_in_chunks_is_posing_at_once(take, body):
    joints = joints_of(take.motion, body)
    chunked = np.stack([posed[0].joints_world for posed in bodies_by_frame([take], body)])
    np.testing.assert_allclose(chunked, joints, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_world_camera_sees_the_whole_path_upright(seed):
    generator = np.random.default_rng(seed)
    extent = generator.uniform(0.5, 40, 3) * (1, 1, 0.05)
    points = generator.uniform(0, 1, (500, 3)) * extent + generator.uniform(-50, 50, 3)
    view = world_camera(points, generator.uniform(-60, 60, 3), (300, 400))
    pixels, depths = view.pixels_of(points)
    assert depths.min() > 0
    assert pixels.min() >= 0
    assert (pixels <= (300, 400)).all()
    # It comes near: the path fills most of the picture in one direction at least.
    assert (np.ptp(pixels, axis=0) / (300, 400)).max() > 0.6
    assert view.R_camera_world[1, 2] < 0, "the picture's down is the world's down"


def test_world_camera_shows_a_long_path_from_the_side():
    path = np.linspace((0, 0, 1), (12, 3, 1), 50)
    view = world_camera(path, np.array([-4.0, -9.0, 1.5]), (400, 400))
    along = path[-1] - path[0]
    across = abs(view.R_camera_world[0] @ along) / np.linalg.norm(along)
    assert across > 0.7


def test_a_person_who_is_not_there_yet_is_not_drawn(pictures, take, body):
    observed = np.array(take.motion.observed)
    observed[:3] = False
    keypoints = np.array(take.keypoints.keypoints_2d)
    keypoints[:3] = np.nan
    late = take._replace(
        motion=take.motion.replace(observed=observed),
        keypoints=take.keypoints.replace(keypoints_2d=keypoints, observed=observed),
    )
    first = next(iter(overlay_frames(grey_frames(60), [late], body, QUICK)))
    pelvis = joints_of(take.motion, body)[0, :1].astype(float)
    column, row = np.round(view_of(take.camera, 0).pixels_of(pelvis)[0][0] - 0.5).astype(int)
    assert (pictures[0][row, column] != GREY).any()
    assert (first[row, column] == GREY).all()
