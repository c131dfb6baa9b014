"""How fast the body is: joints and 60 keypoints, forward and backward, in three ways.

    motionfield benchmark body_speed

The gradient goes to rotations, translation and betas. Ways: this body's path, a plain loop over
joints on the same arrays, and anny itself (its own classes, whole mesh, COCO regressor), where
it is installed.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import roma
import torch
from torch import Tensor
from torch.nn.functional import pad

from motionfield.body.anny import load_anny_parts
from motionfield.body.parts import BodyParts, SkinnedPoints
from motionfield.body.skinned import SkinnedBody
from motionfield.core.conventions import JOINT_PARENTS, NUM_JOINTS
from motionfield.core.progress import Progress, silent

_SET: Final = "sixty"
_ANNY_FRAMES: Final = 100
"""anny poses its whole mesh: more frames at once would take gigabytes."""


class Pose(NamedTuple):
    """Leaves of the graph."""

    global_orient: Tensor
    body_pose: Tensor
    transl: Tensor
    betas: Tensor


class Timing(NamedTuple):
    """Milliseconds for all frames."""

    median_ms: float
    min_ms: float
    cpu_ms: float
    """Median of the processor's own time, which a busy machine does not lengthen."""

    def __str__(self) -> str:
        return f"{self.median_ms:9.2f} ms, least {self.min_ms:.2f}, processor {self.cpu_ms:.2f}"


def sixty_points(parts: BodyParts) -> SkinnedPoints:
    """BlazePose's 33 points, OpenPose's 25, LSP's neck and head top: 60 in one set."""
    names = ("blazepose33", "openpose25", "lsp14")
    slots = max(parts.keypoints[name].joint_index.shape[1] for name in names)
    fields: list[list[Tensor]] = [[], [], [], []]
    for name in names:
        points = parts.keypoints[name]
        first = -2 if name == "lsp14" else 0
        more = slots - points.joint_index.shape[1]
        fields[0].append(pad(points.joint_index, (0, more))[first:])
        fields[1].append(pad(points.joint_weight, (0, more))[first:])
        fields[2].append(pad(points.offset, (0, 0, 0, more))[first:])
        fields[3].append(pad(points.directions, (0, 0, 0, more))[:, first:])
    axes = (0, 0, 0, 1)
    return SkinnedPoints(
        *(torch.cat(field, axis) for field, axis in zip(fields, axes, strict=True))
    )


def random_pose(frames: int, seed: int = 0) -> Pose:
    """Leaves with gradients, float32."""
    generator = torch.Generator().manual_seed(seed)
    rotvec = 0.5 * torch.randn(frames, NUM_JOINTS, 3, generator=generator)
    rotations = roma.rotvec_to_rotmat(rotvec)
    leaves = (
        rotations[:, 0].clone(),
        rotations[:, 1:].clone(),
        torch.randn(frames, 3, generator=generator),
        torch.randn(16, generator=generator),
    )
    return Pose(*(leaf.requires_grad_() for leaf in leaves))


def plain_loop(parts: BodyParts, points: SkinnedPoints, pose: Pose) -> tuple[Tensor, Tensor]:
    """The same in the straightforward way: small matrices, one joint after the other."""
    rest = parts.joints + torch.tensordot(pose.betas, parts.joint_directions, 1)
    rotations = [pose.global_orient]
    places = [rest[0] + pose.transl]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        step = (rest[joint] - rest[parent]).unsqueeze(-1)
        places.append(places[parent] + (rotations[parent] @ step).squeeze(-1))
        rotations.append(rotations[parent] @ pose.body_pose[:, joint - 1])
    joints, turned = torch.stack(places, dim=1), torch.stack(rotations, dim=1)
    offset = points.offset + torch.tensordot(pose.betas, points.directions, 1)
    moved = (turned[:, points.joint_index] @ offset.unsqueeze(-1)).squeeze(-1)
    moved = moved + points.joint_weight.unsqueeze(-1) * joints[:, points.joint_index]
    return joints, moved.sum(2)


