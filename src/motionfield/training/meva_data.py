"""Made takes that MEVA's keypoint network learns from: mocap seen by random cameras, on the fly.

Take number n of a seed is always the same one, whoever makes it and whenever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
import roma
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, COCO_17
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import world_to_camera
from motionfield.geometry.rotations import rotmat_to_rot6d
from motionfield.steps.lift.meva.features import (
    RATE_HZ,
    WINDOW,
    CropFeatures,
    keypoint_features,
)
from motionfield.training.motion_data import TrainingClip
from motionfield.worlds.cameras import CameraConfig, CameraKind
from motionfield.worlds.detector_error import DetectorErrorConfig
from motionfield.worlds.retime import retimed
from motionfield.worlds.shapes import draw_betas, scaled_path
from motionfield.worlds.take import TakeConfig, make_take

_JOINT_MIRROR: Final = list(mirror_order(JOINT_NAMES))
_POINT_MIRROR: Final = _JOINT_MIRROR + [len(JOINT_NAMES) + i for i in BLAZEPOSE_33.mirror]
_MIRROR_6D: Final = torch.tensor([1.0, -1, -1, -1, 1, 1])
_UPPER_WORDS: Final = ("spine", "neck", "head", "collar", "shoulder", "elbow", "wrist", "hand")
_UPPER: Final = [
    i for i, name in enumerate(JOINT_NAMES[1:]) if any(word in name for word in _UPPER_WORDS)
]
_MOVING: Final[tuple[CameraKind, ...]] = ("follow", "pan", "orbit", "dolly")
_TRIES: Final = 20


@dataclass(frozen=True)
class TakeMix:
    """How takes are drawn. Shares are chances per take."""

    frames: int = 240
    """Longest stretch of a clip."""
    source_power: float = 0.5
    """A subject with n frames counts n to this power."""
    tempo: float = 0.3
    """Standard deviation of the log of the speed factor, cut at two of them."""
    other_upper: float = 0.2
    """Upper body of another clip."""
    bent: float = 0.5
    """Every joint turned by a slow random rotation …"""
    bend_rad: float = 0.12
    """… of this standard deviation about each axis."""
    moving: float = 0.3
    """The camera moves."""
    wrong_focal: float = 0.6
    focal_log_sd: float = 0.2
    fewer_points: float = 0.25
    """Only COCO's points, or no hands, or no face, or no feet."""
    half_body: float = 0.12
    """Legs or one side are never seen."""
    gap: float = 0.15
    """The person is not seen for a while."""
    detector: DetectorErrorConfig = field(default_factory=DetectorErrorConfig)


class Truth(NamedTuple):
    """What the network should say, crop axes (of the true lens)."""

    root: Float[Tensor, "*windows frames 6"]
    body_pose: Float[Tensor, "*windows frames 23 6"]
    betas: Float[Tensor, "*windows frames 16"]
    camera: Float[Tensor, "*windows frames 3"]
    """log s, tx, ty."""
    contacts: Float[Tensor, "*windows frames 2"]
    up: Float[Tensor, "*windows frames 3"]
    velocity: Float[Tensor, "*windows frames 3"]
    points: Float[Tensor, "*windows frames 57 3"]
    """Joints and BlazePose's points from the root joint, metres."""
    known: Float[Tensor, "*windows frames"]
    """0: no truth in this frame."""

    def mirrored(self) -> "Truth":
        """As ``CropFeatures.mirrored``."""
        flip = self.points.new_tensor([-1.0, 1.0, 1.0])
        return self._replace(
            root=self.root * _MIRROR_6D,
            body_pose=self.body_pose[..., [i - 1 for i in _JOINT_MIRROR[1:]], :] * _MIRROR_6D,
            camera=self.camera * self.camera.new_tensor([1.0, -1.0, 1.0]),
            contacts=self.contacts.flip(-1),
            up=self.up * flip,
            velocity=self.velocity * flip,
            points=self.points[..., _POINT_MIRROR, :] * flip,
        )


class Example(NamedTuple):
    """A made take."""

    features: CropFeatures
    truth: Truth


