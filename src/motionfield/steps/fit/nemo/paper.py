"""``--method nemo --preset paper``: NeMo as it was published, and no more.

Wang et al., NeMo: 3D Neural Motion Fields from Multiple Video Instances of the Same Action, CVPR
2023. Warm-up on the first 3D, cameras, then everything together on the 2D keypoints.
"""

from collections.abc import Callable, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from motionfield.body.base import Body
from motionfield.core.progress import Progress, silent
from motionfield.priors.base import PosePrior
from motionfield.steps.fit.group import GroupFitter, GroupResult, GroupTake
from motionfield.steps.fit.nemo.paper_config import PaperNemoConfig
from motionfield.steps.fit.nemo.paper_model import PaperLoss, PaperModel, Seen, draw_frames, see
from motionfield.steps.fit.nemo.paper_world import paper_result


@final
class PaperNemoFitter(GroupFitter):
    """One motion field, its phases, codes and cameras, fitted to all takes at once."""

    def __init__(
        self,
        config: PaperNemoConfig,
        body: Body,
        mixture: PosePrior | None,
        pose_vae: PosePrior | None = None,
    ) -> None:
        """Keep what the fit needs.

        Args:
            config: options.
            body: of mean shape: the paper fixes betas at 0.
            mixture: the Gaussian mixture over poses.
            pose_vae: in VPoser's role.
        """
        self._config, self._body = config, body
        self._priors = mixture, pose_vae

    def fit(self, takes: Sequence[GroupTake], progress: Progress = silent) -> GroupResult:
        seen = see(takes, self._config)
        model = PaperModel(self._config, takes, seen, self._body)
        loss = PaperLoss(self._config, seen, self._body, self._priors)
        _Schedule(self._config, model, loss, seen).run(progress)
        return paper_result(self._config, model, takes, seen, self._body)


class _Schedule:
    """The three stages; one optimiser goes through all of them, as in the code."""

    def __init__(
        self, config: PaperNemoConfig, model: PaperModel, loss: PaperLoss, seen: Seen
    ) -> None:
        self._config, self._model, self._loss, self._seen = config, model, loss, seen
        self._generator = torch.Generator().manual_seed(config.seed + 1)
        own = config.instance_specific
        field = list(model.field.parameters())
        phases = list(model.phases.parameters()) if own and config.phase_rate > 0 else []
        codes = [model.codes] if own else []
        cameras = [model.camera_turn, model.camera_place]
        decay = {"weight_decay": config.weight_decay}
        rates = (config.field_rate, config.phase_rate, config.code_rate, config.camera_rate)
        groups = [
            {"params": part, "lr": rate}
            for part, rate in zip((field, phases, codes, cameras), rates, strict=True)
            if part
        ]
        groups[0].update(decay)
        self._optimiser = torch.optim.Adam(groups)
        self._warm, self._cameras = [*field, *phases], cameras
        self._all = [*self._warm, *codes, *cameras]

    def run(self, progress: Progress) -> None:
        config = self._config
        if config.use_3d:
            self._stage("nemo: first 3D", config.warmup_steps, self._warm, self._warm_up, progress)
        self._stage("nemo: cameras", config.camera_steps, self._cameras, self._camera, progress)
        self._stage("nemo: all", config.steps, self._all, self._joint, progress)

    def _stage(
        self,
        name: str,
        steps: int,
        learnt: list[nn.Parameter],
        loss: Callable[[], Float[Tensor, ""]],
        progress: Progress,
    ) -> None:
        self._model.requires_grad_(False)
        for parameter in learnt:
            parameter.requires_grad_()
        with progress(name, steps, "step") as bar:
            for _ in range(steps):
                self._optimiser.zero_grad(set_to_none=True)
                loss().backward()
                self._optimiser.step()
                bar.advance()

    def _warm_up(self) -> Float[Tensor, ""]:
        frames, times = draw_frames(self._seen, self._config.batch, self._generator)
        return self._loss.initial(self._loss.pose(self._model, frames), frames, times)

    def _camera(self) -> Float[Tensor, ""]:
        if self._config.camera_frames == "first":
            frames, times = self._seen.first, torch.ones(self._seen.num_takes)
        else:
            frames, times = draw_frames(self._seen, self._config.batch, self._generator)
        points = self._loss.points(self._loss.pose(self._model, frames))
        return self._loss.image(self._model, points, frames, times)

    def _joint(self) -> Float[Tensor, ""]:
        frames, times = draw_frames(self._seen, self._config.batch, self._generator)
        return self._loss.whole(self._model, frames, times)
