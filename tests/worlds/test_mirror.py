"""A mirrored motion is the mirror image of the motion."""

import numpy as np
import pytest
import roma
import torch

from motionfield.body.registry import load_body
from motionfield.core.arrays import tensor_of
from motionfield.core.conventions import JOINT_INDEX, JOINT_NAMES, mirror_order
from motionfield.data import Motion
from motionfield.worlds.mirror import mirror_motion

_FLIP = torch.tensor([-1.0, 1.0, 1.0])


def _motion(body_name: str) -> Motion:
    generator = torch.Generator().manual_seed(3)

    def turns(*shape: int) -> np.ndarray:
        vectors = 0.5 * torch.randn(*shape, 3, generator=generator)
        return roma.rotvec_to_rotmat(vectors).numpy()

    frames = 6
    body = load_body(body_name)
    return Motion(
        global_orient=turns(frames),
        body_pose=turns(frames, 23),
        transl=torch.randn(frames, 3, generator=generator).numpy(),
        betas=(0.7 * torch.randn(body.num_betas, generator=generator)).numpy(),
        bone_scale=(1 + 0.2 * torch.rand(24, generator=generator)).numpy(),
        body_model=body_name,
        fps=30.0,
        time_s=np.arange(frames) / 30,
        frame_index=np.arange(frames),
        observed=np.ones(frames, dtype=bool),
        contacts=torch.rand(frames, 2, generator=generator).numpy(),
        joints_std=torch.rand(frames, 24, 3, generator=generator).numpy(),
    )


def _joints(motion: Motion) -> torch.Tensor:
    assert motion.bone_scale is not None
    parts = (motion.global_orient, motion.body_pose, motion.transl, motion.betas)
    scale = tensor_of(motion.bone_scale)
    return load_body(motion.body_model).pose(*map(tensor_of, parts), bone_scale=scale).joints


@pytest.mark.parametrize("body_name", ["toy", "anny"])
def test_every_joint_is_its_partners_image(body_name: str) -> None:
    motion = _motion(body_name)
    expected = _joints(motion)[:, list(mirror_order(JOINT_NAMES))] * _FLIP
    found = _joints(mirror_motion(motion))
    # The compiled body is symmetric to a third of a millimetre.
    torch.testing.assert_close(found, expected, atol=5e-4, rtol=0)


def test_sides_are_exchanged() -> None:
    motion = _motion("toy")
    mirrored = mirror_motion(motion)
    assert motion.contacts is not None
    assert mirrored.contacts is not None
    np.testing.assert_array_equal(mirrored.contacts[:, 0], motion.contacts[:, 1])
    assert motion.joints_std is not None
    assert mirrored.joints_std is not None
    left, right = JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]
    np.testing.assert_array_equal(mirrored.joints_std[:, left], motion.joints_std[:, right])


def test_twice_is_the_motion_itself() -> None:
    motion = _motion("toy")
    again = mirror_motion(mirror_motion(motion))
    for name in ("global_orient", "body_pose", "transl", "bone_scale", "contacts", "joints_std"):
        np.testing.assert_array_equal(getattr(again, name), getattr(motion, name))
