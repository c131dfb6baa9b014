"""Options of the lift by inverse kinematics."""

from dataclasses import dataclass


@dataclass(frozen=True)
class IKLiftConfig:
    """How evidence is weighed."""

    image_sd: float = 0.02
    """Error of 2D keypoints as a share of the person's size in the picture."""
    coarse_sd_m: float = 0.2
    """Error of the detector's coarse 3D: taken larger than it is (0.08 m), since it errs alike in
    many frames and points."""
    coarse_outlier_m: float = 0.3
    """Coarse points farther off than this count less and less."""
    headings: int = 8
    """So many headings are tried, and that of the coarse 3D where there is one."""
    keyframes_per_s: float = 8.0
    """Headings are tried on so many frames per second, and followed in between."""
    pose_prior: float = 0.1
    """Weight of the pose prior's energy when headings are compared."""
    joint_speed: float = 0.02
    """Penalty per (rad/s)² of every joint, against the detector's jitter."""
    depth_sd: float = 0.03
    """Error of a frame's depth from the person's size in the picture, as a share of it."""
    depth_error_lasts_s: float = 0.15
    """For how long that error stays the same."""
    acceleration_sd_m_s2: float = 3.0
    """How fast people change their speed."""
