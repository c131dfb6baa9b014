"""``motionfield models``: the table, and files brought by hand."""

from pathlib import Path

import pytest

from motionfield.cli.main import main
from motionfield.core.asset_table import ASSETS
from motionfield.core.assets import CACHE_VARIABLE


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


def test_the_table_names_everything(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert str(cache) in text
    for name, asset in ASSETS.items():
        line = next(line for line in text.splitlines() if line.startswith(name))
        assert asset.licence in line
        assert asset.source.requirement in line
        assert ("missing" in line) == asset.needed
    assert not cache.exists()


def test_a_damaged_file_is_seen(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ASSETS["pose_detector"].files[0]
    path = cache / "pose_detector" / file.name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * file.size)
    assert main(["models"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("pose_detector"))
    assert "damaged" in line


def test_from_a_folder_without_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty folder"
    empty.mkdir()
    assert main(["models", "--from", str(empty)]) == 2
    text = capsys.readouterr().err
    assert "empty folder: holds no known file" in text
    assert "pip download" in text
    assert text.count("\n") == 1


def test_a_missing_model_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No network: pip is told to look nowhere."""
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert main(["models", "--fetch", "demo_video", "--quiet"]) == 3
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    for part in ("demo.mp4", "sports2d==0.8.34", "motionfield models --from DIR"):
        assert part in text
