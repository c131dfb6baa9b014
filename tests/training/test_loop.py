"""The training loop: it minimises, and a cut run ends where an uncut one does."""

import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from motionfield.core.errors import InputError, OptionError, OutputError
from motionfield.training.curve_plot import draw_curve
from motionfield.training.loop import LoopConfig, Losses, Plateau, finish, train

_CONFIG = LoopConfig(steps=100, learning_rate=0.05, checkpoint_s=0.0)
_TRUE = torch.tensor([[1.0, -2.0, 0.5]])


class _CutError(Exception):
    pass


def _model() -> nn.Module:
    torch.manual_seed(5)
    # With dropout, whose chance has to be resumed too.
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 1, bias=False))


class _Line:
    """Fits a line to noisy points; stops at a step, as a machine does that is switched off."""

    def __init__(self, model: nn.Module, cut_at: int | None = None) -> None:
        self.model, self.cut_at, self.calls = model, cut_at, 0

    def __call__(self, generator: torch.Generator) -> Losses:
        self.calls += 1
        if self.calls == self.cut_at:
            raise _CutError
        x = torch.randn(64, 3, generator=generator)
        return {"fit": (self.model(x) - x @ _TRUE.T).square().mean()}


def _weights(model: nn.Module) -> Tensor:
    return next(model.parameters()).detach()


def test_the_loss_falls_and_the_line_is_found(tmp_path: Path) -> None:
    model = nn.Linear(3, 1, bias=False)
    curve = train(model, _Line(model), replace(_CONFIG, steps=400), tmp_path / "w")
    torch.testing.assert_close(_weights(model), _TRUE, atol=0.01, rtol=0)
    assert curve.rows[-1][1] < 0.05 * curve.rows[0][1]
    lines = (tmp_path / "w.curve.csv").read_text().splitlines()
    assert lines[0] == "step,fit"
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(20, 401, 20))


def test_a_cut_run_goes_on_to_the_same_result(tmp_path: Path) -> None:
    whole, cut, resumed = _model(), _model(), _model()
    whole_curve = train(whole, _Line(whole), _CONFIG, tmp_path / "whole", seed=3)
    with pytest.raises(_CutError):
        train(cut, _Line(cut, cut_at=57), _CONFIG, tmp_path / "cut", seed=3)
    rest = _Line(resumed)
    curve = train(resumed, rest, _CONFIG, tmp_path / "cut", seed=3)
    assert rest.calls == 60
    assert torch.equal(_weights(resumed), _weights(whole))
    assert curve.rows == whole_curve.rows
    finish(tmp_path / "cut")
    assert not (tmp_path / "cut.checkpoint").exists()


def test_another_seed_gives_another_result(tmp_path: Path) -> None:
    a, b = _model(), _model()
    for seed, model in ((0, a), (1, b)):
        train(model, _Line(model), _CONFIG, tmp_path / str(seed), seed=seed)
    assert not torch.equal(_weights(a), _weights(b))


def test_foreign_and_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    model = _model()
    with pytest.raises(_CutError):
        train(model, _Line(model, cut_at=57), _CONFIG, tmp_path / "w")
    with pytest.raises(InputError, match="is of a training with other options"):
        train(model, _Line(model), replace(_CONFIG, steps=120), tmp_path / "w")
    with pytest.raises(InputError, match="is of a training with other options"):
        train(model, _Line(model), _CONFIG, tmp_path / "w", made_of="other data")
    (tmp_path / "w.checkpoint").write_bytes(b"PK no checkpoint")
    with pytest.raises(InputError, match="damaged checkpoint"):
        train(model, _Line(model), _CONFIG, tmp_path / "w")


