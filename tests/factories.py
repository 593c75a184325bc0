"""A tenant of the gateway under test, with its rows and its clients."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import stores
from customergraph.domain.customer import derived
from customergraph.domain.principal import Scope
from customergraph.domain.text import fold
from customergraph.store import access, bulk, customers, history
from customergraph.store.database import Database
from customergraph.store.tables import is_tenants, metadata
from customergraph.store.transactions import Write
from graphql_client import GraphQLClient

Result = TypeVar("Result")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_numbers = count(1)

_CUSTOMER: dict[str, Any] = {
    "last_name": None,
    "email": None,
    "phone": None,
    "company": None,
    "has_subscription": False,
    "notes": None,
    "address1": None,
    "address2": None,
    "city": None,
    "state": None,
    "postal_code": None,
    "location_id": None,
    "signed_up_at": None,
    "archived_at": None,
    "unsubscribed_at": None,
}
_MESSAGE: dict[str, Any] = dict.fromkeys(
    "ask_id processed_at sent_at delivered_at opened_at clicked_at failed_at failed_reason complained_at"
    " canceled_at".split()
)


def at(minutes: float) -> datetime:
    """Return the time that many minutes after NOON."""
    return NOON + timedelta(minutes=minutes)


async def _create_project(database: Database, slug: str, timezone: str) -> tuple[int, str]:
    """Create a project and a token with all scopes; return the project's id and the token."""
    await access.create_project(database, slug, slug.title(), timezone)
    project = await access.project_of_slug(database, slug)
    return project.id, await access.create_token(database, slug, "test", set(Scope), None)


class Tenant:
    """A project, its rows and its clients."""

    def __init__(self, base_url: str, database_url: str, slug: str, timezone: str = "UTC") -> None:
        self.base_url = base_url
        self.database_url = database_url
        self.slug = slug
        self._clients: list[GraphQLClient] = []
        self.project_id, token = self._on_database(partial(_create_project, slug=slug, timezone=timezone))
        self.client = self._client_of(token)

    def _on_database(self, job: Callable[[Database], Awaitable[Result]]) -> Result:
        return stores.on_database(self.database_url, job)

    def write(self, job: Callable[[Write], Awaitable[Result]]) -> Result:
        """Run a job in a write transaction on the store."""

        async def run(database: Database) -> Result:
            async with database.write(self.project_id) as write:
                return await job(write)

        return self._on_database(run)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows of the project by table, for a test to compare before and after."""
        return {
            name: sorted(
                stores.rows(self.database_url, f"SELECT * FROM {name} WHERE project_id = {self.project_id}"),  # noqa: S608 - ours
                key=str,
            )
            for name in sorted(table.name for table in metadata.tables.values() if is_tenants(table))
        }

    def rows_beside_the_feed(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the same without the feed, to which every change is appended."""
        return {name: rows for name, rows in self.rows().items() if name not in {"change", "feed"}}

    def token_with(self, *scopes: Scope, expires_at: datetime | None = None) -> str:
        return self._on_database(
            lambda database: access.create_token(database, self.slug, f"test {next(_numbers)}", set(scopes), expires_at)
        )

    def revoke(self, token: str) -> None:
        self._on_database(lambda database: access.revoke(database, token[: access.PREFIX_LENGTH]))

    def client_with(self, *scopes: Scope) -> GraphQLClient:
        return self._client_of(self.token_with(*scopes))

    def _client_of(self, token: str) -> GraphQLClient:
        client = GraphQLClient(self.base_url, token)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _add(self, table: str, rows: list[dict[str, Any]], *, owners: bool = False) -> list[int]:
        rows = [{"uuid": uuid4(), **row} for row in rows]

        async def job(write: Write) -> list[int]:
            ids = await bulk.add(write, table, rows)
            if owners:
                await history.refresh(write, bulk.TABLES[table], {row["customer_id"] for row in rows} - {None})
            return [*ids]

        return self.write(job)

    def add_customers(self, *rows: dict[str, Any]) -> list[int]:
        """Add customers from the columns that matter to the test; return their ids."""
        complete = []
        for row in rows:
            number = next(_numbers)
            created = {"created_at": at(number), "updated_at": at(number)}
            columns = {"first_name": f"Customer {number}", **_CUSTOMER, **created, **row}
            complete.append({**columns, **derived(columns), "has_clicked": False, "has_charges": False})
        return self._add("customer", complete)

    def add_customer(self, **columns: Any) -> int:
        return self.add_customers(columns)[0]

    def add_messages(self, *rows: dict[str, Any]) -> list[int]:
        defaults = {"channel": "EMAIL", "template": "REQUEST", "scheduled_at": NOON, "created_at": NOON}
        return self._add("message", [{**_MESSAGE, **defaults, **row} for row in rows], owners=True)

    def add_reviews(self, *rows: dict[str, Any]) -> list[int]:
        defaults = {
            **dict.fromkeys(("location_id", "body", "url", "reply", "replied_at")),
            "score": 5,
            "source": "google",
            "created_at": NOON,
            "updated_at": NOON,
        }
        return self._add("review", [{**defaults, **row} for row in rows], owners=True)

    def add_charges(self, *rows: dict[str, Any]) -> list[int]:
        defaults = {
            "location_id": None,
            "amount": 1000,
            "currency": "USD",
            "charged_at": NOON,
            "created_at": NOON,
        }
        return self._add("charge", [{**defaults, **row} for row in rows], owners=True)

    def add_locations(self, *slugs: str, **columns: Any) -> list[int]:
        address = dict.fromkeys(("display_name", "code", "address1", "address2", "city", "state", "postal_code"))
        return self._add(
            "location",
            [{"slug": slug, "name": slug.title(), "name_key": fold(slug), **address, **columns} for slug in slugs],
        )

    def add_tags(self, *slugs: str) -> list[int]:
        return self._add(
            "tag",
            [
                {"slug": slug, "name": slug.title(), "name_key": fold(slug), "color": "#112233", "icon": None}
                for slug in slugs
            ],
        )

    def tag(self, customer_id: int, *tag_ids: int) -> None:
        self.write(lambda write: customers.set_tags(write, {customer_id: tag_ids}))

    def add_histories(self, count: int, each: int = 3) -> list[int]:
        """Add customers with a location, tags, and that many messages, reviews and charges each."""
        number = next(_numbers)
        location = self.add_locations(f"place-{number}")[0]
        tags = self.add_tags(f"tag-{number}-a", f"tag-{number}-b")
        ids = self.add_customers(*({"location_id": location} for _ in range(count)))
        self.write(lambda write: customers.set_tags(write, dict.fromkeys(ids, tags)))
        rows = [(id_, minute) for id_ in ids for minute in range(each)]
        self.add_messages(*({"customer_id": id_, "scheduled_at": at(minute)} for id_, minute in rows))
        self.add_reviews(*({"customer_id": id_, "created_at": at(minute)} for id_, minute in rows))
        self.add_charges(*({"customer_id": id_, "charged_at": at(minute)} for id_, minute in rows))
        return ids
