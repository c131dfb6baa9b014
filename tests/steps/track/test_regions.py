"""Regions: points to crop and back, turning, what lies inside the picture."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionfield.steps.track.regions import (
    ROI_SCALE,
    Roi,
    crop,
    roi_from_points,
    share_inside,
    to_crop,
    to_image,
)

_rois = st.builds(
    Roi,
    x=st.floats(-500, 2000),
    y=st.floats(-500, 2000),
    side=st.floats(10, 3000),
    angle=st.floats(-math.pi, math.pi),
)


@given(roi=_rois, x=st.floats(-300, 600), y=st.floats(-300, 600))
def test_to_image_and_back(roi: Roi, x: float, y: float) -> None:
    point = np.array([[x, y]])
    assert np.allclose(to_crop(to_image(point, roi, 256), roi, 256), point, atol=1e-6)


@given(roi=_rois)
def test_crop_center_is_region_center_and_sides_are_kept(roi: Roi) -> None:
    points = to_image(np.array([[128.0, 128.0], [0.0, 0.0], [256.0, 0.0]]), roi, 256)
    assert np.allclose(points[0], (roi.x, roi.y), atol=1e-6)
    assert np.linalg.norm(points[2] - points[1]) == pytest.approx(roi.side, rel=1e-9)


@given(angle=st.floats(-3.1, 3.1), length=st.floats(5, 500))
def test_body_axis_points_up_in_the_crop(angle: float, length: float) -> None:
    hip = np.array([320.0, 240.0])
    top = hip + length * np.array([math.sin(angle), -math.cos(angle)])
    roi = roi_from_points(hip, top)
    assert roi.angle == pytest.approx(angle, abs=1e-9)
    assert np.allclose(to_crop(top[None], roi, 256), [[128, 128 - 256 / ROI_SCALE]], atol=1e-6)


def test_upright_and_upside_down_regions() -> None:
    hip = np.array([0.0, 0.0])
    assert roi_from_points(hip, np.array([0.0, -10.0])).angle == 0
    assert abs(roi_from_points(hip, np.array([0.0, 10.0])).angle) == pytest.approx(math.pi)


def test_crop_of_the_same_size_copies_the_pixels() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(crop(frame, Roi(32, 32, 64, 0), 64), frame)


def test_crop_turned_by_a_quarter_is_the_turned_picture() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    turned = crop(frame, Roi(32, 32, 64, math.pi / 2), 64)
    # The crop's up is the image's right: the image's right edge becomes the crop's top.
    assert np.array_equal(turned, np.rot90(frame))


def test_pixels_in_the_crop_are_where_to_image_says() -> None:
    roi = Roi(70, 60, 80, 0.4)
    yy, xx = np.mgrid[0:128, 0:128] + 0.5
    ramp = np.stack((xx, yy, np.zeros_like(xx)), -1).astype(np.uint8)
    cut = crop(ramp, roi, 80)
    expected = to_image(np.array([[30.5, 50.5], [40.5, 10.5]]), roi, 80)
    assert np.allclose(cut[[50, 10], [30, 40], :2], expected - 0.5, atol=1.5)


def test_crop_outside_repeats_the_border() -> None:
    frame = np.full((20, 20, 3), 77, np.uint8)
    assert (crop(frame, Roi(0, 0, 40, 0.3), 32) == 77).all()


@pytest.mark.parametrize(
    ("roi", "share"),
    [
        (Roi(50, 50, 20, 0.3), 1.0),
        (Roi(0, 50, 20, 0), 0.5),
        (Roi(0, 0, 20, 0), 0.25),
        (Roi(-50, 50, 20, 1), 0.0),
    ],
)
def test_share_inside(roi: Roi, share: float) -> None:
    assert share_inside(roi, 100, 100) == pytest.approx(share, abs=1e-5)


def test_unsound_regions_are_recognised() -> None:
    assert not Roi(math.nan, 0, 100, 0).is_sound()
    assert not Roi(0, 0, 2, 0).is_sound()
    assert Roi(0, 0, 100, 0).is_sound()
