"""EM finds what it was given, is symmetric and repeatable; poses are weighted by subject."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from helpers import shared_path
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError
from motionfield.formats.mocap_npz import read_mocap
from motionfield.priors.pose_mixture import NUM_FEATURES, mirror_features
from motionfield.training.mixture_em import EMConfig, fit_mixture
from motionfield.training.motion_data import TrainingData
from motionfield.training.pose_mixture import (
    PoseMixtureConfig,
    PoseSet,
    collect_poses,
    mean_log_likelihood,
    subject_weights,
    train_pose_mixture,
)
from motionfield.training.shard_source import ShardSource

_PLAIN = EMConfig(pairs=2, shrinkage=0.0, floor_rad=1e-3)


def _two_lumps(count: int = 1500) -> tuple[Tensor, Tensor]:
    """Two clouds far apart, the second three times as large."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(2, NUM_FEATURES, generator=generator, dtype=torch.float64)
    which = (torch.rand(count, generator=generator) < 0.75).long()
    noise = torch.randn(count, NUM_FEATURES, generator=generator, dtype=torch.float64)
    return centres[which] + 0.1 * noise, centres


def test_em_finds_the_lumps_it_was_given() -> None:
    features, centres = _two_lumps()
    mixture = fit_mixture(features, torch.ones(len(features)).double(), _PLAIN)
    every = torch.cat((centres, mirror_features(centres)))
    distance = torch.cdist(every, mixture.means)
    assert distance.amin(-1).max() < 0.15
    nearest = distance.argmin(-1)
    assert len(set(nearest.tolist())) == 4
    shares = mixture.weights[nearest]
    torch.testing.assert_close(
        shares, torch.tensor([0.125, 0.375, 0.125, 0.375]).double(), atol=0.02, rtol=0
    )
    scale = mixture.precision_cholesky.diagonal(dim1=-2, dim2=-1)
    assert scale.median() == pytest.approx(10, rel=0.15)


def test_weights_count_as_repetitions() -> None:
    features, _ = _two_lumps(400)
    weights = torch.ones(len(features)).double()
    weights[:100] = 2.0
    weighted = fit_mixture(features, weights, _PLAIN, seed=4)
    one = EMConfig(pairs=0, shrinkage=0.0, floor_rad=1e-3)
    repeated = torch.cat((features, features[:100]))
    single = fit_mixture(repeated, torch.ones(len(repeated)).double(), one)
    torch.testing.assert_close(fit_mixture(features, weights, one).means, single.means)
    assert weighted.weights.sum() == pytest.approx(1)


def test_more_iterations_never_fit_worse() -> None:
    """On a bent curve, where k-means is a poor answer."""
    time = torch.linspace(0, 6, 600, dtype=torch.float64)[:, None]
    pace = torch.linspace(0.2, 2.0, NUM_FEATURES, dtype=torch.float64)
    noise = torch.randn(600, NUM_FEATURES, generator=torch.Generator().manual_seed(1))
    features = torch.sin(time * pace) + 0.1 * noise
    weights = torch.ones(len(features)).double()
    found = []
    for iterations in (0, 1, 2, 5, 20):
        config = EMConfig(2, 0.0, 1e-3, iterations=iterations, tolerance=0.0, start_iterations=1)
        mixture = fit_mixture(features, weights, config, seed=3)
        found.append(mean_log_likelihood(mixture, PoseSet(features, weights)))
    assert found == sorted(found)
    assert found[-1] > found[0] + 1e-3


def test_a_mixture_is_its_own_mirror_image_and_repeats_with_its_seed() -> None:
    features, _ = _two_lumps(500)
    weights = torch.ones(len(features)).double()
    mixture = fit_mixture(features, weights, _PLAIN, seed=7)
    energy = mixture.energy_of_features(features, "logsumexp")
    image = mixture.energy_of_features(mirror_features(features), "logsumexp")
    torch.testing.assert_close(image, energy, rtol=1e-6, atol=1e-6)
    again = fit_mixture(features, weights, _PLAIN, seed=7)
    assert torch.equal(again.means, mixture.means)


def test_subjects_count_by_the_root_of_their_poses() -> None:
    weights = subject_weights(["a"] * 100 + ["b"] * 4, power=0.5)
    assert weights.mean() == pytest.approx(1)
    assert weights[:100].sum() / weights[100:].sum() == pytest.approx(math.sqrt(100 / 4))
    assert subject_weights(["a", "a", "b"], power=1.0).tolist() == pytest.approx([1, 1, 1])


def test_skeletons_without_hands_take_wrists_of_others() -> None:
    paths = [shared_path("mocap", f"{name}.npz") for name in ("cmu_dm", "cmu_amc")]
    data = TrainingData(paths[0].parent, (ShardSource(tuple(map(read_mocap, paths))),))
    config = PoseMixtureConfig(stride=20)
    poses = collect_poses(data, ("val",), load_body("toy"), config)
    wrists = poses.features.unflatten(-1, (-1, 3))[:, 19:21].flatten(1)
    assert len(wrists) == len(poses.weights) > 100
    assert (wrists.norm(dim=-1) > 0).all()


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no motions"):
        train_pose_mixture(tmp_path, tmp_path / "out.safetensors")
