"""The made detector held against the real one: what it predicts for the pose2sim videos.

Every point that the four views see is triangulated from the real detections. The made detector
looks at these points from the same four cameras; both kinds of detections then go the same way:
each camera against the triangulation of the other three, so what all views share is in neither.
The figures are fitted on rendered videos alone; these ones only judge (docs/worlds.md).
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from motionfield.benchmarks.detector_error_fit import fit_detector_error
from motionfield.benchmarks.detector_error_samples import find_exchanges, read_samples
from motionfield.benchmarks.multiview import Views, project_views, triangulate
from motionfield.benchmarks.pose2sim import Demo, load_reference, track_views
from motionfield.benchmarks.pose2sim_reference import match_person
from motionfield.core.assets import fetch_asset
from motionfield.core.keypoint_sets import BLAZEPOSE_33, LIMB_JOINTS
from motionfield.core.progress import Progress, silent
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import Tracks
from motionfield.geometry.alignment import align_points
from motionfield.worlds.detector_error import detect
from motionfield.worlds.detector_error_model import (
    PART_OF,
    PARTS,
    SHIPPED,
    DetectorErrorModel,
    shipped_model,
)
from motionfield.worlds.detector_view import View, view_person

_DRAWS: Final = 8
_CALM_FRAMES: Final = 2.0
_SPEEDS: Final = (0.0, 0.2, 0.5, 0.9, np.inf)
"""Bounds of the classes of speed, sizes per second."""
_HIDDEN: Final = (0.0, 0.2, 0.8, np.inf)
"""Bounds of the classes of occlusion."""
_LIMBS: Final = [BLAZEPOSE_33.index(name) for name in LIMB_JOINTS]
_PERSONS: Final[dict[Demo, str]] = {"SinglePerson": "man", "MultiPerson": "avatar"}


class Statistics(NamedTuple):
    """Errors of one kind of detections. 2D in per cent of the person's size."""

    bias: Float[ndarray, "parts"]
    """Mean length of the constant of a clip."""
    noise: Float[ndarray, "parts"]
    """Median length of what is not constant."""
    median: Float[ndarray, "parts"]
    p90: Float[ndarray, "parts"]
    lag: Float[ndarray, "parts"]
    """Correlation of the noise from frame to frame (1/60 s)."""
    by_speed: Float[ndarray, "speeds"]
    """Median length of the noise, limb joints, by class of speed."""
    by_occlusion: Float[ndarray, "classes"]
    """Likewise by how far the own body hides the point."""
    swapped: float
    """Share of frames with sides exchanged, in either half."""
    confidence: Float[ndarray, "parts"]
    """Share above 0.5."""
    coarse_mm: Float[ndarray, "parts"]
    """Mean error of the coarse 3D after a similarity fitted to the limb joints."""
    coarse_pa_mm: tuple[float, float]
    """PA-MPJPE of the limb joints over frames: median, mean."""


@dataclass(frozen=True)
class DetectorErrorReport:
    """Predicted against observed, by person."""

    rows: dict[str, tuple[Statistics, Statistics]]
    """Person → observed, predicted."""
    source: str

    def table(self) -> str:
        """The text that the command prints."""
        return "\n\n".join(
            (f"The made detector, fitted on {self.source}", *map(_table, self.rows.items()))
        )

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        return {
            "source": self.source,
            "persons": {
                person: {
                    kind: {key: np.asarray(value).tolist() for key, value in s._asdict().items()}
                    for kind, s in zip(("observed", "predicted"), pair, strict=True)
                }
                for person, pair in self.rows.items()
            },
            "parts": list(PARTS),
        }


def measure_detector_error(
    data: Path | None = None, progress: Progress = silent
) -> DetectorErrorReport:
    """Track both pose2sim demos and compare.

    Args:
        data: folder of the demos; None: fetched.

    Raises:
        MissingAssetError: the clips or the pose models are not there and cannot be fetched.
    """
    clips = data if data is not None else fetch_asset("pose2sim_clips", progress)
    tracks = {
        person: track_views(clips, demo, progress=progress) for demo, person in _PERSONS.items()
    }
    return compare_detectors(tracks, shipped_model())


def compare_detectors(
    tracks: Mapping[str, Sequence[Tracks]], model: DetectorErrorModel, draws: int = _DRAWS
) -> DetectorErrorReport:
    """Observed and predicted errors of each person, from the tracks of the four cameras."""
    rows = {}
    for person, views in tracks.items():
        reference = load_reference(person)
        seen = [t.person(match_person(t, reference, view)) for view, t in enumerate(views)]
        rows[person] = compare_views(seen, reference.views, model, draws)
    return DetectorErrorReport(rows, model.source)


class _Truth(NamedTuple):
    """What one camera looks at."""

    pixels: Float[ndarray, "frames 33 2"]
    points_camera: Float[ndarray, "frames 33 3"]
    view: View