class TakeMaker:
    """Makes takes from motions."""

    def __init__(
        self, clips: Sequence[TrainingClip], body: Body, seed: int, mix: TakeMix = TakeMix()
    ) -> None:
        self._clips = [clip.motion for clip in clips]
        self._body = body
        self._seed = seed
        self._mix = mix
        self._chance = _chances(clips, mix.source_power)

    def make(self, number: int) -> Example:
        """Take ``number``."""
        rng = np.random.default_rng((self._seed, number))
        for _ in range(_TRIES):
            motion = self._draw_motion(rng)
            if not motion.observed.any():
                continue
            try:
                return self._seen(motion, rng)
            except OptionError:  # no such camera sees the whole of it: draw anew
                continue
        raise OptionError(f"take {number} of seed {self._seed}: no camera sees these motions")

    def _draw_motion(self, rng: np.random.Generator) -> Motion:
        mix = self._mix
        clip = self._clips[rng.choice(len(self._clips), p=self._chance)]
        speed = float(np.exp(np.clip(rng.normal(), -2, 2) * mix.tempo))
        motion = stretch(clip, speed, mix.frames, rng)
        pose = motion.body_pose
        if rng.random() < mix.other_upper:
            other = self._clips[rng.choice(len(self._clips), p=self._chance)]
            other = stretch(other, speed, mix.frames, rng)
            pose = pose.copy()
            at = np.minimum(np.arange(len(pose)), other.num_frames - 1)
            pose[:, _UPPER] = other.body_pose[at][:, _UPPER]
        if rng.random() < mix.bent:
            size = mix.bend_rad * rng.uniform(0.3, 1.5)
            pose = roma.rotvec_to_rotmat(_slow_turns(len(pose), size, rng)).numpy() @ pose
        motion = motion.replace(body_pose=pose.astype(np.float32))
        return resized(motion, draw_betas(rng), self._body)

    def _seen(self, motion: Motion, rng: np.random.Generator) -> Example:
        mix = self._mix
        config = TakeConfig(camera=draw_camera_config(rng, mix.moving), detector=mix.detector)
        take = make_take(motion, self._body, int(rng.integers(2**31)), config)
        seen = take.keypoints.keypoints_2d.copy()
        hide(seen, rng, mix)
        coarse = take.keypoints.coarse_camera
        camera = take.camera
        view = (camera.distortion, camera.R_camera_world)
        exact = keypoint_features(seen, coarse, camera.K, *view)
        features = exact
        if rng.random() < mix.wrong_focal:
            lens = camera.K.copy()
            lens[:, :2, :2] *= np.exp(mix.focal_log_sd * rng.normal())
            features = keypoint_features(seen, coarse, lens, *view)
        return Example(features, truth_of(motion, camera, exact, self._body))


def stretch(motion: Motion, speed: float, frames: int, rng: np.random.Generator) -> Motion:
    """A random stretch of at most ``frames`` frames at ``RATE_HZ``, played ``speed`` times as fast.

    Of an eighth of a second at least.
    """
    time_s = motion.time_s - motion.time_s[0]
    count = min(frames, int(time_s[-1] * RATE_HZ / speed) + 1)
    start = rng.uniform(0, max(time_s[-1] - (count - 1) * speed / RATE_HZ, 0.0))
    at = start + np.arange(count) * speed / RATE_HZ
    return retimed(motion, at, RATE_HZ)


def resized(motion: Motion, betas: Float[ndarray, "betas"], body: Body) -> Motion:
    """The same movement by another body, its path scaled by the legs' length.

    As ``worlds.shapes.reshape`` without the corrections by the skin that keep soles on the ground
    to the millimetre: they cost as much as all the rest of a take.
    """
    path, _ = scaled_path(motion, betas, body)
    return motion.replace(betas=betas, bone_scale=None, transl=path.astype(np.float32))


def draw_camera_config(rng: np.random.Generator, moving: float) -> CameraConfig:
    """Phones, mostly; also cameras far off, from high above and on the floor."""
    kind: CameraKind = str(rng.choice(_MOVING)) if rng.random() < moving else "static"  # type: ignore[assignment]
    size = (1920, 1080) if rng.random() < 0.6 else (1080, 1920)
    usual = CameraConfig(
        kind=kind,
        distance_m=(2.5, 9.0),
        height_m=(0.5, 2.4),
        roll_deg=float(rng.choice((2.0, 8.0))),
        view_deg=(32.0, 75.0),
        image_width=size[0],
        image_height=size[1],
        margin=float(rng.uniform(0.0, 0.1)),
    )
    drawn = rng.random()
    if drawn < 0.15:
        return replace(usual, distance_m=(9.0, 35.0), height_m=(0.8, 6.0), view_deg=(6.0, 30.0))
    if drawn < 0.25:
        return replace(usual, height_m=(0.1, 4.0))
    return usual


