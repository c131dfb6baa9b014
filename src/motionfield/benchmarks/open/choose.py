"""Which cases a new version has: chosen here once, then frozen as files."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from motionfield.benchmarks.open.case import Split, Tier, Track
from motionfield.benchmarks.open.spec import Collection, Piece
from motionfield.formats.mocap_groups import Repetition, read_groups
from motionfield.formats.mocap_npz import read_mocap
from motionfield.worlds.cameras import CameraKind

PIECE_FRAMES: Final = 100
"""Longer clips are cut to their middle."""
SINGLE_FRAMES: Final = 80
VIEW_FRAMES: Final = 40
VIEWS: Final = 4
RENDERED_FRAMES: Final = 60
_BEFORE_CONTACT_S: Final = 0.8
_AFTER_CONTACT_S: Final = 0.6


@dataclass(frozen=True)
class TakeDraft:
    """A take before its camera is drawn."""

    pieces: tuple[Piece, ...]
    """Of long takes: what they are chained of, in any order and as often as need be."""
    person: str
    """Takes of one person in a case have one shape."""
    camera: CameraKind = "static"


@dataclass(frozen=True)
class CaseDraft:
    """A case before its cameras are drawn."""

    name: str
    track: Track
    split: Split
    action: str
    takes: tuple[TakeDraft, ...]
    synchronized: bool = False
    quick: bool = False
    tier: Tier = "points"


def choose_cases(clips: Collection, folder: Path) -> list[CaseDraft]:
    """The cases of a collection.

    Raises:
        InputError: the folder lacks a file.
        OptionError: a file lacks a clip.
    """
    return _choose_pybullet(folder) if clips == "pybullet" else _choose_mocap(folder)


# --- clips that anybody can fetch ---------------------------------------------------------------

# Clips that show the same people or the same kind of action share a split, as far as it is known:
# both dances, both ways to get up, kick and punch, all turns in the air.
_PYBULLET: Final[dict[Split, tuple[str, ...]]] = {
    "val": (
        *("walk", "jump", "kick", "punch", "dance_a", "dance_b"),
        *("getup_facedown", "getup_faceup"),
    ),
    "test": ("run", "cartwheel", "backflip", "roll", "crawl", "spin", "spinkick"),
}
_PYBULLET_ACTIONS: Final = {
    "dance_a": "dance",
    "dance_b": "dance",
    "getup_facedown": "get up",
    "getup_faceup": "get up",
}
_PYBULLET_MOVING: Final[dict[Split, tuple[tuple[str, CameraKind], ...]]] = {
    "val": (("dance_b", "follow"), ("getup_faceup", "pan"), ("jump", "orbit"), ("punch", "dolly")),
    "test": (("roll", "follow"), ("cartwheel", "pan"), ("spin", "orbit"), ("crawl", "dolly")),
}
_PYBULLET_VIEWS: Final[dict[Split, str]] = {"val": "kick", "test": "spinkick"}
_PYBULLET_LONG: Final[dict[Split, str]] = {"val": "walk", "test": "run"}
_PYBULLET_RENDERED: Final[dict[Split, tuple[str, ...]]] = {
    "val": ("walk", "kick"),
    "test": ("run", "spinkick"),
}
_PYBULLET_QUICK: Final = (
    *("single_walk", "single_jump", "single_punch", "single_getup_facedown"),
    *("single_run", "single_cartwheel", "single_roll", "single_spinkick"),
    *("moving_jump_orbit", "moving_cartwheel_pan", "views_kick"),
)


def _choose_pybullet(folder: Path) -> list[CaseDraft]:
    from motionfield.formats.deepmimic import read_deepmimic

    shard = read_deepmimic(sorted(folder.glob("humanoid3d_*.txt")))

    def piece(word: str, most: int = PIECE_FRAMES) -> Piece:
        info = shard.find(f"humanoid3d_{word}")
        start, end = _middle(info.num_frames, most)
        return Piece(f"{info.name}.txt", info.name, start, end)

    cases = []
    for split, words in _PYBULLET.items():
        for word in words:
            take = TakeDraft((piece(word, 10**6),), word)
            cases.append(_case("single", split, _action(word), word, (take,)))
        for word, kind in _PYBULLET_MOVING[split]:
            take = TakeDraft((piece(word),), word, kind)
            cases.append(_case("moving", split, _action(word), f"{word}_{kind}", (take,)))
        word = _PYBULLET_VIEWS[split]
        views = (TakeDraft((piece(word, VIEW_FRAMES),), word),) * VIEWS
        cases.append(_case("views", split, _action(word), word, views, synchronized=True))
        word = _PYBULLET_LONG[split]
        take = TakeDraft((piece(word),), word, "follow")
        cases.append(_case("moving_long", split, _action(word), f"{word}_follow", (take,)))
        for word in _PYBULLET_RENDERED[split]:
            take = TakeDraft((piece(word, RENDERED_FRAMES),), word)
            cases.append(_rendered(_case("single", split, _action(word), word, (take,))))
    return _quick(cases, _PYBULLET_QUICK)


def _action(word: str) -> str:
    return _PYBULLET_ACTIONS.get(word, word)


# --- the open mocap -----------------------------------------------------------------------------

_Chosen = tuple[str, str]
"""Action and clip."""

_SINGLE: Final[dict[Split, dict[str, tuple[_Chosen, ...]]]] = {
    "val": {
        "hdm05": (
            ("deposit on floor", "mm_depositFloorR_022"),
            ("basketball throw", "mm_throwBasketball_010"),
            ("elbow to knee", "mm_elbowToKnee1RepsLelbowStart_019"),
            ("grab high", "mm_grabHighR_018"),
            ("jog in a circle", "mm_jogLeftCircle4StepsRstart_013"),
            ("kick", "mm_kickLFront1Reps_020"),
            ("lie down", "mm_lieDownFloor_018"),
            ("lie down", "mm_lieDownFloor_016"),
            ("swing arms", "mm_rotateArmsBothBackward1Reps_011"),
            ("sneak", "mm_sneak2StepsLStart_012"),
        ),
        "cmu_dm": (
            ("walk", "08_07"),
            ("get up", "139_16"),
            ("get up", "139_17"),
        ),
        "tennis": (("tennis", "mrios_Servicio"), ("tennis", "mrios_VDerecha")),
    },
    "test": {
        "hdm05": (
            ("deposit on floor", "tr_depositFloorR_030"),
            ("basketball throw", "tr_throwBasketball_014"),
            ("elbow to knee", "tr_elbowToKnee1RepsLelbowStart_025"),
            ("grab high", "tr_grabHighR_024"),
            ("jog in a circle", "tr_jogLeftCircle4StepsRstart_016"),
            ("lie down", "tr_lieDownFloor_020"),
            ("sneak", "tr_sneak2StepsLStart_015"),
        ),
        "cmu_dm": (
            ("run", "127_03"),
            ("run", "127_15"),
            ("jump over", "127_26"),
            ("dive roll", "127_24"),
            ("get up", "140_02"),
            ("swing on bar", "43_02"),
            ("cartwheel", "49_07"),
            ("leap", "49_04"),
            ("jump kick", "90_05"),
            ("fall", "90_16"),
        ),
        "cmu_iclone": (("walk", "07_04"), ("walk", "07_12")),
        "cmu_daz": (("karate", "135_03"), ("karate", "135_06")),
        "tennis": (("tennis", "jangel_Servicio"), ("tennis", "jsgiraldo_Reves")),
    },
}
_MOVING: Final[dict[Split, tuple[tuple[str, str, str, CameraKind], ...]]] = {
    "val": (
        ("hdm05", "jog in a circle", "mm_jogLeftCircle4StepsRstart_011", "follow"),
        ("cmu_dm", "walk", "08_07", "follow"),
        ("hdm05", "deposit on floor", "mm_depositFloorR_024", "pan"),
        ("hdm05", "lie down", "mm_lieDownFloor_016", "pan"),
        ("hdm05", "basketball throw", "mm_throwBasketball_011", "orbit"),
        ("tennis", "tennis", "mrios_Reves", "orbit"),
        ("hdm05", "grab high", "mm_grabHighR_018", "dolly"),
        ("cmu_dm", "get up", "139_17", "dolly"),
    ),
    "test": (
        ("cmu_iclone", "walk", "07_03", "follow"),
        ("cmu_dm", "run", "127_04", "follow"),
        ("cmu_dm", "duck", "127_31", "follow"),
        ("cmu_dm", "cartwheel", "49_08", "pan"),
        ("cmu_dm", "jump kick", "90_05", "pan"),
        ("cmu_daz", "karate", "135_08", "orbit"),
        ("hdm05", "basketball throw", "tr_throwBasketball_012", "orbit"),
        ("tennis", "tennis", "jsgiraldo_VDerecha", "orbit"),
        ("hdm05", "deposit on floor", "tr_depositFloorR_032", "dolly"),
        ("cmu_dm", "get up", "140_03", "dolly"),
    ),
}
_VIEWS: Final[dict[Split, tuple[tuple[str, str, str], ...]]] = {
    "val": (
        ("hdm05", "basketball throw", "mm_throwBasketball_010"),
        ("cmu_dm", "get up", "139_16"),
    ),
    "test": (("cmu_dm", "cartwheel", "49_06"), ("tennis", "tennis", "jpcardona_Servicio")),
}
_LONG: Final[dict[Split, dict[str, tuple[str, tuple[str, ...]]]]] = {
    "val": {"jog": ("hdm05", tuple(f"mm_jogLeftCircle4StepsRstart_0{n}" for n in (11, 12, 13)))},
    "test": {
        "walk": ("cmu_iclone", tuple(f"07_{n:02}" for n in range(3, 13))),
    },
}
_RENDERED: Final[dict[Split, tuple[tuple[str, str, str, CameraKind], ...]]] = {
    "val": (
        ("cmu_dm", "walk", "08_07", "static"),
        ("hdm05", "basketball throw", "mm_throwBasketball_011", "static"),
        ("hdm05", "kick", "mm_kickLFront1Reps_020", "static"),
        ("hdm05", "squat", "mm_squat1Reps_038", "static"),
        ("tennis", "tennis", "mrios_Servicio", "static"),
        ("hdm05", "sneak", "mm_sneak2StepsLStart_012", "follow"),
    ),
    "test": (
        ("cmu_iclone", "walk", "07_04", "static"),
        ("cmu_dm", "run", "127_03", "static"),
        ("hdm05", "grab high", "tr_grabHighR_024", "static"),
        ("cmu_dm", "jump kick", "90_05", "static"),
        ("tennis", "tennis", "jangel_Servicio", "static"),
        ("cmu_iclone", "walk", "07_08", "follow"),
    ),
}
# Action of the files of groups: split, most repetitions per person.
_GROUPS: Final[dict[Split, dict[str, int]]] = {
    "val": {
        "tennis_serve": 4,
        "tennis_smash": 4,
        "hdm_kickLFront1Reps": 6,
        "hdm_squat1Reps": 4,
    },
    "test": {
        "hdm_kickLFront1Reps": 5,
        "hdm_squat1Reps": 6,
        "front_kick_reps": 3,
        "roundhouse_kick_reps": 4,
        "down_block_reps": 4,
        "run_sprint_127": 6,
    },
}
_OWN_STROKES: Final = {
    "tennis_serve": "jsgiraldo",
    "tennis_forehand": "jpcardona",
    "tennis_smash": "jangel",
}
_OWN_TAKES: Final = 4
_ACROSS_STROKES: Final = ("tennis_serve",)
_ACROSS_TAKES: Final = 2
"""Per person."""
_MOCAP_QUICK: Final = (
    *("single_08_07", "single_mm_grabHighR_018", "single_07_12", "single_49_07"),
    *("moving_mm_throwBasketball_011_orbit", "moving_127_04_follow"),
    *("nemo_hdm_squat1Reps_val", "nemo_front_kick_reps_test", "views_139_16"),
)


def _choose_mocap(folder: Path) -> list[CaseDraft]:
    shards: dict[str, dict[str, tuple[str, int]]] = {}

    def piece(shard: str, clip: str, most: int = PIECE_FRAMES) -> tuple[Piece, str]:
        """A clip's middle, and whose it is."""
        if shard not in shards:
            infos = read_mocap(folder / f"{shard}.npz").clips
            shards[shard] = {info.name: (info.subject, info.num_frames) for info in infos}
        person, frames = shards[shard][clip]
        return Piece(f"{shard}.npz", clip, *_middle(frames, most)), person

    cases = []
    for split in ("val", "test"):
        for shard, chosen in _SINGLE[split].items():
            for action, clip in chosen:
                cut, person = piece(shard, clip, SINGLE_FRAMES)
                cases.append(_case("single", split, action, clip, (TakeDraft((cut,), person),)))
        for shard, action, clip, kind in _MOVING[split]:
            cut, person = piece(shard, clip)
            take = TakeDraft((cut,), person, kind)
            cases.append(_case("moving", split, action, f"{clip}_{kind}", (take,)))
        for shard, action, clip in _VIEWS[split]:
            cut, person = piece(shard, clip, VIEW_FRAMES)
            views = (TakeDraft((cut,), person),) * VIEWS
            cases.append(_case("views", split, action, clip, views, synchronized=True))
        for action, (shard, names) in _LONG[split].items():
            whole = [piece(shard, name, 10**6) for name in names]
            take = TakeDraft(tuple(cut for cut, _ in whole), whole[0][1], "follow")
            cases.append(_case("moving_long", split, action, f"{action}_follow", (take,)))
        for shard, action, clip, kind in _RENDERED[split]:
            cut, person = piece(shard, clip, RENDERED_FRAMES)
            take, track = TakeDraft((cut,), person, kind), _track(kind)
            cases.append(_rendered(_case(track, split, action, clip, (take,))))
    return _quick([*cases, *_choose_groups(folder)], _MOCAP_QUICK)


