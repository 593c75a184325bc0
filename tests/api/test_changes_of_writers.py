"""Whatever writes leaves its changes: the store before and after is compared with what the feed tells."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import stores
from commands.command import Command
from customergraph.domain.identity import GlobalId
from customergraph.store.entities import ENTITIES
from factories import NOON, Tenant
from graphql_client import GraphQLClient
from mutations import on_customer

# Columns of the store alone, and those that follow from others.
UNNAMED = {"id", "project_id", "uuid", "updated_at", "is_archived", "has_clicked", "has_charges"}
RENAMED = {"location_id": "location", "customer_id": "customer"}
KNOWN = {kind: uuid4() for kind in ("customer", "message", "review", "charge")}
CHANGES = """
query($after: String) {
  changes(after: $after, first: 100) {
    nodes { kind action subjectId subjectUuid customerId fields } pageInfo { endCursor hasNextPage }
  }
}
"""


class Project:
    """A project with a customer and its history, and what its feed tells."""

    def __init__(self, acme: Tenant) -> None:
        self.acme = acme
        acme.add_tags("vip", "new")
        acme.add_locations("berlin")
        self.id = acme.add_customer(uuid=KNOWN["customer"], email="ada@example.com", archived_at=NOON, notes="old")
        acme.tag(self.id, 1)
        acme.add_messages({"customer_id": self.id, "uuid": KNOWN["message"]}, {"customer_id": self.id})
        acme.add_reviews({"customer_id": self.id, "uuid": KNOWN["review"]})
        acme.add_charges({"customer_id": self.id, "uuid": KNOWN["charge"]})

    def state(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Return the rows of all entities by kind and id."""
        tags = stores.rows(self.acme.database_url, "SELECT customer_id, tag_id FROM customer_tag ORDER BY 1, 2")
        state = {}
        for kind, entity in ENTITIES.items():
            columns = [column.name for column in entity.table.c if not column.name.endswith("_key")]
            rows = stores.rows(self.acme.database_url, f"SELECT {', '.join(columns)} FROM {entity.table.name}")  # noqa: S608 - ours
            for values in rows:
                row = dict(zip(columns, values, strict=True))
                if kind == "Customer":
                    row["tags"] = [tag_id for customer_id, tag_id in tags if customer_id == row["id"]]
                state[kind.upper(), row["id"]] = row
        return state

    def changes(self, after: str | None) -> tuple[list[Any], str]:
        nodes: list[Any] = []
        while True:
            page = self.acme.client.data(CHANGES, after=after)["changes"]
            nodes, after = nodes + page["nodes"], page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                assert after is not None
                return nodes, after


def expected(before: dict[Any, Any], after: dict[Any, Any]) -> set[tuple[Any, ...]]:
    """Return what a feed must tell of a difference: kind, action, id, uuid, whose, and fields."""
    changes = set()
    for key in before.keys() | after.keys():
        old: Any = before.get(key)
        new: Any = after.get(key)
        if old == new:
            continue
        action = "CREATED" if old is None else "DELETED" if new is None else "UPDATED"
        columns = [name for name in old if old[name] != new[name]] if action == "UPDATED" else []
        fields = {camel(RENAMED.get(name, name)) for name in columns if name not in UNNAMED}
        if action == "UPDATED" and not fields:
            continue
        row = new or old
        owner = key[1] if key[0] == "CUSTOMER" else row.get("customer_id") or (old or row).get("customer_id")
        subject = GlobalId.of(next(kind for kind in ENTITIES if kind.upper() == key[0]))(key[1])
        changes.add((key[0], action, subject, str(UUID(str(row["uuid"]))), owner, frozenset(fields)))
    return changes


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def told(nodes: list[Any]) -> set[tuple[Any, ...]]:
    changes = {
        (
            node["kind"],
            node["action"],
            node["subjectId"],
            node["subjectUuid"],
            node["customerId"] and getattr(GlobalId.parsed(node["customerId"]), "id", None),
            frozenset(node["fields"]),
        )
        for node in nodes
    }
    assert len(changes) == len(nodes)
    return changes


UPSERT = """mutation($uuid: UUID!) { upsertCustomers(input: [
  {uuid: $uuid, firstName: "Bea", locationSlug: "berlin"}, {uuid: "%s", email: null, tagSlugs: ["new"]}
]) { userErrors { code } } }"""
RECORD = """mutation($uuid: UUID!, $id: ID!) { %s(input: [{uuid: $uuid, customerId: $id, %s}, {uuid: "%s", %s}])
  { userErrors { code } } }"""
