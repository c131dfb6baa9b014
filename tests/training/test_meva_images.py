"""MEVA on image features: losses, windows, and a small network that learns from made videos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from formats.datasets.make_training_files import prepared_table, write_prepared
from motionfield.body.registry import load_body
from motionfield.cli.main import main
from motionfield.core.errors import OptionError
from motionfield.geometry.rotations import rotmat_to_rot6d
from motionfield.priors.motion_vae import MotionVAE, MotionVAEConfig
from motionfield.steps.lift.meva.network_paper import (
    CROP_SIZE,
    PaperConfig,
    PaperMeva,
    PaperOutput,
    project_box,
)
from motionfield.training import meva_images
from motionfield.training.card import check_card
from motionfield.training.loop import LoopConfig, Plateau
from motionfield.training.meva_images import (
    PRESETS,
    ImageTraining,
    judge,
    start_decoder,
    train_on,
)
from motionfield.training.meva_images_data import (
    JOINT_NAMES,
    POINT_NAMES,
    ImageTruth,
    WindowChoice,
    WindowPool,
)
from motionfield.training.meva_images_losses import ImageLossWeights, image_losses, posed_output
from motionfield.training.meva_images_sources import FoundVideos
from training.made_image_videos import WIDTH, made_output, made_video

LENGTH = 6
BODY = load_body("toy")
VAE = MotionVAEConfig(form="recurrent", frames=LENGTH, latent=8, hidden=8)
SMALL = ImageTraining(
    body="toy",
    model=PaperConfig(
        width=WIDTH,
        encoder_hidden=32,
        motion_hidden=16,
        layers=1,
        latent=8,
        refiner_hidden=128,
        dropout=0.1,
    ),
    loop=LoopConfig(steps=150, learning_rate=4e-3, clip_norm=1e9),
    plateau=Plateau(every=75),
    batch=24,
    windows=WindowChoice(length=LENGTH),
)


def _truth(video: int = 0) -> tuple[PaperOutput, ImageTruth]:
    truth = made_video(LENGTH, video).window(0, LENGTH)[1]
    return made_output(LENGTH, video), ImageTruth(*(part[None] for part in truth))


def _found(deep: bool = True) -> FoundVideos:
    train = [made_video(24, seed, deep) for seed in range(30)]
    train += [made_video(24, seed, False, "instavariety") for seed in range(50, 60)]
    return FoundVideos(train, [made_video(24, s) for s in range(70, 74)], [], ("3dpw", "penn"))


def _decoder() -> MotionVAE:
    torch.manual_seed(7)
    return MotionVAE(VAE)


def test_each_loss_is_zero_at_the_truth_and_positive_elsewhere() -> None:
    output, truth = _truth()
    for value in image_losses(output, truth, BODY).values():
        assert float(value) < 1e-8
    turned = made_output(LENGTH, 1)
    changes = {
        "camera": ({"camera": output.camera + 0.1}, {"points"}),
        "betas": ({"betas": output.betas + 1}, {"points", "joints", "betas"}),
        "rot6d": ({"rot6d": turned.rot6d}, {"points", "joints", "pose"}),
    }
    for change, felt in changes.values():
        found = image_losses(output._replace(**change), truth, BODY)
        assert {name for name, value in found.items() if float(value) > 1e-6} == felt


def test_weights_are_the_published_ones() -> None:
    """Each term against its formula written out, 1 at a time."""
    output, truth = _truth()
    other = made_output(LENGTH, 1)._replace(camera=output.camera + 0.2)
    found = image_losses(other, truth, BODY)
    posed = posed_output(other, BODY)
    shown = project_box(posed.points, other.camera)
    assert float(found["points"]) == pytest.approx(
        300 * float((shown - truth.points[..., :2]).square().mean()), rel=1e-4
    )
    assert float(found["pose"]) == pytest.approx(
        60 * float((posed.pose - truth.pose).square().mean()), rel=1e-4
    )
    assert float(found["betas"]) == pytest.approx(
        0.06 * float((other.betas - truth.betas).square().mean()), rel=1e-4
    )
    alone = image_losses(other, truth, BODY, ImageLossWeights(joints=1))
    assert float(found["joints"]) == pytest.approx(300 * float(alone["joints"]), rel=1e-5)


def test_only_what_is_known_counts() -> None:
    output, truth = _truth()
    other = made_output(LENGTH, 1)
    nothing = ImageTruth(
        truth.points * truth.points.new_tensor([1, 1, 0]),
        *(torch.full_like(part, torch.nan) for part in truth[1:]),
    )
    assert all(float(value) == 0 for value in image_losses(other, nothing, BODY).values())
    # A frame without 3D and a family without points change nothing of the others' mean.
    part = truth._replace(joints=truth.joints.clone())
    part.joints[:, :, :24] = torch.nan
    of_lsp = image_losses(other, part, BODY)["joints"]
    part.joints[:, 3] = torch.nan
    assert float(of_lsp) > 0
    assert float(image_losses(other, part, BODY)["joints"]) == pytest.approx(float(of_lsp), rel=0.5)
    assert float(image_losses(output, part, BODY)["joints"]) < 1e-8


def test_where_the_body_is_moves_no_3d_loss() -> None:
    output, truth = _truth()
    moved = truth._replace(joints=truth.joints + 5)
    assert float(image_losses(output, moved, BODY)["joints"]) < 1e-6


def test_projection_is_the_published_one() -> None:
    """Against its formula: focal length 5000, a crop of 224 pixels, depth 2 * 5000 / (224 s)."""
    points = torch.randn(3, 4, 5, 3, generator=torch.Generator().manual_seed(0))
    camera = torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(1)) + 0.3
    s, tx, ty = camera.unbind(-1)
    depth = points[..., 2] + (2 * 5000 / (224 * s)).unsqueeze(-1)
    u = 5000 * (points[..., 0] + tx.unsqueeze(-1)) / depth / 112
    v = 5000 * (points[..., 1] + ty.unsqueeze(-1)) / depth / 112
    torch.testing.assert_close(project_box(points, camera), torch.stack((u, v), -1))
    assert pytest.approx(0.0448) == CROP_SIZE


def test_windows_overlap_as_asked_and_batches_are_mixed() -> None:
    choice = WindowChoice()
    assert list(choice.starts("3dpw", 180)) == list(range(0, 91, 22))
    assert list(choice.starts("h36m", 180)) == [0, 45, 90]
    assert list(choice.starts("instavariety", 180)) == [0, 90]
    assert list(choice.starts("3dpw", 89)) == []
    pool = WindowPool(_found().train, SMALL.windows)
    batch = pool.draw(10, torch.Generator().manual_seed(0))
    flat = torch.isnan(batch.truth.pose).flatten(1).all(1)
    assert flat.tolist() == [True] * 6 + [False] * 4
    again = pool.draw(10, torch.Generator().manual_seed(0))
    assert torch.equal(batch.features, again.features)
    with pytest.raises(OptionError, match="none of 1 videos has 90 frames"):
        WindowPool([made_video(20, 0)], WindowChoice())


def test_a_small_network_learns(tmp_path: Path) -> None:
    """Half the loss is gone, and poses are better than the mean pose's."""
    found = _found()
    report = train_on(found, _decoder(), tmp_path / "w.safetensors", SMALL)
    rows = (tmp_path / "w.curve.csv").read_text().splitlines()
    first, last = (sum(float(v) for v in rows[at].split(",")[1:]) for at in (1, -1))
    assert last < 0.5 * first
    held = WindowPool(found.validation, SMALL.windows)

    class Mean(PaperMeva):  # type: ignore[misc]
        """The mean 6D pose of the training videos, whatever it is shown."""

        def forward(self, features: torch.Tensor) -> PaperOutput:
            known = torch.tensor(np.concatenate([v.pose for v in found.train if v.has_3d]))
            mean = rotmat_to_rot6d(known).mean(0).flatten().expand(*features.shape[:2], 144)
            zero = torch.zeros(*features.shape[:2], 10)
            return PaperOutput(mean, zero, zero[..., :3] + 1, mean)

    sizes = replace(SMALL.model, inputs=WIDTH)
    mean = judge(Mean(sizes, _decoder()), held, BODY)
    assert report.figures.pa_mpjpe_mm < 0.8 * mean.pa_mpjpe_mm
    assert report.figures.mpjpe_mm < 0.7 * mean.mpjpe_mm
    assert not (tmp_path / "w.safetensors.checkpoint").exists()


