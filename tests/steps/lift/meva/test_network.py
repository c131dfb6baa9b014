"""The network: shapes, rows of the ablation, a frozen decoder, files."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import InputError, MissingAssetError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.geometry.rotations import axis_rotation
from motionfield.priors.motion_vae import MotionVAEConfig
from motionfield.priors.motion_vae_parts import LinearCode
from motionfield.steps.lift.meva.features import POINTS, WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import (
    MevaConfig,
    MevaNetwork,
    State,
    Target,
    feedback,
    project_weak,
)

SMALL = MevaConfig(
    width=32,
    heads=2,
    layers=1,
    refine_layers=1,
    vae=MotionVAEConfig(latent=16, hidden=0, frequencies=4),
)


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("anny")


def random_features(windows: int = 2, frames: int = WINDOW, seed: int = 0) -> CropFeatures:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(windows, frames, *shape, generator=generator)

    points = normal(POINTS, 3) * 0.3
    points[..., 2] = torch.rand(points.shape[:-1], generator=generator)
    return CropFeatures(
        points=points,
        coarse=0.3 * normal(POINTS, 3),
        coarse_known=torch.ones(windows, frames),
        path=0.1 * normal(2),
        size=0.5 + 0.01 * normal().abs(),
        turning=0.1 * normal(3),
        turning_known=torch.ones(windows, frames),
        seen=torch.ones(windows, frames),
        R_camera_crop=torch.eye(3).expand(windows, frames, 3, 3),
    )


def trained(network: MevaNetwork) -> MevaNetwork:
    """Heads that start at zero get values, so that every part acts."""
    generator = torch.Generator().manual_seed(1)
    code = getattr(network.decoder, "code", None)
    if isinstance(code, LinearCode):  # the mean motion: everything at rest
        mean = torch.zeros_like(code.mean)
        mean[:144] = torch.eye(3)[:, :2].mT.flatten().repeat(24) * WINDOW**0.5
        basis = 0.05 * torch.randn(code.basis.shape, generator=generator)
        code.mean.copy_(mean)
        code.basis.copy_(basis)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    return network.eval()


def test_answers_are_rotations_directions_and_shares(body: Body) -> None:
    answer = trained(MevaNetwork(body, SMALL))(random_features())
    eye = torch.eye(3)
    for turns in (answer.root, answer.body_pose, answer.coarse_root, answer.coarse_pose):
        assert torch.allclose(turns @ turns.mT, eye.expand_as(turns), atol=1e-4)
        assert (torch.linalg.det(turns) > 0).all()
    assert torch.allclose(answer.up.norm(dim=-1), torch.ones(2, WINDOW), atol=1e-5)
    assert ((answer.contacts >= 0) & (answer.contacts <= 1)).all()
    assert (answer.camera[..., 0] > 0).all()
    assert (answer.joints_sd > 0).all()


def test_windows_do_not_know_of_each_other(body: Body) -> None:
    network = trained(MevaNetwork(body, SMALL))
    both = random_features()
    alone = CropFeatures(*(value[1:] for value in both))
    for two, one in zip(network(both), network(alone), strict=True):
        assert torch.allclose(two[1:], one, atol=1e-5)


def test_vme_alone_is_the_coarse_motion_and_refinement_changes_it(body: Body) -> None:
    features = random_features()
    alone = trained(MevaNetwork(body, replace(SMALL, vme_only=True)))(features)
    assert torch.equal(alone.root, alone.coarse_root)
    assert torch.equal(alone.body_pose, alone.coarse_pose)
    full = trained(MevaNetwork(body, SMALL))(features)
    assert not torch.allclose(full.body_pose, full.coarse_pose, atol=1e-3)


def test_decoder_is_frozen_unless_it_is_its_own(body: Body) -> None:
    for own in (False, True):
        network = trained(MevaNetwork(body, replace(SMALL, own_decoder=own)))
        stages = network.stages(random_features())
        stages.points[-1].sum().backward()
        learns = [p.grad is not None for p in network.decoder.parameters()]
        assert learns == [own] * len(learns)
        assert len(learns) >= own
        assert network.latent.weight.grad is not None


def test_feedback_is_nothing_where_the_estimate_explains_what_was_seen(body: Body) -> None:
    features = random_features()
    state = State(
        rot6d=torch.eye(3)[:, :2].mT.flatten().repeat(24).expand(2, WINDOW, 144),
        betas=torch.zeros(2, WINDOW, 10),
        camera=torch.tensor([-0.5, 0.1, -0.2]).expand(2, WINDOW, 3),
    )
    points = MevaNetwork(body, SMALL)._points(state)
    seen = project_weak(points[..., 24:, :], state.camera, features.size)
    hips = [BLAZEPOSE_33.index(name) for name in ("left_hip", "right_hip")]
    coarse = points[..., 24:, :] - points[..., 24:, :][..., hips, :].mean(-2, keepdim=True)
    explained = features._replace(
        points=torch.cat((seen, features.points[..., 2:]), dim=-1), coarse=coarse
    )
    told = feedback(state, points, Target(explained, points))
    assert told[..., :-6].abs().max() < 1e-5
    assert feedback(state, points, Target(features, points))[..., :-6].abs().max() > 0.1
    # A body at rest: its left is +x, its upper end +y of its own axes.
    assert torch.allclose(told[0, 0, -6:], torch.tensor([1.0, 0, 0, 0, 1, 0]), atol=0.15)


def test_feedback_in_3d_is_the_same_whichever_way_the_person_faces(body: Body) -> None:
    features = random_features()
    network = MevaNetwork(body, SMALL)
    generator = torch.Generator().manual_seed(3)
    off = 0.1 * torch.randn(2, WINDOW, 57, 3, generator=generator)

    def told(turn: torch.Tensor) -> torch.Tensor:
        turns = torch.eye(3).repeat(24, 1, 1)
        turns[0] = turn
        rot6d = turns[..., :2].mT.flatten().expand(2, WINDOW, 144)
        state = State(rot6d, torch.zeros(2, WINDOW, 10), torch.zeros(2, WINDOW, 3))
        points = network._points(state)
        return feedback(state, points, Target(features, points + off @ turn.mT))

    guess = slice(33 * 5, 33 * 5 + 57 * 3)
    turn = axis_rotation("y", torch.tensor(2.0)) @ axis_rotation("x", torch.tensor(0.7))
    assert torch.allclose(told(turn)[..., guess], told(torch.eye(3))[..., guess], atol=1e-5)


def test_weak_camera_is_the_perspective_of_its_depth() -> None:
    generator = torch.Generator().manual_seed(0)
    points = 0.5 * torch.randn(1, 4, 7, 3, generator=generator)
    camera = torch.tensor([-0.4, 0.2, -0.3]).expand(1, 4, 3)
    size = torch.full((1, 4), 0.4)
    depth = 1 / (camera[..., 0].exp() * size)
    place = torch.cat((camera[..., 1:], depth.unsqueeze(-1)), dim=-1).unsqueeze(-2)
    there = points + place
    expected = there[..., :2] / there[..., 2:] / size[..., None, None]
    assert torch.allclose(project_weak(points, camera, size), expected, atol=1e-5)


def test_points_of_short_pieces_are_those_of_the_features_alone(body: Body) -> None:
    network = trained(MevaNetwork(body, SMALL))
    features = random_features()
    assert torch.equal(network.look(features)[1], network.stages(features).guess)
    assert network.look(random_features(frames=18))[1].shape == (2, 18, 57, 3)


def test_file_gives_the_network_back(body: Body, tmp_path: Path) -> None:
    network = trained(MevaNetwork(body, SMALL))
    network.save(tmp_path / "meva.safetensors", {"licence": "none"})
    again = MevaNetwork.load(body, tmp_path / "meva.safetensors")
    assert again.config == SMALL
    features = random_features()
    for before, after in zip(network(features), again(features), strict=True):
        assert torch.allclose(before, after, atol=0.05)


def test_bad_files_are_named(body: Body, tmp_path: Path) -> None:
    path = tmp_path / "meva.safetensors"
    with pytest.raises(MissingAssetError, match="train meva"):
        MevaNetwork.load(body, path)
    path.write_bytes(b"no tensors")
    with pytest.raises(InputError, match=r"meva\.safetensors.*safetensors"):
        MevaNetwork.load(body, path)
    network = MevaNetwork(body, SMALL)
    network.save(path, {"format": "motionfield-meva-0"})
    with pytest.raises(InputError, match="motionfield-meva-0"):
        MevaNetwork.load(body, path)
    network.save(path, {"config": {"width": 16}})
    with pytest.raises(InputError, match="damaged"):
        MevaNetwork.load(body, path)
