"""report.html and run.json: what a run did, over all of its inputs."""

import dataclasses
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from motionfield import __version__
from motionfield.body.base import Body
from motionfield.core.errors import MotionfieldError
from motionfield.core.history import plain
from motionfield.data.record import write_whole
from motionfield.outputs.group import GroupFiles
from motionfield.outputs.sources import CANONICAL, Source
from motionfield.outputs.written import Finished, told_where, warnings_of
from motionfield.run_config import RunConfig
from motionfield.steps.fit import PaperNemoConfig
from motionfield.steps.view import Clip, Group, RunNotes, report_of_clips

_PACKAGES = ("ai-edge-litert", "av", "numpy", "opencv-python-headless", "scipy", "torch", "trimesh")


class Summary(NamedTuple):
    """What a run made of all of its inputs."""

    finished: Sequence[Finished]
    failed: Sequence[tuple[Source, MotionfieldError]]
    group: GroupFiles | None
    """Where several takes were fitted together."""
    seconds: float


def write_summary(config: RunConfig, summary: Summary, body: Body) -> None:
    """Write report.html and run.json into OUT."""
    with told_where(config.out):
        page = _report(config, summary, body)
        write_whole(config.out / "report.html", page.encode("utf-8"))
        text = json.dumps(_run_json(config, summary), indent=1)
        write_whole(config.out / "run.json", text.encode("utf-8"))


def _report(config: RunConfig, summary: Summary, body: Body) -> str:
    """The page over all inputs."""
    notes = RunNotes(plain(config), _versions())
    clips, room = [], notes.max_embedded_bytes
    for item in summary.finished:
        # Overlays that the page will not hold are not loaded either.
        size = item.overlay.stat().st_size if item.overlay else 0
        embedded = item.overlay.read_bytes() if item.overlay and size <= room else None
        room -= len(embedded or b"")
        clips.append(
            Clip(
                video_name=item.result.source.name,
                takes=item.result.takes,
                overlay_mp4=embedded,
                overlay_href=f"{quote(item.result.source.name)}/overlay.mp4",
                warnings=warnings_of(item.result),
                timings={stage.stage: stage.seconds for stage in item.result.times},
                overlay_linked=item.overlay is not None,
            )
        )
    return report_of_clips(clips, body, notes, _group(summary))


def _group(summary: Summary) -> Group | None:
    """What the page shows of the takes together."""
    if summary.group is None:
        return None
    outcome = summary.group.outcome
    odd = [f"{take.called}: {take.why}; left out" for take in outcome.odd]
    failed = [f"left out: {error}" for _, error in summary.failed]
    warnings = (*outcome.warnings, *odd, *failed)
    return Group(summary.group.variation, outcome.action, warnings=warnings)


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def _run_json(config: RunConfig, summary: Summary) -> dict[str, Any]:
    content = {
        "motionfield": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _versions(),
        "options": plain(config),
        "seed": config.seed,
        "seconds": round(summary.seconds, 3),
        "videos": [
            {
                "input": str(item.result.source.path),
                "folder": item.result.source.name,
                "persons": len(item.result.takes),
                "frames": item.result.takes[0].motion.num_frames,
                "fps": item.result.takes[0].motion.fps,
                "stages": [dataclasses.asdict(stage) for stage in item.result.times],
                "files": [file.relative_to(config.out).as_posix() for file in item.files],
                "warnings": list(warnings_of(item.result)),
            }
            for item in summary.finished
        ],
        "failed": [
            {"input": str(source.path), "error": str(error)} for source, error in summary.failed
        ],
    }
    if summary.group is not None:
        content["group"] = _group_json(config, summary.group)
    return content


def _group_json(config: RunConfig, group: GroupFiles) -> dict[str, Any]:
    """What is known of the takes together."""
    outcome, action = group.outcome, group.outcome.action
    return {
        "folder": CANONICAL,
        "frames": outcome.canonical.num_frames,
        "duration_s": round(action.duration_s, 4),
        "takes": list(action.take_names),
        "phases": phases_source(config),
        "mirrored": [
            name for name, flag in zip(action.take_names, action.mirrored, strict=True) if flag
        ],
        "outliers": [odd._asdict() for odd in outcome.odd],
        "stages": [dataclasses.asdict(stage) for stage in outcome.times],
        "files": [file.relative_to(config.out).as_posix() for file in group.files],
        "warnings": list(outcome.warnings),
    }


def phases_source(config: RunConfig) -> str:
    """Where the takes' phases come from, in words."""
    group = config.group
    if isinstance(group, PaperNemoConfig):
        return "fitted, from even steps" if group.instance_specific else "even steps"
    if group.synchronized:
        return "one clock (--synchronized)"
    return "poses set against each other in time, then fitted"
