"""A Gaussian mixture over body poses: what poses people take, the role it has in SMPLify.

Bogo et al., Keep it SMPL, ECCV 2016, eq. 6: the energy of a pose is the negative logarithm of its
density, with the sum over components replaced by the largest term. Weights: docs/priors.md.
"""

import math
from pathlib import Path
from typing import Any, Final, Literal, final

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from motionfield.core.conventions import JOINT_NAMES, mirror_order
from motionfield.core.errors import InputError, RecordError
from motionfield.priors.weight_file import read_weights, shipped_weights, write_weights

MIXTURE_JOINTS: Final = JOINT_NAMES[1:22]
"""The joints whose rotations the mixture knows: all but the root and the hands."""
NUM_FEATURES: Final = 3 * len(MIXTURE_JOINTS)

MixtureForm = Literal["min", "logsumexp"]
_FORMAT: Final = "motionfield-pose-mixture-1"
_MIRROR: Final = torch.tensor(mirror_order(MIXTURE_JOINTS))
_TRAIN: Final = "run motionfield train pose_mixture --data DIR"


@final
class PoseMixture:
    """Mixture of Gaussians over the rotation vectors of ``MIXTURE_JOINTS``."""

    def __init__(
        self,
        weights: Float[Tensor, "components"],
        means: Float[Tensor, "components features"],
        precision_cholesky: Float[Tensor, "components features features"],
    ) -> None:
        """Keep the parts of the density.

        Args:
            weights: shares of the components, summing to 1.
            means: rotation vectors, joint after joint, radians.
            precision_cholesky: lower triangular L with inverse covariance L @ L.T.

        Raises:
            RecordError: shapes that contradict each other, or weights that do not sum to 1.
        """
        count, features = means.shape
        if features != NUM_FEATURES or precision_cholesky.shape != (count, features, features):
            raise RecordError(f"PoseMixture: means {tuple(means.shape)} do not fit the rest")
        if weights.shape != (count,) or not math.isclose(float(weights.sum()), 1, abs_tol=1e-3):
            raise RecordError("PoseMixture: weights do not sum to 1")
        self.weights, self.means, self.precision_cholesky = weights, means, precision_cholesky
        diagonal = precision_cholesky.diagonal(dim1=-2, dim2=-1)
        constant = 0.5 * features * math.log(2 * math.pi)
        self._log_scale = weights.log() + diagonal.log().sum(-1) - constant

    @property
    def num_components(self) -> int:
        return len(self.weights)

    def energy(
        self, body_pose: Float[Tensor, "frames 23 3 3"], form: MixtureForm = "min"
    ) -> Float[Tensor, "frames"]:
        """Negative log density of each frame's pose (lower is more usual), in nats.

        Args:
            body_pose: rotations of joints 1 to 23 relative to their parents.
            form: "min" keeps the nearest component alone, as SMPLify; "logsumexp" is the
                mixture's own density. They differ by less than log(components).

        Differentiable in ``body_pose``; the gradient is finite everywhere, half turns included.
        """
        return self.energy_of_features(pose_features(body_pose), form)

    def energy_of_features(
        self, features: Float[Tensor, "frames features"], form: MixtureForm = "min"
    ) -> Float[Tensor, "frames"]:
        """The same for rotation vectors (``pose_features``)."""
        log_terms = self.log_terms(features)
        if form == "min":
            return -log_terms.amax(-1)
        return -log_terms.logsumexp(-1)

    def log_terms(
        self, features: Float[Tensor, "frames features"]
    ) -> Float[Tensor, "frames components"]:
        """log(weight * density) of every component."""
        means, cholesky = self.means.to(features), self.precision_cholesky.to(features)
        # One matrix product for all components: L.T @ (x - mean) = L.T @ x - L.T @ mean.
        stacked = cholesky.transpose(0, 1).flatten(1)
        shift = (means.unsqueeze(1) @ cholesky).flatten()
        white = (features @ stacked - shift).unflatten(-1, means.shape)
        return self._log_scale.to(features) - 0.5 * white.square().sum(-1)

    def save(self, path: Path | str, metadata: dict[str, Any] | None = None) -> None:
        """Write one safetensors file, float32."""
        tensors = {
            "weights": self.weights,
            "means": self.means,
            "precision_cholesky": self.precision_cholesky,
        }
        header = {"format": _FORMAT, "joints": MIXTURE_JOINTS, **(metadata or {})}
        write_weights(path, tensors, header)

    @classmethod
    def load(cls, path: Path | str | None = None) -> "PoseMixture":
        """Read the mixture that ships in the package, or one of your own.

        Raises:
            MissingAssetError: no such file.
            InputError: the file is not a pose mixture, or is damaged.
        """
        path = shipped_weights("pose_mixture") if path is None else Path(path)
        file = read_weights(path, _FORMAT, _TRAIN)
        if tuple(file.header.get("joints", ())) != MIXTURE_JOINTS:
            raise InputError(path, "is a pose mixture of other joints", _TRAIN)
        try:
            return cls(**file.tensors)
        except (RecordError, TypeError) as error:
            raise InputError(path, f"is damaged ({error})", _TRAIN) from error


def pose_features(body_pose: Float[Tensor, "frames 23 3 3"]) -> Float[Tensor, "frames features"]:
    """Rotation vectors of ``MIXTURE_JOINTS``, joint after joint, at most half a turn long."""
    return roma.rotmat_to_rotvec(body_pose[:, : len(MIXTURE_JOINTS)]).flatten(1)


def mirror_features(features: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch features"]:
    """The pose seen in a mirror: sides exchanged, turns about y and z reversed."""
    sign = features.new_tensor([1.0, -1.0, -1.0])
    turns = features.unflatten(-1, (len(MIXTURE_JOINTS), 3))
    return (turns[..., _MIRROR.to(features.device), :] * sign).flatten(-2)
