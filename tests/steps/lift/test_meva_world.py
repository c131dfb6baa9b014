"""The root's path: what is told of it is met, outliers and gaps do not bend it."""

from dataclasses import replace

import pytest
import torch

from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.lift.meva.config import FootConfig, RootPathConfig
from motionfield.steps.lift.meva.feet import foot_shifts, resting_soles
from motionfield.steps.lift.meva.world import PathEvidence, solve_path

RATE = 30.0
CAMERA = torch.tensor([0.0, -5.0, 1.5])
DEPTH_SD = 0.03
STANDS = torch.tensor([0.02, 0.01, 0.02, 0.01])


def path(frames: int) -> torch.Tensor:
    """A curve at walking speed."""
    t = torch.arange(frames) / RATE
    return torch.stack((1.2 * t - 2, 0.5 * torch.sin(t), 0.9 + 0.03 * torch.sin(8 * t)), -1)


def told(truth: torch.Tensor, **changes: torch.Tensor) -> PathEvidence:
    """All the truth, no foot at rest."""
    frames = len(truth)
    velocity = torch.zeros_like(truth)
    if frames > 1:
        velocity = torch.gradient(truth, spacing=1 / RATE, dim=0)[0]
    evidence = PathEvidence(
        place=truth,
        depth_sd=torch.full((frames,), DEPTH_SD),
        camera_place=CAMERA.expand(frames, 3),
        velocity=velocity,
        soles=torch.zeros(frames, 4, 3),
        rest=torch.zeros(frames, 4),
        sole_height=STANDS,
        rate_hz=RATE,
    )
    return evidence._replace(**changes)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("frames", [1, 2, 3, 200])
def test_the_truth_is_left_alone(frames: int) -> None:
    truth = path(frames)
    found = solve_path(told(truth), RootPathConfig())
    torch.testing.assert_close(found.place, truth, atol=2e-3, rtol=0)
    assert (found.std > 0).all()


def test_a_wrong_distance_is_evened_out() -> None:
    truth = path(150)
    ray = torch.nn.functional.normalize(truth - CAMERA, dim=-1)
    places = truth + 0.15 * noise(150, 1) * ray
    found = solve_path(told(truth, place=places), RootPathConfig()).place
    assert (found - truth).norm(dim=-1).mean() < 0.3 * (places - truth).norm(dim=-1).mean()
    assert (found - truth).diff(n=2, dim=0).norm(dim=-1).max() < 0.003


def test_the_picture_is_met_across_the_ray() -> None:
    """A wrong velocity moves the person along the ray at most."""
    truth = path(150)
    found = solve_path(told(truth, velocity=torch.zeros_like(truth)), RootPathConfig()).place
    ray, seen = (torch.nn.functional.normalize(p - CAMERA, dim=-1) for p in (found, truth))
    assert torch.rad2deg(torch.acos((ray * seen).sum(-1).clamp(-1, 1))).mean() < 0.6


def test_gaps_follow_the_velocity() -> None:
    truth = path(150)
    places = truth.clone()
    places[40:80] = torch.nan
    found = solve_path(told(truth, place=places), RootPathConfig())
    torch.testing.assert_close(found.place, truth, atol=0.01, rtol=0)
    assert (found.std[60] > found.std[20] + 0.05).all()
    nothing = torch.full_like(truth, torch.nan)
    assert torch.isfinite(solve_path(told(truth, place=nothing), RootPathConfig()).place).all()


def test_outliers_do_not_bend_it() -> None:
    truth = path(150)
    places = truth.clone()
    places[70:73] = CAMERA + 1.5 * (places[70:73] - CAMERA)
    places[100] += 1.0
    found = solve_path(told(truth, place=places), RootPathConfig()).place
    assert (found - truth).norm(dim=-1).max() < 0.06


def test_a_resting_foot_holds_the_root() -> None:
    """The left foot stands all the time, the right one is said to and flies."""
    truth = path(150)
    foot = torch.tensor([0.3, 0.1, 0.0])
    soles = torch.zeros(150, 4, 3)
    soles[:, :2] = foot - truth.unsqueeze(1)
    soles[:, 2:] = torch.tensor([0.0, 0.2, -0.8])
    soles[..., 2] += STANDS
    rest = torch.ones(150, 4)
    ray = torch.nn.functional.normalize(truth - CAMERA, dim=-1)
    slow = torch.sin(torch.arange(150) / 6).unsqueeze(-1)
    evidence = told(truth, place=truth + 0.2 * slow * ray, velocity=torch.zeros_like(truth))
    off = (solve_path(evidence, RootPathConfig()).place - truth).diff(dim=0).norm(dim=-1)
    evidence = evidence._replace(soles=soles, rest=rest, velocity=evidence.velocity)
    held = (solve_path(evidence, RootPathConfig()).place - truth).diff(dim=0).norm(dim=-1)
    assert held.mean() < 0.4 * off.mean()


def test_resting_feet_tell_the_height() -> None:
    truth = path(100)
    soles = torch.zeros(100, 4, 3)
    soles[..., 2] = STANDS - truth[:, 2:]
    far = CAMERA + 1.05 * (truth - CAMERA)
    rest = torch.tensor([1.0, 1.0, 0.0, 0.0]).expand(100, 4)
    seen = told(truth, place=far, soles=soles)
    free, stood = (solve_path(e, RootPathConfig()).place for e in (seen, seen._replace(rest=rest)))
    assert (stood - truth)[:, 2].abs().mean() < 0.7 * (free - truth)[:, 2].abs().mean()
    unsure = solve_path(seen._replace(rest=rest, ground_doubt_m=1.0), RootPathConfig()).place
    assert (unsure - free)[:, 2].abs().mean() < 0.2 * (stood - free)[:, 2].abs().mean()
    # Somebody on a table is left there.
    table = told(truth + torch.tensor([0.0, 0, 0.8]), soles=soles, rest=rest)
    high = solve_path(table, RootPathConfig()).place
    assert (high - table.place).norm(dim=-1).max() < 0.03


