"""GLB (binary glTF 2.0): the skinned body and its motion in one file.

Y up, metres, +Z forward in the T-pose, as glTF asks. The nodes rest in the T-pose on the ground,
under SMPL's names; every joint has a rotation channel (quaternions xyzw, signs continuous) and
the root a translation channel, at the motion's true time stamps from its first frame on. The
mesh is stored in the pose that it was modelled in, with the inverse bind matrices that make the
skinning equal to ``Body.vertices``.
"""

from pathlib import Path
from typing import Final

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
_MESH_NODE: Final = NUM_JOINTS
_SCENE_NODE: Final = NUM_JOINTS + 1


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
    animation = animation_of(motion, body)
    skin = body.skin(tensor(motion.betas), bone_scale=bone_scale_of(motion))
    buffer = _Buffer()
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator="motionfield", extras=_extras(motion)),
        scene=0,
        scenes=[gltf.Scene(nodes=[_SCENE_NODE])],
        nodes=_nodes(animation, skin),
        meshes=[_mesh(buffer, skin)],
        materials=[
            gltf.Material(
                name="body",
                doubleSided=True,
                pbrMetallicRoughness=gltf.PbrMetallicRoughness(
                    baseColorFactor=_SKIN_COLOUR, metallicFactor=0.0, roughnessFactor=0.8
                ),
            )
        ],
        skins=[
            gltf.Skin(
                joints=list(range(NUM_JOINTS)),
                # glTF stores matrices by columns.
                inverseBindMatrices=buffer.floats(skin.inverse_bind.mT, gltf.MAT4),
            )
        ],
        animations=[_channels(buffer, animation)],
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


def _nodes(animation: Animation, skin: Skin) -> list[gltf.Node]:
    """The 24 joints in the T-pose, then the mesh, then what holds both."""
    places = animation.offsets.clone()
    places[0] = animation.rest[0]
    places[0, 1] -= skin.rest_vertices[:, 1].min()
    joints = [
        gltf.Node(name=name, translation=place.tolist(), children=list(CHILDREN[joint]))
        for joint, (name, place) in enumerate(zip(JOINT_NAMES, places, strict=True))
    ]
    return [
        *joints,
        gltf.Node(name="body", mesh=0, skin=0),
        gltf.Node(name="person", children=[0, _MESH_NODE]),
    ]


def _mesh(buffer: _Buffer, skin: Skin) -> gltf.Mesh:
    vertices = skin.bind_vertices
    weight = skin.joint_weight.float()
    # glTF wants joint 0 where a weight is zero, and weights that sum to 1 in single precision.
    joint = torch.where(weight > 0, skin.joint_index, 0).numpy().astype(np.uint8)
    weight = weight / weight.sum(-1, keepdim=True)
    faces = skin.faces.numpy().astype(np.uint32).reshape(-1)
    array, element = gltf.ARRAY_BUFFER, gltf.ELEMENT_ARRAY_BUFFER
    return gltf.Mesh(
        name="body",
        primitives=[
            gltf.Primitive(
                attributes=gltf.Attributes(
                    POSITION=buffer.floats(vertices, gltf.VEC3, array),
                    NORMAL=buffer.floats(_normals(vertices, skin.faces), gltf.VEC3, array),
                    JOINTS_0=buffer.add(joint, gltf.VEC4, gltf.UNSIGNED_BYTE, array),
                    WEIGHTS_0=buffer.floats(weight, gltf.VEC4, array),
                ),
                indices=buffer.add(faces, gltf.SCALAR, gltf.UNSIGNED_INT, element),
                material=0,
            )
        ],
    )


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


def _channels(buffer: _Buffer, animation: Animation) -> gltf.Animation:
    time = buffer.floats(animation.time_s, gltf.SCALAR)
    quaternions = _continuous_quaternions(animation.rotations)
    outputs = [buffer.floats(quaternions[:, joint], gltf.VEC4) for joint in range(NUM_JOINTS)]
    outputs.append(buffer.floats(animation.root, gltf.VEC3))
    targets = [(joint, gltf.ROTATION) for joint in range(NUM_JOINTS)] + [(0, gltf.TRANSLATION)]
    return gltf.Animation(
        name="motion",
        samplers=[
            gltf.AnimationSampler(input=time, output=o, interpolation="LINEAR") for o in outputs
        ],
        channels=[
            gltf.AnimationChannel(
                sampler=n, target=gltf.AnimationChannelTarget(node=node, path=path)
            )
            for n, (node, path) in enumerate(targets)
        ],
    )


def _continuous_quaternions(rotations: Tensor) -> Tensor:
    """Unit quaternions (x, y, z, w) whose sign never turns over between frames."""
    quaternions = roma.rotmat_to_unitquat(rotations)
    turned = (quaternions[1:] * quaternions[:-1]).sum(-1) < 0
    first = torch.zeros(1, NUM_JOINTS, dtype=torch.bool)
    flips = torch.cat((first, turned)).cumsum(0) % 2
    return quaternions * (1 - 2 * flips).unsqueeze(-1)
