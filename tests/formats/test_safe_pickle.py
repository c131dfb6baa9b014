"""Pickles of strangers: numbers come out, nothing runs."""

import bz2
import collections
import contextlib
import gzip
import io
import lzma
import os
import pickle
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from formats.made_pickles import joblib_bytes
from motionfield.core.errors import InputError
from motionfield.formats.safe_pickle import load_pickle

ARRAYS: dict[str, Any] = {
    "float32": np.arange(12, dtype=np.float32).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big_endian": np.arange(5, dtype=">i4"),
    "bool": np.array([True, False]),
    "text": np.array(["walk", "fall down"]),
    "bytes": np.array([b"walk", b"run"]),
    "empty": np.empty((0, 3)),
    "scalar_array": np.array(2.5),
    "of_objects": np.array([{"a": np.arange(3)}, None], dtype=object),
}
VALUE = {
    "people": {1: {**ARRAYS, "none": None, "tuple": (1, 2.5, "x")}, "2": [np.float64(3.25)]},
    "flag": True,
    "word": b"\x00\xff",
    "ordered": collections.OrderedDict(a=1, b=np.int64(7)),
    "default": collections.defaultdict(dict, {0: {"pose": np.eye(3)}}),
    "set": {1, 2},
    "complex": 1j,
}


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[k], expected[k]) for k in found)
    if isinstance(expected, (list, tuple)):
        return type(found) is type(expected) and all(map(same, found, expected))
    if isinstance(expected, np.ndarray) and expected.dtype.hasobject:
        return found.shape == expected.shape and all(map(same, found.flat, expected.flat))
    if isinstance(expected, np.ndarray):
        return found.shape == expected.shape and bool(np.array_equal(found, expected))
    return bool(found == expected)


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "some.pkl"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles(protocol: int, tmp_path: Path) -> None:
    path = written(tmp_path, pickle.dumps(VALUE, protocol))
    assert same(load_pickle(path), VALUE)


@pytest.mark.parametrize("alignment", [16, None])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_joblib(protocol: int, alignment: int | None, tmp_path: Path) -> None:
    path = written(tmp_path, joblib_bytes(VALUE, protocol, alignment))
    assert same(load_pickle(path), VALUE)


@pytest.mark.parametrize(
    "compress",
    [
        gzip.compress,
        bz2.compress,
        lzma.compress,
        *(lambda b, n=n: zlib.compress(b, n) for n in (1, 3, 9)),
    ],
)
def test_compressed_joblib(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = written(tmp_path, compress(joblib_bytes(VALUE)))
    assert same(load_pickle(path), VALUE)


TENSORS = {
    "whole": torch.arange(12.0).reshape(3, 4),
    "view": torch.arange(24).reshape(2, 3, 4)[:, 1:].mT,
    "half": torch.ones(3, dtype=torch.bfloat16),
    "nested": [{"x": torch.eye(3)}],
}


def check_tensors(found: dict[str, Any]) -> None:
    assert isinstance(found["whole"], np.ndarray)
    assert np.array_equal(found["whole"], TENSORS["whole"].numpy())  # type: ignore[attr-defined]
    assert np.array_equal(found["view"], TENSORS["view"].numpy())  # type: ignore[attr-defined]
    assert np.array_equal(found["half"], np.ones(3))
    assert np.array_equal(found["nested"][0]["x"], np.eye(3))


@pytest.mark.parametrize("as_zip", [True, False])
def test_torch_files(as_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "result.pt"
    torch.save(TENSORS, path, _use_new_zipfile_serialization=as_zip)
    check_tensors(load_pickle(path))


def test_tensors_in_plain_pickles_and_npy(tmp_path: Path) -> None:
    check_tensors(load_pickle(written(tmp_path, pickle.dumps(TENSORS))))
    np.save(tmp_path / "x.npy", TENSORS)  # type: ignore[arg-type]
    check_tensors(load_pickle(tmp_path / "x.npy"))


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5,), (1,)),
        (3, (2,), (1,)),
        (0, (2, 2), (10**9, 1)),
        (-1, (1,), (1,)),
        (0, (2**40,), (0,)),
    ],
)
def test_tensors_do_not_reach_beyond_their_numbers(
    offset: int, size: tuple[int, ...], stride: tuple[int, ...], tmp_path: Path
) -> None:
    file = io.BytesIO()
    storage = torch.arange(4.0)._typed_storage()
    torch.save(storage, file, _use_new_zipfile_serialization=False)
    stored = Runs(torch.storage._load_from_bytes, file.getvalue())
    content = pickle.dumps(
        Runs(torch._utils._rebuild_tensor_v2, stored, offset, size, stride, 0, {})
    )
    with pytest.raises(InputError, match="some"):
        load_pickle(written(tmp_path, content))


