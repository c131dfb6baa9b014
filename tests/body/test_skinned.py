"""Laws that every body keeps; each runs on the toy body and on the default one."""

import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.body.skinned import SkinnedBody
from motionfield.core.conventions import (
    JOINT_INDEX,
    JOINT_NAMES,
    JOINT_PARENTS,
    NUM_BETAS,
    mirror_order,
)
from motionfield.core.errors import OptionError
from motionfield.core.keypoint_sets import BLAZEPOSE_33, KEYPOINT_SETS, LIMB_JOINTS
from motionfield.geometry.rotations import axis_rotation

F64 = torch.float64
EYE = torch.eye(3, dtype=F64)
FLIP = torch.diag(torch.tensor((-1.0, 1, 1), dtype=F64))


@pytest.fixture(params=["toy", "anny"], scope="module")
def body(request: pytest.FixtureRequest) -> Body:
    return load_body(request.param)


def zero_pose(frames: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    eye = EYE.expand(frames, 24, 3, 3)
    return eye[:, 0], eye[:, 1:], torch.zeros(frames, 3, dtype=F64)


def random_pose(frames: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Any heading, joints turned by up to about a radian."""
    generator = torch.Generator().manual_seed(seed)
    rotvec = 0.5 * torch.randn(frames, 24, 3, dtype=F64, generator=generator)
    rotvec[:, 0] *= 4
    rotations = roma.rotvec_to_rotmat(rotvec)
    transl = torch.randn(frames, 3, dtype=F64, generator=generator)
    return rotations[:, 0], rotations[:, 1:], transl


def random_betas(*frames: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*frames, NUM_BETAS, dtype=F64, generator=generator)


def all_points(body: Body, *pose: Tensor, **more: Tensor) -> Tensor:
    """Joints, BlazePose keypoints and vertices in one."""
    posed = body.pose(*pose, keypoint_set="blazepose33", **more)
    return torch.cat((posed.joints, posed.keypoints, body.vertices(*pose, **more)), dim=1)


def test_zero_pose_is_the_t_pose(body: Body) -> None:
    joints = body.rest_joints(torch.zeros(NUM_BETAS, dtype=F64))
    torch.testing.assert_close(body.pose(*zero_pose(), torch.zeros(NUM_BETAS)).joints[0], joints)
    place = {name: joints[index] for name, index in JOINT_INDEX.items()}
    for side, sign in (("left", 1), ("right", -1)):
        arm = torch.stack([place[f"{side}_{part}"] for part in ("shoulder", "elbow", "wrist")])
        assert (sign * arm[:, 0]).diff().min() > 0.2, "arms reach to the side"
        assert arm[:, 1].max() - arm[:, 1].min() < 0.02, "arms are level"
        leg = torch.stack([place[f"{side}_{part}"] for part in ("hip", "knee", "ankle")])
        assert leg[:, 1].diff().max() < -0.3, "legs point down"
        assert (sign * leg[:, 0]).min() > 0.05, "left is +X"
        assert place[f"{side}_foot"][2] - place[f"{side}_ankle"][2] > 0.08, "feet point to +Z"
    spine = [place[name][1] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert (torch.stack(spine).diff() > 0.03).all()


def test_average_adult_is_about_1_70_m(body: Body) -> None:
    vertices = body.vertices(*zero_pose(), torch.zeros(NUM_BETAS, dtype=F64), "full")
    assert abs(float(vertices[..., 1].max() - vertices[..., 1].min()) - 1.70) < 0.03


def test_first_beta_is_stature(body: Body) -> None:
    betas = torch.zeros(3, NUM_BETAS, dtype=F64)
    betas[:, 0] = torch.tensor((-2.0, 0, 2))
    vertices = body.vertices(*zero_pose(3), betas)
    stature = vertices[..., 1].amax(1) - vertices[..., 1].amin(1)
    assert (stature.diff() > 0.1).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("name", ["toy", "anny"])
def test_a_rigid_motion_moves_all_points_alike(name: str, seed: int) -> None:
    body = load_body(name)
    global_orient, body_pose, transl = random_pose(2, seed)
    betas = random_betas(seed=seed)
    turn, _, shift = random_pose(1, seed + 1)
    root = body.rest_joints(betas)[0]
    before = all_points(body, global_orient, body_pose, transl, betas=betas)
    moved_root = (root + transl) @ turn[0].mT + shift[0] - root
    after = all_points(body, turn @ global_orient, body_pose, moved_root, betas=betas)
    torch.testing.assert_close(after, before @ turn[0].mT + shift[0])


def test_root_joint_is_at_its_rest_place_plus_transl(body: Body) -> None:
    pose, betas = random_pose(5), random_betas()
    joints = body.pose(*pose, betas).joints
    torch.testing.assert_close(joints[:, 0], body.rest_joints(betas)[0] + pose[2])


def test_mirrored_pose_gives_mirrored_points(body: Body) -> None:
    order = list(mirror_order(JOINT_NAMES))
    pose, betas = random_pose(4), random_betas()
    rotations = torch.cat((pose[0].unsqueeze(1), pose[1]), dim=1)[:, order]
    mirrored = FLIP @ rotations @ FLIP
    mirrored_pose = (mirrored[:, 0], mirrored[:, 1:], pose[2] @ FLIP)
    tolerance = {"atol": 1e-3, "rtol": 0}
    for name, keypoint_set in KEYPOINT_SETS.items():
        here = body.pose(*pose, betas, name)
        there = body.pose(*mirrored_pose, betas, name)
        torch.testing.assert_close(there.joints, here.joints[:, order] @ FLIP, **tolerance)
        expected = here.keypoints[:, list(keypoint_set.mirror)] @ FLIP
        torch.testing.assert_close(there.keypoints, expected, **tolerance)
    # The mesh: each vertex's image has the mirrored place and skin weights.
    skin = body.skin(torch.zeros(NUM_BETAS, dtype=F64), "full")
    weights = torch.zeros(len(skin.rest_vertices), 24, dtype=F64)
    weights.scatter_add_(1, skin.joint_index, skin.joint_weight)
    vertex = torch.cat((skin.rest_vertices, weights), dim=1)
    image = torch.cat((skin.rest_vertices @ FLIP, weights[:, order]), dim=1)
    distance, partner = torch.cdist(image, vertex).min(1)
    assert distance.max() < 2e-3
    here_vertices = body.vertices(*pose, betas, "full")
    there_vertices = body.vertices(*mirrored_pose, betas, "full")
    torch.testing.assert_close(there_vertices, here_vertices[:, partner] @ FLIP, atol=3e-3, rtol=0)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_batch_equals_its_singles(body: Body, scaled: bool) -> None:
    pose, betas = random_pose(4), random_betas(4)
    more = {"bone_scale": torch.linspace(0.8, 1.2, 24, dtype=F64)} if scaled else {}
    together = all_points(body, *pose, betas=betas, **more)
    for frame in range(4):
        one = (value[frame : frame + 1] for value in pose)
        single = all_points(body, *one, betas=betas[frame], **more)
        torch.testing.assert_close(together[frame : frame + 1], single)


def test_rest_pose_gives_the_template(body: Body) -> None:
    """Turning every joint back by the fixed rotations gives the modelled mesh, in any shape."""
    assert isinstance(body, SkinnedBody)
    turn = body.zero_from_rest.to(F64)
    parents = torch.tensor((0, *JOINT_PARENTS[1:]))
    local = turn[parents] @ turn.mT
    local[0] = turn[0].mT
    betas = random_betas()
    skin = body.skin(betas, "full")
    transl = torch.zeros(1, 3, dtype=F64)
    vertices = body.vertices(local[None, 0], local[None, 1:], transl, betas, "full")
    torch.testing.assert_close(vertices[0], skin.bind_vertices, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scaled", [False, True])
def test_skin_gives_the_vertices_exactly(body: Body, scaled: bool) -> None:
    """What an animation file computes: joint transforms times inverse bind matrices."""
    pose, betas = random_pose(3), random_betas()
    scale = torch.linspace(0.8, 1.2, 24, dtype=F64) if scaled else None
    skin = body.skin(betas, "render", scale)
    rotations = [pose[0]]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        rotations.append(rotations[parent] @ pose[1][:, joint - 1])
    world = torch.eye(4, dtype=F64).repeat(3, 24, 1, 1)
    world[..., :3, :3] = torch.stack(rotations, dim=1)
    world[..., :3, 3] = body.pose(*pose, betas, bone_scale=scale).joints
    moved = (world @ skin.inverse_bind)[:, skin.joint_index]
    homogeneous = torch.nn.functional.pad(skin.bind_vertices, (0, 1), value=1.0)
    points = (moved @ homogeneous[:, None, :, None]).squeeze(-1)[..., :3]
    expected = body.vertices(*pose, betas, "render", scale)
    torch.testing.assert_close((points * skin.joint_weight.unsqueeze(-1)).sum(2), expected)
    torch.testing.assert_close(
        skin.rest_vertices, body.vertices(*zero_pose(), betas, "render", scale)[0]
    )


def test_bones_keep_their_length_and_take_their_scale(body: Body) -> None:
    pose, betas = random_pose(20), random_betas()
    scale = torch.linspace(0.7, 1.3, 24, dtype=F64)
    parents = list(JOINT_PARENTS[1:])
    rest = body.rest_joints(betas)
    length = (rest[1:] - rest[parents]).norm(dim=-1)
    for factor, more in ((1.0, {}), (scale[1:], {"bone_scale": scale})):
        joints = body.pose(*pose, betas, **more).joints
        bones = (joints[:, 1:] - joints[:, parents]).norm(dim=-1)
        torch.testing.assert_close(bones, (length * factor).expand(20, -1))


def test_scaling_every_bone_by_one_changes_nothing(body: Body) -> None:
    pose, betas = random_pose(3), random_betas()
    one = torch.ones(24, dtype=F64)
    with_scale = all_points(body, *pose, betas=betas, bone_scale=one)
    torch.testing.assert_close(with_scale, all_points(body, *pose, betas=betas))


def test_keypoints_follow_a_longer_bone(body: Body) -> None:
    scale = torch.ones(24, dtype=F64)
    scale[JOINT_INDEX["left_elbow"]] = 1.5
    betas = torch.zeros(NUM_BETAS, dtype=F64)
    before = body.pose(*zero_pose(), betas, "coco17")
    after = body.pose(*zero_pose(), betas, "coco17", scale)
    grown = (after.joints - before.joints)[0, JOINT_INDEX["left_wrist"], 0]
    index = KEYPOINT_SETS["coco17"].index
    moved = (after.keypoints - before.keypoints)[0, :, 0]
    assert moved[index("left_wrist")] == pytest.approx(float(grown), rel=0.02)
    assert 0.7 * grown < moved[index("left_elbow")] < 1.1 * grown
    assert abs(moved[index("right_elbow")]) < 1e-9


def test_limb_keypoints_lie_near_their_joints(body: Body) -> None:
    betas = torch.zeros(NUM_BETAS, dtype=F64)
    for name, keypoint_set in KEYPOINT_SETS.items():
        posed = body.pose(*zero_pose(), betas, name)
        for limb in LIMB_JOINTS:
            point = posed.keypoints[0, keypoint_set.index(limb)]
            distance = (point - posed.joints[0, JOINT_INDEX[limb]]).norm()
            assert distance < 0.05, f"{name} {limb} is {distance:.3f} m from the joint"


def test_smpl24_keypoints_are_the_joints(body: Body) -> None:
    posed = body.pose(*random_pose(3), random_betas(), "smpl24")
    torch.testing.assert_close(posed.keypoints, posed.joints)


def test_hinges_bend_the_right_way(body: Body) -> None:
    betas = torch.zeros(NUM_BETAS, dtype=F64)
    global_orient, body_pose, transl = zero_pose()
    bent = body_pose.clone()
    right_angle = torch.tensor(torch.pi / 2, dtype=F64)
    bent[0, JOINT_INDEX["left_knee"] - 1] = axis_rotation("x", right_angle)
    bent[0, JOINT_INDEX["left_elbow"] - 1] = axis_rotation("y", -right_angle)
    bent[0, JOINT_INDEX["right_elbow"] - 1] = axis_rotation("y", right_angle)
    joints = body.pose(global_orient, bent, transl, betas).joints[0]
    straight = body.pose(global_orient, body_pose, transl, betas).joints[0]
    moved = joints - straight
    assert moved[JOINT_INDEX["left_ankle"], 2] < -0.3, "the heel goes back"
    assert moved[JOINT_INDEX["left_wrist"], 2] > 0.2, "the hand comes forward"
    assert moved[JOINT_INDEX["right_wrist"], 2] > 0.2


@pytest.mark.parametrize("per_frame", [False, True])
def test_gradients_reach_every_parameter(body: Body, per_frame: bool) -> None:
    global_orient, body_pose, transl = random_pose(2)
    betas = random_betas(*((2,) if per_frame else ()))
    scale = torch.linspace(0.8, 1.2, 24, dtype=F64)
    inputs = [value.clone().requires_grad_() for value in (global_orient, body_pose, transl)]
    inputs += [betas.requires_grad_(), scale.requires_grad_()]

    def run(*args: Tensor) -> tuple[Tensor, Tensor]:
        posed = body.pose(*args[:4], "blazepose33", args[4])
        return posed.joints, posed.keypoints

    assert torch.autograd.gradcheck(run, tuple(inputs), fast_mode=True)


def test_vertices_are_differentiable() -> None:
    body = load_body("toy")
    inputs = [value.clone().requires_grad_() for value in (*random_pose(2), random_betas())]
    assert torch.autograd.gradcheck(
        lambda *args: body.vertices(*args), tuple(inputs), fast_mode=True
    )


def test_results_have_the_dtype_of_the_pose(body: Body) -> None:
    pose = [value.float() for value in random_pose(2)]
    posed = body.pose(*pose, random_betas(), "coco17")
    assert posed.joints.dtype == posed.keypoints.dtype == torch.float32
    assert body.vertices(*pose, random_betas()).dtype == torch.float32
    exact = body.pose(*random_pose(2), random_betas(), "coco17")
    torch.testing.assert_close(posed.joints.double(), exact.joints, atol=1e-5, rtol=0)


def test_fewer_betas_are_the_first_ones(body: Body) -> None:
    betas = random_betas()
    padded = torch.cat((betas[:10], torch.zeros(6, dtype=F64)))
    torch.testing.assert_close(body.rest_joints(betas[:10]), body.rest_joints(padded))


def test_faces_look_outward(body: Body) -> None:
    vertices = body.vertices(*zero_pose(), torch.zeros(NUM_BETAS, dtype=F64))[0]
    a, b, c = vertices[body.faces()].unbind(1)
    volume = (torch.linalg.cross(a, b) * c).sum() / 6
    assert 0.05 < volume < 0.1


def test_bad_names_and_too_many_betas_are_refused(body: Body) -> None:
    pose = zero_pose()
    with pytest.raises(OptionError, match=r"no keypoint set 'coco18'.*coco17"):
        body.pose(*pose, random_betas(), "coco18")
    with pytest.raises(OptionError, match="20 betas given; it has 16"):
        body.pose(*pose, torch.zeros(20, dtype=F64))
    with pytest.raises(OptionError, match="no body 'smpl'"):
        load_body("smpl")


def test_no_keypoint_set_gives_none(body: Body) -> None:
    assert body.pose(*zero_pose(), random_betas()).keypoints.shape == (1, 0, 3)
    assert len(BLAZEPOSE_33.keypoint_names) == 33
