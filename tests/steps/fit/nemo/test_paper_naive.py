"""The fast step against its naive twin: the same loss, the same gradients."""

import pytest
import torch

from motionfield.benchmarks.nemo_naive import LoopBody, NaiveNemo
from motionfield.body.toy import toy_parts
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.priors.pose_vae import PoseVAE
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import PaperLoss, PaperModel, draw_frames, see
from steps.fit.nemo.made_group import made_group

SMALL = PaperNemoConfig(
    hidden=(40, 40), sigmoids=20, rbf_features=12, initial_3d=100.0, camera_start="root", batch=None
)


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        PaperNemoConfig(hidden=(40,), sigmoids=20, encoding="quadratic", focal_px=5000.0),
        PaperNemoConfig(hidden=(40,), instance_specific=False, pose_vae=0.0),
    ],
)
def test_equals_its_naive_twin(config: PaperNemoConfig) -> None:
    group = made_group((12, 9))
    parts = toy_parts()
    parts = parts._replace(
        joints=parts.joints.float(),
        joint_directions=parts.joint_directions.float(),
        keypoints={
            name: points._replace(
                joint_weight=points.joint_weight.float(),
                offset=points.offset.float(),
                directions=points.directions.float(),
            )
            for name, points in parts.keypoints.items()
        },
    )
    seen = see(group.takes, config)
    model = PaperModel(config, group.takes, seen, group.body)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        model.codes.copy_(torch.randn(model.codes.shape, generator=generator))
        model.phases.shift.add_(0.1 * torch.rand(model.phases.shift.shape, generator=generator))
        shake = torch.randn(model.field.turn.weight.shape, generator=generator)
        model.field.turn.weight.add_(0.02 * shake)
    priors = PoseMixture.load(), PoseVAE.load()
    fast = PaperLoss(config, seen, group.body, priors).whole(model, *draw_all(seen))
    slow = NaiveNemo(config, model, seen, LoopBody(parts), priors).whole()
    assert float(fast.detach()) == pytest.approx(float(slow.detach()), rel=1e-4)
    learnt = [p for p in model.parameters() if p.requires_grad]
    pairs = zip(
        torch.autograd.grad(fast, learnt, allow_unused=True),
        torch.autograd.grad(slow, learnt, allow_unused=True),
        strict=True,
    )
    used = 0
    for a, b in pairs:
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            used += 1
            # The translation's bias cancels: its gradient is rounding.
            assert (a - b).norm() <= 2e-3 * b.norm() + 1e-6 * float(slow.detach())
    assert used >= 8


def draw_all(seen):  # type: ignore[no-untyped-def]
    return draw_frames(seen, None, torch.Generator())
