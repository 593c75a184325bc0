"""The host names that a gateway answers to (protection against DNS rebinding)."""

import pytest

from conftest import MakeServer
from customergraph.settings import Settings
from raw_http import Answer, exchange

PATHS = ("/graphql", "/graphql/", "/static/cdn.css", "/healthz", "/readyz", "/nothing")


def get(url: str, *hosts: str, path: str = "/graphql", version: str = "1.1") -> Answer:
    lines = [f"GET {path} HTTP/{version}", *(f"Host: {host}" for host in hosts), "Accept: text/html", "", ""]
    return exchange(url, "\r\n".join(lines).encode())


@pytest.fixture
def url(serve: MakeServer, sqlite_url: str) -> str:
    return serve(Settings(database_url=sqlite_url))


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:8000", "127.0.0.1", "127.8.9.10:1", "[::1]", "[::1]:8000", "localhost."]
)
def test_names_of_this_machine_are_answered_on_a_loopback_address(url: str, host: str) -> None:
    assert get(url, host).status == 200


@pytest.mark.parametrize(
    "host",
    # No test listens on the address of all interfaces: it is a name here.
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0",  # noqa: S104
     "[::2]", "evil@localhost", "localhost:80:80", "localhost:x", "127.1", "2130706433", ""],
)  # fmt: skip
def test_any_other_name_is_refused_on_a_loopback_address(url: str, host: str) -> None:
    answer = get(url, host)

    assert answer.status == 421
    (error,) = answer.json["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert "CUSTOMERGRAPH_HOSTS" in error["message"]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_refused_under_another_name(url: str, path: str) -> None:
    assert get(url, "evil.example", path=path).status == 421


@pytest.mark.parametrize("hosts", [(), ("localhost", "localhost"), ("localhost", "evil.example")])
def test_a_request_has_one_host(url: str, hosts: tuple[str, ...]) -> None:
    answer = get(url, *hosts)

    assert (answer.status, answer.json["errors"][0]["message"]) == (400, "Send one Host header.")


def test_http_1_0_may_name_no_host(url: str) -> None:
    assert get(url, path="/healthz", version="1.0").status == 200


def test_the_names_of_the_setting_are_answered_too(serve: MakeServer, sqlite_url: str) -> None:
    url = serve(Settings(database_url=sqlite_url, hosts="Gateway.example, 10.0.0.1"))  # type: ignore[arg-type]

    statuses = [get(url, host).status for host in ("gateway.example:80", "10.0.0.1", "localhost", "evil.example")]

    assert statuses == [200, 200, 200, 421]


def test_on_another_address_only_the_setting_restricts_host_names(serve: MakeServer, sqlite_url: str) -> None:
    opened = serve(Settings(database_url=sqlite_url, host="0.0.0.0"))  # noqa: S104
    closed = serve(Settings(database_url=sqlite_url, host="0.0.0.0", hosts=("gateway.example",)))  # noqa: S104

    assert get(opened, "any.example").status == 200
    assert [get(closed, host).status for host in ("gateway.example", "any.example")] == [200, 421]
    # A load balancer checks the health of an address.
    assert [get(closed, "10.0.0.7", path=path).status for path in ("/healthz", "/readyz")] == [200, 200]
