"""Errors in the picture by hand: labelled points, found points, boxes."""

import numpy as np
import pytest
import torch

from data.make_records import make_camera
from motionfield.steps.evaluate.image import (
    box_size,
    image_error,
    nemo_image_error,
    nemo_pck,
    pck,
    project_path,
    reprojection_error,
)

NAN = float("nan")


def shifted(truth: torch.Tensor, *pixels: float) -> torch.Tensor:
    """Each point moved to the right by so many pixels."""
    moved = truth.clone()
    moved[..., 0] += torch.tensor(pixels)
    return moved


@pytest.fixture
def truth() -> torch.Tensor:
    """Three points of a box of 100 x 200 pixels that starts at (300, 400)."""
    return torch.tensor([[[300.0, 400], [400, 400], [300, 600]]]).repeat(2, 1, 1)


def test_image_error_is_over_labelled_points(truth: torch.Tensor) -> None:
    predicted = shifted(truth, 3, 6, 9)
    assert image_error(predicted, truth).mean == pytest.approx(6)
    truth[0, 2] = NAN
    score = image_error(predicted, truth)
    assert score.per_frame.tolist() == pytest.approx([4.5, 6])
    assert score.mean == pytest.approx((3 + 6 + 3 + 6 + 9) / 5)
    # The code counts a joint without a label as zero: (3 + 6 + 0) / 3.
    published = nemo_image_error(predicted, truth)
    assert published.per_frame.tolist() == pytest.approx([3, 6])


def test_frames_without_labels_or_points_are_no_numbers(truth: torch.Tensor) -> None:
    nothing = truth * NAN
    size = box_size(truth)
    slots = truth.new_zeros(2, 25, 2)
    for score in (
        image_error(truth, nothing),
        nemo_image_error(truth, nothing),
        pck(truth, nothing, size),
        nemo_pck(truth, nothing, slots),
    ):
        assert score.frames_used == 0
    assert image_error(nothing, truth).frames_used == 0
    assert nemo_image_error(nothing, truth).frames_used == 0
    assert box_size(nothing).isnan().all()


def test_pck_by_hand(truth: torch.Tensor) -> None:
    """The box is 200 pixels long: 20 are right, 21 are wrong."""
    assert box_size(truth).tolist() == [200, 200]
    size = box_size(truth)
    assert pck(shifted(truth, 19, 20, 21), truth, size).mean == pytest.approx(200 / 3)
    assert pck(truth, truth, size).mean == 100
    missed = truth.clone()
    missed[:, 0] = NAN
    assert pck(missed, truth, size).mean == pytest.approx(200 / 3)  # not found is wrong
    truth[0, 1:] = NAN  # one label of the first frame, three of the second: 3 of 4
    assert pck(missed, truth, size).mean == pytest.approx(50)


def test_nemo_pck_grows_with_the_distance_from_the_origin(truth: torch.Tensor) -> None:
    """A missing label puts the box's corner at the origin: 5 % of |(400, 600)| is 36 px."""
    slots = torch.full((2, 25, 2), NAN)
    slots[:, :3] = truth
    predicted = shifted(truth, 36, 0, 0)
    assert nemo_pck(predicted, truth, slots).mean == 100
    assert nemo_pck(shifted(truth, 37, 0, 0), truth, slots).mean == pytest.approx(200 / 3)
    # With all 25 labelled it is the box's own diagonal: 5 % of |(100, 200)| is 11 px.
    whole = truth[:, :1].repeat(1, 25, 1)
    whole[:, :3] = truth
    assert nemo_pck(shifted(truth, 11, 12, 0), truth, whole).mean == pytest.approx(200 / 3)


def test_reprojection_is_weighted_by_confidence() -> None:
    seen = torch.tensor([[[0.0, 0, 1], [0, 0, 0.5]], [[0, 0, 0], [NAN, NAN, NAN]]])
    projected = torch.tensor([[[3.0, 4], [6, 8]], [[1, 1], [1, 1]]])
    score = reprojection_error(projected, seen)
    assert score.per_frame[0] == pytest.approx((5 + 0.5 * 10) / 1.5)
    assert score.per_frame[1].isnan()
    assert score.frames_used == 1


def test_projection_follows_the_camera_of_each_frame() -> None:
    camera = make_camera(2)
    t = np.array([[0, 0, 0], [1, 0, 0]], np.float32)
    points = torch.tensor([[[0.0, 0, 2]], [[0, 0, 2]]])
    pixels = project_path(points, camera.replace(t_camera_world=t))
    assert pixels[:, 0].tolist() == [[0, 0], [500, 0]]
