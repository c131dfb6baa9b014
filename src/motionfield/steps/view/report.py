"""The report: one HTML file that opens offline and shows where not to trust the result."""

import base64
import hashlib
import importlib.resources
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jinja2
import torch
from markupsafe import Markup

from motionfield import __version__
from motionfield.body.base import Body
from motionfield.body.joint_angles import ANGLES
from motionfield.core.conventions import JOINT_NAMES, JOINT_PARENTS
from motionfield.core.history import History, plain
from motionfield.data import Take
from motionfield.steps.view.group import Group, group_data, shown_group
from motionfield.steps.view.looks import PERSON_COLOURS
from motionfield.steps.view.posed import joints_of
from motionfield.steps.view.report_data import inline_json, take_data
from motionfield.steps.view.report_figures import (
    how_known,
    key_figures,
    peak_speeds,
    ratings,
)

_SCRIPTS = ("scene.js", "plots.js", "takes.js", "page.js")


class Clip(NamedTuple):
    """What one input of a run gave."""

    video_name: str
    """As shown to the user."""
    takes: Sequence[Take]
    overlay_mp4: bytes | None = None
    """The overlay video: embedded while ``RunNotes.max_embedded_bytes`` lasts."""
    overlay_href: str = "overlay.mp4"
    """Where the overlay lies, seen from the report; linked where it is not embedded."""
    warnings: Sequence[str] = ()
    timings: Mapping[str, float] = {}
    """Seconds per stage."""
    overlay_linked: bool = False
    """The overlay lies at ``overlay_href`` though its bytes are not given (too many to load)."""


@dataclass(frozen=True)
class RunNotes:
    """What the report says of the run itself, and its limits."""

    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of packages, beside motionfield, Python and torch."""
    max_embedded_bytes: int = 60_000_000
    max_frames: int = 4000
    """Longer takes are thinned out for the plots and the skeleton."""


def report_html(
    takes: Sequence[Take],
    body: Body,
    *,
    video_name: str = "",
    overlay_mp4: bytes | None = None,
    overlay_href: str = "overlay.mp4",
    warnings: Sequence[str] = (),
    timings: Mapping[str, float] | None = None,
    notes: RunNotes | None = None,
) -> str:
    """The report of one video; see ``report_of_clips``."""
    clip = Clip(
        video_name,
        takes,
        overlay_mp4,
        overlay_href,
        warnings,
        timings or {},
    )
    return report_of_clips([clip], body, notes)


def report_of_clips(
    clips: Sequence[Clip],
    body: Body,
    notes: RunNotes | None = None,
    group: Group | None = None,
) -> str:
    """One HTML page over all inputs of a run.

    ``group``: the inputs are takes of one action, which the page also sets against each other.

    It needs no network and asks for none (its content security policy forbids it). All names
    and messages are escaped: they are shown as text, whatever they hold.
    """
    notes = notes or RunNotes()
    shown: list[dict[str, Any]] = []
    data: list[dict[str, Any]] = []
    for index, clip in enumerate(clips):
        for take in clip.takes:
            joints = joints_of(take.motion, body)
            shown.append(_shown_take(take, body, joints, index, len(shown)))
            data.append(take_data(take, joints, index, notes.max_frames))
    embedded = _embedded(clips, notes.max_embedded_bytes)
    style = _page_file("report.css")
    script = "\n".join(_page_file(name) for name in _SCRIPTS)
    return _template().render(
        title=_title(clips),
        clips=[_shown_clip(clip, video) for clip, video in zip(clips, embedded, strict=True)],
        takes=shown,
        options=plain(dict(notes.options)),
        versions=_versions() | dict(notes.versions),
        group=shown_group(group, [t.quality for c in clips for t in c.takes]) if group else None,
        group_data=inline_json(group_data(group)) if group else None,
        data=inline_json(
            {
                "parents": list(JOINT_PARENTS),
                "joints": list(JOINT_NAMES),
                "colours": [list(colour) for colour in PERSON_COLOURS],
                "angles": {
                    name: f"{meaning.of}; positive: {meaning.positive}"
                    for name, meaning in ANGLES.items()
                },
                "clips": [clip.video_name for clip in clips],
                "takes": data,
            }
        ),
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
    )


def _shown_take(take: Take, body: Body, joints: Any, clip: int, index: int) -> dict[str, Any]:
    motion = take.motion
    return {
        "index": index,
        "clip": clip,
        "name": take.name,
        "body": motion.body_model,
        "figures": key_figures(take, body, joints),
        "ratings": ratings(take.quality),
        "spans": take.quality.spans,
        "known": how_known(take.camera),
        "peaks": peak_speeds(joints, motion.time_s, motion.observed),
        "history": _history(motion.history or take.keypoints.history),
    }


def _shown_clip(clip: Clip, video: str | None) -> dict[str, Any]:
    size = len(clip.overlay_mp4) if clip.overlay_mp4 else 0
    return {
        "name": clip.video_name,
        "video": video,
        "href": clip.overlay_href if clip.overlay_mp4 or clip.overlay_linked else None,
        "megabytes": size / 1e6,
        "warnings": list(clip.warnings),
        "timings": dict(clip.timings),
    }


def _embedded(clips: Sequence[Clip], limit: int) -> list[str | None]:
    """Base64 of each overlay while the limit lasts; None where it is linked or absent."""
    found: list[str | None] = []
    for clip in clips:
        video = clip.overlay_mp4
        fits = video is not None and len(video) <= limit
        limit -= len(video) if video is not None and fits else 0
        found.append(base64.b64encode(video).decode("ascii") if video and fits else None)
    return found


def _history(history: History) -> list[tuple[str, str]]:
    return [(entry.name, json.dumps(dict(entry.options), ensure_ascii=False)) for entry in history]


def _title(clips: Sequence[Clip]) -> str:
    names = [clip.video_name for clip in clips if clip.video_name]
    if len(names) <= 1:
        return names[0] if names else "Motion"
    return f"{names[0]} and {len(names) - 1} more"


def _versions() -> dict[str, str]:
    return {
        "motionfield": __version__,
        "Python": platform.python_version(),
        "torch": torch.__version__,
    }


def _page_file(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text("utf-8")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_page_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _policy(style: str, script: str) -> str:
    """The page may run its own script and style, show its own data, and nothing else."""
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        for text in (script, style)
    ]
    return (
        f"default-src 'none'; script-src {hashes[0]}; style-src {hashes[1]}; "
        "media-src 'self' blob: file:; img-src data:; base-uri 'none'; form-action 'none'"
    )
