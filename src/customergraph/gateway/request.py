"""A GraphQL request and its answer, whatever the transport."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import OperationType

from customergraph.errors import RequestRefused
from customergraph.execution.operation import Operation
from customergraph.gateway.throttle import BucketState

# Returns when the client has disconnected.
Disconnected = Callable[[], Coroutine[Any, Any, None]]


class ClientDisconnected(Exception):
    """The client disconnected before its operation ended. Nobody waits for an answer."""


class GraphQLRequest(NamedTuple):
    """The parameters of a request, and the kinds of operation that its transport takes.

    `query` is None where `document_id` stands for it: the hash of a text, or the id of a trusted document.
    """

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    kinds: frozenset[OperationType]
    document_id: str | None = None
    # Whether the operation's cost is wanted, and not its answer.
    explains: bool = False


@dataclass(slots=True)
class Answer:
    """The answer to a request. `refusal` is why its operation did not begin, `objects` how many it returns."""

    body: dict[str, Any]
    refusal: RequestRefused | None = None
    objects: int = 0
    # The bucket of the token, where its state is known.
    bucket: BucketState | None = None
    # A subscription that may begin, and whose events are still to come.
    subscription: Operation | None = None

    @property
    def has_begun(self) -> bool:
        return "data" in self.body
