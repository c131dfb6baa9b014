"""Meshes with known geometry."""

import numpy as np
import trimesh

from motionfield.rendering import Mesh


def sphere(centre: tuple[float, float, float], radius: float, subdivisions: int = 4) -> Mesh:
    """A fine triangulated sphere."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(np.array(ball.vertices) + centre, np.array(ball.faces))


def plate(depth_m: float, half_m: float = 10.0) -> Mesh:
    """Two triangles facing the camera at the world's origin that looks along +z."""
    h = half_m
    corners = np.array([(-h, -h, depth_m), (h, -h, depth_m), (h, h, depth_m), (-h, h, depth_m)])
    return Mesh(corners, np.array([(0, 2, 1), (0, 3, 2)]))
