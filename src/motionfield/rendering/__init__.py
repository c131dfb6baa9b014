"""Pictures of meshes by ray casting: depth, masks, shaded colour. No display is needed."""

from motionfield.rendering.ground import Ground, ground_picture
from motionfield.rendering.ray_casting import Hits, Mesh, RayScene, depth, mask
from motionfield.rendering.shading import Layer, Shading, render_layer
from motionfield.rendering.view import Box, Rays, View, look_at

__all__ = [
    "Box",
    "Ground",
    "Hits",
    "Layer",
    "Mesh",
    "RayScene",
    "Rays",
    "Shading",
    "View",
    "depth",
    "ground_picture",
    "look_at",
    "mask",
    "render_layer",
]
