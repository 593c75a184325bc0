"""The events of a subscription: each is one page of the feed, executed as an operation of its own."""

from customergraph.domain.feed import FeedCursor, FeedReader, FeedSlice
from customergraph.errors import Overloaded, RequestRefused, StoreUnavailable, Throttled, Unauthenticated
from customergraph.execution.operation import Operation
from customergraph.gateway.gateway import Gateway
from customergraph.gateway.operations import charge_and_run, complete, refused
from customergraph.gateway.record import Record
from customergraph.gateway.request import Answer, Disconnected
from customergraph.gateway.streams import Stream
from customergraph.gateway.throttle import Charge
from customergraph.store.access import AuthenticatedToken

_TOKEN_LOST = "The token of this subscription has expired or was revoked: subscribe with another one."  # noqa: S105


class StreamCut(Exception):
    """The worker stops. The client is to subscribe again, after its last event."""


class _HalfRead(Exception):
    """An answer that lacks something because the store went away."""


class Subscription:
    """One subscription, whose place in the feed moves to the end of each page that was read."""

    def __init__(
        self,
        gateway: Gateway,
        stream: Stream,
        operation: Operation,
        token: AuthenticatedToken,
        disconnected: Disconnected,
        record: Record,
    ) -> None:
        self._gateway = gateway
        self._stream = stream
        self._operation = operation
        self._token = token
        self._disconnected = disconnected
        self._record = record
        # The sum of what its events are charged.
        record.charge = Charge()
        self._place: FeedCursor | None = None
        # The last page, while nothing follows after it.
        self._newest: FeedSlice | None = None
        self._has_ended = False

    async def next(self) -> Answer | None:
        """Wait for the next event; None after the last one. Raises StreamCut, and ClientDisconnected."""
        while not self._has_ended:
            if self._newest:
                await self._stream.wait(self._newest.head.position)
                self._newest = None
            if self._stream.is_cut:
                raise StreamCut
            answer = await self._attempt()
            if answer is not None:
                return answer
        return None

    async def _attempt(self) -> Answer | None:
        """Read a page, and return it as an event; None where it is none, or where it has to be read again."""
        reader = FeedReader(self._place)
        try:
            if self._stream.is_refused:
                raise Unauthenticated(_TOKEN_LOST)
            answer = await self._read(reader)
        except (Throttled, Overloaded) as refusal:
            await self._stream.pause(refusal.retry_after)
        except (StoreUnavailable, _HalfRead):
            await self._stream.wait(None)
        except RequestRefused as refusal:
            self._has_ended = True
            return refused(refusal)
        else:
            return self._event(answer, reader.page)
        return None

    async def _read(self, reader: FeedReader) -> Answer:
        """Execute the operation once, for the page of the reader; raises RequestRefused, and _HalfRead."""
        charge = Charge(self._operation.cost.requested)
        key, event = self._token.token_id, Record(self._record.request_id, charge=charge)
        turn = self._gateway.admission.turn(key)
        async with self._gateway.streams.turns.of(key), turn:
            answer = await charge_and_run(
                self._gateway, self._operation, self._token, self._disconnected, event, turn, reader
            )
        event.waited = turn.waited
        await complete(self._gateway, answer, self._token, event)
        self._record.add(event)
        if StoreUnavailable.code in event.errors_by_code():
            raise _HalfRead
        return answer

    def _event(self, answer: Answer, page: FeedSlice | None) -> Answer | None:
        """Move to the end of a page, and return its answer; None for an empty page that is not the first."""
        if page is None or answer.body["data"] is None:
            self._has_ended = True
            return answer
        self._gateway.streams.changes_sent += len(page.rows)
        is_first, self._place = self._place is None, page.end
        self._newest = None if page.has_next_page else page
        return answer if is_first or page.rows else None
