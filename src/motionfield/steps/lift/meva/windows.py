"""The network over clips of any length: windows that overlap, and their answers blended."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from motionfield.core.progress import Progress, silent
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaOutput

Network = Callable[[CropFeatures], MevaOutput]


class MevaFrames(NamedTuple):
    """What the network says of each frame, crop axes (as ``MevaOutput``)."""

    root: Float[Tensor, "frames 3 3"]
    body_pose: Float[Tensor, "frames 23 3 3"]
    betas: Float[Tensor, "frames betas"]
    camera: Float[Tensor, "frames 3"]
    contacts: Float[Tensor, "frames 2"]
    up: Float[Tensor, "frames 3"]
    velocity: Float[Tensor, "frames 3"]
    joints_sd: Float[Tensor, "frames 24"]


_TURNS = ("root", "body_pose")


def window_starts(frames: int, overlap: int) -> list[int]:
    """First frames of windows that share ``overlap`` frames; the last one ends with the clip."""
    last = max(frames - WINDOW, 0)
    return [*range(0, last, WINDOW - overlap), last]


def run_windows(
    network: Network,
    features: CropFeatures,
    overlap: int,
    batch: int,
    progress: Progress = silent,
) -> MevaFrames:
    """The network's answer for every frame.

    Where windows overlap their answers go over into one another smoothly: weights rise from the
    ends of each window over ``overlap`` frames with no kink. Only ``batch`` windows are in the
    network at a time. A clip shorter than a window is one that goes on unseen.
    """
    return blended(
        lambda starts: network(cut(features, starts)), len(features.seen), overlap, batch, progress
    )


def blended(
    windows: Callable[[Int[Tensor, "windows"]], MevaOutput],
    frames: int,
    overlap: int,
    batch: int,
    progress: Progress = silent,
) -> MevaFrames:
    """``run_windows`` of any network: ``windows`` answers for those that start at these frames."""
    starts = window_starts(frames, overlap)
    blend = _Blend(frames, overlap)
    with progress("lift", frames) as bar, torch.no_grad():
        done = 0
        for some in _batches(starts, batch):
            answer = windows(torch.tensor(some))
            for index, start in enumerate(some):
                blend.add(answer, index, start)
            upto = min(some[-1] + WINDOW, frames)
            bar.advance(upto - done)
            done = upto
    return blend.mean()


def cut(
    features: CropFeatures, starts: Int[Tensor, "windows"], length: int = WINDOW
) -> CropFeatures:
    """Windows of a clip; beyond its end nothing is seen, and the crop stays where it was."""
    frames = len(features.seen)
    index = starts.unsqueeze(1) + torch.arange(length)
    beyond = index >= frames
    windows = CropFeatures(*(part[index.clamp_max(frames - 1)] for part in features))
    if not bool(beyond.any()):
        return windows
    there = (~beyond).to(windows.seen)
    return windows._replace(
        points=windows.points * there[..., None, None],
        coarse=windows.coarse * there[..., None, None],
        coarse_known=windows.coarse_known * there,
        turning=windows.turning * there.unsqueeze(-1),
        turning_known=windows.turning_known * there,
        seen=windows.seen * there,
    )


def _batches(starts: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(starts), size):
        yield starts[first : first + size]


class _Blend:
    """Weighted sums of overlapping windows."""

    def __init__(self, frames: int, overlap: int) -> None:
        self._frames = frames
        self._weight = _ramp(overlap)
        self._total = torch.zeros(frames)
        self._sums: dict[str, Tensor] = {}

    def add(self, answer: MevaOutput, window: int, start: int) -> None:
        count = min(WINDOW, self._frames - start)
        weight = self._weight[:count]
        self._total[start : start + count] += weight
        for name in MevaFrames._fields:
            value = getattr(answer, name)[window, :count].detach()
            if name not in self._sums:
                self._sums[name] = torch.zeros(self._frames, *value.shape[1:])
            share = weight.reshape(-1, *(1,) * (value.ndim - 1))
            self._sums[name][start : start + count] += share * value

    def mean(self) -> MevaFrames:
        """Means; of rotations and directions the nearest rotation and direction."""
        found = {}
        for name, total in self._sums.items():
            found[name] = total / self._total.reshape(-1, *(1,) * (total.ndim - 1))
        for name in _TURNS:
            found[name] = rot6d_to_rotmat(rotmat_to_rot6d(found[name]))
        found["up"] = normalize(found["up"], dim=-1)
        return MevaFrames(**found)


def _ramp(overlap: int) -> Float[Tensor, "frames"]:
    """Weights of a window's frames: those of two neighbours add up to 1."""
    place = torch.arange(WINDOW) + 0.5
    share = (torch.minimum(place, WINDOW - place) / max(overlap, 1)).clamp_max(1)
    return share * share * (3 - 2 * share)
