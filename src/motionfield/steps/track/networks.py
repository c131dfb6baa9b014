"""The pose networks' files, and running them on several cores."""

import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy import ndarray

from motionfield.core.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


class PoseModels(NamedTuple):
    """The files of the two BlazePose networks (TFLite)."""

    detector: Path
    landmarks: Path
    """``full`` or, where the user has it, ``heavy``: the same inputs and outputs."""


class Network:
    """One TFLite network: an image in, its output tensors by their number of values out."""

    def __init__(self, path: Path) -> None:
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as error:
            fault = f"is not a usable TFLite network ({error})"
            raise InputError(path, fault, "delete it and run `motionfield models`") from error
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = {
            int(np.prod(detail["shape"])): detail["index"]
            for detail in self._interpreter.get_output_details()
        }

    @property
    def input_size(self) -> int:
        """Side of the square input image in pixels."""
        return int(self._input["shape"][1])

    @property
    def output_sizes(self) -> frozenset[int]:
        """Number of values of each output."""
        return frozenset(self._outputs)

    def __call__(self, image: ndarray) -> dict[int, ndarray]:
        """Run on one float32 image (height, width, 3); outputs are flat copies."""
        self._interpreter.set_tensor(self._input["index"], image[None])
        self._interpreter.invoke()
        return {
            size: self._interpreter.get_tensor(index).reshape(-1)
            for size, index in self._outputs.items()
        }


class NetworkPool:
    """Copies of one network, one per worker: ``map`` runs a function of (network, item).

    Results come in the items' order and do not depend on the number of workers.
    """

    def __init__(self, path: Path, workers: int, expected_outputs: frozenset[int]) -> None:
        self._free: queue.SimpleQueue[Network] = queue.SimpleQueue()
        for _ in range(workers):
            network = Network(path)
            if not expected_outputs <= network.output_sizes:
                fault = f"has outputs of {sorted(network.output_sizes)} values, "
                fault += f"not of {sorted(expected_outputs)}"
                raise InputError(path, fault, "give the BlazePose network of this role")
            self._free.put(network)
        self.input_size = network.input_size
        self._executor = ThreadPoolExecutor(workers, "pose-network") if workers > 1 else None

    def map(self, run: Callable[[Network, Item], Result], items: Iterable[Item]) -> list[Result]:
        """Apply ``run`` to every item."""

        def with_network(item: Item) -> Result:
            network = self._free.get()
            try:
                return run(network, item)
            finally:
                self._free.put(network)

        items = list(items)
        if self._executor is None or len(items) < 2:
            return [with_network(item) for item in items]
        return list(self._executor.map(with_network, items))
