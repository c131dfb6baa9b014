"""From a fit's config to its fitter."""

from motionfield.body.base import Body
from motionfield.priors.base import PosePrior
from motionfield.priors.pose_vae import PoseVAE
from motionfield.steps.fit.base import Fitter
from motionfield.steps.fit.group import GroupFitter
from motionfield.steps.fit.nemo.config import NemoConfig
from motionfield.steps.fit.nemo.fitter import NemoFitter
from motionfield.steps.fit.nemo.paper import PaperNemoFitter
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.sequence import SequenceFitConfig, SequenceFitter
from motionfield.steps.fit.smplify import SmplifyConfig, SmplifyFitter

FitConfig = SequenceFitConfig | SmplifyConfig


GroupConfig = NemoConfig | PaperNemoConfig


def make_fitter(config: FitConfig, body: Body, prior: PosePrior) -> Fitter:
    """The fitter that this config belongs to."""
    if isinstance(config, SmplifyConfig):
        return SmplifyFitter(config, body, prior)
    return SequenceFitter(config, body, prior)


def make_group_fitter(config: GroupConfig, body: Body, prior: PosePrior) -> GroupFitter:
    """The fitter of several takes that this config belongs to."""
    if isinstance(config, PaperNemoConfig):
        return PaperNemoFitter(config, body, prior, PoseVAE.load())
    return NemoFitter(config, body, prior)
