"""GLB (binary glTF 2.0): the skinned body and its motion in one file.

Y up, metres, +Z forward in the T-pose, as glTF asks. The nodes rest in the T-pose on the ground,
under SMPL's names; every joint has a rotation channel (quaternions xyzw, signs continuous) and
the root a translation channel, at the motion's true time stamps from its first frame on. The
mesh is stored in the pose that it was modelled in, with the inverse bind matrices that make the
skinning equal to ``Body.vertices``. Several figures in one file share what is equal: the triangles
and weights of one body, and the whole mesh of one shape.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pygltflib as gltf
import roma
import torch
from torch import Tensor

from motionfield.body.base import Body, Skin
from motionfield.core.conventions import JOINT_NAMES, NUM_JOINTS
from motionfield.data.motion import Motion
from motionfield.data.record import write_whole
from motionfield.formats.animation import (
    CHILDREN,
    Animation,
    animation_of,
    bone_scale_of,
    tensor,
)

_SKIN_COLOUR: Final = [0.72, 0.76, 0.82, 1.0]
_NODES: Final = NUM_JOINTS + 2
"""Of one figure: its joints, its mesh, and what holds both."""


class Figure(NamedTuple):
    """One person in a file."""

    name: str
    animation: Animation
    skin: Skin
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Where the figure's own origin stands, Y up, metres."""


class _Buffer:
    """The file's one buffer, and the accessors into it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[gltf.BufferView] = []
        self.accessors: list[gltf.Accessor] = []

    def add(self, array: np.ndarray, kind: str, component: int, target: int | None = None) -> int:
        """Append an array; returns the index of its accessor."""
        self.content += b"\0" * (-len(self.content) % 4)
        start, raw = len(self.content), np.ascontiguousarray(array).tobytes()
        self.content += raw
        self.views.append(
            gltf.BufferView(buffer=0, byteOffset=start, byteLength=len(raw), target=target)
        )
        rows = array.reshape(len(array), -1)
        # Required of positions and time stamps; of floats in general it does no harm.
        is_float = component == gltf.FLOAT
        self.accessors.append(
            gltf.Accessor(
                bufferView=len(self.views) - 1,
                componentType=component,
                count=len(array),
                type=kind,
                min=rows.min(0).tolist() if is_float else None,
                max=rows.max(0).tolist() if is_float else None,
            )
        )
        return len(self.accessors) - 1

    def floats(self, values: Tensor, kind: str, target: int | None = None) -> int:
        return self.add(values.numpy().astype(np.float32), kind, gltf.FLOAT, target)


def write_glb(path: Path, motion: Motion, body: Body) -> None:
    """Write a GLB file.

    Raises:
        OutputError: the file cannot be written.
    """
    figure = Figure("person", animation_of(motion, body), skin_of(motion, body))
    write_figures(path, [figure], _extras(motion))


def skin_of(motion: Motion, body: Body) -> Skin:
    """The decimated mesh of the motion's body."""
    return body.skin(tensor(motion.betas), bone_scale=bone_scale_of(motion))


def write_figures(path: Path, figures: Sequence[Figure], extras: Mapping[str, object]) -> None:
    """Write one or several figures and their one animation into a GLB file.

    Raises:
        OutputError: the file cannot be written.
    """
    buffer = _Buffer()
    shapes, shape_of = _shapes([figure.skin for figure in figures])
    nodes = [node for k, figure in enumerate(figures) for node in _nodes(figure, k, shape_of[k])]
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator="motionfield", extras=dict(extras)),
        scene=0,
        scenes=[gltf.Scene(nodes=[_NODES * k + _NODES - 1 for k in range(len(figures))])],
        nodes=nodes,
        meshes=_meshes(buffer, shapes),
        materials=[
            gltf.Material(
                name="body",
                doubleSided=True,
                pbrMetallicRoughness=gltf.PbrMetallicRoughness(
                    baseColorFactor=_SKIN_COLOUR, metallicFactor=0.0, roughnessFactor=0.8
                ),
            )
        ],
        skins=_skins(buffer, shapes, shape_of),
        animations=[_channels(buffer, [figure.animation for figure in figures])],
    )
    document.accessors, document.bufferViews = buffer.accessors, buffer.views
    document.buffers = [gltf.Buffer(byteLength=len(buffer.content))]
    document.set_binary_blob(bytes(buffer.content))
    write_whole(path, b"".join(document.save_to_bytes()))


def _extras(motion: Motion) -> dict[str, object]:
    return {
        "up": "+Y",
        "forward": "+Z",
        "unit": "metre",
        "fps": motion.fps,
        "first_frame_s": float(motion.time_s[0]),
        "body_model": motion.body_model,
    }


def _shapes(skins: Sequence[Skin]) -> tuple[list[Skin], list[int]]:
    """The skins that differ, and which of them each figure has."""
    found: list[Skin] = []
    shape_of = []
    for skin in skins:
        same = [
            torch.equal(skin.bind_vertices, other.bind_vertices)
            and torch.equal(skin.inverse_bind, other.inverse_bind)
            for other in found
        ]
        if not any(same):
            found.append(skin)
        shape_of.append(same.index(True) if any(same) else len(found) - 1)
    return found, shape_of


