"""The calibration of the pose2sim demos: a Qualisys file (``.qca.txt``, XML)."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Final

import torch

from motionfield.benchmarks.multiview import Views
from motionfield.core.errors import InputError

CAMERA_NAMES: Final = ("cam01", "cam02", "cam03", "cam04")
_SUBPIXEL: Final = 64.0
"""Qualisys writes lengths in the picture in 64ths of a pixel, this file's distortion as well."""


def read_qca(path: Path) -> Views:
    """Cameras in the order of the file, metres, Z up.

    The file has object axes as rows of ``transform`` and cameras that look along -z with y up;
    here they look along +z with y down.

    Raises:
        InputError: not such a file.
    """
    try:
        cameras = ElementTree.parse(path).getroot().findall("cameras/camera")
        parts = [_camera(camera) for camera in cameras]
        return Views(*(torch.stack(part) for part in zip(*parts, strict=True)))
    except (OSError, ElementTree.ParseError, KeyError, ValueError, TypeError) as error:
        fault = f"is no Qualisys calibration ({error})"
        raise InputError(path, fault, "fetch it again: motionfield models --fetch") from error


def _camera(camera: ElementTree.Element) -> tuple[torch.Tensor, ...]:
    lens, place = camera.find("intrinsic"), camera.find("transform")
    if lens is None or place is None:
        raise ValueError("a camera without intrinsic or transform")

    def numbers(element: ElementTree.Element, *names: str) -> list[float]:
        return [float(element.attrib[name]) for name in names]

    fx, fy, cx, cy = numbers(lens, "focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
    K = torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, _SUBPIXEL]], dtype=torch.float64)
    names = (f"{kind}Distortion{n}" for kind in ("radial", "tangental") for n in (1, 2))
    distortion = torch.tensor([*numbers(lens, *names), 0.0], dtype=torch.float64) / _SUBPIXEL
    rows = numbers(place, *(f"r{i}{j}" for i in (1, 2, 3) for j in (1, 2, 3)))
    flip = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    R = flip[:, None] * torch.tensor(rows, dtype=torch.float64).view(3, 3)
    centre = torch.tensor(numbers(place, "x", "y", "z"), dtype=torch.float64) / 1000
    return K / _SUBPIXEL, distortion, R, -R @ centre
