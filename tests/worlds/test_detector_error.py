"""The made detector: every part of its errors is as large, as long and where it is asked."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from motionfield.core.errors import InputError
from motionfield.core.keypoint_sets import BLAZEPOSE_33
from motionfield.worlds.detector_error import (
    DetectorErrorConfig,
    Seen,
    detect,
    draw_episodes,
    remembering,
)
from motionfield.worlds.detector_error_model import (
    BASIS,
    PARTS,
    SHIPPED,
    DetectorErrorModel,
    Episodes,
    fingerprint,
    shipped_model,
)
from motionfield.worlds.detector_view import leg_length, view_person
from worlds.made_detector import at, made_errors, made_model, person

_FRAMES = 1200
_AS_MEASURED = DetectorErrorConfig()
_SIZE = 1500 * 1.6 / 5
"""Pixels of the person's larger side, nearly."""


def _look(
    model: DetectorErrorModel,
    facing: str = "camera",
    fps: float = 30.0,
    seed: int = 0,
    frames: int = _FRAMES,
    config: DetectorErrorConfig = _AS_MEASURED,
) -> tuple[Seen, ndarray, ndarray]:
    """What is seen, and the errors: in per cent of the size, and in metres."""
    pixels, points = person(frames, facing)
    seen = detect(pixels, points, fps, np.random.default_rng(seed), config, model)
    size = view_person(pixels, points, fps).size_px[:, None, None]
    true = points - points[:, [at("left_hip"), at("right_hip")]].mean(1, keepdims=True)
    return seen, (seen.keypoints_2d[..., :2] - pixels) / size * 100, seen.coarse_camera - true


def _value(name: str, part: str, value: float) -> ndarray:
    """One figure by part, the others 0."""
    return np.where(np.array(PARTS) == part, value, 0.0)


def test_with_all_factors_at_zero_the_truth_is_reported() -> None:
    silent = DetectorErrorConfig(0, 0, 0, 0, 0, 0)
    seen, error, coarse = _look(shipped_model(), config=silent, frames=40)
    assert np.abs(error).max() < 1e-3
    assert np.abs(coarse).max() < 1e-5
    assert not seen.lost.any()
    assert not seen.swapped.any()


def test_the_noise_has_the_asked_size_across_and_along_and_no_bias() -> None:
    _, error, coarse = _look(made_model())
    np.testing.assert_allclose(error.std((0, 1)), 1.0, atol=0.03)
    np.testing.assert_allclose(error.mean(0), 0, atol=0.3)
    wrist = coarse[:, at("left_wrist")]
    # The hips, at zero, are half as noisy each: their middle moves, too.
    np.testing.assert_allclose(wrist.std(0), np.array([0.01, 0.01, 0.02]) * 1.5**0.5, rtol=0.1)
    middle = coarse[:, [at("left_hip"), at("right_hip")]].mean(1)
    np.testing.assert_allclose(middle, 0, atol=1e-6)


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_noise_is_as_long_in_seconds_at_every_rate_and_in_part_white(fps: float) -> None:
    image = made_errors(white=np.full(len(PARTS), 0.2))
    _, error, _ = _look(made_model(image=image), fps=fps)
    for seconds in (2 / 30, 0.2):
        lag = round(seconds * fps)
        found = (error[lag:] * error[:-lag]).mean() / (error**2).mean()
        assert found == pytest.approx(0.8 * math.exp(-seconds / 0.1), abs=0.03)


def test_constants_stay_in_a_clip_and_differ_between_clips() -> None:
    image = made_errors(bias_sd=np.tile([2.0, 0.0], (len(PARTS), 1)))
    quiet = DetectorErrorConfig(noise=0)
    clips = [
        _look(made_model(image=image), seed=seed, frames=3, config=quiet)[1] for seed in range(40)
    ]
    for error in clips:
        np.testing.assert_allclose(error, error[:1].repeat(3, 0), atol=0.01)
    np.testing.assert_allclose(np.stack(clips)[:, 0].std(), 2.0, rtol=0.05)


