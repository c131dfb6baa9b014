"""What several test rooms share."""

import os
from pathlib import Path

import pytest


def shared_path(*parts: str) -> Path:
    """A file or folder of the shared test data; skips the test where it is absent."""
    root = os.environ.get("MOTIONFIELD_SHARED")
    base = Path(root) if root else Path(__file__).resolve().parents[2] / "shared"
    path = base.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"shared test data not found: {path.name} (set MOTIONFIELD_SHARED)")
    return path
