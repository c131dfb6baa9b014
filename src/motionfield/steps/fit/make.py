"""From a fit's config to its fitter."""

from motionfield.body.base import Body
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.base import Fitter
from motionfield.steps.fit.sequence import SequenceFitConfig, SequenceFitter
from motionfield.steps.fit.smplify import SmplifyConfig, SmplifyFitter

FitConfig = SequenceFitConfig | SmplifyConfig


def make_fitter(config: FitConfig, body: Body, prior: PosePrior) -> Fitter:
    """The fitter that this config belongs to."""
    if isinstance(config, SmplifyConfig):
        return SmplifyFitter(config, body, prior)
    return SequenceFitter(config, body, prior)
