"""``motionfield export``: a motion.npz in another form."""

import argparse
from pathlib import Path

from motionfield.cli.parser import Verbs, later

FORMS = ("bvh", "glb", "trc", "csv", "c3d", "npz")


def add_parser(verbs: Verbs) -> None:
    parser = verbs.add_parser("export", help="write a motion.npz in another form")
    parser.add_argument("motion", type=Path, metavar="MOTION", help="a motion.npz")
    parser.add_argument("--to", choices=FORMS, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run_verb=run_verb)


def run_verb(options: argparse.Namespace) -> int:
    if options.to == "c3d":
        later("--to c3d", "use --to trc")
    from motionfield.steps.export import export_motion

    export_motion(options.motion, options.to, options.output)
    print(options.output)
    return 0
