"""MEVA's answers from image features instead of keypoints, in the form that the lifter takes.

The network (``network_paper``) was trained in camera axes, one crop after another, and says nothing
of contacts, gravity, velocity and its own errors.
"""

from typing import NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from motionfield.core.arrays import tensor_of
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.feature_clip import FeatureClip
from motionfield.data.keypoints import Keypoints
from motionfield.data.tracks import boxes_of
from motionfield.geometry.cameras import back_project
from motionfield.geometry.placement import turn_to_ray
from motionfield.geometry.rotations import rot6d_to_rotmat
from motionfield.steps.lift.meva.config import MevaLiftConfig
from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaOutput
from motionfield.steps.lift.meva.network_paper import PaperMeva
from motionfield.steps.lift.meva.rate import AtRate
from motionfield.steps.lift.meva.windows import MevaFrames, blended

_BOX_SCALE = 1.2
"""Where the file has no crops: side in longer sides of the keypoints' box."""
_CALM_S = 0.25
"""Places are averaged over this time before their velocity is taken."""
_LEAST_SCALE = 0.05


class _Crops(NamedTuple):
    """What the features' network saw, at the lift's frames."""

    features: Float[Tensor, "frames width"]
    R_camera_box: Float[Tensor, "frames 3 3"]
    """Axes of a camera that looks at the middle of the crop."""
    size: Float[Tensor, "frames"]
    """Side of the crop on the plane z = 1 of those axes."""


@final
class ImageTeller:
    """A network on image features, and the features of the person that is lifted."""

    def __init__(self, network: PaperMeva, clip: FeatureClip | None) -> None:
        """``clip``: a row for each frame of the keypoints that will be lifted."""
        self._network = network
        self._clip = clip

    def tell(
        self,
        keypoints: Keypoints,
        at: AtRate,
        crop: CropFeatures,
        config: MevaLiftConfig,
        progress: Progress = silent,
    ) -> MevaFrames:
        """What the network says; contacts are 0, velocity and deviations NaN: not known.

        Args:
            keypoints: as they came.
            at: those at the network's rate.
            crop: axes in which the answer is to be.

        Raises:
            OptionError: no features, of another count of frames, or of another width.
        """
        crops = self._crops(keypoints, at)
        frames = len(crops.size)

        def windows(starts: Int[Tensor, "windows"]) -> MevaOutput:
            # Beyond its end a clip goes on as it ended.
            return self._answer(
                crops, crop, (starts[:, None] + torch.arange(WINDOW)).clamp_max(frames - 1)
            )

        return blended(windows, frames, config.overlap, config.batch, progress)

    def _crops(self, keypoints: Keypoints, at: AtRate) -> _Crops:
        clip, wanted = self._clip, self._network.config.inputs
        if clip is None or clip.num_frames != keypoints.num_frames:
            found = 0 if clip is None else clip.num_frames
            raise OptionError(f"features of {found} frames for {keypoints.num_frames} of keypoints")
        if clip.width != wanted:
            raise OptionError(
                f"{clip.width} features per frame; these weights were trained on {wanted}: give "
                "features of the network that made those of the training"
            )
        old, new = keypoints.time_s, at.keypoints.time_s
        boxes = clip.bbox_xyxy if clip.bbox_xyxy is not None else _squares(keypoints)
        return _Crops(
            torch.from_numpy(_bridged(clip.features, old, new)).float(),
            *_axes(_bridged(boxes, old, new), at),
        )

    def _answer(
        self, crops: _Crops, crop: CropFeatures, index: Int[Tensor, "windows frames"]
    ) -> MevaOutput:
        out = self._network(crops.features[index])
        to_crop = crop.R_camera_crop[index].mT
        pose, coarse = (
            rot6d_to_rotmat(rot6d.unflatten(-1, (24, 6))) for rot6d in (out.rot6d, out.coarse)
        )
        s, tx, ty = out.camera.unbind(-1)
        depth = 2 / (s.clamp_min(_LEAST_SCALE) * crops.size[index])
        place = torch.stack((tx, ty, depth), dim=-1).unsqueeze(-1)
        x, y, z = (to_crop @ crops.R_camera_box[index] @ place)[..., 0].unbind(-1)
        shape = index.shape
        return MevaOutput(
            root=to_crop @ pose[..., 0, :, :],
            body_pose=pose[..., 1:, :, :],
            betas=out.betas,
            camera=torch.stack((1 / (z.clamp_min(0.1) * crop.size[index]), x, y), dim=-1),
            contacts=torch.zeros(*shape, 2),
            up=torch.tensor([0.0, -1.0, 0.0]).expand(*shape, 3),
            velocity=torch.full((*shape, 3), torch.nan),
            joints_sd=torch.full((*shape, 24), torch.nan),
            coarse_root=to_crop @ coarse[..., 0, :, :],
            coarse_pose=coarse[..., 1:, :, :],
        )


def _axes(
    boxes: Float[ndarray, "frames 4"], at: AtRate
) -> tuple[Float[Tensor, "frames 3 3"], Float[Tensor, "frames"]]:
    """Where a camera looks that sees the crop in its middle, and how large it sees it."""
    K, distortion = tensor_of(at.camera.K), tensor_of(at.camera.distortion)
    middle = torch.from_numpy((boxes[:, :2] + boxes[:, 2:]) / 2).float()
    ray = back_project(middle.unsqueeze(1), K, distortion)[:, 0]
    side = torch.from_numpy((boxes[:, 2:] - boxes[:, :2]).max(1)).float()
    focal = (K[:, 0, 0] + K[:, 1, 1]) / 2
    return turn_to_ray(ray), side / focal / ray.norm(dim=-1)


def _squares(keypoints: Keypoints) -> Float[ndarray, "frames 4"]:
    """Crops round the keypoints; NaN where there are none."""
    boxes = boxes_of(keypoints.keypoints_2d)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = 0.5 * _BOX_SCALE * (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True)
    return np.concatenate((middle - half, middle + half), axis=1)


def _bridged(
    values: Float[ndarray, "frames n"],
    old: Float[ndarray, "frames"],
    new: Float[ndarray, "samples"],
) -> Float[ndarray, "samples n"]:
    """Values at other times, by straight lines between the rows that are known."""
    known = np.flatnonzero(np.isfinite(values).all(1))
    if not len(known):
        raise OptionError("features: no frame of the video has any; give others")
    right = np.searchsorted(old[known], new).clip(1, max(len(known) - 1, 1))
    left, right = known[right - 1], known[np.minimum(right, len(known) - 1)]
    span = np.maximum(old[right] - old[left], 1e-9)
    share = ((new - old[left]) / span).clip(0, 1)[:, None]
    return values[left] * (1 - share) + values[right] * share


def calm_velocity(place: Float[Tensor, "frames 3"], rate_hz: float) -> Float[Tensor, "frames 3"]:
    """Of calmed places in the world, m/s; gaps (NaN) are bridged by straight lines."""
    known = np.flatnonzero(torch.isfinite(place).all(-1).numpy())
    if len(place) < 2 or not len(known):
        return torch.zeros_like(place)
    frames = np.arange(len(place), dtype=np.float64)
    world = _bridged(place.double().numpy(), frames, frames)
    calm = gaussian_filter1d(world, _CALM_S * rate_hz, axis=0, mode="nearest")
    return torch.from_numpy(np.gradient(calm, 1 / rate_hz, axis=0)).float()
