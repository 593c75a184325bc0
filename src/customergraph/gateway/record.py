"""What is told of an operation when it has ended: in its line of the log, and in the metrics."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import OperationDefinitionNode, OperationType

from customergraph.errors import Overloaded, RequestRefused, Throttled, TimedOut
from customergraph.execution.documents import digest
from customergraph.gateway.throttle import Charge
from customergraph.store.access import AuthenticatedToken
from customergraph.store.usage import Usage

OK, CANCELED, USER_ERRORS = "ok", "canceled", "user_errors"
# Clients choose the names of operations.
MOST_NAME_CHARACTERS = 80
# The limits that have a code of their own.
_REFUSALS: dict[str, type[RequestRefused]] = {
    "BUCKET_SIZE": Throttled,
    "WAITING_LIMIT": Overloaded,
    "DEADLINE": TimedOut,
}
_LIMITS = {refusal.code: limit for limit, refusal in _REFUSALS.items()}


@dataclass(slots=True)
class Record:
    """A request, which began when its head had arrived, and its operation. Times are in seconds."""

    request_id: str
    began: float = field(default_factory=time.perf_counter)
    ended: float = 0.0
    # How long its body took to arrive, and how long it waited for a turn.
    receiving: float = 0.0
    waited: float = 0.0
    usage: Usage = field(default_factory=Usage)
    token: AuthenticatedToken | None = None
    text: str | None = None
    sha256: str | None = None
    definition: OperationDefinitionNode | None = None
    # When its document was parsed and validated, if it was not known.
    read_at: tuple[float, float] | None = None
    charge: Charge = field(default_factory=Charge)
    objects: int = 0
    user_errors: Sequence[str] = ()
    errors: Sequence[Mapping[str, Any]] = ()
    # Whether caches knew its token and its document, if they were asked.
    token_was_known: bool | None = None
    document_was_known: bool | None = None
    is_canceled: bool = False
    # Whether it was a request for an operation at all.
    is_operation: bool = False
    status: int = 200
    bytes: int = 0

    @property
    def seconds(self) -> float:
        """How long it took, from its head to its answer."""
        return self.ended - self.began

    def add(self, event: "Record") -> None:
        """Add what an event of its subscription took; the errors are those of the last one."""
        self.usage.add(event.usage)
        self.charge.requested += event.charge.requested
        self.charge.actual += event.charge.actual
        self.objects += event.objects
        self.waited += event.waited
        self.errors = event.errors

    @property
    def operation(self) -> str | None:
        """The name of the operation as its document has it; None without one."""
        name = self.definition and self.definition.name
        return name.value[:MOST_NAME_CHARACTERS] if name else None

    @property
    def kind(self) -> str | None:
        return self.definition.operation.value if self.definition else None

    @property
    def is_stream(self) -> bool:
        """Whether it was a subscription: it ends when its client leaves, and not when its work is done."""
        return self.kind == OperationType.SUBSCRIPTION.value

    @property
    def document(self) -> str | None:
        """The SHA-256 of the document's text."""
        if self.sha256 is None and self.text is not None:
            self.sha256 = digest(self.text)
        return self.sha256

    @property
    def outcome(self) -> str:
        """What came of it: the code of its first error, or one of the words above."""
        if self.is_canceled:
            return CANCELED
        if self.errors:
            return str(self.errors[0]["extensions"]["code"])
        return USER_ERRORS if self.user_errors else OK

    @property
    def limits(self) -> list[str]:
        """The limits that refused it, by the names of their settings."""
        extensions = [error["extensions"] for error in self.errors]
        limits = [one.get("limit") or _LIMITS.get(one["code"]) for one in extensions]
        return [limit for limit in limits if limit]

    def errors_by_code(self) -> dict[str, int]:
        return Counter(error["extensions"]["code"] for error in self.errors)

    def user_errors_by_code(self) -> dict[str, int]:
        return Counter(map(str, self.user_errors))
