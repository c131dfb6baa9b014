"""When feet bear, and how they are kept where they stand."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from made_mocap import write_made_shard
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.formats.mocap_npz import MocapClip, read_mocap
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_calibration import calibrate_subject
from motionfield.worlds.mocap_feet import (
    Soles,
    bearing,
    bend_toes,
    planting,
    soles_of,
    standing_height,
    step_speed,
)
from motionfield.worlds.mocap_figure import Figure
from motionfield.worlds.mocap_pose import base_figure

_LEFT, _RIGHT, _HEEL, _BALL = 0, 1, 0, 1


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> tuple[MocapClip, Figure, Soles]:
    """60 frames of our own skeleton that hardly moves, soles level."""
    path = Path(tmp_path_factory.mktemp("made")) / "made.npz"
    body = load_body("toy")
    write_made_shard(path, body)
    shard = read_mocap(path)
    how = calibrate_subject(shard, "one", body)
    clip = shard.clip(shard.find("squats"))
    short = dataclasses.replace(
        clip,
        positions_world=clip.positions_world[:1].repeat(60, 1, 1),
        rotations_world=clip.rotations_world[:1].repeat(60, 1, 1, 1),
        bad_frame=np.zeros(60, dtype=bool),
    )
    parts = (short.positions_world, short.rotations_world, short.canonical)
    return short, base_figure(*parts, body, how), how.soles


def _lifted(clip: MocapClip, metres: Tensor) -> MocapClip:
    """With the left ankle and toe moved by (frames, 3)."""
    places = clip.positions_world.clone()
    for canon in ("l_ankle", "l_toe"):
        places[:, clip.canonical[canon]] += metres
    return dataclasses.replace(clip, positions_world=places)


def test_a_foot_bears_where_it_stands_and_not_on_its_way(
    standing: tuple[MocapClip, Figure, Soles],
) -> None:
    clip, figure, soles = standing
    way = torch.zeros(60, 3)
    swing = torch.linspace(0, torch.pi, 11)
    way[20:31, 2] = 0.15 * torch.sin(swing)
    way[20:31, 0] = 0.3 * (1 - torch.cos(swing))
    way[31:, 0] = 0.6
    bears = bearing(_lifted(clip, way), figure, soles, np.ones(60, dtype=bool))
    assert bears.shape == (60, 2, 2)
    assert (bears[:, _RIGHT] > 0.99).all()
    assert (bears[:19, _LEFT] > 0.99).all()
    assert (bears[33:, _LEFT] > 0.99).all()
    assert (bears[22:29, _LEFT] < 0.01).all()


def test_a_foot_that_is_held_still_in_the_air_does_not_bear(
    standing: tuple[MocapClip, Figure, Soles],
) -> None:
    clip, figure, soles = standing
    way = torch.zeros(60, 3)
    way[20:, 2] = 0.2
    bears = bearing(_lifted(clip, way), figure, soles, np.ones(60, dtype=bool))
    assert (bears[25:, _LEFT] == 0).all()
    assert (bears[:18, _LEFT] > 0.99).all()


def test_only_the_lower_end_of_a_tilted_foot_bears(
    standing: tuple[MocapClip, Figure, Soles],
) -> None:
    clip, figure, soles = standing
    ankle = JOINT_INDEX["left_ankle"]
    seen = np.ones(60, dtype=bool)
    for degrees, heel, ball in ((0.0, 1, 1), (35.0, 0, 1), (-35.0, 1, 0)):
        rotations = figure.rotations.clone()
        turn = axis_rotation("x", torch.tensor(np.deg2rad(degrees), dtype=torch.float32))
        rotations[:, ankle] = rotations[:, ankle] @ turn
        bears = bearing(clip, figure._replace(rotations=rotations), soles, seen)[30, _LEFT]
        assert bears.tolist() == pytest.approx([heel, ball], abs=0.01), degrees


def test_a_lying_foot_and_an_unseen_one_do_not_bear(
    standing: tuple[MocapClip, Figure, Soles],
) -> None:
    clip, figure, soles = standing
    rotations = figure.rotations.clone()
    ankle = JOINT_INDEX["left_ankle"]
    rotations[:, ankle] = rotations[:, ankle] @ axis_rotation("z", torch.tensor(2.0))
    seen = np.ones(60, dtype=bool)
    seen[10:20] = False
    bears = bearing(clip, figure._replace(rotations=rotations), soles, seen)
    assert (bears[:, _LEFT] == 0).all()
    assert (bears[10:20] == 0).all()
    assert (bears[30:, _RIGHT] > 0.99).all()


def test_sides_that_stand_a_little_apart_both_stand() -> None:
    still, heights = torch.zeros(40, 2, 1), torch.zeros(40, 2, 1)
    heights[:, _LEFT], heights[:, _RIGHT] = 0.05, 0.08
    assert standing_height(heights, still)[:, 0].tolist() == pytest.approx([0.05, 0.08])
    heights[:, _RIGHT] = 0.4  # on a box
    assert standing_height(heights, still)[:, 0].tolist() == pytest.approx([0.05, 0.05])


def test_speed_is_that_of_the_slower_step() -> None:
    places = torch.tensor([0.0, 0.0, 0.1, 0.1, 0.3])[:, None] * torch.tensor([1.0, 0.0, 0.0])
    assert step_speed(places, 10.0).tolist() == pytest.approx([0, 0, 0, 0, 2])
    assert step_speed(places[:1], 10.0).tolist() == [0]


def _walk(frames: int = 50) -> tuple[Tensor, Tensor, Tensor]:
    """Feet that creep by 4 mm a frame, 2 cm too high; the left one lifts in between."""
    generator = torch.Generator().manual_seed(2)
    places = 0.001 * torch.randn(frames, 2, 2, 3, generator=generator)
    places[..., 0] += 0.004 * torch.arange(frames)[:, None, None]
    places[:, :, _BALL, 1] -= 0.15
    places[..., 2] += 0.05
    bears = torch.ones(frames, 2, 2)
    bears[20:30, _LEFT] = 0
    bears[:10, _RIGHT, _HEEL] = 0.5
    return places, bears, torch.full((2, 2), 0.03)


def test_planting_is_the_minimum_that_it_says() -> None:
    """Against dense least squares, row by row, in float64."""
    places, bears, heights = _walk()
    found = planting(places, bears, heights, 30.0).double().numpy()
    p, b, h = (x.double().numpy() for x in (places, bears, heights))
    frames = len(p)
    for side in range(2):
        for axis in range(3):
            rows, target = [], []

            def add(weight: float, entries: dict[int, float], value: float) -> None:
                row = np.zeros(frames)
                for t, x in entries.items():
                    row[t] = x
                rows.append(np.sqrt(weight) * row)  # noqa: B023
                target.append(np.sqrt(weight) * value)  # noqa: B023

            for t in range(frames):
                add(3e-3, {t: 1}, 0)
                if t + 1 < frames:
                    add(0.03, {t: -1, t + 1: 1}, 0)
                    for point in range(2):
                        held = min(b[t, side, point], b[t + 1, side, point])
                        step = p[t + 1, side, point, axis] - p[t, side, point, axis]
                        add(held, {t: -1, t + 1: 1}, -step)
                if t + 2 < frames:
                    add(0.3, {t: 1, t + 1: -2, t + 2: 1}, 0)
                if axis == 2:
                    for point in range(2):
                        above = p[t, side, point, 2] - h[side, point]
                        add(b[t, side, point], {t: 1}, -above)
            expected = np.linalg.lstsq(np.array(rows), np.array(target), rcond=None)[0]
            np.testing.assert_allclose(found[:, side, axis], expected, atol=1e-5)


def test_planted_feet_stand_still_on_the_ground() -> None:
    places, bears, heights = _walk()
    moved = places + planting(places, bears, heights, 30.0)[:, :, None]
    held = torch.minimum(bears[1:], bears[:-1]) > 0.9
    before, after = ((x[1:] - x[:-1])[..., :2].norm(dim=-1)[held].mean() for x in (places, moved))
    assert after < 0.5 * before
    assert (moved[..., 2] - heights).abs()[bears > 0.9].mean() < 0.003


def test_feet_that_do_not_bear_are_left_alone() -> None:
    places, bears, heights = _walk()
    assert planting(places, 0 * bears, heights, 30.0).abs().max() == 0
    far = places + torch.tensor([0.0, 0.0, 0.5])
    assert planting(far, bears, heights, 30.0).abs().max() == 0
    assert planting(places[:2], bears[:2], heights, 30.0).abs().max() == 0


def test_soles_lie_below_the_ankles() -> None:
    for name in ("toy", "anny"):
        body = load_body(name)
        soles = soles_of(body, torch.zeros(body.num_betas), torch.ones(24))
        assert (soles.points[:, _HEEL, 2] < 0).all()
        assert (soles.points[:, _BALL, 2] > 0.08).all()
        assert (soles.points[..., 1] < -0.01).all()
        assert ((soles.heights > 0) & (soles.heights < 0.06)).all()


def test_toes_stay_level_while_the_heel_rises_near_the_ground(
    standing: tuple[MocapClip, Figure, Soles],
) -> None:
    _, figure, _ = standing
    ankle, foot = JOINT_INDEX["left_ankle"], JOINT_INDEX["left_foot"]
    rotations = figure.rotations.clone()
    rotations[:, ankle] = rotations[:, ankle] @ axis_rotation("x", torch.tensor(0.6))
    ground = figure.joints[0, foot, 2] - 0.02
    low = figure._replace(root=figure.root - torch.tensor([0, 0, 1.0]) * ground)
    bent = bend_toes(low._replace(rotations=rotations))
    assert bent.rotations[:, foot, 2, 2].abs().max() < 0.01
    high = bend_toes(low._replace(rotations=rotations, root=low.root + 0.3))
    torch.testing.assert_close(high.rotations[:, foot], rotations[:, ankle])
