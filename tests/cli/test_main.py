"""The command line: verbs, options, one line per error, exit codes, nothing heavy at start."""

import subprocess
import sys
from pathlib import Path

import pytest

from motionfield import __version__
from motionfield.cli import info
from motionfield.cli.main import VERBS, main, make_parser
from motionfield.cli.run import config_of, parse_range
from motionfield.core.errors import OptionError


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed on standard error: exactly one line."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_every_verb_of_the_contract_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for verb in ("run", "view", "export", "evaluate", "benchmark", "train", "info", "models"):
        assert f"    {verb} " in text or f"    {verb}\n" in text
    assert len(VERBS) == 9


@pytest.mark.parametrize("verb", [verb.__name__.rpartition(".")[2] for verb in VERBS])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert f"usage: motionfield {verb}" in capsys.readouterr().out


def test_every_flag_of_the_contract_parses() -> None:
    text = (
        "run a.mp4 b.mp4 -o out --method fit --camera static --focal 1000 --height 1.8 "
        "--person all --range 1-2.5 --capture-fps 240 --preset default --body anny "
        "--device cpu --seed 3 --resume --quiet --debug --keypoints k.npz l.npz --init i.npz"
    )
    options = make_parser().parse_args(text.split())
    assert options.videos == [Path("a.mp4"), Path("b.mp4")]
    assert options.keypoints == [Path("k.npz"), Path("l.npz")]
    options = make_parser().parse_args(["run", "a.mp4", "-o", "o", "--calib", "9 9 5 5"])
    assert options.calib == "9 9 5 5"
    for text in (
        "view OUT",
        "export m.npz --to bvh -o f.bvh",
        "evaluate --pred m.npz --truth t.npz --json j.json",
        "benchmark pose2sim --data d --json j.json",
        "train pose_mixture --data d",
        "info",
        "models --from d",
        "demo",
    ):
        make_parser().parse_args(text.split())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--method", method) for method in ("diffopt", "neuhmr")),
        ("--camera", "moving"),
        ("--camera", "path.npz"),
        ("--body", "smpl:SMPL_NEUTRAL.pkl"),
        ("--init", "first.npz"),
        ("--device", "cuda"),
    ],
)
def test_what_is_to_come_is_refused(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "a.mp4", "-o", str(tmp_path / "out"), option, value]) == 2
    line = one_line(capsys)
    assert option in line
    assert "not in this version" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("", "VERB"),
        ("dance", "dance"),
        ("run a.mp4", "-o"),
        ("run -o out", "nothing to do"),
        ("run a.mp4 -o out --seeed 3", "--seeed"),
        ("run a.mp4 -o out --focal far", "far"),
        ("run a.mp4 -o out --focal 5 --calib 9", "not allowed with"),
        ("run a.mp4 -o out --range 5", "--range 5"),
        ("run a.mp4 -o out --range x-y", "--range x-y"),
        ("run a.mp4 -o out --person tallest", "--person tallest"),
        ("run a.mp4 -o out --calib 9", "--calib"),
        ("run a.mp4 b.mp4 -o out --keypoints k.npz", "1 keypoint files for 2 videos"),
        ("benchmark speed_of_light", "speed_of_light"),
        ("models --fetch nonsense", "nonsense"),
        ("export m.npz --to fbx -o f", "fbx"),
    ],
)
def test_wrong_options_are_one_line(
    arguments: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 2
    assert part in one_line(capsys)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1-2.5", (1, 2.5)), ("3-", (3, 1e9)), ("-4", (0, 4)), ("0.5-10", (0.5, 10))],
)
def test_ranges(text: str, seconds: tuple[float, float]) -> None:
    assert parse_range(text) == seconds


def test_range_reaches_the_config() -> None:
    options = make_parser().parse_args(["run", "a.mp4", "-o", "o", "--range", "1-2"])
    assert config_of(options).read[0].range_s == (1, 2)
    with pytest.raises(OptionError, match="give seconds"):
        parse_range("1:2")


def test_unexpected_errors_are_one_line_without_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: object) -> int:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(info, "run_verb", fail)
    assert main(["info"]) == 1
    line = one_line(capsys)
    assert "ZeroDivisionError: two lines" in line
    assert "--debug" in line
    with pytest.raises(ZeroDivisionError):
        main(["info", "--debug"])


def test_ctrl_c_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(info, "run_verb", stop)
    assert main(["info"]) == 130
    assert "stopped" in one_line(capsys)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert "torch 2" in text
    assert "cache " in text


def test_nothing_heavy_is_imported_before_a_verb_runs() -> None:
    code = (
        "import sys; from motionfield.cli.main import make_parser; make_parser();"
        "print([m for m in ('torch', 'numpy', 'cv2', 'av', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_as_a_process(tmp_path: Path) -> None:
    arguments = ["-m", "motionfield", "view", str(tmp_path / "no such folder")]
    found = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert "no such folder: holds no report.html" in found.stderr
    assert "Traceback" not in found.stderr
