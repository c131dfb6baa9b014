"""Decimation to a subset of the vertices, so that shape directions and skin weights carry over.

Half-edge collapses in the order of quadric error (Garland and Heckbert, SIGGRAPH 1997); the
kept vertex does not move.
"""

import heapq

import numpy as np

_BOUNDARY_WEIGHT = 100.0


def decimate(vertices: np.ndarray, faces: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges until ``target`` vertices are left (or no edge may collapse).

    Returns:
        Indices of the kept vertices (kept,), and faces in terms of those (faces, 3).
    """
    surface = _Surface(vertices, faces)
    while surface.count > target and surface.heap:
        _, gone, kept, stamp_gone, stamp_kept = heapq.heappop(surface.heap)
        fresh = surface.stamp[gone] == stamp_gone and surface.stamp[kept] == stamp_kept
        if fresh and kept in surface.neighbours[gone] and surface.may_collapse(gone, kept):
            surface.collapse(gone, kept)
    used = np.flatnonzero(surface.alive)
    new_index = np.full(len(vertices), -1)
    new_index[used] = np.arange(len(used))
    return used, new_index[surface.corners[surface.alive_face]]


class _Surface:
    """A mesh that loses one vertex at a time."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        self.vertices = vertices
        self.corners = faces.copy()
        self.quadrics = _quadrics(vertices, faces)
        self.neighbours: list[set[int]] = [set() for _ in vertices]
        self.around: list[set[int]] = [set() for _ in vertices]
        for index, face in enumerate(faces.tolist()):
            for corner in range(3):
                self.around[face[corner]].add(index)
                self.neighbours[face[corner]].update((face[corner - 1], face[corner - 2]))
        self.alive = np.ones(len(vertices), bool)
        self.alive_face = np.ones(len(faces), bool)
        self.stamp = np.zeros(len(vertices), int)
        self.count = len(vertices)
        self.heap: list[tuple[float, int, int, int, int]] = []
        for a in range(len(vertices)):
            for b in self.neighbours[a]:
                self._offer(a, b)

    def _offer(self, gone: int, kept: int) -> None:
        point = np.append(self.vertices[kept], 1)
        error = point @ (self.quadrics[gone] + self.quadrics[kept]) @ point
        length = np.linalg.norm(self.vertices[gone] - self.vertices[kept])
        stamps = int(self.stamp[gone]), int(self.stamp[kept])
        heapq.heappush(self.heap, (float(error + 1e-9 * length), gone, kept, *stamps))

    def may_collapse(self, gone: int, kept: int) -> bool:
        """False where the surface would fold over or pinch."""
        shared = self.around[gone] & self.around[kept]
        if len(self.neighbours[gone] & self.neighbours[kept]) != len(shared):
            return False
        for face in self.around[gone] - shared:
            before = self.vertices[self.corners[face]]
            moved = (self.corners[face] == gone)[:, None]
            after = np.where(moved, self.vertices[kept], before)
            old = np.cross(before[1] - before[0], before[2] - before[0])
            new = np.cross(after[1] - after[0], after[2] - after[0])
            lengths = np.linalg.norm(old) * np.linalg.norm(new)
            if old @ new < 0.3 * lengths or lengths == 0:
                return False
        return True

    def collapse(self, gone: int, kept: int) -> None:
        """Move every face of ``gone`` to ``kept``; faces of both vanish."""
        for face in list(self.around[gone]):
            if kept in self.corners[face]:
                self.alive_face[face] = False
                for corner in self.corners[face]:
                    self.around[corner].discard(face)
            else:
                self.corners[face][self.corners[face] == gone] = kept
                self.around[kept].add(face)
        self.quadrics[kept] += self.quadrics[gone]
        self.alive[gone] = False
        self.count -= 1
        self.stamp[kept] += 1
        self.stamp[gone] += 1
        for other in self.neighbours[gone]:
            self.neighbours[other].discard(gone)
            if other != kept:
                self.neighbours[other].add(kept)
                self.neighbours[kept].add(other)
        for other in self.neighbours[kept]:
            self._offer(kept, other)
            self._offer(other, kept)


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(vertices, 4, 4): squared distances to the planes round each vertex, by area."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.maximum(area, 1e-12)
    plane = np.concatenate((normal, -(normal * corners[:, 0]).sum(1, keepdims=True)), axis=1)
    per_face = plane[:, :, None] * plane[:, None, :] * area[:, :, None]
    quadrics = np.zeros((len(vertices), 4, 4))
    for corner in range(3):
        np.add.at(quadrics, faces[:, corner], per_face)
    # Open edges are held by planes across them.
    edges = np.concatenate([faces[:, [a, (a + 1) % 3]] for a in range(3)])
    owner = np.tile(np.arange(len(faces)), 3)
    _, inverse, counts = np.unique(
        np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    for row in np.flatnonzero(counts[inverse.ravel()] == 1):
        a, b = edges[row]
        along = vertices[b] - vertices[a]
        across = np.cross(along, normal[owner[row]])
        across /= max(np.linalg.norm(across), 1e-12)
        plane = np.append(across, -across @ vertices[a])
        quadric = _BOUNDARY_WEIGHT * (along @ along) * np.outer(plane, plane)
        quadrics[a] += quadric
        quadrics[b] += quadric
    return quadrics
