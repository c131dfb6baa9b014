"""Foot slide: known slides at any frame rate, and only in contact."""

import math

import pytest
import torch

from motionfield.steps.evaluate.feet import (
    foot_slide,
    resting_points,
    slide_way,
    wham_foot_slide,
)


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


def rolling(frames: int = 8) -> torch.Tensor:
    """Toe stays, heel lifts and goes at 0.6 m/s from frame 4 on; 30 fps."""
    points = torch.zeros(frames, 2, 3)
    after = (torch.arange(frames) - 3).clamp_min(0)
    points[:, 1, 0] = after * 0.02
    points[:, 1, 2] = after * 0.02
    return points


def test_a_rolling_foot_rests_on_its_toe_alone() -> None:
    bears = torch.ones(8, 2, dtype=torch.bool)
    resting = resting_points(rolling(), bears, 30.0)
    assert resting[:, 0].all()
    assert resting[:, 1].tolist() == [True] * 4 + [False] * 4
    lifted = bears.clone()
    lifted[2, 0] = False
    assert not resting_points(rolling(), lifted, 30.0)[2, 0]
    assert foot_slide(rolling(), resting, 30.0).mean == pytest.approx(0)
    assert foot_slide(rolling(), bears, 30.0).mean > 1  # what the whole foot would have cost


def test_wham_slide_by_hand() -> None:
    """The true heel rests for three steps; the predicted one goes (3, 0, 4) mm in each."""
    truth = rolling()
    predicted = torch.zeros_like(truth)
    predicted[:, 1] = torch.arange(8)[:, None] * torch.tensor([0.003, 0, 0.004])
    score = wham_foot_slide(predicted, truth)
    # Seven steps of the toe without any way, three of the heel of 5 mm: 15 / 10 values.
    assert score.mean == pytest.approx(1.5, rel=1e-4)
    assert score.frames_used == 7
    nowhere = truth + torch.arange(8).view(-1, 1, 1)
    assert wham_foot_slide(predicted, nowhere).frames_used == 0


def test_wham_slide_does_not_depend_on_the_frame_rate() -> None:
    def sliding(fps: float, speed: float) -> torch.Tensor:
        points = torch.zeros(30, 1, 3)
        points[:, 0, 0] = torch.arange(30) / fps * speed
        return points

    for fps in (25.0, 30.0, 120.0):
        assert wham_foot_slide(sliding(fps, 0.6), sliding(fps, 0.2), fps).mean == pytest.approx(
            20, rel=1e-3
        )
        assert wham_foot_slide(sliding(fps, 0.6), sliding(fps, 0.4), fps).frames_used == 0
