"""The GLB of all takes in phase, reopened by pygltflib and by a reader of bytes and JSON."""

import itertools
from pathlib import Path

import numpy as np
import pygltflib
import pytest
import trimesh
from scipy.spatial.transform import Rotation, Slerp

from formats.made import assert_t_pose, true_joints, z_up
from formats.readers import Glb, read_glb
from made_action import MadeAction, action_of, eased, made_action, movement, turned_joint
from motionfield.body.registry import load_body
from motionfield.core.conventions import JOINT_NAMES
from motionfield.core.errors import OutputError, RecordError
from motionfield.data import Motion
from motionfield.formats import glb_takes
from motionfield.formats.glb_takes import write_takes_glb

PACES = (eased(60), eased(90, 1.6), eased(41, 0.7))


def made() -> MadeAction:
    """Three takes; the second of another build, the third with an arm held higher."""
    action = made_action(PACES)
    action.takes[1] = action.takes[1].replace(bone_scale=np.full(24, 1.1, np.float32))
    action.takes[2] = turned_joint(action.takes[2], "left_shoulder", "z", 0.5)
    return action


def written(folder: Path, action: MadeAction) -> Glb:
    path = folder / "takes.glb"
    body = load_body(action.canonical.body_model)
    write_takes_glb(path, action.takes, action.action, action.canonical, body)
    return read_glb(path)


def naive(motion: Motion, phase: np.ndarray, at: np.ndarray) -> Motion:
    """Each rotation by scipy, straight between the frames beside each phase."""
    pose = np.concatenate((motion.global_orient[:, None], motion.body_pose), 1)
    turned = np.stack(
        [Slerp(phase, Rotation.from_matrix(pose[:, j]))(at).as_matrix() for j in range(24)], 1
    )
    place = np.stack([np.interp(at, phase, axis) for axis in motion.transl.T], -1)
    count = len(at)
    return motion.replace(
        global_orient=turned[:, 0],
        body_pose=turned[:, 1:],
        transl=place,
        time_s=np.arange(count) / 1.0,
        frame_index=np.arange(count),
        observed=np.ones(count, bool),
    )


def test_pygltflib_reads_one_skinned_body_for_each_take(tmp_path: Path) -> None:
    written(tmp_path, made())
    file = pygltflib.GLTF2().load(str(tmp_path / "takes.glb"))
    assert len(file.skins) == 4
    assert len(file.animations) == 1, "all play together"
    tops = [file.nodes[index] for index in file.scenes[file.scene].nodes]
    assert [node.name for node in tops] == ["canonical", "take 1", "take 2", "take 3"]
    assert file.asset.extras["row"] == [node.name for node in tops]
    for k, skin in enumerate(file.skins):
        assert [file.nodes[joint].name for joint in skin.joints] == list(JOINT_NAMES)
        (mesh,) = (file.nodes[c] for c in tops[k].children if file.nodes[c].mesh is not None)
        assert mesh.skin == k
    # One build of the canonical motion, take 1 and take 3; another of take 2.
    assert len(file.meshes) == 2
    assert len(file.animations[0].channels) == 4 * 25


def test_every_take_is_the_resampled_motion_at_its_place(tmp_path: Path) -> None:
    """Takes whose frames lie at the clock's phases: exact, whatever the way between frames."""
    grid = np.linspace(0, 1, 101)
    twice = np.sort(np.concatenate((grid, grid[:-1] + 0.003)))
    action = made()
    takes = [movement(grid), movement(twice), movement(grid[::-1][::-1])]
    action = MadeAction(takes, action_of([grid, twice, grid]), action.canonical)
    glb = written(tmp_path, action)
    spacing = glb.json["asset"]["extras"]["spacing_m"]
    phases = [grid, grid, twice, grid]
    motions = [action.canonical, *action.takes]
    for k, (motion, phase) in enumerate(zip(motions, phases, strict=True)):
        truth = true_joints(motion)[np.searchsorted(phase, grid - 1e-9)]
        found = z_up(glb.joints(glb.time_s, skin=k)) - (k * spacing, 0, 0)
        np.testing.assert_allclose(found, truth, atol=1e-4)


