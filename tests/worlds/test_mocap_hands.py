"""Hands stay above the ground."""

import torch

from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_INDEX
from motionfield.geometry.rotations import axis_rotation
from motionfield.worlds.mocap_figure import Figure
from motionfield.worlds.mocap_hands import lift_hands, reach_wrists
from motionfield.worlds.mocap_proportions import bone_offsets


def _figure(root_m: float, turn: torch.Tensor) -> Figure:
    body = load_body("toy")
    joints = body.rest_joints(torch.zeros(body.num_betas))
    rotations = turn.expand(1, 24, 3, 3).clone()
    return Figure(rotations, torch.tensor([[0.0, 0.0, root_m]]), bone_offsets(joints))


def _tips(figure: Figure) -> torch.Tensor:
    joints = figure.joints
    tips = []
    for side in ("left", "right"):
        wrist, hand = (joints[:, JOINT_INDEX[f"{side}_{name}"]] for name in ("wrist", "hand"))
        tips.append(wrist + 2 * (hand - wrist))
    return torch.stack(tips, dim=1)


def test_stiff_hands_under_a_hand_stand_are_bent_back() -> None:
    """On the head, arms straight down, wrists 6 cm above the ground."""
    upside = axis_rotation("x", torch.tensor(-torch.pi / 2))
    figure = _figure(0.0, upside)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = axis_rotation("z", torch.tensor(sign * torch.pi / 2))
        for name in ("shoulder", "elbow", "wrist", "hand"):
            joint = JOINT_INDEX[f"{side}_{name}"]
            figure.rotations[:, joint] = figure.rotations[:, joint] @ arm
    wrist = figure.joints[0, JOINT_INDEX["left_wrist"], 2]
    figure = figure._replace(root=torch.tensor([[0.0, 0.0, 0.06 - float(wrist)]]))
    assert _tips(figure)[..., 2].max() < 0
    lifted = lift_hands(figure)
    torch.testing.assert_close(_tips(lifted)[..., 2], torch.full((1, 2), 0.015), atol=1e-4, rtol=0)
    arms = [j for name, j in JOINT_INDEX.items() if "hand" not in name]
    torch.testing.assert_close(lifted.joints[:, arms], figure.joints[:, arms])
    # Bent back: the palms face the ground.
    palm = -lifted.rotations[:, JOINT_INDEX["left_wrist"], :, 1]
    assert palm[0, 2] < -0.5


def test_hands_above_the_ground_stay() -> None:
    figure = _figure(1.0, axis_rotation("x", torch.tensor(torch.pi / 2)))
    torch.testing.assert_close(lift_hands(figure).rotations, figure.rotations)


def test_wrists_never_go_below_the_ground() -> None:
    figure = _figure(0.2, axis_rotation("x", torch.tensor(torch.pi / 2)))
    wrists = [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]
    target = figure.joints[:, wrists] * torch.tensor([0.6, 0.6, 0.0]) - torch.tensor([0, 0, 0.05])
    found = reach_wrists(figure, target).joints[:, wrists]
    assert (found[..., 2] > 0.03).all()