def test_a_judge_lowers_the_rate_and_keeps_the_best(tmp_path: Path) -> None:
    """The judge likes the third judgement best, and then nothing for a while."""
    model = nn.Linear(3, 1, bias=False)
    errors = iter([5.0, 4.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    seen: list[Tensor] = []

    def judge() -> float:
        assert not model.training
        seen.append(_weights(model).clone())
        return next(errors)

    config = replace(_CONFIG, steps=80, learning_rate=0.05)
    plateau = Plateau(every=10, factor=0.01, patience=1)
    train(model, _Line(model), config, tmp_path / "w", judged=(plateau, judge))
    assert len(seen) == 8
    assert torch.equal(_weights(model), seen[2])
    moved = [float((a - b).norm()) for a, b in pairwise(seen)]
    # After two judgements without gain the rate falls to a hundredth.
    assert moved[3] > 20 * moved[5]


def test_a_cut_judged_run_goes_on_to_the_same_result(tmp_path: Path) -> None:
    whole, cut, resumed = _model(), _model(), _model()
    plateau = Plateau(every=10, factor=0.5, patience=0)

    def judge(model: nn.Module):  # type: ignore[no-untyped-def]
        return plateau, lambda: float((_weights(model) - _TRUE).norm())

    train(whole, _Line(whole), _CONFIG, tmp_path / "whole", judged=judge(whole))
    with pytest.raises(_CutError):
        train(cut, _Line(cut, cut_at=77), _CONFIG, tmp_path / "cut", judged=judge(cut))
    train(resumed, _Line(resumed), _CONFIG, tmp_path / "cut", judged=judge(resumed))
    assert torch.equal(_weights(resumed), _weights(whole))


def test_losses_that_are_no_numbers_end_it(tmp_path: Path) -> None:
    model = _model()
    with pytest.raises(OptionError, match="no numbers at step 20"):
        train(
            model, lambda g: {"fit": _Line(model)(g)["fit"].log() * 0 / 0}, _CONFIG, tmp_path / "w"
        )


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    model = nn.Linear(3, 1, bias=False)
    train(model, _Line(model), _CONFIG, tmp_path / "w.safetensors")
    picture = cv2.imread(str(tmp_path / "w.curve.png"))
    assert picture is not None
    dark = (picture < 100).any(-1)
    # The term falls: its line is higher in the picture at the left than at the right.
    left, right = (
        np.nonzero(dark[40:385, part])[0].mean() for part in (slice(240, 260), slice(800, 880))
    )
    assert left < right - 50


def test_the_curve_of_odd_terms_is_drawn(tmp_path: Path) -> None:
    """Zeros, one row, and more rows than the picture is wide."""
    for rows in ([[20.0, 0.0, -1.0]], [[float(k), 0.0, 1.0] for k in range(1, 3000)], []):
        draw_curve(("a", "b"), rows, tmp_path / f"{len(rows)}.png")
    assert {p.name for p in tmp_path.iterdir()} == {"1.png", "2999.png"}
    with pytest.raises(OutputError, match="cannot be written"):
        draw_curve(("a",), [[1.0, 1.0]], tmp_path / "missing" / "x.png")


_PROGRAM = """
import sys, torch
from pathlib import Path
from torch import nn
from motionfield.training.loop import LoopConfig, train
torch.manual_seed(0)
model = nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 1))
def losses(generator):
    x = torch.randn(64, 3, generator=generator)
    return {"fit": (model(x) - x.sum(1, keepdim=True)).square().mean()}
path, config = Path(sys.argv[1]), LoopConfig(steps=int(sys.argv[2]), checkpoint_s=0.0)
train(model, losses, config, path, seed=3)
torch.save(model.state_dict(), path)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_result(tmp_path: Path) -> None:
    """Killed while it writes checkpoints all the time: never a damaged one."""

    def start(name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _PROGRAM, str(tmp_path / name), "600"])

    assert start("whole").wait() == 0
    killed = start("cut")
    checkpoint = tmp_path / "cut.checkpoint"
    while not checkpoint.exists():
        assert killed.poll() is None
        time.sleep(0.002)
    time.sleep(0.05)
    killed.kill()
    assert killed.wait() != 0
    assert not (tmp_path / "cut").exists()
    assert start("cut").wait() == 0
    whole, cut = (torch.load(tmp_path / name) for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert (tmp_path / "whole.curve.csv").read_bytes() == (tmp_path / "cut.curve.csv").read_bytes()


def test_terms_may_change_on_the_way(tmp_path: Path) -> None:
    model, calls = _model(), 0

    def losses(generator: torch.Generator) -> Losses:
        nonlocal calls
        calls += 1
        terms = _Line(model)(generator)
        return terms if calls <= 40 else {"other": 2 * terms["fit"], "more": terms["fit"] * 0 + 3}

    curve = train(model, losses, _CONFIG, tmp_path / "line.safetensors")
    assert curve.names == ["fit", "other", "more"]
    known = [[not np.isnan(value) for value in row[1:]] for row in curve.rows]
    assert known == [[True, False, False]] * 2 + [[False, True, True]] * 3
    assert curve.rows[-1][3] == pytest.approx(3.0)
    assert (tmp_path / "line.curve.png").exists()
