"""The garbage collector of a worker, that stops everybody while it works."""

import gc

# Ten times rarer than Python's own for what is young: what an operation needs comes and goes by the hundred thousand.
_THRESHOLDS = (10_000, 10, 10)


def leave_out_what_stays() -> None:
    """Keep modules and schema out of every collection to come.

    To walk them takes 100 ms, and comes about in the midst of large documents and answers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
