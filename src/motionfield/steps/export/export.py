"""A motion file in another form."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.formats.angles_csv import write_angles_csv
from motionfield.formats.bvh import write_bvh
from motionfield.formats.glb import write_glb
from motionfield.formats.motion_npz import MotionFile, read_motion_npz, write_motion_file
from motionfield.formats.trc import write_trc

Exporter = Callable[[Path, MotionFile, Body], None]


def _npz(path: Path, file: MotionFile, body: Body) -> None:
    write_motion_file(path, file.motion, body, file.camera, file.keypoints)


EXPORTERS: Final[dict[str, Exporter]] = {
    "bvh": lambda path, file, body: write_bvh(path, file.motion, body),
    "glb": lambda path, file, body: write_glb(path, file.motion, body),
    "trc": lambda path, file, body: write_trc(path, file.motion, body),
    "csv": lambda path, file, body: write_angles_csv(path, file.motion),
    "npz": _npz,
}
"""What ``export --to`` knows, by the word that a user types."""


def export_motion(path_in: Path, to: str, path_out: Path, body: Body | None = None) -> None:
    """Read ``motion.npz`` and write it in the form called ``to``.

    Args:
        path_in: a file that ``write_motion_npz`` wrote.
        to: a name of ``EXPORTERS``.
        path_out: the file to write.
        body: the body of the motion, where it is already loaded.

    Raises:
        OptionError: no such form.
        InputError: the motion file is missing or damaged.
        OutputError: the result cannot be written.
    """
    if to not in EXPORTERS:
        raise OptionError(f"--to {to}: no such format; choose one of {', '.join(EXPORTERS)}")
    file = read_motion_npz(path_in)
    EXPORTERS[to](path_out, file, body or load_body(file.motion.body_model))
