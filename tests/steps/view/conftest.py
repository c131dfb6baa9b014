"""A headless browser for the report, and reports to open in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from motionfield.body.registry import load_body
from motionfield.formats.video_file import VideoWriter
from motionfield.steps.view import Clip, RunNotes, report_of_clips
from steps.view.made_takes import made_take

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
