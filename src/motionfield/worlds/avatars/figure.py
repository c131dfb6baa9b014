"""The naked figure: where each point of the skin lies on the average body, and its landmarks."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.body.base import Body, Skin
from motionfield.core.conventions import JOINT_INDEX, NUM_JOINTS
from motionfield.core.keypoint_sets import BLAZEPOSE_33


class Figure(NamedTuple):
    """A body of one shape, and the same points on the average body in the T-pose.

    The average body's places (body axes: x to the left, y up, z forward; metres) are what cuts
    of clothes and colours of skin are functions of, so they are the same on all shapes and in
    all poses.
    """

    skin: Skin
    canonical: Float[ndarray, "vertices 3"]
    faces: Int[ndarray, "faces 3"]
    weight: Float[ndarray, "vertices 24"]
    joints: dict[str, Float[ndarray, "3"]]
    """Joints of the average body in the T-pose."""
    points: dict[str, Float[ndarray, "3"]]
    """BlazePose's keypoints on it."""


def make_figure(
    body: Body,
    betas: Float[ndarray, "betas"],
    bone_scale: Float[ndarray, "24"] | None = None,
) -> Figure:
    """The figure of a body's shape."""
    shape = torch.from_numpy(np.array(betas, np.float32))
    scale = None if bone_scale is None else torch.from_numpy(np.array(bone_scale, np.float32))
    average = torch.zeros_like(shape)
    with torch.no_grad():
        skin = body.skin(shape, bone_scale=scale)
        plain = body.skin(average)
        eye = torch.eye(3).expand(1, NUM_JOINTS, 3, 3)
        zero = body.pose(eye[:, 0], eye[:, 1:], torch.zeros(1, 3), average, BLAZEPOSE_33.name)
    joints, points = zero.joints[0].numpy(), zero.keypoints[0].numpy()
    return Figure(
        skin=skin,
        canonical=plain.rest_vertices.numpy(),
        faces=plain.faces.numpy(),
        weight=dense_weights(skin),
        joints={name: joints[at] for name, at in JOINT_INDEX.items()},
        points=dict(zip(BLAZEPOSE_33.keypoint_names, points, strict=True)),
    )


def dense_weights(skin: Skin) -> Float[ndarray, "vertices 24"]:
    """Skin weights as one row of 24 per vertex."""
    weight = torch.zeros(len(skin.joint_index), NUM_JOINTS)
    return weight.scatter_add(1, skin.joint_index, skin.joint_weight).numpy()
