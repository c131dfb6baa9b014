"""MATLAB files: version 5 to 7.2 by SciPy; 7.3 is HDF5 and needs h5py, which is optional."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from motionfield.core.errors import InputError


def load_mat(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Some variables of a MATLAB file, with MATLAB's order of axes.

    Raises:
        InputError: damaged, without one of the variables, or HDF5 and h5py is not installed.
    """
    try:
        content = scipy.io.loadmat(path)
    except NotImplementedError:
        content = _load_hdf5(path, names)
    except Exception as error:  # a damaged file may raise anything
        raise InputError(path, f"is no MATLAB file ({error})", "get it again") from error
    missing = [name for name in names if name not in content]
    if missing:
        fault = f"holds no variable {', '.join(missing)}"
        raise InputError(path, fault, "give the data set's own file")
    return {name: content[name] for name in names}


def _load_hdf5(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        import h5py
    except ImportError as error:
        fault = "is a MATLAB 7.3 file (HDF5), and h5py is not installed"
        cure = "pip install h5py, or save it in MATLAB with save(…, '-v7')"
        raise InputError(path, fault, cure) from error
    with h5py.File(path, "r") as file:
        # HDF5 keeps the axes of MATLAB in reverse.
        return {name: np.asarray(file[name]).T for name in names if name in file}
