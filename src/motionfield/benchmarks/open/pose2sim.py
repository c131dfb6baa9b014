"""The pose2sim tier: the registry's methods on real videos of four calibrated cameras.

Demo_SinglePerson (development) and, beside it, Demo_MultiPerson, which shows the same performance
of the man half hidden, and a rendered woman. The truth is triangulated from all four views
(docs/benchmarks/pose2sim.md): 12 limb joints, so only figures of those.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from motionfield.benchmarks.open.dependencies import code_hash
from motionfield.benchmarks.open.jobs import Job, Plan, TakeInfo, digest, show
from motionfield.benchmarks.open.scoring import TakeScore
from motionfield.benchmarks.pose2sim import Demo, Landmarks, load_reference, track_views
from motionfield.benchmarks.pose2sim_cameras import CAMERA_NAMES
from motionfield.benchmarks.pose2sim_reference import Reference, match_person
from motionfield.benchmarks.pose2sim_score import score_motion
from motionfield.body.base import Body
from motionfield.core.assets import cache_folder, fetch_asset
from motionfield.core.history import make_key
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import Tracks
from motionfield.steps.fit.base import FitResult

TIER: Final = "pose2sim"
_DEMOS: Final[tuple[tuple[Demo, tuple[str, ...]], ...]] = (
    ("SinglePerson", ("man",)),
    ("MultiPerson", ("man", "avatar")),
)
_SPLITS: Final = {"SinglePerson": "development", "MultiPerson": "beside it"}


class ReferenceScorer(NamedTuple):
    """Scores the views of one person against the triangulated joints."""

    reference: Reference

    def score(self, index: int, result: FitResult, body: Body) -> dict[str, TakeScore]:
        row = score_motion("", *result, body, self.reference, index)
        used = row.pa_mpjpe.frames_used
        scores = {"pa_mpjpe_mm": TakeScore(row.pa_mpjpe.mean, "mm", used)}
        if row.s_mpjpe is not None:
            scores["s_mpjpe_mm"] = TakeScore(row.s_mpjpe.mean, "mm", row.s_mpjpe.frames_used)
        if row.g_mpjpe is not None:
            scores["g_mpjpe_mm"] = TakeScore(row.g_mpjpe.mean, "mm", row.g_mpjpe.frames_used)
        if row.acceleration is not None:
            frames = row.acceleration.frames_used
            scores["accel_m_s2"] = TakeScore(row.acceleration.mean, "m/s²", frames)
        angles = [value for value in row.angle_rmse_deg.values() if math.isfinite(value)]
        if angles:
            scores["flexion_rmse_deg"] = TakeScore(float(np.mean(angles)), "degrees", used)
        scores["up_axis_error_deg"] = TakeScore(row.up_axis_deg, "degrees", used)
        return scores


def pose2sim_jobs(
    plan: Plan,
    progress: Progress = silent,
    track: str | None = None,
    landmarks: Landmarks = "full",
) -> list[Job]:
    """A job per demo, person, lens and method: the four views of one person are one case.

    Args:
        track: one of the demos alone.

    Raises:
        MissingAssetError: the clips or the networks are not there and cannot be fetched.
    """
    jobs = []
    for demo, persons in _DEMOS:
        if track not in (None, demo):
            continue
        followed = _tracks(demo, landmarks, progress)
        for person in persons:
            reference = load_reference(person)
            keypoints = [
                tracks.person(match_person(tracks, reference, view))
                for view, tracks in enumerate(followed)
            ]
            jobs += _person_jobs(demo, person, reference, keypoints, plan)
    return jobs


def _person_jobs(
    demo: Demo, person: str, reference: Reference, views: list[Keypoints], plan: Plan
) -> list[Job]:
    takes = tuple(
        TakeInfo(
            f"{demo}/{person}/{camera}",
            camera,
            keypoints.num_frames,
            int(keypoints.observed.sum()),
        )
        for camera, keypoints in zip(CAMERA_NAMES, views, strict=True)
    )
    jobs = []
    for lens in plan.lenses:
        given = tuple(
            show(keypoints, _camera(reference, view, keypoints), lens, None)
            for view, keypoints in enumerate(views)
        )
        for method in plan.methods:
            job = Job(
                case=f"pose2sim_{demo}_{person}",
                tier=TIER,
                track=demo,
                split=_SPLITS[demo],
                action=person,
                takes=takes,
                given=given,
                scorer=ReferenceScorer(reference),
                method=method,
                lens=lens,
                identity=digest(given),
                seed=plan.seed,
                body=plan.body,
            )
            jobs.append(job)
    return jobs


def _tracks(demo: Demo, landmarks: Landmarks, progress: Progress) -> list[Tracks]:
    """The persons in each video, followed once."""
    clips = fetch_asset("pose2sim_clips", progress)
    key = make_key(demo, landmarks, code_hash(track_views))
    folder = cache_folder() / "open_benchmark"
    paths = [folder / f"pose2sim_{demo}_{camera}-{key}.npz" for camera in CAMERA_NAMES]
    if all(path.is_file() for path in paths):
        return [Tracks.load(path) for path in paths]
    followed = track_views(clips, demo, landmarks, progress=progress)
    folder.mkdir(parents=True, exist_ok=True)
    for path, tracks in zip(paths, followed, strict=True):
        tracks.save(path)
    return followed


def _camera(reference: Reference, view: int, keypoints: Keypoints) -> CameraPath:
    """The true lens; where the camera is does not matter to what is shown."""
    frames = keypoints.num_frames
    K = np.asarray(reference.K[view], np.float32)
    focal = float(K[0, 0])
    return CameraPath(
        K=K[None].repeat(frames, 0),
        distortion=np.asarray(reference.distortion[view], np.float32),
        R_camera_world=np.eye(3, dtype=np.float32)[None].repeat(frames, 0),
        t_camera_world=np.zeros((frames, 3), np.float32),
        image_width=keypoints.image_width,
        image_height=keypoints.image_height,
        moving=False,
        focal_source="given",
        focal_range_px=(focal, focal),
        gravity_source="assumed",
        gravity_doubt_deg=90.0,
        scale_source="given",
        scale_range=(1.0, 1.0),
    )
