"""Which figures mean something for a result whose world is tilted, or none at all."""

import fnmatch
from typing import Final, Literal

from motionfield.core.errors import OptionError
from motionfield.formats.results.base import FRAMES
from motionfield.steps.evaluate.catalogue import CAMERA_AXES
from motionfield.steps.evaluate.comparison import Comparison, NamedScore

Align = Literal["auto", "frame", "clip", "none"]
ALIGN: Final[tuple[Align, ...]] = ("auto", "frame", "clip", "none")
"""What a figure must forgive to be shown: every frame's own axes, the clip's, or nothing. ``auto``
is what the frames of the two files allow."""

_OF_FRAMES: Final = (
    *("pa_mpjpe_mm", "pck150_percent", "auc200_percent", "nemo_local_*", "nemo_dynamic_*"),
    *("angle_rmse_[!p]*_deg", "flexion_rmse_deg", "*_truth", "*_truth_mm"),
)
"""Figures for which the axes of every frame may be others."""
_OF_LEVEL_WORLDS: Final = (
    *("up_axis_error_deg", "foot_slide_mm", "foot_slide_wham_mm", "glamr_*", "contact_*"),
    *("angle_rmse_deg", "angle_rmse_pelvis_deg"),
)
"""Figures for which both worlds must be level."""


def needs(name: str, score: NamedScore) -> Align:
    """The least alignment under which a figure can be shown."""
    if score.alignment == CAMERA_AXES or _is_one(name, _OF_FRAMES):
        return "frame"
    return "none" if _is_one(name, _OF_LEVEL_WORLDS) else "clip"


def allowed(frames: tuple[str, str], has_path: bool, align: Align) -> Align:
    """What is shown: what the user asked for, or what the two files' frames allow.

    Args:
        frames: of prediction and truth, names of ``formats.results.base.FRAMES``.
        has_path: whether both have a path of the root.
        align: the user's word.

    Raises:
        OptionError: no path, and figures of the clip are asked for.
    """
    if align in ("clip", "none") and not has_path:
        raise OptionError(f"--align {align}: a file without a path of the person; use frame")
    if align != "auto":
        return align
    if "camera" in frames or not has_path:
        return "frame"
    return "clip" if "tilted world" in frames else "none"


def shown(comparison: Comparison, align: Align) -> Comparison:
    """The figures that mean something where only this much is known."""
    kept = ALIGN[1 : ALIGN.index(align) + 1]
    return Comparison({n: s for n, s in comparison.scores.items() if needs(n, s) in kept})


def told(align: Align, frames: tuple[str, str]) -> str:
    """One line on what is shown."""
    if align == "none":
        return "alignment: of each figure, in its line"
    where = " and ".join(FRAMES[frame] for frame in dict.fromkeys(frames))
    each = "every frame by itself" if align == "frame" else "every frame or the clip"
    return f"alignment: only figures that align {each}, for results in {where}"


def _is_one(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
