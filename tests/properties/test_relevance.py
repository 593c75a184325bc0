"""The order by relevance is what the contract says, for names and searches in any script."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customergraph.domain.text import fold, searchable, successor
from factories import Tenant
from graphql_client import GraphQLClient

PAGE = """
query Page($q: String!, $first: Int!, $after: String) {
  customers(q: $q, sortKey: RELEVANCE, first: $first, after: $after) {
    nodes { databaseId } pageInfo { hasNextPage endCursor }
  }
}
"""
# Letters with marks, compatibility forms before and after what they stand for, other scripts, and wildcards.
NAMES = (
    "Anna anna ANNA Ánna Ånna \uff21nna Annà"
    " ªnna An Na A\u0301nna A%nna A_nna Annabel Hanna Hánna H\u0306anna ﬀ ff Ff ﬁ fi"
    " ㊀ 一 一郎 ⼀ ㈠ (一 й и Йод Иод ガ カ ｶ ﾊ 하 한 ㄱ ᄀ Ω Ω ω Σας σας Straße STRASSE ÿ y Ÿ z Z \U0010ffff \ud7ff"
).split()


def by_relevance(rows: list[tuple[int, str]], q: str) -> list[int]:
    words, phrase = searchable(q).split(), " ".join(searchable(q).split())
    found = [(id_, name) for id_, name in rows if all(word in searchable(name) for word in words)]
    return [
        id_
        for id_, _ in sorted(found, key=lambda row: (not searchable(row[1]).startswith(phrase), fold(row[1]), row[0]))
    ]


def walk(client: GraphQLClient, q: str, size: int) -> list[int]:
    ids: list[int] = []
    page: dict[str, object] = {"first": size}
    while page:
        connection = client.data(PAGE, q=q, **page)["customers"]
        ids += [node["databaseId"] for node in connection["nodes"]]
        info = connection["pageInfo"]
        page = {"first": size, "after": info["endCursor"]} if info["hasNextPage"] else {}
    return ids


@pytest.mark.slow
def test_a_walk_by_relevance_finds_each_customer_once_in_the_order_of_the_contract(acme: Tenant) -> None:
    names = [*NAMES, *(f"{first} {last}" for first, last in zip(NAMES, NAMES[7:], strict=False))]
    rows = list(zip(acme.add_customers(*({"first_name": name} for name in names)), names, strict=True))
    beginnings = [name[:length] for name in names for length in (1, 2, 4)]

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(q=st.sampled_from([*names, *beginnings]), size=st.sampled_from([1, 3, 7, 100]))
    def check(q: str, size: int) -> None:
        if searchable(q).split():
            assert walk(acme.client, q, size) == by_relevance(rows, q)

    check()


@given(st.text(), st.text(), st.text())
def test_the_successor_parts_texts_that_begin_with_a_text_from_greater_ones(text: str, rest: str, other: str) -> None:
    end = successor(text)

    assert text + rest < end or set(text) <= {"\U0010ffff"}
    assert other < end or not other.startswith(text) or set(text) <= {"\U0010ffff"}
    assert text < end
