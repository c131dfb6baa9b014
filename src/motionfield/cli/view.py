"""``motionfield view``: the report of a run in the browser."""

import argparse
import webbrowser
from pathlib import Path

from motionfield.cli.parser import Verbs
from motionfield.core.errors import InputError


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("view", help="open the report of a run in the browser")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder of the results")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    report = options.out / "report.html"
    if not report.is_file():
        raise InputError(options.out, "holds no report.html", "give the OUT of `motionfield run`")
    print(report)
    if not webbrowser.open(report.resolve().as_uri()):
        print("no browser found: open the file yourself")
    return 0
