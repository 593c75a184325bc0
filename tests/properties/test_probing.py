"""Whoever tries the names of another project's rows hears what is heard for names of nothing (contract, section 1)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest

from conftest import MakeTenant
from customergraph.domain.charge import CHARGES_BY_ID, CHARGES_NEWEST_FIRST
from customergraph.domain.customer import CustomerSortKey, ordering
from customergraph.domain.identity import GlobalId, Kind
from customergraph.domain.message import MESSAGES_BY_ID, MESSAGES_NEWEST_FIRST
from customergraph.domain.paging import Cursor, Ordering, SortDirection
from customergraph.domain.review import REVIEWS_BY_ID, REVIEWS_NEWEST_FIRST
from customergraph.schema.schema import executable
from factories import Tenant
from mutations import ARGUMENTS, on_customer

# A name of another project's, and one of nothing that is as long.
Pair = tuple[Any, Any]

SECRET = {"email": "ada@example.com", "phone": "+14155550123", "first_name": "Secretary"}
FOUND = "{ totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }"
ERRORS = "{ userErrors { field message code } }"

BY_ID = (
    "query($x: ID!) { customer(id: $x) { id name } }",
    "query($x: ID!) { node(id: $x) { __typename id ... on Customer { name notes } } }",
    "query($x: ID!) { nodes(ids: [$x, $x]) { __typename id } }",
    "query($x: ID!) { changes(customerId: $x) { nodes { position } pageInfo { hasNextPage endCursor } headCursor } }",
    *(on_customer(name).replace("$id", "$x") for name in ARGUMENTS),
    *(
        f'mutation($x: ID!) {{ record{kind}(input: [{{uuid: "{UUID(int=1)}", customerId: $x}}]) {ERRORS} }}'
        for kind in ("Messages", "Reviews", "Charges")
    ),
)
BY_TAG = (
    f"query($x: String!) {{ customers(tagSlug: $x) {FOUND} }}",
    f'mutation($x: String!) {{ createCustomer(input: {{firstName: "A", tagSlugs: [$x]}}) {ERRORS} }}',
    f"mutation($x: String!) {{ updateCustomerTags(id: OWN, tagSlugs: [$x]) {ERRORS} }}",
)
BY_LOCATION = (
    f"query($x: String!) {{ reviews(locationSlug: $x) {FOUND} }}",
    (
        'query($x: String!) { stats(dateFrom: "2026-01-01", dateTo: "2026-12-31") {'
        " revenue(locationSlug: $x) { amount } reviews(locationSlug: $x) { reviewsCount } } }"
    ),
    f"query($x: String!) {{ charges(locationSlug: $x) {FOUND} }}",
    f'mutation($x: String!) {{ createCustomer(input: {{firstName: "A", locationSlug: $x}}) {ERRORS} }}',
)
BY_EMAIL = (
    f"query($x: String!) {{ customers(email: $x) {FOUND} }}",
    f'mutation($x: String!) {{ createCustomer(input: {{firstName: "A", email: $x}}) {ERRORS} }}',
    f'mutation($x: String!) {{ upsertCustomers(input: [{{firstName: "A", email: $x}}], by: EMAIL) {ERRORS} }}',
)
BY_PHONE = (f'mutation($x: String!) {{ createCustomer(input: {{firstName: "A", phone: $x}}) {ERRORS} }}',)
BY_TEXT = (f"query($x: String!) {{ customers(q: $x) {FOUND} }}",)
NESTED: dict[str, Ordering] = {
    "messages": MESSAGES_NEWEST_FIRST,
    "reviews": REVIEWS_NEWEST_FIRST,
    "charges": CHARGES_NEWEST_FIRST,
}
BY_ID_OF_A_LIST = {
    order: f"query($x: String!) {{ {order.list}(after: $x) {FOUND} }}"
    for order in (MESSAGES_BY_ID, REVIEWS_BY_ID, CHARGES_BY_ID)
}
# What is left in the token's bucket grows all the time.
AVAILABLE = re.compile(rb'"available":[0-9]+')


@pytest.fixture
def two(make_tenant: MakeTenant) -> tuple[Tenant, Tenant]:
    """Two projects with customers, and what there is of them; the second one has secrets."""
    mine, theirs = make_tenant("mine"), make_tenant("theirs")
    mine.add_histories(2, each=2)
    theirs.add_histories(1, each=1)
    theirs.add_customer(**SECRET)
    return mine, theirs


class Names:
    """The names of another project's rows, and names of nothing."""

    def __init__(self, theirs: Tenant) -> None:
        self.theirs = theirs
        self.rows = theirs.rows()
        self._projects = {"project": [(theirs.project_id,)]}

    def ids_of(self, kind: Kind) -> list[int]:
        return [row[0] for row in {**self.rows, **self._projects}[kind.lower()]]

    def nobodys(self, kind: Kind) -> int:
        """Return an id that no row has, beyond all that there are, and as long."""
        return max(self.ids_of(kind)) + 1

    def ids(self) -> Iterator[Pair]:
        """Return the global ids of all that the other project has and of itself, and all ids of its customers."""
        for kind in Kind:
            nothing = self.nobodys(kind)
            yield from ((str(GlobalId(kind, id_)), str(GlobalId(kind, nothing))) for id_ in self.ids_of(kind))
        nothing = self.nobodys(Kind.CUSTOMER)
        for row in self.rows["customer"]:
            yield row[0], nothing
            yield str(row[0]), str(nothing)
            yield str(UUID(row[2])), str(UUID(int=UUID(row[2]).int ^ 1))


