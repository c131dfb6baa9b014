"""The video with the fitted bodies drawn over it, beside a view of the world."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from motionfield.body.base import Body
from motionfield.core.errors import RecordError
from motionfield.core.progress import Progress, silent, tracked
from motionfield.data import Motion, Take
from motionfield.rendering import Mesh, RayScene, Shading, View, render_layer
from motionfield.rendering.drawing import (
    draw_border,
    draw_dots,
    draw_skeleton,
    draw_text,
)
from motionfield.steps.view.looks import (
    DOUBT_COLOUR,
    KEYPOINT_COLOUR,
    PERSON_COLOURS,
    UNSEEN_COLOUR,
    person_colour,
)
from motionfield.steps.view.posed import PosedBody, bodies_by_frame, joints_of, view_of
from motionfield.steps.view.world_view import PathSoFar, WorldView, world_camera

INK = (34, 38, 44)
SKULL_M = 0.2
"""Height of the body above its highest joint."""


@dataclass(frozen=True)
class OverlayConfig:
    """Size and look of the overlay video."""

    max_pixels: int = 1280 * 720
    """The filmed picture is scaled down to at most so many pixels."""
    max_height: int = 1080
    world_aspect: float = 0.85
    """Width of the world view over its height, at most."""
    opacity: float = 0.62
    """Of the body over the video."""
    min_confidence: float = 0.3
    """Detected keypoints below this are not drawn."""
    video_shading: Shading = field(default_factory=lambda: Shading(ray_budget=26_000))
    world_shading: Shading = field(default_factory=lambda: Shading(ray_budget=40_000))


def overlay_size(image_size: tuple[int, int], config: OverlayConfig) -> tuple[int, int, int]:
    """Width of the filmed picture, width of the world view, and their height: even pixels."""
    width, height = image_size
    scale = min(1.0, np.sqrt(config.max_pixels / (width * height)), config.max_height / height)
    rows, columns = _even(height * scale), _even(width * scale)
    return columns, _even(min(config.world_aspect * rows, 0.75 * max(columns, rows))), rows


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


def overlay_frames(
    frames: Iterable[UInt8[ndarray, "height width 3"]],
    takes: Sequence[Take],
    body: Body,
    config: OverlayConfig | None = None,
    progress: Progress = silent,
) -> Iterator[UInt8[ndarray, "rows columns 3"]]:
    """Yield RGB pictures of even size: the frame with bodies over it, and the world beside it.

    ``frames`` are the video's frames in order, of full size, as many as the takes have.
    Doubtful frames have a coloured border; what was carried over is reddish.

    Raises:
        RecordError: the number of frames differs from the takes'.
    """
    config = config or OverlayConfig()
    painter = _Painter(takes, body, config)
    total = painter.num_frames
    bodies = bodies_by_frame(takes, body)
    index = 0
    for frame in tracked(frames, progress, "overlay", total):
        if index >= total:
            raise RecordError(f"overlay: more frames than the {total} of the motion")
        yield painter.picture(frame, index, next(bodies))
        index += 1
    if index < total:
        raise RecordError(f"overlay: {index} frames for a motion of {total}")


def _span_of(motion: Motion) -> tuple[int, int]:
    """The first and last frame in which the person was seen (all frames where never)."""
    seen = np.flatnonzero(motion.observed)
    return (int(seen[0]), int(seen[-1])) if len(seen) else (0, motion.num_frames - 1)


class _Painter:
    """Everything of an overlay that is the same in all frames."""

    def __init__(self, takes: Sequence[Take], body: Body, config: OverlayConfig) -> None:
        self._takes, self._config = takes, config
        self._faces = body.faces().numpy()
        camera = takes[0].camera
        size = overlay_size(camera.image_size, config)
        self._video_size, world_size = (size[0], size[2]), (size[1], size[2])
        self._joints = [joints_of(take.motion, body).astype(float) for take in takes]
        points = np.concatenate([joints.reshape(-1, 3) for joints in self._joints])
        points = np.concatenate((points + np.array((0.0, 0.0, SKULL_M)), points * (1.0, 1.0, 0.0)))
        filmed_from = np.median(camera.position_world, axis=0).astype(float)
        self._world = WorldView(world_camera(points, filmed_from, world_size))
        self._paths = []
        for k, joints in enumerate(self._joints):
            self._world.add_path(joints[:, 0], PERSON_COLOURS[k % len(PERSON_COLOURS)])
            self._paths.append(self._world.on_ground(joints[:, 0]))
        self._spans = [_span_of(take.motion) for take in takes]
        self._text = max(12, round(self._video_size[1] / 32))

    @property
    def num_frames(self) -> int:
        return min(take.motion.num_frames for take in self._takes)

    def picture(
        self, frame: UInt8[ndarray, "height width 3"], index: int, bodies: list[PosedBody]
    ) -> UInt8[ndarray, "rows columns 3"]:
        # Before the first and after the last sight of a person there is nothing to show.
        here = [k for k, (first, last) in enumerate(self._spans) if first <= index <= last]
        scene = RayScene(
            [
                Mesh(
                    bodies[k].vertices_world,
                    self._faces,
                    person_colour(k, bool(self._takes[k].motion.observed[index])),
                )
                for k in here
            ]
        )
        filmed = self._filmed(frame, index, scene, [bodies[k] for k in here])
        world = self._world.picture(
            scene, self._config.world_shading, [self._path(k, index) for k in range(len(bodies))]
        )
        self._label_world(world, index)
        return np.concatenate((filmed, world), axis=1)

    def _filmed(
        self,
        frame: UInt8[ndarray, "height width 3"],
        index: int,
        scene: RayScene,
        bodies: list[PosedBody],
    ) -> UInt8[ndarray, "rows columns 3"]:
        width, height = self._video_size
        picture = np.ascontiguousarray(frame)
        if picture.shape[:2] != (height, width):
            # Averaging over whole areas costs four times as much, and shows only beyond a half.
            much = picture.shape[0] > 2 * height
            method = cv2.INTER_AREA if much else cv2.INTER_LINEAR
            picture = cv2.resize(picture, (width, height), interpolation=method)
        else:
            picture = picture.copy()
        view = view_of(self._takes[0].camera, index).resized(width, height)
        layer = render_layer(scene, view, self._config.video_shading)
        layer.blend_onto(picture, self._config.opacity)
        thickness = max(2, round(height / 320))
        for posed in bodies:
            draw_skeleton(picture, view.pixels_of(posed.joints_world)[0], thickness)
        for take in self._takes:
            self._draw_keypoints(picture, take, index, view)
        self._label_filmed(picture, index)
        return picture

    def _draw_keypoints(
        self, picture: UInt8[ndarray, "rows columns 3"], take: Take, index: int, view: View
    ) -> None:
        points = take.keypoints.keypoints_2d[index].astype(float)
        trusted = points[points[:, 2] >= self._config.min_confidence, :2]
        scale = view.width / take.keypoints.image_width, view.height / take.keypoints.image_height
        draw_dots(picture, trusted * scale, KEYPOINT_COLOUR, max(1.6, view.height / 340), INK)

    def _label_filmed(self, picture: UInt8[ndarray, "rows columns 3"], index: int) -> None:
        reasons = self._doubts(index)
        if reasons:
            draw_border(picture, DOUBT_COLOUR, max(4, picture.shape[0] // 120))
        size = self._text
        motion = self._takes[0].motion
        edge = size
        label = f"{motion.time_s[index]:7.2f} s    frame {motion.frame_index[index]}"
        draw_text(picture, (edge, edge), label.strip(), size, plate=INK)
        unseen = [t.name for t in self._takes if not t.motion.observed[index]]
        lines = [(f"{name}: not observed, carried over", UNSEEN_COLOUR) for name in unseen]
        lines += [(f"doubtful: {reason}", DOUBT_COLOUR) for reason in reasons[:2]]
        y = picture.shape[0] - edge - 2 * size * len(lines)
        for text, colour in lines:
            draw_text(picture, (edge, y), text, size, colour, plate=INK)
            y += 2 * size

    def _label_world(self, picture: UInt8[ndarray, "rows columns 3"], index: int) -> None:
        size, x = self._text, self._text
        draw_text(picture, (x, size), "world view, tiles of 1 m", size, INK)
        for k, take in enumerate(self._takes if len(self._takes) > 1 else ()):
            colour = PERSON_COLOURS[k % len(PERSON_COLOURS)]
            y = size + round(1.7 * size * (k + 1))
            cv2.circle(picture, (x + size // 3, y + size // 2), size // 3, colour, -1, cv2.LINE_AA)
            draw_text(picture, (x + size, y), take.name, size, INK)
        if any(not take.motion.observed[index] for take in self._takes):
            draw_border(picture, UNSEEN_COLOUR, max(3, picture.shape[0] // 160))

    def _path(self, person: int, index: int) -> PathSoFar:
        colour = PERSON_COLOURS[person % len(PERSON_COLOURS)]
        observed = self._takes[person].motion.observed[: index + 1]
        return PathSoFar(self._paths[person][: index + 1], observed, colour)

    def _doubts(self, index: int) -> list[str]:
        found: list[str] = []
        for take in self._takes:
            time = float(take.motion.time_s[index])
            for start, end, reason in take.quality.spans:
                if start <= time <= end and reason not in found:
                    found.append(reason)
        return found
