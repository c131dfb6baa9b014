"""Strips of skeletons: a cell per moment, nothing beyond it, equal motions look equal."""

import numpy as np
import pytest
import torch

from motionfield.body.joint_limits import standing_pose
from motionfield.body.registry import load_body
from motionfield.rendering.strips import draw_strips


def _joints(frames: int = 30, lean: float = 0.0) -> np.ndarray:
    """Camera axes: y down."""
    body = load_body("toy")
    root = torch.diag(torch.tensor([1.0, -1.0, -1.0])).expand(frames, 3, 3)
    pose = standing_pose().expand(frames, 23, 3, 3)
    joints = body.pose(root, pose, torch.zeros(frames, 3), torch.zeros(16)).joints.numpy()
    return joints + lean * np.abs(joints[..., 1:2]) * (1, 0, 0)


def _cells(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return picture.reshape(rows, len(picture) // rows, columns, -1, 3).swapaxes(1, 2)


def test_equal_motions_look_equal_and_others_do_not() -> None:
    rows = {"": _joints(), " ": _joints() + 3.0, "  ": _joints(lean=0.4)}
    picture = draw_strips(rows, count=5, cell_px=80)
    assert len(picture) == 240
    cells = _cells(picture, 3, 5)
    assert (cells[0] == cells[1]).all()
    assert (cells[0, 0] != cells[2, 0]).any()
    inked = (cells != cells[0, 0, 0, 0]).any(-1)
    assert inked.any((2, 3)).all()
    # Upright, and inside its cell.
    edges = np.concatenate((inked[..., :2, :], inked[..., -2:, :]), axis=2)
    assert not edges.any()
    head = inked[0, 0].argmax(0)[inked[0, 0].any(0)].min()
    assert head < 20


def test_rows_have_to_be_equally_long() -> None:
    with pytest.raises(ValueError, match=r"rows of \[20, 30\] frames"):
        draw_strips({"a": _joints(30), "b": _joints(20)})
    with pytest.raises(ValueError, match="rows of"):
        draw_strips({})
