"""The mixture's energy against torch's own densities, its symmetry, its gradients, its file."""

import math
from pathlib import Path

import pytest
import roma
import torch
from torch import Tensor

from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import InputError, MissingAssetError, RecordError
from motionfield.priors.pose_mixture import (
    NUM_FEATURES,
    PoseMixture,
    mirror_features,
    pose_features,
)


def _random_mixture(components: int = 3) -> PoseMixture:
    generator = torch.Generator().manual_seed(2)
    spread = 0.1 * torch.randn(components, NUM_FEATURES, NUM_FEATURES, generator=generator)
    covariances = spread @ spread.mT + 0.05 * torch.eye(NUM_FEATURES)
    weights = torch.tensor([0.5, 0.3, 0.2][:components])
    means = 0.3 * torch.randn(components, NUM_FEATURES, generator=generator)
    cholesky = torch.linalg.cholesky(torch.linalg.inv(covariances.double())).float()
    return PoseMixture(weights / weights.sum(), means, cholesky)


def _poses(frames: int = 6, size: float = 0.4) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return roma.rotvec_to_rotmat(size * torch.randn(frames, 23, 3, generator=generator))


def _standing(**bent: tuple[float, float, float]) -> Tensor:
    """Arms hanging, everything else zero, some joints bent by rotation vectors in degrees."""
    turns = torch.zeros(1, 23, 3)
    turns[0, JOINT_INDEX["left_shoulder"] - 1, 2] = -math.radians(70)
    turns[0, JOINT_INDEX["right_shoulder"] - 1, 2] = math.radians(70)
    for joint, degrees in bent.items():
        turns[0, JOINT_INDEX[joint] - 1] = torch.deg2rad(torch.tensor(degrees))
    return roma.rotvec_to_rotmat(turns)


def test_energy_is_that_of_torch_distributions() -> None:
    mixture = _random_mixture()
    poses = _poses()
    precision = mixture.precision_cholesky @ mixture.precision_cholesky.mT
    terms = torch.stack(
        [
            weight.double().log()
            + torch.distributions.MultivariateNormal(
                mean.double(), precision_matrix=matrix.double()
            ).log_prob(pose_features(poses).double())
            for weight, mean, matrix in zip(mixture.weights, mixture.means, precision, strict=True)
        ],
        dim=-1,
    )
    nearest = mixture.energy(poses).double()
    torch.testing.assert_close(nearest, -terms.amax(-1), rtol=1e-4, atol=1e-2)
    whole = mixture.energy(poses, "logsumexp").double()
    torch.testing.assert_close(whole, -terms.logsumexp(-1), rtol=1e-4, atol=1e-2)


def test_the_two_forms_differ_by_less_than_log_components() -> None:
    mixture = _random_mixture()
    gap = mixture.energy(_poses()) - mixture.energy(_poses(), "logsumexp")
    assert (gap >= -1e-3).all()
    assert (gap <= math.log(3) + 1e-3).all()


