"""Weighted expectation maximisation of a left-right symmetric Gaussian mixture."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.progress import Progress, silent
from motionfield.priors.pose_mixture import NUM_FEATURES, PoseMixture, mirror_features

_MIN_SHARE: Final = 1e-6


@dataclass(frozen=True)
class EMConfig:
    """The mixture's form and how long it is fitted."""

    pairs: int = 4
    """Pairs of components that mirror each other; 0: one Gaussian, its own mirror image."""
    shrinkage: float = 0.15
    """Share of every covariance that is taken from its diagonal alone."""
    floor_rad: float = 0.12
    """Added to every standard deviation (in squares): rigs are stiffer than people."""
    iterations: int = 100
    tolerance: float = 1e-3
    """Stop when the mean log likelihood grows by less, nats."""
    start_iterations: int = 20
    """Of k-means."""


class _Parts(NamedTuple):
    """One component of each mirrored pair."""

    shares: Float[Tensor, "pairs"]
    means: Float[Tensor, "pairs features"]
    covariances: Float[Tensor, "pairs features features"]


def fit_mixture(
    features: Float[Tensor, "poses features"],
    weights: Float[Tensor, "poses"],
    config: EMConfig = EMConfig(),
    seed: int = 0,
    progress: Progress = silent,
) -> PoseMixture:
    """Fit a mixture to poses and their mirror images.

    Component k + pairs is the mirror image of component k, so a pose and its image have the
    same density. The start is k-means++ (Arthur and Vassilvitskii, 2007), then k-means.
    """
    if config.pairs == 0:
        return _assemble(_one_gaussian(features, weights, config), single=True)
    generator = torch.Generator().manual_seed(seed)
    share = _kmeans(features, weights, config, generator)
    parts = _maximise(features, weights, share, config)
    before = -math.inf
    with progress("fit mixture", config.iterations, "iteration") as bar:
        for _ in range(config.iterations):
            log_terms = _assemble(parts).log_terms(features)
            total = log_terms.logsumexp(-1)
            now = float((weights * total).sum() / weights.sum())
            parts = _maximise(features, weights, (log_terms - total[:, None]).exp(), config)
            bar.advance()
            if now - before < config.tolerance:
                break
            before = now
    return _assemble(parts)


def _maximise(
    features: Float[Tensor, "poses features"],
    weights: Float[Tensor, "poses"],
    share: Float[Tensor, "poses components"],
    config: EMConfig,
) -> _Parts:
    """Component k takes poses with its share, and their images with its mirror image's share."""
    both = torch.cat((features, mirror_features(features)))
    own, image = (weights[:, None] * share).chunk(2, dim=1)
    mass = torch.cat((own, image))
    total = mass.sum(0).clamp_min(_MIN_SHARE)
    means = mass.mT @ both / total[:, None]
    covariances = torch.stack(
        [
            ((both - mean) * m[:, None]).mT @ (both - mean) / t
            for mean, m, t in zip(means, mass.mT, total, strict=True)
        ]
    )
    return _Parts(total / total.sum(), means, _regular(covariances, config))


def _one_gaussian(
    features: Float[Tensor, "poses features"], weights: Float[Tensor, "poses"], config: EMConfig
) -> _Parts:
    even = torch.full((len(features), 2), 0.5, dtype=features.dtype)
    return _maximise(features, weights, even, config)


def _regular(
    covariances: Float[Tensor, "pairs features features"], config: EMConfig
) -> Float[Tensor, "pairs features features"]:
    diagonal = covariances.diagonal(dim1=-2, dim2=-1).diag_embed()
    eye = torch.eye(NUM_FEATURES, dtype=covariances.dtype)
    mixed = (1 - config.shrinkage) * covariances + config.shrinkage * diagonal
    return mixed + config.floor_rad**2 * eye


def _assemble(parts: _Parts, single: bool = False) -> PoseMixture:
    precision = torch.linalg.inv(parts.covariances)
    if single:
        return PoseMixture(parts.shares, parts.means, torch.linalg.cholesky(precision))
    flip = mirror_features(torch.eye(NUM_FEATURES, dtype=precision.dtype))
    image = flip.mT @ precision @ flip
    precision = torch.cat((precision, image))
    precision = (precision + precision.mT) / 2
    return PoseMixture(
        torch.cat((parts.shares, parts.shares)) / 2,
        torch.cat((parts.means, mirror_features(parts.means))),
        torch.linalg.cholesky(precision),
    )


def _kmeans(
    features: Float[Tensor, "poses features"],
    weights: Float[Tensor, "poses"],
    config: EMConfig,
    generator: torch.Generator,
) -> Float[Tensor, "poses components"]:
    """Hard shares after k-means with mirrored centres."""
    picked = torch.multinomial(weights, 1, generator=generator)
    centres = features[picked]
    for _ in range(config.pairs - 1):
        distance = torch.cdist(features, torch.cat((centres, mirror_features(centres)))).amin(-1)
        picked = torch.multinomial(weights * distance.square(), 1, generator=generator)
        centres = torch.cat((centres, features[picked]))
    share = torch.empty(0)
    for _ in range(config.start_iterations):
        distance = torch.cdist(features, torch.cat((centres, mirror_features(centres))))
        nearest = distance.argmin(-1)
        share = torch.nn.functional.one_hot(nearest, 2 * config.pairs).to(features)
        centres = _maximise(features, weights, share, config).means
    return share
