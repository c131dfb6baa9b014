"""MEVA on image features: ``motionfield train meva_images --data DIR``.

As published (paper, section 3.5; its public code for all that the text leaves out): Adam at 5e-5
without decay or clipping, the rate falls to a tenth where PA-MPJPE has not gained for five epochs
of 500 steps, 100 epochs, 32 windows of 90 frames of which 60 % have 2D alone; the best epoch is
kept. It is judged on 3DPW's validation split (or on every tenth video with 3D truth), where the
public code judges on the test split. A GPU is used where torch finds one. Never run on the real
data sets, nor on a GPU: unverified.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from motionfield.body.base import Body
from motionfield.body.registry import load_body
from motionfield.core.errors import OptionError
from motionfield.core.history import plain
from motionfield.core.keypoint_sets import LSP_14, SMPL_24
from motionfield.core.progress import Progress, silent
from motionfield.formats.datasets.origins import ORIGINS, unverified
from motionfield.priors.motion_vae import PRESETS as VAE_PRESETS
from motionfield.priors.motion_vae import MotionVAE
from motionfield.steps.evaluate.pose import mpjpe, pa_mpjpe
from motionfield.steps.evaluate.score import Score
from motionfield.steps.evaluate.smoothness import acceleration_error
from motionfield.steps.lift.meva.network_paper import PaperConfig, PaperMeva
from motionfield.training.card import Card, write_card
from motionfield.training.loop import LoopConfig, Losses, Plateau, finish, train
from motionfield.training.meva_images_data import JOINT_NAMES, ImageVideo, WindowChoice, WindowPool
from motionfield.training.meva_images_losses import ImageLossWeights, image_losses, posed_output
from motionfield.training.meva_images_sources import FoundVideos, find_videos
from motionfield.training.order import TrainOrder

_HOLD_OUT: Final = 10
"""Every so manieth video is for judging where the data bring no validation split."""
_JUDGED: Final = 64
"""Windows that are judged after each epoch, at most."""
_NO_CLIP: Final = 1e9
_SMPL_14: Final = (
    *(f"{side}_{part}" for part in ("hip", "knee", "ankle") for side in ("left", "right")),
    *(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist") for side in ("left", "right")),
    *("neck", "head"),
)
_FAMILIES: Final = (
    tuple(JOINT_NAMES.index(f"{LSP_14.name}.{name}") for name in LSP_14.keypoint_names),
    tuple(JOINT_NAMES.index(f"{SMPL_24.name}.{name}") for name in _SMPL_14),
)
"""14 joints each, the first that is known counts."""
_HIPS: Final = ((LSP_14.index("right_hip"), LSP_14.index("left_hip")), (0, 1))
_WHAT: Final = (
    "MEVA on per-frame image features: feature encoder, motion estimator with the motion "
    "autoencoder's decoder, iterative refiner. Read by `motionfield run --method meva --features "
    "FILE --meva-weights FILE`, with features of the network that made those of the training."
)
_LICENCE: Final = "that of the data sets below: research only, not to be used commercially"


@dataclass(frozen=True)
class ImageTraining:
    """What goes in and how it is trained; the defaults are the published ones."""

    seed: int = 0
    body: str = "anny"
    model: PaperConfig = field(default_factory=PaperConfig)
    """Its ``inputs`` and ``latent`` follow the features and the motion autoencoder."""
    vae: Path | None = None
    """Weights of the motion autoencoder; None: those that ship in the package."""
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            steps=50_000, learning_rate=5e-5, clip_norm=_NO_CLIP, checkpoint_s=600.0
        )
    )
    plateau: Plateau = field(default_factory=Plateau)
    batch: int = 32
    windows: WindowChoice = field(default_factory=WindowChoice)
    weights: ImageLossWeights = field(default_factory=ImageLossWeights)


PRESETS: Final = {
    "paper": ImageTraining(),
    # A tenth of the weights: what two cores can train in a day or two.
    "default": ImageTraining(
        model=PaperConfig(width=512, encoder_hidden=256, motion_hidden=192, refiner_hidden=512),
        loop=LoopConfig(steps=20_000, learning_rate=2e-4, clip_norm=_NO_CLIP, checkpoint_s=600.0),
    ),
}


class ImageFigures(NamedTuple):
    """Means over all frames of all windows that were judged; 14 joints, as published."""

    windows: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    acceleration_mm_frame2: float

    def line(self, split: str) -> str:
        """For people."""
        return (
            f"{split}: {self.windows} windows, MPJPE {self.mpjpe_mm:.1f} mm, PA-MPJPE "
            f"{self.pa_mpjpe_mm:.1f} mm, ACC-ERR {self.acceleration_mm_frame2:.1f} mm/frame²"
        )


class ImageReport(NamedTuple):
    """What was made."""

    path: Path
    figures: ImageFigures
    parameters: int
    notes: Sequence[str]

    def lines(self) -> list[str]:
        """For people."""
        return [
            *self.notes,
            self.figures.line("validation"),
            f"{self.parameters / 1e6:.1f} million trained parameters",
            f"written: {self.path}",
        ]


def train_as_ordered(order: TrainOrder, progress: Progress = silent) -> list[str]:
    """``motionfield train meva_images``: weights, card, and what to tell.

    Raises:
        OptionError: free data alone are asked for: none of these data sets is.
        InputError: no data set with features in the folder, or a damaged file.
        MissingAssetError: the motion autoencoder's weights are not there.
    """
    if order.free_data:
        raise OptionError(
            "train meva_images: none of its data sets is free for all uses; leave --free-data out"
        )
    config = replace(PRESETS[order.preset], seed=order.seed)
    if order.steps is not None:
        config = replace(config, loop=replace(config.loop, steps=order.steps))
    found = find_videos(order.data, progress)
    decoder = start_decoder(config)
    report = train_on(found, decoder, order.output, config, progress)
    titles = [ORIGINS[name].title for name in found.datasets]
    licences = "; ".join(
        f"{ORIGINS[name].title}: {ORIGINS[name].licence}" for name in found.datasets
    )
    doubts = [note for name in found.datasets for note in unverified(name)]
    card = Card(
        what=_WHAT,
        data=f"{', '.join(titles)}: {len(found.train)} videos",
        licence=f"{_LICENCE} ({licences})",
        credit=", ".join(titles),
        command=order.command,
        size=f"{report.parameters / 1e6:.1f} million trained parameters (published: "
        f"{_published_size() / 1e6:.1f} million)",
        figures=tuple(report.lines()[:-1]),
        limits=" ".join((*doubts, "Whose features another network made, this one does not know.")),
    )
    return [*report.lines(), *doubts, f"card: {write_card(order.output, card)}"]


def start_decoder(config: ImageTraining) -> MotionVAE:
    """The trained motion autoencoder; without it, one of the published form that knows nothing."""
    if not config.model.without_vae:
        return MotionVAE.load(config.vae)
    torch.manual_seed(config.seed)
    own = replace(VAE_PRESETS["paper"], frames=config.windows.length, latent=config.model.latent)
    return MotionVAE(own)


def train_on(
    found: FoundVideos,
    decoder: MotionVAE,
    output: Path,
    config: ImageTraining = PRESETS["paper"],
    progress: Progress = silent,
) -> ImageReport:
    """Train on the videos found, write the weights of the best epoch, judge them.

    Raises:
        OptionError: no video is as long as a window.
        InputError: a damaged checkpoint lies beside the output.
    """
    body = load_body(config.body)
    learned, judged = _split(found)
    pool = WindowPool(learned, config.windows)
    held = WindowPool(judged, config.windows)
    sizes = replace(
        config.model,
        inputs=int(learned[0].features.shape[1]),
        latent=decoder.config.latent,
    )
    torch.manual_seed(config.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = PaperMeva(sizes, decoder).to(device)

    def losses(generator: torch.Generator) -> Losses:
        batch = pool.draw(config.batch, generator).to(device)
        return image_losses(network(batch.features), batch.truth, body, config.weights)

    def error() -> float:
        found = judge(network, held, body, _JUDGED).pa_mpjpe_mm
        return found if math.isfinite(found) else _flat_error(network, held, body)

    told = [asdict(sizes), config.windows, config.weights, config.batch, config.body]
    train(
        network,
        losses,
        config.loop,
        output,
        config.seed,
        progress,
        judged=(config.plateau, error),
        made_of=[*told, [video.name for video in learned]],
    )
    network.eval().requires_grad_(False).cpu()
    parameters = sum(
        p.numel() for name, p in network.named_parameters() if not name.startswith("decoder.")
    )
    made_of: dict[str, Any] = {
        "training": plain(config),
        "body": config.body,
        "data": list(found.datasets),
        "licence": _LICENCE,
    }
    network.save(output, made_of)
    finish(output)
    shipped = PaperMeva.load(output)
    counts = "windows to train on: {} with 2D alone, {} with 3D".format(*pool.counts())
    return ImageReport(output, judge(shipped, held, body), parameters, (*found.notes, counts))


def judge(
    network: PaperMeva, pool: WindowPool, body: Body, most: int | None = None
) -> ImageFigures:
    """Errors on windows of a pool, at most so many; NaN where none has 3D truth."""
    scores: list[tuple[Score, Score, Score]] = []
    windows = 0
    with torch.no_grad():
        for batch in pool.blocks(8):
            if most is not None and windows >= most:
                break
            windows += len(batch.features)
            seen = batch.features.to(network.refiner.start_betas.device)
            posed = posed_output(network(seen), body)
            for ours, theirs in zip(posed.joints.cpu(), batch.truth.joints, strict=True):
                scores += _scores(ours, theirs)
    means = [_over_frames([score[kind] for score in scores]) for kind in range(3)]
    return ImageFigures(windows, *means)


def _flat_error(network: PaperMeva, pool: WindowPool, body: Body) -> float:
    """Where no 3D truth is at hand: the 2D term."""
    batch = pool.blocks(_JUDGED)[0].to(str(network.refiner.start_betas.device))
    return float(image_losses(network(batch.features), batch.truth, body)["points"])


def _scores(ours: torch.Tensor, theirs: torch.Tensor) -> list[tuple[Score, Score, Score]]:
    """Of one window; nothing where its joints are not known."""
    for columns, hips in zip(_FAMILIES, _HIPS, strict=True):
        a, b = ours[:, list(columns)], theirs[:, list(columns)]
        if not torch.isfinite(b).all(-1).all(-1).any():
            continue
        at = list(hips)
        centred = (a - a[:, at].mean(1, keepdim=True), b - b[:, at].mean(1, keepdim=True))
        return [(mpjpe(a, b, hips), pa_mpjpe(a, b), acceleration_error(*centred))]
    return []


def _over_frames(scores: Sequence[Score]) -> float:
    total = sum(score.mean * score.frames_used for score in scores if score.frames_used)
    used = sum(score.frames_used for score in scores)
    return total / used if used else float("nan")


def _split(found: FoundVideos) -> tuple[list[ImageVideo], list[ImageVideo]]:
    """Videos to learn from and to judge on."""
    if found.validation:
        return found.train, found.validation
    deep = [video for video in found.train if video.has_3d] or found.train
    held = {id(video) for video in deep[:: max(2, min(_HOLD_OUT, len(deep)))]}
    if len(found.train) == 1:
        return found.train, found.train
    kept = [video for video in found.train if id(video) not in held]
    return kept, [video for video in found.train if id(video) in held]


def _published_size() -> int:
    with torch.device("meta"):
        network = PaperMeva(PaperConfig(), MotionVAE(VAE_PRESETS["paper"]))
    return sum(p.numel() for n, p in network.named_parameters() if not n.startswith("decoder."))
