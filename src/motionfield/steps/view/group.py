"""The report's part about several takes of one action: side by side in phase."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.conventions import JOINT_INDEX
from motionfield.data import Action, Quality, Variation
from motionfield.steps.view.looks import PERSON_COLOURS
from motionfield.steps.view.report_data import decimals, whole

_UNITS: Final = (
    ("_percent_per_s", "%/s", 1),
    ("_m_s", "m/s", 2),
    ("_deg", "°", 1),
    ("_m", "m", 3),
    ("_s", "s", 3),
)
"""End of a signal's name, the unit as shown, digits kept. The longest ends come first."""
_WARP_POINTS: Final = 121
_MOSTLY_ERROR: Final = 0.7
"""Where measurement may give this share of the spread, it may give half of its square."""


class Group(NamedTuple):
    """Takes of one action, fitted together. Names and order are those of the clips."""

    variation: Variation
    action: Action
    csv_href: str | None = "variation.csv"
    """Where the table lies, seen from the report; None where it was not written."""
    glb_href: str | None = "takes.glb"
    """Where the animation of all takes lies."""
    warnings: Sequence[str] = ()
    """What a user should know of the takes together, one sentence each."""


class TakeRow(NamedTuple):
    """One line of the table of takes."""

    name: str
    duration_s: float
    covered: str
    """Which part of the action the take shows."""
    difference_mm: float
    most_mm: float
    most_percent: float
    most_joint: str
    stands_out: bool
    mirrored: bool
    doubtful: str
    """Share of its frames in doubtful spans, or nothing where unknown."""


def shown_group(group: Group, qualities: Sequence[Quality]) -> dict[str, Any]:
    """What the page says in words and tables; ``qualities`` of the takes, or none."""
    variation = group.variation
    odd = variation.outlier()
    known = len(qualities) == variation.num_takes
    return {
        "sentences": sentences(variation),
        "rows": [
            _row(variation, take, odd == take, _doubtful(qualities[take]) if known else "")
            for take in range(variation.num_takes)
        ],
        "known": known,
        "warnings": list(group.warnings),
        "csv_href": group.csv_href,
        "glb_href": group.glb_href,
        "measured": bool(np.isfinite(variation.measured_mm).any()),
    }


def sentences(variation: Variation) -> list[str]:
    """Which take differs most and where, the timing, and what of the spread may be error."""
    told = [_most_different(variation), _timing(variation)]
    typical, highest, where = _widest(variation)
    if np.isfinite(highest):
        told.append(
            f"The joints spread by {typical:.0f} mm (median over joints and moments), "
            f"most by {highest:.0f} mm, {where}."
        )
    if np.isfinite(variation.measured_mm).any():
        told.append(_measured(variation))
    flipped = [n for n, m in zip(variation.take_names, variation.mirrored, strict=True) if m]
    if flipped:
        told.append(f"Done with the other hand, and mirrored here: {', '.join(flipped)}.")
    return told


def _most_different(variation: Variation) -> str:
    names, odd = variation.take_names, variation.outlier()
    found = [variation.difference(take) for take in range(variation.num_takes)]
    means = [one.mean_mm for one in found]
    if len(names) == 2:
        return (
            f"The two takes differ by {means[0]:.0f} mm on average over joints and moments, most "
            f"{_where(found[0].phase, found[0].joint)} ({found[0].most_mm:.0f} mm)."
        )
    if odd is None:
        most = int(np.argmax([one.most_mm for one in found]))
        return (
            f"No take stands out: each differs from the mean of the others by {min(means):.0f} to "
            f"{max(means):.0f} mm on average. The largest single difference: {names[most]} "
            f"{_where(found[most].phase, found[most].joint)} ({found[most].most_mm:.0f} mm)."
        )
    others = [mean for take, mean in enumerate(means) if take != odd]
    one = found[odd]
    return (
        f"{names[odd]} differs most: by {one.mean_mm:.0f} mm on average from the others' mean "
        f"(they: {min(others):.0f} to {max(others):.0f} mm), most {_where(one.phase, one.joint)} "
        f"({one.most_mm:.0f} mm)."
    )


def _where(phase: float, joint: str) -> str:
    return f"at {100 * phase:.0f} % in the {joint.replace('_', ' ')}"


def _timing(variation: Variation) -> str:
    seconds = variation.duration_s
    return (
        f"The takes last {seconds.min():.2f} to {seconds.max():.2f} s "
        f"({seconds.mean():.2f} ± {seconds.std(ddof=1):.2f} s)."
    )


def _widest(variation: Variation) -> tuple[float, float, str]:
    """Median spread of the joints, the greatest, and where that is; NaN where none is known."""
    spread = variation.spread_mm[:, 1:]
    if not np.isfinite(spread).any():
        return np.nan, np.nan, ""
    point, joint = np.unravel_index(np.nanargmax(spread), spread.shape)
    name = list(JOINT_INDEX)[joint + 1]
    most = float(spread[point, joint])
    return float(np.nanmedian(spread)), most, _where(float(variation.phase[point]), name)


