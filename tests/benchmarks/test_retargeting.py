"""The measure of retargeting: what is perfect scores so, what is wrong is seen."""

import dataclasses
import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import roma
import torch

from made_mocap import write_made_shard
from motionfield.benchmarks.retargeting import (
    RetargetingReport,
    draw_sheets,
    measure_retargeting,
)
from motionfield.benchmarks.retargeting_score import score_clip
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.core.errors import InputError, OptionError
from motionfield.data.motion import Motion
from motionfield.formats.mocap_npz import MocapClip, read_mocap
from motionfield.worlds.mocap import retarget
from motionfield.worlds.mocap_calibration import calibrate_subject


class Made(NamedTuple):
    folder: Path
    clip: MocapClip
    motion: Motion
    body: Body


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = Path(tmp_path_factory.mktemp("made"))
    body = load_body("anny")
    write_made_shard(folder / "cmu_dm.npz", body)
    shard = read_mocap(folder / "cmu_dm.npz")
    clip = shard.clip(shard.find("squats"))
    return Made(folder, clip, retarget(clip, body, calibrate_subject(shard, "one", body)), body)


@pytest.fixture(scope="module")
def report(made: Made) -> RetargetingReport:
    return measure_retargeting(made.folder)


def test_our_own_skeleton_scores_as_it_should(report: RetargetingReport) -> None:
    (name, figures), *others = report.summary().items()
    assert (name, others) == ("cmu_dm/val", [])
    assert figures["clips"] == 2
    assert figures["minutes"] == pytest.approx(1400 / 30 / 60)
    assert figures["error_p95_mm"] < 6
    assert figures["slide_mm"] < 0.2
    assert figures["wrong_bends_percent"] == 0
    assert figures["mirror_mm"] < 1
    assert figures["unobserved_percent"] == 0
    assert figures["trunk_outside_percent"] == 0
    assert abs(figures["sole_p5_mm"]) < 12


def test_the_table_has_a_row_per_split(report: RetargetingReport) -> None:
    lines = report.table().splitlines()
    rows = [line for line in lines if line.startswith("| cmu_dm | val |")]
    assert len(rows) == 2
    heads = [line for line in lines if line.startswith("| shard")]
    assert [row.count("|") for row in rows] == [head.count("|") for head in heads]


def test_errors_are_distances(made: Made) -> None:
    shifted = dataclasses.replace(
        made.motion, transl=made.motion.transl + np.array([0.03, 0.04, 0.0], dtype=np.float32)
    )
    score = score_clip(made.clip, shifted, made.body, 0.0)
    for group in ("hip", "ankle", "wrist"):
        np.testing.assert_allclose(score.errors_m[group], 0.05, atol=2e-3)


def test_a_wrong_bend_a_slide_and_a_hole_are_seen(made: Made) -> None:
    pose = made.motion.body_pose.copy()
    backward = roma.rotvec_to_rotmat(torch.tensor([math.radians(-30), 0.0, 0.0])).numpy()
    pose[:70, JOINT_INDEX["left_knee"] - 1] = backward
    frames = made.motion.num_frames
    observed = np.arange(frames) >= 35
    transl = made.motion.transl.copy()
    transl[:, 0] += 0.01 * np.arange(frames)
    wrong = dataclasses.replace(made.motion, body_pose=pose, transl=transl, observed=observed)
    score = score_clip(made.clip, wrong, made.body, 0.0)
    assert (score.flexion_deg < -20).sum() == 35
    assert len(score.errors_m["hip"]) == 2 * (frames - 35)
    assert score.slide_source_m.mean() < 1e-4
    np.testing.assert_allclose(np.median(score.slide_m), 0.01, atol=1e-3)


def test_sheets_are_drawn(made: Made, tmp_path: Path) -> None:
    (sheet,) = draw_sheets(made.folder, tmp_path / "sheets")
    picture = cv2.imread(str(sheet))
    assert picture.shape == (2 * 420, 9 * 150, 3)
    assert (picture < 200).mean() > 0.03


def test_folders_without_shards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="give --data DIR"):
        measure_retargeting(None)
    with pytest.raises(InputError, match="holds no shard"):
        measure_retargeting(tmp_path)