def test_offsets_turn_with_the_body() -> None:
    """The hip is seen two per cent too far out: to the right of the picture or to the left."""
    offset = np.zeros((len(PARTS), len(BASIS)))
    offset[PARTS.index("hip"), BASIS.index("outward")] = 2.0
    model = made_model(image=made_errors(offset=offset))
    quiet = DetectorErrorConfig(noise=0)
    for facing, sign in (("camera", 1.0), ("away", -1.0), ("left", 0.0)):
        error = _look(model, facing, frames=2, config=quiet)[1][0]
        assert error[at("left_hip"), 0] == pytest.approx(sign * 2, abs=0.05), facing
        assert error[at("right_hip"), 0] == pytest.approx(-sign * 2, abs=0.05), facing
        assert np.abs(error[at("left_knee")]).max() < 0.05


def test_bones_lead_to_their_points_and_on() -> None:
    pixels, points = person(1)
    basis = view_person(pixels, points, 30.0).basis[0]
    elbow = basis[at("left_elbow")]
    np.testing.assert_allclose(elbow[BASIS.index("bone in")], [1, 0, 0], atol=0.01)
    np.testing.assert_allclose(elbow[BASIS.index("bone out")], [1, 0, 0], atol=0.01)
    np.testing.assert_allclose(basis[at("right_knee")][BASIS.index("up")], [0, -1, 0], atol=0.1)
    np.testing.assert_allclose(basis[at("nose")][BASIS.index("outward")], 0)


def test_noise_grows_with_speed_and_behind_the_body_and_confidence_falls() -> None:
    image = made_errors(by_speed=np.full(len(PARTS), 1.0), by_occlusion=np.full(len(PARTS), 2.0))
    confidence = np.tile([3.0, -4.0, 0.0, 0.5], (len(PARTS), 1))
    seen, error, _ = _look(made_model(image=image, confidence=confidence), "left")
    near, far = error[:, at("left_knee")].std(), error[:, at("right_knee")].std()
    assert far == pytest.approx(3 * near, rel=0.1)
    sure = seen.keypoints_2d[..., 2]
    assert np.median(sure[:, at("left_knee")]) == pytest.approx(1 / (1 + math.exp(-3)), abs=0.01)
    assert np.median(sure[:, at("right_knee")]) == pytest.approx(1 / (1 + math.exp(1)), abs=0.03)

    pixels, points = person(_FRAMES)
    run = np.arange(_FRAMES)[:, None] * np.array([_SIZE / 30, 0.0])
    moving = detect(
        pixels + run[:, None], points, 30.0, np.random.default_rng(0), model=made_model(image=image)
    )
    error = (moving.keypoints_2d[..., :2] - pixels - run[:, None]) / _SIZE * 100
    assert error[:, at("left_knee")].std() == pytest.approx(2.0, rel=0.15)


def test_confidence_falls_with_the_size_of_the_error() -> None:
    confidence = np.tile([3.0, 0.0, -1.0, 0.0], (len(PARTS), 1))
    seen, error, _ = _look(made_model(confidence=confidence))
    large = np.linalg.norm(error, axis=-1) > 2
    sure = seen.keypoints_2d[..., 2]
    assert sure[large].max() < np.quantile(sure[~large], 0.5)


def test_volatility_makes_heavy_tails_in_spells() -> None:
    wild = made_model(image=made_errors(volatility=np.full(len(PARTS), 0.7)), volatility_s=0.2)
    calm_error, error = _look(made_model())[1], _look(wild)[1]
    assert _kurtosis(calm_error) == pytest.approx(3, abs=0.2)
    assert _kurtosis(error) > 8
    large = np.linalg.norm(error, axis=-1) > 4
    stays = (large[1:] & large[:-1]).sum() / large[:-1].sum()
    assert stays > 2 * large.mean()
    assert stays > 0.35


def _kurtosis(error: ndarray) -> float:
    return float((error**4).mean() / (error**2).mean() ** 2)


def test_some_clips_are_harder_for_all_points() -> None:
    model = made_model(image=made_errors(clip_sd=0.5))
    sizes = np.array([_look(model, seed=seed, frames=200)[1].std((0, 2)) for seed in range(40)])
    assert np.log(sizes).mean(1).std() == pytest.approx(0.5, abs=0.12)
    own = np.log(sizes) - np.log(sizes).mean(1, keepdims=True)
    assert own.std() < 0.25


