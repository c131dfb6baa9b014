"""Where the joint fit starts: one world for all takes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.data.motion import Motion
from motionfield.geometry.rotations import axis_rotation

_GRID = 101
_ROUNDS = 3


class Frames(NamedTuple):
    """Frames of all takes, one take after another."""

    take: Int[Tensor, "frames"]
    phase: Float[Tensor, "frames"]
    rotations: Float[Tensor, "frames 24 3 3"]
    transl: Float[Tensor, "frames 3"]
    joints: Float[Tensor, "frames 24 3"]

    @classmethod
    def of(
        cls, motions: Sequence[Motion], phases: Sequence[Float[Tensor, "_"]], body: Body
    ) -> "Frames":
        """Of takes as they are, each in its own world."""
        rotations = [
            torch.cat((tensor_of(m.global_orient)[:, None], tensor_of(m.body_pose)), 1)
            for m in motions
        ]
        transl = [tensor_of(m.transl) for m in motions]
        joints = [
            body.pose(turns[:, 0], turns[:, 1:], place, tensor_of(m.betas)).joints
            for m, turns, place in zip(motions, rotations, transl, strict=True)
        ]
        lengths = torch.tensor([m.num_frames for m in motions])
        return cls(
            take=torch.arange(len(motions)).repeat_interleave(lengths),
            phase=torch.cat(list(phases)),
            rotations=torch.cat(rotations),
            transl=torch.cat(transl),
            joints=torch.cat(joints),
        )


class Worlds(NamedTuple):
    """Each take's world against the common one: ``p_common = turn @ p_take + shift``.

    Up stays up: turns about the vertical and shifts along the ground.
    """

    turn: Float[Tensor, "takes 3 3"]
    shift: Float[Tensor, "takes 3"]


def common_world(frames: Frames, takes: int, synchronized: bool = False) -> Worlds:
    """Turn and shift all takes so that equal phases look alike: Procrustes on the ground, in turns
    against the mean of the others.

    The mean motion starts at the origin and faces along -Y (towards the camera of a calibrated
    take's world) as the first take does.
    """
    sampled = _sampled(frames, takes)  # takes, grid, joints, 3
    heading = torch.complex(sampled[..., 0], sampled[..., 1]).flatten(1)
    centre = heading.mean(1, keepdim=True)
    heading = heading - centre
    turn = torch.ones(takes, dtype=heading.dtype)
    mean = heading[0]
    for _ in range(_ROUNDS):
        agreement = (heading.conj() * mean).sum(1)
        turn = agreement / agreement.abs().clamp_min(1e-12)
        mean = (heading * turn[:, None]).mean(0)
    turn = turn * (turn[0].conj() / turn[0].abs())
    mean = (heading * turn[:, None]).mean(0)
    # The mean's root joint starts at the origin.
    start = mean.view(_GRID, -1)[0, 0]
    shift = -turn * centre[:, 0] - start
    return Worlds(
        axis_rotation("z", turn.angle()),
        torch.stack((shift.real, shift.imag, torch.zeros(takes)), dim=-1),
    )


def _sampled(frames: Frames, takes: int) -> Float[Tensor, "takes grid 24 3"]:
    """Joints at even phases; a take holds its first and last place beyond its ends."""
    grid = torch.linspace(0, 1, _GRID)
    rows = []
    for take in range(takes):
        own = frames.take == take
        phase, joints = frames.phase[own], frames.joints[own]
        after = torch.searchsorted(phase.contiguous(), grid).clamp(1, max(1, len(phase) - 1))
        before = after - 1
        after = after.clamp_max(len(phase) - 1)
        gap = (phase[after] - phase[before]).clamp_min(1e-6)
        share = ((grid - phase[before]) / gap).clamp(0, 1)[:, None, None]
        rows.append(joints[before] + share * (joints[after] - joints[before]))
    return torch.stack(rows)
