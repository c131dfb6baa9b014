"""How far a result can be trusted, frame by frame."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.data.record import Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Quality(Record):
    """Quality of one person's motion against what was seen. Frames without a value are NaN."""

    time_s: Float[ndarray, "frames"]
    reprojection_px: Float[ndarray, "frames"]
    """Confidence-weighted mean distance of projected body points and 2D keypoints, pixels."""
    reprojection_box: Float[ndarray, "frames"]
    """The same as a share of the person's box height."""
    contact_seen: Bool[ndarray, "frames 2"]
    """Left and right foot rest on the ground, judged by the 2D foot's speed alone."""
    foot_slide_m: Float[ndarray, "frames 2"]
    """Horizontal way of the foot during the next 1/30 s, metres; NaN out of contact."""
    penetration_m: Float[ndarray, "frames"]
    """Depth of the lowest body point below the ground, metres; 0 above it."""
    jitter_m_s3: Float[ndarray, "frames"]
    """Mean norm of the joints' third derivative, m/s^3."""
    observed: Bool[ndarray, "frames"]
    spans: tuple[tuple[float, float, str], ...] = ()
    """Doubtful spans: start and end in seconds, and the reason as a sentence."""

    @property
    def contact_share(self) -> float:
        """Share of the observed frames in which at least one foot rests on the ground."""
        rests = self.contact_seen[self.observed].any(1)
        return float(rests.mean()) if len(rests) else 0.0
