"""From the records' read-only numpy arrays to tensors."""

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor


def tensor_of(array: Float[ndarray, "*shape"]) -> Float[Tensor, "*shape"]:
    """A float32 tensor of its own memory (records are read-only, tensors are not)."""
    return torch.tensor(array, dtype=torch.float32)
