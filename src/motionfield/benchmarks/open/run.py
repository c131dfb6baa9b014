"""Methods on cases: timed, scored, kept in a cache, and never dropped silently."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import torch

from motionfield import __version__
from motionfield.benchmarks.open.case import BenchTake, Case, Given, Method, Tools
from motionfield.benchmarks.open.dependencies import code_hash
from motionfield.benchmarks.open.scoring import TakeScore, score_take
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.record import write_whole
from motionfield.formats.calib_file import Intrinsics
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.stages import make_key
from motionfield.steps.calibrate.intrinsics import choose_intrinsics, matrix_of
from motionfield.steps.fit.base import FitResult

Lens = Literal["true lens", "default focal"]
LENSES: Final[tuple[Lens, ...]] = get_args(Lens)
_SCORING: Final = "motionfield.benchmarks.open.scoring"


@dataclass(frozen=True)
class Job:
    """One method on one case with one lens."""

    case: Case
    clips: tuple[str, ...]
    """Of each take: what is drawn anew in the bootstrap."""
    method: str
    lens: Lens
    seed: int = 0
    body: str = "anny"


@dataclass(frozen=True)
class Row:
    """A method on one take of a case."""

    case: str
    take: str
    tier: str
    track: str
    split: str
    action: str
    clip: str
    method: str
    lens: str
    frames: int
    seconds: float
    """Wall time of the whole case, in proportion to the take's frames."""
    scores: dict[str, TakeScore] = field(default_factory=dict)
    error: str | None = None
    """Why there are no scores."""

    def summary(self) -> dict[str, Any]:
        """Plain data for a file; what could not be scored is None."""
        scores = {
            name: {**score._asdict(), "value": score.value if math.isfinite(score.value) else None}
            for name, score in self.scores.items()
        }
        return asdict(self) | {"scores": scores}


class RunOutcome(NamedTuple):
    """All rows, and how many of them were there before."""

    rows: list[Row]
    reused: int


def row_of(plain: Mapping[str, Any]) -> Row:
    """From ``Row.summary``."""
    scores = {
        name: TakeScore(
            math.nan if score["value"] is None else score["value"],
            score["unit"],
            score["frames_used"],
        )
        for name, score in plain["scores"].items()
    }
    return Row(**{**plain, "scores": scores})


def solve(job: Job, method: Method, tools: Tools) -> list[Row]:
    """Run one job; a method that raises or answers wrongly gives rows that say so."""
    given = [_given(take, job.lens) for take in job.case.takes]
    torch.manual_seed(job.seed)
    np.random.seed(job.seed)  # noqa: NPY002 (other people's code draws from it)
    started = time.perf_counter()
    error, results = None, []
    try:
        results = method(given, tools)
        if len(results) != len(given):
            error = f"gave {len(results)} results for {len(given)} takes"
    except Exception as fault:
        error = _one_line(fault)
    seconds = time.perf_counter() - started
    total = sum(take.truth.num_frames for take in job.case.takes)
    rows = []
    for index, take in enumerate(job.case.takes):
        share = seconds * take.truth.num_frames / total
        result = None if error is not None else results[index]
        rows.append(_row(job, index, take, share, result, error, tools))
    return rows


def run_jobs(
    jobs: Sequence[Job],
    methods: Mapping[str, Method],
    cache: "RowCache | None" = None,
    workers: int = 1,
    progress: Progress = silent,
) -> RunOutcome:
    """Run all jobs, those aside whose rows the cache has.

    Args:
        workers: processes; with more than one, ``methods`` must be those of ``methods.METHODS``.
    """
    found: dict[int, list[Row]] = {}
    if cache is not None:
        for index, job in enumerate(jobs):
            rows = cache.load(job, methods[job.method])
            if rows is not None:
                found[index] = rows
    reused = len(found)
    left = [index for index in range(len(jobs)) if index not in found]
    with progress("benchmark", len(left), "run") as bar:
        for index, rows in _solved(jobs, left, methods, workers):
            if cache is not None:
                cache.save(jobs[index], methods[jobs[index].method], rows)
            found[index] = rows
            bar.advance()
    return RunOutcome([row for index in range(len(jobs)) for row in found[index]], reused)


