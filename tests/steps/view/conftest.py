"""A headless browser for the report, and reports to open in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from made_action import eased, made_action, turned_joint
from motionfield.body.registry import load_body
from motionfield.formats.video_file import VideoWriter
from motionfield.steps.evaluate import variation_of
from motionfield.steps.view import Clip, Group, RunNotes, report_of_clips
from steps.view.made_takes import made_quality, made_take

HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=2"> \'"&\u202e 🏃'
"""A name that would do harm where it is not escaped."""


@pytest.fixture(scope="session")
def body():
    return load_body("toy")


@pytest.fixture(scope="session")
def take(body):
    return made_take(body)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Debian's chromium, driven by playwright; the test skips where either is absent."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        program = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield program
        program.close()


@pytest.fixture(scope="session")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small video of 60 frames at 30 frames per second that brightens as it goes."""
    path = tmp_path_factory.mktemp("overlay") / "overlay.mp4"
    with VideoWriter(path, 128, 64, 30.0) as writer:
        for index in range(60):
            writer.write(np.full((64, 128, 3), 40 + 3 * index, np.uint8))
    return path.read_bytes()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, body, take, overlay) -> Path:
    """A report over two inputs: two persons with an overlay, then one without."""
    second = made_take(body, HOSTILE, start=(1.0, 1.5))
    other = made_take(body, "alone", frames=30)
    spread = np.full((30, 24, 3), 0.03, np.float32)
    rests = np.full((30, 2), 0.5, np.float32)
    other = other._replace(motion=other.motion.replace(joints_std=spread, contacts=rests))
    clips = [
        Clip(
            f"walk {HOSTILE}.mp4",
            [take, second],
            overlay,
            "a/overlay.mp4",
            warnings=(HOSTILE,),
            timings={"fit": 2.0},
        ),
        Clip("keypoints.npz", [other]),
    ]
    html = report_of_clips(clips, body, RunNotes(options={"name": HOSTILE}))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, "utf-8")
    return path


@pytest.fixture(scope="session")
def group_report(tmp_path_factory: pytest.TempPathFactory, body) -> Path:
    """A report over three takes of one action: the second differs at 60 %, one has a bad name."""
    made = made_action([eased(60), eased(45, 1.3), eased(50, start=0.2)])
    raised = 1.2 * np.exp(-(((eased(45, 1.3) - 0.6) / 0.05) ** 2))
    made.takes[1] = turned_joint(made.takes[1], "left_shoulder", "z", raised)
    std = np.full((24, 3), 0.02, np.float32)
    std[22:] = 0.03
    motions = [t.replace(joints_std=np.tile(std, (t.num_frames, 1, 1))) for t in made.takes]
    names = ("first", HOSTILE, "third")
    action = made.action.replace(take_names=names)
    variation = variation_of(motions, action, made.canonical, body)
    clips = []
    for name, motion in zip(names, motions, strict=True):
        frames = motion.num_frames
        plain = made_take(body, frames=frames)
        quality = made_quality(motion)
        clips.append(Clip(name, [plain._replace(motion=motion, quality=quality)]))
    html = report_of_clips(clips, body, group=Group(variation, action))
    path = tmp_path_factory.mktemp("group") / "report.html"
    path.write_text(html, "utf-8")
    return path
