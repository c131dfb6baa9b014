"""``python -m motionfield``: the same command where the script is not on the path."""

import sys

from motionfield.cli.main import main

sys.exit(main())
