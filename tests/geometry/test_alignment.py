"""Laws of alignment: a known similarity comes back, and nothing does better."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from geometry.strategies import SEEDS, normal, rotations, uniform
from motionfield.geometry.alignment import AlignmentSums, Similarity, align_points


def _similarity(seed: int, batch: int, with_scale: bool) -> Similarity:
    scale = uniform(0.1, 10, (batch,), seed) if with_scale else torch.ones(batch).double()
    return Similarity(rotations((batch,), seed), 10 * normal((batch, 3), seed + 1), scale)


@given(SEEDS, st.integers(4, 20), st.booleans())
def test_a_known_similarity_comes_back(seed: int, points: int, with_scale: bool) -> None:
    a = normal((3, points, 3), seed + 2)
    truth = _similarity(seed, 3, with_scale)
    found = align_points(a, truth.apply(a), with_scale=with_scale)
    torch.testing.assert_close(found.R_b_a, truth.R_b_a, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.t_b_a, truth.t_b_a, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found.scale, truth.scale)


@given(SEEDS)
def test_a_mirrored_body_is_not_mirrored_back(seed: int) -> None:
    """The best *proper* rotation: a reflection would hide swapped sides."""
    a = normal((5, 12, 3), seed)
    mirrored = a * torch.tensor([-1.0, 1, 1], dtype=torch.float64)
    found = align_points(a, mirrored)
    torch.testing.assert_close(torch.linalg.det(found.R_b_a), torch.ones(5).double())


@given(SEEDS)
def test_points_of_weight_zero_do_not_count(seed: int) -> None:
    a = normal((2, 10, 3), seed)
    truth = _similarity(seed, 2, True)
    b = truth.apply(a)
    b[:, 7:] += 100
    weights = torch.ones(2, 10, dtype=torch.float64)
    weights[:, 7:] = 0
    found = align_points(a, b, weights, with_scale=True)
    torch.testing.assert_close(found.R_b_a, truth.R_b_a, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.scale, truth.scale)


def _residual(similarity: Similarity, a: Tensor, b: Tensor) -> Tensor:
    return (similarity.apply(a) - b).square().sum((-1, -2))


@given(SEEDS, st.booleans())
def test_nothing_nearby_is_better(seed: int, with_scale: bool) -> None:
    """Least squares: any small change of the result fits no better."""
    a, b = normal((4, 8, 3), seed), normal((4, 8, 3), seed + 1)
    best = align_points(a, b, with_scale=with_scale)
    turn = torch.matrix_exp(0.02 * _skew(normal((4, 3), seed + 2)))
    scale = best.scale * (1.01 if with_scale else 1.0)
    moved = Similarity(turn @ best.R_b_a, best.t_b_a + 0.01 * normal((4, 3), seed + 3), scale)
    assert (_residual(moved, a, b) >= _residual(best, a, b) - 1e-9).all()


def _skew(v: Tensor) -> Tensor:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), -1).unflatten(-1, (3, 3))


def test_one_point_gives_a_finite_answer() -> None:
    """Degenerate: any rotation fits; it has to be finite and carry the point over."""
    a, b = torch.zeros(1, 1, 3).double(), torch.ones(1, 1, 3).double()
    found = align_points(a, b, with_scale=True)
    assert torch.isfinite(found.R_b_a).all()
    torch.testing.assert_close(found.apply(a), b)


@given(SEEDS, st.booleans(), st.integers(1, 4))
def test_blocks_give_what_all_points_at_once_give(seed: int, with_scale: bool, size: int) -> None:
    """Also far from the origin, where sums of squares are large beside their differences."""
    a, b = normal((9, 3), seed) + 30, normal((9, 3), seed + 1) - 20
    sums = AlignmentSums()
    for part_a, part_b in zip(a.split(size), b.split(size), strict=True):
        sums.add(part_a, part_b)
    whole, found = align_points(a, b, with_scale=with_scale), sums.solve(with_scale)
    assert sums.count == 9
    for one, other in zip(whole, found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-8, rtol=1e-8)


def test_no_points_give_no_alignment() -> None:
    assert all(part.isnan().all() for part in AlignmentSums().solve())
