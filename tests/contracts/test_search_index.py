"""The search index of PostgreSQL: made where that is allowed, else reported as missing; answers do not depend on it."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import stores
from benchmarks import plans
from conftest import MakeServer
from customergraph.domain.principal import Scope
from customergraph.settings import Settings
from factories import NOON, Tenant
from stores import NO_SEARCH_INDEX, PostgreSQLServer

pytestmark = pytest.mark.slow

INDEX = "ix_customer_search"
MISSING_INDEX = NO_SEARCH_INDEX.replace("; PostgreSQL's extensions pg_trgm and btree_gin are needed", "")
DEFINITION = f"SELECT indexdef FROM pg_indexes WHERE indexname = '{INDEX}'"  # noqa: S608 - ours
EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin') ORDER BY 1"
VALID = f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{INDEX}'::regclass"  # noqa: S608
INVALIDATE = f"UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = '{INDEX}'::regclass"  # noqa: S608

SEARCH = """query($q: String) {
  customers(q: $q, first: 100, sortKey: CREATED_AT, sortDir: ASC) { totalCount nodes { firstName } }
}"""

OnStore = Callable[[str], Tenant]


@pytest.fixture
def new_contrib_url(contrib_postgresql: PostgreSQLServer) -> Iterator[str]:
    """A database without tables, where extensions may be created."""
    name = contrib_postgresql.create()
    yield contrib_postgresql.url(name)
    contrib_postgresql.drop(name)


@pytest.fixture
def on_store(serve: MakeServer) -> Iterator[OnStore]:
    """Makes a project on a store, and serves it."""
    tenants: list[Tenant] = []

    def make(database_url: str) -> Tenant:
        tenants.append(Tenant(serve(Settings(database_url=database_url)), database_url, "acme"))
        return tenants[-1]

    yield make
    for tenant in tenants:
        tenant.close()


def search(tenant: Tenant, term: str) -> Any:
    return tenant.client.data(SEARCH, q=term)["customers"]


def test_an_upgrade_makes_the_extensions_and_the_index_once(new_contrib_url: str) -> None:
    assert stores.upgraded(new_contrib_url)

    assert stores.rows(new_contrib_url, EXTENSIONS) == [("btree_gin",), ("pg_trgm",)]
    assert "USING gin (project_id, search_key gin_trgm_ops)" in stores.rows(new_contrib_url, DEFINITION)[0][0]
    assert stores.problems(new_contrib_url) == []
    assert not stores.upgraded(new_contrib_url)


def test_upgrades_at_the_same_time_make_one_index(new_contrib_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(stores.upgraded, [new_contrib_url] * 3))

    assert sorted(outcomes) == [False, False, True]
    assert stores.problems(new_contrib_url) == []


def test_a_missing_index_is_reported_and_made_again_though_the_tables_are_up_to_date(contrib_url: str) -> None:
    stores.execute(contrib_url, f"DROP INDEX {INDEX}")
    assert stores.problems(contrib_url) == [MISSING_INDEX]

    assert stores.upgraded(contrib_url)

    assert stores.problems(contrib_url) == []


def test_an_index_that_was_never_finished_is_reported_and_made_again(contrib_url: str) -> None:
    stores.execute(contrib_url, INVALIDATE)
    assert stores.problems(contrib_url) == [f"the index {INDEX} is invalid: REINDEX it", MISSING_INDEX]

    assert stores.upgraded(contrib_url)

    assert stores.rows(contrib_url, VALID) == [(1,)]
    assert stores.problems(contrib_url) == []


@pytest.fixture
def tenants_url(contrib_postgresql: PostgreSQLServer, new_contrib_url: str) -> Iterator[str]:
    """The URL of a database for a role that may create tables, but no extensions."""
    stores.execute(new_contrib_url, "CREATE ROLE keeper LOGIN")
    stores.execute(new_contrib_url, "GRANT CREATE ON SCHEMA public TO keeper")
    yield new_contrib_url.replace("postgres@", "keeper@")
    stores.execute(new_contrib_url, "DROP OWNED BY keeper")
    stores.execute(contrib_postgresql.url("postgres"), "DROP ROLE keeper")


def test_without_the_right_to_make_extensions_all_else_works(
    tenants_url: str, new_contrib_url: str, on_store: OnStore
) -> None:
    assert stores.upgraded(tenants_url)
    assert not stores.upgraded(tenants_url)

    assert stores.rows(new_contrib_url, EXTENSIONS) == []
    assert stores.problems(tenants_url) == [NO_SEARCH_INDEX]
    acme = on_store(tenants_url)
    acme.add_customers({"first_name": "Ada"}, {"first_name": "Grace"})
    assert search(acme, "rac") == {"totalCount": 1, "nodes": [{"firstName": "Grace"}]}

    stores.execute(new_contrib_url, "CREATE EXTENSION pg_trgm")
    stores.execute(new_contrib_url, "CREATE EXTENSION btree_gin")
    assert stores.upgraded(tenants_url)
    assert stores.problems(tenants_url) == []


def plans_of(tenant: Tenant, term: str) -> list[str]:
    return asyncio.run(plans.of_request(tenant.database_url, tenant.token_with(Scope.READ), SEARCH, {"q": term}))


def assert_reads_the_index(tenant: Tenant, term: str) -> None:
    page_and_count = plans_of(tenant, term)
    assert len(page_and_count) == 2, page_and_count
    assert [plan for plan in page_and_count if INDEX not in plan or "Seq Scan" in plan] == []


def test_a_search_for_what_is_rare_reads_the_index(contrib_url: str, on_store: OnStore) -> None:
    acme = on_store(contrib_url)
    acme.add_customers(*crowd(20_000), {"first_name": "Quetzalcoatl"})
    stores.execute(contrib_url, "ANALYZE")

    for term in ("quetzal", "tzalcoat", "c19999@", "+4930019999", "QUÉTZAL l ue", "son c19999@ & example com 19999"):
        assert_reads_the_index(acme, term)


def crowd(count: int) -> Iterator[dict[str, Any]]:
    names = "Ada Grace Alan Edsger Barbara Donald Frances John Margaret Tony Niklaus Radia Leslie Shafi".split()
    for number in range(count):
        yield {
            "first_name": names[number % 14],
            "last_name": f"{names[number * 7919 % 13]}son",
            "email": f"c{number}@example.com",
            "phone": f"+49300{number:05}",
            "company": f"{names[number * 6007 % 11]} & Co.",
        }


TEXTS = (
    *("100% Wool", "100 Wool", "a_b", "axb", "a\\b", "a\\%b", "a\\_b", "a%b", "%", "_", "\\", "%%%", "___", "\\\\\\"),
    *("Straße", "STRASSE", "Strasse", "straße", "Émile", "E\u0301mile", "émile", "Emile", "ΣΊΣΥΦΟΣ", "σίσυφος"),
    *("Ab  cd", "Ab cd", "cd Ab", "İstanbul", "istanbul", "ﬁne", "fine", "日本語", "👩‍👩‍👧", "it's", 'a"b', "x" * 100),
)
TERMS = (
    *TEXTS,
    *(
        "ada son",
        "son  ADA",
        "co. ada & 00012",
        "a b c d e f g",
        "emile STRASSE",
        "wool 100%",
        "% _",
        "x 日本",
        "\uff53\uff4f\uff4e\u3000ada",
    ),
    *("%", "_", "\\", "0%", "%w", "a_", "_b", "\\b", "a\\", "%%%%", "100%", "%oo%", "_oo_", "a\\%", "\\%b", "\\\\"),
    *(
        "ß",
        "SS",
        "ss",
        "STRASSE",
        "straSSe",
        "aße",
        "É",
        "e\u0301",
        "E\u0301MI",
        "ÉMI",
        "\u0301",
        "\u0301mi",
        "σΊΣ",
        "φος",
    ),
    *(
        "  ab",
        "ab  ",
        " ab cd ",
        "b  c",
        "b c",
        "  ",
        "\u00a0ab",
        "ab\t",
        "i",
        "is",
        "ist",
        "i\u0307st",
        "FI",
        "ﬁn",
        "日本",
        "日本語",
    ),
    *(
        "ab",
        "cd",
        "it'",
        "'s",
        "x" * 99,
        "x" * 100,
        "X" * 100,
        "y" * 100,
        "+4930",
        "4930",
        "+49 30",
        "9300",
        "(030)",
        "+",
    ),
    *(
        "@",
        "@ex",
        ".com",
        "EXAMPLE",
        "co.",
        "& C",
        "d, ",
        "\n",
        "wool\n",
        "a.c",
        "a.*",
        "^a",
        "[a]",
        "a|b",
        "(a",
        "a)",
        "*",
    ),
    *("'' OR 1=1", "--", "::text", ":q", "%s", "$1", "NULL"),
)


def answer_without_bucket(tenant: Tenant, term: str) -> Any:
    """Return the answer to a search, without what is left in the token's bucket at that moment."""
    answer = tenant.client.answer(SEARCH, q=term)
    del answer["extensions"]["cost"]["throttle"]
    return answer