def test_ablations_differ_where_they_should(tmp_path: Path) -> None:
    short = replace(SMALL, loop=replace(SMALL.loop, steps=20), plateau=Plateau(every=20))
    results = {}
    for name, change in (("full", {}), ("vme", {"vme_only": True}), ("own", {"without_vae": True})):
        config = replace(short, model=replace(short.model, **change))
        decoder = start_decoder(config) if name == "own" else _decoder()
        before = {n: t.clone() for n, t in decoder.state_dict().items()}
        results[name] = train_on(_found(), decoder, tmp_path / f"{name}.safetensors", config)
        kept = all(torch.equal(t, before[n]) for n, t in decoder.state_dict().items())
        assert kept is (name != "own")
    again = train_on(_found(), _decoder(), tmp_path / "again.safetensors", short)
    assert again.figures == results["full"].figures
    network = PaperMeva.load(tmp_path / "vme.safetensors")
    out = network(torch.randn(2, LENGTH, WIDTH))
    assert torch.equal(out.rot6d, out.coarse)
    assert results["full"].figures.pa_mpjpe_mm < results["vme"].figures.pa_mpjpe_mm


def test_the_command_writes_weights_and_a_card_that_says_whose_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_prepared(tmp_path / "data" / "3dpw_train_db.pt", prepared_table(24, 16))
    write_prepared(tmp_path / "data" / "3dpw_val_db.pt", prepared_table(10, 16))
    vae = tmp_path / "vae.safetensors"
    _decoder().save(vae)
    quick = replace(SMALL, vae=vae, batch=4)
    monkeypatch.setitem(meva_images.PRESETS, "default", quick)
    output = tmp_path / "w.safetensors"
    words = ["train", "meva_images", "--data", str(tmp_path / "data"), "--steps", "2", "--quiet"]
    assert main([*words, "-o", str(output), "--free-data"]) == 2
    assert "none of its data sets is free" in capsys.readouterr().err
    assert main([*words, "-o", str(output)]) == 0
    told = capsys.readouterr().out
    assert "3DPW: 2 videos to train on" in told
    assert "Penn Action: left out, no videos with features" in told
    assert "UNVERIFIED: the reader of 3DPW has never seen the real files" in told
    rows = check_card(output)
    assert "research only, not to be used commercially" in rows["Licence"]
    assert "3DPW: non-commercial research" in rows["Licence"]
    assert rows["Command"] == "`motionfield train meva_images --data DIR --steps 2`"
    assert "published: 58.6 million" in rows["Size"]
    assert "UNVERIFIED" in output.with_suffix(".md").read_text()
    assert PaperMeva.load(output, "toy").config.inputs == 16


def test_presets() -> None:
    paper = PRESETS["paper"]
    assert (paper.loop.steps, paper.loop.learning_rate, paper.loop.weight_decay) == (50000, 5e-5, 0)
    assert (paper.plateau.every, paper.plateau.factor, paper.plateau.patience) == (500, 0.1, 5)
    assert int(paper.batch * paper.windows.share_2d) == 19
    assert paper.model == PaperConfig()
    assert len(POINT_NAMES) == 39
    assert len(JOINT_NAMES) == 38
