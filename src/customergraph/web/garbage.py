"""The garbage collector of a worker. Nothing else runs while it works."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Collections are rarer than by default, since an operation makes and frees objects by the hundred thousand. A
# collection of the oldest generation walks all caches, which takes 50 to 100 ms. Python begins it only when the
# number of objects has grown by a quarter, so garbage stays below that.
_THRESHOLDS = (10_000, 10, 50)


def freeze_startup_objects() -> None:
    """Exclude modules and schema from all collections to come, which would walk them for 100 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


@contextmanager
def without_collections() -> Iterator[None]:
    """Run a parser without collections.

    A mebibyte of `[]` becomes 350,000 lists without a cycle. Collections would walk all objects of the
    process several times meanwhile: 300 ms instead of 40.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
