"""Bodies by name."""

import functools

from motionfield.body.base import Body
from motionfield.body.toy import load_toy
from motionfield.core.errors import OptionError


@functools.cache
def load_body(name: str = "anny") -> Body:
    """The body called ``name``: "anny" (default) or "toy". Loaded once per process.

    Raises:
        OptionError: no such body.
        MissingAssetError: the body's file is not there.
    """
    if name == "toy":
        return load_toy()
    if name == "anny":
        from motionfield.body.anny import load_anny

        return load_anny()
    raise OptionError(f"no body {name!r}; choose anny or toy")
