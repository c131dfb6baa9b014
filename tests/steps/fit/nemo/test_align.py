"""Takes that are known warps of one action are set against each other."""

import numpy as np
import pytest
import torch
from numpy import ndarray

from motionfield.body.registry import load_body
from motionfield.steps.fit.nemo.align import AlignConfig, align_takes
from steps.fit.nemo.made_action import throw

BODY = load_body("toy")
EVEN = np.linspace(0, 1, 60)


def unlike(phases: list[torch.Tensor], truths: list[ndarray]) -> float:
    """Largest difference of true phase between two takes at moments of equal phase found."""
    at = np.linspace(0.05, 0.95, 50)
    true = np.stack(
        [np.interp(at, p.double().numpy(), t) for p, t in zip(phases, truths, strict=True)]
    )
    return float(np.ptp(true, axis=0).max())


def phases_of(warps: list[ndarray], **options: float) -> list[torch.Tensor]:
    motions = [throw(warp, heading=0.7 * k, seed=k, **options) for k, warp in enumerate(warps)]
    return align_takes(motions, BODY).phases


def test_an_even_copy_has_even_phase() -> None:
    found = phases_of([EVEN, EVEN, EVEN])
    for phase in found:
        assert torch.allclose(phase, torch.tensor(EVEN, dtype=torch.float32), atol=0.01)


WARPS = {
    "slow start": EVEN**1.5,
    "slow end": 1 - (1 - EVEN) ** 1.5,
    "half the frames": np.linspace(0, 1, 30),
    "slow motion": np.linspace(0, 1, 480),
    "ten frames": np.linspace(0, 1, 10),
    "a rest": np.concatenate((np.linspace(0, 0.5, 30), np.full(30, 0.5), np.linspace(0.5, 1, 30))),
}


@pytest.mark.parametrize("name", WARPS)
def test_warps_are_found(name: str) -> None:
    warps = [EVEN, WARPS[name], EVEN]
    limit = 0.06 if name == "ten frames" else 0.03
    assert unlike(phases_of(warps), warps) < limit


def test_noise_is_borne() -> None:
    warps = [EVEN, WARPS["slow start"], WARPS["slow end"]]
    assert unlike(phases_of(warps, noise=0.1), warps) < 0.08


def test_two_thousand_frames() -> None:
    warps = [np.linspace(0, 1, 2000), EVEN, np.linspace(0, 1, 10)]
    assert unlike(phases_of(warps), warps) < 0.07


def test_phases_grow_and_cover_all() -> None:
    found = phases_of([EVEN, WARPS["a rest"], WARPS["slow motion"], WARPS["ten frames"]], noise=0.2)
    for phase in found:
        assert (phase.diff() > 0).all()
    assert min(float(p[0]) for p in found) == 0
    assert max(float(p[-1]) for p in found) == 1


def test_order_of_takes_does_not_matter() -> None:
    warps = [EVEN, WARPS["slow start"], WARPS["slow end"], np.linspace(0, 1, 45)]
    motions = [throw(warp, noise=0.05, seed=k) for k, warp in enumerate(warps)]
    found = align_takes(motions, BODY)
    order = [2, 0, 3, 1]
    again = align_takes([motions[k] for k in order], BODY)
    for place, take in enumerate(order):
        assert torch.allclose(again.phases[place], found.phases[take], atol=1e-3)
        assert torch.allclose(again.distance_m[place], found.distance_m[take], atol=1e-4)


def test_phase_is_mean_time() -> None:
    """At one phase the takes' own times have the mean that the phase says."""
    warps = [EVEN**1.2, EVEN, EVEN ** (1 / 1.2)]
    found = phases_of(warps)
    at = np.linspace(0.05, 0.95, 20)
    own = np.mean([np.interp(at, p.double().numpy(), EVEN) for p in found], axis=0)
    assert np.abs(own - at).max() < 0.03


@pytest.mark.parametrize(("start", "end"), [(0.2, 1.0), (0.0, 0.7)])
def test_a_take_may_show_a_part(start: float, end: float) -> None:
    warps = [EVEN, EVEN, np.linspace(start, end, 48)]
    found = phases_of(warps)
    assert abs(float(found[2][0]) - start) < 0.08
    assert abs(float(found[2][-1]) - end) < 0.08


def test_a_long_wait_before_takes_a_quarter_at_most() -> None:
    waits = np.concatenate((np.full(600, -0.3), EVEN))
    motions = [throw(EVEN), throw(EVEN, seed=1), throw(waits)]
    found = align_takes(motions, BODY)
    low, high = found.shared
    assert high - low > 0.75
    assert float(found.phases[0][0]) < 0.25
    assert unlike([p[-50:] for p in found.phases], [EVEN[-50:]] * 3) < 0.1


def test_distance_tells_the_noisy_take() -> None:
    motions = [throw(EVEN, noise=n, seed=k) for k, n in enumerate((0.0, 0.0, 0.3, 0.0))]
    distance = align_takes(motions, BODY, AlignConfig(smooth_s=0)).distance_m
    assert int(distance.argmax()) == 2
    assert (distance[[0, 1, 3]] < 0.3 * distance[2]).all()
