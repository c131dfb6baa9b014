"""How far a result can be trusted: held against what was seen, with no truth at hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body, Posed
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.history import step
from motionfield.core.keypoint_sets import KeypointSet, known_keypoint_set
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.data.quality import Quality
from motionfield.steps.evaluate.contact import (
    ContactConfig,
    FootPoints,
    body_height_px,
    seen_contact,
)
from motionfield.steps.evaluate.feet import slide_way
from motionfield.steps.evaluate.image import project_path, reprojection_error
from motionfield.steps.evaluate.smoothness import jitter


@dataclass(frozen=True)
class QualityConfig:
    """Above which values a span is doubtful."""

    contact: ContactConfig = field(default_factory=ContactConfig)
    reprojection_box: float = 0.04
    """Share of the box height; detector error alone is about 0.015."""
    confidence: float = 0.5
    """Mean confidence of the keypoints."""
    jitter_times: float = 6.0
    """Times the median jitter of the whole motion …"""
    jitter_m_s3: float = 500.0
    """… and above this."""
    slide_m: float = 0.02
    """Per 1/30 s, of a foot that the picture shows at rest."""
    penetration_m: float = 0.05
    border_share: float = 0.01
    """Of the picture's side: a box that comes nearer to an edge may be cut off."""
    join_s: float = 0.2
    """Spans of one reason that lie nearer are one."""


def assess(
    motion: Motion,
    camera: CameraPath,
    keypoints: Keypoints,
    body: Body,
    config: QualityConfig = QualityConfig(),
) -> Quality:
    """Quality of one person's motion; all records have the same frames.

    The lowest body point is sought among joints and keypoints, not over the skin.

    Raises:
        OptionError: unknown keypoints, or records of different lengths.
    """
    keypoint_set = _known_set(motion, camera, keypoints)
    posed = _posed(motion, body, keypoint_set)
    projected = project_path(posed.keypoints, camera)
    reprojection = reprojection_error(projected, tensor_of(keypoints.keypoints_2d)).per_frame
    contact, slide = _feet(posed, motion, camera, keypoints, config.contact)
    everything = torch.cat((posed.joints, posed.keypoints), dim=1)
    quality = Quality(
        time_s=motion.time_s,
        reprojection_px=_array(reprojection),
        reprojection_box=_array(reprojection / body_height_px(keypoints)),
        contact_seen=contact.numpy(),
        foot_slide_m=_array(slide),
        penetration_m=_array((-everything[..., 2].amin(1)).clamp_min(0)),
        jitter_m_s3=_array(jitter(posed.joints, motion.fps).per_frame),
        observed=motion.observed & keypoints.observed,
        history=(*motion.history, step("assess", config)),
    )
    return quality.replace(spans=tuple(_spans(quality, keypoints, motion.fps, config)))


def _known_set(motion: Motion, camera: CameraPath, keypoints: Keypoints) -> KeypointSet:
    lengths = {motion.num_frames, camera.num_frames, keypoints.num_frames}
    if len(lengths) > 1:
        raise OptionError(f"motion, camera and keypoints differ in length: {sorted(lengths)}")
    return known_keypoint_set(keypoints.keypoint_names)


def _posed(motion: Motion, body: Body, keypoint_set: KeypointSet) -> Posed:
    scale = motion.bone_scale
    return body.pose(
        tensor_of(motion.global_orient),
        tensor_of(motion.body_pose),
        tensor_of(motion.transl),
        tensor_of(motion.betas),
        keypoint_set=keypoint_set.name,
        bone_scale=None if scale is None else tensor_of(scale),
    )


def _feet(
    posed: Posed,
    motion: Motion,
    camera: CameraPath,
    keypoints: Keypoints,
    config: ContactConfig,
) -> tuple[Bool[Tensor, "frames 2"], Float[Tensor, "frames 2"]]:
    """Contact of each foot, and the mean way of its points in contact during 1/30 s."""
    frames = motion.num_frames
    feet = FootPoints.of(keypoints.keypoint_names)
    if feet is None:
        return torch.zeros(frames, 2, dtype=torch.bool), torch.full((frames, 2), torch.nan)
    points = posed.keypoints[:, list(feet.columns)]
    contact = seen_contact(keypoints, feet, camera, points, config)
    slide = slide_way(points, contact, motion.fps)
    per_foot = (frames, 2, feet.per_foot)
    return contact.view(per_foot).any(-1), slide.view(per_foot).nanmean(-1)


def _spans(
    quality: Quality, keypoints: Keypoints, fps: float, config: QualityConfig
) -> Iterator[tuple[float, float, str]]:
    """Doubtful spans in the order of their start, each with its reason in plain words."""
    found = []
    for mask, reason in _doubts(quality, keypoints, config):
        for first, last in _runs(mask, max(1, round(config.join_s * fps))):
            start, end = float(quality.time_s[first]), float(quality.time_s[last])
            found.append((start, end, reason))
    yield from sorted(found)


def _doubts(
    quality: Quality, keypoints: Keypoints, config: QualityConfig
) -> Iterator[tuple[Bool[ndarray, "frames"], str]]:
    # Comparisons with NaN are false: what is not known is not called doubtful.
    observed = quality.observed
    yield ~observed, "The person was not seen; the motion is carried over."
    weight = keypoints.keypoints_2d[..., 2]
    confidence = np.where(np.isfinite(weight), weight, 0).mean(1)
    yield (
        observed & (confidence < config.confidence),
        "The detector is unsure of the body: hidden, blurred or cut off.",
    )
    yield (
        quality.reprojection_box > config.reprojection_box,
        "The body does not cover the person in the picture.",
    )
    calm = quality.jitter_m_s3[np.isfinite(quality.jitter_m_s3)]
    if len(calm):
        spike = max(config.jitter_m_s3, config.jitter_times * float(np.median(calm)))
        yield quality.jitter_m_s3 > spike, "The motion jerks: a limb may have been mistaken."
    for foot, side in enumerate(("left", "right")):
        slides = quality.foot_slide_m[:, foot] > config.slide_m
        yield slides, f"The {side} foot slides while the picture shows it at rest."
    yield quality.penetration_m > config.penetration_m, "The body sinks below the ground."
    yield (
        _touches_border(keypoints, config.border_share),
        ("The person touches the picture's edge; parts may lie outside."),
    )


def _touches_border(keypoints: Keypoints, share: float) -> Bool[ndarray, "frames"]:
    """Whether a keypoint lies near an edge of the picture or beyond (as the detector guesses)."""
    x, y, _ = np.moveaxis(keypoints.keypoints_2d, -1, 0)
    width, height = keypoints.image_size
    inside_x = (x > share * width) & (x < (1 - share) * width)
    inside_y = (y > share * height) & (y < (1 - share) * height)
    return (np.isfinite(x) & ~(inside_x & inside_y)).any(1)


def _runs(mask: Bool[ndarray, "frames"], join: int) -> Iterator[tuple[int, int]]:
    """First and last frame of each run; runs at most ``join`` frames apart are one."""
    at = np.flatnonzero(mask)
    if not len(at):
        return
    gaps = np.flatnonzero(np.diff(at) > join)
    starts = at[np.concatenate(([0], gaps + 1))]
    ends = at[np.concatenate((gaps, [len(at) - 1]))]
    yield from zip(starts.tolist(), ends.tolist(), strict=True)


def _array(values: Tensor) -> Float[ndarray, "..."]:
    return values.float().numpy()
