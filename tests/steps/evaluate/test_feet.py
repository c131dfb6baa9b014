"""Foot slide: known slides at any frame rate, and only in contact."""

import math

import pytest
import torch

from motionfield.steps.evaluate.feet import foot_slide, slide_way


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 240.0])
def test_foot_slide_does_not_depend_on_the_frame_rate(fps: float) -> None:
    frames = 40
    points = torch.zeros(frames, 2, 3)
    points[:, 0, 0] = torch.arange(frames) / fps * 0.3  # 0.3 m/s is 10 mm per 1/30 s
    points[:, 0, 2] = torch.arange(frames) / fps  # rising is no slide
    contact = torch.zeros(frames, 2, dtype=torch.bool)
    contact[:, 0] = True
    assert foot_slide(points, contact, fps).mean == pytest.approx(10, rel=1e-3)


def test_foot_slide_counts_only_what_is_in_contact_all_the_time() -> None:
    points = torch.zeros(6, 2, 3)
    points[3:, 0, 0] = 1.0  # the left point jumps between frames 2 and 3
    contact = torch.ones(6, 2, dtype=torch.bool)
    contact[3, 0] = False
    way = slide_way(points, contact, 30.0)
    assert way[:, 0].isnan().tolist() == [False, False, True, True, False, True]
    assert float(way[:, 0].nansum()) == 0
    none = foot_slide(points, torch.zeros_like(contact), 30.0)
    assert none.frames_used == 0
    assert math.isnan(none.mean)
