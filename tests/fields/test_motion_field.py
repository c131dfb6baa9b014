"""The field: what it starts as, what it is a function of."""

import roma
import torch

from motionfield.fields.encoding import QuadraticRBF, RawPhase, SplineEncoding
from motionfield.fields.motion_field import MotionField, MotionFieldConfig

PHASE = torch.linspace(0, 1, 11)
SMALL = MotionFieldConfig(hidden=(20, 20), code=3)


def field_of(config: MotionFieldConfig = SMALL, seed: int = 0) -> MotionField:
    return MotionField(config, QuadraticRBF(10), torch.Generator().manual_seed(seed))


def test_starts_at_the_rotations_given() -> None:
    start = roma.random_rotmat(24)
    config = MotionFieldConfig(hidden=(30,))
    field = MotionField(config, RawPhase(), torch.Generator(), start)
    rotations = field(PHASE, torch.zeros(11, 5)).rotations
    assert torch.allclose(rotations, start.expand(11, 24, 3, 3), atol=1e-3)
    unturned = field_of()(PHASE, torch.zeros(11, 3)).rotations
    assert torch.allclose(unturned, torch.eye(3).expand(11, 24, 3, 3), atol=1e-3)


def test_translation_is_measured_from_the_canonical_start() -> None:
    field = field_of()
    assert field(PHASE, torch.zeros(11, 3)).transl[0].abs().max() < 1e-6
    code = torch.ones(11, 3)
    assert field(PHASE, code).transl[0].abs().max() > 1e-3
    plain = field_of(MotionFieldConfig(hidden=(20, 20), code=3, recentred=False))
    moved = plain(PHASE, code).transl - plain(PHASE[:1], torch.zeros(1, 3)).transl
    assert torch.allclose(field(PHASE, code).transl, moved, atol=1e-6)
    assert plain(PHASE, code).transl[0].abs().max() > 1e-3


def test_frames_do_not_see_each_other() -> None:
    field = field_of()
    code = torch.randn(11, 3, generator=torch.Generator().manual_seed(1))
    whole = field(PHASE, code)
    for t in (0, 4, 10):
        alone = field(PHASE[t : t + 1], code[t : t + 1])
        assert torch.allclose(alone.transl[0], whole.transl[t], atol=1e-6)
        assert torch.allclose(alone.rotations[0], whole.rotations[t], atol=1e-6)


def test_same_seed_same_weights_whatever_else_was_drawn() -> None:
    first = field_of().state_dict()
    torch.randn(7)
    second, other = field_of().state_dict(), field_of(seed=1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["trunk.0.weight"], other["trunk.0.weight"])


def test_without_hidden_layers_it_is_linear_in_the_features() -> None:
    encoding = SplineEncoding((4,))
    config = MotionFieldConfig(hidden=(), code=0, recentred=False)
    field = MotionField(config, encoding, torch.Generator().manual_seed(0))
    transl = field(PHASE, torch.zeros(11, 0)).transl
    features = encoding(PHASE)
    assert torch.allclose(transl, features @ field.place.weight.T + field.place.bias, atol=1e-6)


def test_widths_are_those_of_the_paper() -> None:
    field = MotionField(MotionFieldConfig(), QuadraticRBF(), torch.Generator())
    count = sum(p.numel() for p in field.parameters())
    layers = (105 * 1000 + 1000) + 2 * (1000 * 1000 + 1000)
    assert count == layers + 1001 * 147 + 100
