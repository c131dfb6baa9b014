"""Methods on cases: timed, scored, kept in a cache, and never dropped silently."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from motionfield import __version__
from motionfield.benchmarks.open.case import Method, Tools
from motionfield.benchmarks.open.dependencies import code_hash
from motionfield.benchmarks.open.jobs import Job
from motionfield.benchmarks.open.scoring import TakeScore
from motionfield.benchmarks.open.shared import FirstMotions, Seconds, now
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, silent
from motionfield.data.record import write_whole
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit.base import FitResult

_SCORING: Final = (
    "motionfield.benchmarks.open.scoring",
    "motionfield.benchmarks.open.pose2sim",
)


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
    frames_seen: int
    """In which the person was found."""
    seconds: float
    """Wall time of the whole case, in proportion to the take's frames."""
    processor_seconds: float
    """Likewise the processor's time, which other work on the machine does not lengthen."""
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
    torch.manual_seed(job.seed)
    np.random.seed(job.seed)  # noqa: NPY002 (other people's code draws from it)
    started, spared = now(), _spared(tools)
    error, results = None, []
    try:
        results = method(job.given, tools)
        if len(results) != len(job.given):
            error = f"gave {len(results)} results for {len(job.given)} takes"
    except Exception as fault:
        error = _one_line(fault)
    # Whatever is shared counts for every method that uses it.
    seconds = now().minus(started).plus(_spared(tools).minus(spared))
    rows = []
    for index in range(len(job.takes)):
        result = None if error is not None else results[index]
        rows.append(_row(job, index, seconds, result, error, tools))
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
    """Rows by what decides them: what is shown, the truth, the method's code and options."""

    folder: Path
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
        code = code_hash(method, *_SCORING)
        key = make_key(
            *(job.identity, job.case, job.method, job.lens, job.seed, job.body),
            *(code, torch.__version__, np.__version__, __version__),
        )
        return self.folder / f"{job.case}-{job.method}-{key}.json"


def _solved(
    jobs: Sequence[Job], left: Sequence[int], methods: Mapping[str, Method], workers: int
) -> Iterator[tuple[int, list[Row]]]:
    if workers <= 1 or len(left) <= 1:
        for index in left:
            job = jobs[index]
            yield index, solve(job, methods[job.method], _tools(job.body, job.seed))
        return
    # What starts alike stays in one process; long ones first: the last to end should be short.
    groups: dict[tuple[str, str], list[int]] = {}
    for index in sorted(left, key=lambda i: -jobs[i].frames):
        groups.setdefault((jobs[index].case, jobs[index].lens), []).append(index)
    with _pool(workers) as pool:
        running: dict[Future[list[list[Row]]], list[int]] = {
            pool.submit(_solve_by_name, [jobs[index] for index in group]): group
            for group in groups.values()
        }
        for future in as_completed(running):
            yield from zip(running[future], future.result(), strict=True)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of which nothing goes on after an error or Ctrl-C."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _solve_by_name(jobs: Sequence[Job]) -> list[list[Row]]:
    """In a process of its own."""
    from motionfield.benchmarks.open.methods import METHODS

    return [solve(job, METHODS[job.method], _tools(job.body, job.seed)) for job in jobs]


def _tools(body: str, seed: int) -> Tools:
    starts = _starts.setdefault(body, FirstMotions())
    return Tools(load_body(body), _prior(), seed, starts)


def _spared(tools: Tools) -> Seconds:
    return tools.starts.spared if isinstance(tools.starts, FirstMotions) else Seconds()


_loaded: list[PoseMixture] = []
_starts: dict[str, FirstMotions] = {}


def _prior() -> PoseMixture:
    """Loaded once per process."""
    if not _loaded:
        _loaded.append(PoseMixture.load())
    return _loaded[0]


def _row(
    job: Job,
    index: int,
    seconds: Seconds,
    result: FitResult | None,
    error: str | None,
    tools: Tools,
) -> Row:
    scores: dict[str, TakeScore] = {}
    if result is not None:
        try:
            scores = job.scorer.score(index, result, tools.body)
        except Exception as fault:
            error = _one_line(fault)
    take = job.takes[index]
    share = take.frames / job.frames
    return Row(
        case=job.case,
        take=take.name,
        tier=job.tier,
        track=job.track,
        split=job.split,
        action=job.action,
        clip=take.clip,
        method=job.method,
        lens=job.lens,
        frames=take.frames,
        frames_seen=take.frames_seen,
        seconds=round(seconds.wall * share, 3),
        processor_seconds=round(seconds.processor * share, 3),
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
