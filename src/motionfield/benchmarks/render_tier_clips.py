"""The takes of the rendered tier's check: movements of the val split on random bodies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from motionfield.benchmarks.open.clips import ClipSource
from motionfield.benchmarks.open.spec import Piece
from motionfield.body.base import Body
from motionfield.core.progress import Progress, silent
from motionfield.data.camera_path import CameraPath
from motionfield.data.motion import Motion
from motionfield.worlds.cameras import CameraConfig, draw_camera
from motionfield.worlds.shapes import draw_betas, reshape
from motionfield.worlds.take import keypoints_world

UPRIGHT: Final = (
    Piece("cmu_amc.npz", "03_03", 400, 480),
    Piece("cmu_amc.npz", "03_04", 220, 300),
    Piece("cmu_dm.npz", "08_07", 5, 70),
    Piece("hdm05.npz", "mm_throwBasketball_011", 20, 100),
    Piece("hdm05.npz", "mm_kickLFront1Reps_020", 0, 64),
    Piece("hdm05.npz", "mm_squat1Reps_038", 0, 52),
    Piece("hdm05.npz", "mm_jogLeftCircle4StepsRstart_011", 0, 56),
    Piece("hdm05.npz", "mm_grabHighR_018", 10, 90),
    Piece("hdm05.npz", "mm_rotateArmsBothBackward1Reps_011", 0, 55),
    Piece("hdm05.npz", "mm_sneak2StepsLStart_012", 0, 59),
    Piece("tennis.npz", "mrios_Derecha", 620, 700),
    Piece("tennis.npz", "mrios_Servicio", 330, 410),
)
"""People on their feet, as in the real videos that they are compared with: the gates."""
FLOOR: Final = (
    Piece("hdm05.npz", "mm_depositFloorR_024", 30, 100),
    Piece("hdm05.npz", "mm_lieDownFloor_016", 20, 90),
    Piece("cmu_dm.npz", "139_17", 100, 170),
)
"""People who lie down, get up or reach the floor: shown beside the gates."""
_CAMERA: Final = CameraConfig(image_width=1280, image_height=720)


class TierTake(NamedTuple):
    """What is rendered."""

    name: str
    motion: Motion
    camera: CameraPath
    seed: int
    upright: bool


def tier_takes(
    data: Path, body: Body, progress: Progress = silent, seed: int = 0
) -> Iterator[TierTake]:
    """The takes, one after the other: shape, camera and looks are drawn from the seed.

    Raises:
        InputError: a shard of the mocap is missing in ``data``.
    """
    source = ClipSource("mocap", data, body)
    pieces = (*UPRIGHT, *FLOOR)
    source.load(pieces, progress)
    for number, piece in enumerate(pieces):
        rng = np.random.default_rng((seed, number))
        motion = reshape(source.motion(piece), draw_betas(rng), body)
        camera = draw_camera(keypoints_world(motion, body), rng, _CAMERA)
        name = f"{Path(piece.file).stem}-{piece.clip}-{piece.start}"
        yield TierTake(name, motion, camera, 1000 * seed + number, piece in UPRIGHT)