def test_hands_and_batching_do_not_matter() -> None:
    mixture, poses = _random_mixture(), _poses()
    other = poses.clone()
    other[:, 21:] = _poses(size=2.0)[:, 21:]
    torch.testing.assert_close(mixture.energy(other), mixture.energy(poses))
    single = torch.cat([mixture.energy(pose[None]) for pose in poses])
    torch.testing.assert_close(mixture.energy(poses), single, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("angle", [0.0, 1e-7, math.pi - 1e-6, math.pi, math.pi + 1e-3])
@pytest.mark.parametrize("form", ["min", "logsumexp"])
def test_gradients_are_finite_at_zero_and_at_half_turns(angle: float, form: str) -> None:
    mixture = _random_mixture()
    axes = torch.nn.functional.normalize(torch.randn(4, 23, 3, generator=torch.Generator()), dim=-1)
    axes[0] = torch.tensor([1.0, 0.0, 0.0])
    poses = roma.rotvec_to_rotmat(angle * axes).requires_grad_()
    mixture.energy(poses, form).sum().backward()  # type: ignore[arg-type]
    assert poses.grad is not None
    assert torch.isfinite(poses.grad).all()
    assert poses.grad.abs().max() < 1e6


def test_gradient_is_that_of_finite_differences() -> None:
    mixture = _random_mixture()

    def energy(turns: Tensor) -> Tensor:
        return mixture.energy(roma.rotvec_to_rotmat(turns).double())

    turns = 0.3 * torch.randn(2, 23, 3, generator=torch.Generator().manual_seed(5)).double()
    double = PoseMixture(
        mixture.weights.double(), mixture.means.double(), mixture.precision_cholesky.double()
    )
    mixture = double
    assert torch.autograd.gradcheck(energy, turns.requires_grad_(), eps=1e-6, atol=1e-3)


def test_mirroring_twice_changes_nothing() -> None:
    features = pose_features(_poses())
    torch.testing.assert_close(mirror_features(mirror_features(features)), features)
    left = pose_features(_standing(left_elbow=(0, -90, 0), left_knee=(60, 0, 0)))
    right = pose_features(_standing(right_elbow=(0, 90, 0), right_knee=(60, 0, 0)))
    torch.testing.assert_close(mirror_features(left), right)


def test_a_saved_mixture_comes_back(tmp_path: Path) -> None:
    mixture = _random_mixture()
    mixture.save(tmp_path / "m.safetensors", {"credit": "somebody"})
    again = PoseMixture.load(tmp_path / "m.safetensors")
    torch.testing.assert_close(again.energy(_poses()), mixture.energy(_poses()))
    again.save(tmp_path / "again.safetensors", {"credit": "somebody"})
    first, second = (tmp_path / f"{name}.safetensors" for name in ("m", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetError, match="no weights there; run motionfield train"):
        PoseMixture.load(tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        PoseMixture.load(tmp_path / "m.safetensors")
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="holds no format, not motionfield-pose-mixture-1"):
        PoseMixture.load(tmp_path / "m.safetensors")


def test_parts_that_do_not_fit_are_refused() -> None:
    mixture = _random_mixture()
    with pytest.raises(RecordError, match="do not sum to 1"):
        PoseMixture(2 * mixture.weights, mixture.means, mixture.precision_cholesky)


# --- the mixture that ships ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> PoseMixture:
    return PoseMixture.load()


def test_what_ships_has_eight_components_and_is_symmetric(shipped: PoseMixture) -> None:
    assert shipped.num_components == 8
    features = pose_features(_poses())
    images = mirror_features(features)
    torch.testing.assert_close(
        shipped.energy_of_features(images),
        shipped.energy_of_features(features),
        rtol=1e-4,
        atol=0.05,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"left_knee": (-50, 0, 0)},
        {"right_knee": (0, 0, 60)},
        {"left_elbow": (0, 60, 0)},
        {"right_elbow": (0, -60, 0)},
        {"head": (0, 150, 0)},
        {"spine2": (-70, 0, 0)},
        {"left_hip": (120, 0, 0)},
    ],
    ids=str,
)
def test_what_ships_dislikes_what_nobody_does(
    shipped: PoseMixture, wrong: dict[str, tuple[float, float, float]]
) -> None:
    (joint, (x, y, z)) = next(iter(wrong.items()))
    usual = {"knee": (50, 0, 0), "elbow": (0, math.copysign(60, -y), 0), "hip": (-60, 0, 0)}
    right = usual.get(joint.split("_")[-1], (0.0, 0.0, 0.0))
    energy_right = shipped.energy(_standing(**{joint: right}))
    energy_wrong = shipped.energy(_standing(**{joint: (x, y, z)}))
    # Gaussians are wide along a joint's main axis: joint limits do the rest in a fit.
    assert energy_wrong > energy_right + 3


def test_what_ships_knows_where_it_came_from() -> None:
    from importlib import resources

    from safetensors import safe_open

    path = resources.files("motionfield") / "weights" / "pose_mixture.safetensors"
    with resources.as_file(path) as file:
        assert file.stat().st_size < 200_000
        with safe_open(file, framework="pt") as content:
            assert "mocap.cs.cmu.edu" in content.metadata()["motionfield"]
