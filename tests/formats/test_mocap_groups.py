"""Groups of repetitions: three made files, and what is wrong with damaged ones."""

import json
from pathlib import Path

import pytest

from helpers import shared_path
from motionfield.core.errors import InputError
from motionfield.formats.mocap_groups import Repetition, read_groups

_FILES = {
    "index.csv": "clip,subject,frames,split,shard\n"
    "s1,anna,200,test,tennis\ns2,bert,90,val,tennis\nk1,cmu135,300,test,cmu_daz\nq1,mm,50,val,hdm05\n",
    "tennis_strokes.csv": "clip,player,stroke,hand,start,end,contact_frame\n"
    "s1,anna,forehand volley,right,3,63,40\ns2,bert,forehand volley,left,0,90,55\n"
    "s1,anna,forehand volley,right,70,130,100\n",
    "segments.csv": "group,clip,start,end,peak\nkicks,k1,10,58,7.1\nkicks,k1,60,108,8.0\n",
    "groups.json": json.dumps({"squat": [{"clip": "q1", "shard": "hdm05"}, {"clip": "k1"}]}),
}


def _folder(path: Path, **changes: str) -> Path:
    for name, text in _FILES.items():
        (path / name).write_text(changes.get(name.replace(".", "_"), text))
    return path


def test_groups_keep_splits_apart(tmp_path: Path) -> None:
    groups = {(g.action, g.split): g for g in read_groups(_folder(tmp_path))}
    assert sorted(groups) == [
        ("kicks", "test"),
        ("squat", "test"),
        ("squat", "val"),
        ("tennis_forehand_volley", "test"),
        ("tennis_forehand_volley", "val"),
    ]
    volley = groups["tennis_forehand_volley", "test"]
    assert volley.items[0] == Repetition("tennis", "s1", "anna", 3, 63, "right", 40)
    assert list(volley.by_subject()) == ["anna"]
    assert [(i.start, i.end) for i in groups["kicks", "test"].items] == [(10, 58), (60, 108)]
    assert groups["squat", "val"].items == (Repetition("hdm05", "q1", "mm", 0, 50),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index_csv": "clip,subject,frames,split\n"}, "lacks the column shard"),
        ({"segments_csv": "group,clip,start,end\nkicks,k2,1,5\n"}, "'k2' is not in index.csv"),
        ({"segments_csv": "group,clip,start,end\nkicks,k1,290,301\n"}, "no frames 290 to 301"),
        ({"segments_csv": "group,clip,start,end\nkicks,k1,x,5\n"}, "line 2: start, end must be"),
        ({"groups_json": "[1]"}, "cannot be read as groups"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_groups(_folder(tmp_path, **change))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (_folder(tmp_path) / "segments.csv").unlink()
    with pytest.raises(InputError, match=r"segments\.csv: cannot be read"):
        read_groups(tmp_path)


def test_the_open_mocap_has_694_strokes() -> None:
    groups = read_groups(shared_path("mocap", "index.csv").parent)
    strokes = [g for g in groups if g.action.startswith("tennis_")]
    assert sum(len(g.items) for g in strokes) == 694
    serve = next(g for g in strokes if (g.action, g.split) == ("tennis_serve", "test"))
    assert {s: len(i) for s, i in serve.by_subject().items()} == {
        "tennis_jangel": 5,
        "tennis_jpcardona": 5,
        "tennis_jsgiraldo": 8,
    }