def _measured(variation: Variation) -> str:
    both = np.isfinite(variation.spread_mm) & np.isfinite(variation.measured_mm)
    both[:, 0] = False
    spread, error = (
        float(np.sqrt(np.square(values[both]).mean()))
        for values in (variation.spread_mm, variation.measured_mm)
    )
    share = float(variation.clear[both].mean())
    text = (
        f"Measurement alone may give a spread of {error:.0f} mm; {spread:.0f} mm are seen (root "
        f"mean squares), in {share:.0%} of the joints and moments clearly more than that."
    )
    if error > _MOSTLY_ERROR * spread:
        text += (
            " Most of what differs here may be measurement error: do not read small differences."
        )
    return text


def _row(variation: Variation, take: int, stands_out: bool, doubtful: str) -> TakeRow:
    difference = variation.difference(take)
    percent = 100 * variation.phase[variation.covered[take]]
    covered = f"{percent.min():.0f}–{percent.max():.0f} %" if len(percent) else "none"
    return TakeRow(
        variation.take_names[take],
        float(variation.duration_s[take]),
        covered,
        difference.mean_mm,
        difference.most_mm,
        100 * difference.phase,
        difference.joint.replace("_", " "),
        stands_out,
        bool(variation.mirrored[take]),
        doubtful,
    )


def _doubtful(quality: Quality) -> str:
    time = quality.time_s
    doubt = np.zeros(len(time), bool)
    for start, end, _ in quality.spans:
        doubt |= (time >= start) & (time <= end)
    return f"{doubt.mean():.0%}"


def group_data(group: Group) -> dict[str, Any]:
    """What the page draws from: millimetres, and each signal in its unit."""
    variation = group.variation
    known = bool(np.isfinite(variation.measured_mm).any())
    return {
        "names": list(variation.take_names),
        "mirrored": variation.mirrored.astype(int).tolist(),
        "duration_s": group.action.duration_s,
        "percent": decimals(100 * variation.phase, 2),
        "covered": variation.covered.astype(int).tolist(),
        "joints_mm": [whole(1000 * one.reshape(-1)) for one in variation.joints_world],
        "canonical_mm": whole(1000 * variation.canonical_joints_world.reshape(-1)),
        "signals": [_signal(variation, index) for index in range(len(variation.signal_names))],
        "spread_mm": decimals(variation.spread_mm.reshape(-1), 0),
        "clear": variation.clear.astype(int).reshape(-1).tolist() if known else None,
        "difference_mm": [decimals(one.reshape(-1), 0) for one in variation.difference_mm],
        "warp": _warp(group.action),
        "colours": [list(colour) for colour in PERSON_COLOURS],
    }


def _signal(variation: Variation, index: int) -> dict[str, Any]:
    name = variation.signal_names[index]
    end, unit, digits = next(row for row in _UNITS if name.endswith(row[0]))
    kind = name.removesuffix(end)
    side = next((s for s in ("left", "right") if kind.startswith(f"{s}_")), "")

    # A mean over ever fewer takes jumps where one leaves: it is shown of half of them or more.
    shown = variation.covered.sum(0) >= max(2, variation.num_takes / 2)

    def curve(values: Float[ndarray, "points"], everywhere: bool = True) -> list[float | None]:
        return decimals(values if everywhere else np.where(shown, values, np.nan), digits)

    measured = variation.measured_sd[:, index]
    return {
        "kind": kind.removeprefix(f"{side}_").replace("_", " "),
        "side": side,
        "unit": unit,
        "digits": digits,
        "mean": curve(variation.mean[:, index], everywhere=False),
        "sd": curve(variation.sd[:, index], everywhere=False),
        "measured": curve(measured) if np.isfinite(measured).any() else None,
        "canonical": curve(variation.canonical[:, index]),
        "takes": [curve(values) for values in variation.values[:, :, index]],
    }


def _warp(action: Action) -> dict[str, Any]:
    """Phase in per cent over the takes' own time, on one clock."""
    parts = [action.frames_of(take) for take in range(action.num_takes)]
    times = [action.time_s[part] - action.time_s[part][0] for part in parts]
    longest = max(action.duration_s, *(float(time[-1]) for time in times), 1e-3)
    clock = np.linspace(0, longest, _WARP_POINTS)
    takes = [
        np.interp(clock, time, 100 * action.phase[part], right=np.nan)
        for time, part in zip(times, parts, strict=True)
    ]
    canonical = np.where(clock <= action.duration_s, 100 * clock / action.duration_s, np.nan)
    return {
        "time": decimals(clock, 4),
        "takes": [decimals(values, 1) for values in takes],
        "canonical": decimals(canonical, 1),
    }
