"""Pieces of the lift: the smooth path and the cheapest way, against plain twins."""

import itertools

import torch

from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.lift.evidence import glitches
from motionfield.steps.lift.ik.config import IKLiftConfig
from motionfield.steps.lift.ik.headings import cheapest_way
from motionfield.steps.lift.ik.path import smooth_path

CAMERA = torch.tensor([0.0, -5.0, 1.5])


def measured(frames: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A straight walk, and the same with errors along the viewing rays."""
    truth = torch.stack(
        (torch.linspace(-1, 1, frames), torch.linspace(0, 0.8, frames), torch.ones(frames)), -1
    )
    ray = torch.nn.functional.normalize(truth - CAMERA, dim=-1)
    return truth, truth + 0.15 * torch.randn(frames, 1, generator=generator) * ray


def test_path_loses_the_noise_of_depth() -> None:
    truth, places = measured(90, torch.Generator().manual_seed(0))
    path = smooth_path(places, CAMERA.expand(90, 3), torch.arange(90) / 30, IKLiftConfig())
    before, after = ((p - truth).norm(dim=-1).mean() for p in (places, path))
    assert after < 0.5 * before
    assert path.diff(n=2, dim=0).norm(dim=-1).max() < 0.02


def test_path_leaves_a_steady_walk_alone() -> None:
    truth, _ = measured(40, torch.Generator())
    time_s = torch.arange(40) / 30
    path = smooth_path(truth, CAMERA.expand(40, 3), time_s, IKLiftConfig())
    # Passing by bends the course of the distance a little.
    torch.testing.assert_close(path, truth, atol=0.05, rtol=0)
    # Uneven times, even speed.
    time_s = torch.cumsum(torch.rand(40, generator=torch.Generator().manual_seed(1)) + 0.2, 0)
    steady = CAMERA + (4 + 0.2 * time_s[:, None]) * torch.tensor([0.6, 0.8, 0.0])
    path = smooth_path(steady, CAMERA.expand(40, 3), time_s, IKLiftConfig())
    torch.testing.assert_close(path, steady, atol=1e-3, rtol=0)


def test_an_outlier_in_depth_does_not_bend_the_path() -> None:
    truth, _ = measured(60, torch.Generator())
    places = truth.clone()
    places[30] = CAMERA + 1.8 * (places[30] - CAMERA)
    path = smooth_path(places, CAMERA.expand(60, 3), torch.arange(60) / 30, IKLiftConfig())
    assert (path - truth).norm(dim=-1).max() < 0.2


def test_short_paths_are_as_measured() -> None:
    places = torch.randn(2, 3)
    torch.testing.assert_close(
        smooth_path(places, CAMERA.expand(2, 3), torch.arange(2) / 30, IKLiftConfig()), places
    )


def test_cheapest_way_is_the_cheapest_of_all() -> None:
    generator = torch.Generator().manual_seed(3)
    for _ in range(20):
        cost = torch.rand(5, 3, generator=generator)
        change = torch.rand(4, 3, 3, generator=generator)

        def total(way: tuple[int, ...], cost: torch.Tensor, change: torch.Tensor) -> float:
            own = sum(float(cost[i, state]) for i, state in enumerate(way))
            return own + sum(float(change[i, way[i], way[i + 1]]) for i in range(len(way) - 1))

        best = min(itertools.product(range(3), repeat=5), key=lambda w: total(w, cost, change))
        assert tuple(cheapest_way(cost, change).tolist()) == best


def test_glitches_are_jumps_that_come_back() -> None:
    frames = 30
    t = torch.arange(frames) / 30
    # Points of a body one unit high: still, and swinging as fast as limbs do.
    still = torch.linspace(0, 1, 5).unsqueeze(-1) * torch.tensor([0.2, 1.0])
    swing = torch.stack((0.4 * torch.sin(12 * t), 0.5 + 0 * t), -1)
    xy = torch.cat((still.expand(frames, 5, 2), swing.unsqueeze(1)), 1).clone()
    seen = torch.ones(frames, 6, dtype=torch.bool)
    assert not glitches(xy, seen, 30.0).any()
    xy[10:12, 2] += 0.3
    xy[20:, 3] += 0.3
    seen[15, 4] = False
    expected = torch.zeros(frames, 6, dtype=torch.bool)
    expected[10:12, 2] = True
    torch.testing.assert_close(glitches(xy, seen, 30.0), expected)
    assert not glitches(xy, seen, 10.0).any(), "too slow to tell"
    assert not glitches(xy[:4], seen[:4], 30.0).any()


def test_path_follows_a_jump() -> None:
    """Across the viewing ray nothing is smoothed; along it only as far as the ray tilts."""
    time_s = torch.arange(60) / 30
    height = (3.0 * (time_s - 0.7) - 4.9 * (time_s - 0.7).square()).clamp_min(0)
    truth = torch.stack((0 * time_s, 0 * time_s, 1 + height), -1)
    path = smooth_path(truth, CAMERA.expand(60, 3), time_s, IKLiftConfig())
    assert height.max() > 0.4
    assert (path - truth).norm(dim=-1).max() < 0.05
    ray, measured = (torch.nn.functional.normalize(p - CAMERA, dim=-1) for p in (path, truth))
    torch.testing.assert_close(ray, measured, atol=1e-5, rtol=0)


def test_distances_are_those_of_plain_least_squares() -> None:
    """Against the dense system, where nothing is an outlier."""
    config = IKLiftConfig(depth_error_lasts_s=0.0)
    generator = torch.Generator().manual_seed(4)
    time_s = torch.cumsum(0.02 + 0.02 * torch.rand(12, generator=generator), 0).double()
    measured = 5 + 1e-4 * torch.randn(12, generator=generator).double()
    places = measured.unsqueeze(-1) * torch.tensor([0.0, 1.0, 0.0]).double()
    step = time_s.diff()
    D = torch.zeros(10, 12).double()
    for i in range(10):
        mean = 0.5 * (step[i] + step[i + 1])
        row = torch.stack((1 / step[i], -1 / step[i] - 1 / step[i + 1], 1 / step[i + 1])) / mean
        D[i, i : i + 3] = row * (mean / step.median()).sqrt() / config.acceleration_sd_m_s2
    W = torch.diag(1 / (config.depth_sd * measured).square())
    expected = torch.linalg.solve(W + D.T @ D, W @ measured)
    path = smooth_path(places, torch.zeros(12, 3).double(), time_s, config)
    torch.testing.assert_close(path[:, 1] - 5, expected - 5, atol=1e-6, rtol=0)


def moving_cameras(frames: int) -> torch.Tensor:
    """A hand that walks along and shakes."""
    t = torch.arange(frames) / 30
    shake = 0.02 * torch.stack((torch.sin(25 * t), torch.cos(31 * t), torch.sin(19 * t)), -1)
    return CAMERA + shake + torch.stack((t, 1.5 * t, 0 * t), -1)


def test_before_a_moving_camera_the_way_through_the_world_is_smooth() -> None:
    """Neither the camera's shake nor its walk is taken for the person's."""
    truth, _ = measured(90, torch.Generator())
    cameras, time_s = moving_cameras(90), torch.arange(90) / 30
    kept = smooth_path(truth, cameras, time_s, IKLiftConfig())
    torch.testing.assert_close(kept, truth, atol=1e-3, rtol=0)
    ray = torch.nn.functional.normalize(truth - cameras, dim=-1)
    off = 0.15 * torch.randn(90, 1, generator=torch.Generator().manual_seed(0))
    path = smooth_path(truth + off * ray, cameras, time_s, IKLiftConfig())
    before, after = ((p - truth).norm(dim=-1).mean() for p in (truth + off * ray, path))
    assert after < 0.5 * before


def test_jitter_of_the_picture_does_not_bring_a_moving_camera_nearer() -> None:
    truth, _ = measured(90, torch.Generator())
    cameras, time_s = moving_cameras(90), torch.arange(90) / 30
    jitter = 0.03 * torch.randn(90, 3, generator=torch.Generator().manual_seed(1))
    path = smooth_path(truth + jitter, cameras, time_s, IKLiftConfig())
    near, true = ((p - cameras).norm(dim=-1).mean() for p in (path, truth))
    torch.testing.assert_close(near, true, atol=0.02, rtol=0)


def test_the_path_moves_with_the_world() -> None:
    _, places = measured(60, torch.Generator().manual_seed(2))
    cameras, time_s = moving_cameras(60), torch.arange(60) / 30
    R = axis_rotation("x", torch.tensor(0.7)) @ axis_rotation("z", torch.tensor(2.0))
    path = smooth_path(places, cameras, time_s, IKLiftConfig())
    turned = smooth_path(places @ R.mT + 3, cameras @ R.mT + 3, time_s, IKLiftConfig())
    torch.testing.assert_close(turned, path @ R.mT + 3, atol=1e-4, rtol=0)