def _skins(buffer: _Buffer, shapes: list[Skin], shape_of: list[int]) -> list[gltf.Skin]:
    # glTF stores matrices by columns.
    binds = [buffer.floats(shape.inverse_bind.mT, gltf.MAT4) for shape in shapes]
    return [
        gltf.Skin(
            joints=list(range(_NODES * k, _NODES * k + NUM_JOINTS)),
            inverseBindMatrices=binds[shape],
        )
        for k, shape in enumerate(shape_of)
    ]


def _nodes(figure: Figure, index: int, mesh: int) -> list[gltf.Node]:
    """The 24 joints in the T-pose, then the mesh, then what holds both."""
    first = _NODES * index
    places = figure.animation.offsets.clone()
    places[0] = figure.animation.rest[0]
    places[0, 1] -= figure.skin.rest_vertices[:, 1].min()
    joints = [
        gltf.Node(
            name=name,
            translation=place.tolist(),
            children=[first + child for child in CHILDREN[joint]],
        )
        for joint, (name, place) in enumerate(zip(JOINT_NAMES, places, strict=True))
    ]
    moved = any(figure.place)
    return [
        *joints,
        gltf.Node(name="body", mesh=mesh, skin=index),
        gltf.Node(
            name=figure.name,
            children=[first, first + NUM_JOINTS],
            translation=list(figure.place) if moved else None,
        ),
    ]


def _meshes(buffer: _Buffer, shapes: list[Skin]) -> list[gltf.Mesh]:
    """One mesh for each shape; all have the triangles and weights of the first."""
    array, element = gltf.ARRAY_BUFFER, gltf.ELEMENT_ARRAY_BUFFER
    skin = shapes[0]
    weight = skin.joint_weight.float()
    # glTF wants joint 0 where a weight is zero, and weights that sum to 1 in single precision.
    joint = torch.where(weight > 0, skin.joint_index, 0).numpy().astype(np.uint8)
    weight = weight / weight.sum(-1, keepdim=True)
    faces = skin.faces.numpy().astype(np.uint32).reshape(-1)
    joints = buffer.add(joint, gltf.VEC4, gltf.UNSIGNED_BYTE, array)
    weights = buffer.floats(weight, gltf.VEC4, array)
    indices = buffer.add(faces, gltf.SCALAR, gltf.UNSIGNED_INT, element)
    meshes = []
    for shape in shapes:
        vertices = shape.bind_vertices
        attributes = gltf.Attributes(
            POSITION=buffer.floats(vertices, gltf.VEC3, array),
            NORMAL=buffer.floats(_normals(vertices, shape.faces), gltf.VEC3, array),
            JOINTS_0=joints,
            WEIGHTS_0=weights,
        )
        primitive = gltf.Primitive(attributes=attributes, indices=indices, material=0)
        meshes.append(gltf.Mesh(name="body", primitives=[primitive]))
    return meshes


def _normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals of the vertices: of the faces round them, weighted by area."""
    a, b, c = vertices[faces].unbind(1)
    face = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total.index_add_(0, faces[:, corner].long(), face)
    up = torch.tensor((0.0, 1.0, 0.0)).to(vertices)
    length = total.norm(dim=-1, keepdim=True)
    # A vertex that belongs to no face (or to empty ones) still needs a unit vector.
    return torch.where(length > 1e-12, total / length.clamp(min=1e-12), up)


def _channels(buffer: _Buffer, animations: Sequence[Animation]) -> gltf.Animation:
    """All figures' channels in one animation: they play together. Equal clocks are stored once."""
    clocks: list[tuple[Tensor, int]] = []
    samplers: list[gltf.AnimationSampler] = []
    channels: list[gltf.AnimationChannel] = []
    for index, animation in enumerate(animations):
        known = [at for clock, at in clocks if torch.equal(clock, animation.time_s)]
        time = known[0] if known else buffer.floats(animation.time_s, gltf.SCALAR)
        clocks.append((animation.time_s, time))
        quaternions = _continuous_quaternions(animation.rotations)
        outputs = [buffer.floats(quaternions[:, joint], gltf.VEC4) for joint in range(NUM_JOINTS)]
        outputs.append(buffer.floats(animation.root, gltf.VEC3))
        first = _NODES * index
        targets = [(first + joint, gltf.ROTATION) for joint in range(NUM_JOINTS)]
        for output, (node, path) in zip(
            outputs, [*targets, (first, gltf.TRANSLATION)], strict=True
        ):
            target = gltf.AnimationChannelTarget(node=node, path=path)
            channels.append(gltf.AnimationChannel(sampler=len(samplers), target=target))
            samplers.append(
                gltf.AnimationSampler(input=time, output=output, interpolation="LINEAR")
            )
    return gltf.Animation(name="motion", samplers=samplers, channels=channels)


def _continuous_quaternions(rotations: Tensor) -> Tensor:
    """Unit quaternions (x, y, z, w) whose sign never turns over between frames."""
    quaternions = roma.rotmat_to_unitquat(rotations)
    turned = (quaternions[1:] * quaternions[:-1]).sum(-1) < 0
    first = torch.zeros(1, NUM_JOINTS, dtype=torch.bool)
    flips = torch.cat((first, turned)).cumsum(0) % 2
    return quaternions * (1 - 2 * flips).unsqueeze(-1)
