"""A contact sheet of the rendered tier: each take's middle frame, and the person with keypoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from motionfield.benchmarks.render_tier_clips import TierTake
from motionfield.body.base import Body
from motionfield.core.errors import OutputError
from motionfield.data.keypoints import Keypoints
from motionfield.rendering.drawing import draw_dots, draw_text
from motionfield.worlds.avatars.backdrop import paint_backdrop
from motionfield.worlds.avatars.config import AvatarConfig
from motionfield.worlds.avatars.exposure import exposures
from motionfield.worlds.avatars.render import render_light, set_stage
from motionfield.worlds.take import keypoints_world, see

_HIGH: Final = 300
_COLUMNS: Final = 3
_CROP_WIDE: Final = 260
_FOUND: Final = (255, 60, 40)
_TRUE: Final = (60, 230, 90)


def write_sheet(tiles: Sequence[UInt8[ndarray, "height width 3"]], path: Path) -> None:
    """Write tiles of one size as a PNG.

    Raises:
        OutputError: the picture cannot be written.
    """
    empty = [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    every = [*tiles, *empty]
    rows = [np.hstack(every[at : at + _COLUMNS]) for at in range(0, len(every), _COLUMNS)]
    if not cv2.imwrite(str(path), np.vstack(rows)[..., ::-1]):
        raise OutputError(path, "cannot be written", "check the folder and the ending .png")


def draw_tile(take: TierTake, body: Body, found: Keypoints) -> UInt8[ndarray, "height width 3"]:
    """The take's middle frame, and the person in it with dots: red found, green true."""
    at = take.motion.num_frames // 2
    frame = _frame(take, body, at)
    true = see(keypoints_world(take.motion, body), take.camera)[0][at]
    height, width = frame.shape[:2]
    whole = cv2.resize(frame, (round(width * _HIGH / height), _HIGH), interpolation=cv2.INTER_AREA)
    tile = np.hstack((whole, _crop(frame, found.keypoints_2d[at, :, :2], true)))
    draw_text(tile, (4, 4), take.name, 14, plate=(20, 20, 20))
    return tile


def _frame(take: TierTake, body: Body, at: int) -> UInt8[ndarray, "height width 3"]:
    """One frame of a take without those before it (its grain is another)."""
    config = AvatarConfig()
    stage = set_stage(take.motion, take.camera, body, take.seed, config)
    near = np.arange(at - 1, at + 2)
    moments = exposures(
        stage.avatar,
        take.motion.at_frames(near),
        take.camera.at_frames(near),
        body,
        stage.sensor.exposure_s,
    )
    _, moment, _ = moments
    backdrop = paint_backdrop(stage.place, moment.view)
    light = render_light(stage, backdrop, moment, config)
    return stage.sensor.develop(light, np.random.default_rng(take.seed))


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
