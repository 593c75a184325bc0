"""What happens at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

Job = Callable[[], Any]


def at_once(*jobs: Job) -> list[Any]:
    """Do the jobs at the same moment, each in a thread of its own; give what came of them."""
    barrier = Barrier(len(jobs))

    def started(job: Job) -> Any:
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result() for future in [pool.submit(started, job) for job in jobs]]