def time_it(run: Callable[[], tuple[Tensor, Tensor]], pose: Pose, runs: int) -> Timing:
    """Forward, a weighted sum, backward; three runs to warm up are not counted."""
    wall, processor = [], []
    weights: tuple[Tensor, ...] = ()
    for _ in range(runs + 3):
        for leaf in pose:
            leaf.grad = None
        start, start_cpu = time.perf_counter(), time.process_time()
        results = run()
        if not weights:
            weights = tuple(torch.randn_like(result) for result in results)
        torch.autograd.backward(results, weights)
        wall.append(1e3 * (time.perf_counter() - start))
        processor.append(1e3 * (time.process_time() - start_cpu))
    return Timing(statistics.median(wall[3:]), min(wall[3:]), statistics.median(processor[3:]))


def time_anny(frames: int, runs: int) -> Timing:
    """anny's own path in pieces of 100 frames, to its pose matrices and phenotypes.

    Raises:
        ModuleNotFoundError: anny is not installed.
    """
    import anny
    from anny.keypoints import KeypointsRegressor

    model = anny.Anny(rig="anny").to(torch.float32)
    regressor = KeypointsRegressor.coco(model).to(torch.float32)
    count = min(frames, _ANNY_FRAMES)
    matrices = torch.eye(4).repeat(count, model.bone_count, 1, 1)
    matrices[..., :3, :3] = roma.rotvec_to_rotmat(0.2 * torch.randn(count, model.bone_count, 3))
    matrices.requires_grad_()
    phenotypes = {label: torch.tensor([0.5]) for label in model.phenotype_labels}
    leaves = [value.requires_grad_() for value in phenotypes.values()]

    def run() -> tuple[Tensor, Tensor]:
        result = model(pose_parameters=matrices, phenotype_kwargs=phenotypes)
        return result["bone_poses"][..., :3, 3], regressor(result)

    pose = Pose(matrices, leaves[0], leaves[1], leaves[2])
    return Timing(*(value * frames / count for value in time_it(run, pose, runs)))


class SpeedReport(NamedTuple):
    """The three ways, and whether the first two agree."""

    frames: int
    runs: int
    difference_mm: float
    """Largest difference between this body's path and the plain loop."""
    timings: dict[str, Timing]
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """The text that the command prints."""
        head = (
            f"joints and 60 keypoints of {self.frames} frames, forward and backward to rotations, "
            f"translation and betas; {torch.get_num_threads()} thread, median of {self.runs} runs"
        )
        agree = f"largest difference between the first two: {self.difference_mm:.4f} mm"
        rows = [f"{name:24s}{timing}" for name, timing in self.timings.items()]
        return "\n".join((head, agree, *rows, *self.notes))

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        timings = {name: timing._asdict() for name, timing in self.timings.items()}
        return {**self._asdict(), "timings": timings}


def benchmark_body_speed(
    data: Path | None = None, progress: Progress = silent, frames: int = 800, runs: int = 30
) -> SpeedReport:
    """Time the three ways on one thread.

    Args:
        data: not needed.
    """
    torch.set_num_threads(1)
    parts = load_anny_parts()
    points = sixty_points(parts)
    parts = parts._replace(keypoints={_SET: points})
    body = SkinnedBody(parts)
    pose = random_pose(frames)

    def fast() -> tuple[Tensor, Tensor]:
        return body.pose(*pose, keypoint_set=_SET)

    def plain() -> tuple[Tensor, Tensor]:
        return plain_loop(parts, points, pose)

    pairs = zip(fast(), plain(), strict=True)
    difference_mm = 1000 * max(float((a - b).detach().abs().max()) for a, b in pairs)
    timings: dict[str, Timing] = {}
    notes: tuple[str, ...] = ()
    with progress("time", 3, "way") as bar:
        for name, run in (("motionfield", fast), ("plain loop over joints", plain)):
            timings[name] = time_it(run, pose, runs)
            bar.advance()
        try:
            timings["anny itself (23 points)"] = time_anny(frames, max(2, runs // 10))
        except ModuleNotFoundError as error:
            notes = (f"anny itself: not measured ({error}); pip install anny",)
        bar.advance()
    return SpeedReport(frames, runs, difference_mm, timings, notes)
