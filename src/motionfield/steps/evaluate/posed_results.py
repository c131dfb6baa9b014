"""Result files as records that metrics take: motions of one body, or named points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import InputError, OptionError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import KEYPOINT_SETS, SMPL_24
from motionfield.data.joint_track import JointTrack
from motionfield.data.motion import Motion
from motionfield.formats.results.base import FRAMES, Result

DEFAULT_BODY = "anny"
ASSUMED_FPS = 30.0


class Clock(NamedTuple):
    """A file's rate, and whether it is the file's own."""

    fps: float
    known: bool


def describe(result: Result, clock: Clock, shape: Motion | None) -> str:
    """One line: whose file, which person, how many frames, in what axes, posed how.

    ``shape`` is as in ``motion_of``.
    """
    person = f", person {result.person} of {len(result.persons)}" if len(result.persons) > 1 else ""
    rate = f"{clock.fps:g} fps" + ("" if clock.known else " (assumed)")
    if result.joints is not None:
        what = f"{len(result.joint_names)} joints of the file"
    elif result.motion is not None:
        what = f"on its body {result.motion.body_model}"
    else:
        whose = "the other file's shape" if shape is not None else "the mean shape"
        what = f"its poses on {whose} of {body_of(result, shape).name} (its betas are SMPL's)"
    return (
        f"{result.path.name}: {result.source}{person}, {result.num_frames} frames at {rate}, "
        f"in {FRAMES[result.frame]}; {what}"
    )


def body_of(result: Result, shape: Motion | None = None) -> Body:
    """The body that a result's poses drive; ``shape`` is as in ``motion_of``."""
    own = shape if result.motion is None else result.motion
    return load_body(DEFAULT_BODY if own is None else own.body_model)


def motion_of(result: Result, clock: Clock, shape: Motion | None = None) -> Motion:
    """The poses of a result on our body.

    Frames that hold a value that is not finite are left out. A result without a path stays at the
    world's origin.

    Args:
        result: what to pose.
        clock: its rate.
        shape: whose shape it takes where its own is of SMPL's space; None: the mean shape.

    Raises:
        InputError: the file holds no poses, or no whole frame.
    """
    if result.motion is not None:
        return result.motion
    if result.rotations is None:
        raise InputError(result.path, "holds joints but no poses", "compare joints")
    body = body_of(result, shape)
    betas = np.zeros(body.num_betas, np.float32) if shape is None else shape.betas
    scale = None if shape is None else shape.bone_scale
    rest = body.rest_joints(tensor_of(betas), None if scale is None else tensor_of(scale))
    root = np.zeros((result.num_frames, 3)) if result.root is None else result.root
    whole = np.isfinite(result.rotations).all((1, 2, 3)) & np.isfinite(root).all(1)
    if not whole.any():
        raise InputError(result.path, "has no frame without missing values", "check the file")
    rotations = result.rotations[whole].astype(np.float32)
    return Motion(
        global_orient=rotations[:, 0],
        body_pose=rotations[:, 1:],
        transl=(root[whole] - rest[0].numpy()).astype(np.float32),
        betas=betas,
        bone_scale=scale,
        body_model=body.name,
        fps=clock.fps,
        time_s=times_of(result, clock)[whole],
        frame_index=result.frame_index[whole],
        observed=np.ones(int(whole.sum()), bool),
        history=(step("read result", source=result.source, path=result.path.name),),
    )


def points_of(result: Result, clock: Clock, wanted: tuple[str, ...]) -> JointTrack:
    """The joints of a result: the file's own, or those of its posed body.

    Args:
        result: what to read.
        clock: its rate.
        wanted: names that the points are compared with: a body gives the points of the set that
            knows most of them (SMPL's joints where none knows more).
    """
    if result.joints is not None:
        return JointTrack(
            joints_world=result.joints.astype(np.float64),
            joint_names=result.joint_names,
            fps=clock.fps,
            time_s=times_of(result, clock),
            frame_index=result.frame_index,
        )
    motion = motion_of(result, clock)
    name = _set_for(wanted)
    posed = body_of(result).pose(
        tensor_of(motion.global_orient),
        tensor_of(motion.body_pose),
        tensor_of(motion.transl),
        tensor_of(motion.betas),
        name,
        None if motion.bone_scale is None else tensor_of(motion.bone_scale),
    )
    points = posed.joints if name is None else posed.keypoints
    return JointTrack(
        joints_world=points.double().numpy(),
        joint_names=JOINT_NAMES if name is None else KEYPOINT_SETS[name].keypoint_names,
        fps=motion.fps,
        time_s=motion.time_s,
        frame_index=motion.frame_index,
        history=motion.history,
    )


def _set_for(wanted: tuple[str, ...]) -> str | None:
    """The keypoint set that knows most of the names; None: SMPL's joints are as good."""
    counts = {
        name: len(set(wanted) & set(known.keypoint_names)) for name, known in KEYPOINT_SETS.items()
    }
    best = max(counts, key=lambda name: counts[name])
    return None if counts[best] <= counts[SMPL_24.name] else best


def times_of(result: Result, clock: Clock) -> Float[ndarray, "frames"]:
    """Seconds of each frame: the file's own, or from its frame numbers where it has no rate."""
    return result.time_s if result.fps is not None else result.frame_index / clock.fps


def clocks_of(predicted: Result, truth: Result) -> tuple[Clock, Clock]:
    """The rates of two files; an unknown one is taken from the other (30 where both are)."""
    known = (predicted.fps, truth.fps)
    assumed = next((fps for fps in known if fps is not None), ASSUMED_FPS)
    first, second = (Clock(assumed if fps is None else fps, fps is not None) for fps in known)
    return first, second


def chosen_points(track: JointTrack, names: tuple[str, ...]) -> JointTrack:
    """Some of the points, in the given order.

    Raises:
        OptionError: one of them is not there.
    """
    missing = [name for name in names if name not in track.joint_names]
    if missing:
        known = ", ".join(track.joint_names[:30])
        raise OptionError(f"--joints {missing[0]}: no such joint here; known are {known}")
    columns = [track.joint_names.index(name) for name in names]
    return track.replace(joints_world=track.joints_world[:, columns], joint_names=names)
