"""MEVA's Fig. 4 and 5 of a network that knows nothing."""

import torch

from motionfield.benchmarks.meva_figures import Parts, invalid_share, parts_of, strips
from motionfield.body.joint_limits import standing_pose
from motionfield.body.registry import load_body
from motionfield.geometry.rotations import rot6d_to_rotmat, rotmat_to_rot6d
from motionfield.priors.motion_vae import MotionVAEConfig
from motionfield.steps.lift.meva.features import WINDOW, CropFeatures
from motionfield.steps.lift.meva.network import MevaConfig, MevaNetwork
from motionfield.training.meva_data import Truth
from motionfield.training.meva_windows import Windows


def _windows(count: int = 2) -> Windows:
    body = load_body("toy")
    shape = (count, WINDOW)
    root = torch.diag(torch.tensor([1.0, -1.0, -1.0])).expand(WINDOW, 3, 3)
    pose = standing_pose().expand(WINDOW, 23, 3, 3)
    posed = body.pose(root, pose, torch.zeros(WINDOW, 3), torch.zeros(16), "blazepose33")
    points = torch.cat((posed.joints, posed.keypoints), dim=1) - posed.joints[:, :1]
    features = CropFeatures(
        points=torch.zeros(*shape, 33, 3),
        coarse=torch.zeros(*shape, 33, 3),
        coarse_known=torch.zeros(shape),
        path=torch.zeros(*shape, 2),
        size=torch.full(shape, 0.5),
        turning=torch.zeros(*shape, 3),
        turning_known=torch.zeros(shape),
        seen=torch.ones(shape),
        R_camera_crop=torch.eye(3).expand(*shape, 3, 3),
    )
    truth = Truth(
        root=rotmat_to_rot6d(root).expand(*shape, 6),
        body_pose=rotmat_to_rot6d(pose).expand(*shape, 23, 6),
        betas=torch.zeros(*shape, 16),
        camera=torch.zeros(*shape, 3),
        contacts=torch.zeros(*shape, 2),
        up=torch.zeros(*shape, 3),
        velocity=torch.zeros(*shape, 3),
        points=points.expand(*shape, 57, 3),
        known=torch.ones(shape),
    )
    return Windows(features, truth)


def test_parts_are_those_of_the_network() -> None:
    torch.manual_seed(0)
    small = MevaConfig(width=16, heads=2, layers=1, refine_layers=1, vae=MotionVAEConfig(latent=8))
    network = MevaNetwork(load_body("toy"), small).eval()
    windows = _windows()
    parts = parts_of(network, windows)
    assert list(parts) == ["truth", "coarse", "final"]
    out = network(windows.features)
    torch.testing.assert_close(parts["coarse"].body_pose, out.coarse_pose)
    torch.testing.assert_close(parts["final"].body_pose, out.body_pose)
    true = rot6d_to_rotmat(windows.truth.body_pose)
    torch.testing.assert_close(parts["truth"].body_pose, true)
    assert invalid_share(parts["truth"], windows.truth.known) == 0
    picture = strips(parts, 1, count=4)
    assert len(picture) == 3 * 150
    rows = picture.reshape(3, 150, *picture.shape[1:])
    assert (rows[0] != rows[1]).any()


def test_unknown_frames_do_not_count() -> None:
    pose = standing_pose().repeat(1, 4, 1, 1, 1)
    pose[0, 3, 3] = rot6d_to_rotmat(torch.tensor([1.0, 0, 0, 0, 0, 1])).mT  # left knee, backwards
    parts = Parts(torch.zeros(1, 4, 24, 3), pose)
    assert invalid_share(parts, torch.ones(1, 4)) == 25
    assert invalid_share(parts, torch.tensor([[1.0, 1, 1, 0]])) == 0
