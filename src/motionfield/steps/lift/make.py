"""From the lift's config to its lifter."""

from pathlib import Path

from motionfield.body.base import Body
from motionfield.priors.base import PosePrior
from motionfield.priors.weight_file import shipped_weights
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.ik.lifter import IKLifter
from motionfield.steps.lift.meva.lifter import MevaLifter
from motionfield.steps.lift.meva.network import MevaNetwork


def weights_of(config: LiftConfig) -> Path | None:
    """The file of the network that this lift uses; None where it uses none."""
    if config.method != "meva":
        return None
    return config.weights or shipped_weights("meva")


def make_lifter(config: LiftConfig, body: Body, prior: PosePrior | None) -> Lifter:
    """The lifter of ``config.method``.

    Raises:
        MissingAssetError: the network's weights are not there.
        InputError: they are damaged, or of another kind or version.
    """
    if config.method == "meva":
        return MevaLifter(config, body, MevaNetwork.load(body, weights_of(config)))
    return IKLifter(config, body, prior)
