"""From the lift's config to its lifter."""

from pathlib import Path
from typing import Final

from motionfield.body.base import Body
from motionfield.core.errors import MissingAssetError
from motionfield.data.feature_clip import FeatureClip
from motionfield.priors.base import PosePrior
from motionfield.priors.weight_file import shipped_weights
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.ik.lifter import IKLifter
from motionfield.steps.lift.meva.both_ways import BothWays
from motionfield.steps.lift.meva.images import ImageTeller
from motionfield.steps.lift.meva.lifter import MevaLifter
from motionfield.steps.lift.meva.network import MevaNetwork
from motionfield.steps.lift.meva.network_paper import PaperMeva

_NO_WEIGHTS: Final = (
    "--features: no weights of a network on image features ship with motionfield (no features "
    "network is free for all uses); give yours with --meva-weights FILE, or train some with "
    "motionfield train meva_images --data DIR (docs/papers/meva.md)"
)


def weights_of(config: LiftConfig) -> Path | None:
    """The file of the network that this lift uses; None where it uses none.

    Raises:
        MissingAssetError: image features are to be read, and no weights are named.
    """
    if config.method != "meva":
        return None
    if config.images and config.weights is None:
        raise MissingAssetError(_NO_WEIGHTS)
    return config.weights or shipped_weights("meva")


def make_lifter(
    config: LiftConfig, body: Body, prior: PosePrior | None, clip: FeatureClip | None = None
) -> Lifter:
    """The lifter of ``config.method``; ``clip`` is of the person, where ``config.images``.

    Raises:
        MissingAssetError: the network's weights are not there.
        InputError: they are damaged, or of another kind or version.
    """
    if config.method == "meva" and config.images:
        published = PaperMeva.load(weights_of(config) or "", body.name)
        return MevaLifter(config, body, ImageTeller(published, clip))
    if config.method == "meva":
        network = MevaNetwork.load(body, weights_of(config))
        return MevaLifter(config, body, BothWays(network) if config.meva.both_ways else network)
    return IKLifter(config, body, prior)
