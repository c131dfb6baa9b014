"""Takes of another action: somebody else was followed in them, or they are left out or refused."""

from collections.abc import Sequence

import numpy as np

from motionfield.body.base import Body
from motionfield.core.errors import MotionfieldError, OptionError
from motionfield.core.progress import Progress, named
from motionfield.data import Motion
from motionfield.outputs import OddTake
from motionfield.pipeline.first import FirstMaker, FirstMotion
from motionfield.pipeline.members import LEAST_FRAMES, LEAST_TAKES, Member, member_of
from motionfield.run_config import RunConfig
from motionfield.steps.fit import odd_takes, pair_costs

_ODD = "shows another action than most takes: its poses are far from theirs at every pace"
_LOOKED_AT = 1 / 3
"""Share of the takes that are looked at again at the most: following everybody takes long."""
_COMPARED = 8
"""Takes that everybody in a video is compared with."""
_CLEARLY = 0.8
"""Somebody else is chosen whose distance from the others is this share of the first one's."""


def look_again(
    config: RunConfig, first: FirstMaker, members: Sequence[Member], progress: Progress
) -> list[Member]:
    """Where another action is seen than in most takes, look at everybody in that video.

    Pitchers, catchers and batters are in one picture, and a video by itself does not say which of
    them it is about; the other takes do.
    """
    members = list(members)
    seen: set[int] = set()
    while config.track.person == "auto" and config.repetitions is None and len(members) > 2:
        found = odd_takes([member.take.initial for member in members], first.body())
        odd = found.odd.tolist()
        new = [k for k, m in enumerate(members) if odd[k] and k not in seen and _films(m)]
        if not new or len(seen) >= max(1, _LOOKED_AT * len(members)):
            break
        worst = max(new, key=lambda k: float(found.distance_m[k]))
        seen.add(worst)
        usual = [m.take.initial for m, is_odd in zip(members, odd, strict=True) if not is_odd]
        members[worst] = _who_acts(
            first, members[worst], usual, float(found.distance_m[worst]), progress
        )
    return members


def _films(member: Member) -> bool:
    """There is more in it than one person's keypoints."""
    return member.video is not None and member.source.keypoints is None


def _who_acts(
    first: FirstMaker,
    member: Member,
    usual: Sequence[Motion],
    distance_m: float,
    progress: Progress,
) -> Member:
    """The take of the person who moves as the others' takes show; as it is if there is none."""
    source = member.source
    try:
        everyone = first.make(source, named(progress, f"{source.name} everyone"), everyone=True)
        distances = _distances(everyone, usual, first.body())
        best = int(np.argmin(distances))
        if distances[best] > _CLEARLY * distance_m:
            return member
        chosen = member_of(first.of_person(everyone, best, named(progress, source.name)))
    except MotionfieldError:
        return member  # there is still the one who was followed first
    told = (
        f"of {len(distances)} people the one was followed who moves as in the other takes "
        f"(--person {best}); by itself the video seems to be about somebody else"
    )
    times = [*member.times, *chosen.times]
    return chosen._replace(warnings=(*chosen.warnings, told), times=times)


def _distances(everyone: FirstMotion, usual: Sequence[Motion], body: Body) -> np.ndarray:
    """Of everybody in a video from the other takes, metres; infinite for who is seen briefly."""
    others = list(usual[:_COMPARED])
    count = len(everyone.initial)
    costs = pair_costs([*everyone.initial, *others], body)
    nearest = np.minimum(costs.same, costs.mirrored)[:count, count:]
    seen = everyone.seen.tracks.observed.sum(1)
    enough = seen >= max(LEAST_FRAMES, everyone.seen.tracks.num_frames / 2)
    return np.where(enough, np.median(nearest, axis=1), np.inf)


def without_odd(
    config: RunConfig, members: list[Member], body: Body
) -> tuple[list[Member], tuple[OddTake, ...]]:
    """The takes of the action that most of them show, and the others.

    Raises:
        OptionError: a take shows another action and may not be left out.
    """
    found = odd_takes([member.take.initial for member in members], body)
    odd = found.odd.tolist()
    if not any(odd):
        return members, ()
    kept = [member for member, is_odd in zip(members, odd, strict=True) if not is_odd]
    usual = f"{1000 * found.usual_m:.0f} mm"
    told = [
        OddTake(member.source.called, f"{_ODD} ({1000 * far:.0f} mm, the others {usual})")
        for member, is_odd, far in zip(members, odd, found.distance_m.tolist(), strict=True)
        if is_odd
    ]
    if len(kept) >= LEAST_TAKES and config.drop_outliers:
        return kept, tuple(told)
    if len(kept) < LEAST_TAKES:
        names = ", ".join(take.called for take in told)
        raise OptionError(
            f"{names}: show different actions (their poses are {usual} apart when they are "
            "aligned in time); give takes of one action, or --method fit"
        )
    names = "; ".join(f"{take.called}: {take.why}" for take in told)
    raise OptionError(
        f"{names}; leave it out, or go on without it by --drop-outliers, or keep each take by "
        "itself by --method fit"
    )
