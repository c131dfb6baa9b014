"""Shape annotations are checked while the tests run, and only then; one thread per process."""

import os

# Before torch is imported: threads that spin make tests in parallel crawl.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("motionfield", "type_checker.check")

# A busy machine is no failure; the same examples every time.
settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")
