"""Clips put one after another: heading and place go on, poses are blended over a join.

Where to leave a clip and where to enter the next is chosen by how alike the two are over the
whole join, pose and velocity, whatever way they head (motion graphs: Kovar, Gleicher and Pighin,
SIGGRAPH 2002, section 3). Resting feet are held through the join.
"""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.data.motion import Motion
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.foothold import held, lowest_point, resting, sole_points, velocity
from motionfield.worlds.shapes import reshape

_REACH: Final = 0.5
"""A clip is left within this last share of it, and entered within this first."""
_UNSEEN_M: Final = 10.0
"""Counts as this much difference: a frame in a join that the motion does not observe."""
_USED_AGAIN_M: Final = 0.02
"""Using a clip once more counts as much as joints that differ by this."""


class Cut(NamedTuple):
    """How one clip goes over into the next."""

    leave: int
    """First frame of the join in the clip before."""
    enter: int
    """First frame of the join in the clip after."""
    yaw: float
    """Radians by which the clip after is turned about the vertical, then moved …"""
    shift: Float[Tensor, "2"]
    """… by these metres over the ground, to go on from the clip before."""
    difference_m: float
    """Root mean square distance of the joints over the join."""


def chain(motions: Sequence[Motion], body: Body, blend_s: float = 0.3) -> Motion:
    """One motion out of several of one frame rate, in this order.

    It starts where the first starts. Clips of other shapes than the first's are reshaped to it.
    Each join (``joins`` in the history: its first frame, and by how much the joints differ in
    metres) lasts ``blend_s`` seconds, in which both clips run on together.

    Raises:
        OptionError: no motions, several frame rates, or a clip too short to be joined.
    """
    motions = _alike(motions, body)
    frames = _join_frames(motions, blend_s)
    made, joins = motions[0], []
    first, yaw, shift = 0, 0.0, torch.zeros(2)  # of the clip added last: where, and how turned
    for before, after in pairwise(motions):
        cut = find_cut(before, after, body, frames)
        at = first + cut.leave
        shift = shift + _turned(cut.shift, yaw)
        yaw += cut.yaw
        tail = _moved(_cut_out(after, cut.enter, after.num_frames), yaw, shift, body)
        made, slip = _joined(_cut_out(made, 0, at + frames), tail, frames, body)
        joins.append((at, round(cut.difference_m, 4)))
        first, shift = at - cut.enter, shift + slip
    count = made.num_frames
    return made.replace(
        step("chain", clips=len(motions), blend_s=blend_s, joins=joins),
        time_s=np.arange(count) / made.fps,
        frame_index=np.arange(count),
        joints_std=None,
    )


def chain_order(
    motions: Sequence[Motion],
    body: Body,
    least_frames: int = 1300,
    least_m: float = 20.0,
    blend_s: float = 0.3,
) -> list[int]:
    """Which clips to chain, from the first on, until the motion is long and travels far.

    Each time the clip that joins best, other clips before those already used; a clip never
    follows itself.

    Raises:
        OptionError: as ``chain``, fewer than two motions, or clips that lead nowhere.
    """
    motions = _alike(motions, body)
    if len(motions) < 2:
        raise OptionError("chain_order: one clip cannot be chained with itself; give several")
    frames = _join_frames(motions, blend_s)
    cuts = [[find_cut(a, b, body, frames) for b in motions] for a in motions]
    cost = np.array([[cut.difference_m for cut in row] for row in cuts])
    np.fill_diagonal(cost, np.inf)
    order, used = [0], np.zeros(len(motions))
    length, travelled = motions[0].num_frames, _travel(motions[0])
    while length < least_frames or travelled < least_m:
        used[order[-1]] += 1
        best = int((cost[order[-1]] + _USED_AGAIN_M * used).argmin())
        cut = cuts[order[-1]][best]
        lost = motions[order[-1]].num_frames - cut.leave + cut.enter
        length += motions[best].num_frames - lost
        share = (motions[best].num_frames - lost) / motions[best].num_frames
        travelled += share * _travel(motions[best])
        order.append(best)
        if len(order) > least_frames:
            raise OptionError(f"chain_order: these clips do not lead {least_m:g} m far")
    return order


