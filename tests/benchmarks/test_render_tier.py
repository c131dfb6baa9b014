"""The rendered tier: errors in offset and spread, detection by overlap, the gates, the cache."""

from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from motionfield.benchmarks import rendered
from motionfield.benchmarks.render_tier import RenderTierReport, measure_render_tier
from motionfield.benchmarks.render_tier_error import (
    PARTS,
    PartError,
    by_part,
    person_size_px,
    take_error,
)
from motionfield.benchmarks.rendered import painted_by, rendered_keypoints, video_of
from motionfield.body.registry import load_body
from motionfield.core.assets import CACHE_VARIABLE
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import CameraPath, Keypoints, Motion
from worlds.avatars.stages import QUICK, bent_motion, small_camera

_FRAMES = 60


def _true(size: float = 300.0) -> ndarray:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1, (33, 2)) * (0.4 * size, size)
    places[0], places[1] = (0, 0), (0.4 * size, size)
    return np.repeat((places + 100)[None], _FRAMES, axis=0)


def _found(true: ndarray, error: ndarray | float) -> ndarray:
    keypoints = np.ones((*true.shape[:2], 3), np.float32)
    keypoints[..., :2] = true + error
    return keypoints


def test_size_is_the_larger_side() -> None:
    assert person_size_px(_true(300.0)) == pytest.approx(300)
    assert person_size_px(_true(300.0)[..., ::-1]) == pytest.approx(300)


def test_a_constant_error_is_all_offset() -> None:
    true = _true()
    error = take_error(_found(true, np.array((3.0, -6.0))), true)
    assert error.offset == pytest.approx(np.tile((1.0, -2.0), (33, 1)), abs=1e-4)
    for part in by_part([error]).values():
        assert part.offset == pytest.approx(np.hypot(1, 2), abs=1e-4)
        assert part.whole == pytest.approx(part.offset, abs=1e-4)
        assert part.varying == pytest.approx(0, abs=1e-4)
        assert part.spread == pytest.approx(0, abs=1e-4)


def test_spread_is_the_deviation_of_noise() -> None:
    true = np.repeat(_true(), 20, axis=0)
    noise = np.random.default_rng(1).normal(0, 6.0, true.shape)
    table = by_part([take_error(_found(true, noise), true)])
    assert set(table) == set(PARTS)
    for part in table.values():
        assert part.spread == pytest.approx(2.0, rel=0.1)
        # The median length of a Gaussian vector in the plane.
        assert part.varying == pytest.approx(2.0 * np.sqrt(2 * np.log(2)), rel=0.1)


def test_errors_are_shares_of_the_person() -> None:
    noise = np.random.default_rng(1).normal(0, 1.0, (_FRAMES, 33, 2))
    small, large = (take_error(_found(_true(s), noise * s), _true(s)) for s in (100.0, 400.0))
    assert np.abs(small.error - large.error).max() < 1e-3


def test_elsewhere_is_not_detected() -> None:
    true = _true()
    found = _found(true, 0.0)
    found[10:20, :, :2] += 400
    found[20:25] = np.nan
    error = take_error(found, true)
    assert (~error.detected).nonzero()[0].tolist() == list(range(10, 25))
    # What was found elsewhere does not count as an error of the keypoints.
    assert by_part([error])["knee"].whole == pytest.approx(0, abs=1e-4)


def _report(rate: float, rest: float) -> RenderTierReport:
    real = {part: PartError(1.0, 1.0, 1.0, 1.5) for part in PARTS}
    ours = {part: PartError(2.0, rest, rest, 2.0) for part in PARTS}
    return RenderTierReport({"a": rate}, {"a": 300.0}, {"a": rest}, ours, ours, real, rate, rate)


def test_gates() -> None:
    assert _report(0.96, 1.4).passes
    assert not _report(0.94, 1.4).passes
    assert not _report(0.96, 1.6).passes
    assert "does not count" in _report(0.94, 1.0).table()
    assert _report(1.0, 1.0).summary()["passes"] is True
    assert _report(1.0, 1.2).ratios["knee"] == pytest.approx((1.2, 2.0 / 1.5))


def test_needs_the_shards() -> None:
    with pytest.raises(OptionError, match="mocap shards with --data"):
        measure_render_tier(None)


# --- the cache ----------------------------------------------------------------------------------


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch) -> tuple[Motion, CameraPath]:
    """A take, and a tracker that finds the person where the first pixel's value says."""
    motion = bent_motion()

    class FakeTracker:
        def __init__(self, *_: object) -> None: ...

        def track(self, video: object, frames: object, progress: object) -> "FakeTracker":
            self.first = float(next(iter(frames)).mean())  # type: ignore[call-overload]
            return self

        def person(self, _: int) -> Keypoints:
            blank = np.full((3, 33, 3), self.first, np.float32)
            return Keypoints(
                keypoints_2d=blank,
                keypoint_names=BLAZEPOSE_33.keypoint_names,
                image_width=160,
                image_height=120,
                fps=30.0,
                time_s=motion.time_s,
                frame_index=motion.frame_index,
                observed=np.ones(3, bool),
            )

    monkeypatch.setattr(rendered, "Tracker", FakeTracker)
    monkeypatch.setattr(rendered, "fetch_asset", lambda name, _: Path(name))
    return motion, small_camera(motion)


def test_kept_in_the_cache(
    take: tuple[Motion, CameraPath], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    body = load_body()
    first = rendered_keypoints(*take, body, 1, QUICK)
    other = rendered_keypoints(*take, body, 2, QUICK)
    assert (first.keypoints_2d != other.keypoints_2d).all()
    files = sorted((tmp_path / "rendered").iterdir())
    assert len(files) == 2

    def refuse(*_: object) -> None:
        raise AssertionError("rendered again")

    with monkeypatch.context() as patch:
        patch.setattr(rendered, "render_take", refuse)
        again = rendered_keypoints(*take, body, 1, QUICK)
        with pytest.raises(AssertionError, match="rendered again"):
            rendered_keypoints(take[0].replace(fps=25.0), take[1], body, 1, QUICK)
    assert (again.keypoints_2d == first.keypoints_2d).all()
    for file in files:
        file.write_bytes(b"damaged")
    mended = rendered_keypoints(*take, body, 1, QUICK)
    assert (mended.keypoints_2d == first.keypoints_2d).all()


def test_hash_of_the_code_is_known_and_short() -> None:
    assert len(painted_by()) == 16


@pytest.mark.models
def test_an_empty_place_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "_kept", lambda _: None)
    monkeypatch.setattr(rendered, "_keep", lambda *_: None)
    motion = bent_motion()
    camera = small_camera(motion)
    turn = np.array([-1, 1, -1], np.float32)
    away = camera.replace(
        R_camera_world=camera.R_camera_world * turn[:, None],
        t_camera_world=camera.t_camera_world * turn,
    )
    found = rendered_keypoints(motion, away, load_body(), 1, QUICK)
    assert not found.observed.any()
    assert np.isnan(found.keypoints_2d).all()
    assert found.history[-1].name == "render"


def test_video_record_matches() -> None:
    motion = bent_motion()
    video = video_of(motion, small_camera(motion))
    assert video.image_size == (160, 120)
    assert video.num_frames == motion.num_frames
