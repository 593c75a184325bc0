"""Every attack that was tried on this stack is refused briefly, before anything is read or done for it."""

import time

import pytest

from attacks import ATTACKS
from graphql_client import GraphQLClient
from statements import recorded

LARGEST_REFUSAL = 20_000
# No name, number or text that was sent is told longer than this.
LONGEST_REPETITION = 500


ALMOST_KNOWN = {name for name in ATTACKS if name.endswith("almost known")} - {"a directive that is almost known"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store alone: what is refused never reaches the store."""
    return sqlite_url


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_answered_briefly_with_its_code_and_no_sql(client: GraphQLClient, name: str) -> None:
    attack = ATTACKS[name]

    with recorded() as statements:
        response = client.http.post("/graphql", content=attack.body, headers={"content-type": attack.content_type})

    errors = response.json().get("errors", [])
    assert (response.status_code, {error["extensions"]["code"] for error in errors}) == (
        attack.status,
        {attack.code} - {None},
    ), response.text[:1_000]
    assert len(response.content) < LARGEST_REFUSAL
    assert all(len(error["message"]) <= LONGEST_REPETITION for error in errors)
    # Errors may suggest names that are almost what was sent, and only those.
    assert ("Did you mean" in response.text) == (name in ALMOST_KNOWN)
    assert statements == []


@pytest.mark.parametrize("name", ["content-type", "accept", "accept-encoding"])
def test_a_long_header_holds_nobody_up(client: GraphQLClient, name: str) -> None:
    values = {
        "content-type": f"application/json;{'a' * 50_000}",
        "accept": "a;" * 25_000,
        "accept-encoding": "a," * 25_000,
    }
    started = time.monotonic()

    response = client.http.post("/graphql", content=b"{}", headers={name: values[name], "authorization": "Bearer x"})

    assert response.status_code in {400, 401, 415, 431}
    # It took 14 seconds before.
    assert time.monotonic() - started < 2