@dataclass(frozen=True)
class RowCache:
    """Rows by what decides them: the version's files, the case, the method's code and options."""

    folder: Path
    version_hash: str
    fresh: bool = False
    """Compute all rows anew."""

    def load(self, job: Job, method: Method) -> list[Row] | None:
        """The rows of a job, if they are there."""
        path = self._path(job, method)
        if self.fresh or not path.is_file():
            return None
        try:
            return [row_of(plain) for plain in json.loads(path.read_text("utf-8"))]
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a damaged file is computed anew

    def save(self, job: Job, method: Method, rows: Sequence[Row]) -> None:
        """Keep the rows of a job; those of a failure are not kept, so that they are tried again."""
        if any(row.error is not None for row in rows):
            return
        path = self._path(job, method)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps([row.summary() for row in rows]).encode("utf-8"))

    def _path(self, job: Job, method: Method) -> Path:
        code = code_hash(method, _SCORING)
        key = make_key(
            *(self.version_hash, job.case.name, job.method, job.lens, job.seed, job.body),
            *(code, torch.__version__, np.__version__, __version__),
        )
        return self.folder / f"{job.case.name}-{job.method}-{key}.json"


def _solved(
    jobs: Sequence[Job], left: Sequence[int], methods: Mapping[str, Method], workers: int
) -> Iterator[tuple[int, list[Row]]]:
    if workers <= 1 or len(left) <= 1:
        for index in left:
            job = jobs[index]
            yield index, solve(job, methods[job.method], _tools(job.body, job.seed))
        return
    # Long cases first: the last to end should be a short one.
    order = sorted(left, key=lambda i: -sum(t.truth.num_frames for t in jobs[i].case.takes))
    with _pool(workers) as pool:
        running: dict[Future[list[Row]], int] = {
            pool.submit(_solve_by_name, jobs[index]): index for index in order
        }
        for future in as_completed(running):
            yield running[future], future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of which nothing goes on after an error or Ctrl-C."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _solve_by_name(job: Job) -> list[Row]:
    """In a process of its own."""
    from motionfield.benchmarks.open.methods import METHODS

    return solve(job, METHODS[job.method], _tools(job.body, job.seed))


def _tools(body: str, seed: int) -> Tools:
    return Tools(load_body(body), _prior(), seed)


_loaded: list[PoseMixture] = []


def _prior() -> PoseMixture:
    """Loaded once per process."""
    if not _loaded:
        _loaded.append(PoseMixture.load())
    return _loaded[0]


def _given(take: BenchTake, lens: Lens) -> Given:
    """What the method is shown: where the lens is not given, the tracked path has none either."""
    if lens == "true lens":
        fx, fy, cx, cy = (float(take.camera.K[0][at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
        return Given(take.keypoints, Intrinsics(fx, fy, cx, cy), take.camera_motion)
    tracked = take.camera_motion
    if tracked is not None:
        assumed = choose_intrinsics(tracked.image_size, None, None, None)
        tracked = tracked.replace(
            K=matrix_of(assumed.intrinsics, tracked.num_frames),
            focal_source=assumed.source,
            focal_range_px=assumed.focal_range_px,
        )
    return Given(take.keypoints, None, tracked)


def _row(
    job: Job,
    index: int,
    take: BenchTake,
    seconds: float,
    result: FitResult | None,
    error: str | None,
    tools: Tools,
) -> Row:
    scores: dict[str, TakeScore] = {}
    if result is not None:
        try:
            scores = score_take(result, take, tools.body)
        except Exception as fault:
            error = _one_line(fault)
    case = job.case
    return Row(
        case=case.name,
        take=take.name,
        tier=case.tier,
        track=case.track,
        split=case.split,
        action=case.action,
        clip=job.clips[index],
        method=job.method,
        lens=job.lens,
        frames=take.truth.num_frames,
        seconds=round(seconds, 3),
        scores=scores,
        error=error,
    )


def _one_line(fault: Exception) -> str:
    text = " ".join(str(fault).split())
    return f"{type(fault).__name__}: {text}"[:300]


def check_methods(names: Sequence[str], methods: Mapping[str, Callable[..., Any]]) -> None:
    """Refuse unknown methods.

    Raises:
        OptionError: one is unknown; the message has those that are known.
    """
    unknown = [name for name in names if name not in methods]
    if unknown:
        raise OptionError(
            f"--method {unknown[0]}: no such method; choose among {', '.join(methods)}"
        )
