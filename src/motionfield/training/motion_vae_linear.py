"""The linear motion autoencoder, solved; and what it has to beat, plain principal components."""

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_INDEX, JOINT_PARENTS
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import LSP_14
from motionfield.core.progress import Progress, silent
from motionfield.priors.motion_vae_parts import LinearCode

Windows = Float[Tensor, "windows frames 24 6"]
_BLOCK: Final = 2000
_ENDS_M: Final = {"head": 0.2, "wrist": 0.1, "hand": 0.05, "ankle": 0.1}
"""How far what has no joint of its own reaches: skull, hand, fingers, sole."""
_LEAST: Final = 0.01
"""Least squared weight against the root's, so that no joint is free to do anything."""


def joint_weights(body: Body) -> Float[Tensor, "144"]:
    """How far the body's joints move with each joint's 6D values; the root's about 1.

    The square root of the summed squared distances, in the zero pose, of all joints below: what
    an error of a rotation does to places, to first order.
    """
    rest = body.rest_joints(torch.zeros(body.num_betas))
    squares = torch.zeros(len(JOINT_PARENTS))
    for name, index in JOINT_INDEX.items():
        counts = 1.0 if name in LSP_14.keypoint_names or name.endswith(("head", "wrist")) else 0.1
        above = JOINT_PARENTS[index]
        while above >= 0:
            squares[above] += counts * (rest[index] - rest[above]).square().sum()
            above = JOINT_PARENTS[above]
        squares[index] += _ENDS_M.get(name.split("_")[-1], 0.0) ** 2
    return (squares / squares.max() + _LEAST).sqrt().repeat_interleave(6)


def fit_linear(
    code: LinearCode,
    draw: Callable[[int], Windows],
    count: int,
    weight: Float[Tensor, "144"],
    progress: Progress = silent,
) -> None:
    """Solve the code on ``count`` windows, joints weighed by ``weight``.

    Raises:
        OptionError: fewer windows than the code has numbers.
    """
    if count <= code.latent:
        raise OptionError(f"motion_vae: {count} windows do not fix a code of {code.latent}")
    code.weight.copy_(weight)
    size = len(code.mean)
    mean, second = torch.zeros(size), torch.zeros(size, size)
    with progress("principal components", count, "window") as bar:
        for start in range(0, count, _BLOCK):
            some = min(_BLOCK, count - start)
            spectra = code.spectrum(draw(some).flatten(2))
            mean += spectra.sum(0)
            second.addmm_(spectra.mT, spectra)
            bar.advance(some)
    mean /= count
    code.fit(mean, second / count - torch.outer(mean, mean))


class PrincipalComponents(NamedTuple):
    """Plain ones of whole windows, every value alike: what Table 3 is read beside."""

    mean: Float[Tensor, "values"]
    basis: Float[Tensor, "values latent"]

    def autoencode(self, windows: Windows) -> Windows:
        """Project and return."""
        code = (windows.flatten(1) - self.mean) @ self.basis
        return (self.mean + code @ self.basis.mT).view_as(windows)


def principal_components(windows: Windows, latent: int) -> PrincipalComponents:
    """Of these windows, by a randomised singular value decomposition (3 power iterations).

    Raises:
        OptionError: fewer windows than numbers in the code.
    """
    if len(windows) <= latent + 20:
        raise OptionError(f"principal components: {len(windows)} windows for a code of {latent}")
    flat = windows.flatten(1)
    mean = flat.mean(0)
    _, _, basis = torch.svd_lowrank(flat - mean, q=latent + 20, niter=3)
    return PrincipalComponents(mean, basis[:, :latent])
