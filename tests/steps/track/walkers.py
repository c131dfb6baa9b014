"""Made people: walking skeletons with BlazePose's keypoints, seen by an ideal camera."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from motionfield.core.keypoint_sets import BLAZEPOSE_33

_SIZE_PX = 400.0
"""Pixels of a body of 1.7 m."""


def walker(
    frames: int,
    fps: float = 30.0,
    heading: float | Float[ndarray, "frames"] = 0.0,
    speed: float = 1.4,
    steps_hz: float = 0.9,
    noise_px: float = 0.8,
    seed: int = 0,
) -> tuple[Float[ndarray, "frames 33 3"], Float[ndarray, "frames 33 3"], Float[ndarray, "frames"]]:
    """Keypoints in pixels, coarse 3D in the camera's axes, and times of a walk.

    ``heading`` 0 walks towards the camera, pi / 2 to the right of the picture; it may change over
    time. Legs and arms swing in opposite phase; the coarse 3D has 2 cm of noise.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(frames) / fps
    phase = 2 * np.pi * steps_hz * time_s
    # body axes: left, up, forward, in metres from the hips
    place = {name: np.zeros((frames, 3)) for name in BLAZEPOSE_33.keypoint_names}
    for name, point in place.items():
        side = 1.0 if name.startswith("left") else -1.0 if name.startswith("right") else 0.0
        swing = side * np.sin(phase)
        joint = name.split("_", 1)[-1]
        if joint in ("hip", "knee", "ankle", "heel", "foot_index"):
            down = {"hip": 0.0, "knee": 0.45, "ankle": 0.85, "heel": 0.88, "foot_index": 0.9}[joint]
            point[:, 0], point[:, 1] = 0.1 * side, -down
            point[:, 2] = 0.5 * down * swing + (0.15 if joint == "foot_index" else 0.0)
        elif joint in ("shoulder", "elbow", "wrist", "pinky", "index", "thumb"):
            down = {"shoulder": 0.0, "elbow": 0.28}.get(joint, 0.5)
            point[:, 0], point[:, 1] = 0.18 * side, 0.5 - down
            point[:, 2] = -0.6 * down * swing
        else:
            point[:, 0], point[:, 1], point[:, 2] = 0.04 * side, 0.72, 0.1
    body = np.stack([place[name] for name in BLAZEPOSE_33.keypoint_names], axis=1)
    left, up, forward = np.moveaxis(body, -1, 0)
    turned = np.broadcast_to(heading, (frames,))
    cos, sin = np.cos(turned)[:, None], np.sin(turned)[:, None]
    # camera axes: x right, y down, z away; walking towards the camera, left is on the right
    coarse = np.stack((left * cos + forward * sin, -up, -forward * cos + left * sin), axis=-1)
    scale = _SIZE_PX / 1.7
    way = np.cumsum(speed * np.sin(turned) / fps)
    xy = coarse[..., :2] * scale + np.array([500.0, 400.0])
    xy[..., 0] += (way * scale)[:, None]
    xy += rng.normal(0, noise_px, xy.shape)
    coarse += rng.normal(0, 0.02, coarse.shape)
    confidence = np.full((*xy.shape[:2], 1), 0.95)
    keypoints = np.concatenate((xy, confidence), axis=-1)
    return keypoints.astype(np.float32), coarse.astype(np.float32), time_s