class _Detections(NamedTuple):
    """Of one camera."""

    keypoints_2d: Float[ndarray, "frames 33 3"]
    coarse: Float[ndarray, "frames 33 3"]


def compare_views(
    seen: Sequence[Keypoints], views: Views, model: DetectorErrorModel, draws: int = _DRAWS
) -> tuple[Statistics, Statistics]:
    """Observed and predicted errors of one person who is seen by several synchronous cameras."""
    fps = seen[0].fps
    real = []
    for keypoints in seen:
        assert keypoints.coarse_camera is not None  # what track_views makes has it
        real.append(_Detections(keypoints.keypoints_2d, keypoints.coarse_camera))
    truth = _truth(real, views, fps)
    made = []
    for seed in range(draws):
        streams = np.random.default_rng(seed).spawn(len(truth))
        reports = [
            detect(t.pixels, t.points_camera, fps, stream, model=model)
            for t, stream in zip(truth, streams, strict=True)
        ]
        made.append([_Detections(r.keypoints_2d, r.coarse_camera) for r in reports])
    return _statistics([real], truth, views), _statistics(made, truth, views)


def _truth(real: Sequence[_Detections], views: Views, fps: float) -> list[_Truth]:
    """Triangulated from all views, calmed over 1/15 s; gaps bridged by straight lines."""
    pixels = torch.from_numpy(np.stack([d.keypoints_2d for d in real])).double().flatten(1, 2)
    weights = pixels[..., 2].nan_to_num()
    found = triangulate(pixels[..., :2], weights, views).points_world.view(-1, 33 * 3).numpy()
    frames = np.arange(len(found))
    whole = np.stack(
        [np.interp(frames, frames[(ok := np.isfinite(x))], x[ok]) for x in found.T], axis=-1
    )
    calm = gaussian_filter1d(whole, _CALM_FRAMES, axis=0, mode="nearest")
    points = torch.from_numpy(calm).view(-1, 3)
    places = project_views(points, views).view(len(real), -1, 33, 2).numpy()
    truth = []
    for view, there in enumerate(places):
        camera = points @ views.R_camera_world[view].mT + views.t_camera_world[view]
        points_camera = camera.view(-1, 33, 3).numpy()
        truth.append(_Truth(there, points_camera, view_person(there, points_camera, fps)))
    return truth


def _left_out(
    detections: Sequence[_Detections], views: Views
) -> Float[ndarray, "views frames 33 2"]:
    """Each view's keypoints less the triangulation of the others, pixels."""
    every = torch.from_numpy(np.stack([d.keypoints_2d for d in detections])).double().flatten(1, 2)
    weights = every[..., 2].nan_to_num()
    errors = []
    for view in range(len(detections)):
        others = [other for other in range(len(detections)) if other != view]
        found = triangulate(every[others, :, :2], weights[others], views.only(others))
        there = project_views(found.points_world, views.only([view]))[0]
        errors.append((every[view, :, :2] - there).view(-1, 33, 2).numpy())
    return np.stack(errors)


def _statistics(
    draws: Sequence[Sequence[_Detections]], truth: Sequence[_Truth], views: Views
) -> Statistics:
    size = np.stack([t.view.size_px for t in truth])[..., None, None]
    error = np.stack([_left_out(draw, views) for draw in draws]) / size * 100
    constant = np.nanmedian(error, axis=2, keepdims=True)
    length, noise = (np.linalg.norm(e, axis=-1) for e in (error, error - constant))
    speed, occlusion = (
        np.broadcast_to(np.stack(part)[None][..., _LIMBS], noise[..., _LIMBS].shape)
        for part in ([t.view.speed for t in truth], [t.view.occlusion for t in truth])
    )
    pairs = [pair for draw in draws for pair in zip(draw, truth, strict=True)]
    swapped = [
        find_exchanges(d.keypoints_2d[..., :2], t.pixels, t.view.size_px).any(-1).mean()
        for d, t in pairs
    ]
    sure = np.stack([d.keypoints_2d[..., 2] > 0.5 for draw in draws for d in draw])
    coarse = np.stack(
        [_aligned_mm(d, t) for draw in draws for d, t in zip(draw, truth, strict=True)]
    )
    pa = coarse[..., _LIMBS].mean(-1)  # all of a frame's joints are aligned, or none
    return Statistics(
        bias=_by_part(np.linalg.norm(constant[..., 0, :, :], axis=-1), np.nanmean),
        noise=_by_part(noise, np.nanmedian),
        median=_by_part(length, np.nanmedian),
        p90=_by_part(length, lambda values: np.nanquantile(values, 0.9)),
        lag=_lag(error - constant),
        by_speed=_by_class(noise[..., _LIMBS], speed, _SPEEDS),
        by_occlusion=_by_class(noise[..., _LIMBS], occlusion, _HIDDEN),
        swapped=float(np.mean(swapped)),
        confidence=_by_part(sure, np.mean),
        coarse_mm=_by_part(coarse, np.nanmean),
        coarse_pa_mm=(float(np.nanmedian(pa)), float(np.nanmean(pa))),
    )


