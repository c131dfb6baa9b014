"""A contact sheet of the rendered tier: each take's middle frame, and the person with keypoints."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.benchmarks.render_tier_clips import TierTake, tier_takes
from motionfield.benchmarks.rendered import rendered_keypoints
from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OutputError
from motionfield.rendering.drawing import draw_dots, draw_text
from motionfield.worlds.avatars.render import render_take
from motionfield.worlds.take import keypoints_world, see

_HIGH: Final = 300
_COLUMNS: Final = 3
_CROP_WIDE: Final = 260
_FOUND: Final = (255, 60, 40)
_TRUE: Final = (60, 230, 90)


def draw_sheet(data: Path, path: Path) -> None:
    """Write the PNG: red dots are found, green ones true.

    Raises:
        InputError: a shard of the mocap is missing in ``data``.
        OutputError: the picture cannot be written.
    """
    body = load_body()
    tiles = [_tile(take, body) for take in tier_takes(data, body)]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[at : at + _COLUMNS]) for at in range(0, len(tiles), _COLUMNS)]
    if not cv2.imwrite(str(path), np.vstack(rows)[..., ::-1]):
        raise OutputError(path, "cannot be written", "check the folder and the ending .png")


def _tile(take: TierTake, body: Body) -> UInt8[ndarray, "height width 3"]:
    at = take.motion.num_frames // 2
    frames = render_take(take.motion, take.camera, body, take.seed)
    frame = next(frame for number, frame in enumerate(frames) if number == at)
    found = rendered_keypoints(take.motion, take.camera, body, take.seed).keypoints_2d[at, :, :2]
    true = see(keypoints_world(take.motion, body), take.camera)[0][at]
    height, width = frame.shape[:2]
    whole = cv2.resize(frame, (round(width * _HIGH / height), _HIGH), interpolation=cv2.INTER_AREA)
    tile = np.hstack((whole, _crop(frame, found, true)))
    draw_text(tile, (4, 4), take.name, 14, plate=(20, 20, 20))
    return tile


def _crop(
    frame: UInt8[ndarray, "height width 3"],
    found: Float[ndarray, "33 2"],
    true: Float[ndarray, "33 2"],
) -> UInt8[ndarray, "height width 3"]:
    """The person, as large as fits, with the dots."""
    low, high = true.min(0), true.max(0)
    side = 1.25 * max(high[1] - low[1], (high[0] - low[0]) * _HIGH / _CROP_WIDE)
    scale = _HIGH / side
    first = (low + high) / 2 - np.array((_CROP_WIDE, _HIGH)) / scale / 2
    move = np.array([[scale, 0, -scale * first[0]], [0, scale, -scale * first[1]]])
    crop = cv2.warpAffine(frame, move, (_CROP_WIDE, _HIGH), flags=cv2.INTER_CUBIC)
    for points, colour in ((true, _TRUE), (found, _FOUND)):
        draw_dots(crop, (points - first) * scale, colour, 2.2)
    return crop
