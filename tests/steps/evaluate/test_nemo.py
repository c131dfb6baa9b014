"""NeMo's measures: what each forgives, against a twin that keeps all vertices at once."""

import numpy as np
import pytest
import roma
import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.data import Motion
from motionfield.geometry.alignment import align_points
from motionfield.steps.evaluate.nemo import (
    NEMO_JOINTS,
    dynamic_range,
    motion_dynamic_range,
    nemo_global,
    nemo_local,
)
from motionfield.steps.evaluate.posed import (
    BLOCK_FRAMES,
    Placing,
    VertexPairs,
    local_pose,
    pose_of,
    posed_points,
    vertex_blocks,
    vertex_error,
)
from steps.evaluate.made import made_motion, points, turns

FRAMES = BLOCK_FRAMES + 12
"""More than one block, and not a multiple."""


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("toy")


@pytest.fixture(scope="module")
def truth() -> Motion:
    return made_motion(0, FRAMES)


@pytest.fixture(scope="module")
def predicted() -> Motion:
    """Another pose and another shape."""
    betas = np.zeros(16, np.float32)
    betas[:3] = (1.5, -1, 2)
    return made_motion(1, FRAMES).replace(betas=betas)


def moved(motion: Motion, body: Body, seed: int) -> Motion:
    """The same motion in a world that is turned and shifted."""
    R, t = turns(seed).float(), torch.tensor([3.0, -1, 0.5])
    root = body.rest_joints(torch.tensor(motion.betas))[0]
    transl = (torch.tensor(motion.transl) + root) @ R.T + t - root
    orient = R @ torch.tensor(motion.global_orient)
    return motion.replace(global_orient=orient.numpy(), transl=transl.numpy())


def all_vertices(motion: Motion, body: Body) -> torch.Tensor:
    return torch.cat(list(vertex_blocks(pose_of(motion, body), body))).double()


def test_the_joints_are_the_first_fifteen_of_body_25() -> None:
    assert (
        *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist"),
        *("left_shoulder", "left_elbow", "left_wrist", "mid_hip"),
        *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    ) == NEMO_JOINTS


def test_local_form_judges_the_pose_alone(truth: Motion, predicted: Motion, body: Body) -> None:
    """Neither root nor shape counts; with own shapes the shape does."""
    same_pose = moved(truth, body, 3).replace(betas=predicted.betas)
    for score in nemo_local(same_pose, truth, body):
        assert score.mean == pytest.approx(0, abs=1e-3)
        assert score.frames_used == FRAMES
    own = nemo_local(same_pose, truth, body, own_shapes=True)
    assert own.joints.mean > 10
    assert own.vertices.mean > 10
    for other in (moved(predicted, body, 4), predicted.replace(betas=truth.betas)):
        a, b = nemo_local(predicted, truth, body), nemo_local(other, truth, body)
        torch.testing.assert_close(a.joints.per_frame, b.joints.per_frame, atol=1e-3, rtol=1e-4)
        assert a.joints.mean > 50


def test_short_motions_keep_their_vertices_and_long_ones_do_not(body: Body) -> None:
    for frames, blocks in ((BLOCK_FRAMES, 1), (BLOCK_FRAMES + 1, 2)):
        pose = pose_of(made_motion(0, frames), body)
        pairs = VertexPairs(pose, pose, body)
        first, again = list(pairs), list(pairs)
        assert len(first) == blocks
        assert (first[0][1] is again[0][1]) == (blocks == 1)
        assert torch.cat([torch.arange(frames)[part] for part, _, _ in first]).tolist() == list(
            range(frames)
        )


def test_local_form_is_that_of_points_turned_into_root_axes(
    truth: Motion, predicted: Motion, body: Body
) -> None:
    """With own shapes: world joints seen from the root, which needs no second posing."""

    def seen(motion: Motion) -> torch.Tensor:
        posed = posed_points(pose_of(motion, body), body, "openpose25")
        return (posed.keypoints - posed.joints[:, :1]) @ torch.tensor(motion.global_orient).double()

    distance = (seen(predicted) - seen(truth))[:, :15].norm(dim=-1).mean(-1) * 1000
    found = nemo_local(predicted, truth, body, own_shapes=True).joints.per_frame
    torch.testing.assert_close(found, distance, atol=1e-2, rtol=1e-4)


def test_global_form_is_one_rigid_fit_of_all_vertices(
    truth: Motion, predicted: Motion, body: Body
) -> None:
    ours, theirs = all_vertices(predicted, body), all_vertices(truth, body)
    fit = align_points(ours.flatten(0, 1), theirs.flatten(0, 1))
    expected = (fit.apply(ours.flatten(0, 1)).view_as(theirs) - theirs).norm(dim=-1) * 1000
    found = nemo_global(predicted, truth, body)
    torch.testing.assert_close(found.vertices.per_frame, expected.mean(-1), atol=1e-2, rtol=1e-4)
    joints = [
        posed_points(pose_of(motion, body), body, "openpose25").keypoints[:, :15]
        for motion in (predicted, truth)
    ]
    expected = (fit.apply(joints[0].flatten(0, 1)).view_as(joints[1]) - joints[1]).norm(dim=-1)
    torch.testing.assert_close(
        found.joints.per_frame, expected.mean(-1) * 1000, atol=1e-2, rtol=1e-4
    )


