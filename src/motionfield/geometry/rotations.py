"""Rotations: what ``roma`` does not have. Inside, a rotation is a matrix (…, 3, 3).

``roma`` converts between matrices, rotation vectors and quaternions (its quaternions are xyzw).
"""

import torch
from jaxtyping import Float
from torch import Tensor


def rot6d_to_rotmat(rot6d: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 3 3"]:
    """Gram-Schmidt of the first two **columns**, concatenated (Zhou et al., CVPR 2019, eq. 15).

    Published codes differ: some interleave the two columns (rows of a (3, 2) matrix).
    """
    a, b = rot6d[..., :3], rot6d[..., 3:]
    x = torch.nn.functional.normalize(a, dim=-1)
    y = torch.nn.functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def rotmat_to_rot6d(rotmat: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 6"]:
    """The first two columns, concatenated: the inverse of ``rot6d_to_rotmat``."""
    return torch.cat((rotmat[..., :, 0], rotmat[..., :, 1]), dim=-1)


def axis_rotation(axis: str, angle: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation by ``angle`` radians about the axis "x", "y" or "z"."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    one, zero = torch.ones_like(cos), torch.zeros_like(cos)
    rows = {
        "x": (one, zero, zero, zero, cos, -sin, zero, sin, cos),
        "y": (cos, zero, sin, zero, one, zero, -sin, zero, cos),
        "z": (cos, -sin, zero, sin, cos, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
