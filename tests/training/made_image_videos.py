"""Videos whose image features are a fixed random projection of the true pose."""

import math

import numpy as np
import roma
import torch

from motionfield.body.registry import load_body
from motionfield.geometry.rotations import axis_rotation, rotmat_to_rot6d
from motionfield.steps.lift.meva.network_paper import PaperOutput, project_box
from motionfield.training.meva_images_data import ImageVideo
from motionfield.training.meva_images_losses import posed_output

WIDTH = 64
FREEDOMS = 3
CAMERA = (0.8, 0.05, -0.1)


def made_output(frames: int, seed: int) -> PaperOutput:
    """A smooth random motion before a camera."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(frames)[:, None] / 30
    # Poses of few degrees of freedom, as people's are, the same in all videos.
    ways = 0.35 * torch.randn(FREEDOMS, 23, 3, generator=torch.Generator().manual_seed(98))
    rate, phase = torch.rand(2, FREEDOMS, generator=generator)
    size = torch.sin(2 * math.pi * ((0.3 + 0.5 * rate) * time + phase))
    turns = torch.einsum("fk,kji->fji", size, ways)
    yaw = torch.rand(1, generator=generator) + 0.2 * time[:, 0]
    root = axis_rotation("x", torch.full((frames,), math.pi)) @ axis_rotation("y", yaw)
    pose = torch.cat((root[:, None], roma.rotvec_to_rotmat(turns)), dim=1)
    rot6d = rotmat_to_rot6d(pose).flatten(1)[None]
    betas = 0.5 * torch.randn(1, 1, 10, generator=generator).expand(1, frames, 10)
    camera = torch.tensor(CAMERA).expand(1, frames, 3)
    return PaperOutput(rot6d, betas, camera, rot6d)


def made_video(
    frames: int, seed: int, deep: bool = True, dataset: str = "mpi-inf-3dhp"
) -> ImageVideo:
    """What ``made_output`` looks like."""
    output = made_output(frames, seed)
    posed = posed_output(output, load_body("toy"))
    shown = project_box(posed.points, output.camera)
    points = torch.cat((shown, torch.ones_like(shown[..., :1])), dim=-1)[0].numpy()
    mix = torch.randn(144, WIDTH, generator=torch.Generator().manual_seed(99)) / 12
    features = (output.rot6d[0] @ mix).numpy()
    unknown = np.float32(np.nan)
    return ImageVideo(
        dataset=dataset,
        name=f"v{seed}",
        features=features,
        points=points,
        joints=np.where(deep, posed.joints[0].numpy(), unknown),
        pose=np.where(deep, posed.pose[0].numpy(), unknown),
        betas=np.where(deep, output.betas[0].numpy(), unknown),
    )
