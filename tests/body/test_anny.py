"""The compiled body against anny itself, its own plain twin, and people's proportions."""

import numpy as np
import pytest
import torch

from motionfield.benchmarks.body_speed import plain_loop, random_pose, sixty_points
from motionfield.body.anny import ASSET, load_anny, load_anny_parts
from motionfield.body.skinned import SkinnedBody
from motionfield.core.conventions import JOINT_INDEX, NUM_BETAS
from motionfield.core.errors import MissingAssetError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, KEYPOINT_SETS

ZERO = torch.zeros(NUM_BETAS)


def t_pose() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    eye = torch.eye(3).expand(1, 24, 3, 3)
    return eye[:, 0], eye[:, 1:], torch.zeros(1, 3)


def test_equals_its_plain_twin_forward_and_backward() -> None:
    parts = load_anny_parts()
    points = sixty_points(parts)
    body = SkinnedBody(parts._replace(keypoints={"sixty": points}))
    pose = random_pose(5)
    fast = body.pose(*pose, keypoint_set="sixty")
    slow = plain_loop(parts, points, pose)
    weights = [torch.randn_like(result) for result in slow]
    for mine, theirs in zip(fast, slow, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)
    mine = torch.autograd.grad(fast, pose, weights)
    theirs = torch.autograd.grad(slow, pose, weights)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_asset_is_small_and_complete() -> None:
    assert 0.5e6 < ASSET.stat().st_size < 3e6
    parts = load_anny_parts()
    assert set(parts.keypoints) == set(KEYPOINT_SETS)
    assert 6000 < len(parts.meshes["render"].template) < 7000
    assert len(parts.meshes["full"].template) > 12000
    for points in parts.keypoints.values():
        torch.testing.assert_close(points.joint_weight.sum(1), torch.ones(len(points.offset)))
    for mesh in parts.meshes.values():
        torch.testing.assert_close(mesh.joint_weight.sum(1), torch.ones(len(mesh.template)))
        assert int(mesh.faces.max()) == len(mesh.template) - 1, "no vertex without a face"


def test_render_mesh_lies_on_the_full_one() -> None:
    body = load_anny()
    full = body.vertices(*t_pose(), ZERO, "full")[0]
    render = body.vertices(*t_pose(), ZERO, "render")[0]
    corners = full[body.faces("full")]
    centres = render[body.faces("render")].mean(1)
    distance = torch.cdist(centres, corners.mean(1)).min(1).values
    assert distance.max() < 0.03
    assert distance.quantile(0.99) < 0.012


def test_proportions_are_an_adults() -> None:
    """Per cent of stature; the right-hand side is anthropometry (Winter 2009) within 2 %."""
    body = load_anny()
    vertices = body.vertices(*t_pose(), ZERO, "full")[0]
    joints = body.rest_joints(ZERO)
    low, high = vertices[:, 1].min(), vertices[:, 1].max()
    percent = 100 * (joints[:, 1] - low) / (high - low)
    assert percent[JOINT_INDEX["left_hip"]] == pytest.approx(53.0, abs=2)
    assert percent[JOINT_INDEX["left_knee"]] == pytest.approx(28.5, abs=2)
    assert percent[JOINT_INDEX["left_ankle"]] == pytest.approx(3.9, abs=2)
    assert percent[JOINT_INDEX["left_shoulder"]] == pytest.approx(81.8, abs=2)

    def length(a: str, b: str) -> float:
        return float(100 * (joints[JOINT_INDEX[a]] - joints[JOINT_INDEX[b]]).norm() / (high - low))

    assert length("left_hip", "right_hip") == pytest.approx(10.5, abs=1)
    assert length("left_shoulder", "left_elbow") == pytest.approx(16.0, abs=2)
    assert length("left_elbow", "left_wrist") == pytest.approx(14.6, abs=2)


def test_face_and_feet_points_are_where_their_names_say() -> None:
    body = load_anny()
    points = body.pose(*t_pose(), ZERO, "blazepose33").keypoints[0]
    place = dict(zip(BLAZEPOSE_33.keypoint_names, points, strict=True))
    assert place["nose"][2] == max(place[name][2] for name in place if "foot" not in name)
    eyes = [float(place[f"left_eye{part}"][0]) for part in ("_inner", "", "_outer")]
    assert eyes == sorted(eyes)
    assert eyes[0] > 0.01
    assert place["left_mouth"][1] < place["nose"][1] < place["left_eye"][1]
    assert place["left_ear"][2] < place["left_eye"][2] - 0.05
    assert place["left_heel"][2] < place["left_ankle"][2] < place["left_foot_index"][2]
    # Palms down, thumbs forward.
    assert place["left_index"][2] > place["left_pinky"][2] + 0.04
    assert place["left_thumb"][2] > place["left_index"][2]
    lowest = float(body.vertices(*t_pose(), ZERO)[0, :, 1].min())
    assert 0 < float(place["left_foot_index"][1]) - lowest < 0.04


