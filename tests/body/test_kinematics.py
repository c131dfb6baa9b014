"""The fast chain against its plain twin, and the laws of a chain of rigid bones."""

import pytest
import roma
import torch
from torch import Tensor

from motionfield.body.kinematics import forward_kinematics
from motionfield.core.conventions import JOINT_PARENTS

F64 = torch.float64


def plain_twin(
    global_orient: Tensor, body_pose: Tensor, offsets: Tensor, root: Tensor
) -> tuple[Tensor, Tensor]:
    """The definition, one joint and one frame at a time."""
    all_rotations, all_joints = [], []
    for frame in range(len(root)):
        offset = offsets[frame] if offsets.ndim == 3 else offsets
        rotations, joints = [global_orient[frame]], [root[frame]]
        for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
            rotations.append(rotations[parent] @ body_pose[frame, joint - 1])
            joints.append(joints[parent] + rotations[parent] @ offset[joint])
        all_rotations.append(torch.stack(rotations))
        all_joints.append(torch.stack(joints))
    return torch.stack(all_rotations), torch.stack(all_joints)


def sample(frames: int, per_frame: bool, seed: int = 0) -> list[Tensor]:
    torch.manual_seed(seed)
    rotations = roma.random_rotmat((frames, 24), dtype=F64)
    offsets = torch.randn(*((frames,) if per_frame else ()), 24, 3, dtype=F64)
    root = torch.randn(frames, 3, dtype=F64)
    return [rotations[:, 0].clone(), rotations[:, 1:].clone(), offsets, root]


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_equals_the_plain_twin_forward_and_backward(frames: int, per_frame: bool) -> None:
    fast_in = [value.requires_grad_() for value in sample(frames, per_frame)]
    slow_in = [value.detach().clone().requires_grad_() for value in fast_in]
    fast = forward_kinematics(*fast_in)
    rotations, joints = plain_twin(*slow_in)
    torch.testing.assert_close(fast.rotations, rotations)
    torch.testing.assert_close(fast.joints, joints)
    torch.manual_seed(1)
    by_rotation, by_joint = torch.randn_like(rotations), torch.randn_like(joints)
    ((fast.rotations * by_rotation).sum() + (fast.joints * by_joint).sum()).backward()
    ((rotations * by_rotation).sum() + (joints * by_joint).sum()).backward()
    for mine, theirs in zip(fast_in, slow_in, strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


@pytest.mark.parametrize("per_frame", [False, True])
def test_gradcheck(per_frame: bool) -> None:
    inputs = tuple(value.requires_grad_() for value in sample(2, per_frame))

    def run(*args: Tensor) -> Tensor:
        return forward_kinematics(*args).transforms

    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_second_derivatives_are_refused_rather_than_wrong() -> None:
    inputs = [value.requires_grad_() for value in sample(2, False)]
    joints = forward_kinematics(*inputs).joints
    (first,) = torch.autograd.grad(joints.square().sum(), inputs[1], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_bones_keep_their_length_in_any_pose() -> None:
    global_orient, body_pose, offsets, root = sample(50, False)
    joints = forward_kinematics(global_orient, body_pose, offsets, root).joints
    bones = joints[:, 1:] - joints[:, list(JOINT_PARENTS[1:])]
    torch.testing.assert_close(bones.norm(dim=-1), offsets[1:].norm(dim=-1).expand(50, -1))


def test_a_leaf_moves_nothing_but_itself() -> None:
    global_orient, body_pose, offsets, root = sample(3, False)
    before = forward_kinematics(global_orient, body_pose, offsets, root)
    body_pose[:, 23 - 1] = torch.eye(3, dtype=F64)
    after = forward_kinematics(global_orient, body_pose, offsets, root)
    torch.testing.assert_close(before.joints, after.joints)
    torch.testing.assert_close(before.rotations[:, :23], after.rotations[:, :23])
    assert not torch.allclose(before.rotations[:, 23], after.rotations[:, 23])
