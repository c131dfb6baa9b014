"""Options of several takes: which method they mean, and what is refused in one line."""

import pytest

from motionfield.cli.main import main, make_parser
from motionfield.cli.run import config_of
from motionfield.core.errors import OptionError
from motionfield.run_config import RunConfig
from motionfield.steps.fit import NemoConfig, PaperNemoConfig


def config(text: str) -> RunConfig:
    return config_of(make_parser().parse_args(["run", "-o", "out", *text.split()]))


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("a.mp4", "fit"),
        ("a.mp4 b.mp4", "nemo"),
        ("--keypoints a.npz b.npz", "nemo"),
        ("a.mp4 --keypoints a.npz", "fit"),
        ("a.mp4 b.mp4 --method fit", "fit"),
        ("a.mp4 b.mp4 --method meva", "meva"),
        ("a.mp4 b.mp4 --person all", "fit"),
        ("a.mp4 b.mp4 --person 1", "nemo"),
        ("a.mp4 --repetitions auto", "nemo"),
    ],
)
def test_the_method_that_suits_the_inputs(text: str, method: str) -> None:
    assert config(text).method == method


def test_what_is_known_of_the_takes_reaches_the_fit() -> None:
    found = config("a.mp4 b.mp4 --same-person --synchronized --mirrored --drop-outliers")
    assert isinstance(found.group, NemoConfig)
    assert (found.group.same_person, found.group.synchronized, found.group.mirrored) == (True,) * 3
    assert found.drop_outliers
    plain = config("a.mp4 b.mp4").group
    assert isinstance(plain, NemoConfig)
    assert (plain.same_person, plain.synchronized, plain.mirrored) == (False,) * 3


def test_repetitions_in_one_video_are_one_persons() -> None:
    for text, same in (
        ("a.mp4", True),
        ("a.mp4 b.mp4", False),
        ("a.mp4 b.mp4 --same-person", True),
    ):
        found = config(f"{text} --repetitions 4")
        assert found.repetitions == 4
        assert isinstance(found.group, NemoConfig)
        assert found.group.same_person is same


def test_the_paper() -> None:
    found = config("a.mp4 b.mp4 --preset paper --seed 7")
    assert found.group == PaperNemoConfig(seed=7)


def test_one_rate_for_all_or_one_per_video() -> None:
    assert [read.capture_fps for read in config("a.mp4 b.mp4 --capture-fps 240").read] == [240]
    rates = config("a.mp4 b.mp4 c.mp4 --capture-fps 240,auto,119.88 --range 1-2").read
    assert [read.capture_fps for read in rates] == [240, None, 119.88]
    assert {read.range_s for read in rates} == {(1, 2)}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a.mp4 --method nemo", "a.mp4: is one take, and nemo needs two or more"),
        ("a.mp4 --method nemo", "--repetitions auto"),
        ("a.mp4 --method nemo", "--method fit"),
        ("a.mp4 b.mp4 --method nemo --person all", "--person all: nemo takes one person"),
        ("a.mp4 --repetitions few", "--repetitions few: give a number, or auto"),
        ("a.mp4 --repetitions 1", "--repetitions 1: give 2 or more"),
        ("a.mp4 --repetitions 3 --method fit", "--repetitions: are takes of one action"),
        ("a.mp4 --same-person", "--same-person: of several takes"),
        ("a.mp4 --synchronized --mirrored", "--synchronized, --mirrored: of several takes"),
        ("a.mp4 --drop-outliers", "--drop-outliers: of several takes"),
        ("a.mp4 b.mp4 --preset paper --mirrored", "--mirrored: the published NeMo knows none"),
        ("a.mp4 b.mp4 --capture-fps 240,30,30", "--capture-fps: 3 rates for 2 inputs"),
        ("a.mp4 b.mp4 --capture-fps fast", "--capture-fps fast: give frames per second"),
    ],
)
def test_what_is_refused(text: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError):
        config(text)
    assert main(["run", "-o", "out", *text.split()]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert part in lines[0]
