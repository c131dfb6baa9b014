"""The numbers that the report prints of one take: sizes, speeds, quality, how things are known."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES
from motionfield.data import CameraPath, Motion, Quality, Take

SMOOTH_PATH_S: Final = 0.3
"""Window of the mean over time that is taken before a path is measured."""
_FAST_JOINTS: Final = (
    *("left_wrist", "right_wrist", "left_elbow", "right_elbow", "left_shoulder", "right_shoulder"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot"),
    *("pelvis", "head"),
)


class Figure(NamedTuple):
    """One printed figure."""

    label: str
    value: str
    note: str = ""


class Rating(NamedTuple):
    """One line of the quality table; ``grade`` is good, fair, poor or plain."""

    label: str
    typical: str
    worst: str
    grade: str
    meaning: str


class Known(NamedTuple):
    """How one part of the camera is known."""

    label: str
    value: str
    source: str
    doubt: str


class Peak(NamedTuple):
    """The greatest speed of one joint."""

    joint: str
    speed_m_s: float
    time_s: float


def stature(motion: Motion, body: Body) -> float:
    """Height of the standing body from sole to crown in metres."""
    scale = None if motion.bone_scale is None else tensor_of(motion.bone_scale)
    height = body.skin(tensor_of(motion.betas), bone_scale=scale).rest_vertices[:, 1]
    return float(height.max() - height.min())


def speeds(
    points_world: Float[ndarray, "frames points 3"], time_s: Float[ndarray, "frames"]
) -> Float[ndarray, "frames points"]:
    """Speed by central differences in capture time, metres per second (0 for one frame)."""
    if len(time_s) < 2:
        return np.zeros(points_world.shape[:2])
    velocity = np.gradient(points_world.astype(float), time_s.astype(float), axis=0)
    return np.linalg.norm(velocity, axis=-1)


def path_length(
    points_world: Float[ndarray, "frames 3"], time_s: Float[ndarray, "frames"]
) -> float:
    """Horizontal way in metres of a point whose place is averaged over ``SMOOTH_PATH_S``."""
    if len(time_s) < 2:
        return 0.0
    step = float(np.median(np.diff(time_s)))
    half = max(0, round(SMOOTH_PATH_S / step / 2))
    half = min(half, (len(time_s) - 1) // 2)
    padded = np.pad(points_world[:, :2].astype(float), ((half, half), (0, 0)), mode="edge")
    window = np.ones(2 * half + 1) / (2 * half + 1)
    smooth = np.stack([np.convolve(padded[:, k], window, "valid") for k in range(2)], axis=-1)
    return float(np.linalg.norm(np.diff(smooth, axis=0), axis=-1).sum())


def peak_speeds(
    joints_world: Float[ndarray, "frames 24 3"],
    time_s: Float[ndarray, "frames"],
    observed: Bool[ndarray, "frames"],
) -> list[Peak]:
    """The greatest speed of the fast joints over the observed frames, the fastest first."""
    if not observed.any():
        return []
    speed = np.where(observed[:, None], speeds(joints_world, time_s), -1.0)
    peaks = []
    for name in _FAST_JOINTS:
        of_joint = speed[:, JOINT_INDEX[name]]
        at = int(of_joint.argmax())
        peaks.append(Peak(name.replace("_", " "), float(of_joint[at]), float(time_s[at])))
    return sorted(peaks, key=lambda peak: -peak.speed_m_s)


def key_figures(
    take: Take, body: Body, joints_world: Float[ndarray, "frames 24 3"]
) -> list[Figure]:
    """The figures shown first."""
    motion = take.motion
    duration = float(motion.time_s[-1] - motion.time_s[0])
    root = joints_world[:, JOINT_INDEX["pelvis"]]
    length = path_length(root, motion.time_s)
    missing = int((~motion.observed).sum())
    peaks = peak_speeds(joints_world, motion.time_s, motion.observed)
    figures = [
        Figure("Duration", f"{duration:.2f} s", f"{motion.num_frames} frames, {motion.fps:.4g}/s"),
        Figure("Stature", f"{stature(motion, body):.2f} m", f"scale {take.camera.scale_source}"),
        Figure("Path length", f"{length:.2f} m", "of the pelvis over the ground"),
        Figure("Mean speed", f"{length / duration if duration else 0:.2f} m/s", "of the pelvis"),
    ]
    if peaks:
        fastest = peaks[0]
        note = f"{fastest.joint}, at {fastest.time_s:.2f} s"
        figures.append(Figure("Peak joint speed", f"{fastest.speed_m_s:.1f} m/s", note))
    if motion.joints_std is not None:
        doubt = 1000 * float(np.median(np.linalg.norm(motion.joints_std, axis=-1)))
        figures.append(Figure("Joint uncertainty", f"± {doubt:.0f} mm", "median, mostly in depth"))
    share = f"{missing / motion.num_frames:.0%} carried over"
    figures.append(Figure("Not observed", f"{missing} frames", share))
    return figures


def ratings(quality: Quality) -> list[Rating]:
    """The quality table. Limits of the grades are in docs/steps/view.md."""
    error, share = quality.reprojection_px, 100 * quality.reprojection_box
    slide_mm = 1000 * quality.foot_slide_m[np.isfinite(quality.foot_slide_m)]
    depth_mm = 1000 * quality.penetration_m[np.isfinite(quality.penetration_m)]
    jitter = quality.jitter_m_s3[np.isfinite(quality.jitter_m_s3)]
    missing = 100 * float((~quality.observed).mean())
    contact = 100 * float(quality.contact_seen.any(-1).mean())
    return [
        Rating(
            "Reprojection error",
            f"{_median(error)} px ({_median(share)} % of the box)",
            f"{_upper(error)} px ({_upper(share)} %)",
            _grade(_number(np.nanmedian, share), 2.0, 4.0),
            "distance of the body's points and the detected keypoints in the picture",
        ),
        Rating(
            "Foot slide in contact",
            f"{_median(slide_mm)} mm per 1/30 s",
            f"{_upper(slide_mm)} mm",
            _grade(_number(np.nanmedian, slide_mm), 5.0, 12.0),
            f"a resting foot should not move; a foot rests in {contact:.0f} % of the frames",
        ),
        Rating(
            "Floor penetration",
            f"{_median(depth_mm)} mm",
            f"{_upper(depth_mm)} mm",
            _grade(_number(lambda v: np.percentile(v, 95), depth_mm), 20.0, 50.0),
            "depth of the lowest point of the body below the ground",
        ),
        Rating(
            "Jitter",
            f"{_median(jitter, 0)} m/s³",
            f"{_upper(jitter, 0)} m/s³",
            "plain",
            "third derivative of the joints; fast hits raise it too",
        ),
        Rating(
            "Frames not observed",
            f"{missing:.1f} %",
            f"{int((~quality.observed).sum())} of {len(quality.observed)}",
            _grade(missing, 2.0, 10.0),
            "nothing was detected: the motion is carried over",
        ),
    ]


def how_known(camera: CameraPath) -> list[Known]:
    """Where focal length, up axis and scale come from, with plausible ranges."""
    focal = float(np.median(camera.K[:, 0, 0]))
    low, high = camera.focal_range_px
    angle = 2 * np.degrees(np.arctan(camera.image_width / 2 / focal))
    focal_doubt = "" if low == high else f"{low:.0f} to {high:.0f} px"
    small, large = camera.scale_range
    same = small == large
    scale_doubt = "" if same else f"true lengths are {small:.2f} to {large:.2f} of those shown"
    lens = "with lens distortion" if np.any(camera.distortion) else "no lens distortion"
    place = "moving" if camera.moving else "standing still"
    up = f"within about {camera.gravity_doubt_deg:.1f}°" if camera.gravity_doubt_deg else ""
    return [
        Known(
            "Focal length", f"{focal:.0f} px ({angle:.0f}° wide)", camera.focal_source, focal_doubt
        ),
        Known("Up axis", "vertical of the world", camera.gravity_source, up),
        Known("Scale", "metres", camera.scale_source, scale_doubt),
        Known("Camera", f"{place}, {lens}", "", ""),
    ]


def joint_labels() -> list[str]:
    """Readable names of the 24 joints."""
    return [name.replace("_", " ") for name in JOINT_NAMES]


def _number(reduce, values: ndarray) -> float:  # type: ignore[no-untyped-def]
    finite = values[np.isfinite(values)]
    return float(reduce(finite)) if len(finite) else float("nan")


def _median(values: ndarray, digits: int = 1) -> str:
    return _shown(_number(np.median, values), digits)


def _upper(values: ndarray, digits: int = 1) -> str:
    return _shown(_number(lambda v: np.percentile(v, 95), values), digits)


def _shown(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "–"


def _grade(value: float, good: float, fair: float) -> str:
    if not np.isfinite(value):
        return "plain"
    return "good" if value <= good else "fair" if value <= fair else "poor"