def test_people_who_lie_are_harder() -> None:
    model = made_model(image=made_errors(by_tilt=2.0))
    pixels, points = person(_FRAMES)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    middle = np.array([0.0, 0.0, 5.0])
    lying = (points - middle) @ turn.T + middle
    across = 960 + 1500 * lying[..., :2] / lying[..., 2:]
    sizes = []
    for there, at_points in ((pixels, points), (across, lying)):
        seen = detect(there, at_points, 30.0, np.random.default_rng(0), model=model)
        sizes.append((seen.keypoints_2d[..., :2] - there).std())
    assert sizes[1] == pytest.approx(3 * sizes[0], rel=0.15)


def test_points_err_together_as_asked() -> None:
    correlation = np.eye(33)
    for a, b, value in (("left_wrist", "left_index", 0.8), ("left_hip", "right_hip", 0.3)):
        correlation[at(a), at(b)] = correlation[at(b), at(a)] = value
    _, error, _ = _look(made_model(image=made_errors(correlation=correlation)))
    flat = error.transpose(0, 2, 1).reshape(-1, 33)
    found = np.corrcoef(flat.T)
    assert found[at("left_wrist"), at("left_index")] == pytest.approx(0.8, abs=0.05)
    assert found[at("left_hip"), at("right_hip")] == pytest.approx(0.3, abs=0.1)
    assert found[at("left_hip"), at("left_index")] == pytest.approx(0.0, abs=0.1)


def test_the_coarse_3d_is_flattened_and_knows_no_statures() -> None:
    quiet = made_errors(sd=np.zeros((len(PARTS), 2)))
    model = made_model(coarse=quiet, coarse_depth=(0.7, 0.0), coarse_size=(1.0, -1.0, 0.0))
    for scale in (1.0, 0.8):
        pixels, points = person(2, "left")
        points = points * scale
        seen = detect(pixels, points, 30.0, np.random.default_rng(0), model=model)
        true = points - points[:, [at("left_hip"), at("right_hip")]].mean(1, keepdims=True)
        size = 0.8 / leg_length(points)
        np.testing.assert_allclose(
            seen.coarse_camera, true * [size, size, 0.7 * size], atol=0.02 * size
        )


def test_the_coarse_3d_has_the_axes_of_the_true_camera() -> None:
    """Off the optical axis, too; ``take.in_crop_axes`` turns it to the crop's."""
    pixels, points = person(2)
    points = points + np.array([3.0, 0, 0])
    silent = DetectorErrorConfig(coarse=0)
    seen = detect(pixels, points, 30.0, np.random.default_rng(0), silent)
    true = points - points[:, [at("left_hip"), at("right_hip")]].mean(1, keepdims=True)
    np.testing.assert_allclose(seen.coarse_camera, true, atol=1e-5)


def test_exchanges_swap_halves_and_the_face_looks_the_other_way() -> None:
    model = made_model(
        image=made_errors(sd=np.zeros((len(PARTS), 2))),
        coarse=made_errors(sd=np.zeros((len(PARTS), 2))),
        swaps=Episodes(0.2, 0.1, 0.8),
        swap_kinds=np.array([0.5, 0.3, 0.2]),
    )
    seen, error, coarse = _look(model)
    upper, lower = seen.swapped.T
    assert (upper | lower).mean() == pytest.approx(0.2, abs=0.06)
    assert (upper & ~lower).mean() > (lower & ~upper).mean() > 0.01
    wrong = np.abs(error).max(-1) > 1
    np.testing.assert_array_equal(wrong[:, at("left_elbow")], upper)
    np.testing.assert_array_equal(wrong[:, at("right_knee")], lower)
    back = seen.keypoints_2d[:, list(BLAZEPOSE_33.mirror), :2]
    both = upper & lower
    pixels = person(int(both.sum()))[0]
    np.testing.assert_allclose(back[both], pixels, atol=0.1)
    depth = seen.coarse_camera[:, at("nose"), 2] - seen.coarse_camera[:, at("left_shoulder"), 2]
    assert (depth[upper] > 0.05).all()
    np.testing.assert_allclose(depth[~upper], -0.1, atol=1e-4)
    assert np.abs(coarse[~upper, at("nose")]).max() < 1e-4


