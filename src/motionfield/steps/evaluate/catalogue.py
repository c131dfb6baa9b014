"""Every figure of the standard row by name: unit, points, alignment, source.

docs/metrics.md shows this table; a test keeps the two the same.
"""

from dataclasses import dataclass
from typing import Final

_ANY = "all shared"
_SMPL = "24 of SMPL's order"


@dataclass(frozen=True)
class Metric:
    """What one figure is; the functions' docstrings say more."""

    unit: str
    points: str
    """The joints or vertices that are compared."""
    alignment: str
    """What is forgiven."""
    source: str


METRICS: Final[dict[str, Metric]] = {
    "mpjpe_mm": Metric("mm", _SMPL, "hips at the origin in the camera's axes", "Ionescu 2014"),
    "pa_mpjpe_mm": Metric("mm", _SMPL, "similarity of each frame", "Zhou 2018"),
    "g_mpjpe_mm": Metric("mm", _SMPL, "one rigid motion of the clip", "assumed for DiffOpt"),
    "accel_m_s2": Metric("m/s²", _SMPL, "as mpjpe_mm", "Kanazawa 2019"),
    "accel_mm_frame2": Metric("mm/frame²", _SMPL, "as mpjpe_mm", "Kanazawa 2019"),
    "jitter": Metric("10 m/s³", _SMPL, "none", "Yi 2021, as WHAM shows it"),
}
