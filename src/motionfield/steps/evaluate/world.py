"""Errors in the world: path, heading and tilt, after one alignment of the clip or of parts."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.geometry.alignment import Similarity, align_points
from motionfield.geometry.rotations import axis_rotation
from motionfield.steps.evaluate.pose import joint_errors, mpjpe
from motionfield.steps.evaluate.score import Score, check_same_shape, whole_frames

CHUNK_FRAMES: Final = 100
"""Of WA- and W-MPJPE100, whatever the frame rate (the published ones are at 30 fps)."""
GLAMR_FRAMES: Final = 250
"""GLAMR takes heading and place from the truth's first frame every so many frames."""


def g_mpjpe(
    predicted: Float[Tensor, "frames joints 3"], truth: Float[Tensor, "frames joints 3"]
) -> Score:
    """MPJPE after one rigid motion (no scale) for the whole clip, mm.

    The motion is the least squares one over all joints of all whole frames. Sees the path, the
    heading and the size of the person; blind only to the choice of the world's axes.

    Source: the assumption made here for DiffOpt's G-MPJPE, whose text says no more than "factoring
    in predicted global root translation and orientation" (sec. 4); evaluation code of the same
    laboratory does this. NeMo fits the motion to all vertices (``nemo.nemo_global``).
    """
    return mpjpe(align_clip(predicted, truth), truth)


def clip_alignment(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    with_scale: bool = False,
) -> Similarity:
    """The one motion for all frames that ``align_clip`` applies; NaN where no frame is whole."""
    check_same_shape(predicted, truth)
    whole = whole_frames(predicted) & whole_frames(truth)
    if not whole.any():
        nothing = predicted.new_full((3, 3), torch.nan)
        return Similarity(nothing, nothing[0], nothing[0, 0])
    a, b = predicted[whole].flatten(0, 1), truth[whole].flatten(0, 1)
    return align_points(a, b, with_scale=with_scale)


def align_clip(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    with_scale: bool = False,
) -> Float[Tensor, "frames joints 3"]:
    """``predicted`` moved onto the truth by one rigid motion (or similarity) for all frames.

    Fitted to the frames that are whole in both; incomplete frames are moved too. All NaN where
    no frame is whole.
    """
    motion = clip_alignment(predicted, truth, with_scale)
    return motion.apply(predicted.flatten(0, 1)).view_as(truth)


def wa_mpjpe(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    chunk_frames: int | None = CHUNK_FRAMES,
    with_scale: bool = True,
    tail: Literal["own", "merged"] = "own",
) -> Score:
    """World-aligned MPJPE of chunks, mm: each chunk moved onto the truth as a whole.

    Args:
        chunk_frames: None takes the whole clip as one chunk.
        with_scale: a similarity as published; False: a rigid motion, which sees the size of the
            path and of the person.
        tail: what is left over is a chunk of its own (WHAM, GVHMR), or part of the last (TRAM).

    Source: WA-MPJPE100 of Shin et al., WHAM, CVPR 2024 (24 SMPL joints at 30 fps; the alignment
    is SLAHMR's).
    """
    return mpjpe(_align_chunks(predicted, truth, chunk_frames, None, with_scale, tail), truth)


def w_mpjpe(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    chunk_frames: int | None = CHUNK_FRAMES,
    with_scale: bool = True,
    tail: Literal["own", "merged"] = "own",
) -> Score:
    """World MPJPE of chunks, mm: each moved by its first two frames alone, so drift counts.

    Where the first frames are incomplete, the first two whole frames of the chunk are taken.
    Arguments and source: ``wa_mpjpe``; there W-MPJPE100.
    """
    return mpjpe(_align_chunks(predicted, truth, chunk_frames, 2, with_scale, tail), truth)


def egobody_ga(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    root: Sequence[int] = (),
) -> Score:
    """Global alignment error of EgoBody's table, mm: one similarity for the clip.

    Args:
        root: points that take part in the alignment and are not scored (the published pelvis).

    Source: SLAHMR's evaluation code (``ga_jmse``): 14 joints of the H36M regressor.
    """
    aligned = _align_chunks(predicted, truth, None, None, True, "own")
    return _without(aligned, truth, root)


def egobody_fa(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    root: Sequence[int] = (),
) -> Score:
    """First-frames alignment error of EgoBody's table, mm: similarity of the first two frames.

    Arguments and source: ``egobody_ga``; there ``fa_jmse``.
    """
    aligned = _align_chunks(predicted, truth, None, 2, True, "own")
    return _without(aligned, truth, root)