def test_the_world_may_be_turned_and_shifted() -> None:
    truth = path(60)
    places = truth + 0.05 * noise(60, 3)
    soles = 0.2 * noise(60, 4, 3)
    rest = torch.rand(60, 4, generator=torch.Generator().manual_seed(1))
    here = told(truth, place=places, soles=soles, rest=rest)
    R = axis_rotation("z", torch.tensor(2.0))
    t = torch.tensor([3.0, -7.0, 0.0])
    there = here._replace(
        place=here.place @ R.T + t,
        camera_place=here.camera_place @ R.T + t,
        velocity=here.velocity @ R.T,
        soles=here.soles @ R.T,
    )
    found, moved = (solve_path(e, RootPathConfig()).place for e in (here, there))
    torch.testing.assert_close(moved, found @ R.T + t, atol=1e-4, rtol=0)


def test_least_squares_is_that_of_the_dense_system() -> None:
    """One round, against normal equations built row by row."""
    frames = 6
    truth, config = path(frames), replace(RootPathConfig(), rounds=1)
    evidence = told(
        truth,
        place=truth + 0.05 * noise(frames, 3),
        soles=0.2 * noise(frames, 4, 3),
        rest=torch.ones(frames, 4),
    )
    rows, targets = [], []

    def add(entries: dict[int, torch.Tensor], target: torch.Tensor, sd: float) -> None:
        for axis in range(len(target)):
            row = torch.zeros(frames, 3, dtype=torch.float64)
            for frame, factors in entries.items():
                row[frame] = factors[axis]
            rows.append(row.flatten() / sd)
            targets.append(target[axis] / sd)

    eye = torch.eye(3).double()
    lasts = (config.across_lasts_s, config.depth_lasts_s, config.ground_lasts_s)
    lasts = [max(1.0, s * RATE) ** 0.5 for s in lasts]
    place, velocity = evidence.place.double(), evidence.velocity.double()
    for t in range(frames):
        sight = place[t] - CAMERA.double()
        distance = sight.norm()
        ray = sight / distance
        across = torch.linalg.svd(ray[None])[2][1:]
        add({t: across}, across @ place[t], float(config.across_sd * distance) * lasts[0])
        add({t: ray[None]}, ray[None] @ place[t], float(DEPTH_SD * distance) * lasts[1])
        for k in range(4):
            height = (STANDS[k] - evidence.soles[t, k, 2]).double()
            add({t: eye[2:]}, height[None], config.ground_sd_m * 2 * lasts[2])
    steps = (velocity[1:] + velocity[:-1]) / 2 / RATE
    moving = config.velocity_sd_m_s / RATE * max(1.0, config.velocity_lasts_s * RATE) ** 0.5
    for t in range(frames - 1):
        add({t: -eye, t + 1: eye}, steps[t], moving)
    for t in range(frames - 2):
        bend = steps[t + 1] - steps[t]
        sd = config.acceleration_sd_m_s2 / RATE**2
        add({t: eye, t + 1: -2 * eye, t + 2: eye}, bend, sd)
    dense = torch.linalg.lstsq(torch.stack(rows), torch.stack(targets)[:, None]).solution
    found = solve_path(evidence, config).place
    torch.testing.assert_close(found.double(), dense.reshape(frames, 3), atol=1e-4, rtol=0)


def test_feet_are_held_where_they_rest_and_left_where_they_fly() -> None:
    frames = 120
    t = torch.arange(frames) / RATE
    drift = 0.02 * torch.stack((torch.sin(3 * t), torch.cos(2 * t), 0 * t), -1)
    soles = torch.zeros(frames, 4, 3)
    soles[:, :, 2] = STANDS
    soles[:, :2] += drift.unsqueeze(1)
    soles[40:80, :2, 0] += torch.linspace(0, 1, 40).unsqueeze(-1)
    soles[80:, :2, 0] += 1.0
    rest = torch.ones(frames, 4)
    rest[40:80, :2] = 0
    shifts = foot_shifts(soles, rest, STANDS, RATE, FootConfig())
    still = soles[:, :2] + shifts[:, :1]
    way = still.diff(dim=0).norm(dim=-1)
    before = soles[:, :2].diff(dim=0).norm(dim=-1)
    assert way[:39].mean() < 0.15 * before[:39].mean()
    assert way[80:].mean() < 0.15 * before[80:].mean()
    assert shifts[:, 0].diff(n=2, dim=0).norm(dim=-1).max() < 10 / RATE**2
    assert shifts[:, 1].abs().max() < 1e-6
    assert shifts.norm(dim=-1).max() < 0.05


def test_a_rolling_foot_rests_on_its_toe() -> None:
    frames = 60
    soles = torch.zeros(frames, 4, 3)
    soles[:, :, 2] = STANDS
    rise = torch.linspace(0, 1, 30)
    soles[30:, 0, 2] += 0.2 * rise
    soles[30:, 0, 0] += 0.15 * rise
    rest = resting_soles(torch.ones(frames, 2), soles, STANDS)
    assert rest[-1].tolist() == pytest.approx([0, 1, 1, 1], abs=0.03)
    shifts = foot_shifts(soles, rest, STANDS, RATE, FootConfig())
    assert shifts[:, 0].norm(dim=-1).max() < 0.01