def by_cursor(names: Names) -> Iterator[tuple[str, Pair]]:
    """Return the list of customers, and the lists below them, from the places of the other project's rows."""
    theirs, nothing = names.theirs, names.nobodys(Kind.CUSTOMER)
    for key, direction in product(
        (CustomerSortKey.CREATED_AT, CustomerSortKey.NAME, CustomerSortKey.EMAIL), SortDirection
    ):
        sorted_ = f"sortKey: {key}, sortDir: {direction}"
        edges = theirs.client.data(f"{{ customers({sorted_}) {FOUND} }}")["customers"]["edges"]
        for edge, argument in product(edges, ("after", "before")):
            document = f"query($x: String!) {{ customers({sorted_}, {argument}: $x) {FOUND} }}"
            yield document, moved(edge["cursor"], ordering(key, direction), nothing)
    for name, order in NESTED.items():
        nothing = names.nobodys(Kind[name.upper().removesuffix("S")])
        below = theirs.client.data(f"{{ customers {{ nodes {{ {name} {FOUND} }} }} }}")["customers"]["nodes"]
        document = f"query($x: String!) {{ customer(id: OWN) {{ {name}(after: $x) {FOUND} }} }}"
        for edge in (edge for node in below for edge in node[name]["edges"]):
            yield document, moved(edge["cursor"], order, nothing)
    for order, document in BY_ID_OF_A_LIST.items():
        nothing = names.nobodys(Kind[order.list.upper().removesuffix("S")])
        for edge in theirs.client.data(f"{{ {order.list} {FOUND} }}")[order.list]["edges"]:
            yield document, (edge["cursor"], Cursor(nothing, nothing).encoded(order))


def moved(cursor: str, order: Ordering, id_: int) -> Pair:
    """Return a cursor, and the one for the same place where nobody stands."""
    return cursor, replace(Cursor.decoded(cursor, order, "after"), id=id_).encoded(order)


def by_text(theirs: Tenant) -> Iterator[tuple[str, Pair]]:
    known = theirs.client.data("{ tags { slug } locations { slug } }")
    slugs = {name: [row["slug"] for row in rows] for name, rows in known.items()}
    # What looks for a contact comes before what takes it.
    for documents, foreign, nothing in (
        (BY_TEXT, list(SECRET.values()), "x"),
        (BY_TAG, slugs["tags"], "x"),
        (BY_LOCATION, slugs["locations"], "x"),
        (BY_EMAIL, [SECRET["email"]], "bob@example.com"),
        (BY_PHONE, [SECRET["phone"]], "+14155550124"),
    ):
        for document, text in product(documents, foreign):
            yield document, (text, nothing if len(nothing) > 1 else nothing * len(text))


def probes(names: Names) -> Iterator[tuple[str, Pair]]:
    yield from product(BY_ID, names.ids())
    yield from by_cursor(names)
    yield from by_text(names.theirs)


def answer_parts(response: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all that a client sees of an answer, but what differs each time."""
    changing = {"date", "x-request-id", "ratelimit"}
    headers = [pair for pair in response.headers.multi_items() if pair[0] not in changing]
    return response.status_code, headers, AVAILABLE.sub(b"", response.content)


def test_foreign_and_unknown_names_are_answered_alike_to_the_byte(two: tuple[Tenant, Tenant]) -> None:
    mine, theirs = two
    names, own = Names(theirs), str(mine.rows()["customer"][0][0])

    for document, pair in probes(names):
        assert len(str(pair[0])) == len(str(pair[1]))
        foreign, unknown = (answer_parts(mine.client.post(document.replace("OWN", own), {"x": name})) for name in pair)
        assert foreign == unknown, (document, pair)
        assert foreign[0] == 200
        assert b'"errors"' not in foreign[2]

    assert theirs.rows() == names.rows


def test_every_root_field_that_takes_a_name_is_probed() -> None:
    roots = [executable.query_type, executable.mutation_type]
    taking = {name for root in roots if root for name, field in root.fields.items() if field.args}

    documents = (*BY_ID, *BY_TAG, *BY_LOCATION, *BY_EMAIL, *BY_PHONE, *BY_TEXT, *BY_ID_OF_A_LIST.values())

    assert {document.partition("{ ")[2].partition("(")[0] for document in documents} == taking
