"""Cutting a triangle mesh along the line where a value of its vertices is zero."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray


class Cut(NamedTuple):
    """What is kept. Each vertex lies on an edge (or a vertex) of the mesh that was cut."""

    faces: Int[ndarray, "faces 3"]
    first: Int[ndarray, "vertices"]
    second: Int[ndarray, "vertices"]
    share: Float[ndarray, "vertices"]
    """How far from the first vertex towards the second, 0 to 1."""

    def carry(self, values: Float[ndarray, "old *shape"]) -> Float[ndarray, "new *shape"]:
        """Values of the old vertices at the new ones."""
        share = self.share.reshape(-1, *(1,) * (values.ndim - 1)).astype(values.dtype)
        return values[self.first] * (1 - share) + values[self.second] * share


def cut_mesh(faces: Int[ndarray, "faces 3"], value: Float[ndarray, "vertices"]) -> Cut:
    """The part of a mesh where ``value`` is negative, triangles cut at zero.

    The order of the corners (which side is outside) stays.
    """
    value = np.where(np.abs(value) < 1e-9, 1e-9, value)
    inside = value < 0
    count = inside[faces].sum(1)
    pieces = [faces[count == 3]]
    made: dict[tuple[int, int], int] = {}
    total = len(value)

    def between(a: int, b: int) -> int:
        key = (a, b) if a < b else (b, a)
        return made.setdefault(key, total + len(made))

    extra = []
    for face in faces[(count == 1) | (count == 2)]:
        a, b, c = _turned(face, inside)
        ab_or_bc, ca = (
            (between(a, b), between(c, a)) if not inside[b] else (between(b, c), between(c, a))
        )
        if inside[b]:
            extra += [(a, b, ab_or_bc), (a, ab_or_bc, ca)]
        else:
            extra.append((a, ab_or_bc, ca))
    pieces.append(np.array(extra, np.int64).reshape(-1, 3))
    return _compact(np.concatenate(pieces), value, made)


def _turned(face: Int[ndarray, "3"], inside: Bool[ndarray, "vertices"]) -> tuple[int, int, int]:
    """The corners in the same order, beginning so that the inside ones come first."""
    a, b, c = (int(v) for v in face)
    for first, second, third in ((a, b, c), (b, c, a), (c, a, b)):
        if inside[first] and not inside[third]:
            return first, second, third
    raise AssertionError("the triangle does not cross the line")


def _compact(
    faces: Int[ndarray, "faces 3"],
    value: Float[ndarray, "vertices"],
    made: dict[tuple[int, int], int],
) -> Cut:
    edges = np.array(list(made), np.int64).reshape(-1, 2)
    old = np.arange(len(value))
    first = np.concatenate((old, edges[:, 0]))
    second = np.concatenate((old, edges[:, 1]))
    start, end = value[first], value[second]
    crossing = np.where(start == end, 1.0, start - end)
    share = np.where(first == second, 0.0, start / crossing)
    used, renumbered = np.unique(faces, return_inverse=True)
    return Cut(renumbered.reshape(-1, 3), first[used], second[used], share[used])
