"""Pickles of strangers, read without running anything of theirs.

A pickle is a program: ``pickle.load`` runs what its author put in. Here only numbers and plain
containers come out. Every name that a file may call is in ``_NAMES`` and stands for a function of
this module; every other name ends the reading. Array headers are rebuilt from checked parts,
because a forged ``numpy.dtype`` state could make numpy take bytes for pointers.

Read are: plain pickles of all protocols (Python 2's too), those of joblib 0.10 and later (bare, or
compressed with zlib, gzip, bz2 or lzma), torch files (torch's own ``weights_only`` reader), and
``.npy`` files that hold an object. Tensors come out as numpy arrays.
"""

import bz2
import gzip
import io
import lzma
import math
import pickle
import re
import warnings
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from motionfield.core.errors import InputError

_CURE: Final = "only files of numbers are read; save the arrays again with numpy.savez"
_LARGEST: Final = 8 << 30
"""Bytes that a compressed file may unpack to."""
_TORCH_MAGIC: Final = 0x1950A86A20F9469CFC6C
"""What the torch files of before 2020 begin with."""
_KINDS: Final = re.compile(r"[<>|=]?([?bBhHiIlLqQefdFD]|[biufcSU]\d+|O8?)")
"""Numbers, text, and O for lists of what was read under the same rules."""
_Opener = Callable[[Any], Any]


class _Refused(Exception):
    """What the file asks for and does not get."""


def load_pickle(path: Path) -> Any:
    """What a pickle, joblib, torch or object ``.npy`` file holds: numpy arrays in containers.

    Raises:
        InputError: missing, damaged, or asks for anything but numbers and containers.
    """
    if path.is_dir():
        raise InputError(path, "is a folder", "give one file of it")
    if not path.exists():
        raise InputError(path, "does not exist", "check the path")
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch warns of its own old storages
            return _plain(_read(file))
    except _Refused as refused:
        raise InputError(path, str(refused), _CURE) from refused
    except MemoryError as error:
        raise InputError(path, "asks for more memory than there is", "check the file") from error
    except Exception as error:  # a damaged pickle may raise anything
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(path, f"is damaged or no pickle ({said})", "save it again") from error


def _read(file: BufferedIOBase) -> Any:
    start = file.read(6)
    file.seek(0)
    if start[:2] == b"PK":
        return _read_torch(file)
    if start == b"\x93NUMPY":
        return _read_npy(file)
    found = _Reader(_unpacked(file, start)).load()
    if isinstance(found, int) and found == _TORCH_MAGIC:
        file.seek(0)
        return _read_torch(file)
    return found


