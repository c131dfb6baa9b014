"""Two result files compared frame by frame, with all that was assumed stated in words."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data.camera_path import CameraPath
from motionfield.data.joint_track import JointTrack
from motionfield.data.motion import Motion
from motionfield.formats.results.base import Result
from motionfield.steps.evaluate.axes_needed import Align, allowed, shown, told
from motionfield.steps.evaluate.compare import compare_motions
from motionfield.steps.evaluate.compare_points import compare_joints
from motionfield.steps.evaluate.comparison import Comparison
from motionfield.steps.evaluate.frame_matching import (
    Matched,
    TimeConfig,
    Timeline,
    common_times,
    match_frames,
    motion_at,
    points_at,
)
from motionfield.steps.evaluate.posed_results import (
    Clock,
    body_of,
    chosen_points,
    clocks_of,
    describe,
    motion_of,
    points_of,
)

_SAME_RATE = 0.01
"""Rates within one per cent are the same: 29.97 is sold as 30."""


@dataclass(frozen=True)
class PairConfig:
    """What the user says of the two files together."""

    time: TimeConfig = field(default_factory=TimeConfig)
    joints: tuple[str, ...] | None = None
    """Only these points, or the points of one set by its name."""
    align: Align = "auto"


class Evaluation(NamedTuple):
    """The figures, and what one must know to read them."""

    statements: tuple[str, ...]
    comparison: Comparison


def evaluate_results(
    predicted: Result, truth: Result, config: PairConfig | None = None
) -> Evaluation:
    """Score one result against another.

    Poses are compared on our own body where neither file has joints of its own; else joints are
    compared by name. A shape of SMPL's space cannot be used without its files: such poses take the
    other file's shape, or both the mean one.

    Raises:
        InputError: rates or lengths that differ and nothing that says how they belong together,
            or fewer than three joints in common.
        OptionError: names that are not there, or an alignment that a file cannot have.
    """
    config = config or PairConfig()
    clocks = clocks_of(predicted, truth)
    _check_rates(predicted, truth, clocks, config.time)
    frames = (predicted.frame, truth.frame)
    paths = all(result.has_path for result in (predicted, truth))
    align = allowed(frames, paths, config.align)
    as_motions = _are_motions(predicted, truth, config)
    by = _by_motions if as_motions else _by_points
    comparison, lines = by(predicted, truth, clocks, config)
    shapes = (truth.motion, predicted.motion) if as_motions else (None, None)
    statements = [
        f"prediction: {describe(predicted, clocks[0], shapes[0])}",
        f"truth: {describe(truth, clocks[1], shapes[1])}",
        *lines,
        told(align, frames),
    ]
    for name, result in (("prediction", predicted), ("truth", truth)):
        statements += [f"{name}: {note}" for note in result.notes]
    return Evaluation(tuple(statements), shown(comparison, align))


def _are_motions(predicted: Result, truth: Result, config: PairConfig) -> bool:
    if config.joints is not None or any(r.joints is not None for r in (predicted, truth)):
        return False
    return body_of(predicted, truth.motion).name == body_of(truth, predicted.motion).name


def _check_rates(
    predicted: Result, truth: Result, clocks: tuple[Clock, Clock], time: TimeConfig
) -> None:
    ours, theirs = (clock.fps for clock in clocks)
    if time.fps is None and abs(ours - theirs) > _SAME_RATE * theirs:
        fault = f"has {ours:g} frames per second, {truth.path} has {theirs:g}"
        raise InputError(predicted.path, fault, f"resample both with --fps {min(ours, theirs):g}")


def _by_motions(
    predicted: Result, truth: Result, clocks: tuple[Clock, Clock], config: PairConfig
) -> tuple[Comparison, list[str]]:
    ours = motion_of(predicted, clocks[0], truth.motion)
    theirs = motion_of(truth, clocks[1], predicted.motion)
    lines = _lines_of(predicted, ours), _lines_of(truth, theirs)
    body = body_of(truth, predicted.motion)
    joints = f"joints: both pose the body {body.name}"
    if config.time.fps is not None:
        fps = config.time.fps
        times = common_times(*lines, fps, config.time)
        ours = motion_at(ours, times - config.time.offset_s, fps)
        theirs = motion_at(theirs, times, fps)
        return compare_motions(ours, theirs, body), [_resampled(fps, len(times)), joints]
    matched = match_frames(*lines, theirs.fps, config.time)
    cameras = _cameras(predicted, truth, matched)
    total, theirs = theirs.num_frames, theirs.at_frames(matched.truth_rows)
    if matched.present.all():
        ours = ours.at_frames(matched.rows)
    else:
        ours, theirs = _filled(ours, theirs, matched)
    comparison = compare_motions(ours, theirs, body, *cameras)
    return comparison, [_matched(matched, total), joints]


def _filled(ours: Motion, theirs: Motion, matched: Matched) -> tuple[Motion, Motion]:
    """Gaps of the prediction filled, so that rows match, and unseen in the truth: none counts."""
    there = np.flatnonzero(matched.present)
    counted = ours.at_frames(matched.rows[there]).replace(time_s=there.astype(np.float64))
    whole = motion_at(counted, np.arange(len(matched.rows), dtype=np.float64), ours.fps)
    return whole.replace(time_s=theirs.time_s), theirs.replace(
        observed=theirs.observed & matched.present
    )


def _by_points(
    predicted: Result, truth: Result, clocks: tuple[Clock, Clock], config: PairConfig
) -> tuple[Comparison, list[str]]:
    ours, theirs, shared = _shared_points(predicted, truth, clocks, config)
    lines = _lines_of(predicted, ours), _lines_of(truth, theirs)
    mapping = _mapping(shared, predicted, truth)
    if config.time.fps is not None:
        fps = config.time.fps
        times = common_times(*lines, fps, config.time)
        ours = points_at(ours, times - config.time.offset_s, fps)
        theirs = points_at(theirs, times, fps)
        return _short(compare_joints(ours, theirs), shared), [_resampled(fps, len(times)), mapping]
    matched = match_frames(*lines, theirs.fps, config.time)
    total, theirs = theirs.num_frames, theirs.at_frames(matched.truth_rows)
    points = np.full((len(matched.rows), *ours.joints_world.shape[1:]), np.nan)
    points[matched.present] = ours.joints_world[matched.rows[matched.present]]
    ours = JointTrack(
        joints_world=points,
        joint_names=ours.joint_names,
        fps=ours.fps,
        time_s=theirs.time_s,
        frame_index=theirs.frame_index,
    )
    return _short(compare_joints(ours, theirs), shared), [_matched(matched, total), mapping]


def _short(comparison: Comparison, shared: list[str]) -> Comparison:
    """Without the names of all joints in each line: the statements have them once."""
    names = ", ".join(shared)
    return Comparison(
        {
            name: replace(score, joints=score.joints.replace(f": {names}", ""))
            for name, score in comparison.scores.items()
        }
    )


def _shared_points(
    predicted: Result, truth: Result, clocks: tuple[Clock, Clock], config: PairConfig
) -> tuple[JointTrack, JointTrack, list[str]]:
    """The points of both, and the names that both have."""
    wanted = config.joints
    if wanted is not None and len(wanted) == 1 and wanted[0] in KEYPOINT_SETS:
        wanted = KEYPOINT_SETS[wanted[0]].keypoint_names
    ours = points_of(predicted, clocks[0], wanted or truth.joint_names)
    theirs = points_of(truth, clocks[1], wanted or predicted.joint_names)
    if wanted is not None:
        ours, theirs = chosen_points(ours, wanted), chosen_points(theirs, wanted)
    shared = [name for name in theirs.joint_names if name in ours.joint_names]
    if len(shared) < 3:
        fault = f"shares {len(shared)} joints by name with {truth.path}"
        names = f"{', '.join(ours.joint_names[:6])}, … and {', '.join(theirs.joint_names[:6])}, …"
        raise InputError(predicted.path, f"{fault} ({names})", "name three or more alike")
    return ours, theirs, shared


def _mapping(shared: list[str], predicted: Result, truth: Result) -> str:
    """Which joint of one file is which of the other."""
    ours, theirs = ({b: a for a, b in result.renamed} for result in (predicted, truth))
    pairs = []
    for name in shared:
        others = [f"{ours[name]} of the prediction"] if name in ours else []
        others += [f"{theirs[name]} of the truth"] if name in theirs else []
        pairs.append(name + (f" ({', '.join(others)})" if others else ""))
    return f"joints: {len(shared)} by name: {', '.join(pairs)}"


def _resampled(fps: float, count: int) -> str:
    return f"frames: both resampled to {fps:g} fps; {count} that both cover"


def _matched(matched: Matched, total: int) -> str:
    return f"frames: {matched.how}; {int(matched.present.sum())} of the truth's {total}"


def _lines_of(result: Result, record: Motion | JointTrack) -> Timeline:
    return Timeline(result.path, record.time_s, record.frame_index, result.numbered)


def _cameras(
    predicted: Result, truth: Result, matched: Matched
) -> tuple[CameraPath | None, CameraPath | None]:
    """Both cameras of the matched frames, so that local errors are in camera axes; or none."""
    if truth.camera is None or not matched.present.all():
        return None, None
    ours = predicted.camera
    if predicted.frame == "camera":
        ours = _level_camera(truth.camera, len(matched.rows))
    elif ours is not None:
        ours = ours.at_frames(matched.rows)
    return (None, None) if ours is None else (ours, truth.camera.at_frames(matched.truth_rows))


def _level_camera(like: CameraPath, frames: int) -> CameraPath:
    """The camera of a result in camera axes: level, at the origin; its lens is not known."""
    R = np.array(((1.0, 0, 0), (0, 0, -1), (0, 1, 0)), np.float32)
    return like.at_frames(np.zeros(frames, np.int64)).replace(
        R_camera_world=np.repeat(R[None], frames, 0),
        t_camera_world=np.zeros((frames, 3), np.float32),
    )
