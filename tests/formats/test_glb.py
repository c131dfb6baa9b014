"""GLB files, reopened by a reader of bytes and JSON, and by trimesh."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from formats.made import (
    MOTIONS,
    assert_t_pose,
    assert_walks_ahead,
    long_legged,
    parameters,
    true_joints,
    unevenly_timed,
    walk_ahead,
    walk_in_circles,
    z_up,
)
from formats.readers import Glb, read_glb
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OutputError
from motionfield.data import Motion
from motionfield.formats.glb import write_glb


def written(folder: Path, motion: Motion) -> Glb:
    path = folder / "motion.glb"
    write_glb(path, motion, load_body(motion.body_model))
    return read_glb(path)


@pytest.mark.parametrize("name", MOTIONS)
def test_every_joint_is_back_within_a_millimetre(tmp_path: Path, name: str) -> None:
    motion = long_legged(MOTIONS[name]())
    glb = written(tmp_path, motion)
    names = [glb.json["nodes"][node]["name"] for node in glb.json["skins"][0]["joints"]]
    assert names == list(JOINT_NAMES)
    found = z_up(glb.joints(glb.time_s))
    np.testing.assert_allclose(found, true_joints(motion), atol=1e-3)


def test_time_stamps_are_the_motions_own(tmp_path: Path) -> None:
    motion = unevenly_timed(walk_in_circles())
    glb = written(tmp_path, motion)
    np.testing.assert_allclose(glb.time_s, motion.time_s - motion.time_s[0], atol=1e-6)
    assert glb.json["asset"]["extras"]["first_frame_s"] == pytest.approx(motion.time_s[0])


def test_between_frames_the_body_takes_the_short_way(tmp_path: Path) -> None:
    """Quaternions whose signs turn over swing the long way round in viewers that lerp."""
    glb = written(tmp_path, walk_in_circles())
    animation = glb.json["animations"][0]
    for channel in animation["channels"]:
        if channel["target"]["path"] == "rotation":
            values = glb.accessor(animation["samplers"][channel["sampler"]]["output"])
            assert ((values[1:] * values[:-1]).sum(-1) > 0).all()
            np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("body", ["toy", "anny"])
@pytest.mark.parametrize("proportions", [lambda m: m, long_legged], ids=["plain", "long_legged"])
def test_the_skin_moves_as_the_body(
    tmp_path: Path, proportions: Callable[[Motion], Motion], body: str
) -> None:
    motion = proportions(walk_in_circles(body, count=6))
    glb = written(tmp_path, motion)
    truth = load_body(body).vertices(**parameters(motion)).numpy()
    np.testing.assert_allclose(z_up(glb.vertices(glb.time_s)), truth, atol=1e-3)


def test_a_spectator_sees_the_person_walk_ahead(tmp_path: Path) -> None:
    """Not upside down, not turned, not mirrored, not stuck, in metres."""
    glb = written(tmp_path, walk_ahead())
    assert_walks_ahead(glb.joints(glb.time_s), up=1, ahead=2, ahead_sign=1)


def test_the_nodes_rest_in_a_t_pose_on_the_ground(tmp_path: Path) -> None:
    glb = written(tmp_path, walk_ahead())
    assert_t_pose(glb.joints()[0])
    skin = glb.vertices()[0]
    assert skin[:, 1].min() == pytest.approx(0, abs=1e-4)
    span = np.ptp(skin, axis=0)
    assert span[0] > 1.3, "arms stretched sideways"
    assert 1.5 < span[1] < 2.0, "a standing person"


def test_trimesh_sees_the_same_mesh_and_rest(tmp_path: Path) -> None:
    glb = written(tmp_path, walk_ahead())
    scene = trimesh.load(tmp_path / "motion.glb")
    (mesh,) = scene.geometry.values()
    np.testing.assert_array_equal(mesh.faces, load_body("toy").faces().numpy())
    assert np.ptp(mesh.vertices, axis=0)[1] > 1.5
    rest = glb.joints()[0]
    for index, name in enumerate(JOINT_NAMES):
        matrix, _ = scene.graph.get(name)
        np.testing.assert_allclose(matrix[:3, 3], rest[index], atol=1e-6)
    # Triangles and normals point outward: light falls on the outside.
    mesh.merge_vertices()
    assert mesh.volume > 0


def test_what_the_file_format_demands(tmp_path: Path) -> None:
    glb = written(tmp_path, walk_ahead())
    for view in glb.json["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= glb.json["buffers"][0]["byteLength"]
    attributes = glb.json["meshes"][0]["primitives"][0]["attributes"]
    weight = glb.accessor(attributes["WEIGHTS_0"])
    np.testing.assert_allclose(weight.sum(1), 1, atol=1e-6)
    joint = glb.accessor(attributes["JOINTS_0"])
    assert (joint[weight == 0] == 0).all()
    normal = glb.accessor(attributes["NORMAL"])
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, atol=1e-5)
    position = glb.json["accessors"][attributes["POSITION"]]
    np.testing.assert_allclose(position["min"], glb.accessor(attributes["POSITION"]).min(0))


def test_one_frame_is_a_file(tmp_path: Path) -> None:
    motion = walk_ahead(count=1)
    write_glb(tmp_path / "one.glb", motion, load_body("toy"))
    glb = read_glb(tmp_path / "one.glb")
    assert glb.time_s.tolist() == [0.0]
    root = glb.accessor(glb.json["animations"][0]["samplers"][-1]["output"])
    np.testing.assert_allclose(z_up(root)[0], true_joints(motion)[0, 0], atol=1e-5)


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"motion.glb: cannot be written"):
        write_glb(tmp_path / "no" / "motion.glb", walk_ahead(), load_body("toy"))
