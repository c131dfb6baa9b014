"""Encodings of the phase."""

import pytest
import torch
from torch import nn

from motionfield.core.errors import OptionError
from motionfield.fields.encoding import QuadraticRBF, RawPhase, SplineEncoding

PHASE = torch.linspace(0, 1, 201)


@pytest.mark.parametrize("encoding", [RawPhase(), QuadraticRBF(30), SplineEncoding((3, 9))])
def test_has_as_many_features_as_it_says(encoding: nn.Module) -> None:
    assert encoding(PHASE).shape == (201, encoding.num_features)


def test_raw_phase_is_the_phase() -> None:
    assert torch.equal(RawPhase()(PHASE)[:, 0], PHASE)


def test_quadratic_is_a_quartic_with_its_own_widths() -> None:
    encoding = QuadraticRBF(5)
    with torch.no_grad():
        encoding.log_sigma.copy_(torch.tensor([0.0, 0.5, 1.0, -1.0, 0.0]))
    features = encoding(PHASE)
    for k, centre in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        sigma = encoding.log_sigma[k].exp()
        expected = ((PHASE - centre) ** 2 / sigma) ** 2
        assert torch.allclose(features[:, k], expected, atol=1e-6)
    # Fourth differences of a quartic are constant: nothing is local.
    fourth = features.double().diff(n=4, dim=0)
    assert fourth.std(0).max() < 1e-6


def test_spline_features_of_a_level_sum_to_1_and_are_local() -> None:
    encoding = SplineEncoding((4, 10))
    features = encoding(PHASE)
    assert torch.allclose(features[:, :7].sum(1), torch.ones(201), atol=1e-6)
    assert torch.allclose(features[:, 7:].sum(1), torch.ones(201), atol=1e-6)
    assert (features >= 0).all()
    assert (features > 0).sum(1).max() <= 8
    centre, cell = features[:, 7 + 6], 0.1
    assert (centre[(PHASE - 0.5).abs() > 2 * cell + 1e-6] == 0).all()
    assert centre.argmax() == 100


def test_splines_hold_a_cubic_exactly() -> None:
    features = SplineEncoding((6,))(PHASE).double()
    wanted = 1 - 2 * PHASE.double() + 7 * PHASE.double() ** 3
    weights = torch.linalg.lstsq(features, wanted[:, None]).solution
    assert (features @ weights - wanted[:, None]).abs().max() < 1e-5


def test_detail_lets_levels_in_one_after_the_other() -> None:
    encoding = SplineEncoding((2, 4, 8))
    coarse = encoding(PHASE, 0.0)
    assert coarse[:, :5].abs().sum() > 0
    assert coarse[:, 5:].abs().sum() == 0
    assert torch.equal(encoding(PHASE, 1.0), encoding(PHASE))
    assert encoding.level_weights(0.5) == pytest.approx([1.0, 1.0, 0.0])
    assert encoding.level_weights(0.25) == pytest.approx([1.0, 0.5, 0.0])
    weights = torch.tensor([encoding.level_weights(d / 20) for d in range(21)])
    assert (weights.diff(dim=0) >= 0).all()
    assert torch.allclose(encoding(PHASE, 0.999), encoding(PHASE, 1.0), atol=1e-3)


@pytest.mark.parametrize("cells", [(), (0,), (4, -1)])
def test_levels_need_cells(cells: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match="cells"):
        SplineEncoding(cells)
