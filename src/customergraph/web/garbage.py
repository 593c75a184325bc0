"""The garbage collector of a worker, that stops everybody while it works."""

import gc

# The youngest are collected more seldom than is Python's way: what an operation needs comes and goes by the
# hundred thousand. What lasts is collected when a quarter has come to it, so that garbage stays below that.
_THRESHOLDS = (10_000, 10, 10)


def leave_out_what_stays() -> None:
    """Keep modules and schema out of every collection to come.

    To walk them takes 100 ms, and comes about in the midst of large documents and answers.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
