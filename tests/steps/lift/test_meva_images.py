"""MEVA's lift from image features: a network that reads the truth out of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.errors import InputError, MissingAssetError, OptionError
from motionfield.data import FeatureClip, Motion
from motionfield.geometry.cameras import back_project, world_to_camera
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import rotmat_to_rot6d
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.steps.lift import LiftConfig, MevaLifter, make_lifter
from motionfield.steps.lift.meva.features import keypoint_features
from motionfield.steps.lift.meva.images import ImageTeller, calm_velocity
from motionfield.steps.lift.meva.names import as_blazepose
from motionfield.steps.lift.meva.network_paper import PaperConfig, PaperMeva, PaperOutput
from motionfield.steps.lift.meva.rate import at_network_rate
from steps.lift.made_answers import joints_of
from steps.lift.made_worlds import World, camera_at, seen, walk

WIDTH = 144 + 10 + 3
SIZES = PaperConfig(
    inputs=WIDTH,
    width=4,
    encoder_hidden=2,
    motion_hidden=2,
    layers=1,
    latent=4,
    refiner_hidden=4,
)


class Reader(PaperMeva):  # type: ignore[misc]
    """Its features are its answer."""

    def forward(self, features: Tensor) -> PaperOutput:
        rot6d, betas, camera = features.split((144, 10, 3), dim=-1)
        return PaperOutput(rot6d, betas, camera, rot6d)


def _network() -> PaperMeva:
    torch.manual_seed(0)
    return Reader(SIZES, MotionVAE(MotionVAEConfig(form="recurrent", latent=4, hidden=4)))


def _world(frames: int = 120, fps: float = 30.0) -> World:
    body = load_body("toy")
    motion = walk(body, frames, fps=fps)
    camera = camera_at(frames, (0.2, -4.5, 1.5), yaw=0.1)
    return World(body, motion, camera, seen(body, motion, camera, "blazepose33", 0.0, 0.0))


def _clip(world: World) -> FeatureClip:
    """The truth in camera axes, before crops a little off the person's middle."""
    R, t = tensor_of(world.camera.R_camera_world), tensor_of(world.camera.t_camera_world)
    motion, frames = world.motion, world.motion.num_frames
    root = R @ tensor_of(motion.global_orient)
    pose = torch.cat((root.unsqueeze(1), tensor_of(motion.body_pose)), dim=1)
    place = tensor_of(motion.transl) + world.body.rest_joints(tensor_of(motion.betas))[0]
    place = world_to_camera(place.unsqueeze(1), R, t)[:, 0]
    K = tensor_of(world.camera.K)
    points = torch.tensor(world.keypoints.keypoints_2d[..., :2])
    middle = points.mean(1) + torch.tensor([15.0, -10.0])
    side = 300.0
    ray = back_project(middle.unsqueeze(1), K, tensor_of(world.camera.distortion))[:, 0]
    size = side / K[:, 0, 0] / ray.norm(dim=-1)
    x, y, z = (turn_to_ray(ray).mT @ place.unsqueeze(-1))[..., 0].unbind(-1)
    camera = torch.stack((2 / (z * size), x, y), dim=-1)
    betas = tensor_of(motion.betas)[:10].expand(frames, -1)
    rows = torch.cat((rotmat_to_rot6d(pose).flatten(1), betas, camera), dim=-1)
    boxes = torch.cat((middle - side / 2, middle + side / 2), dim=-1)
    return FeatureClip(
        features=rows.numpy(), frame_index=np.arange(frames), bbox_xyxy=boxes.numpy()
    )


def _lifted(world: World, clip: FeatureClip) -> Motion:
    config = LiftConfig(method="meva", images=True)
    lifter = MevaLifter(config, world.body, ImageTeller(_network(), clip))
    return lifter.lift(world.keypoints, world.camera)


def _error_m(world: World, motion: Motion) -> float:
    error = joints_of(world.body, motion) - joints_of(world.body, world.motion)
    return float(error.norm(dim=-1).mean())


@pytest.mark.parametrize(("fps", "frames"), [(30.0, 120), (60.0, 200), (30.0, 40)])
def test_the_truth_comes_back(fps: float, frames: int) -> None:
    world = _world(frames, fps)
    motion = _lifted(world, _clip(world))
    assert _error_m(world, motion) < 0.03
    assert motion.contacts is None
    assert motion.joints_std is None
    assert motion.observed.all()


def test_crops_are_found_and_gaps_are_bridged() -> None:
    world = _world()
    clip = _clip(world)
    rows, boxes = np.array(clip.features), np.array(clip.bbox_xyxy)
    rows[50:54] = boxes[50:54] = np.nan
    assert _error_m(world, _lifted(world, clip.replace(bbox_xyxy=None))) < 0.03
    assert _error_m(world, _lifted(world, clip.replace(features=rows, bbox_xyxy=boxes))) < 0.03


def test_where_the_network_sees_the_person() -> None:
    """The weak camera of the crop, in the axes of the keypoints' crop."""
    world = _world()
    at = at_network_rate(world.keypoints, world.camera)
    points, coarse = as_blazepose(at.keypoints)
    camera = at.camera
    crop = keypoint_features(points, coarse, camera.K, camera.distortion, camera.R_camera_world)
    said = ImageTeller(_network(), _clip(world)).tell(world.keypoints, at, crop, LiftConfig().meva)
    R, t = tensor_of(camera.R_camera_world), tensor_of(camera.t_camera_world)
    place = tensor_of(world.motion.transl) + world.body.rest_joints(torch.zeros(16))[0]
    true = (world_to_camera(place.unsqueeze(1), R, t) @ crop.R_camera_crop)[:, 0]
    s, x, y = said.camera.unbind(-1)
    found = torch.stack((x, y, 1 / (s * crop.size)), dim=-1)
    torch.testing.assert_close(found, true, atol=0.01, rtol=0)


def test_velocity_of_places_with_a_gap() -> None:
    time = torch.arange(90) / 30
    place = torch.stack((1.5 * time, torch.sin(time), 0 * time), dim=-1)
    place[40:45] = torch.nan
    found = calm_velocity(place, 30.0)[24:-24]
    true = torch.stack((0 * time + 1.5, torch.cos(time), 0 * time), dim=-1)[24:-24]
    torch.testing.assert_close(found, true, atol=0.08, rtol=0)
    assert not calm_velocity(place[40:42], 30.0).any()


def test_bad_features_are_told() -> None:
    world = _world(40)
    clip = _clip(world)
    with pytest.raises(OptionError, match="features of 39 frames for 40"):
        _lifted(world, clip.at_frames(np.arange(39)))
    with pytest.raises(OptionError, match="156 features per frame; these weights were trained on"):
        _lifted(world, clip.replace(features=clip.features[:, 1:]))
    nothing = np.full_like(clip.features, np.nan)
    with pytest.raises(OptionError, match="no frame of the video has any"):
        _lifted(world, clip.replace(features=nothing))


def test_weights_have_to_be_named_and_fit(tmp_path: Path) -> None:
    body = load_body("toy")
    config = LiftConfig(method="meva", images=True)
    with pytest.raises(MissingAssetError, match="--meva-weights FILE, or train some"):
        make_lifter(config, body, None)
    path = tmp_path / "w.safetensors"
    _network().save(path, {"body": "anny"})
    with pytest.raises(InputError, match="trained on the body 'anny', not 'toy'"):
        make_lifter(replace(config, weights=path), body, None)
    _network().save(path, {"body": "toy"})
    assert isinstance(make_lifter(replace(config, weights=path), body, None), MevaLifter)
