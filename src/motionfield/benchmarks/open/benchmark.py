"""``motionfield benchmark open``: methods on a frozen set of takes, in tables with intervals."""

import datetime
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import torch

from motionfield import __version__
from motionfield.benchmarks.open.build import build_case, used_files
from motionfield.benchmarks.open.case import Case, Method, Split, Tier, Track
from motionfield.benchmarks.open.clips import ClipSource, check_sources, clip_folder
from motionfield.benchmarks.open.export import export_case
from motionfield.benchmarks.open.freeze import freeze
from motionfield.benchmarks.open.jobs import LENSES, Job, Lens, Plan, jobs_of_case
from motionfield.benchmarks.open.methods import METHODS
from motionfield.benchmarks.open.pose2sim import TIER, pose2sim_jobs
from motionfield.benchmarks.open.run import Row, RowCache, check_methods, run_jobs
from motionfield.benchmarks.open.spec import (
    CURRENT_VERSION,
    VERSIONS_FOLDER,
    CaseSpec,
    Collection,
    Spec,
    read_spec,
)
from motionfield.benchmarks.open.tables import Table, make_tables
from motionfield.benchmarks.pose2sim import Demo, Landmarks
from motionfield.body.registry import load_body
from motionfield.core.assets import cache_folder
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent, tracked

_CACHE: Final = "open_benchmark"
_TEST_RUNS: Final = "test_runs.tsv"
_MOST_WORKERS: Final = 4


@dataclass(frozen=True)
class OpenOptions:
    """What is run."""

    clips: Collection = "pybullet"
    data: Path | None = None
    """Folder of the clips; None: fetched (pybullet alone)."""
    methods: tuple[str, ...] = ()
    """Empty: all."""
    split: str | None = None
    track: str | None = None
    tier: str | None = None
    quick: bool = False
    """The cases marked so, and no other."""
    lenses: tuple[Lens, ...] = LENSES
    by_action: bool = False
    """Tables of each action by itself, too."""
    landmarks: Landmarks = "full"
    """The network that saw the real videos of pose2sim."""
    seed: int = 0
    fresh: bool = False
    """Compute all rows anew, whatever the cache has."""
    workers: int = 1
    version: str = CURRENT_VERSION
    body: str = "anny"


class Setting(NamedTuple):
    """Where and on what a run happened."""

    date: str
    commit: str
    machine: str
    version: str
    version_hash: str


@dataclass(frozen=True)
class OpenReport:
    """What the command prints and writes."""

    options: OpenOptions
    setting: Setting
    rows: tuple[Row, ...]
    reused: int
    """Of the runs, those taken from the cache."""
    tables: tuple[Table, ...]
    by_action: tuple[Table, ...] = ()
    """The same of each action by itself, where asked for."""

    def table(self) -> str:
        """The text that the command prints."""
        chosen = "quick subset" if self.options.quick else "cases"
        head = (
            f"open benchmark {self.setting.version} ({self.setting.version_hash}), "
            f"{self.options.clips} {chosen}, seed {self.options.seed}, "
            f"commit {self.setting.commit}"
        )
        note = "means over actions [95 % bootstrap interval over clips]"
        if self.reused:
            note += f"; {self.reused} runs taken from the cache (--fresh computes them anew)"
        shown = (*self.tables, *self.by_action)
        return "\n\n".join((f"{head}\n{note}", *(table.text() for table in shown)))

    def summary(self) -> dict[str, Any]:
        """Plain data for a file, with the rows of all takes."""
        return {
            **self.setting._asdict(),
            "options": {k: v for k, v in asdict(self.options).items() if k != "data"},
            "reused_runs": self.reused,
            "tables": [table.summary() for table in self.tables],
            "by_action": [table.summary() for table in self.by_action],
            "rows": [row.summary() for row in self.rows],
        }


def measure_open(
    options: OpenOptions = OpenOptions(),
    progress: Progress = silent,
    methods: Mapping[str, Method] = METHODS,
    folder: Path | None = None,
) -> OpenReport:
    """Run methods on the cases of a version and put their figures in tables.

    Args:
        methods: by name.
        folder: of the version; by default the package's.

    Raises:
        OptionError: an unknown method, or no case of what was asked for.
        InputError: the clips or the takes are not those that the version was made of.
        MissingAssetError: clips cannot be fetched.
    """
    names = options.methods or tuple(methods)
    check_methods(names, methods)
    check_choice("--split", options.split, get_args(Split))
    check_choice("--track", options.track, (*get_args(Track), *get_args(Demo)))
    check_choice("--tier", options.tier, (*get_args(Tier), TIER))
    spec = read_spec(folder or VERSIONS_FOLDER / options.version, options.clips)
    chosen: tuple[CaseSpec, ...] = ()
    if options.tier != TIER:
        chosen = spec.chosen(options.split, options.track, options.tier, options.quick)
    plan = Plan(names, options.lenses, options.seed, options.body)
    jobs = list(_jobs(chosen, plan, spec, options, progress))
    if _with_pose2sim(options):
        jobs += pose2sim_jobs(plan, progress, options.track, options.landmarks)
    cache = RowCache(cache_folder() / _CACHE, options.fresh)
    outcome = run_jobs(jobs, methods, cache, options.workers, progress)
    setting = Setting(
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        commit=commit(),
        machine=machine(),
        version=spec.version,
        version_hash=spec.hash,
    )
    tables = tuple(make_tables(outcome.rows, options.seed))
    by_action: list[Table] = []
    if options.by_action:
        by_action = make_tables(outcome.rows, options.seed, by_action=True)
    if any(case.split == "test" for case in chosen):
        log_test_run(setting, options, names)
    rows = tuple(outcome.rows)
    return OpenReport(options, setting, rows, outcome.reused, tables, tuple(by_action))


