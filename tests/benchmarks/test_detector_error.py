"""The fit finds the figures that detections were made with; the comparison sees equals as equal."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from motionfield.benchmarks.detector_error import DetectorErrorReport, compare_views
from motionfield.benchmarks.detector_error_fit import fit_detector_error
from motionfield.benchmarks.detector_error_plot import draw_report
from motionfield.benchmarks.detector_error_samples import (
    Sample,
    find_exchanges,
    measure,
    read_samples,
)
from motionfield.benchmarks.multiview import Views
from motionfield.core.errors import InputError, OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data import Keypoints
from motionfield.worlds.detector_error import Seen, detect
from motionfield.worlds.detector_error_model import (
    BASIS,
    PART_OF,
    PARTS,
    DetectorErrorModel,
    Episodes,
)
from worlds.made_detector import at, made_errors, made_model, person


def _turning(frames: int, fps: float, start: float) -> tuple[np.ndarray, np.ndarray]:
    """One who turns round slowly, waving and stepping, so that limbs move and are hidden."""
    points = person(frames)[1]
    time_s = np.arange(frames) / fps
    middle = np.array([0.0, 0.0, 5.0])
    angle = start + 1.5 * time_s
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack((cos, 0 * cos, sin, 0 * cos, 0 * cos + 1, 0 * cos, -sin, 0 * cos, cos), -1)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = 0.25 * np.sin(5 * time_s + start)[:, None] * np.array([0.0, -0.3, sign])
        arm = [at(f"{side}_{part}") for part in ("elbow", "wrist", "pinky", "index", "thumb")]
        leg = [at(f"{side}_{part}") for part in ("knee", "ankle", "heel", "foot_index")]
        points[:, arm] += swing[:, None] * np.array([1, 2, 2.2, 2.2, 2.1])[:, None]
        points[:, leg] -= swing[:, None] * np.array([1, 2, 2, 2])[:, None]
    points = np.einsum("tij,tkj->tki", turn.reshape(-1, 3, 3), points - middle) + middle
    return 960 + 1500 * points[..., :2] / points[..., 2:], points


def _keypoints(seen: Seen, fps: float) -> Keypoints:
    frames = len(seen.lost)
    found = seen.keypoints_2d.copy()
    found[seen.lost] = np.nan
    return Keypoints(
        keypoints_2d=found,
        keypoint_names=BLAZEPOSE_33.keypoint_names,
        image_width=1920,
        image_height=1920,
        fps=fps,
        time_s=np.arange(frames) / fps,
        frame_index=np.arange(frames),
        coarse_camera=seen.coarse_camera,
        observed=~seen.lost,
    )


def _samples(model: DetectorErrorModel, clips: int = 14, seconds: float = 5.0) -> list[Sample]:
    samples, rng = [], np.random.default_rng(99)
    for seed in range(clips):
        fps = 50.0 if seed % 2 else 30.0
        pixels, points = _turning(round(seconds * fps), fps, 0.9 * seed)
        points = points * rng.uniform(0.8, 1.2)  # other people, the same picture
        seen = detect(pixels, points, fps, np.random.default_rng(seed), model=model)
        samples.append(Sample(_keypoints(seen, fps), pixels, points))
    return samples


_COUNT = len(PARTS)
_BUT_HIPS = (np.array(PARTS) != "hip")[:, None]
"""Coarse 3D is told from the middle of the hips, so their own error would be in all points."""
_TRUE = made_model(
    image=made_errors(
        sd=np.stack((np.linspace(0.6, 1.4, _COUNT), np.zeros(_COUNT)), -1),
        bias_sd=np.tile([0.8, 0.0], (_COUNT, 1)),
        by_speed=np.full(_COUNT, 0.8),
        by_occlusion=np.full(_COUNT, 1.5),
        volatility=np.full(_COUNT, 0.5),
        white=np.full(_COUNT, 0.2),
        slow_s=np.full(_COUNT, 0.12),
    ),
    coarse=made_errors(sd=_BUT_HIPS * [0.015, 0.04], bias_sd=_BUT_HIPS * [0.02, 0.05]),
    confidence=np.tile([3.0, -2.0, -0.7, 0.5], (_COUNT, 1)),
    lost=Episodes(0.05, 0.1, 0.5),
    swaps=Episodes(0.04, 0.1, 0.5),
    coarse_depth=(0.8, 0.05),
    coarse_size=(1.05, -1.0, 0.03),
)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return _samples(_TRUE)


@pytest.fixture(scope="module")
def fitted(samples: list[Sample]) -> DetectorErrorModel:
    return fit_detector_error(samples, "tests")


def test_sizes_and_growth_of_the_noise_are_found(fitted: DetectorErrorModel) -> None:
    limbs = [PARTS.index(part) for part in ("elbow", "wrist", "knee", "ankle")]
    ratio = fitted.image.sd[:, 0] / _TRUE.image.sd[:, 0]
    assert np.abs(np.log(ratio)).mean() < 0.15
    np.testing.assert_allclose(fitted.image.by_occlusion[limbs].mean(), 1.5, rtol=0.35)
    np.testing.assert_allclose(fitted.image.by_speed[limbs].mean(), 0.8, rtol=0.5)
    np.testing.assert_allclose(fitted.image.volatility.mean(), 0.5, atol=0.1)
    np.testing.assert_allclose(np.median(fitted.coarse.sd, 0), [0.015, 0.04], rtol=0.25)


def test_constants_and_memory_are_found(fitted: DetectorErrorModel) -> None:
    np.testing.assert_allclose(fitted.image.bias_sd[:, 0].mean(), 0.8, rtol=0.25)
    np.testing.assert_allclose(np.median(fitted.coarse.bias_sd, 0), [0.02, 0.05], rtol=0.4)
    np.testing.assert_allclose(np.median(fitted.image.slow_s), 0.12, rtol=0.35)
    np.testing.assert_allclose(fitted.image.white.mean(), 0.2, atol=0.1)
    assert (np.abs(fitted.image.correlation - np.eye(33)) < 0.3).all()


def test_what_the_coarse_3d_does_to_depth_and_size_is_found(fitted: DetectorErrorModel) -> None:
    assert fitted.coarse_depth[0] == pytest.approx(0.8, abs=0.08)
    assert fitted.coarse_size[1] == pytest.approx(-1.0, abs=0.2)


def test_episodes_and_confidence_are_found(fitted: DetectorErrorModel) -> None:
    assert fitted.lost.share == pytest.approx(0.05, abs=0.03)
    assert fitted.swaps.share == pytest.approx(0.04, abs=0.025)
    assert fitted.lost.median_s == pytest.approx(0.1, rel=0.5)
    sure, hidden, wrong, sd = fitted.confidence.mean(0)
    assert sure == pytest.approx(3.0, abs=0.3)
    assert hidden < -0.7
    assert wrong == pytest.approx(-0.7, abs=0.25)
    assert sd == pytest.approx(0.5, abs=0.25)


def test_offsets_are_found_and_are_no_constants() -> None:
    offset = np.zeros((_COUNT, len(BASIS)))
    offset[PARTS.index("hip"), BASIS.index("outward")] = -1.5
    offset[PARTS.index("index"), BASIS.index("bone in")] = 2.0
    model = made_model(image=made_errors(offset=offset))
    samples = _samples(model, clips=8, seconds=3.0)
    found = fit_detector_error(samples, "tests").image
    for sample in samples:
        basis = measure(sample).view.basis[..., :2]
        wrong = np.einsum("kb,tkbi->tki", (found.offset - offset)[PART_OF], basis)
        assert np.abs(wrong).mean((0, 1)).max() < 0.15
        assert np.abs(wrong).max() < 0.8
    assert found.bias_sd[:, 0].max() < 0.5


def test_exchanged_sides_are_seen_and_put_right(samples: list[Sample]) -> None:
    pixels = person(10)[0]
    seen = pixels[:, list(BLAZEPOSE_33.mirror)].copy()
    seen[5:] = pixels[5:]
    seen[7, : at("left_hip")] = pixels[7][list(BLAZEPOSE_33.mirror)][: at("left_hip")]
    size = np.full(10, 480.0)
    swapped = find_exchanges(seen, pixels, size)
    assert swapped[:5].all()
    np.testing.assert_array_equal(swapped[5:].nonzero(), ([2], [0]))
    measured = measure(samples[0])
    assert np.nanmedian(np.linalg.norm(measured.error[measured.swapped.any(-1)], axis=-1)) < 4


def test_a_person_not_followed_is_no_sample(samples: list[Sample]) -> None:
    other = samples[0]._replace(pixels=samples[0].pixels + 700)
    assert not measure(other).observed.any()
    with pytest.raises(OptionError, match="followed"):
        fit_detector_error([other], "tests")
    bare = dataclasses.replace(samples[0].predicted, coarse_camera=None)
    with pytest.raises(OptionError, match="coarse"):
        measure(samples[0]._replace(predicted=bare))


def test_a_folder_without_detections_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no detections"):
        read_samples(tmp_path)


def test_made_detections_compare_as_equal_and_the_plot_is_drawn(tmp_path: Path) -> None:
    """Detections that the model itself made: predicted and observed agree."""
    views = _views()
    points = _turning(90, 60.0, 0.0)[1]
    world = torch.from_numpy(points - np.array([0.0, 0.0, 5.0])).double().reshape(-1, 3)
    keypoints = []
    for view in range(4):
        camera = world @ views.R_camera_world[view].mT + views.t_camera_world[view]
        there = camera.reshape(-1, 33, 3).numpy()
        seen_at = 960 + 1500 * there[..., :2] / there[..., 2:]
        seen = detect(seen_at, there, 60.0, np.random.default_rng(view), model=_QUIET)
        keypoints.append(_keypoints(seen, 60.0))
    real, made = compare_views(keypoints, views, _QUIET, draws=2)
    body = [PARTS.index(part) for part in ("shoulder", "elbow", "hip", "knee", "ankle")]
    np.testing.assert_allclose(made.noise[body].mean(), real.noise[body].mean(), rtol=0.15)
    np.testing.assert_allclose(made.lag[body].mean(), real.lag[body].mean(), atol=0.1)
    assert made.coarse_pa_mm[0] == pytest.approx(real.coarse_pa_mm[0], rel=0.3)
    report = DetectorErrorReport({"somebody": (real, made)}, "tests")
    assert "ankle" in report.table()
    assert report.summary()["persons"]["somebody"]["observed"]["noise"]
    draw_report(report, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


_QUIET = made_model(image=made_errors(white=np.full(_COUNT, 0.1)))


def _views() -> Views:
    """Four cameras 5 m round the origin."""
    rotations = []
    for angle in (0.0, 1.2, 2.5, 4.0):
        cos, sin = np.cos(angle), np.sin(angle)
        rotations.append(((cos, 0.0, sin), (0.0, 1.0, 0.0), (-sin, 0.0, cos)))
    K = torch.tensor([[1500.0, 0, 960], [0, 1500, 960], [0, 0, 1]]).double()
    R = torch.tensor(rotations).double()
    t = torch.tensor([[0.0, 0.0, 5.0]]).double().repeat(4, 1)
    return Views(K.repeat(4, 1, 1), torch.zeros(4, 5).double(), R, t)
