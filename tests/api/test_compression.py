"""Compressed and uncompressed responses, by Accept-Encoding (RFC 9110, section 12.5.3)."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from factories import Tenant

LARGE = "{ customers { nodes { name } } }"
SMALL = "{ project { slug } }"
COMPRESSED = [
    "gzip", "GZIP", "x-gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8", "*", "*;q=0.5", "identity;q=0, *",
    "gzip;q=0.001", "gzip;q=1, identity;q=0.5", "deflate, gzip;q=0.5", "*;q=0, gzip",
]  # fmt: skip
PLAIN = [
    None, "", "identity", "gzip;q=0", "gzip;q=0.0", "gzip ; q=0", "notgzip", "gzipped", "br", "gzip;q=0, *", "gzip;q=x",
    "identity, *;q=0", "identity;q=1, gzip;q=0.5", "deflate",
]  # fmt: skip
NEITHER = ["identity;q=0", "*;q=0", "gzip;q=0, identity;q=0", "identity;q=0, br"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The URL of an embedded store: the engine makes no difference to compression."""
    return sqlite_url


@pytest.fixture
def http(acme: Tenant) -> Iterator[httpx.Client]:
    acme.add_customers(*({"first_name": "x" * 100} for _ in range(20)))
    authorization = {"authorization": acme.client.http.headers["authorization"]}
    with httpx.Client(base_url=acme.base_url, headers=authorization, timeout=30) as client:
        yield client


def raw(http: httpx.Client, query: str, accepted: str | None) -> tuple[httpx.Response, bytes]:
    """Send a query; return the response and its raw bytes."""
    request = http.build_request("POST", "/graphql", json={"query": query})
    del request.headers["accept-encoding"]
    if accepted is not None:
        request.headers["accept-encoding"] = accepted
    response = http.send(request, stream=True)
    content = b"".join(response.iter_raw())
    response.close()
    return response, content


@pytest.mark.parametrize("accepted", COMPRESSED)
def test_a_large_answer_is_compressed_for_clients_that_accept_it(http: httpx.Client, accepted: str) -> None:
    response, content = raw(http, LARGE, accepted)

    assert response.headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(content))["data"]["customers"]["nodes"]) == 20
    assert int(response.headers["content-length"]) == len(content)
    assert "Accept-Encoding" in response.headers["vary"]


@pytest.mark.parametrize("accepted", PLAIN)
def test_a_large_answer_is_sent_as_it_is_to_other_clients(http: httpx.Client, accepted: str | None) -> None:
    response, content = raw(http, LARGE, accepted)

    assert "content-encoding" not in response.headers
    assert len(json.loads(content)["data"]["customers"]["nodes"]) == 20
    assert "Accept-Encoding" in response.headers["vary"]


@pytest.mark.parametrize("accepted", NEITHER)
def test_a_client_that_accepts_neither_is_refused_before_anything_runs(http: httpx.Client, accepted: str) -> None:
    mutation = 'mutation { createCustomer(input: { firstName: "Ada" }) { customer { id } } }'

    response, content = raw(http, mutation, accepted)

    assert response.status_code == 406
    assert json.loads(content)["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    _, counted = raw(http, "{ customers { totalCount } }", None)
    assert json.loads(counted)["data"] == {"customers": {"totalCount": 20}}


def test_a_small_answer_is_compressed_only_where_nothing_else_is_accepted(http: httpx.Client) -> None:
    plain, _ = raw(http, SMALL, "gzip")
    response, content = raw(http, SMALL, "gzip, identity;q=0")

    assert "content-encoding" not in plain.headers
    assert response.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(content))["data"] == {"project": {"slug": "acme"}}


def test_a_part_of_a_file_and_a_head_are_not_compressed(http: httpx.Client) -> None:
    whole = http.get("/static/cdn.css", headers={"accept-encoding": "identity"})
    part = http.get("/static/cdn.css", headers={"accept-encoding": "gzip", "range": "bytes=0-9"})
    head = http.head("/static/cdn.css", headers={"accept-encoding": "gzip"})

    assert (part.status_code, part.content) == (206, whole.content[:10])
    assert int(head.headers["content-length"]) == len(whole.content)
    assert "content-encoding" not in {*part.headers, *head.headers}
