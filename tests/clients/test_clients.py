"""Clients that people use, against the gateway: their files here are what README shows, and are run as they are."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stores
from clients.npm_packages import run, workplace
from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import Tenant

pytestmark = pytest.mark.slow

# Three pages of a hundred.
NAMES = [f"Customer {number:03}" for number in range(250)]
# The names and notes after the mutations of each script.
CHANGED = [["Zoe", None], [NAMES[0], "Called back"], *([name, None] for name in NAMES[2:])]


@dataclass
class Shop:
    """A project of 250 customers, and what a script is called with."""

    tenant: Tenant
    url: str

    @property
    def arguments(self) -> tuple[str, str, str]:
        """The address, a token with the scopes of a dashboard, and one that may only read."""
        dashboard = self.tenant.token_with(Scope.READ, Scope.WRITE)
        return f"{self.url}/graphql", dashboard, self.tenant.token_with(Scope.READ)

    def customers(self) -> list[tuple[Any, ...]]:
        """The names and notes that the store holds, without archived customers."""
        return stores.rows(
            self.tenant.database_url,
            "SELECT first_name, notes FROM customer WHERE archived_at IS NULL ORDER BY first_name",
        )


@pytest.fixture
def shop(serve: MakeServer, sqlite_url: str) -> Iterator[Shop]:
    # A count of search results costs 500, so that the second one finds too little in the bucket.
    limits = {"cost_limit": 900, "bucket_size": 900, "bucket_refill": 1}
    url = serve(Settings.model_validate({"database_url": sqlite_url, **limits}))
    tenant = Tenant(url, sqlite_url, "acme")
    tenant.add_customers(*({"first_name": name} for name in NAMES))
    yield Shop(tenant, url)
    tenant.close()


def requests_of(client: str, shop: Shop, folder: Path) -> tuple[dict[str, Any], list[tuple[str, str, int]]]:
    """Run a client; return its report, and of each request the operation's name, the method and the status."""
    log = folder / "requests"
    report = run(workplace(folder), "node", "--import", "./requests.mjs", client, *shop.arguments, REQUESTS=str(log))
    return json.loads(report), [tuple(json.loads(line)) for line in log.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("client", "method"), [("apollo.mjs", "POST"), ("urql.mjs", "GET")])
def test_a_client_pages_to_the_end_changes_its_cached_list_and_reads_codes(
    client: str, method: str, shop: Shop, tmp_path: Path
) -> None:
    report, requests = requests_of(client, shop, tmp_path)

    assert report["listed"] == NAMES
    assert report["shown"] == CHANGED
    assert sorted(map(tuple, report["shown"])) == shop.customers()
    assert report["userErrors"] == ["TAKEN"]
    assert codes_of(report) == {
        "unknownToken": "UNAUTHENTICATED",
        "readToken": "FORBIDDEN",
        "large": "LIMIT_EXCEEDED",
        "first": None,
        "second": "THROTTLED",
    }
    assert report["refusals"]["second"]["retryAfter"] >= 1
    # The mutations made no query necessary.
    assert requests == [
        *[("Customers", method, 200)] * 3,
        ("UpdateNotes", "POST", 200),
        ("Archive", "POST", 200),
        *[("Create", "POST", 200)] * 2,
        ("Customers", method, 401),
        ("Archive", "POST", 400),
        ("Large", method, 400),
        ("Count", method, 200),
        ("Count", method, 429),
    ]


def codes_of(report: dict[str, Any]) -> dict[str, str | None]:
    return {name: refusal and refusal["code"] for name, refusal in report["refusals"].items()}
