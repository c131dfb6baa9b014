"""What a user installs: everything that ships is in the wheel, every version is pinned."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from architecture.code_map import PACKAGE, ROOT

LARGEST_WHEEL_BYTES = 95_000_000


def shipped_files() -> set[str]:
    """Files of the package, as paths in the wheel."""
    return {
        f"motionfield/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in pairs}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["test"]]


def test_every_requirement_is_pinned() -> None:
    names = {canonical(re.split(r"[<>=\[;! ]", text)[0]) for text in requirements()} - {"pip"}
    assert names <= set(pinned())
    assert pinned()["torch"] == "2.13.0"


def test_what_requirements_require_is_pinned() -> None:
    """Of what is installed here: nothing comes in at an open version."""
    todo = [re.split(r"[<>=\[;! ]", text)[0] for text in requirements()]
    seen: set[str] = set()
    while todo:
        name = canonical(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        todo += [re.split(r"[<>=\[;!( ~]", text)[0] for text in required if ";" not in text]
    assert seen - set(pinned()) <= {"pip", "setuptools"}


def test_files_that_ship_are_not_ignored() -> None:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "src"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    ignored = [line for line in listed.stdout.splitlines() if "__pycache__" not in line]
    assert not ignored


@pytest.mark.slow
def test_the_wheel_holds_everything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(tmp_path)]
    built = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("the build tool cannot be fetched (no network)")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("motionfield-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert shipped_files() <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("weights/body_anny.npz") for name in names)
    assert wheel.stat().st_size < LARGEST_WHEEL_BYTES


def test_links_of_the_docs_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_the_readme_opens_with_the_two_lines() -> None:
    """As the CI runs them."""
    text = (ROOT / "README.md").read_text("utf-8")
    demo = "-m pip install -c constraints.txt . && .venv/bin/motionfield demo"
    test = '-m pip install -c constraints.txt -e ".[test]" && .venv/bin/python -m pytest'
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    assert blocks[0].strip() == f"python3.11 -m venv .venv && .venv/bin/python {demo}"
    assert blocks[1].strip() == f"python3.11 -m venv .venv && .venv/bin/python {test}"
    assert 'pip install -q -c constraints.txt -e ".[test]"' in (ROOT / ".ci" / "run").read_text()
