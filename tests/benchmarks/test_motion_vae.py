"""The motion autoencoder's benchmarks: the ablation's rows on made clips."""

import pytest
import torch

from made_clips import made_clip
from motionfield.benchmarks.motion_vae import MotionVAEReport
from motionfield.benchmarks.motion_vae_ablation import VARIATIONS, Mixed, Trial, ablation
from motionfield.body.registry import load_body
from motionfield.core.progress import silent
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.training.loop import LoopConfig

_LINEAR = MotionVAEConfig(frames=12, latent=8, frequencies=4)
_SMALL = MotionVAEConfig(form="recurrent", frames=12, latent=8, hidden=8)


@pytest.fixture(scope="module")
def report() -> MotionVAEReport:
    clips = {split: [made_clip(40)] for split in ("train", "val", "test")}
    trial = Trial(clips, load_body("toy"), LoopConfig(steps=3), _SMALL, silent, plain_windows=50)
    return ablation(trial, MotionVAE(_LINEAR))


def test_every_row_is_judged_on_every_split(report: MotionVAEReport) -> None:
    assert list(report.rows)[:4] == list(VARIATIONS)
    assert len(report.rows) == 8
    table = report.table().splitlines()
    assert len(table) == 2 + 8
    assert len({line.count("|") for line in table}) == 1
    assert report.summary()["RR"]["test"][0] == report.rows["RR"]["test"].mpjpe.mean


def test_rows_differ_by_what_they_saw(report: MotionVAEReport) -> None:
    errors = [by_split["val"].mpjpe.mean for by_split in report.rows.values()]
    assert len(set(errors)) == 8


def test_halves_of_two_autoencoders() -> None:
    torch.manual_seed(0)
    one, other = MotionVAE(_LINEAR).eval(), MotionVAE(_SMALL).eval()
    windows = torch.randn(3, 12, 24, 6)
    mixed = Mixed(encoder=one, decoder=other)
    torch.testing.assert_close(mixed.autoencode(windows), other.decode(one.encode(windows)[0]))
