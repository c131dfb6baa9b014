"""Joint angles as a table: one row per frame, degrees, for spreadsheets and statistics."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import torch

from motionfield.body.joint_angles import ANGLES, joint_angles
from motionfield.data.motion import Motion
from motionfield.data.record import write_whole
from motionfield.formats.animation import tensor


def write_angles_csv(path: Path, motion: Motion) -> None:
    """Write ``time_s``, ``frame`` (of the video), ``observed`` (1 or 0), then every angle.

    The angles are those of ``body.joint_angles.ANGLES``, each with the suffix ``_deg``.

    Raises:
        OutputError: the file cannot be written.
    """
    angles = joint_angles(tensor(motion.global_orient), tensor(motion.body_pose))
    table = torch.stack([angles[name] for name in ANGLES], dim=1).numpy() * (180 / math.pi)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time_s", "frame", "observed", *(f"{name}_deg" for name in ANGLES)])
    # Rounded first, so that nothing is written as -0.0000.
    rows = np.round(table, 4) + 0.0
    frames = zip(motion.time_s, motion.frame_index, motion.observed, rows, strict=True)
    for time, frame, observed, row in frames:
        values = (f"{value:.4f}" for value in row)
        writer.writerow([f"{time:.6f}", int(frame), int(observed), *values])
    write_whole(path, text.getvalue().encode("utf-8"))
