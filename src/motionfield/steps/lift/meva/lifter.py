"""The lift by MEVA's network: one look at each window, then one path through the world."""

import math
from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from motionfield.body.base import Body
from motionfield.body.leg_reach import reach
from motionfield.body.stature import betas_of_height, stature_m
from motionfield.core.arrays import tensor_of
from motionfield.core.history import step
from motionfield.core.keypoint_sets import BLAZEPOSE_33, known_keypoint_set
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.keypoints import Keypoints
from motionfield.data.motion import Motion
from motionfield.geometry.cameras import camera_to_world
from motionfield.geometry.placement import place_in_camera
from motionfield.geometry.resample import resample_positions, resample_rotations
from motionfield.steps.lift.base import Lifter
from motionfield.steps.lift.config import LiftConfig
from motionfield.steps.lift.evidence import LEAST_POINTS, seen_frames, viewing_rays
from motionfield.steps.lift.meva.features import RATE_HZ, CropFeatures, keypoint_features
from motionfield.steps.lift.meva.feet import foot_shifts, resting_soles
from motionfield.steps.lift.meva.images import ImageTeller, calm_velocity
from motionfield.steps.lift.meva.names import as_blazepose
from motionfield.steps.lift.meva.rate import AtRate, at_network_rate
from motionfield.steps.lift.meva.windows import MevaFrames, Network, run_windows
from motionfield.steps.lift.meva.world import PathEvidence, RootPath, solve_path

_SOLES = [
    BLAZEPOSE_33.index(f"{side}_{part}")
    for side in ("left", "right")
    for part in ("heel", "foot_index")
]
_POSED_AT_ONCE = 4096
_NEAREST_M, _FARTHEST_M = 0.2, 300.0
_LEAST_EXTENT = 0.02
_NO_SD = 10.0


class _Posed(NamedTuple):
    """The body in camera axes, from its root joint, metres."""

    joints: Float[Tensor, "frames 24 3"]
    points: Float[Tensor, "frames keypoints 3"]
    soles: Float[Tensor, "frames 4 3"]


