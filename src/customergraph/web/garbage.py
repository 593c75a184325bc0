"""The garbage collector of a worker, that stops everybody while it works."""

import gc

# Rarer than Python's own: what an operation needs comes and goes by the hundred thousand. To walk all that is
# remembered takes 50 to 100 ms, and Python does so only when a quarter has come to it: garbage stays below that.
_THRESHOLDS = (10_000, 10, 50)


def freeze_startup_objects() -> None:
    """Keep modules and schema out of every collection to come.

    To walk them takes 100 ms, and comes about in the midst of large documents and answers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