def _choose_groups(folder: Path) -> list[CaseDraft]:
    groups = {(group.action, group.split): group for group in read_groups(folder)}
    cases = []
    for split, wanted in _GROUPS.items():
        for action, most in wanted.items():
            first = groups[action, split].items[:most]
            cases.append(_group_case(action, split, action, first))
    for action, player in _OWN_STROKES.items():
        own = groups[action, "test"].by_subject()[f"tennis_{player}"]
        cases.append(_group_case(f"{action}_{player}", "test", action, own[:_OWN_TAKES]))
    for action in _ACROSS_STROKES:
        people = groups[action, "test"].by_subject()
        # Those that the person's own group does not show.
        items = [item for name in sorted(people) for item in people[name][-_ACROSS_TAKES:]]
        cases.append(_group_case(f"{action}_across", "test", f"{action} of three people", items))
    return cases


def _group_case(name: str, split: Split, action: str, items: Sequence[Repetition]) -> CaseDraft:
    takes = tuple(TakeDraft((_repetition(item),), item.subject) for item in items)
    full = f"{name}_{split}"
    return _case("nemo", split, action.replace("_", " "), full, takes)


def _repetition(item: Repetition) -> Piece:
    start, end = item.start, item.end
    if item.peak_frame is not None:
        # Strokes: what lies round the contact (50 frames per second).
        start = max(start, item.peak_frame - round(50 * _BEFORE_CONTACT_S))
        end = min(end, item.peak_frame + round(50 * _AFTER_CONTACT_S))
    return Piece(f"{item.shard}.npz", item.clip, start, end)


# --- both ---------------------------------------------------------------------------------------


def _case(
    track: Track,
    split: Split,
    action: str,
    name: str,
    takes: tuple[TakeDraft, ...],
    synchronized: bool = False,
) -> CaseDraft:
    return CaseDraft(f"{track}_{name}", track, split, action, takes, synchronized)


def _track(kind: CameraKind) -> Track:
    return "single" if kind == "static" else "moving"


def _rendered(case: CaseDraft) -> CaseDraft:
    return dataclasses.replace(case, name=f"render_{case.name}", tier="render")


def _quick(cases: Iterable[CaseDraft], names: Sequence[str]) -> list[CaseDraft]:
    chosen = [dataclasses.replace(case, quick=case.name in names) for case in cases]
    missing = set(names) - {case.name for case in chosen}
    if missing:
        raise ValueError(f"quick cases that are no cases: {sorted(missing)}")
    return chosen


def _middle(frames: int, most: int) -> tuple[int, int]:
    start = max(0, (frames - most) // 2)
    return start, min(frames, start + most)