def find_cut(before: Motion, after: Motion, body: Body, frames: int) -> Cut:
    """The best join of ``frames`` frames from one clip into the other."""
    reach = [max(0, int(_REACH * motion.num_frames) - frames) for motion in (before, after)]
    last = before.num_frames - frames
    leaves = _windows(before, body, last - reach[0], last, frames)
    enters = _windows(after, body, 0, reach[1], frames)
    # Places on the ground as complex numbers: a turn is a product.
    p, q = (torch.complex(w[..., 0], w[..., 1]) for w in (leaves, enters))
    p_mean, q_mean = p.mean(-1), q.mean(-1)
    p, q = p - p_mean[:, None], q - q_mean[:, None]
    cross = p @ q.conj().T
    up = torch.cdist(leaves[..., 2], enters[..., 2]).square()
    spread = p.abs().square().sum(-1)[:, None] + q.abs().square().sum(-1)
    square = (spread - 2 * cross.abs() + up).clamp_min(0) / p.shape[1]
    difference = square.sqrt() + _UNSEEN_M * (
        _unseen(before, last - reach[0], len(p), frames)[:, None]
        + _unseen(after, 0, len(q), frames)
    )
    leave, enter = divmod(int(difference.argmin()), len(q))
    yaw = cross[leave, enter].angle()
    shift = p_mean[leave] - torch.polar(torch.ones_like(yaw), yaw) * q_mean[enter]
    place = torch.view_as_real(shift)
    found = float(square[leave, enter].sqrt())
    return Cut(last - reach[0] + leave, enter, float(yaw), place, found)


def _alike(motions: Sequence[Motion], body: Body) -> list[Motion]:
    """All on the shape of the first."""
    if not motions:
        raise OptionError("chain: no motions")
    first = motions[0]
    rates = {motion.fps for motion in motions}
    if len(rates) > 1:
        some = ", ".join(f"{rate:g}" for rate in sorted(rates))
        raise OptionError(f"chain: motions of {some} frames per second; give them one rate")
    if all(_same_shape(first, motion) for motion in motions):
        return list(motions)
    return [reshape(motion, first.betas, body) for motion in motions]


def _same_shape(a: Motion, b: Motion) -> bool:
    scale_a, scale_b = (np.ones(24) if m.bone_scale is None else m.bone_scale for m in (a, b))
    return np.array_equal(a.betas, b.betas) and np.array_equal(scale_a, scale_b)


def _join_frames(motions: Sequence[Motion], blend_s: float) -> int:
    frames = max(2, round(blend_s * motions[0].fps))
    for index, motion in enumerate(motions):
        if motion.num_frames < 2 * frames:
            raise OptionError(
                f"chain: motion {index} has {motion.num_frames} frames; two joins of {blend_s:g} s "
                f"need {2 * frames}"
            )
    return frames


def _windows(
    motion: Motion, body: Body, first: int, last: int, frames: int
) -> Float[Tensor, "starts points 3"]:
    """Joints of ``frames`` frames from each start on, in one cloud."""
    some = _cut_out(motion, first, last + frames)
    scale = None if some.bone_scale is None else tensor_of(some.bone_scale)
    with torch.no_grad():
        joints = body.pose(
            tensor_of(some.global_orient),
            tensor_of(some.body_pose),
            tensor_of(some.transl),
            tensor_of(some.betas),
            bone_scale=scale,
        ).joints
    return joints.unfold(0, frames, 1).permute(0, 3, 1, 2).flatten(1, 2)


def _unseen(motion: Motion, first: int, starts: int, frames: int) -> Float[Tensor, "starts"]:
    """Share of frames that are not observed, in the join from each start on."""
    hidden = torch.tensor(~motion.observed[first : first + starts + frames - 1]).float()
    return hidden.unfold(0, frames, 1).mean(-1)