def test_global_form_forgives_the_world_and_nothing_else(
    truth: Motion, predicted: Motion, body: Body
) -> None:
    for score in nemo_global(moved(truth, body, 5), truth, body):
        assert score.mean == pytest.approx(0, abs=0.02)
    a, b = nemo_global(predicted, truth, body), nemo_global(moved(predicted, body, 6), truth, body)
    torch.testing.assert_close(a.vertices.per_frame, b.vertices.per_frame, atol=0.05, rtol=1e-4)
    larger = truth.replace(betas=predicted.betas)
    assert nemo_global(larger, truth, body).vertices.mean > 10  # no scale is taken off
    longer = truth.replace(transl=np.float32(1.2) * truth.transl)
    assert nemo_global(longer, truth, body).joints.mean > 50


def test_frames_that_the_truth_did_not_see_are_left_out(
    truth: Motion, predicted: Motion, body: Body
) -> None:
    seen = np.arange(FRAMES) % 3 > 0
    holes = truth.replace(observed=seen)
    for score in (*nemo_local(predicted, holes, body), *nemo_global(predicted, holes, body)):
        assert score.frames_used == seen.sum()
        assert score.per_frame[~torch.tensor(seen)].isnan().all()
    # Nor do they take part in the fit: a wild truth there changes nothing.
    transl = np.array(truth.transl)
    transl[~seen] += 50
    wild = holes.replace(transl=transl)
    a, b = (nemo_global(predicted, t, body).joints for t in (holes, wild))
    assert a.mean == pytest.approx(b.mean, rel=1e-6)


def test_vertex_error_by_blocks_is_that_of_all_at_once(
    truth: Motion, predicted: Motion, body: Body
) -> None:
    ours, theirs = all_vertices(predicted, body), all_vertices(truth, body)
    R, t = turns(0, FRAMES), points(3, FRAMES, 1)[:, 0]
    expected = (ours @ R.mT + t.unsqueeze(1) - theirs).norm(dim=-1).mean(-1) * 1000
    poses = pose_of(predicted, body), pose_of(truth, body)
    found = vertex_error(*poses, body, Placing(R, t)).per_frame
    torch.testing.assert_close(found, expected, atol=1e-2, rtol=1e-5)
    plain = vertex_error(*poses, body).per_frame
    torch.testing.assert_close(
        plain, (ours - theirs).norm(dim=-1).mean(-1) * 1000, atol=0.01, rtol=0
    )


def test_local_pose_has_its_root_at_the_origin(predicted: Motion, body: Body) -> None:
    """Of the mean shape, whatever the shape and the bones were."""
    scaled = predicted.replace(bone_scale=np.full(24, 1.1, np.float32))
    pose = local_pose(pose_of(scaled, body), body)
    joints = posed_points(pose, body).joints
    torch.testing.assert_close(joints[:, 0], torch.zeros_like(joints[:, 0]), atol=1e-6, rtol=0)
    assert roma.rotmat_to_rotvec(pose.global_orient).abs().max() < 1e-6
    plain = local_pose(pose_of(predicted.replace(betas=np.zeros(16, np.float32)), body), body)
    torch.testing.assert_close(joints, posed_points(plain, body).joints)


def bursts(*fast: int, frames: int = 20, step_m: float = 0.1) -> torch.Tensor:
    """Fifteen joints that rest; one moves by ``step_m`` after each frame in ``fast``."""
    joints = torch.zeros(frames, 15, 3)
    steps = torch.zeros(frames)
    steps[[n + 1 for n in fast]] = step_m
    joints[:, 4, 2] = steps.cumsum(0)
    return joints


def test_dynamic_range_by_hand() -> None:
    """0.1 m a frame is 3 m/s at 30 fps; the end is half-open as in the public code."""
    assert dynamic_range(bursts(5, 9, 14), 30.0) == slice(5, 14)
    assert dynamic_range(bursts(5), 30.0) == slice(5, 5)
    assert dynamic_range(bursts(), 30.0) == slice(0, 0)
    assert dynamic_range(bursts(5, 9, step_m=0.06), 30.0) == slice(0, 0)  # 1.8 m/s
    assert dynamic_range(bursts(5, 9, step_m=0.06), 40.0) == slice(5, 9)  # 2.4 m/s
    assert dynamic_range(bursts(5, 9)[:1], 30.0) == slice(0, 0)


def test_resampling_divides_and_the_published_convention_multiplies() -> None:
    """Of 60 frames every second was taken: a step of 0.1 m took 1/15 s, so it is 1.5 m/s."""
    thinned = bursts(5, 9)
    assert dynamic_range(thinned, 30.0, resampling=2.0) == slice(0, 0)
    assert dynamic_range(thinned, 30.0, resampling=2.0, convention="published") == slice(5, 9)
    small = bursts(5, 9, step_m=0.04)  # 1.2 m/s as it is, 0.6 thinned, 2.4 as published
    assert dynamic_range(small, 30.0, resampling=2.0, convention="published") == slice(5, 9)
    assert dynamic_range(small, 30.0, resampling=2.0) == slice(0, 0)


def test_dynamic_range_does_not_see_the_root_move(body: Body) -> None:
    still = made_motion(0, 30).replace(
        body_pose=np.tile(np.eye(3, dtype=np.float32), (30, 23, 1, 1))
    )
    running = still.replace(transl=np.float32(5) * still.transl)
    assert motion_dynamic_range(running, body) == slice(0, 0)


def test_motions_that_do_not_fit_are_refused(truth: Motion, body: Body) -> None:
    short = made_motion(0, 30)
    for metric in (nemo_local, nemo_global):
        with pytest.raises(OptionError, match=f"30 frames, the truth {FRAMES}; cut both"):
            metric(short, truth, body)
        with pytest.raises(OptionError, match="drives the body 'anny'"):
            metric(truth.replace(body_model="anny"), truth, body)
