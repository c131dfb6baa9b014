"""Pickles as joblib writes them, without joblib: its stream, byte for byte."""

import io
import pickle
import sys
import types
import unittest.mock
from pathlib import Path
from typing import Any

import numpy as np


class NumpyArrayWrapper:
    """What joblib's pickles name in place of an array; the array's bytes follow."""

    def __init__(self, array: np.ndarray, alignment: int | None) -> None:
        self.subclass = type(array)
        self.shape = array.shape
        fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        self.order = "F" if fortran else "C"
        self.dtype = array.dtype
        self.allow_mmap = not array.dtype.hasobject
        if alignment is not None:
            self.numpy_array_alignment_bytes = alignment


NumpyArrayWrapper.__module__ = "joblib.numpy_pickle"


class _Pickler(pickle._Pickler):
    alignment: int | None = 16

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.file = file

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if type(obj) is not np.ndarray:
            super().save(obj, save_persistent_id)
            return
        super().save(NumpyArrayWrapper(obj, self.alignment))
        if self.proto >= 4:
            self.framer.commit_frame(force=True)
        if obj.dtype.hasobject:
            pickle.dump(obj, self.file, protocol=2)
            return
        if self.alignment is not None:
            padding = self.alignment - (self.file.tell() + 1) % self.alignment
            self.file.write(bytes([padding]) + b"\xff" * padding)
        self.file.write(obj.tobytes("F" if obj.flags.f_contiguous else "C"))


def joblib_bytes(value: Any, protocol: int = 4, alignment: int | None = 16) -> bytes:
    """As ``joblib.dump`` writes it (alignment None: joblib 1.1 and before)."""
    module = types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = NumpyArrayWrapper  # type: ignore[attr-defined]
    modules = {"joblib": types.ModuleType("joblib"), "joblib.numpy_pickle": module}
    file = io.BytesIO()
    pickler = _Pickler(file, protocol)
    pickler.alignment = alignment
    with unittest.mock.patch.dict(sys.modules, modules):
        pickler.dump(value)
    return file.getvalue()


def joblib_dump(value: Any, path: Path) -> Path:
    path.write_bytes(joblib_bytes(value))
    return path