def test_episodes_have_the_asked_share_and_length_throughout() -> None:
    rng = np.random.default_rng(0)
    episodes = Episodes(0.1, 0.2, 0.6)
    drawn = np.stack([draw_episodes(rng, 300, 30.0, episodes) for _ in range(400)])
    assert drawn.mean() == pytest.approx(0.1, abs=0.02)
    assert drawn[:, :10].mean() == pytest.approx(drawn[:, -10:].mean(), abs=0.04)
    starts = (drawn[:, 1:] & ~drawn[:, :-1]).sum()
    assert drawn[:, 1:].sum() / starts / 30 == pytest.approx(episodes.mean_s, rel=0.2)
    assert not draw_episodes(rng, 50, 30.0, episodes, factor=0.0).any()
    assert draw_episodes(rng, 300, 30.0, Episodes(2.0, 0.2, 0.6)).mean() < 1


@pytest.mark.parametrize("frames", [0.0, 3.0, 10.0])
def test_remembering_noise_is_stationary_with_the_asked_memory(frames: float) -> None:
    noise = remembering(np.random.default_rng(3).normal(size=(300, 4000)), frames)
    np.testing.assert_allclose(noise.std(1), 1, atol=0.06)
    expected = math.exp(-5 / frames) if frames else 0.0
    assert (noise[:-5] * noise[5:]).mean() == pytest.approx(expected, abs=0.01)


def test_the_same_seed_sees_the_same_and_options_do_not_reshuffle_the_rest() -> None:
    first, second, other = (_look(shipped_model(), seed=s, frames=60)[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first.keypoints_2d, second.keypoints_2d)
    assert not np.array_equal(first.keypoints_2d, other.keypoints_2d)
    without = _look(
        shipped_model(), seed=1, frames=60, config=DetectorErrorConfig(bias=0, lost=0, swaps=0)
    )[0]
    np.testing.assert_array_equal(
        without.coarse_camera[~first.swapped.any(-1)], first.coarse_camera[~first.swapped.any(-1)]
    )


# --- the file -----------------------------------------------------------------------------------


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    model = made_model(swaps=Episodes(0.01, 0.05, 1.0))
    model.save(tmp_path / "model.json")
    again = DetectorErrorModel.load(tmp_path / "model.json")
    assert again.as_plain() == model.as_plain()
    assert again.swaps == model.swaps


@pytest.mark.parametrize("content", ["", "{}", '{"parts": ["arm"], "directions": []}'])
def test_a_file_that_holds_no_model_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"model\.json.*no model of detector errors"):
        DetectorErrorModel.load(path)


def test_what_ships_is_plausible() -> None:
    model = shipped_model()
    for errors, low, high in ((model.image, 0.2, 3.0), (model.coarse, 0.003, 0.15)):
        assert (errors.sd[:, 0] > low).all()
        assert (errors.sd < high).all()
        assert np.linalg.eigvalsh(errors.correlation).min() > 0
        np.testing.assert_allclose(np.diag(errors.correlation), 1, atol=1e-3)
    # Depth is the harder part; the parts far from the trunk are the harder ones.
    wrist, shoulder = PARTS.index("wrist"), PARTS.index("shoulder")
    assert model.coarse.sd[wrist, 1] > model.coarse.sd[wrist, 0]
    assert model.image.sd[wrist, 0] > model.image.sd[shoulder, 0]
    assert 0 < model.swaps.share < 0.05
    assert SHIPPED.stat().st_size < 100_000
    assert len(fingerprint()) == 12


def test_figures_of_both_kinds_are_complete() -> None:
    for errors in (shipped_model().image, shipped_model().coarse):
        for field in dataclasses.fields(errors):
            assert np.isfinite(getattr(errors, field.name)).all(), field.name
