"""Which frame of one file belongs to which of another, and both at one rate where asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.errors import InputError, OptionError
from motionfield.data.joint_track import JointTrack
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_positions, resample_rotations

_CURE = "say which frames belong together: --range START-END, --offset SECONDS or --fps RATE"
_EARLY_S = 1e-6
"""Times are rounded when they are written."""


@dataclass(frozen=True)
class TimeConfig:
    """What the user says of the clocks of two files."""

    range_s: tuple[float, float] | None = None
    """Seconds of the truth's clock that are compared."""
    fps: float | None = None
    """Rate to which both are resampled."""
    offset_s: float = 0.0
    """Added to the prediction's times: its clock started so much later than the truth's."""

    def __post_init__(self) -> None:
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise OptionError(f"--fps {self.fps:g}: give frames per second, above 0")


class Timeline(NamedTuple):
    """The frames of one file."""

    path: Path
    time_s: Float[ndarray, "frames"]
    frame_index: Int[ndarray, "frames"]
    numbered: bool
    """Whether ``frame_index`` counts the frames of the video."""


class Matched(NamedTuple):
    """Rows of both files that belong together."""

    rows: Int[ndarray, "frames"]
    """The prediction's; -1 where it has none."""
    truth_rows: Int[ndarray, "frames"]
    how: str

    @property
    def present(self) -> Bool[ndarray, "frames"]:
        return self.rows >= 0


def match_frames(predicted: Timeline, truth: Timeline, fps: float, config: TimeConfig) -> Matched:
    """Rows that belong together: by frame number where both have them, else in order or by time.

    The truth is cut to the span of the matched frames; its frames in between that the prediction
    does not have stay, with row -1.

    Raises:
        InputError: lengths differ and nothing says how they belong together, or nothing is shared.
    """
    rows = _in_range(predicted, config.range_s, config.offset_s)
    truth_rows = _in_range(truth, config.range_s, 0.0)
    if predicted.numbered and truth.numbered and config.offset_s == 0:
        keys = predicted.frame_index[rows], truth.frame_index[truth_rows]
        how = "matched by frame number"
    elif len(rows) == len(truth_rows) and config.offset_s == 0:
        return Matched(rows, truth_rows, "matched in order")
    elif config.offset_s == 0 and config.range_s is None:
        fault = f"has {len(rows)} frames, {truth.path} has {len(truth_rows)}"
        raise InputError(predicted.path, fault, _CURE)
    else:
        ours, theirs = predicted.time_s[rows] + config.offset_s, truth.time_s[truth_rows]
        keys = _ticks(ours - theirs[0], fps), _ticks(theirs - theirs[0], fps)
        how = "matched by time"
    row_of = dict(zip(keys[0].tolist(), rows.tolist(), strict=True))
    matched = np.array([row_of.get(key, -1) for key in keys[1].tolist()])
    found = np.flatnonzero(matched >= 0)
    if len(found) == 0:
        fault = f"shares no frame with {truth.path}"
        spans = f"{_span(predicted, config.offset_s)} against {_span(truth, 0.0)}"
        raise InputError(predicted.path, f"{fault} ({spans})", "shift it with --offset SECONDS")
    span = slice(found[0], found[-1] + 1)
    return Matched(matched[span], truth_rows[span], how)


def _ticks(time_s: Float[ndarray, "frames"], fps: float) -> Int[ndarray, "frames"]:
    return np.round(time_s * fps).astype(np.int64)


def _in_range(
    line: Timeline, range_s: tuple[float, float] | None, shift_s: float
) -> Int[ndarray, "rows"]:
    if range_s is None:
        return np.arange(len(line.time_s))
    start, end = range_s
    time = line.time_s + shift_s
    rows = np.flatnonzero((time >= start - _EARLY_S) & (time <= end + _EARLY_S))
    if len(rows) == 0:
        fault = f"has no frame between {start:g} s and {end:g} s"
        raise InputError(line.path, fault, f"it covers {_span(line, shift_s)}")
    return rows


def _span(line: Timeline, shift_s: float) -> str:
    return f"{line.time_s[0] + shift_s:.2f} to {line.time_s[-1] + shift_s:.2f} s"


def common_times(
    predicted: Timeline, truth: Timeline, fps: float, config: TimeConfig
) -> Float[ndarray, "samples"]:
    """Times of the truth's clock at ``fps``, as far as both files go.

    Raises:
        InputError: they have no time in common.
    """
    start, end = -np.inf, np.inf
    for line, shift in ((predicted, config.offset_s), (truth, 0.0)):
        time = line.time_s[_in_range(line, config.range_s, shift)] + shift
        start, end = max(start, float(time[0])), min(end, float(time[-1]))
    if end < start:
        fault = f"shares no time with {truth.path}"
        spans = f"{_span(predicted, config.offset_s)} against {_span(truth, 0.0)}"
        raise InputError(predicted.path, f"{fault} ({spans})", "shift it with --offset SECONDS")
    return start + np.arange(int((end - start) * fps + _EARLY_S) + 1) / fps


def motion_at(motion: Motion, at_s: Float[ndarray, "samples"], fps: float) -> Motion:
    """The motion at other times of its clock; observed where the nearest frame is.

    ``joints_std`` is left out.
    """
    time, at = _double(motion.time_s), _double(at_s)
    turns = torch.cat(
        (tensor_of(motion.global_orient).unsqueeze(1), tensor_of(motion.body_pose)), dim=1
    )
    turns = resample_rotations(turns, time, at)
    nearest = np.abs(motion.time_s[:, None] - at_s[None]).argmin(0)
    contacts = None
    if motion.contacts is not None:
        contacts = resample_positions(tensor_of(motion.contacts), time, at).numpy()
    return Motion(
        global_orient=turns[:, 0].numpy(),
        body_pose=turns[:, 1:].numpy(),
        transl=resample_positions(tensor_of(motion.transl), time, at).numpy(),
        betas=motion.betas,
        bone_scale=motion.bone_scale,
        body_model=motion.body_model,
        fps=fps,
        time_s=at_s,
        frame_index=np.arange(len(at_s)),
        observed=motion.observed[nearest],
        contacts=contacts,
        history=motion.history,
    )


def points_at(track: JointTrack, at_s: Float[ndarray, "samples"], fps: float) -> JointTrack:
    """The points at other times of their clock; missing where a neighbour in time is."""
    points = resample_positions(_double(track.joints_world), _double(track.time_s), _double(at_s))
    return JointTrack(
        joints_world=points.numpy(),
        joint_names=track.joint_names,
        fps=fps,
        time_s=at_s,
        frame_index=np.arange(len(at_s)),
        history=track.history,
    )


def _double(array: ndarray) -> Tensor:
    return torch.tensor(array, dtype=torch.float64)