def test_python_2(tmp_path: Path) -> None:
    """An array of float64 1, 2 as Python 2's cPickle wrote it (protocol 0)."""
    content = (
        b"(dp0\nS'betas'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n"
        b"(I0\ntp4\nS'b'\np5\ntp6\nRp7\n(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f8'\np10\nI0\nI1\n"
        b"tp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\x00\\x00\\x00\\x00\\x00\\x00\\x00@'\np15\n"
        b"tp16\nbs."
    )
    found = load_pickle(written(tmp_path, content))
    assert same(found, {"betas": np.array([1.0, 2.0])})


class Runs:
    """Unpickling it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def attacks(mark: Path) -> dict[str, bytes]:
    command = f"touch {mark}"
    code = f"open({str(mark)!r}, 'w').close()"
    forged = (
        # A kind "O" whose flags say that it holds plain bytes: numpy would follow them as pointers.
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb"
        b"I00\nS'AAAAAAAA'\ntb."
    )
    return {
        "os.system": pickle.dumps(Runs(os.system, command)),
        "protocol 0": pickle.dumps(Runs(os.system, command), 0),
        "eval": pickle.dumps(Runs(eval, code)),
        "exec": pickle.dumps({"pose": [Runs(exec, code)]}),
        "getattr": _getattr(command),
        "popen": pickle.dumps(Runs(subprocess.Popen, ["touch", str(mark)])),
        "open": pickle.dumps(Runs(open, str(mark), "w")),
        "numpy.load": pickle.dumps(Runs(np.load, str(mark))),
        "numpy.f2py": b"cnumpy.testing._private.utils\nrunstring\n(S'" + code.encode() + b"'\n}tR.",
        "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        "in joblib": joblib_bytes({"pose": np.eye(3), "x": Runs(os.system, command)}),
        "in joblib's object array": joblib_bytes(
            np.array([Runs(os.system, command)], dtype=object)
        ),
        "gzip": gzip.compress(pickle.dumps(Runs(os.system, command))),
        "torch": _torch(Runs(os.system, command), True),
        "old torch": _torch(Runs(os.system, command), False),
        "torch in pickle": pickle.dumps(
            Runs(torch.storage._load_from_bytes, _torch(Runs(os.system, command), False))
        ),
        "npy": _npy(Runs(os.system, command)),
        "forged dtype": forged,
        "object from bytes": forged.replace(b"S'O8'", b"S'O'"),
        "state of a function": b"cnumpy\ndtype\n(dS'__defaults__'\nI1\nsb.",
        "state of a class": b"ccollections\nOrderedDict\n(dS'x'\nI1\nsb.",
        "extension": b"\x80\x02\x82\x01.",
        "persistent": b"\x80\x02X\x01\x00\x00\x00aQ.",
        "void": pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")])),
    }


def _getattr(command: str) -> bytes:
    return b"c__builtin__\ngetattr\n(cos\nenviron\nS'x'\ntR(S'" + command.encode() + b"'\ntR."


def _torch(value: Any, as_zip: bool) -> bytes:
    file = io.BytesIO()
    torch.save({"x": value}, file, _use_new_zipfile_serialization=as_zip)
    return file.getvalue()


def _npy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(value, dtype=object))
    return file.getvalue()


@pytest.mark.parametrize("name", sorted(attacks(Path("x"))))
def test_nothing_runs(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = written(tmp_path, attacks(mark)[name])
    with pytest.raises(InputError) as error:
        load_pickle(path)
    assert not mark.exists()
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_the_refusal_names_what_was_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, pickle.dumps(Runs(os.system, "true")))
    with pytest.raises(InputError, match=r"asks for posix.system|asks for nt.system"):
        load_pickle(path)


def test_the_attacks_would_work() -> None:
    """The test can fail: Python's own unpickler runs the first of them."""
    mark = Path(os.environ.get("TMPDIR", "/tmp")) / f"motionfield-attack-{os.getpid()}"
    try:
        pickle.loads(attacks(mark)["eval"])
        assert mark.exists()
    finally:
        mark.unlink(missing_ok=True)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("kind", ["pickle", "joblib", "gzip", "torch"])
def test_cut_files_are_refused(kind: str, share: float, tmp_path: Path) -> None:
    whole = {
        "pickle": pickle.dumps(VALUE),
        "joblib": joblib_bytes(VALUE),
        "gzip": gzip.compress(joblib_bytes(VALUE)),
        "torch": _torch(torch.eye(40), True),
    }[kind]
    path = written(tmp_path, whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"some\.pkl") as error:
        load_pickle(path)
    assert "\n" not in str(error.value)


def test_noise_is_refused(tmp_path: Path) -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        whole = bytearray(joblib_bytes(VALUE["people"]))
        for at in rng.integers(0, 300, 3):
            whole[at] = rng.integers(0, 256)
        # Any other error is a fault; what is read may be anything.
        with contextlib.suppress(InputError):
            load_pickle(written(tmp_path, bytes(whole)))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        load_pickle(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        load_pickle(tmp_path / "none.pkl")


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from motionfield.formats import safe_pickle

    monkeypatch.setattr(safe_pickle, "_LARGEST", 1 << 20)
    path = written(tmp_path, gzip.compress(bytes(1 << 22)))
    with pytest.raises(InputError, match="unpacks to more than"):
        load_pickle(path)
