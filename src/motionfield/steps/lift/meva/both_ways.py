"""The network asked twice, about the person and about the mirrored person, and the mean of both."""

from typing import Final, final

import roma
import torch
from torch.nn.functional import normalize

from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.steps.lift.meva.features import CropFeatures
from motionfield.steps.lift.meva.network import MevaOutput
from motionfield.steps.lift.meva.windows import Network

_ORDER: Final = list(mirror_order(JOINT_NAMES))
_BODY_ORDER: Final = [joint - 1 for joint in _ORDER[1:]]
_TURNS: Final = ("root", "body_pose", "coarse_root", "coarse_pose")


@final
class BothWays:
    """A network whose answers to a person and to the mirror image agree.

    Detectors and networks err differently on both sides; half of that difference goes.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, features: CropFeatures) -> MevaOutput:
        """The mean answer."""
        straight = self._network(features)
        back = mirrored_output(self._network(features.mirrored()))
        found = {
            name: (getattr(straight, name) + getattr(back, name)) / 2 for name in MevaOutput._fields
        }
        for name in _TURNS:
            found[name] = roma.special_procrustes(found[name])
        found["up"] = normalize(found["up"], dim=-1)
        return MevaOutput(**found)


def mirrored_output(output: MevaOutput) -> MevaOutput:
    """What is said of the mirrored person; twice gives the output back."""
    flip = output.up.new_tensor([-1.0, 1.0, 1.0])
    turn = torch.outer(flip, flip)
    return MevaOutput(
        root=output.root * turn,
        body_pose=(output.body_pose * turn)[..., _BODY_ORDER, :, :],
        betas=output.betas,
        camera=output.camera * output.camera.new_tensor([1.0, -1.0, 1.0]),
        contacts=output.contacts.flip(-1),
        up=output.up * flip,
        velocity=output.velocity * flip,
        joints_sd=output.joints_sd[..., _ORDER],
        coarse_root=output.coarse_root * turn,
        coarse_pose=(output.coarse_pose * turn)[..., _BODY_ORDER, :, :],
    )
