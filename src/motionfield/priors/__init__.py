"""What is known of people before any video is seen: densities over poses."""

from motionfield.priors.pose_mixture import PoseMixture

__all__ = ["PoseMixture"]
