"""Clients that people use, against the gateway: their files here are what README shows, and are run as they are."""

import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stores
from clients.npm_packages import FOLDER, run, workplace
from conftest import MakeServer
from customergraph.domain.identity import GlobalId
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from customergraph.store.entities import ENTITIES
from factories import Tenant
from mutations import on_customer

pytestmark = pytest.mark.slow

# Three pages of a hundred.
NAMES = [f"Customer {number:03}" for number in range(250)]
# The names and notes after the mutations of each script.
CHANGED = [("Zoe", None), (NAMES[0], "Called back"), *((name, None) for name in NAMES[2:])]

CODES = {
    "unknownToken": "UNAUTHENTICATED",
    "readToken": "FORBIDDEN",
    "large": "LIMIT_EXCEEDED",
    "first": None,
    "second": "THROTTLED",
}


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


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(serve: MakeServer, sqlite_url: str) -> Iterator[OpenShop]:
    shops: list[Shop] = []

    def make(**settings: Any) -> Shop:
        # A count of search results costs 500, so that the second one finds too little in the bucket.
        small = {"cost_limit": 900, "bucket_size": 900, "bucket_refill": 1}
        url = serve(Settings(database_url=sqlite_url, **small | settings))
        tenant = Tenant(url, sqlite_url, "acme")
        tenant.add_customers(*({"first_name": name} for name in NAMES))
        shops.append(Shop(tenant, url))
        return shops[-1]

    yield make
    for shop in shops:
        shop.tenant.close()


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


@dataclass
class Visit:
    """What a client printed; of each request the operation, the method, the status, and `document` or `hash`."""

    report: dict[str, Any]
    notes: list[tuple[str, str, int, str]]

    @property
    def requests(self) -> list[tuple[str, str, int]]:
        return [note[:3] for note in self.notes]

    @property
    def codes(self) -> dict[str, str | None]:
        return {name: refusal and refusal["code"] for name, refusal in self.report["refusals"].items()}


def visit(shop: Shop, clients: Path, program: str) -> Visit:
    """Run a client's program against the shop."""
    log = clients / "requests"
    printed = run(clients, "node", "--import", "./requests.mjs", program, *shop.arguments, REQUESTS=str(log))
    return Visit(json.loads(printed), [tuple(json.loads(line)) for line in log.read_text("utf-8").splitlines()])


def follows_the_store(visit: Visit, shop: Shop) -> None:
    """A client paged to the end, showed its changes in the cached list, and read each error by its code."""
    assert visit.report["listed"] == NAMES
    assert [tuple(customer) for customer in visit.report["shown"]] == CHANGED
    assert shop.customers() == sorted(CHANGED)
    assert visit.report["userErrors"] == ["TAKEN"]
    assert visit.codes == CODES
    assert visit.report["refusals"]["second"]["retryAfter"] >= 1


@pytest.mark.parametrize(("program", "method"), [("apollo.mjs", "POST"), ("urql.mjs", "GET")])
def test_apollo_client_and_urql_page_to_the_end_update_their_lists_and_read_codes(
    program: str, method: str, shop: Shop, tmp_path: Path
) -> None:
    visited = visit(shop, workplace(tmp_path), program)

    follows_the_store(visited, shop)
    # The mutations made no query necessary.
    assert visited.requests == [
        *[("Customers", method, 200)] * 3,
        ("UpdateNotes", "POST", 200),
        ("Archive", "POST", 200),
        *[("Create", "POST", 200)] * 2,
        ("Customers", method, 401),
        ("Archive", "POST", 400),
        ("Large", "POST", 400),
        ("Count", "POST", 200),
        ("Count", "POST", 429),
    ]


def test_relay_compiles_pages_to_the_end_updates_its_list_and_reads_codes(shop: Shop, tmp_path: Path) -> None:
    clients = workplace(tmp_path)
    run(clients, "npm", "run", "--silent", "relay")

    visited = visit(shop, clients, "relay/visit.mjs")

    follows_the_store(visited, shop)
    assert visited.requests == [
        ("CustomersQuery", "POST", 200),
        *[("CustomersPageQuery", "POST", 200)] * 2,
        ("CustomersUpdateNotesMutation", "POST", 200),
        ("CustomersArchiveMutation", "POST", 200),
        *[("CustomersCreateMutation", "POST", 200)] * 2,
        ("VisitCountQuery", "POST", 401),
        ("VisitArchiveMutation", "POST", 200),
        ("VisitLargeQuery", "POST", 200),
        ("VisitCountQuery", "POST", 200),
        ("VisitCountQuery", "POST", 429),
    ]


