"""Nothing of another project can be seen, counted, guessed or changed (contract, section 1)."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    MetaData,
    Table,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import FromClause

from conftest import MakeServer, MakeTenant
from customergraph.domain.customer import CustomerSortKey, ordering
from customergraph.domain.identity import GlobalId, Kind
from customergraph.domain.paging import Cursor, SortDirection
from customergraph.settings import Settings
from customergraph.store import tenancy
from customergraph.store.entities import ENTITIES
from customergraph.store.failures import LostRace
from customergraph.store.tables import customer, is_tenants, message, metadata, tag
from customergraph.store.tenancy import TENANT, UnboundStatement, in_project
from factories import NOON, Tenant
from mutations import ARGUMENTS, CREATE, on_customer

UNKNOWN_ID = 10**15
SECRET = "Zzsecret"  # noqa: S105 - what must not be shown
ALIKE = {"email": "ada@example.com", "phone": "+14155550123"}
READS = (
    "query($id: ID!) { customer(id: $id) { id name } }",
    "query($id: ID!) { node(id: $id) { __typename id } }",
    "query($id: ID!) { nodes(ids: [$id, $id]) { __typename id } }",
)
WRITES = tuple(on_customer(name) for name in ARGUMENTS)


def filled(tenant: Tenant, *, name: str) -> Tenant:
    """Give a project two customers with a history; slugs and contacts are the same in each project."""
    place, tag_id = tenant.add_locations("north")[0], tenant.add_tags("vip")[0]
    ids = tenant.add_customers({**ALIKE, "first_name": name, "notes": name, "location_id": place}, {"first_name": name})
    for id_ in ids:
        tenant.tag(id_, tag_id)
        tenant.add_messages({"customer_id": id_}, {"customer_id": id_, "sent_at": NOON, "clicked_at": NOON})
        tenant.add_reviews({"customer_id": id_, "body": name, "location_id": place})
        tenant.add_charges({"customer_id": id_, "location_id": place})
    return tenant


@pytest.fixture
def url(serve: MakeServer, database_url: str) -> str:
    """The address of a gateway whose buckets are always full, so that answers can be compared."""
    return serve(Settings(database_url=database_url, bucket_refill=10**12))


@pytest.fixture
def two(make_tenant: MakeTenant) -> tuple[Tenant, Tenant]:
    """Two projects that look alike; the second one holds the secrets."""
    mine, theirs = filled(make_tenant("mine"), name="Ada"), filled(make_tenant("theirs"), name=SECRET)
    theirs.add_locations("secret-place")
    theirs.add_tags("secret-tag")
    return mine, theirs


def names_of(tenant: Tenant) -> Iterator[tuple[Any, Any]]:
    """Return every name of every row of a project, each with an unknown name of the same form."""
    rows = tenant.rows()
    for kind in Kind:
        if kind is Kind.PROJECT:
            yield str(GlobalId(kind, tenant.project_id)), str(GlobalId(kind, UNKNOWN_ID))
            continue
        of_kind = rows[ENTITIES[kind].table.name]
        assert of_kind, f"the project has no {kind} whose names could be tried"
        yield from ((str(GlobalId(kind, row[0])), str(GlobalId(kind, UNKNOWN_ID))) for row in of_kind)
        yield from ((str(UUID(row[2])), str(uuid4())) for row in of_kind)
    for row in rows["customer"]:
        yield row[0], UNKNOWN_ID
        yield str(row[0]), str(UNKNOWN_ID)


def test_a_foreign_id_answers_byte_for_byte_as_an_unknown_one(two: tuple[Tenant, Tenant]) -> None:
    mine, theirs = two
    before = mine.rows(), theirs.rows()
    for operation in (*READS, *WRITES):
        for foreign, unknown in names_of(theirs):
            answers = [mine.client.post(operation, {"id": id_}) for id_ in (foreign, unknown)]
            assert answers[0].content == answers[1].content, (operation, foreign)
            assert answers[0].status_code == answers[1].status_code == 200
            assert b'"errors"' not in answers[0].content
    assert (mine.rows(), theirs.rows()) == before


BY_TEXT: tuple[tuple[str, tuple[Any, Any]], ...] = (
    (
        "query($x: String!) { customers(tagSlug: $x) { totalCount nodes { id } pageInfo { hasNextPage } } }",
        ("secret-tag", "no-such-tag"),
    ),
    ("query($x: String!) { customers(tagSlugs: [$x]) { totalCount nodes { id } } }", ("secret-tag", "no-such-tag")),
    ("query($x: String!) { customers(locationSlug: $x) { totalCount } }", ("secret-place", "no-such-place")),
    ("query($x: String!) { customers(q: $x) { totalCount nodes { id } } }", (SECRET, "nobody")),
    ("query($x: String!) { customers(email: $x) { totalCount nodes { id } } }", (f"{SECRET}@x.com", "no@x.com")),
    (
        "mutation($x: String!) { updateCustomerTags(id: ID, tagSlugs: [$x]) { userErrors { field message code } } }",
        ("secret-tag", "no-such-tag"),
    ),
    (
        'mutation($x: String!) { createCustomer(input: {firstName: "A", tagSlugs: [$x]}) { userErrors { message } } }',
        ("secret-tag", "no-such-tag"),
    ),
    (
        'mutation($x: String!) { createCustomer(input: {firstName: "A", locationSlug: $x}) { userErrors { code } } }',
        ("secret-place", "no-such-place"),
    ),
)


@pytest.mark.parametrize(("operation", "texts"), BY_TEXT)
def test_a_foreign_text_answers_byte_for_byte_as_an_unknown_one(
    two: tuple[Tenant, Tenant], operation: str, texts: tuple[str, str]
) -> None:
    mine, theirs = two
    theirs.add_customer(email=f"{SECRET}@x.com", first_name="Eve")
    own = mine.rows()["customer"][0][0]
    before = mine.rows(), theirs.rows()
    answers = [mine.client.post(operation.replace("ID", str(own)), {"x": text_}).content for text_ in texts]
    assert answers[0] == answers[1]
    assert b'"errors"' not in answers[0]
    assert (mine.rows(), theirs.rows()) == before


def test_the_same_slug_names_the_own_row(two: tuple[Tenant, Tenant]) -> None:
    mine, theirs = two
    before = theirs.rows()
    location, tag_ = mine.rows()["location"][0][0], mine.rows()["tag"][0][0]
    create = CREATE.replace("databaseId", "location { databaseId } tags { databaseId }")
    given_ = {"firstName": "Bo", "locationSlug": "north", "tagSlugs": ["vip"]}
    payload = mine.client.data(create, input=given_)["createCustomer"]
    assert payload["customer"] == {"location": {"databaseId": location}, "tags": [{"databaseId": tag_}]}
    assert theirs.rows() == before


def test_contacts_of_another_project_are_not_taken(make_tenant: MakeTenant) -> None:
    mine, theirs = make_tenant("mine"), filled(make_tenant("theirs"), name=SECRET)
    before = theirs.rows()
    payload = mine.client.data(CREATE, input={"firstName": "Ada", **ALIKE})["createCustomer"]
    assert payload["userErrors"] == []
    assert theirs.rows() == before


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("key", [key for key in CustomerSortKey if key is not CustomerSortKey.RELEVANCE])
@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_foreign_cursor_is_a_place_in_the_own_list_and_tells_nothing(
    two: tuple[Tenant, Tenant], key: CustomerSortKey, direction: SortDirection, argument: str
) -> None:
    mine, theirs = two
    listing = f"""query($after: String, $before: String) {{
      customers(sortKey: {key}, sortDir: {direction}, after: $after, before: $before) {{
        totalCount nodes {{ databaseId }} edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage }}
      }}
    }}"""
    own = {row[0] for row in mine.rows()["customer"]}
    order = ordering(key, direction)
    for edge in theirs.client.data(listing)["customers"]["edges"]:
        place = Cursor.decoded(edge["cursor"], order, "after")
        # The place beside it, where nobody stands.
        beside = Cursor(place.value, UNKNOWN_ID if place.id > max(own) else place.id).encoded(order)
        answers = [mine.client.post(listing, {argument: c}).json() for c in (edge["cursor"], beside)]
        assert answers[0] == answers[1]
        customers = answers[0]["data"]["customers"]
        assert {node["databaseId"] for node in customers["nodes"]} <= own
        assert customers["totalCount"] == len(own)


EVERYTHING = """{
  project { slug }
  customers { totalCount nodes {
    name notes location { id } tags { id }
    messages { totalCount nodes { id } } reviews { totalCount nodes { body } } charges { totalCount }
  } }
  locations { slug } tags { slug }
}"""


def test_whatever_one_project_does_the_other_neither_shows_nor_moves(two: tuple[Tenant, Tenant]) -> None:
    mine, theirs = two
    before = theirs.rows()
    names = [name for tenant in two for name, _ in names_of(tenant)]
    steps = st.tuples(st.sampled_from((*READS, *WRITES)), st.sampled_from(names))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(steps, min_size=1, max_size=8))
    def check(sequence: list[tuple[str, Any]]) -> None:
        for operation, id_ in sequence:
            assert SECRET not in mine.client.post(operation, {"id": id_}).text
        assert SECRET not in mine.client.post(EVERYTHING).text
        assert theirs.rows() == before

    check()


def test_a_row_that_points_into_another_project_is_refused_by_the_store(two: tuple[Tenant, Tenant]) -> None:
    mine, theirs = two
    foreign = theirs.rows()["customer"][0][0]
    for add in (mine.add_messages, mine.add_charges, mine.add_reviews):
        # On PostgreSQL that may be a lost race: the customer may have been deleted meanwhile.
        with pytest.raises((IntegrityError, LostRace)) as refused:
            add({"customer_id": foreign})
        assert "foreign key constraint" in str(refused.value.__cause__).lower()


TABLES = sorted(filter(is_tenants, metadata.tables.values()), key=lambda table: table.name)


def _one(table: Table) -> Any:
    """Return a column that each of the tables has."""
    return next(column for column in table.c if column.name != "project_id")


def _select_of_alias(alias: FromClause) -> Executable:
    return select(alias).where(in_project(alias))


UNBOUND: dict[str, Callable[[Table], Executable]] = {
    "select": select,
    "select of a column": lambda t: select(_one(t)),
    "count": lambda t: select(func.count()).select_from(t),
    "by id": lambda t: select(t).where(_one(t) == 1),
    "by a project of one's own": lambda t: select(t).where(t.c.project_id == 1),
    "by another parameter": lambda t: select(t).where(t.c.project_id == bindparam("project")),
    "by any project but one's own": lambda t: select(t).where(t.c.project_id != TENANT),
    "by projects up to one's own": lambda t: select(t).where(t.c.project_id <= TENANT),
    "or": lambda t: select(t).where(or_(in_project(t), _one(t) == 1)),
    "not": lambda t: select(t).where(not_(and_(in_project(t), _one(t) == 1))),
    "moved": lambda t: select(t).where(t.c.project_id + _one(t) == TENANT),
    "shrunk": lambda t: select(t).where(t.c.project_id * 0 == TENANT),
    "another column": lambda t: select(t).where(_one(t) == TENANT),
    "alias": lambda t: select(t.alias("other")).where(in_project(t)),
    "alias beside": lambda t: select(t, t.alias("other")).where(in_project(t)),
    "aliased": lambda t: select(aliased(t)),
    "having": lambda t: select(func.count(_one(t))).group_by(t.c.project_id).having(in_project(t)),
    "join": lambda t: select(_other(t)).join(t, true()).where(in_project(_other(t))),
    "join on the project alone": lambda t: (
        select(_other(t)).join(t, t.c.project_id == _other(t).c.project_id).where(in_project(_other(t)))
    ),
    "outer join": lambda t: select(t, _other(t)).outerjoin(_other(t), in_project(_other(t))).where(in_project(t)),
    "subquery": lambda t: select(select(t).subquery()),
    "common table": lambda t: select(select(t).cte()),
    "scalar": lambda t: select(_other(t), select(func.count(_one(t))).scalar_subquery()).where(in_project(_other(t))),
    "in": lambda t: select(_other(t)).where(in_project(_other(t)), _one(_other(t)).in_(select(_one(t)))),
    "exists": lambda t: select(_other(t)).where(
        in_project(_other(t)), exists().where(_one(t) == _one(_other(t))).correlate(_other(t))
    ),
    "union": lambda t: union_all(select(_one(t)).where(in_project(t)), select(_one(t))),
    "update": lambda t: update(t).values({_one(t).name: 1}),
    "update by id": lambda t: update(t).where(_one(t) == 1).values({_one(t).name: 1}),
    "update from": lambda t: (
        update(_other(t)).where(in_project(_other(t)), _one(_other(t)) == _one(t)).values({_one(_other(t)).name: 1})
    ),
    "update to": lambda t: (
        update(_other(t)).where(in_project(_other(t))).values({_one(_other(t)).name: select(_one(t)).scalar_subquery()})
    ),
    "update into another project": lambda t: update(t).where(in_project(t)).values(project_id=1),
    "delete": delete,
    "delete by id": lambda t: delete(t).where(_one(t) == 1),
    "delete using": lambda t: delete(_other(t)).where(in_project(_other(t)), _one(_other(t)) == _one(t)),
    "insert": insert,
    "insert of a project": lambda t: insert(t).values(project_id=1),
    "insert of many": lambda t: insert(t).values([{"project_id": 1}]),
    "insert from": lambda t: insert(t).from_select(["project_id"], select(_other(t).c.project_id)),
    "text": lambda t: text(f"SELECT * FROM {t.name}"),  # noqa: S608
    "text as rows": lambda t: select(text("*")).select_from(text(t.name)),
    "text as columns": lambda t: text(f"SELECT * FROM {t.name}").columns(column("id")),  # noqa: S608
}


def _other(table: Table) -> Table:
    return tag if table is not tag else message


BOUND: dict[str, Callable[[Table], Executable]] = {
    "select": lambda t: select(t).where(in_project(t)),
    "select by id": lambda t: select(t).where(in_project(t), _one(t) == 1),
    "and": lambda t: select(t).where(and_(_one(t) == 1, and_(in_project(t), true()))),
    "found by id": lambda t: select(t).where(tenancy.in_project_by_id(t)),
    "alias": lambda t: _select_of_alias(t.alias("a")),
    "join": lambda t: select(t, _other(t)).join(_other(t), true()).where(in_project(t), in_project(_other(t))),
    "subquery": lambda t: select(select(t).where(in_project(t)).subquery()),
    "common table": lambda t: select(select(t).where(in_project(t)).cte()),
    "in": lambda t: select(_other(t)).where(
        in_project(_other(t)), _one(_other(t)).in_(select(_one(t)).where(in_project(t)))
    ),
    "exists": lambda t: select(_other(t)).where(
        in_project(_other(t)), exists().where(in_project(t), _one(t) == _one(_other(t))).correlate(_other(t))
    ),
    "union": lambda t: union_all(select(_one(t)).where(in_project(t)), select(_one(t)).where(in_project(t))),
    "update": lambda t: update(t).where(in_project(t)).values({_one(t).name: 1}),
    "delete": lambda t: delete(t).where(in_project(t)),
    "insert": lambda t: insert(t).values(project_id=TENANT),
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("shape", UNBOUND)
def test_a_statement_without_its_project_is_refused(shape: str, table: Table) -> None:
    with pytest.raises(UnboundStatement):
        tenancy.check(UNBOUND[shape](table))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("shape", BOUND)
def test_a_statement_that_is_bound_to_its_project_passes(shape: str, table: Table) -> None:
    tenancy.check(BOUND[shape](table))


def test_a_new_table_with_a_project_belongs_to_tenants_without_being_listed() -> None:
    ask = Table("ask", MetaData(), Column("id", BigInteger, primary_key=True), Column("project_id", BigInteger))

    with pytest.raises(UnboundStatement, match="Select of ask without its project"):
        tenancy.check(select(ask))
    tenancy.check(select(ask).where(in_project(ask)))


def test_a_refused_statement_is_refused_again() -> None:
    statement = select(customer)
    for _ in range(2):
        with pytest.raises(UnboundStatement, match="Select of customer without its project"):
            tenancy.check(statement)
