"""What a worker needs to execute operations for tokens."""

from dataclasses import dataclass, field
from typing import Self

from customergraph.domain.principal import Principal
from customergraph.errors import StoreUnavailable
from customergraph.execution.documents import Documents
from customergraph.execution.limits import Limits
from customergraph.gateway.admission import Admission
from customergraph.gateway.limits import limits_of
from customergraph.gateway.persisted import PersistedDocuments
from customergraph.gateway.redis_buckets import RedisBuckets
from customergraph.gateway.streams import Streams
from customergraph.gateway.throttle import MemoryBuckets, Rate, Throttle
from customergraph.gateway.tokens import Tokens
from customergraph.gateway.trusted import NO_TRUSTED_DOCUMENTS, TrustedDocuments
from customergraph.schema.context import Context
from customergraph.schema.schema import execution
from customergraph.settings import Settings
from customergraph.store.access import AuthenticatedToken
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database
from customergraph.store.failures import MESSAGES
from customergraph.store.last_uses import LastUses
from customergraph.turns import Bounds, Turns

# Stands for the token of a request without one, where the schema is open to all. It may read nothing else.
ANONYMOUS = AuthenticatedToken(Principal(project_id=0, timezone="UTC", scopes=frozenset()), 0, must_record_use=False)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The store, and what an operation passes before it is executed."""

    settings: Settings
    database: Database
    limits: Limits
    documents: Documents
    persisted: PersistedDocuments
    admission: Admission
    throttle: Throttle
    tokens: Tokens
    last_uses: LastUses
    streams: Streams
    running: set[Context] = field(default_factory=set)

    @classmethod
    def of(cls, settings: Settings, trusted: TrustedDocuments = NO_TRUSTED_DOCUMENTS) -> Self:
        options = ConnectionOptions(
            settings.pool_size,
            settings.pool_timeout,
            settings.statement_timeout,
            pgbouncer=settings.pgbouncer,
            citus=settings.citus,
        )
        limits = limits_of(settings)
        rate = Rate(settings.bucket_size, settings.bucket_refill)
        buckets = RedisBuckets(settings.redis_url, rate) if settings.redis_url else MemoryBuckets(rate)
        database = Database(settings.database_url, options, feed_days=settings.feed_days)
        return cls(
            settings,
            database,
            limits,
            Documents(execution(compiles=settings.compiled_plans), limits),
            PersistedDocuments(trusted, only_trusted=settings.documents_only),
            _admission(settings),
            Throttle(buckets, rate),
            Tokens(database),
            LastUses(database),
            _streams(settings, database),
        )

    async def stop(self) -> None:
        """End the waiting for the store of every operation that runs, so that it is answered now."""
        for context in tuple(self.running):
            await context.stop(lambda done: StoreUnavailable(MESSAGES[done], "the server stops", done))

    async def close(self) -> None:
        await self.streams.close()
        await self.last_uses.close()
        await self.database.close()
        await self.throttle.close()


def _admission(settings: Settings) -> Admission:
    """Admit operations by their tokens."""
    bounds = Bounds.halved(settings.running_limit)
    turns = Turns(bounds.capacity, share=bounds.share, writers=bounds.of_writers)
    return Admission(turns, settings.waiting_limit, settings.deadline)


def _streams(settings: Settings, database: Database) -> Streams:
    return Streams(
        database,
        poll=settings.feed_poll,
        most=settings.subscription_limit,
        most_of_token=settings.token_subscriptions,
        running=settings.running_limit,
    )