def test_every_search_answers_as_the_embedded_store_does(contrib_url: str, sqlite_url: str, on_store: OnStore) -> None:
    # Reading a row costs so much that PostgreSQL prefers the index even for a few rows.
    stores.execute(contrib_url, f"ALTER DATABASE {contrib_url.rpartition('/')[2]} SET cpu_tuple_cost = 10")
    indexed, embedded = on_store(contrib_url), on_store(sqlite_url)
    customers = [
        *({"first_name": text} for text in TEXTS),
        *({"first_name": "Company", "company": text} for text in TEXTS),
        *crowd(500),
    ]
    for tenant in (indexed, embedded):
        tenant.add_customers(*({**columns, "created_at": NOON} for columns in customers))
    stores.execute(contrib_url, "ANALYZE")
    for term in ("STRASSE", "100%", "E\u0301MI", "+493000012", "日本語"):
        assert_reads_the_index(indexed, term)

    answers = {term: [answer_without_bucket(tenant, term) for tenant in (indexed, embedded)] for term in TERMS}

    differences = {term: pair for term, pair in answers.items() if pair[0] != pair[1]}
    assert differences == {}
    hits = [
        term for term, (answer, _) in answers.items() if answer.get("data") and answer["data"]["customers"]["nodes"]
    ]
    assert len(hits) > len(TERMS) / 2, hits
