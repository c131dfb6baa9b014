"""What is run: a method on a case with one lens, and how its answers are scored."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol, get_args, runtime_checkable

import numpy as np

from motionfield.benchmarks.open.case import Case, Given
from motionfield.benchmarks.open.methods import SYNCHRONIZED_ONLY, TOGETHER_ONLY
from motionfield.benchmarks.open.scoring import TakeScore, score_take
from motionfield.body.base import Body
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.formats.calib_file import Intrinsics
from motionfield.steps.calibrate.intrinsics import choose_intrinsics, matrix_of
from motionfield.steps.fit.base import FitResult

Lens = Literal["true lens", "default focal"]
LENSES: Final[tuple[Lens, ...]] = get_args(Lens)
_DIGITS: Final = 16


class TakeInfo(NamedTuple):
    """What a row says of its take."""

    name: str
    clip: str
    """What is drawn anew in the bootstrap."""
    frames: int
    frames_seen: int
    """In which the person was found."""


@runtime_checkable
class Scorer(Protocol):
    """Scores a method's answer to the take of that index. It travels to other processes."""

    def score(self, index: int, result: FitResult, body: Body) -> dict[str, TakeScore]: ...


class CaseScorer(NamedTuple):
    """Scores against the exact truth of a case."""

    case: Case

    def score(self, index: int, result: FitResult, body: Body) -> dict[str, TakeScore]:
        return score_take(result, self.case.takes[index], body)


@dataclass(frozen=True)
class Job:
    """One method on one case with one lens."""

    case: str
    tier: str
    track: str
    split: str
    action: str
    takes: tuple[TakeInfo, ...]
    given: tuple[Given, ...]
    scorer: Scorer
    method: str
    lens: Lens
    identity: str
    """Of what is shown and what it is scored against."""
    seed: int = 0
    body: str = "anny"

    @property
    def frames(self) -> int:
        return sum(take.frames for take in self.takes)


@dataclass(frozen=True)
class Plan:
    """With what a case is run."""

    methods: tuple[str, ...]
    lenses: tuple[Lens, ...] = LENSES
    seed: int = 0
    body: str = "anny"


def jobs_of_case(case: Case, clips: Sequence[str], version_hash: str, plan: Plan) -> list[Job]:
    """A job per lens and method.

    Args:
        clips: of each take (``TakeSpec.clip``).
    """
    takes = tuple(
        TakeInfo(take.name, clip, take.truth.num_frames, int(take.keypoints.observed.sum()))
        for take, clip in zip(case.takes, clips, strict=True)
    )
    jobs = []
    for lens in plan.lenses:
        given = tuple(
            show(take.keypoints, take.camera, lens, take.camera_motion) for take in case.takes
        )
        identity = f"{version_hash} {digest(given)}"
        for method in plan.methods:
            if method in SYNCHRONIZED_ONLY and not case.synchronized:
                continue
            if method in TOGETHER_ONLY and len(case.takes) < 2:
                continue
            job = Job(
                case=case.name,
                tier=case.tier,
                track=case.track,
                split=case.split,
                action=case.action,
                takes=takes,
                given=given,
                scorer=CaseScorer(case),
                method=method,
                lens=lens,
                identity=identity,
                seed=plan.seed,
                body=plan.body,
            )
            jobs.append(job)
    return jobs


def show(
    keypoints: Keypoints, camera: CameraPath, lens: Lens, camera_motion: CameraPath | None
) -> Given:
    """What a method is shown: where the lens is not given, the tracked path has none either."""
    if lens == "true lens":
        fx, fy, cx, cy = (float(camera.K[0][at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
        k1, k2, p1, p2, k3 = (float(term) for term in camera.distortion)
        return Given(keypoints, Intrinsics(fx, fy, cx, cy, (k1, k2, p1, p2, k3)), camera_motion)
    if camera_motion is not None:
        assumed = choose_intrinsics(camera_motion.image_size, None, None, None)
        camera_motion = camera_motion.replace(
            K=matrix_of(assumed.intrinsics, camera_motion.num_frames),
            focal_source=assumed.source,
            focal_range_px=assumed.focal_range_px,
        )
    return Given(keypoints, None, camera_motion)


def digest(given: Sequence[Given]) -> str:
    """A hash of all that is shown."""
    content = hashlib.sha256()
    for one in given:
        content.update(repr(one.intrinsics).encode())
        arrays = [one.keypoints.keypoints_2d, one.keypoints.coarse_camera, one.keypoints.time_s]
        if one.camera_motion is not None:
            path = one.camera_motion
            arrays += [path.K, path.R_camera_world, path.t_camera_world]
        for array in arrays:
            if array is not None:
                content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:_DIGITS]
