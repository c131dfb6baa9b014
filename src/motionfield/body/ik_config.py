"""Options and targets of inverse kinematics."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class IKConfig:
    """Standard deviations in metres and radians; smaller means stiffer."""

    iterations: int = 12
    target_sd_m: float = 0.01
    """Error of a target of weight 1."""
    robust_m: float | None = None
    """Geman-McClure scale: targets farther off than this count less and less. None: squares."""
    shape_sd_m: float = 0.1
    """Error of a target's coarse place of weight 1 (``Targets.coarse``)."""
    shape_robust_m: float = 0.3
    """Geman-McClure scale of the coarse places."""
    limit_sd_rad: float = 0.01
    """By how much hinges and ranges of joints may be passed."""
    standing: float = 0.3
    """Pull to the standing pose, per (half range of the joint)²."""
    joint_speed: float = 0.0
    """Per (rad/s)² of every joint between frames; needs ``time_s``."""
    speed: float = 0.0
    """Per (m/s)² of the root between frames; needs ``time_s``."""
    free_betas: int = 0
    """How many shape coefficients are solved for, one set for all frames."""
    beta_sd: float = 1.0
    free_bone_scale: bool = False
    """Solve for a factor per bone, left and right alike, one set for all frames."""
    bone_scale_sd: float = 0.3


class Targets(NamedTuple):
    """Where the points of a keypoint set shall be. No NaN: what is not seen has weight 0."""

    keypoint_set: str
    points: Float[Tensor, "frames keypoints 3"]
    weights: Float[Tensor, "frames keypoints"]
    along: Float[Tensor, "frames keypoints 3"] | None = None
    """Unit directions along which the places are not known."""
    coarse: Float[Tensor, "frames keypoints 3"] | None = None
    """A coarse shape of all points, known but for its place."""
    coarse_weights: Float[Tensor, "frames keypoints"] | None = None

    def frames(self, chosen: Tensor) -> "Targets":
        """Some of the frames."""
        _, *arrays = self
        some = [None if a is None else a[chosen] for a in arrays]
        return Targets(self[0], *some)  # type: ignore[arg-type]
