"""The paper's preset: what it reads, what it is a function of, what it gives."""

import numpy as np
import pytest
import torch

from motionfield.core.errors import OptionError
from motionfield.fields.motion_field import FieldPose
from motionfield.geometry.rotations import axis_rotation, rotmat_to_rot6d
from motionfield.priors.pose_mixture import PoseMixture
from motionfield.steps.fit.group import GroupResult
from motionfield.steps.fit.nemo.paper import PaperNemoFitter
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import (
    PaperLoss,
    PaperModel,
    Seen,
    draw_frames,
    see,
)
from motionfield.steps.fit.nemo.paper_world import paper_result
from steps.fit.nemo.made_group import MadeGroup, made_group

QUICK = PaperNemoConfig(
    hidden=(64, 64),
    sigmoids=20,
    warmup_steps=60,
    camera_steps=60,
    steps=80,
    batch=32,
    field_rate=2e-3,
    camera_start="root",
    pose_vae=0.0,
)


@pytest.fixture(scope="module")
def group() -> MadeGroup:
    return made_group()


@pytest.fixture(scope="module")
def result(group: MadeGroup) -> GroupResult:
    return PaperNemoFitter(QUICK, group.body, PoseMixture.load()).fit(group.takes)


def perfect(group: MadeGroup) -> tuple[PaperLoss, PaperModel, Seen, FieldPose]:
    """A model whose cameras are the true ones, and the truth as the field's poses."""
    config = PaperNemoConfig(hidden=(8,), sigmoids=5, mixture=0.0, pose_vae=0.0)
    seen = see(group.takes, config)
    model = PaperModel(config, group.takes, seen, group.body)
    cameras = [take.camera for take in group.takes]
    with torch.no_grad():
        turns = torch.tensor(np.stack([c.R_camera_world[0] for c in cameras]))
        model.camera_turn.copy_(rotmat_to_rot6d(turns))
        model.camera_place.copy_(torch.tensor(np.stack([c.t_camera_world[0] for c in cameras])))
    truths = group.truths
    rotations = np.concatenate(
        [np.concatenate((t.global_orient[:, None], t.body_pose), 1) for t in truths]
    )
    transl = np.concatenate([t.transl for t in truths])
    pose = FieldPose(torch.tensor(rotations), torch.tensor(transl))
    return PaperLoss(config, seen, group.body, (None, None)), model, seen, pose


def test_image_term_is_0_at_the_truth_and_knows_its_pixels(group: MadeGroup) -> None:
    loss, model, seen, pose = perfect(group)
    every, once = draw_frames(seen, None, torch.Generator())
    assert float(loss.image(model, loss.points(pose), every, once).detach()) < 1e-3
    # 30 px to the side in an image of 1280, 640 or 1920: the same 45, 90 or 30 px of one of 1920.
    shifted = seen._replace(pixels=seen.pixels + torch.tensor([30.0, 0.0]))
    squares = [(30 * 1920 / side) ** 2 for side in (1280, 1920, 640)]
    expected = sum(s / (1 + s / 100**2) for s in squares) / 2 / 3 * float(seen.weight.mean())
    found = PaperLoss(PaperNemoConfig(), shifted, group.body, (None, None))
    assert float(found.image(model, loss.points(pose), every, once).detach()) == pytest.approx(
        expected, rel=1e-3
    )


def test_doubtful_and_unseen_keypoints_do_not_count(group: MadeGroup) -> None:
    first = group.takes[0]
    points = first.keypoints.keypoints_2d.copy()
    points[3, 9] = np.nan
    points[4, 7] = (5.0, 5.0, 0.4)
    points[5, 7, 2] = 0.6
    changed = first._replace(keypoints=first.keypoints.replace(keypoints_2d=points))
    seen = see([changed, *group.takes[1:]], PaperNemoConfig())
    plain = see(group.takes, PaperNemoConfig())
    assert seen.weight[3, 9] == 0
    assert seen.weight[4, 7] == 0
    assert seen.weight[5, 7] == pytest.approx(0.6 * float(plain.weight[5, 7]))
    assert torch.isfinite(seen.pixels).all()


