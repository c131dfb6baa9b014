"""``motionfield info``: versions, device, where things lie."""

import argparse
import importlib.metadata
import os
import platform

from motionfield import __version__
from motionfield.cli.parser import Verbs

PACKAGES = (
    *("torch", "numpy", "scipy", "ai-edge-litert", "av", "opencv-python-headless"),
    *("roma", "trimesh", "embreex"),
)


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("info", help="versions and places, for a bug report")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.core.assets import cache_folder
    from motionfield.priors.weight_file import shipped_weights
    from motionfield.stages import fingerprint

    print(f"motionfield {__version__}")
    print(f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    for name in PACKAGES:
        print(f"{name} {_version(name)}")
    for path in sorted(shipped_weights("any").parent.glob("*.safetensors")):
        size = path.stat().st_size / 1e6
        print(f"weights {path.stem} {fingerprint(path)} ({size:.1f} MB)")
    print(f"cache {cache_folder()}")
    return 0


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