def _read_torch(file: BufferedIOBase) -> Any:
    import torch

    try:
        opened: Any = file
        return torch.load(opened, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = found[1] if found else "more than tensors"
        raise _Refused(f"asks for {what}, which is not read") from error


def _read_npy(file: BufferedIOBase) -> Any:
    """A ``.npy`` file; the one object of a zero-dimensional object array."""
    version = np.lib.format.read_magic(file)
    header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    _, _, dtype = header(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    array = _Reader(file).load()
    return array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array


def _unpacked(file: BufferedIOBase, start: bytes) -> BufferedIOBase:
    """The file as it was before compression."""
    openers: dict[bytes, _Opener] = {
        b"\x1f\x8b": _gunzip,
        b"BZh": bz2.BZ2File,
        b"\xfd7zXZ": lzma.LZMAFile,
        b"]\x00\x00": lzma.LZMAFile,
    }
    for magic, opener in openers.items():
        if start.startswith(magic):
            return _limited(opener(file).read)
    if start[:1] == b"\x78" and int.from_bytes(start[:2], "big") % 31 == 0:
        return _limited(_Inflated(file).read)
    return file


def _gunzip(file: BufferedIOBase) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=file)


class _Inflated:
    """A zlib stream, read in parts."""

    def __init__(self, file: BufferedIOBase) -> None:
        self._file = file
        self._zlib = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        while not self._zlib.eof:
            more = self._zlib.unconsumed_tail or self._file.read(1 << 20)
            if not more:
                raise _Refused("ends too early")
            if part := self._zlib.decompress(more, size):
                return part
        return b""


def _limited(read: Callable[[int], bytes]) -> BufferedIOBase:
    whole = io.BytesIO()
    while part := read(1 << 24):
        whole.write(part)
        if whole.tell() > _LARGEST:
            raise _Refused(f"unpacks to more than {_LARGEST >> 30} GiB")
    whole.seek(0)
    return whole


class _ArrayType:
    """Stands for ``numpy.ndarray`` and its subclasses where a file names them."""


class _Dtype:
    """Stands for a ``numpy.dtype``: ``value`` is made here, of checked parts alone."""

    def __init__(self, spec: Any) -> None:
        spec = spec.decode("latin1") if isinstance(spec, bytes) else spec
        if not isinstance(spec, str) or not _KINDS.fullmatch(spec):
            raise _Refused(f"holds an array of kind {spec!r}"[:60])
        self.value = np.dtype(spec)

    def set_state(self, state: Any) -> None:
        """The byte order, and the width of text; all else is refused or already known."""
        _, order, *parts, width = state[:6]
        if any(part is not None for part in parts):
            raise _Refused("holds structured arrays")
        if self.value.kind in "SU" and self.value.itemsize == 0:
            each = 4 if self.value.kind == "U" else 1
            self.value = np.dtype(f"{self.value.kind}{int(width) // each}")
        if order in (">", b">"):
            self.value = self.value.newbyteorder(">")


class _JoblibArray:
    """Stands for joblib's ``NumpyArrayWrapper``: the array's bytes follow in the file."""

    state: dict[str, Any]

    def read(self, file: BufferedIOBase) -> np.ndarray:
        dtype = _dtype_of(self.state["dtype"])
        shape = _shape(self.state["shape"])
        if dtype.hasobject:
            return np.asarray(_Reader(file).load(), dtype=object).reshape(shape)
        if self.state.get("numpy_array_alignment_bytes") is not None:
            file.read(file.read(1)[0])
        size = math.prod(shape) * dtype.itemsize
        content = file.read(size)
        if len(content) != size:
            raise _Refused("ends in the middle of an array")
        return _in_order(np.frombuffer(content, dtype), shape, self.state["order"])


def _dtype_of(stated: Any) -> np.dtype:
    if not isinstance(stated, _Dtype):
        raise _Refused("holds an array without a kind")
    return stated.value


def _shape(shape: Any) -> tuple[int, ...]:
    sides = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        raise _Refused("holds an array of a wrong shape")
    return sides


def _in_order(flat: np.ndarray, shape: tuple[int, ...], order: Any) -> np.ndarray:
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _bytes(content: Any) -> bytes:
    """Python 2 wrote bytes as text."""
    return content.encode("latin1") if isinstance(content, str) else bytes(content)


def _dtype(spec: Any, *_: Any) -> _Dtype:
    return _Dtype(spec)


def _empty_array(*_: Any) -> np.ndarray:
    return np.empty(0)


def _fill_array(array: np.ndarray, state: Any) -> None:
    """``ndarray.__setstate__`` with parts that were checked."""
    _, shape, stated, fortran, content = state
    shape, dtype = _shape(shape), _dtype_of(stated)
    count = math.prod(shape)
    if dtype.hasobject:
        if not isinstance(content, list) or len(content) != count:
            raise _Refused("holds a list array of a wrong length")
    else:
        content = _bytes(content)
        if len(content) != count * dtype.itemsize:
            raise _Refused("holds an array of a wrong length")
    checked: Any = (1, shape, dtype, bool(fortran), content)
    array.__setstate__(checked)


def _scalar(stated: Any, content: Any = None) -> Any:
    dtype = _dtype_of(stated)
    if dtype.hasobject:
        raise _Refused("holds a scalar of no kind")
    return np.frombuffer(_bytes(content), dtype, count=1)[0]


def _from_buffer(content: Any, stated: Any, shape: Any, order: Any) -> np.ndarray:
    dtype = _dtype_of(stated)
    if dtype.hasobject:
        raise _Refused("holds a buffer of no kind")
    return _in_order(np.frombuffer(_bytes(content), dtype), _shape(shape), order)


def _encode(text: Any = b"", *_: Any) -> bytes:
    """The old protocols write bytes as text in latin1."""
    if not isinstance(text, (str, bytes, bytearray)):
        raise _Refused("holds bytes that are none")
    return _bytes(text)


def _dict(*pairs: Any) -> dict:
    """An ordered or default dictionary, as a plain one."""
    content = [p for p in pairs if not isinstance(p, type)]
    return dict(*content[:1])


def _tensor_storage(content: bytes) -> Any:
    return _read_torch(io.BytesIO(content))


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
    import torch

    if not isinstance(storage, torch.TypedStorage):
        raise _Refused("holds a tensor without numbers")
    sides, steps, start = _shape(size), _shape(stride), int(offset)
    plain, width = storage.untyped(), storage.dtype.itemsize
    # ``set_`` would grow the storage to fit.
    reach = sum(step * (side - 1) for side, step in zip(sides, steps, strict=True))
    count = math.prod(sides)
    if count and not 0 <= start + reach < plain.nbytes() // width:
        raise _Refused("holds a tensor that reaches beyond its numbers")
    if count * width > _LARGEST:
        raise _Refused(f"unpacks to more than {_LARGEST >> 30} GiB")
    return torch.tensor([], dtype=storage.dtype).set_(plain, start, sides, steps)


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_NAMES: Final[dict[tuple[str, str], Any]] = {
    **{("builtins", kind.__name__): kind for kind in (set, frozenset, complex)},
    # Default dictionaries name what they fill themselves with.
    **{("builtins", kind.__name__): kind for kind in (dict, list, int, float)},
    ("builtins", "bytes"): _encode,
    ("builtins", "bytearray"): _encode,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _dtype,
    ("numpy", "memmap"): _ArrayType,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _empty_array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _JoblibArray,
    ("torch.storage", "_load_from_bytes"): _tensor_storage,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
"""What a file may name, and what it gets."""


class _Reader(pickle._Unpickler):
    """Python's own unpickler in Python, with the doors shut."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]

    def __init__(self, file: BufferedIOBase) -> None:
        super().__init__(file, encoding="latin1")
        self._source = file

    def find_class(self, module: str, name: str) -> Any:
        if module == "__builtin__":
            module = "builtins"
        if name == "NDArrayWrapper":
            raise _Refused("was written by a joblib before 0.10, which is not read")
        if (module, name) not in _NAMES:
            raise _Refused(f"asks for {module}.{name}, which is not run")
        return _NAMES[module, name]

    def get_extension(self, code: int) -> None:
        raise _Refused(f"asks for extension {code}, which is not run")

    def load_build(self) -> None:
        """Give an object its state: arrays and their kinds alone have one."""
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, np.ndarray):
            _fill_array(made, state)
        elif isinstance(made, _Dtype):
            made.set_state(state)
        elif isinstance(made, _JoblibArray):
            made.state = state
            self.stack[-1] = made.read(self._source)
        elif not isinstance(made, dict):
            raise _Refused(f"sets the state of a {type(made).__name__}")

    dispatch[pickle.BUILD[0]] = load_build


def _plain(value: Any) -> Any:
    """Tensors as arrays, in all containers."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        plain = np.empty(value.size, object)
        for at, item in enumerate(value.flat):  # numpy would stack items of equal shape
            plain[at] = _plain(item)
        return plain.reshape(value.shape)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return (value.float() if value.dtype.itemsize == 2 else value).numpy()
    return value
