"""Windows over clips of any length: every frame is answered, seams leave no jump."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import roma
import torch

from motionfield.core.progress import Bar
from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaOutput
from motionfield.steps.lift.meva.windows import cut, run_windows, window_starts


def clip(frames: int) -> CropFeatures:
    """Features that tell the frame's number (in ``size``)."""
    number = torch.arange(frames).float()
    return CropFeatures(
        points=torch.ones(frames, 33, 3),
        coarse=torch.ones(frames, 33, 3),
        coarse_known=torch.ones(frames),
        path=torch.zeros(frames, 2),
        size=number + 1,
        turning=torch.ones(frames, 3),
        turning_known=torch.ones(frames),
        seen=torch.ones(frames),
        R_camera_crop=torch.eye(3).expand(frames, 3, 3),
    )


class Numbering:
    """Says the number of each frame, turned by as many hundredths; counts what it is asked.

    Each window errs by its own constant.
    """

    def __init__(self, error: float = 0.0) -> None:
        self.error = error
        self.most_windows = 0
        self.windows = 0

    @staticmethod
    def turn(value: torch.Tensor) -> torch.Tensor:
        axis = torch.nn.functional.normalize(torch.tensor([1.0, 2.0, -1.0]), dim=0)
        return roma.rotvec_to_rotmat(0.01 * value.unsqueeze(-1) * axis)

    def __call__(self, features: CropFeatures) -> MevaOutput:
        number = features.size - 1
        self.most_windows = max(self.most_windows, len(number))
        wrong = self.error * (torch.arange(len(number)) + self.windows) % 2
        self.windows += len(number)
        value = number + wrong.unsqueeze(-1)
        turn = self.turn(value)
        pose = turn.unsqueeze(2).expand(*number.shape, 23, 3, 3)

        def repeated(count: int) -> torch.Tensor:
            return value.unsqueeze(-1).expand(*number.shape, count)

        return MevaOutput(
            root=turn,
            body_pose=pose,
            betas=repeated(10),
            camera=repeated(3),
            contacts=repeated(2),
            up=turn[..., 2],
            velocity=repeated(3),
            joints_sd=repeated(24),
            coarse_root=turn,
            coarse_pose=pose,
        )


@pytest.mark.parametrize("frames", [1, 2, 89, 90, 91, 149, 150, 151, 240, 1000])
def test_windows_cover_every_frame(frames: int) -> None:
    starts = window_starts(frames, 30)
    covered = {frame for start in starts for frame in range(start, min(start + WINDOW, frames))}
    assert covered == set(range(frames))
    assert starts == sorted(set(starts))
    assert starts[-1] == max(frames - WINDOW, 0)
    assert all(b - a <= 60 for a, b in pairwise(starts))


@pytest.mark.parametrize("frames", [1, 2, 50, 90, 91, 333])
def test_agreeing_windows_give_what_they_say(frames: int) -> None:
    said = run_windows(Numbering(), clip(frames), overlap=30, batch=4)
    torch.testing.assert_close(said.velocity[:, 0], torch.arange(frames).float())
    truth = Numbering.turn(torch.arange(frames).float())
    torch.testing.assert_close(said.root, truth, atol=1e-5, rtol=0)
    torch.testing.assert_close(said.up, said.root[..., 2])
    assert said.body_pose.shape == (frames, 23, 3, 3)


def test_windows_that_differ_go_over_smoothly() -> None:
    """Two neighbours differ by 1: no step of the blend is larger than it has to be."""
    said = run_windows(Numbering(error=1.0), clip(600), overlap=30, batch=4)
    error = said.velocity[:, 0] - torch.arange(600)
    assert error.min() > -1e-3
    assert error.max() < 1 + 1e-3
    assert error.max() - error.min() > 0.9
    assert error.diff().abs().max() < 1.6 / 30
    assert error.diff(n=2).abs().max() < 7 / 30**2


def test_few_windows_are_in_the_network_at_a_time() -> None:
    network = Numbering()
    run_windows(network, clip(3000), overlap=30, batch=5)
    assert network.most_windows == 5
    assert network.windows == len(window_starts(3000, 30))


def test_beyond_the_end_nothing_is_seen() -> None:
    window = cut(clip(40), torch.tensor([0]))
    assert window.seen[0].tolist() == [1.0] * 40 + [0.0] * 50
    for unseen in (window.points, window.coarse, window.coarse_known, window.turning_known):
        assert not unseen[0, 40:].any()
    assert (window.size[0, 40:] == 40).all()
    torch.testing.assert_close(window.inputs[0, :39], clip(40).inputs[:39])
    assert torch.isfinite(window.inputs).all()


def test_the_bar_moves_and_ends_full() -> None:
    steps: list[int] = []

    class Counting(Bar):
        def advance(self, amount: int = 1) -> None:
            steps.append(amount)

    run_windows(Numbering(), clip(1000), 30, 4, lambda stage, total, unit="frame": Counting())
    assert sum(steps) == 1000
    assert len(steps) == 5


MEASURE = """
import resource, sys
import numpy as np, torch
torch.set_num_threads(1)
from motionfield.steps.lift.meva.network import MevaConfig, MevaNetwork
from motionfield.priors.motion_vae import MotionVAEConfig
from motionfield.steps.lift import LiftConfig, MevaLifter
from steps.lift.made_worlds import make_world
world, frames = make_world(), int(sys.argv[1])
index = np.arange(frames) % 40
names = ("keypoints_2d", "coarse_camera", "frame_index", "observed")
repeated = {name: getattr(world.keypoints, name)[index] for name in names}
keypoints = world.keypoints.replace(**repeated, time_s=np.arange(frames) / 30)
camera = world.camera.at_frames(index)
torch.manual_seed(0)
small = MevaConfig(width=16, heads=2, layers=1, refine_layers=1, vae=MotionVAEConfig(latent=8))
network = MevaNetwork(world.body, small)
with torch.no_grad():
    for value in network.parameters():
        value += 0.05 * torch.randn_like(value)
MevaLifter(LiftConfig(), world.body, network).lift(keypoints, camera)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_is_that_of_the_records() -> None:
    """What a frame more costs is a few times what its records hold (2 kB), not the network's."""

    def peak_kb(frames: int) -> int:
        path = [str(Path(__file__).parents[2]), *sys.path]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(frames)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    per_frame_kb = (peak_kb(20000) - peak_kb(4000)) / 16000
    assert per_frame_kb < 12
