"""A folder of numbered images, read as a video."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from motionfield.core.errors import InputError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class ProbedImages(NamedTuple):
    """What a folder of images says of itself."""

    width: int
    height: int
    num_images: int
    exif_focal_35mm: float | None
    """35 mm equivalent focal length in millimetres, where the first image has one."""


def list_images(folder: Path) -> list[Path]:
    """The images of a folder in natural order (``frame2`` before ``frame10``)."""

    def natural(path: Path) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", path.name.lower())
        return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]

    images = (p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(images, key=natural)


def probe_images(folder: Path) -> ProbedImages:
    """Count the images and open the first.

    Raises:
        InputError: no images, or the first cannot be opened.
    """
    images = list_images(folder)
    if not images:
        kinds = ", ".join(IMAGE_SUFFIXES)
        raise InputError(folder, "holds no images", f"give a folder with files of {kinds}")
    with _opened(images[0]) as image:
        exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
        focal = exif.get(ExifTags.Base.FocalLengthIn35mmFilm)
        width, height = ImageOps.exif_transpose(image).size
    return ProbedImages(width, height, len(images), float(focal) if focal else None)


def stream_images(
    folder: Path, frame_index: Int[ndarray, "frames"], image_size: Sequence[int]
) -> Iterator[UInt8[ndarray, "height width 3"]]:
    """Yield the images with these indices: RGB, upright.

    Raises:
        InputError: an image cannot be opened or has another size than the first.
    """
    images = list_images(folder)
    for index in frame_index:
        with _opened(images[index]) as image:
            try:
                upright = ImageOps.exif_transpose(image).convert("RGB")
            except OSError as error:
                fault = f"is damaged ({error})"
                raise InputError(images[index], fault, "replace or remove it") from error
        if upright.size != tuple(image_size):
            fault = f"is {upright.width}x{upright.height}, the first image {image_size[0]}x"
            cure = "give images of one size"
            raise InputError(images[index], f"{fault}{image_size[1]}", cure)
        yield np.asarray(upright)


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(path, "cannot be read as an image", "replace or remove it") from error
