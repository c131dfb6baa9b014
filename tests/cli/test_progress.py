"""Progress bars: stage, rate, time left; nothing with ``--quiet``."""

import pytest

from motionfield.cli.progress import progress_of


def test_a_bar_shows_stage_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_of(quiet=False)("track", 4) as bar:
        for _ in range(4):
            bar.advance()
    text = capsys.readouterr().err
    for part in ("track", "4/4", "100%", "frames/s", "left"):
        assert part in text


def test_bytes_and_unknown_totals(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_of(quiet=False)("download", 2_000_000, "B") as bar:
        bar.advance(2_000_000)
    with progress_of(quiet=False)("search", None, "step") as bar:
        bar.advance()
    text = capsys.readouterr().err
    assert "2.00M/2.00M" in text
    assert "steps/s" in text


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_of(quiet=True)("track", 4) as bar:
        bar.advance()
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
