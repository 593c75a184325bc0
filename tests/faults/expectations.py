"""Requests to a gateway whose store fails, and how long they may take."""

import time
from collections.abc import Callable
from typing import Any

import stores
from commands.command import until
from customergraph.store.failures import MESSAGES
from factories import Tenant
from graphql_client import GraphQLClient

COUNT = "{ customers { totalCount } }"
PROMISED_SECONDS = 5
# How soon an operation is stopped after its client has disconnected.
STOPPED_SECONDS = 1
# The value of `extensions.done` for each message.
DONE = {message: done for done, message in MESSAGES.items()}
# How much longer than promised an answer may take on a machine that has other work too.
SLACK_SECONDS = 2


def expect_unavailable(client: GraphQLClient, query: str, *, within: float = PROMISED_SECONDS, **variables: Any) -> str:
    """Send an operation that must fail in time with the store unavailable; returns the error's message."""
    started = time.monotonic()
    error = client.error(query, **variables)
    assert time.monotonic() - started < within
    assert error["extensions"] == {"code": "STORE_UNAVAILABLE", "done": DONE[error["message"]]}, error
    assert set(error) <= {"message", "extensions", "path", "locations"}
    message: str = error["message"]
    return message


def seconds_until(condition: Callable[[], bool]) -> float:
    """Wait for a condition; returns how long that took."""
    started = time.monotonic()
    until(condition, "what was promised")
    return time.monotonic() - started


def record_token_use(tenant: Tenant) -> None:
    """Use a tenant's token, and wait until that is written, so that requests within the next minute write no use."""
    tenant.client.data(COUNT)
    unused = "SELECT count(*) FROM token WHERE last_used_at IS NULL"
    until(lambda: stores.rows(tenant.database_url, unused) == [(0,)], "the use is written")
