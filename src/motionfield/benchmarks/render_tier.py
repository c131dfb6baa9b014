"""``motionfield benchmark render_tier``: does the detector see rendered people as filmed ones?

Movements of the val split are rendered on random bodies (``worlds.avatars``) and tracked as a
user's video would be. The tier counts while the person is found in at least 95 % of the frames and
the 2D error of every part of the body is at most 1.5 times that on real videos (pose2sim's single
person, each camera against the other three). An offset that is constant over a take is what body
and network define differently: it is shown apart. docs/render_tier.md has the figures.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from motionfield.benchmarks.render_tier_clips import TierTake, tier_takes
from motionfield.benchmarks.render_tier_error import (
    PartError,
    TakeError,
    by_part,
    pose2sim_takes,
    ratios,
    take_error,
)
from motionfield.benchmarks.render_tier_sheet import draw_tile, write_sheet
from motionfield.benchmarks.rendered import rendered_keypoints
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.progress import Progress, silent
from motionfield.data.keypoints import Keypoints
from motionfield.worlds.take import keypoints_world, see

DETECTED_MIN: Final = 0.95
RATIO_MAX: Final = 1.5


@dataclass(frozen=True)
class RenderTierReport:
    """What the detector made of rendered takes, beside what it makes of real ones."""

    detected: dict[str, float]
    """Share of frames in which the person was found, by take."""
    size_px: dict[str, float]
    varying: dict[str, float]
    """Median error about the take's offset over all parts, per cent of the size, by take."""
    upright: dict[str, PartError]
    floor: dict[str, PartError]
    real: dict[str, PartError]
    upright_rate: float
    floor_rate: float

    @property
    def ratios(self) -> dict[str, tuple[float, float]]:
        """By part: varying and whole error as multiples of the real videos'."""
        return ratios(self.upright, self.real)

    @property
    def passes(self) -> bool:
        """Whether the tier counts: detection, and the error about the offset of every part."""
        worst = max(varying for varying, _ in self.ratios.values())
        return self.upright_rate >= DETECTED_MIN and worst <= RATIO_MAX

    def table(self) -> str:
        """The text that the command prints."""
        lines = [f"{'take':44} {'size px':>7} {'found':>7} {'error %':>8}"]
        for name, rate in self.detected.items():
            error = self.varying[name]
            lines.append(f"{name:44} {self.size_px[name]:7.0f} {rate:7.1%} {error:8.2f}")
        lines += ["", "per cent of the person's size; offset: constant over a take; rest: about it"]
        lines.append(
            f"{'part':12} {'offset':>7} {'spread':>7} {'rest':>6} {'whole':>6}"
            f"   real: {'offset':>6} {'spread':>7} {'rest':>6} {'whole':>6}   times: rest  whole"
        )
        for part, ours in self.upright.items():
            real, (rest, whole) = self.real[part], self.ratios[part]
            lines.append(
                f"{part:12} {ours.offset:7.2f} {ours.spread:7.2f} {ours.varying:6.2f} "
                f"{ours.whole:6.2f}         {real.offset:6.2f} {real.spread:7.2f} "
                f"{real.varying:6.2f} {real.whole:6.2f}          {rest:4.2f}   {whole:4.2f}"
            )
        verdict = "counts" if self.passes else "does not count"
        worst = max(self.ratios.items(), key=lambda item: item[1][0])
        lines += [
            "",
            f"upright takes: found in {self.upright_rate:.1%} of frames (gate {DETECTED_MIN:.0%}); "
            f"on the floor: {self.floor_rate:.1%}",
            f"largest error about the offset: {worst[0]}, {worst[1][0]:.2f} times the real one "
            f"(gate {RATIO_MAX}): the tier {verdict}",
        ]
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """Plain data for a file."""
        parts = {
            name: {part: error._asdict() for part, error in table.items()}
            for name, table in (
                ("upright", self.upright),
                ("floor", self.floor),
                ("real", self.real),
            )
        }
        return {
            "takes": {
                name: {"found": rate, "size_px": self.size_px[name], "rest": self.varying[name]}
                for name, rate in self.detected.items()
            },
            "parts_percent": parts,
            "times_real": {p: {"rest": r, "whole": w} for p, (r, w) in self.ratios.items()},
            "upright_found": self.upright_rate,
            "floor_found": self.floor_rate,
            "passes": self.passes,
        }


def measure_render_tier(
    data: Path | None = None,
    progress: Progress = silent,
    save: Path | None = None,
    sheet: Path | None = None,
) -> RenderTierReport:
    """Render, track, compare.

    Args:
        data: folder of the mocap shards (cmu_amc, cmu_dm, hdm05, tennis).
        save: folder for each take's detections, motion and camera.
        sheet: PNG of every take's middle frame with what was found there.

    Raises:
        OptionError: no ``data``.
        InputError: a shard is missing.
        MissingAssetError: the pose models or the pose2sim clips cannot be fetched.
    """
    if data is None:
        raise OptionError(
            "benchmark render_tier: give the folder of the mocap shards with --data DIR"
        )
    body = load_body()
    errors: dict[str, TakeError] = {}
    upright, tiles = set(), []
    for take in tier_takes(data, body, progress):
        found = rendered_keypoints(take.motion, take.camera, body, take.seed, progress=progress)
        pixels, _ = see(keypoints_world(take.motion, body), take.camera)
        errors[take.name] = take_error(found.keypoints_2d, pixels)
        if take.upright:
            upright.add(take.name)
        if save is not None:
            _save(take, found, save)
        if sheet is not None:
            tiles.append(draw_tile(take, body, found))
    if sheet is not None:
        write_sheet(tiles, sheet)
    return _report(errors, upright, by_part(pose2sim_takes(progress=progress)))


def _report(
    errors: dict[str, TakeError], upright: set[str], real: dict[str, PartError]
) -> RenderTierReport:
    standing = [error for name, error in errors.items() if name in upright]
    floor = [error for name, error in errors.items() if name not in upright]

    def rest(error: TakeError) -> float:
        away = np.linalg.norm(error.error - error.offset, axis=-1)[error.detected]
        return float(np.median(away)) if away.size else float("nan")

    return RenderTierReport(
        detected={name: float(error.detected.mean()) for name, error in errors.items()},
        size_px={name: error.size_px for name, error in errors.items()},
        varying={name: rest(error) for name, error in errors.items()},
        upright=by_part(standing),
        floor=by_part(floor),
        real=real,
        upright_rate=_rate(standing),
        floor_rate=_rate(floor),
    )


def _rate(takes: Sequence[TakeError]) -> float:
    return float(np.concatenate([take.detected for take in takes]).mean())


def _save(take: TierTake, found: Keypoints, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found.save(folder / f"{take.name}.keypoints.npz")
    take.motion.save(folder / f"{take.name}.motion.npz")
    take.camera.save(folder / f"{take.name}.camera.npz")


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m motionfield.benchmarks.render_tier``: what ``motionfield benchmark`` has not."""
    import json

    from motionfield.data.record import write_whole

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the mocap shards")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="detections and truths")
    parser.add_argument("--sheet", type=Path, help="PNG: a frame of every take with its keypoints")
    options = parser.parse_args(arguments)
    report = measure_render_tier(options.data, save=options.save, sheet=options.sheet)
    print(report.table())
    if options.json is not None:
        write_whole(options.json, json.dumps(report.summary(), indent=1).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
