"""Mocap clips as motions of our body: exact truth for made worlds, poses for the priors."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.formats.mocap_npz import ClipInfo, MocapClip, MocapShard
from motionfield.geometry.resample import resample_positions, resample_rotations
from motionfield.worlds.mocap_calibration import calibrate_subject
from motionfield.worlds.mocap_feet import (
    bearing,
    bend_toes,
    planting,
    sole_places,
    standing_height,
    step_speed,
)
from motionfield.worlds.mocap_figure import Figure, reach
from motionfield.worlds.mocap_floor import level_floor
from motionfield.worlds.mocap_hands import lift_hands, reach_wrists
from motionfield.worlds.mocap_pose import Calibration, base_figure
from motionfield.worlds.mocap_sample import LOWER_BONES, UPPER_BONES

_OWN_GROUND_M: Final = 0.3
"""Where a clip's feet stand is taken for its ground if it is this near the subject's."""
_MAX_TURN_RAD_S: Final = math.radians(2500)


class Retargeted(NamedTuple):
    """A clip's motion with what the shard says of it."""

    info: ClipInfo
    motion: Motion


def retarget(clip: MocapClip, body: Body, how: Calibration, plant: bool = True) -> Motion:
    """A clip as a motion of ``body``.

    The pose is ``mocap_pose.base_figure``; then legs and arms reach for the clip's ankles and
    wrists. The floor is made level, and z = 0 where the clip's feet stand. Feet that bear on
    the ground (``contacts``, see ``mocap_feet.bearing``) are kept where they are, on the ground.
    Toes bend where the ball of the foot stands while the heel rises (mocap of toes is noise),
    hands where they would go through the ground. Glitches and frames beside a jump of a joint's
    rotation (2500 degrees/s) are not ``observed``, and bridged.

    Args:
        clip: positions and rotations in the Z-up world (``formats.mocap_npz``).
        body: what to move.
        how: from ``calibrate_subject``.
        plant: keep the feet in contact where they are; without it they slide as the clip's do.
    """
    clip = level_floor(clip)
    figure = base_figure(clip.positions_world, clip.rotations_world, clip.canonical, body, how)
    figure = _reach_ankles(figure, _both(clip, "ankle"))
    observed = ~clip.bad_frame & ~_jumps(_local(figure.rotations)[1], clip.fps)
    lift = figure.root.new_tensor((0.0, 0.0, -_own_ground(figure, how, clip.fps)))
    figure = figure._replace(root=figure.root + lift)
    bears = bearing(clip, figure, how.soles, observed)
    shift = lift.expand_as(figure.root)
    if plant:
        moves = planting(sole_places(figure, how.soles), bears, how.soles.heights, clip.fps)
        ankles = figure.joints[:, _ANKLES] + moves
        # The hips follow the feet up and down; sideways they keep the clip's place.
        lower = moves.mean(1) * moves.new_tensor((0.0, 0.0, 1.0))
        shift = shift + lower
        figure = _reach_ankles(figure._replace(root=figure.root + lower), ankles)
    wrists = _both(clip, "wrist") + how.wrist_share * (_both(clip, "wrist") - _both(clip, "elbow"))
    figure = reach_wrists(figure, wrists + shift[:, None])
    figure = lift_hands(bend_toes(figure))
    return _bridged(_motion(clip, figure, body, how, observed, bears))


_ANKLES: Final = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]


def retarget_clips(
    shard: MocapShard, infos: Sequence[ClipInfo], body: Body
) -> Iterator[Retargeted]:
    """Retarget clips one after the other; each subject is calibrated once."""
    known: dict[str, Calibration] = {}
    for info in infos:
        if info.subject not in known:
            known[info.subject] = calibrate_subject(shard, info.subject, body)
        motion = retarget(shard.clip(info), body, known[info.subject])
        yield Retargeted(info, motion)


def _both(clip: MocapClip, canon: str) -> Float[Tensor, "frames 2 3"]:
    return clip.positions_world[:, [clip.canonical[f"{side}_{canon}"] for side in "lr"]]


def _reach_ankles(figure: Figure, targets: Float[Tensor, "frames 2 3"]) -> Figure:
    for side, (upper, lower) in enumerate(zip(UPPER_BONES[:2], LOWER_BONES[:2], strict=True)):
        figure = reach(figure, upper, lower, targets[:, side])
    return figure


def _motion(
    clip: MocapClip,
    figure: Figure,
    body: Body,
    how: Calibration,
    observed: Bool[ndarray, "frames"],
    bears: Float[Tensor, "frames 2 2"],
) -> Motion:
    global_orient, body_pose = _local(figure.rotations)
    frames = len(body_pose)
    return Motion(
        global_orient=global_orient.numpy(),
        body_pose=body_pose.numpy(),
        transl=(figure.root - body.rest_joints(how.betas)[0]).numpy(),
        betas=how.betas.numpy(),
        bone_scale=how.bone_scale.numpy(),
        body_model=body.name,
        fps=clip.fps,
        time_s=np.arange(frames) / clip.fps,
        frame_index=np.arange(frames),
        observed=observed,
        contacts=bears.amax(-1).numpy(),
        history=(step("retarget", clip=clip.info.name, subject=clip.info.subject),),
    )


def _local(
    world: Float[Tensor, "frames 24 3 3"],
) -> tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames 23 3 3"]]:
    parents = world[:, list(JOINT_PARENTS[1:])]
    local = parents.mT @ world[:, 1:]
    # Products of several float32 rotations drift by 1e-6: project back.
    return roma.special_gramschmidt(world[:, 0]), roma.special_gramschmidt(local)


def _jumps(body_pose: Float[Tensor, "frames 23 3 3"], fps: float) -> Bool[ndarray, "frames"]:
    """Frames beside a jump of any joint that is faster than any person."""
    turn = roma.rotmat_geodesic_distance(body_pose[:-1], body_pose[1:])
    jump = (turn * fps > _MAX_TURN_RAD_S).any(-1).numpy()
    beside = np.zeros(len(body_pose), dtype=bool)
    beside[:-1] |= jump
    beside[1:] |= jump
    return beside


def _bridged(motion: Motion) -> Motion:
    """Frames that are not observed, between (or held from) their observed neighbours."""
    seen = motion.observed
    if seen.all() or not seen.any():
        return motion
    known, every = torch.tensor(motion.time_s[seen]), torch.tensor(motion.time_s)

    def turned(rotations: ndarray) -> ndarray:
        return resample_rotations(torch.tensor(rotations[seen]), known, every).numpy()

    transl = resample_positions(torch.tensor(motion.transl[seen]), known, every)
    return dataclasses.replace(
        motion,
        global_orient=turned(motion.global_orient),
        body_pose=turned(motion.body_pose),
        transl=transl.numpy(),
    )


def _own_ground(figure: Figure, how: Calibration, fps: float) -> float:
    """Height of the ground that the figure's feet stand on in this clip, metres.

    What the subject stands on in all clips, where the clip's own feet are far from that.
    """
    places = sole_places(figure, how.soles)
    above = places[..., 2] - how.soles.heights
    own = float(standing_height(above, step_speed(places, fps)).mean())
    return own if abs(own + how.ground_shift_m) < _OWN_GROUND_M else -how.ground_shift_m