def _joined(
    head: Motion, tail: Motion, frames: int, body: Body
) -> tuple[Motion, Float[Tensor, "2"]]:
    """Both as one, the end of ``head`` blended into the start of ``tail``, and how far the rest
    of the tail was moved (metres over the ground) so that resting feet do not slide."""
    a = _cut_out(head, head.num_frames - frames, head.num_frames)
    b = _cut_out(tail, 0, frames)
    share = torch.arange(1, frames + 1) / (frames + 1)
    share = share**3 * (10 + share * (6 * share - 15))  # no jump in velocity or acceleration
    blended = a.replace(
        global_orient=_slerp(a.global_orient, b.global_orient, share),
        body_pose=_slerp(a.body_pose, b.body_pose, share),
        transl=_mean(a.transl, b.transl, share),
        contacts=None if a.contacts is None else _mean(a.contacts, b.contacts, share),
        observed=a.observed & b.observed,
    )
    soles_a, soles_b = (sole_points(motion, body) for motion in (a, b))
    each = share[:, None]
    rest = torch.lerp(resting(soles_a, a.fps), resting(soles_b, a.fps), each)
    speed = torch.lerp(velocity(soles_a, a.fps), velocity(soles_b, a.fps), each[..., None])
    slip = held(sole_points(blended, body), rest, speed, a.fps)
    height = torch.lerp(lowest_point(a, body), lowest_point(b, body), share)
    rise = height - lowest_point(blended, body)
    moved = blended.transl + torch.cat((slip, rise[:, None]), -1).numpy()
    rest_of_tail = _cut_out(tail, frames, tail.num_frames)
    places = rest_of_tail.transl + np.array([*slip[-1].tolist(), 0.0], np.float32)
    parts = [
        _cut_out(head, 0, head.num_frames - frames),
        blended.replace(transl=moved),
        rest_of_tail.replace(transl=places),
    ]
    return _concatenated(parts), slip[-1]


def _cut_out(motion: Motion, first: int, last: int) -> Motion:
    return motion.at_frames(np.arange(first, last))


def _concatenated(parts: Sequence[Motion]) -> Motion:
    names = ("global_orient", "body_pose", "transl", "observed", "time_s", "frame_index")
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    contacts = [part.contacts for part in parts]
    known = [found for found in contacts if found is not None]
    whole["contacts"] = np.concatenate(known) if len(known) == len(parts) else None
    return dataclasses.replace(parts[0], joints_std=None, **whole)


def _moved(motion: Motion, yaw: float, shift: Float[Tensor, "2"], body: Body) -> Motion:
    """Turned about the vertical through the origin, then shifted over the ground."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    rest = body.rest_joints(tensor_of(motion.betas), scale)[0]
    turn = axis_rotation("z", torch.tensor(yaw))
    root = (tensor_of(motion.transl) + rest) @ turn.mT
    root[:, :2] += shift
    return motion.replace(
        global_orient=(turn @ tensor_of(motion.global_orient)).numpy(),
        transl=(root - rest).numpy(),
    )


def _turned(place: Float[Tensor, "2"], yaw: float) -> Float[Tensor, "2"]:
    return axis_rotation("z", torch.tensor(yaw))[:2, :2] @ place


def _slerp(start: np.ndarray, end: np.ndarray, share: Float[Tensor, "frames"]) -> np.ndarray:
    """Rotations along the shortest arcs, frame by frame."""
    a, b = tensor_of(start), tensor_of(end)
    arc = roma.rotmat_to_rotvec(a.mT @ b)
    share = share.reshape(-1, *(1,) * (arc.ndim - 1))
    return (a @ roma.rotvec_to_rotmat(share * arc)).numpy()


def _mean(
    start: np.ndarray | None, end: np.ndarray | None, share: Float[Tensor, "frames"]
) -> np.ndarray | None:
    if start is None or end is None:
        return None
    return torch.lerp(tensor_of(start), tensor_of(end), share[:, None]).numpy()


def _travel(motion: Motion) -> float:
    """Metres over the ground from first to last place."""
    return float(np.linalg.norm((motion.transl[-1] - motion.transl[0])[:2]))