MUTATIONS = {
    "createCustomer": 'mutation { createCustomer(input: {firstName: "C", tagSlugs: ["vip"]}) { userErrors { code } } }',
    "updateCustomer": 'mutation($id: ID!) { updateCustomer(id: $id, input: {city: "Rome", tagSlugs: []})'
    " { userErrors { code } } }",
    "upsertCustomers": UPSERT % KNOWN["customer"],
    "recordMessages": RECORD
    % (
        "recordMessages",
        'channel: SMS, template: REQUEST, scheduledAt: "2030-01-01T00:00:00Z"',
        KNOWN["message"],
        'sentAt: "2026-03-01T00:00:00Z"',
    ),
    "recordReviews": RECORD
    % ("recordReviews", 'score: 1, source: "x"', KNOWN["review"], 'score: 2, createdAt: "2026-05-01T00:00:00Z"'),
    "recordCharges": RECORD % ("recordCharges", 'amount: 1, currency: "EUR"', KNOWN["charge"], "amount: 77"),
    **{
        name: on_customer(name)
        for name in (
            "deleteCustomer",
            "archiveCustomer",
            "unarchiveCustomer",
            "updateCustomerNotes",
            "unsubscribeCustomer",
            "resubscribeCustomer",
            "cancelCustomerUnsentMessages",
            "updateCustomerTags",
        )
    },
}


def test_every_mutation_is_tried(client: GraphQLClient) -> None:
    fields = client.data("{ __schema { mutationType { fields { name } } } }")["__schema"]["mutationType"]["fields"]

    assert {field["name"] for field in fields} == MUTATIONS.keys()


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_feed_tells_what_a_mutation_changed(acme: Tenant, name: str) -> None:
    project = Project(acme)
    if name == "archiveCustomer":
        acme.client.data(on_customer("unarchiveCustomer"), id=project.id)
    if name == "resubscribeCustomer":
        acme.client.data(on_customer("unsubscribeCustomer"), id=project.id)
    variables = {"id": project.id, "uuid": str(uuid4())}
    names = [variable for variable in variables if f"${variable}:" in MUTATIONS[name]]

    def mutate() -> None:
        answer = acme.client.data(MUTATIONS[name], **{variable: variables[variable] for variable in names})
        assert answer[name]["userErrors"] == []

    _is_told(project, mutate)


def _is_told(project: Project, write: Callable[[], object]) -> None:
    _, cursor = project.changes(None)
    before = project.state()

    write()

    changes = expected(before, project.state())
    assert changes
    assert told(project.changes(cursor)[0]) == changes


FILES = {
    "locations": "slug,name,city\nberlin,Berlin 2,\nrome,Rome,Rome\n",
    "tags": "slug,name,color\nvip,VIP 2,\nold,Old,#ffffff\n",
    "customers": f"uuid,first_name,email,tags\n{KNOWN['customer']},Zoe,zoe@example.com,new\n,Max,max@example.com,vip\n",
    "messages": "uuid,email,channel,template,scheduled_at,clicked_at\n"
    f"{KNOWN['message']},ada@example.com,EMAIL,REQUEST,2031-01-01,2031-01-02\n"
    ",ada@example.com,SMS,REMINDER,2026-01-01,\n",
    "reviews": f"uuid,email,score,created_at\n{KNOWN['review']},ada@example.com,3,2032-01-01\n"
    ",ada@example.com,4,2026-01-01\n",
    "charges": f"uuid,email,amount,currency\n{KNOWN['charge']},ada@example.com,3,EUR\n,ada@example.com,4,EUR\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_the_feed_tells_what_an_import_changed(acme: Tenant, tmp_path: Path, kind: str) -> None:
    project = Project(acme)
    file = tmp_path / f"{kind}.csv"
    file.write_text(FILES[kind], "utf-8")
    words = ("import", kind, str(file), "--project", "acme", "--strict")

    _is_told(project, lambda: Command(tmp_path, acme.database_url).inside.succeed(*words))
    _, cursor = project.changes(None)
    Command(tmp_path, acme.database_url).inside.succeed(*words)

    assert project.changes(cursor)[0] == [], "the same file again changes nothing"
