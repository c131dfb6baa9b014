"""Shape annotations are checked while the tests run, and only then; one thread per process."""

import os

# Before torch is imported: threads that spin make tests in parallel crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("motionfield", "type_checker.check")

# A busy machine is no failure; the same examples every time.
settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """``models("demo_video", …)``: fetch the networks and these files, or skip with the reason."""
    marker = item.get_closest_marker("models")
    if marker is None:
        return
    from motionfield.core.assets import fetch_asset
    from motionfield.core.errors import MissingAssetError

    for name in ("pose_detector", "pose_landmarks_full", *marker.args):
        try:
            fetch_asset(name)
        except MissingAssetError as error:
            pytest.skip(str(error))
