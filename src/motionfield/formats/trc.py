"""TRC: marker paths as text, as OpenSim, Pose2Sim and Sports2D read them.

Y up, metres (the header says so), time stamps in seconds of capture time. Markers: the 24 joints
under their names, then the body's keypoints of one set, each with the prefix ``skin_``.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch

from motionfield.body.base import Body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.keypoint_sets import KEYPOINT_SETS
from motionfield.data.motion import Motion
from motionfield.data.record import write_whole
from motionfield.formats.animation import bone_scale_of, tensor, to_y_up

_HEADER: Final = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"),
    *("OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)


def write_trc(
    path: Path, motion: Motion, body: Body, keypoint_set: str | None = "blazepose33"
) -> None:
    """Write a TRC file.

    Args:
        path: the file.
        motion: what to write.
        body: the body that ``motion`` drives.
        keypoint_set: whose points on the body become markers beside the joints; None: no others.

    Raises:
        OptionError: the body does not know the keypoint set.
        OutputError: the file cannot be written.
    """
    posed = body.pose(
        tensor(motion.global_orient),
        tensor(motion.body_pose),
        tensor(motion.transl),
        tensor(motion.betas),
        keypoint_set,
        bone_scale_of(motion),
    )
    names = list(JOINT_NAMES)
    if keypoint_set is not None:
        names += [f"skin_{name}" for name in KEYPOINT_SETS[keypoint_set].keypoint_names]
    markers = to_y_up(torch.cat((posed.joints, posed.keypoints), dim=1)).flatten(1).numpy()
    count, rate = motion.num_frames, f"{motion.fps:.6g}"
    columns = range(1, len(names) + 1)
    head = [
        ["PathFileType", "4", "(X/Y/Z)", path.name],
        list(_HEADER),
        [rate, rate, str(count), str(len(names)), "m", rate, "1", str(count)],
        ["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))],
        ["", "", *(f"{axis}{n}" for n in columns for axis in "XYZ")],
        [],
    ]
    rows = [
        [str(n), f"{time:.6f}", *(f"{value:.6f}" for value in row)]
        for n, (time, row) in enumerate(
            zip(motion.time_s, np.round(markers, 6) + 0.0, strict=True), start=1
        )
    ]
    text = "\n".join("\t".join(cells) for cells in head + rows) + "\n"
    write_whole(path, text.encode("utf-8"))