def export_open(options: OpenOptions, target: Path, progress: Progress = silent) -> list[Path]:
    """Write the takes of the chosen cases as files (``export.export_case``) and run nothing.

    Raises:
        As ``measure_open``.
    """
    spec = read_spec(VERSIONS_FOLDER / options.version, options.clips)
    chosen = spec.chosen(options.split, options.track, options.tier, options.quick)
    body = load_body(options.body)
    built = _cases(chosen, spec, options, progress)
    return [path for _, case in built for path in export_case(case, target, body)]


def freeze_open(options: OpenOptions, version: str, progress: Progress = silent) -> str:
    """Make a new version of one collection; the hash of the version's files.

    Raises:
        OptionError: a name that is no version's, or one that there is already.
    """
    if not re.fullmatch(r"v\d+", version):
        raise OptionError(f"--freeze {version}: versions are called v1, v2, …")
    data = clip_folder(options.clips, options.data, progress)
    folder = VERSIONS_FOLDER / version
    return freeze(folder, options.clips, data, load_body(options.body), progress)


def _jobs(
    chosen: Sequence[CaseSpec],
    plan: Plan,
    spec: Spec,
    options: OpenOptions,
    progress: Progress,
) -> Iterator[Job]:
    """Every case with every method and lens."""
    for planned, case in _cases(chosen, spec, options, progress):
        clips = tuple(take.clip for take in planned.takes)
        yield from jobs_of_case(case, clips, spec.hash, plan)


def _cases(
    chosen: Sequence[CaseSpec], spec: Spec, options: OpenOptions, progress: Progress
) -> Iterator[tuple[CaseSpec, Case]]:
    """Every case, built and checked."""
    data = clip_folder(options.clips, options.data, progress)
    used = spec.sources if options.clips == "pybullet" else used_files(chosen)
    check_sources(data, spec.sources, used)
    body = load_body(options.body)
    source = ClipSource(options.clips, data, body)
    source.load((p for case in chosen for take in case.takes for p in take.pieces), progress)
    for planned in tracked(chosen, progress, "build cases", len(chosen), "case"):
        yield planned, build_case(planned, spec, source, body)


def _with_pose2sim(options: OpenOptions) -> bool:
    """Whether the real videos are run: asked for, or part of a run of everything."""
    part = options.quick or options.split or options.track or options.body != "anny"
    return options.tier == TIER or (options.tier is None and not part)


def commit() -> str:
    """The commit of the code, with a plus where files were changed since; or the version."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(
            ("git", "-C", str(here), *words), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/src")
        return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return f"version {__version__}"


def default_workers() -> int:
    """Processes: one per core, few enough for the memory of an ordinary machine."""
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def machine() -> str:
    """What timings were measured on."""
    cores = os.cpu_count() or 1
    threads = torch.get_num_threads()
    return f"{platform.system()} {platform.machine()}, {cores} cores, {threads} thread per process"


def test_runs_path() -> Path:
    """The log of runs on test splits: beside the docs in a checkout, else in the cache."""
    docs = Path(__file__).parents[4] / "docs" / "benchmarks"
    if docs.is_dir():
        return docs / f"open_{_TEST_RUNS}"
    return cache_folder() / _CACHE / _TEST_RUNS


def log_test_run(setting: Setting, options: OpenOptions, methods: Sequence[str]) -> None:
    """Append a line: test is looked at for tables only, and everyone can see how often."""
    path = test_runs_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    size = "quick" if options.quick else options.track or "all tracks"
    fields = (setting.date, setting.commit, setting.version_hash, options.clips, size)
    with path.open("a", encoding="utf-8") as file:
        file.write("\t".join((*fields, ",".join(methods))) + "\n")


def check_choice(option: str, value: str | None, known: Sequence[str]) -> None:
    """Refuse an unknown choice in one line.

    Raises:
        OptionError: it is not among those known.
    """
    if value is not None and value not in known:
        raise OptionError(f"{option} {value}: choose among {', '.join(known)}")
