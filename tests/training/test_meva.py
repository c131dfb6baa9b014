"""MEVA's training: losses are least at the truth, a small network learns, a cut run goes on."""

import numpy as np
import pytest
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.conventions import NUM_JOINTS
from motionfield.priors.motion_vae_parts import LinearCode
from motionfield.steps.lift.meva.network import MevaConfig, MevaNetwork, Stages, State
from motionfield.training.meva_data import TakeMaker, TakeMix, Truth
from motionfield.training.meva_judge import coverage, deviation_factors, judge
from motionfield.training.meva_losses import MevaLossWeights, meva_losses
from motionfield.training.meva_windows import (
    TakePool,
    WindowConfig,
    Windows,
    draw_windows,
    stack,
    window_of,
)
from motionfield.training.motion_data import TrainingClip
from steps.lift.made_worlds import walk


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("anny")


@pytest.fixture(scope="module")
def maker(body: Body) -> TakeMaker:
    clips = [TrainingClip("made", f"{h}", walk(body, 150, 30.0, h)) for h in (0.0, 2.0, 4.0)]
    return TakeMaker(clips, body, 0, TakeMix(fewer_points=0, half_body=0))


@pytest.fixture(scope="module")
def windows(maker: TakeMaker) -> Windows:
    return stack([window_of(maker.make(number), 0) for number in range(2)])


def _perfect(truth: Truth) -> Stages:
    rot6d = torch.cat((truth.root.unsqueeze(-2), truth.body_pose), dim=-2).flatten(-2)
    state = State(rot6d, truth.betas[..., :10], truth.camera)
    return Stages(
        latent=torch.zeros(len(rot6d), 8),
        states=[state, state],
        points=[truth.points, truth.points],
        guess=truth.points,
        contacts=(truth.contacts - 0.5) * 100,
        up=truth.up,
        velocity=truth.velocity,
        joints_sd=torch.full((*rot6d.shape[:2], NUM_JOINTS), 0.02),
    )


def test_every_term_is_nothing_at_the_truth_and_something_elsewhere(windows: Windows) -> None:
    features, truth = windows
    stages = _perfect(truth)
    at_truth = meva_losses(stages, truth, features, MevaLossWeights())
    for name in set(at_truth) - {"deviation", "latent"}:
        assert float(at_truth[name]) < 1e-4, name
    generator = torch.Generator().manual_seed(0)

    def off(value: torch.Tensor) -> torch.Tensor:
        return value + 0.1 * torch.randn(value.shape, generator=generator)

    wrong = stages._replace(
        states=[State(*map(off, state)) for state in stages.states],
        points=[off(points) for points in stages.points],
        guess=off(stages.guess),
        contacts=-stages.contacts,
        up=off(stages.up),
        velocity=off(stages.velocity),
    )
    elsewhere = meva_losses(wrong, truth, features, MevaLossWeights())
    for name in set(at_truth) - {"latent"}:
        assert float(elsewhere[name]) > float(at_truth[name]) + 1e-4, name


def test_frames_without_truth_do_not_count(windows: Windows) -> None:
    features, truth = windows
    known = truth.known.clone()
    known[:, 40:] = 0
    stages = _perfect(truth)
    broken = truth._replace(
        points=torch.where(known[..., None, None] > 0, truth.points, 99.0), known=known
    )
    losses = meva_losses(stages, broken, features, MevaLossWeights())
    assert float(losses["points"]) < 1e-4


def test_deviations_are_best_when_they_are_right(windows: Windows) -> None:
    features, truth = windows
    generator = torch.Generator().manual_seed(0)
    noise = 0.03 * torch.randn(truth.points.shape, generator=generator)
    stages = _perfect(truth)._replace(points=[truth.points, truth.points + noise])

    def loss(sd: float) -> float:
        stated = stages._replace(joints_sd=torch.full_like(stages.joints_sd, sd))
        return float(meva_losses(stated, truth, features, MevaLossWeights())["deviation"])

    assert loss(0.03) < loss(0.02)
    assert loss(0.03) < loss(0.045)


def test_pool_is_the_same_from_any_step(maker: TakeMaker) -> None:
    config = WindowConfig(takes=4, first_takes=3, steps_per_take=2)
    going, fresh = TakePool(maker, config), TakePool(maker, config)
    for step in range(7):
        takes = going.at(step)
    again = fresh.at(6)
    assert len(takes) == len(again) == 4
    for one, two in zip(takes, again, strict=True):
        assert torch.equal(one.features.points, two.features.points)


def test_first_short_pieces_then_whole_windows(maker: TakeMaker) -> None:
    config = WindowConfig(batch=2, look_steps=1, look_frames=18, look_batch=10, first_takes=2)
    takes = [maker.make(number) for number in range(2)]
    generator = torch.Generator().manual_seed(0)
    short = draw_windows(takes, 0, config, generator)
    whole = draw_windows(takes, 1, config, generator)
    assert short.truth.known.shape == (10, 18)
    assert whole.truth.known.shape == (2, 90)
    # Coarse 3D is there for a whole piece or not at all.
    assert set(short.features.coarse_known.mean(1).tolist()) == {0.0, 1.0}


def test_factors_make_deviations_hold(maker: TakeMaker, windows: Windows, body: Body) -> None:
    network = MevaNetwork(body, MevaConfig(width=32, heads=2, layers=1, refine_layers=1)).eval()
    code = network.decoder.code
    assert isinstance(code, LinearCode)
    code.mean[:144] = torch.eye(3)[:, :2].mT.flatten().repeat(24) * 90**0.5
    assert judge(network, windows).within_68 < 0.3  # an untrained network is wrong by metres
    network.sd_factor.copy_(deviation_factors(network, windows))
    found = coverage(network, windows)
    assert np.abs(found.one - 0.6827).max() < 0.01
    assert (found.two > found.one).all()
