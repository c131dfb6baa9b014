"""Readers of BVH, GLB and TRC that share nothing with the writers: text, struct, json, scipy."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation, Slerp


class Bvh(NamedTuple):
    names: list[str]
    parents: list[int]
    offsets: np.ndarray
    ends: dict[str, np.ndarray]
    channels: list[list[str]]
    values: np.ndarray
    frame_time: float

    def columns(self, joint: int) -> slice:
        start = sum(len(c) for c in self.channels[:joint])
        return slice(start, start + len(self.channels[joint]))

    def rest(self) -> np.ndarray:
        place = np.zeros((len(self.names), 3))
        for joint, parent in enumerate(self.parents):
            place[joint] = self.offsets[joint] + (place[parent] if parent >= 0 else 0)
        return place

    def joints(self) -> np.ndarray:
        """(T, J, 3): position channels replace the offset, as in Blender."""
        count = len(self.values)
        place = np.zeros((count, len(self.names), 3))
        turn: list[Rotation] = []
        for joint, parent in enumerate(self.parents):
            values = self.values[:, self.columns(joint)]
            kinds = self.channels[joint]
            rotating = [n for n, kind in enumerate(kinds) if kind.endswith("rotation")]
            order = "".join(kinds[n][0].upper() for n in rotating)
            local = Rotation.from_euler(order, values[:, rotating], degrees=True)
            moving = {kind[0]: n for n, kind in enumerate(kinds) if kind.endswith("position")}
            offset = np.repeat(self.offsets[joint][None], count, 0)
            if moving:
                offset = values[:, [moving[axis] for axis in "XYZ"]]
            if parent < 0:
                place[:, joint] = offset
                turn.append(local)
            else:
                place[:, joint] = place[:, parent] + turn[parent].apply(offset)
                turn.append(turn[parent] * local)
        return place


def read_bvh(path: Path) -> Bvh:
    hierarchy, motion = path.read_text().split("MOTION")
    words = iter(hierarchy.split())
    assert next(words) == "HIERARCHY"
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[list[str]] = []
    ends: dict[str, np.ndarray] = {}
    stack: list[int] = []
    in_end = False
    for word in words:
        if word in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            names.append(next(words))
            channels.append([])
        elif word == "End":
            assert next(words) == "Site"
            in_end = True
        elif word == "{":
            if not in_end:
                stack.append(len(names) - 1)
        elif word == "}":
            if in_end:
                in_end = False
            else:
                stack.pop()
        elif word == "OFFSET":
            numbers = [float(next(words)) for _ in range(3)]
            if in_end:
                ends[names[stack[-1]]] = np.array(numbers)
            else:
                offsets.append(numbers)
        elif word == "CHANNELS":
            channels[stack[-1]] = [next(words) for _ in range(int(next(words)))]
        else:
            raise ValueError(word)
    lines = motion.strip().splitlines()
    count = int(lines[0].split(":")[1])
    frame_time = float(lines[1].split(":")[1])
    values = np.array([[float(x) for x in line.split()] for line in lines[2:]])
    assert len(values) == count
    return Bvh(names, parents, np.array(offsets), ends, channels, values, frame_time)


_COMPONENTS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb(NamedTuple):
    json: dict[str, Any]
    binary: bytes

    def accessor(self, index: int) -> np.ndarray:
        accessor = self.json["accessors"][index]
        view = self.json["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        width = _WIDTHS[accessor["type"]]
        kind = np.dtype(_COMPONENTS[accessor["componentType"]])
        array = np.frombuffer(self.binary, kind, accessor["count"] * width, start)
        return array.reshape(accessor["count"], width)

    @property
    def time_s(self) -> np.ndarray:
        return self.accessor(self.json["animations"][0]["samplers"][0]["input"])[:, 0]

    def channel(self, node: int, path: str, at_s: np.ndarray) -> np.ndarray | None:
        animation = self.json["animations"][0]
        for channel in animation["channels"]:
            if channel["target"] == {"node": node, "path": path}:
                sampler = animation["samplers"][channel["sampler"]]
                time = self.accessor(sampler["input"])[:, 0]
                values = self.accessor(sampler["output"])
                if path == "rotation":
                    return Slerp(time, Rotation.from_quat(values))(at_s).as_matrix()
                return np.stack([np.interp(at_s, time, v) for v in values.T], -1)
        return None

    def node_matrices(self, at_s: np.ndarray | None = None) -> np.ndarray:
        """(T, N, 4, 4) of every node in the scene; the rest pose where no time is given."""
        nodes = self.json["nodes"]
        times = np.zeros(1) if at_s is None else at_s
        matrices = np.full((len(times), len(nodes), 4, 4), np.nan)

        def visit(index: int, parent: np.ndarray) -> None:
            node = nodes[index]
            local = np.repeat(np.eye(4)[None], len(times), 0)
            local[:, :3, 3] = node.get("translation", [0, 0, 0])
            local[:, :3, :3] = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
            if at_s is not None:
                turn = self.channel(index, "rotation", at_s)
                move = self.channel(index, "translation", at_s)
                local[:, :3, :3] = local[:, :3, :3] if turn is None else turn
                local[:, :3, 3] = local[:, :3, 3] if move is None else move
            matrices[:, index] = parent @ local
            for child in node.get("children", []):
                visit(child, matrices[:, index])

        for root in self.json["scenes"][self.json["scene"]]["nodes"]:
            visit(root, np.repeat(np.eye(4)[None], len(times), 0))
        return matrices

    def joints(self, at_s: np.ndarray | None = None, skin: int = 0) -> np.ndarray:
        """(T, 24, 3) in the order of the skin."""
        return self.node_matrices(at_s)[:, self.json["skins"][skin]["joints"]][..., :3, 3]

    def vertices(self, at_s: np.ndarray | None = None, figure: int = 0) -> np.ndarray:
        """(T, V, 3) of one skin, skinned as glTF says."""
        skin = self.json["skins"][figure]
        (node,) = (node for node in self.json["nodes"] if node.get("skin") == figure)
        inverse_bind = self.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
        inverse_bind = inverse_bind.transpose(0, 2, 1)
        attributes = self.json["meshes"][node["mesh"]]["primitives"][0]["attributes"]
        position = self.accessor(attributes["POSITION"])
        joint = self.accessor(attributes["JOINTS_0"]).astype(int)
        weight = self.accessor(attributes["WEIGHTS_0"])
        matrices = self.node_matrices(at_s)[:, skin["joints"]] @ inverse_bind
        blended = np.einsum("vs,tvsij->tvij", weight, matrices[:, joint])
        homogeneous = np.concatenate((position, np.ones_like(position[:, :1])), -1)
        return np.einsum("tvij,vj->tvi", blended, homogeneous)[..., :3]


def read_glb(path: Path) -> Glb:
    content = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    chunks, at = {}, 12
    while at < length:
        size, kind = struct.unpack_from("<I4s", content, at)
        assert at % 4 == 0
        chunks[kind] = content[at + 8 : at + 8 + size]
        at += 8 + size
    return Glb(json.loads(chunks[b"JSON"]), chunks[b"BIN\0"])


class Trc(NamedTuple):
    header: dict[str, str]
    names: list[str]
    time_s: np.ndarray
    markers: np.ndarray


def read_trc(path: Path) -> Trc:
    lines = path.read_text().split("\n")
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    names = [name for name in lines[3].split("\t")[2:] if name]
    assert lines[4].split("\t")[2:5] == ["X1", "Y1", "Z1"]
    assert lines[5] == ""
    rows = np.array([[float(x) for x in line.split("\t")] for line in lines[6:] if line])
    assert rows.shape == (int(header["NumFrames"]), 2 + 3 * int(header["NumMarkers"]))
    assert (rows[:, 0] == np.arange(1, len(rows) + 1)).all()
    return Trc(header, names, rows[:, 1], rows[:, 2:].reshape(len(rows), -1, 3))
