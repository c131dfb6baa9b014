"""From the lift's config to its lifter."""

from motionfield.body.base import Body
from motionfield.priors.base import PosePrior
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.ik.lifter import IKLifter


def make_lifter(config: LiftConfig, body: Body, prior: PosePrior | None) -> Lifter:
    """The lifter of ``config.method``."""
    return IKLifter(config, body, prior)
