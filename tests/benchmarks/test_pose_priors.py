"""The measure of pose priors: AUC by counting pairs; what must come out does."""

import pytest
import roma
import torch

from motionfield.benchmarks.pose_priors import NOISES_RAD, auc, judge_priors
from motionfield.body.registry import load_body
from motionfield.geometry.rotations import rotmat_to_rot6d
from motionfield.priors.pose_mixture import NUM_FEATURES, PoseMixture
from motionfield.priors.pose_vae import PoseVAE, PoseVAEConfig
from motionfield.training.pose_vae import PoseSet


def test_auc_counts_pairs() -> None:
    generator = torch.Generator().manual_seed(0)
    low, high = (
        torch.randint(9, (n,), generator=generator).float() + k for n, k in ((40, 0), (30, 2))
    )
    pairs = [(float(a < b) + 0.5 * float(a == b)) for a in low for b in high]
    assert auc(low, high) == pytest.approx(sum(pairs) / len(pairs))
    assert auc(low, low) == pytest.approx(0.5)
    assert auc(low, low + 100) == 1


def test_the_mixture_that_made_the_poses_tells_them_from_noise() -> None:
    """Poses drawn from one Gaussian, 0.1 rad wide: noise of 0.3 rad is plain, of 0.05 hardly."""
    generator = torch.Generator().manual_seed(0)
    eye = torch.eye(NUM_FEATURES)[None]
    mixture = PoseMixture(torch.ones(1), torch.zeros(1, NUM_FEATURES), eye / 0.1)
    turns = 0.1 * torch.randn(300, NUM_FEATURES, generator=generator).unflatten(-1, (-1, 3))
    pose = torch.eye(3).repeat(300, 23, 1, 1)
    pose[:, :21] = roma.rotvec_to_rotmat(turns)
    poses = PoseSet(rotmat_to_rot6d(pose), torch.full((300,), 1 / 300))
    torch.manual_seed(0)
    vae = PoseVAE(PoseVAEConfig(latent=4, hidden=16)).eval().requires_grad_(False)
    sets = {"train": poses, "val": poses, "test": poses}
    report = judge_priors(sets, mixture, vae, load_body("toy"))
    rows = {row.energy: row for row in report.rows if row.split == "val"}
    chances = rows["mixture, nats"].auc
    assert list(chances) == sorted(chances)
    assert chances[0] < 0.95
    assert chances[-1] > 0.999
    # Noise and poses of one width: the mean given the noise halves the shaken rotations.
    shaken, pulled = (
        report.back_mm["val"][name] for name in ("as shaken", "mixture, mean given the noise")
    )
    at = NOISES_RAD.index(0.1)
    assert pulled[at] == pytest.approx(shaken[at] / 2**0.5, rel=0.06)
    assert report.nearest_mm["true, val"] == pytest.approx(0, abs=0.01)
    assert "| val | mixture, nats |" in report.table()
    assert len(report.summary()["rows"]) == 8
