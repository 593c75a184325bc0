"""Subscriptions where there are several workers, and where a server drains."""

import signal
import time
from contextlib import ExitStack

import pytest

from commands.conftest import MakeServed
from commands.load import GRACE_SECONDS
from event_stream import subscribed
from faults.expectations import SLACK_SECONDS
from mutations import CREATE

pytestmark = pytest.mark.slow

POSITIONS = "subscription($after: String) { changes(after: $after) { nodes { position } pageInfo { endCursor } } }"
STREAMS = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


def test_a_change_reaches_the_streams_of_all_workers_within_a_second(start: MakeServed, store_url: str) -> None:
    served = start(store_url, 2)
    client = served.tenant.client
    with ExitStack() as stack:
        streams = [stack.enter_context(subscribed(client, POSITIONS)) for _ in range(STREAMS)]
        for stream in streams:
            next(stream)
        client.data(CREATE, input={"firstName": "Ada"})
        started = time.monotonic()
        events = [next(stream) for stream in streams]
        seconds = time.monotonic() - started

    assert [event["data"]["changes"]["nodes"] for event in events] == [[{"position": 1}]] * STREAMS
    assert seconds < 1


@pytest.mark.parametrize("workers", [1, 2])
def test_streams_do_not_delay_a_server_that_drains(start: MakeServed, sqlite_url: str, workers: int) -> None:
    served = start(sqlite_url, workers, CUSTOMERGRAPH_DRAIN="2")
    with ExitStack() as stack:
        streams = [stack.enter_context(subscribed(served.tenant.client, POSITIONS)) for _ in range(STREAMS)]
        for stream in streams:
            next(stream)
        started = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        rest = [list(stream) for stream in streams]
        code = served.process.wait(GRACE_SECONDS + SLACK_SECONDS)

    assert (rest, [stream.is_complete for stream in streams]) == ([[]] * STREAMS, [False] * STREAMS)
    assert code == 0
    # Sooner than the grace of requests that do not end.
    assert time.monotonic() - started < 2 + GRACE_SECONDS / 2
    assert "Traceback" not in served.command.stderr()