def test_missing_file_is_one_clear_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MissingAssetError, match="the body's file is missing"):
        load_anny_parts(tmp_path / "absent.npz")


@pytest.mark.slow
def test_equals_anny_itself() -> None:
    """anny's mesh for the average adult with its arm and leg joints turned (its own classes)."""
    anny = pytest.importorskip("anny")
    model = anny.Anny(rig="anny")
    kept = torch.from_numpy(np.load(ASSET)["mesh/full/anny_vertex"].astype(np.int64))
    # Any adult: anny's default phenotype; the space must reach it.
    phenotypes = {"gender": 0.3, "age": 0.7, "muscle": 0.5, "weight": 0.5, "height": 0.5}
    phenotypes["proportions"] = 0.5
    rest = model(phenotype_kwargs=phenotypes)
    labels = list(model.bone_labels)
    heads = rest["rest_bone_heads"][0]
    turn = torch.eye(3, dtype=heads.dtype)
    angle = torch.tensor(1.2, dtype=heads.dtype)
    turn[1:, 1:] = torch.stack(
        (torch.stack((angle.cos(), -angle.sin())), torch.stack((angle.sin(), angle.cos())))
    )
    # World-orient poses: the lower leg and all below it turn about anny's X, the knee bends.
    orientation = rest["rest_bone_poses"][0, :, :3, :3].clone()
    below = [i for i, n in enumerate(labels) if n.startswith(("lowerleg", "foot", "toe"))]
    orientation[below] = turn @ orientation[below]
    matrices = torch.eye(4, dtype=heads.dtype).repeat(1, len(labels), 1, 1)
    matrices[0, :, :3, :3] = orientation
    posed = model(
        pose_parameters=matrices, phenotype_kwargs=phenotypes, pose_parameterization="world-orient"
    )
    truth = _our_axes(posed["vertices"][0, kept]) - _our_axes(posed["bone_poses"][0, 0, :3, 3])
    mesh = load_anny_parts().meshes["full"]
    target = _our_axes(rest["rest_vertices"][0, kept])
    betas = _fit_betas(mesh.template.double(), mesh.directions.double(), target)
    body = load_anny()
    local, transl = _knees_bent(body, betas, float(angle))
    mine = body.vertices(local[:, 0], local[:, 1:], transl, betas, "full")[0]
    error = (mine - mine.mean(0)) - (truth - truth.mean(0))
    assert error.norm(dim=1).mean() < 0.003
    assert error.norm(dim=1).quantile(0.99) < 0.015


def _our_axes(points: torch.Tensor) -> torch.Tensor:
    return torch.stack((points[..., 0], points[..., 2], -points[..., 1]), dim=-1)


def _fit_betas(
    template: torch.Tensor, directions: torch.Tensor, target: torch.Tensor
) -> torch.Tensor:
    """Least squares over vertices, with a free shift."""
    columns = torch.cat((directions.flatten(1), torch.eye(3).double().repeat(1, len(template))))
    solution = torch.linalg.lstsq(columns.T, (target - template).flatten())
    return solution.solution[:NUM_BETAS]


def _knees_bent(
    body: SkinnedBody, betas: torch.Tensor, angle_rad: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mesh's own pose with both knees bent about X."""
    from motionfield.core.conventions import JOINT_PARENTS
    from motionfield.geometry.rotations import axis_rotation

    world = body.zero_from_rest.double().mT.clone()
    bend = axis_rotation("x", torch.tensor(angle_rad, dtype=torch.float64))
    for name in ("knee", "ankle", "foot"):
        for side in ("left", "right"):
            index = JOINT_INDEX[f"{side}_{name}"]
            world[index] = bend @ world[index]
    parents = torch.tensor((0, *JOINT_PARENTS[1:]))
    local = world[parents].mT @ world
    local[0] = world[0]
    return local[None], torch.zeros(1, 3, dtype=torch.float64)