def test_frames_drawn_often_count_often(group: MadeGroup) -> None:
    loss, model, _, _ = perfect(group)
    frames, times = torch.tensor([0, 3, 50]), torch.tensor([2.0, 1.0, 4.0])
    repeated = frames.repeat_interleave(times.long())
    ones = torch.ones(len(repeated))
    fast = loss.image(model, loss.points(loss.pose(model, frames)), frames, times)
    slow = loss.image(model, loss.points(loss.pose(model, repeated)), repeated, ones)
    assert float(fast.detach()) == pytest.approx(float(slow.detach()), rel=1e-5)


def test_every_take_is_drawn_as_often(group: MadeGroup) -> None:
    seen = see(group.takes, PaperNemoConfig())
    frames, times = draw_frames(seen, 30_000, torch.Generator().manual_seed(0))
    assert times.sum() == 30_000
    assert (frames.diff() > 0).all()
    share = torch.zeros(3).index_add(0, seen.take[frames], times) / 30_000
    assert share.tolist() == pytest.approx([1 / 3] * 3, abs=0.01)
    assert len(frames) == len(seen.take)


def test_keeps_the_contract(group: MadeGroup, result: GroupResult) -> None:
    assert [r.motion.num_frames for r in result.takes] == [40, 50, 30]
    for made, take in zip(result.takes, group.takes, strict=True):
        assert np.array_equal(made.motion.time_s, take.keypoints.time_s)
        assert not made.motion.betas.any()
        assert made.camera.image_size == take.camera.image_size
    canonical = result.canonical
    assert canonical.num_frames == round(result.action.duration_s * 50) + 1
    assert canonical.time_s[-1] == pytest.approx(39 / 50)
    assert result.action.take_names == ("take 0", "take 1", "take 2")
    pelvis = canonical.transl[0] + group.body.rest_joints(torch.zeros(16))[0].numpy()
    assert np.abs(pelvis[:2]).max() < 1e-4
    forward = canonical.global_orient[0, :, 2]
    assert np.arctan2(forward[1], forward[0]) == pytest.approx(-np.pi / 2, abs=1e-3)


def test_stands_upright_on_the_ground_and_is_where_it_was_seen(
    group: MadeGroup, result: GroupResult
) -> None:
    for made, take in zip(result.takes, group.takes, strict=True):
        motion = made.motion
        joints = group.body.pose(
            *(torch.tensor(a) for a in (motion.global_orient, motion.body_pose, motion.transl)),
            torch.tensor(motion.betas),
            "coco17",
        )
        head, ankles = joints.joints[:, 15, 2], joints.joints[:, [7, 8], 2]
        assert float((head - ankles.mean(1)).min()) > 0.9
        assert -0.15 < float(ankles.min()) < 0.25
        camera = made.camera
        seen = joints.keypoints.numpy() @ camera.R_camera_world[0].T + camera.t_camera_world[0]
        pixels = ((seen / seen[..., 2:]) @ camera.K[0].T)[..., :2]
        off = np.linalg.norm(pixels - take.keypoints.keypoints_2d[..., :2], axis=-1)
        assert np.median(off) < 0.03 * max(camera.image_size)


def test_world_is_a_rigid_move_of_the_field(group: MadeGroup) -> None:
    """Whatever axes the field is in, every take's pixels and the canonical motion stay."""
    config = QUICK
    seen = see(group.takes, config)
    model = PaperModel(config, group.takes, seen, group.body)
    before = paper_result(config, model, group.takes, seen, group.body)
    for made, take in zip(before.takes, group.takes, strict=True):
        relative = made.camera.R_camera_world @ made.motion.global_orient
        index = int(seen.first[[t.name for t in group.takes].index(take.name)])
        with torch.no_grad():
            pose = model.pose(seen.time[index : index + 1], seen.take[index : index + 1])
            R = model.R_camera_field[seen.take[index]] @ pose.rotations[0, 0]
        assert np.allclose(relative[0], R.numpy(), atol=1e-5)
    turn = axis_rotation("x", torch.tensor(2.5)) @ axis_rotation("z", torch.tensor(0.8))
    with torch.no_grad():
        # The field turned by ``turn`` about the origin, cameras with it: the same world again.
        R = model.R_camera_field
        model.camera_turn.copy_(rotmat_to_rot6d(R @ turn.mT))
        head = model.field.turn
        columns = head.bias[:6].unflatten(0, (2, 3)) @ turn.mT
        head.bias[:6] = columns.flatten()
        place = model.field.place
        place.weight.copy_(turn @ place.weight)
        rest = group.body.rest_joints(torch.zeros(16))[0]
        place.bias.copy_(turn @ place.bias)
        model.camera_place.add_((R @ (rest - turn.mT @ rest)[:, None])[..., 0])
        head.weight[:6] = (turn @ head.weight[:6].unflatten(0, (2, 3))).flatten(0, 1)
    after = paper_result(config, model, group.takes, seen, group.body)
    assert np.allclose(after.canonical.transl, before.canonical.transl, atol=2e-3)
    assert np.allclose(after.canonical.global_orient, before.canonical.global_orient, atol=2e-3)
    for a, b in zip(after.takes, before.takes, strict=True):
        assert np.allclose(a.camera.position_world, b.camera.position_world, atol=5e-3)


