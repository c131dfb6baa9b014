"""Asked both ways, the answer to the mirrored person is the mirrored answer."""

import torch

from motionfield.body.registry import load_body
from motionfield.steps.lift.meva.both_ways import BothWays, mirrored_output
from motionfield.steps.lift.meva.network import MevaNetwork, MevaOutput
from steps.lift.meva.test_network import SMALL, random_features, trained


def _close(a: MevaOutput, b: MevaOutput) -> None:
    for name, one, two in zip(MevaOutput._fields, a, b, strict=True):
        assert torch.allclose(one, two, atol=2e-4), name


def test_twice_mirrored_is_unchanged() -> None:
    answer = trained(MevaNetwork(load_body("anny"), SMALL))(random_features())
    _close(mirrored_output(mirrored_output(answer)), answer)


def test_the_mirrored_person_gets_the_mirrored_answer() -> None:
    network = trained(MevaNetwork(load_body("anny"), SMALL))
    features = random_features()
    one_way = network(features.mirrored()).root - mirrored_output(network(features)).root
    assert one_way.abs().max() > 0.01  # the network itself knows left from right
    both = BothWays(network)
    _close(both(features.mirrored()), mirrored_output(both(features)))


def test_rotations_stay_rotations() -> None:
    answer = BothWays(trained(MevaNetwork(load_body("anny"), SMALL)))(random_features())
    for turns in (answer.root, answer.body_pose):
        assert torch.allclose(turns @ turns.mT, torch.eye(3).expand_as(turns), atol=1e-4)
        assert (torch.linalg.det(turns) > 0).all()