def _aligned_mm(detections: _Detections, truth: _Truth) -> Float[ndarray, "frames 33"]:
    coarse, true = (
        torch.from_numpy(np.asarray(points, np.float64))
        for points in (detections.coarse, truth.points_camera)
    )
    good = torch.isfinite(coarse).all(-1).all(-1)
    fit = align_points(coarse[good][:, _LIMBS], true[good][:, _LIMBS], with_scale=True)
    error = np.full(coarse.shape[:2], np.nan)
    error[good.numpy()] = (fit.apply(coarse[good]) - true[good]).norm(dim=-1).numpy() * 1000
    return error


def _by_part(values: ndarray, reduce: Any) -> Float[ndarray, "parts"]:
    """The last axis holds the 33 points."""
    return np.array([reduce(values[..., part == PART_OF]) for part in range(len(PARTS))])


def _by_class(values: ndarray, by: ndarray, bounds: Sequence[float]) -> Float[ndarray, "classes"]:
    classes = [(by >= low) & (by < high) for low, high in pairwise(bounds)]
    return np.array([np.nanmedian(values[c]) if c.any() else np.nan for c in classes])


def _lag(noise: Float[ndarray, "draws views frames 33 2"]) -> Float[ndarray, "parts"]:
    """Correlation from one frame to the next, gross errors cut at three robust deviations."""
    spread = 1.4826 * np.nanmedian(np.abs(noise), axis=2, keepdims=True)
    cut = np.clip(noise, -3 * spread, 3 * spread)
    product = np.moveaxis(cut[:, :, 1:] * cut[:, :, :-1], 3, -1)
    square = np.moveaxis(cut[:, :, 1:] ** 2 + cut[:, :, :-1] ** 2, 3, -1) / 2
    return _by_part(product, np.nanmean) / _by_part(square, np.nanmean)


def _table(item: tuple[str, tuple[Statistics, Statistics]]) -> str:
    person, (real, made) = item
    head = "observed / predicted"
    lines = [
        f"{person}: 2D in % of the person's size, coarse 3D in mm; {head}",
        f"{'':11}{'bias':>12}{'noise':>12}{'median':>12}{'p90':>14}{'lag 1/60 s':>13}"
        f"{'conf > .5':>13}{'coarse':>12}",
    ]
    for part, name in enumerate(PARTS):
        cells = [
            f"{getattr(real, key)[part]:.{digits}f}/{getattr(made, key)[part]:.{digits}f}"
            for key, digits in _COLUMNS
        ]
        widths = (12, 12, 12, 14, 13, 13, 12)
        lines.append(
            f"{name:11}" + "".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
        )
    for title, key, bounds in (
        ("noise by speed (sizes/s)", "by_speed", _SPEEDS),
        ("noise by occlusion", "by_occlusion", _HIDDEN),
    ):
        classes = [
            f"{low:g}-{high:g}: {a:.2f}/{b:.2f}"
            for (low, high), a, b in zip(
                pairwise(bounds), getattr(real, key), getattr(made, key), strict=True
            )
        ]
        lines.append(f"{title}: " + ", ".join(classes))
    lines.append(
        f"sides exchanged {100 * real.swapped:.1f} % / {100 * made.swapped:.1f} %; coarse 3D "
        f"PA-MPJPE median {real.coarse_pa_mm[0]:.0f}/{made.coarse_pa_mm[0]:.0f}, mean "
        f"{real.coarse_pa_mm[1]:.0f}/{made.coarse_pa_mm[1]:.0f} mm"
    )
    return "\n".join(lines)


_WIDTHS: Final = (12, 12, 12, 14, 13, 13, 12)
_COLUMNS: Final = (
    ("bias", 2),
    ("noise", 2),
    ("median", 2),
    ("p90", 1),
    ("lag", 2),
    ("confidence", 2),
    ("coarse_mm", 0),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m motionfield.benchmarks.detector_error``: the plot, and fitting anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the demos instead of fetching them")
    parser.add_argument("--plot", type=Path, help="PNG of predicted against observed")
    parser.add_argument("--fit", type=Path, metavar="FOLDER", help="detections with truth")
    parser.add_argument("--source", default="rendered videos of the val split")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    options = parser.parse_args(arguments)
    if options.fit is not None:
        samples = read_samples(options.fit)
        source = f"{options.source}: {len(samples)} clips"
        fit_detector_error(samples, source).save(options.output)
        print(f"{options.output}: {source}")
        return 0
    report = measure_detector_error(options.data)
    print(report.table())
    if options.plot is not None:
        from motionfield.benchmarks.detector_error_plot import draw_report

        draw_report(report, options.plot)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