def test_same_seed_same_motion(group: MadeGroup) -> None:
    config = PaperNemoConfig(hidden=(16,), warmup_steps=4, camera_steps=4, steps=4, pose_vae=0.0)
    mixture = PoseMixture.load()
    torch.manual_seed(1)
    first = PaperNemoFitter(config, group.body, mixture).fit(group.takes)
    torch.manual_seed(2)
    second = PaperNemoFitter(config, group.body, mixture).fit(group.takes)
    assert np.array_equal(first.canonical.body_pose, second.canonical.body_pose)


def test_without_3d_the_first_poses_do_not_matter(group: MadeGroup) -> None:
    config = PaperNemoConfig(
        hidden=(16,), warmup_steps=4, camera_steps=4, steps=4, pose_vae=0.0, use_3d=False
    )
    other = [
        take._replace(initial=take.initial.replace(body_pose=take.initial.body_pose[::-1].copy()))
        for take in group.takes
    ]
    fitter = PaperNemoFitter(config, group.body, None)
    first, second = fitter.fit(group.takes), fitter.fit(other)
    assert np.array_equal(first.canonical.body_pose, second.canonical.body_pose)


def test_without_an_instance_part_takes_are_the_canonical_motion(group: MadeGroup) -> None:
    config = PaperNemoConfig(
        hidden=(16,),
        warmup_steps=5,
        camera_steps=2,
        steps=5,
        pose_vae=0.0,
        field_rate=1e-2,
        instance_specific=False,
    )
    result = PaperNemoFitter(config, group.body, None).fit(group.takes)
    assert result.action.phase[:40] == pytest.approx(np.linspace(0, 1, 40), abs=1e-5)
    ends = [r.motion.body_pose[[0, -1]] for r in result.takes]
    assert np.allclose(ends[0], ends[1], atol=1e-5)
    assert np.allclose(ends[0], result.canonical.body_pose[[0, -1]], atol=1e-5)


def test_a_moving_camera_is_warned_of(group: MadeGroup) -> None:
    config = PaperNemoConfig(hidden=(8,), warmup_steps=1, camera_steps=1, steps=1, pose_vae=0.0)
    moving = group.takes[1]._replace(camera=group.takes[1].camera.replace(moving=True))
    result = PaperNemoFitter(config, group.body, None).fit([group.takes[0], moving])
    assert len(result.warnings) == 1
    assert "take 1" in result.warnings[0]


def test_takes_that_cannot_be_fitted_together_are_refused(group: MadeGroup) -> None:
    fitter = PaperNemoFitter(PaperNemoConfig(), group.body, None)
    with pytest.raises(OptionError, match="two or more"):
        fitter.fit(group.takes[:1])
    other = group.takes[1]
    body = other._replace(initial=other.initial.replace(body_model="anny"))
    with pytest.raises(OptionError, match="body anny"):
        fitter.fit([group.takes[0], body])
    names = other.keypoints.keypoint_names
    swapped = other.keypoints.replace(keypoint_names=(names[1], names[0], *names[2:]))
    with pytest.raises(OptionError, match="other keypoints"):
        fitter.fit([group.takes[0], other._replace(keypoints=swapped)])