def test_relays_list_of_documents_is_all_that_a_gateway_needs_to_run(open_shop: OpenShop, tmp_path: Path) -> None:
    clients = workplace(tmp_path)
    documents = clients / "documents"
    documents.mkdir()
    (documents / "relay.json").write_text("{}", "utf-8")
    config = json.loads((clients / "relay.config.json").read_text("utf-8"))
    config["persistConfig"] = {"file": "documents/relay.json", "algorithm": "SHA256"}
    (clients / "relay.config.json").write_text(json.dumps(config), "utf-8")
    run(clients, "npm", "run", "--silent", "relay")
    shop = open_shop(documents=str(documents), documents_only=True)

    visited = visit(shop, clients, "relay/visit.mjs")

    follows_the_store(visited, shop)
    assert {sent for *_, sent in visited.notes} == {"hash"}


def test_apollo_client_and_urql_send_a_document_once_and_then_its_hash(shop: Shop, tmp_path: Path) -> None:
    visited = visit(shop, workplace(tmp_path), "persisted.mjs")

    assert visited.report["slugs"] == ["acme"] * 4
    assert visited.notes == [
        ("Apollo", "GET", 200, "hash"),
        ("Apollo", "POST", 200, "document"),
        ("Urql", "GET", 200, "hash"),
        ("Urql", "GET", 200, "document"),
        ("Apollo", "GET", 200, "hash"),
        ("Urql", "GET", 200, "hash"),
    ]


def test_graphql_sse_and_graphql_ws_follow_the_feed_and_go_on_after_they_left(shop: Shop, tmp_path: Path) -> None:
    printed = run(workplace(tmp_path), "node", "feed.mjs", *shop.arguments)

    assert json.loads(printed) == {
        "events": [[], ["event 1"], ["event 2"]],
        # After the connection was lost, graphql-ws asks with the same cursor once more.
        "socket": [[], ["socket 1"], ["socket 2"], ["socket 2"], ["socket 3"]],
    }


def test_the_types_of_graphql_codegen_fit_the_answers_and_find_mistakes(shop: Shop, tmp_path: Path) -> None:
    customer_id = shop.tenant.add_customer(first_name="Zz")
    shop.tenant.add_charges({"customer_id": customer_id, "amount": 2**53 + 1})
    clients = workplace(tmp_path)
    run(clients, "npm", "run", "--silent", "typed")

    report = visit(shop, clients, "typed/customers.mjs").report

    assert report["listed"] == [*NAMES, "Zz"]
    assert report["notes"] == "Called back"
    assert report["userErrors"] == ["NOT_FOUND"]
    assert report["refusals"]["readToken"]["code"] == "FORBIDDEN"
    assert report["types"] == ["number", "string"]
    # README says that JavaScript rounds it.
    assert report["amounts"] == [2**53]


def test_gql_of_python_pages_to_the_end_and_reads_codes(shop: Shop) -> None:
    printed = run(FOLDER, sys.executable, "-W", "error", "python_gql.py", *shop.arguments)

    visited = Visit(json.loads(printed), [])
    assert visited.report["listed"] == NAMES
    assert visited.report["notes"] == "Called back"
    assert (NAMES[0], "Called back") in shop.customers()
    assert visited.report["userErrors"] == ["NOT_FOUND"]
    assert visited.codes == CODES


def test_a_program_of_sixty_lines_keeps_a_copy_in_step(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = open_shop(cost_limit=50_000, bucket_size=100_000)
    copy = tmp_path / "copy.db"
    arguments = (sys.executable, "-W", "error", "keep_a_copy.py", *shop.arguments[:2], str(copy))
    shop.tenant.add_histories(2, each=1)
    run(FOLDER, *arguments)
    first = copied(copy)
    deleted, renamed = stores.rows(shop.tenant.database_url, "SELECT id FROM customer ORDER BY id DESC LIMIT 2")

    shop.tenant.client.data(on_customer("deleteCustomer"), id=deleted[0])
    shop.tenant.client.data(on_customer("updateCustomerNotes"), id=renamed[0])
    run(FOLDER, *arguments)

    assert set(copied(copy)) < set(first)
    assert copied(copy) == everything(shop.tenant)


def copied(copy: Path) -> dict[str, Any]:
    """Return the objects of a copy by their ids."""
    with closing(sqlite3.connect(copy)) as store:
        return {id_: json.loads(fields) for id_, fields in store.execute("SELECT id, fields FROM object")}


def everything(tenant: Tenant) -> dict[str, Any]:
    """Return all objects of the project, with the fields that the program reads."""
    fields = re.findall(r'"(\w+)": "(uuid [^"]*)"', (FOLDER / "keep_a_copy.py").read_text("utf-8"))
    selection = "__typename id " + " ".join(f"... on {name} {{ {names} }}" for name, names in fields)
    ids = [
        GlobalId.of(kind)(id_)
        for kind, entity in ENTITIES.items()
        for (id_,) in stores.rows(tenant.database_url, f"SELECT id FROM {entity.table.name}")  # noqa: S608 - ours
    ]
    query = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {selection} }} }}"
    pages = [tenant.client.data(query, ids=ids[start : start + 100])["nodes"] for start in range(0, len(ids), 100)]
    return {node["id"]: node for page in pages for node in page}
