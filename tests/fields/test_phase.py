"""Phase networks: laws of eq. 2 and 3, following a warp, inverting it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from motionfield.fields.phase import PhaseNetworks


def shaken(takes: int = 3, sigmoids: int = 40, seed: int = 0, size: float = 0.3) -> PhaseNetworks:
    """Networks as training may leave them, with negative shifts and scales among them."""
    generator = torch.Generator().manual_seed(seed)
    networks = PhaseNetworks(takes, sigmoids)
    with torch.no_grad():
        for parameter in networks.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(size * noise * parameter.abs().mean())
    return networks


def every_take(networks: PhaseNetworks, times: torch.Tensor) -> torch.Tensor:
    """Phases of all takes at the same times: (takes, times)."""
    count = networks.num_takes
    take = torch.arange(count).repeat_interleave(len(times))
    return networks(times.repeat(count), take).unflatten(0, (count, -1)).detach()


@given(st.integers(0, 50), st.floats(0.0, 3.0))
def test_phase_goes_from_0_to_1_and_never_falls(seed: int, size: float) -> None:
    phase = every_take(shaken(seed=seed, size=size), torch.linspace(0, 1, 200))
    assert phase[:, 0].abs().max() < 1e-6
    assert (phase[:, -1] - 1).abs().max() < 1e-5
    assert (phase.diff(dim=1) > -1e-5).all()


def test_is_the_paper_s_formula_take_by_take() -> None:
    networks = shaken()
    times = torch.rand(20, generator=torch.Generator().manual_seed(1))
    for take, phases in enumerate(every_take(networks, times)):
        a, b = networks.scale[take].relu(), networks.shift[take].relu()

        def g(t: float, a: torch.Tensor = a, b: torch.Tensor = b) -> float:
            return torch.sigmoid(a * (t - b)).mean().item()

        for time, phase in zip(times.tolist(), phases.tolist(), strict=True):
            assert phase == pytest.approx((g(time) - g(0)) / (g(1) - g(0)), abs=1e-5)


def test_starts_near_linear_and_gradients_reach_every_take_s_own_parameters_alone() -> None:
    networks = PhaseNetworks(3, 100)
    times = torch.linspace(0, 1, 101)
    assert (every_take(networks, times) - times).abs().max() < 0.03
    phase = networks(times[20:60], torch.ones(40, dtype=torch.long))
    phase.sum().backward()
    for parameter in networks.parameters():
        assert parameter.grad is not None
        touched = parameter.grad.abs().sum(1) > 0
        assert touched.tolist() == [False, True, False]


def test_dead_networks_stay_finite() -> None:
    networks = PhaseNetworks(1, 10)
    with torch.no_grad():
        networks.scale.fill_(-1.0)
    assert torch.isfinite(every_take(networks, torch.linspace(0, 1, 5))).all()


WARPS = {
    "linear": lambda t: t,
    "slow first": lambda t: t**2.5,
    "pause": lambda t: torch.where(t < 0.4, t, (t - 0.3).clamp_min(0.4)) / 0.7,
    "steep": lambda t: torch.sigmoid(25 * (t - 0.3)),
}


@pytest.mark.parametrize("name", WARPS)
def test_set_to_follows_a_warp(name: str) -> None:
    times = torch.linspace(0, 1, 301)
    warp = WARPS[name](times).clamp(max=1.0)
    warp = (warp - warp[0]) / (warp[-1] - warp[0])
    networks = PhaseNetworks(2, 100)
    networks.set_to(torch.stack((warp, times)))
    phase = every_take(networks, times)
    assert (phase[0] - warp).abs().max() < 0.012
    assert (phase[1] - times).abs().max() < 0.006


def test_set_to_takes_few_samples_and_steps() -> None:
    networks = PhaseNetworks(1, 50)
    networks.set_to(torch.tensor([[0.0, 0.0, 1.0, 1.0]]))
    phase = every_take(networks, torch.tensor([0.2, 0.5, 0.8]))[0]
    assert phase.tolist() == pytest.approx([0.0, 0.5, 1.0], abs=0.02)


def test_set_to_leaves_a_network_that_can_learn() -> None:
    networks = PhaseNetworks(1, 50)
    times = torch.linspace(0, 1, 100)
    networks.set_to(times[None])
    take = torch.zeros(100, dtype=torch.long)
    wanted = times**1.5
    optimiser = torch.optim.Adam(networks.parameters(), lr=3e-3)
    losses = []
    for _ in range(200):
        optimiser.zero_grad()
        loss = (networks(times, take) - wanted).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.02 * losses[0]


def test_inverse_undoes_the_phase() -> None:
    networks = shaken(size=0.1)
    times = torch.rand(60, generator=torch.Generator().manual_seed(2))
    take = torch.arange(60) % 3
    phase = networks(times, take).detach()
    again = networks.inverse(phase, take)
    assert (networks(again, take) - phase).abs().max() < 1e-5
    assert (again - times).abs().max() < 1e-3
    ends = networks.inverse(torch.tensor([0.0, 1.0]), torch.tensor([0, 0]))
    assert ends.tolist() == pytest.approx([0.0, 1.0], abs=1e-3)