def hide(points: Float[ndarray, "frames 33 3"], rng: np.random.Generator, mix: TakeMix) -> None:
    """Make points NaN in place, as other detectors, cut pictures and lost tracks leave them."""
    names = BLAZEPOSE_33.keypoint_names
    if rng.random() < mix.fewer_points:
        kept = _SUBSETS[rng.integers(len(_SUBSETS))]
        points[:, [i for i, name in enumerate(names) if not kept(name)]] = np.nan
    if rng.random() < mix.half_body:
        gone = _HALVES[rng.integers(len(_HALVES))]
        points[:, [i for i, name in enumerate(names) if any(word in name for word in gone)]] = (
            np.nan
        )
    if rng.random() < mix.gap and len(points) > WINDOW // 2:
        length = int(rng.integers(3, 40))
        first = int(rng.integers(0, max(1, len(points) - length)))
        points[first : first + length] = np.nan


_FACE: Final = ("eye", "ear", "mouth")
_HANDS: Final = ("pinky", "index", "thumb")
_SUBSETS: Final = (
    lambda name: name in COCO_17.keypoint_names,
    lambda name: name.endswith("foot_index") or not any(word in name for word in _HANDS),
    lambda name: not any(word in name for word in _FACE),
    lambda name: "heel" not in name and "foot" not in name,
)
_HALVES: Final = (
    ("knee", "ankle", "heel", "foot"),
    ("ankle", "heel", "foot"),
    ("left_elbow", "left_wrist", *(f"left_{word}" for word in _HANDS)),
    ("right_elbow", "right_wrist", *(f"right_{word}" for word in _HANDS)),
    ("nose", *_FACE, "shoulder", "elbow", "wrist", "pinky", "thumb", "left_index", "right_index"),
)


def truth_of(motion: Motion, camera: CameraPath, features: CropFeatures, body: Body) -> Truth:
    """What the network should say of a motion that this camera sees."""
    turn = features.R_camera_crop.mT @ tensor_of(camera.R_camera_world)
    root = tensor_of(motion.global_orient)
    betas = tensor_of(motion.betas)
    pose = tensor_of(motion.body_pose)
    posed = body.pose(root, pose, tensor_of(motion.transl), betas, BLAZEPOSE_33.name)
    place = posed.joints[:, 0]
    points = torch.cat((posed.joints, posed.keypoints), dim=1) - place.unsqueeze(1)
    seen_at = world_to_camera(
        place.unsqueeze(1), tensor_of(camera.R_camera_world), tensor_of(camera.t_camera_world)
    )
    crop = (seen_at @ features.R_camera_crop)[:, 0]
    depth = crop[:, 2:].clamp_min(0.1)
    velocity = torch.zeros_like(place)
    if len(place) > 1:
        velocity = torch.gradient(place, spacing=1 / RATE_HZ, dim=0)[0]
    frames = len(place)
    contacts = np.zeros((frames, 2), np.float32) if motion.contacts is None else motion.contacts
    return Truth(
        root=rotmat_to_rot6d(turn @ root),
        body_pose=rotmat_to_rot6d(pose),
        betas=betas.expand(frames, -1),
        camera=torch.cat((-(features.size[:, None] * depth).log(), crop[:, :2]), dim=-1),
        contacts=tensor_of(contacts),
        up=turn[..., 2],
        velocity=(turn @ velocity.unsqueeze(-1))[..., 0],
        points=points @ turn.mT,
        known=torch.from_numpy(motion.observed.astype(np.float32)),
    )


def _slow_turns(
    frames: int, size_rad: float, rng: np.random.Generator
) -> Float[Tensor, "frames 23 3"]:
    """A constant and two slow waves per joint and axis; hands stay."""
    time_s = np.arange(frames)[:, None, None] / RATE_HZ
    turns = rng.normal(size=(1, 23, 3)) * np.ones((frames, 1, 1))
    for _ in range(2):
        rate, phase = rng.uniform(0.1, 0.6, (23, 3)), rng.uniform(0, 2 * np.pi, (23, 3))
        turns = turns + rng.normal(size=(23, 3)) * np.sin(2 * np.pi * rate * time_s + phase)
    turns[:, 21:] = 0
    return torch.from_numpy(turns * size_rad / np.sqrt(2)).float()


def _chances(clips: Sequence[TrainingClip], power: float) -> Float[ndarray, "clips"]:
    frames = np.array([clip.motion.num_frames / clip.motion.fps for clip in clips])
    total = {source: 0.0 for source in {clip.source for clip in clips}}
    for clip, seconds in zip(clips, frames, strict=True):
        total[clip.source] += seconds
    weight = frames * np.array([total[clip.source] ** (power - 1) for clip in clips])
    return weight / weight.sum()
