"""The rows of MEVA's Table 4 at equal budgets: ``python -m motionfield.benchmarks.meva_ablation``.

Full, VME only, and without the pretrained motion autoencoder, each trained from the same start
with the same takes and judged on held-out subjects.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from motionfield.steps.lift.meva.network import MevaConfig
from motionfield.training.meva import MevaTraining, train_meva
from motionfield.training.meva_judge import MevaFigures
from motionfield.training.motion_data import find_training_data

SMALL: Final = MevaConfig(width=128, layers=3, refine_layers=1)
ROWS: Final = {
    "full": SMALL,
    "VME only": replace(SMALL, vme_only=True),
    "without the pretrained VAE": replace(SMALL, own_decoder=True),
}


def row_config(name: str, steps: int) -> MevaTraining:
    """The training of a row: ``steps`` steps, the first third of them on short pieces."""
    usual = MevaTraining(model=ROWS[name])
    return replace(
        usual,
        loop=replace(usual.loop, steps=steps),
        windows=replace(usual.windows, look_steps=steps // 3),
    )


def table(figures: dict[str, dict[str, MevaFigures]]) -> str:
    """Rows by split."""
    lines = ["row | split | MPJPE | PA-MPJPE | from 2D | acceleration m/s²"]
    for name, splits in figures.items():
        for split, found in splits.items():
            lines.append(
                f"{name} | {split} | {found.mpjpe_mm:.1f} | {found.with_coarse_mm:.1f} | "
                f"{found.from_2d_mm:.1f} | {found.acceleration_m_s2:.1f}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the rows, one after the other; rows whose training was cut go on."""
    parser = argparse.ArgumentParser(prog="python -m motionfield.benchmarks.meva_ablation")
    parser.add_argument("--data", type=Path, required=True, help="folder of the mocap shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for the rows' weights")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    options = parser.parse_args(arguments)
    data = find_training_data(options.data)
    figures = {}
    for name in options.rows:
        path = options.out / f"{name.replace(' ', '_')}.safetensors"
        report = train_meva(data, path, row_config(name, options.steps))
        figures[name] = report.figures
    print(table(figures))


if __name__ == "__main__":
    main()
