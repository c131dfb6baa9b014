"""Options of the lift by MEVA's network."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RootPathConfig:
    """Errors of what tells where the root joint is. Those that last as long are one error."""

    across_sd: float = 0.004
    """Of a place seen in the picture, across the viewing ray, as a share of the distance."""
    across_lasts_s: float = 0.1
    depth_sd: float = 0.03
    """Of the distance, from the size in the picture of a person all of whom is seen, as a share of
    it; of one of whom less is seen it is greater in proportion."""
    weak_depth_sd: float = 0.1
    """Of the distance that the network says."""
    depth_lasts_s: float = 0.5
    velocity_sd_m_s: float = 0.25
    """Of the network's velocity."""
    velocity_lasts_s: float = 0.3
    acceleration_sd_m_s2: float = 3.0
    """Of the change of that velocity."""
    slide_sd_m_s: float = 0.2
    """Speed of a point of the sole that rests, by the errors of the legs that carry it."""
    ground_sd_m: float = 0.03
    """Height of such a point above the ground."""
    ground_lasts_s: float = 0.5
    outlier_sds: float = 3.0
    """Places farther off than so many errors count less and less (Geman-McClure)."""
    outlier_slide_m_s: float = 0.3
    """Likewise resting points that seem to move so fast, and …"""
    outlier_ground_m: float = 0.15
    """… that seem to be so far from the ground: people step on other levels."""
    rounds: int = 5
    """Of reweighting."""


@dataclass(frozen=True)
class FootConfig:
    """How firmly resting feet are held by the legs, once the root's path is known."""

    shift_sd_m: float = 0.03
    """A foot is moved by so much at most times."""
    slide_sd_m_s: float = 0.02
    acceleration_sd_m_s2: float = 10.0
    """How fast the shift may change: stances begin and end smoothly."""
    ground_sd_m: float = 0.05
    outlier_slide_m_s: float = 0.3
    """Points that seem to move so fast count less and less, and …"""
    outlier_ground_m: float = 0.1
    """… those that seem to be so far from the ground."""
    rounds: int = 4


@dataclass(frozen=True)
class MevaLiftConfig:
    """How the network is run, and how its answers become a motion in the world."""

    overlap: int = 30
    """Frames that neighbouring windows share."""
    batch: int = 16
    """Windows in the network at a time."""
    both_ways: bool = True
    """The mirrored person is shown, too, and the mean taken (keypoints only)."""
    path: RootPathConfig = field(default_factory=RootPathConfig)
    feet: FootConfig | None = field(default_factory=FootConfig)
    """None: legs are as the network says."""