@final
class MevaLifter(Lifter):
    """A whole motion at once: the network has seen how people move."""

    def __init__(self, config: LiftConfig, body: Body, network: Network | ImageTeller) -> None:
        self._config = config
        self._body = body
        self._network = network

    def lift(self, keypoints: Keypoints, camera: CameraPath, progress: Progress = silent) -> Motion:
        """As ``Lifter.lift``, with ``contacts`` and ``joints_std`` (not from image features).

        Any frame rate: the network works at its own, and what it says is brought back. Frames
        that were not seen are what the network makes of those around them, and not ``observed``.
        """
        config = self._config.meva
        sight = viewing_rays(keypoints, camera)
        observed = seen_frames(sight[1])
        at = at_network_rate(keypoints, camera)
        if at.keypoints is not keypoints:
            sight = viewing_rays(at.keypoints, at.camera)
        points, coarse = as_blazepose(at.keypoints)
        lens = at.camera.K, at.camera.distortion
        features = keypoint_features(points, coarse, *lens, at.camera.R_camera_world)
        if isinstance(self._network, ImageTeller):
            said = self._network.tell(keypoints, at, features, config, progress)
        else:
            said = run_windows(self._network, features, config.overlap, config.batch, progress)
        betas, growth = self._shape(said, features)
        scene = _Scene(at, sight, features, said, betas, growth)
        path, rotations = self._place(scene)
        return self._motion(keypoints, scene, path, rotations, observed)

    def _shape(
        self, said: MevaFrames, features: CropFeatures
    ) -> tuple[Float[Tensor, "betas"], float]:
        """One shape for all frames, and how much larger it is than the network's."""
        weights = features.seen * features.points[..., 2].mean(-1) + 1e-6
        mean = (weights.unsqueeze(-1) * said.betas).sum(0) / weights.sum()
        betas = pad(mean, (0, self._body.num_betas - len(mean)))
        if self._config.height_m is None:
            return betas, 1.0
        tall = betas_of_height(self._body, self._config.height_m, betas)
        return tall, self._config.height_m / stature_m(self._body, betas)

    def _place(self, scene: "_Scene") -> tuple[RootPath, Float[Tensor, "frames 24 3 3"]]:
        """The root's path in the world, and all rotations there (others in their parents)."""
        R_camera_world = tensor_of(scene.at.camera.R_camera_world)
        root = scene.features.R_camera_crop @ scene.said.root
        posed = self._pose(scene, root)
        t_camera_world = tensor_of(scene.at.camera.t_camera_world)
        seen_at, depth_sd = self._seen_at(scene, posed)
        place = camera_to_world(seen_at.unsqueeze(1), R_camera_world, t_camera_world)[:, 0]
        R_world_crop = R_camera_world.mT @ scene.features.R_camera_crop
        if isinstance(self._network, ImageTeller):
            velocity = calm_velocity(place, scene.at.rate_hz)
        else:
            velocity = (R_world_crop @ scene.said.velocity.unsqueeze(-1))[..., 0]
            velocity = velocity * scene.growth * scene.at.rate_hz / RATE_HZ
        soles = posed.soles @ R_camera_world
        stands = self._sole_height(scene.betas)
        evidence = PathEvidence(
            place=place,
            depth_sd=depth_sd,
            camera_place=tensor_of(scene.at.camera.position_world),
            velocity=velocity,
            soles=soles,
            rest=resting_soles(scene.said.contacts, soles, stands),
            sole_height=stands,
            rate_hz=scene.at.rate_hz,
            ground_doubt_m=_ground_doubt(place, scene.at.camera.gravity_doubt_deg),
        )
        path = solve_path(evidence, self._config.meva.path)
        rotations = torch.cat(((R_camera_world.mT @ root).unsqueeze(1), scene.said.body_pose), 1)
        if self._config.meva.feet is None:
            return path, rotations
        soles = path.place.unsqueeze(1) + soles
        feet = self._config.meva.feet
        shifts = foot_shifts(
            soles, evidence.rest, stands, scene.at.rate_hz, feet, evidence.ground_doubt_m
        )
        joints = posed.joints @ R_camera_world
        blocks = (part.split(_POSED_AT_ONCE) for part in (rotations, joints, shifts))
        return path, torch.cat([reach(*block) for block in zip(*blocks, strict=True)])

    def _seen_at(
        self, scene: "_Scene", posed: _Posed
    ) -> tuple[Float[Tensor, "frames 3"], Float[Tensor, "frames"]]:
        """Where the picture has the root joint, camera axes, and the error of its distance.

        The distance is that of the body's points on their rays, and that which the network says,
        each as far as it is known. NaN where nobody is seen.
        """
        config = self._config.meva.path
        rays, weights = scene.sight
        place = place_in_camera(posed.points, rays, weights)
        s, tx, ty = scene.said.camera.unbind(-1)
        depth = scene.growth / (s * scene.features.size).clamp_min(1e-6)
        crop = torch.stack((tx * scene.growth, ty * scene.growth, depth), dim=-1)
        weak = (scene.features.R_camera_crop @ crop.unsqueeze(-1))[..., 0]
        fits = (place[:, 2] > _NEAREST_M) & (place[:, 2] < _FARTHEST_M)
        place = torch.where(fits.unsqueeze(-1), place, weak)
        own_sd = config.depth_sd / _seen_extent(posed.points, weights)
        own_sd = torch.where(fits, own_sd, torch.inf)
        # A crop at an unknown focal length tells no distance.
        weak_sd = _NO_SD if isinstance(self._network, ImageTeller) else config.weak_depth_sd
        share = 1 / (1 + (own_sd / weak_sd).square())
        ratio = share + (1 - share) * weak.norm(dim=-1) / place.norm(dim=-1)
        seen = (weights > 0).sum(-1) >= LEAST_POINTS
        place = torch.where(seen.unsqueeze(-1), place * ratio.unsqueeze(-1), torch.nan)
        return place, weak_sd * (1 - share).sqrt()

    def _pose(self, scene: "_Scene", root: Float[Tensor, "frames 3 3"]) -> _Posed:
        joints, points, soles = [], [], []
        names = scene.at.keypoints.keypoint_names
        own = known_keypoint_set(names).name
        sets = (own,) if own == BLAZEPOSE_33.name else (own, BLAZEPOSE_33.name)
        for turn, pose in zip(
            root.split(_POSED_AT_ONCE), scene.said.body_pose.split(_POSED_AT_ONCE), strict=True
        ):
            nowhere = torch.zeros(len(turn), 3)
            posed = [self._body.pose(turn, pose, nowhere, scene.betas, name) for name in sets]
            root_joint = posed[0].joints[:, :1]
            joints.append(posed[0].joints - root_joint)
            points.append(posed[0].keypoints - root_joint)
            soles.append(posed[-1].keypoints[:, _SOLES] - root_joint)
        return _Posed(torch.cat(joints), torch.cat(points), torch.cat(soles))

    def _sole_height(self, betas: Float[Tensor, "betas"]) -> Float[Tensor, "4"]:
        """Height of the points of the soles above the ground in the T-pose."""
        eye = torch.eye(3)
        nowhere = torch.zeros(1, 3)
        posed = self._body.pose(eye[None], eye.expand(1, 23, 3, 3), nowhere, betas, "blazepose33")
        return posed.keypoints[0, _SOLES, 1] - self._body.skin(betas).rest_vertices[:, 1].min()

    def _motion(
        self,
        keypoints: Keypoints,
        scene: "_Scene",
        path: RootPath,
        rotations: Float[Tensor, "samples 24 3 3"],
        observed: Bool[Tensor, "frames"],
    ) -> Motion:
        """The record at the frames of the video."""
        start_s = scene.at.keypoints.time_s[0]
        old, new = (
            torch.from_numpy(record.time_s - start_s) for record in (scene.at.keypoints, keypoints)
        )
        std = (scene.said.joints_sd.unsqueeze(-1) ** 2 + path.std.unsqueeze(1) ** 2).sqrt()
        transl = path.place - self._body.rest_joints(scene.betas)[0]

        turned = resample_rotations(rotations, old, new, smooth=True)
        contacts = resample_positions(scene.said.contacts, old, new).numpy()
        joints_std = resample_positions(std, old, new).numpy()
        tells_all = not isinstance(self._network, ImageTeller)
        return Motion(
            global_orient=turned[:, 0].numpy(),
            body_pose=turned[:, 1:].numpy(),
            transl=resample_positions(transl, old, new, smooth=True).numpy(),
            betas=scene.betas.numpy(),
            body_model=self._body.name,
            fps=keypoints.fps,
            time_s=keypoints.time_s,
            frame_index=keypoints.frame_index,
            observed=observed.numpy(),
            contacts=contacts if tells_all else None,
            joints_std=joints_std if tells_all else None,
            history=(*keypoints.history, step("lift", self._config)),
        )