def rte(predicted_root: Float[Tensor, "frames 3"], true_root: Float[Tensor, "frames 3"]) -> Score:
    """Root translation error in per cent of the length of the true path.

    Distance after one rigid motion (no scale) of the whole path, divided by the length of the
    whole true path. Large for people who stay where they are; NaN where the path has no length.
    Frames that miss a root are left out, and the path goes straight over them.

    Source: WHAM, CVPR 2024 (``transl``), and GVHMR (joint 0).
    """
    check_same_shape(predicted_root, true_root)
    known = whole_frames(predicted_root[:, None]) & whole_frames(true_root[:, None])
    length = torch.diff(true_root[known], dim=0).norm(dim=-1).sum()
    aligned = align_clip(predicted_root[:, None], true_root[:, None])[:, 0]
    share = (aligned - true_root).norm(dim=-1) / length * 100
    return Score(torch.where(length > 0, share, torch.nan), "%")


class Root(NamedTuple):
    """Where the root joint is and how it is turned, world (Z up)."""

    place: Float[Tensor, "frames 3"]
    orient: Float[Tensor, "frames 3 3"]
    """World from body."""


def glamr_g_mpjpe(
    predicted: Float[Tensor, "frames joints 3"],
    truth: Float[Tensor, "frames joints 3"],
    predicted_root: Root,
    true_root: Root,
    every: int = GLAMR_FRAMES,
) -> Score:
    """MPJPE with heading and horizontal place of the root set to zero every 250 frames, mm.

    Heights are compared as they are. As published, a block after the first starts from the last
    frame of the one before it.

    Source: G-MPJPE of Yuan et al., GLAMR, CVPR 2022, and its evaluation code (14 joints of the
    H36M regressor, at 30 fps).
    """
    check_same_shape(predicted, truth)
    ours = _zero_heading(predicted, predicted_root, every)
    return mpjpe(ours, _zero_heading(truth, true_root, every))


def heading_rad(orient: Float[Tensor, "frames 3 3"]) -> Float[Tensor, "frames"]:
    """Turn about the vertical (the twist part of the rotation); 0 faces the world's +X.

    Defined for anyone not upside down, lying people too. Source: GLAMR's ``get_heading_q``.
    """
    # Body axes are (left, up, forward): standing and facing +X they are the world's (Y, Z, X).
    upright = orient.new_tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    R = orient @ upright.mT
    return torch.atan2(R[:, 1, 0] - R[:, 0, 1], R[:, 0, 0] + R[:, 1, 1])


def up_axis_error_deg(
    up_estimated: Float[Tensor, "frames 3"], up_true: Float[Tensor, "frames 3"]
) -> Score:
    """Angle between the estimated and the true up in one frame's axes, degrees.

    The camera's, where both worlds are Z up: ``R_camera_world[..., 2]``; headings do not matter.
    """
    sine = torch.linalg.cross(up_estimated, up_true).norm(dim=-1)
    cosine = (up_estimated * up_true).sum(-1)
    return Score(torch.atan2(sine, cosine).rad2deg(), "degrees")


def _chunks(frames: int, size: int | None, tail: str) -> list[slice]:
    if size is None or frames <= size:
        return [slice(0, frames)]
    edges = list(range(0, frames, size))
    if tail == "merged" and frames % size:
        edges.pop()
    return [slice(a, b) for a, b in zip(edges, [*edges[1:], frames], strict=True)]


def _align_chunks(
    predicted: Tensor,
    truth: Tensor,
    size: int | None,
    lead: int | None,
    with_scale: bool,
    tail: str,
) -> Tensor:
    """Each chunk moved by what best carries its first ``lead`` whole frames (None: all)."""
    check_same_shape(predicted, truth)
    aligned = torch.full_like(predicted, torch.nan)
    whole = whole_frames(predicted) & whole_frames(truth)
    for chunk in _chunks(len(predicted), size, tail):
        ours, theirs = predicted[chunk], truth[chunk]
        at = torch.nonzero(whole[chunk])[:lead, 0]
        motion = clip_alignment(ours[at], theirs[at], with_scale)
        aligned[chunk] = motion.apply(ours.flatten(0, 1)).view_as(ours)
    return aligned


def _without(aligned: Tensor, truth: Tensor, left_out: Sequence[int]) -> Score:
    kept = [n for n in range(truth.shape[1]) if n not in left_out]
    scored = joint_errors(aligned, truth)[:, kept].mean(-1)
    return Score(scored, "mm")


def _zero_heading(points: Tensor, root: Root, every: int) -> Tensor:
    start = torch.arange(len(points)) // every * every
    start = torch.where(start > 0, start - 1, start)
    origin = root.place[start] * root.place.new_tensor([1.0, 1, 0])
    back = axis_rotation("z", -heading_rad(root.orient)[start])
    return (points - origin.unsqueeze(1)) @ back.mT
