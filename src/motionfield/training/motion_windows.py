"""Windows of motion to train on: cut from clips at several speeds, drawn at random."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.data.motion import Motion
from motionfield.geometry.resample import resample_rotations
from motionfield.geometry.rotations import rotmat_to_rot6d
from motionfield.training.motion_sources import TrainingClip
from motionfield.training.motion_variation import Variation, varied, warped_times

RATE_HZ: Final = 30.0
"""What a window's frames mean to every network of ours."""

Windows = Float[Tensor, "windows frames 24 6"]


class WindowPool(NamedTuple):
    """Clips at one rate, end to end, with every place where a window may start."""

    frames: Float[Tensor, "frames 24 6"]
    starts: Int[Tensor, "starts"]
    chance: Float[Tensor, "starts"]


def collect_windows(
    clips: Sequence[TrainingClip], rate_hz: float, length: int, source_power: float = 1.0
) -> WindowPool:
    """Every window of a number of observed frames that the clips hold.

    Args:
        clips: motions of any rate; shorter ones than a window are left out.
        rate_hz: they are resampled at.
        length: frames of a window.
        source_power: a source with n windows counts n to this power.

    Raises:
        OptionError: no clip is long enough.
    """
    frames, starts, sources, at = [], [], [], 0
    for clip in clips:
        rot6d, observed = resampled(clip.motion, rate_hz)
        # A window may start where it and all that follow in it are observed.
        run = observed.unfold(0, length, 1).all(-1) if len(observed) >= length else observed[:0]
        first = run.nonzero().flatten()
        if not len(first):
            continue
        frames.append(rot6d)
        starts.append(first + at)
        sources += [clip.source] * len(first)
        at += len(rot6d)
    if not frames:
        raise OptionError(f"windows: no clip has {length} observed frames at {rate_hz:g} Hz")
    count = {source: sources.count(source) for source in set(sources)}
    chance = torch.tensor([count[source] ** (source_power - 1) for source in sources])
    return WindowPool(torch.cat(frames), torch.cat(starts), chance / chance.sum())


def has_window(clips: Sequence[TrainingClip], rate_hz: float, length: int) -> bool:
    """Whether ``collect_windows`` finds any."""
    observed = (resampled(clip.motion, rate_hz)[1] for clip in clips)
    return any(bool(o.unfold(0, length, 1).all(-1).any()) for o in observed if len(o) >= length)


def resampled(
    motion: Motion, rate_hz: float
) -> tuple[Float[Tensor, "frames 24 6"], Bool[Tensor, "frames"]]:
    """Root (world) and joints as 6D at another rate, and whether they were observed."""
    turns = torch.cat(
        (tensor_of(motion.global_orient).unsqueeze(1), tensor_of(motion.body_pose)), dim=1
    ).float()
    observed = torch.tensor(motion.observed.copy())
    if not math.isclose(motion.fps, rate_hz):
        count = len(turns)
        time_s = torch.arange(count) / motion.fps
        at_s = torch.arange(math.floor((count - 1) / motion.fps * rate_hz) + 1) / rate_hz
        turns = resample_rotations(turns, time_s, at_s)
        near = (at_s * motion.fps).clamp(max=count - 1)
        observed = observed[near.floor().long()] & observed[near.ceil().long()]
    return rotmat_to_rot6d(turns), observed


def every_window(pool: WindowPool, length: int, stride: int) -> Windows:
    """Windows of a pool at a stride, in order: what is judged."""
    kept, last = [], -stride
    for start in pool.starts.tolist():
        if start - last >= stride or start < last:
            kept.append(start)
            last = start
    return pool.frames[torch.tensor(kept)[:, None] + torch.arange(length)]


def draw_windows(
    pools: Sequence[WindowPool],
    count: int,
    length: int,
    variation: Variation,
    generator: Generator,
) -> Windows:
    """Random windows, varied; the pools (one per rate) count alike."""
    which = torch.randint(len(pools), (count,), generator=generator)
    parts = []
    for k, pool in enumerate(pools):
        wanted = int((which == k).sum())
        if wanted:
            chosen = torch.multinomial(pool.chance, wanted, True, generator=generator)
            times = warped_times(wanted, length, variation.warp, generator)
            parts.append(_at(pool.frames, pool.starts[chosen], times))
    windows = torch.cat(parts)
    # In random order, since variations look at neighbours.
    return varied(windows[torch.randperm(count, generator=generator)], variation, generator)


def _at(
    frames: Float[Tensor, "all_frames 24 6"],
    starts: Int[Tensor, "windows"],
    times: Float[Tensor, "windows frames"],
) -> Windows:
    """Windows at times after their starts; between frames on the straight line, near enough."""
    before = times.floor().long()
    after = (starts[:, None] + times.ceil().long()).clamp(max=len(frames) - 1)
    share = (times - before)[..., None, None]
    if not share.any():
        return frames[starts[:, None] + before]
    return torch.lerp(frames[starts[:, None] + before], frames[after], share)