def _seen_extent(
    points: Float[Tensor, "frames points 3"], weights: Float[Tensor, "frames points"]
) -> Float[Tensor, "frames"]:
    """How widely the seen points of a body spread in the picture, by how widely all do."""

    def spread(weights: Tensor) -> Tensor:
        share = (weights / weights.sum(-1, keepdim=True).clamp_min(1e-9)).unsqueeze(-1)
        off = points[..., :2] - (share * points[..., :2]).sum(1, keepdim=True)
        return (share * off.square()).sum((1, 2)).sqrt()

    extent = spread(weights) / spread(torch.ones_like(weights)).clamp_min(1e-6)
    return extent.clamp(_LEAST_EXTENT, 1.0)


def _ground_doubt(place: Float[Tensor, "frames 3"], gravity_doubt_deg: float) -> float:
    """Error of the ground's height where the person goes, if it is right in the middle of that."""
    seen = place[torch.isfinite(place).all(-1), :2]
    away = (seen - seen.median(0).values).norm(dim=-1).square().mean().sqrt()
    return float(away) * math.tan(math.radians(min(gravity_doubt_deg, 45.0)))


class _Scene(NamedTuple):
    """One person at the network's rate, and what it says of it."""

    at: AtRate
    sight: tuple[Float[Tensor, "frames keypoints 3"], Float[Tensor, "frames keypoints"]]
    """Viewing rays and weights (``Evidence``)."""
    features: CropFeatures
    said: MevaFrames
    betas: Float[Tensor, "betas"]
    growth: float
    """The body's size by that which the network has in mind."""
