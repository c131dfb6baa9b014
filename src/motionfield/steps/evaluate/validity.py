"""Poses that no body takes: the share of them in a motion (MEVA's Fig. 5 shows such, uncounted)."""

import math
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from motionfield.body.joint_limits import swing_twist
from motionfield.core.conventions import JOINT_INDEX
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.evaluate.score import Score

BACKWARDS_RAD: Final = math.radians(15)
"""99.9 % of the poses that the shipped mixture was made of bend no knee and no elbow farther
backwards (13 and 2 degrees; calibration of rigs is no better)."""
LEAST_USUAL_NATS: Final = 118.0
"""Energy in the shipped mixture that 99.9 % of those poses stay below."""
# Column of swing_twist and the sign that flexion has there.
_HINGES: Final = (
    ("left_knee", 0, 1),
    ("right_knee", 0, 1),
    ("left_elbow", 1, -1),
    ("right_elbow", 1, 1),
)


def invalid_poses(body_pose: Float[Tensor, "frames 23 3 3"], mixture: PoseMixture) -> Score:
    """Share of invalid poses, %: each frame is 0 or 100; frames with NaN are not scored.

    A pose is invalid if a knee or an elbow is bent backwards by more than 15 degrees, or if its
    energy in the pose mixture is above 118 nats, which one real pose in a thousand reaches. Limits
    of the other joints are not asked: retargeted mocap itself leaves them in a quarter of frames.
    """
    known = torch.isfinite(body_pose).flatten(1).all(1)
    score = torch.full((len(body_pose),), torch.nan)
    if known.any():
        pose = body_pose[known]
        bad = bent_backwards(pose) | (mixture.energy(pose) > LEAST_USUAL_NATS)
        score[known] = 100 * bad.float()
    return Score(score, "%")


def bent_backwards(body_pose: Float[Tensor, "frames 23 3 3"]) -> Bool[Tensor, "frames"]:
    """Whether a knee or an elbow is bent backwards by more than ``BACKWARDS_RAD``."""
    angles = swing_twist(body_pose)
    flexion = torch.stack(
        [sign * angles[:, JOINT_INDEX[name] - 1, axis] for name, axis, sign in _HINGES], dim=-1
    )
    return (flexion < -BACKWARDS_RAD).any(-1)
