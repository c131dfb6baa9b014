"""Options of the joint fit of several takes."""

from dataclasses import dataclass, field
from typing import NamedTuple

from motionfield.steps.fit.nemo.align import AlignConfig
from motionfield.steps.fit.terms import FitWeights


class Alike(NamedTuple):
    """How much takes tell of each other."""

    coupling: float
    """Per m² of a joint's distance from the shared motion."""
    doubt: float
    """In [0, 1]: factor on what is known of each take's 3D by itself."""
    std_factor: float
    """On the deviations of the first 3D."""


@dataclass(frozen=True)
class NemoConfig:
    """What is known of the takes, the schedule, and how alike takes are.

    Weights are inverse variances, per frame as those of ``FitWeights``.
    """

    same_person: bool = False
    """One shape for all takes; else one of each."""
    synchronized: bool = False
    """The takes are views of the same instants by several cameras: time is phase, and the takes
    share one motion and one place."""
    mirrored: bool = False
    """Takes done with the other hand are mirrored, fitted with the others, and mirrored back."""
    use_3d: bool = True
    """False: neither the start's shape nor the detector's 3D is held on to (an ablation)."""
    instance_specific: bool = True
    """False: every take is the shared motion on its own time (an ablation)."""
    steps: tuple[int, int, int] = (75, 100, 125)
    """Two rounds in which all takes have the pose of the field, each with its own root: after the
    first it is known how alike the takes are; then each take's own pose too."""
    wide_scale: float = 0.4
    """At first keypoints count as outliers only so many body heights away, for takes differ; in
    the last round it comes down to the scale of the weights."""
    field_rate: float = 0.01
    own_rate: float = 0.005
    camera_rate: float = 0.003
    phase_rate: float = 0.002
    cells: tuple[int, ...] = (6, 12, 24)
    """Cubic splines over the phase: so many cells in each level, coarse to fine."""
    sigmoids: int = 50
    """Of each phase network."""
    free_betas: int = 10
    shared: float = 40.0
    """Per m² of a joint's distance, about the root joint, from the motion that the takes share,
    where they are ``usual_spread`` apart; it goes with the inverse square."""
    usual_spread: float = 0.03
    """Body heights (2D), root mean square."""
    doubt_spread: float = 0.032
    """From here on what a network says of one take counts as in a fit of one take …"""
    doubt_power: float = 8.0
    """… and the less the more alike the takes are: several views of one motion tell more."""
    shared_scale: float = 0.1
    """Metres beyond which a take's joint is not held by the others' any more."""
    shared_turn: float = 0.1
    """Per rad² of a joint's turn away from it: twists that no keypoint sees."""
    shared_place: float = 3.0
    """Per m² of the root joint's distance from the shared path."""
    tilt_rad: float = 0.05
    """Deviation of a camera's tilt from where its calibration has it."""
    lift_m: float = 0.03
    """Likewise of its height."""
    zoom: float = 0.15
    """Deviation of the logarithm of a focal length that nobody has given."""
    std_alike: float = 0.25
    """On the deviations of the first 3D, so that they hold after the fit of takes that are alike …
    """
    std_apart: float = 0.85
    """… and of takes that tell nothing of each other; in between by ``Alike.doubt`` (chosen on
    val: 68 % of axes within one deviation)."""
    align: AlignConfig = field(default_factory=AlignConfig)
    weights: FitWeights = field(default_factory=FitWeights)

    def alike(self, spread: float) -> Alike:
        """What follows from how far the takes are from what they share (body heights, 2D)."""
        spread = max(spread, 1e-3)
        doubt = min(1.0, (spread / self.doubt_spread) ** self.doubt_power)
        return Alike(
            coupling=self.shared * (self.usual_spread / spread) ** 2,
            doubt=doubt if self.use_3d else 0.0,
            std_factor=self.std_alike + doubt * (self.std_apart - self.std_alike),
        )