def test_between_its_frames_a_take_is_where_a_naive_resampling_is(tmp_path: Path) -> None:
    action = made()
    glb = written(tmp_path, action)
    spacing = glb.json["asset"]["extras"]["spacing_m"]
    at = np.linspace(0, 1, 101)
    for k, (motion, phase) in enumerate(zip(action.takes, PACES, strict=True), start=1):
        truth = true_joints(naive(motion, phase, at))
        found = z_up(glb.joints(glb.time_s, skin=k)) - (k * spacing, 0, 0)
        # Straight there, smooth here: millimetres apart where the take is fast.
        np.testing.assert_allclose(found[20:], truth[20:], atol=4e-3)


def test_takes_are_in_phase_on_the_canonical_clock(tmp_path: Path) -> None:
    """The same movement at three paces is the same at every moment."""
    action = made_action(PACES)
    glb = written(tmp_path, action)
    assert glb.time_s[-1] == pytest.approx(action.action.duration_s, abs=1e-6)
    spacing = glb.json["asset"]["extras"]["spacing_m"]
    places = [glb.joints(glb.time_s, skin=k) - (k * spacing, 0, 0) for k in range(4)]
    for place in places[1:]:
        np.testing.assert_allclose(place, places[0], atol=1e-2)


def test_the_skin_of_each_take_moves_with_its_joints(tmp_path: Path) -> None:
    action = made()
    glb = written(tmp_path, action)
    spacing = glb.json["asset"]["extras"]["spacing_m"]
    for k in range(4):
        skin, joints = glb.vertices(glb.time_s[::25], k), glb.joints(glb.time_s[::25], k)
        assert np.abs(skin[:, :, 0].mean(1) - k * spacing).max() < 0.3
        assert (skin.min(1) < joints.min(1) + 0.02).all()
        assert (skin.max(1) > joints.max(1) - 0.02).all()


def test_neighbours_never_meet(tmp_path: Path) -> None:
    """Even where a take runs across the row."""
    action = made()
    runner = action.takes[0]
    aside = runner.transl + np.linspace(0, 3, 60)[:, None] * np.array((1, 0, 0))
    action.takes[0] = runner.replace(transl=aside.astype(np.float32))
    glb = written(tmp_path, action)
    row = [glb.joints(glb.time_s, skin=k)[..., 0] for k in range(4)]
    for left, right in itertools.pairwise(row):
        assert (right.min(1) - left.max(1)).min() > 0.5


def test_figures_rest_in_a_t_pose(tmp_path: Path) -> None:
    glb = written(tmp_path, made())
    spacing = glb.json["asset"]["extras"]["spacing_m"]
    for k in range(4):
        assert_t_pose(glb.joints(skin=k)[0] - (k * spacing, 0, 0))


def test_trimesh_opens_it(tmp_path: Path) -> None:
    written(tmp_path, made())
    scene = trimesh.load(tmp_path / "takes.glb")
    assert len(scene.graph.nodes_geometry) == 4


def test_many_long_takes_stay_a_file_of_sensible_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glb_takes, "MAX_POSES", 1000)
    action = made_action([eased(40)] * 9)
    action = action._replace(canonical=movement(np.linspace(0, 1, 2000)))
    glb = written(tmp_path, action)
    assert len(glb.time_s) == 100
    assert glb.time_s[-1] == pytest.approx(action.action.duration_s)


def test_an_action_of_other_takes_is_refused(tmp_path: Path) -> None:
    action = made()
    body = load_body("toy")
    with pytest.raises(RecordError, match="other frames"):
        write_takes_glb(tmp_path / "t.glb", action.takes[:2], action.action, action.canonical, body)
    with pytest.raises(OutputError, match=r"t.glb: cannot be written"):
        write_takes_glb(
            tmp_path / "no" / "t.glb", action.takes, action.action, action.canonical, body
        )
