"""The toy body is a body like any other (test_skinned.py); here is what is its own."""

import torch

from motionfield.body.registry import load_body
from motionfield.body.toy import toy_parts
from motionfield.core.keypoint_sets import KEYPOINT_SETS


def test_has_every_keypoint_set_without_a_file() -> None:
    parts = toy_parts()
    assert set(parts.keypoints) == set(KEYPOINT_SETS)
    for name, points in parts.keypoints.items():
        assert len(points.offset) == len(KEYPOINT_SETS[name].keypoint_names)


def test_body_is_loaded_once() -> None:
    assert load_body("toy") is load_body("toy")


def test_its_mesh_hangs_its_arms() -> None:
    """The mesh is modelled in another pose than the T-pose, as anny's is."""
    body = load_body("toy")
    skin = body.skin(torch.zeros(16, dtype=torch.float64))
    span = skin.rest_vertices[:, 0].max() - skin.rest_vertices[:, 0].min()
    modelled = skin.bind_vertices[:, 0].max() - skin.bind_vertices[:, 0].min()
    assert span > 1.6 > modelled
