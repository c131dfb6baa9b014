"""From the specification to takes: truth, camera, keypoints; and whether they are still the same.

A take is rebuilt from the clips each time. Its fingerprint (a few true and detected points, written
when the version was made) tells when retargeting, worlds or the detector's error have changed
since: then figures would no longer compare, and the version has to be made anew.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.benchmarks.open.case import BenchTake, Case, Tier
from motionfield.benchmarks.open.clips import ClipSource
from motionfield.benchmarks.open.points import detector_of
from motionfield.benchmarks.open.spec import CameraSpec, CaseSpec, Spec, TakeSpec
from motionfield.benchmarks.rendered import rendered_keypoints
from motionfield.body.base import Body
from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.worlds.chain import chain
from motionfield.worlds.shapes import reshape
from motionfield.worlds.take import detect_take, keypoints_world

_PROBES: Final = tuple(BLAZEPOSE_33.index(n) for n in ("nose", "left_wrist", "right_ankle"))
_TOLERANCES: Final = {
    "true points": 0.002,
    "mean true point": 0.001,
    "detected points": 0.5,
    "mean detected point": 0.25,
    "coarse 3D": 0.002,
    "frames found": 2.0,
    "mean found point": 2.0,
}
"""Metres and pixels: above what machines differ in, far below what matters."""


def build_case(case: CaseSpec, spec: Spec, source: ClipSource, body: Body) -> Case:
    """The takes of a case, checked against their fingerprints.

    Raises:
        InputError: a take is not the one that the version was made with.
    """
    takes = []
    for take in case.takes:
        built = build_take(take, case.tier, spec, source, body)
        check_fingerprint(take.name, fingerprint(built, case.tier, body), spec)
        takes.append(built)
    return Case(
        name=case.name,
        tier=case.tier,
        track=case.track,
        split=case.split,
        action=case.action,
        takes=tuple(takes),
        synchronized=case.synchronized,
    )


def build_take(take: TakeSpec, tier: Tier, spec: Spec, source: ClipSource, body: Body) -> BenchTake:
    """One take, unchecked."""
    truth = build_truth(take, source, body)
    camera = build_camera(take.camera, truth.num_frames, spec.paths, take.name)
    tracked = None
    if camera.moving:
        tracked = camera.replace(
            R_camera_world=spec.paths[f"{take.name}/tracked_R"],
            t_camera_world=spec.paths[f"{take.name}/tracked_t"],
            gravity_source="assumed",
            gravity_doubt_deg=90.0,
            scale_source="assumed",
            scale_range=(0.2, 5.0),
        )
    if tier == "render":
        keypoints = rendered_keypoints(truth, camera, body, take.seed)
    else:
        rng = np.random.default_rng(take.seed)
        keypoints = detect_take(truth, body, camera, rng, detector_of(spec.detector))
    return BenchTake(take.name, truth, camera, keypoints, tracked)


def build_truth(take: TakeSpec, source: ClipSource, body: Body) -> Motion:
    """The motion of a take: its pieces chained, on its shape."""
    parts = [source.motion(piece) for piece in take.pieces]
    motion = parts[0] if len(parts) == 1 else chain(parts, body)
    if take.betas is None:
        return motion
    return reshape(motion, np.array(take.betas, np.float32), body)


def build_camera(
    camera: CameraSpec, frames: int, paths: dict[str, ndarray], take: str
) -> CameraPath:
    """The true camera of every frame."""
    moving = camera.kind != "static"
    if moving:
        R, t = paths[f"{take}/R"], paths[f"{take}/t"]
    else:
        R = np.array(camera.R_camera_world, np.float32)[None].repeat(frames, 0)
        t = np.array(camera.t_camera_world, np.float32)[None].repeat(frames, 0)
    K = np.array([[camera.focal_px, 0, camera.width / 2], [0, camera.focal_px, camera.height / 2]])
    K = np.vstack((K, [0, 0, 1])).astype(np.float32)
    return CameraPath(
        K=K[None].repeat(frames, 0),
        distortion=np.zeros(5, np.float32),
        R_camera_world=R,
        t_camera_world=t,
        image_width=camera.width,
        image_height=camera.height,
        moving=moving,
        focal_source="given",
        focal_range_px=(camera.focal_px, camera.focal_px),
        gravity_source="given",
        gravity_doubt_deg=0.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )


def fingerprint(take: BenchTake, tier: Tier, body: Body) -> dict[str, Any]:
    """A few numbers that change with the take: true metres, detected pixels, coarse metres.

    What the real detector reports differs a little from machine to machine, so of rendered takes
    only means count.
    """
    points = keypoints_world(take.truth, body)
    frames = [0, len(points) // 2, len(points) - 1]
    found: dict[str, Any] = {
        "frames": len(points),
        "true points": _rounded(points[frames][:, _PROBES], 4),
        "mean true point": _rounded(points.mean((0, 1)), 4),
    }
    keypoints = take.keypoints
    seen, frames_seen = keypoints.keypoints_2d, int(keypoints.observed.sum())
    middle = _rounded(np.nanmean(seen[..., :2], (0, 1)), 2)
    if tier == "render":
        return found | {"frames found": [frames_seen], "mean found point": middle}
    found |= {
        "frames seen": frames_seen,
        "detected points": _rounded(seen[frames][:, _PROBES, :2], 2),
        "mean detected point": middle,
    }
    if keypoints.coarse_camera is not None:
        found["coarse 3D"] = _rounded(np.nanmean(np.abs(keypoints.coarse_camera), (0, 1)), 4)
    return found


def check_fingerprint(name: str, found: dict[str, Any], spec: Spec) -> None:
    """Compare a take with the one of the version.

    Raises:
        InputError: they differ; the message has the take and what differs by how much.
    """
    faults = differences(found, spec.fingerprints[name])
    if faults:
        raise InputError(
            f"open benchmark {spec.version}, take {name}",
            f"is no longer the take of this version ({'; '.join(faults)}): retargeting, worlds or "
            "the detector's error have changed",
            "make a new version with --freeze, and run all methods on it",
        )


def differences(found: dict[str, Any], frozen: dict[str, Any]) -> list[str]:
    """What differs between two fingerprints, with its size."""
    faults = []
    for key in frozen:
        if key not in found:
            faults.append(f"{key} missing")
        elif key not in _TOLERANCES:
            if found[key] != frozen[key]:
                faults.append(f"{key} {found[key]}, were {frozen[key]}")
        else:
            off = _largest(found[key], frozen[key])
            if not off <= _TOLERANCES[key]:
                faults.append(f"{key} off by {off:.3g}")
    return faults


def _largest(found: Sequence[Any], frozen: Sequence[Any]) -> float:
    """Largest difference; infinite where one is missing (None) and the other is not."""
    a, b = (np.array(values, dtype=float) for values in (found, frozen))
    if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.abs(a - b)[~np.isnan(a)].max(initial=0.0))


def _rounded(values: Float[ndarray, "*shape"], digits: int) -> Any:
    """Nested lists; None where there is none."""
    return _nones(np.round(values.astype(float), digits).tolist())


def _nones(value: Any) -> Any:
    if isinstance(value, list):
        return [_nones(item) for item in value]
    return None if value != value else value


def used_files(cases: Sequence[CaseSpec]) -> set[str]:
    """Names of the files of clips that these cases need."""
    return {piece.file for case in cases for take in case.takes for piece in take.pieces}
