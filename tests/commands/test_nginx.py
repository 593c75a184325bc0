"""The gateway behind nginx, with the very site that `customergraph operate` writes: TLS, a prefix, HTTP/2."""

import json
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from commands.command import Command
from commands.conftest import MakeServed
from commands.load import Served, until
from commands.nginx import NAME, PREFIX, PROGRAM, Nginx
from customergraph.settings import Settings
from faults.expectations import SLACK_SECONDS
from mutations import on_customer
from raw_http import SLUG

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (Debian's package nginx)"),
]

ENV = {"CUSTOMERGRAPH_HOSTS": NAME}
QUERY = {"query": "{ project { slug } }"}
SLOW_CLIENTS = 100
HEADER_SECONDS = 10
MakeNginx = Callable[..., Nginx]


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[MakeNginx]:
    """Puts nginx in front of gateways."""
    with ExitStack() as stack:

        def make(*gateways: Served) -> Nginx:
            Command(tmp_path, "").inside.succeed("operate", "written")
            site = (tmp_path / "written/customergraph.nginx.conf").read_text()
            folder = tmp_path / "nginx"
            folder.mkdir()
            return stack.enter_context(Nginx(folder, site, [served.url for served in gateways]))

        yield make


@pytest.fixture
def served(start: MakeServed, sqlite_url: str) -> Served:
    return start(sqlite_url, 1, **ENV)


@pytest.fixture
def nginx(behind: MakeNginx, served: Served) -> Nginx:
    return behind(served)


@pytest.fixture
def client(nginx: Nginx, served: Served) -> Iterator[httpx.Client]:
    with nginx.client(served.authorization) as client:
        yield client


def test_queries_mutations_pages_and_health_checks_pass_under_the_prefix(client: httpx.Client, served: Served) -> None:
    id_ = served.tenant.add_customer()
    archive = {"query": on_customer("archiveCustomer"), "variables": {"id": id_}}

    assert client.post("/graphql", json=QUERY).json()["data"] == SLUG
    assert client.get("/graphql", params=QUERY).json()["data"] == SLUG
    assert client.post("/graphql", json=archive).json()["data"]["archiveCustomer"]["userErrors"] == []
    page = client.get("/graphql", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    assert client.get(str(client.base_url).replace(PREFIX, "") + "graphql").status_code == 404


def test_http_2_and_http_1_1_are_spoken(nginx: Nginx, client: httpx.Client) -> None:  # noqa: ARG001
    versions = [nginx.curl("/healthz", option, "-w", "%{http_version}") for option in ("--http2", "--http1.1")]

    assert versions == ["ok\n2", "ok\n1.1"]


def test_plain_http_leads_to_tls(nginx: Nginx) -> None:
    answer = httpx.get(f"http://127.0.0.1:{nginx.plain_port}{PREFIX}/graphql", headers={"host": NAME})

    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{NAME}{PREFIX}/graphql")


def test_a_large_answer_passes_whole_and_never_lies_on_the_disk(
    client: httpx.Client, served: Served, nginx: Nginx
) -> None:
    served.tenant.add_customers(*[{"notes": "x" * 30_000}] * 100)
    query = {"query": "{ customers(first: 100) { nodes { id notes } } }"}
    headers = {"authorization": served.authorization, "accept-encoding": "identity"}

    through = client.post("/graphql", json=query, headers=headers)
    direct = httpx.post(f"{served.url}/graphql", json=query, headers=headers)

    assert len(through.content) > 3_000_000
    assert through.content == direct.content
    assert not list((nginx.folder / "answers").rglob("*"))


def body_of(size: int) -> bytes:
    body = json.dumps(QUERY).encode()
    return body + b" " * (size - len(body))


def test_a_body_may_be_as_large_as_the_gateway_allows_and_no_larger(client: httpx.Client) -> None:
    limit = Settings.model_fields["body_limit"].default
    headers = {"content-type": "application/json"}

    allowed, refused = (client.post("/graphql", content=body_of(limit + more), headers=headers) for more in (0, 1))

    assert allowed.json()["data"] == SLUG
    assert (refused.status_code, refused.headers["content-type"]) == (413, "application/json")
    assert refused.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}


def test_a_long_query_passes_by_get(client: httpx.Client) -> None:
    answer = client.get("/graphql", params={"query": "{ project { slug } }" + "#" * 15_000})

    assert answer.json()["data"] == SLUG


def test_logs_have_the_clients_address_and_no_query(nginx: Nginx, served: Served) -> None:
    with nginx.client(served.authorization, "127.0.0.9") as client:
        client.get("/graphql", params=QUERY, headers={"x-forwarded-for": "192.0.2.1", "x-request-id": "of-the-client"})

    until(lambda: "of-the-client" in served.command.stderr(), "the gateway has logged it")
    until(lambda: "of-the-client" in nginx.lines(), "nginx has logged it")
    line = json.loads(nginx.lines().splitlines()[-1])
    assert (line["client"], line["path"], line["status"]) == ("127.0.0.9", f"{PREFIX}/graphql", 200)
    assert "slug" not in nginx.lines()
    assert '"127.0.0.9' in served.command.stderr()
    assert "192.0.2.1" not in served.command.stderr()


def test_an_upgrade_is_passed_on_and_answered(client: httpx.Client) -> None:
    answer = client.post("/graphql", json=QUERY, headers={"connection": "upgrade", "upgrade": "websocket"})

    assert answer.json()["data"] == SLUG


def test_slow_clients_wait_in_nginx_and_delay_nobody(nginx: Nginx, client: httpx.Client, served: Served) -> None:
    trusted = ssl.create_default_context(cafile=str(nginx.folder / "certificate.pem"))
    head = f"POST {PREFIX}/graphql HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: {served.authorization}\r\n"
    body = f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"

    with ExitStack() as stack:
        slow = []
        for number in range(SLOW_CLIENTS):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", nginx.port)))
            slow.append(stack.enter_context(trusted.wrap_socket(plain, server_hostname=NAME)))
            slow[-1].sendall((head if number % 2 else body).encode())
        assert client.post("/graphql", json=QUERY).elapsed.total_seconds() < SLACK_SECONDS
        slow[-1].settimeout(HEADER_SECONDS + 2 * SLACK_SECONDS)
        assert slow[-1].recv(1) == b"", "a head that does not end"


class Users:
    """Clients of nginx that send one query after another."""

    def __init__(self, nginx: Nginx, served: Served) -> None:
        self._nginx, self._served = nginx, served
        self._stopped = Event()
        self.count = 0
        self.failures: list[str] = []

    def _send(self) -> None:
        with self._nginx.client(self._served.authorization) as client:
            while not self._stopped.is_set():
                answer = client.post("/graphql", json=QUERY)
                self.count += 1
                if answer.status_code != httpx.codes.OK or answer.json()["data"] != SLUG:
                    self.failures.append(answer.text)

    @contextmanager
    def sending(self, count: int) -> Iterator[None]:
        threads = [Thread(target=self._send) for _ in range(count)]
        for thread in threads:
            thread.start()
        self.go_on()
        yield
        self.go_on()
        self._stopped.set()
        for thread in threads:
            thread.join()

    def go_on(self) -> None:
        """Wait until some more requests are answered."""
        count = self.count
        until(lambda: self.count > count + 20, "clients are answered")


def test_new_workers_take_over_behind_nginx_and_no_request_is_lost(
    start: MakeServed, behind: MakeNginx, sqlite_url: str
) -> None:
    served = start(sqlite_url, 2, **ENV)
    before = served.workers()
    users = Users(behind(served), served)

    with users.sending(4):
        served.process.send_signal(signal.SIGHUP)
        until(lambda: len(served.workers()) == 2 and not {*before} & {*served.workers()}, "new workers serve")

    assert users.failures == []


def test_two_gateways_are_restarted_one_after_the_other_and_no_request_is_lost(
    start: MakeServed, behind: MakeNginx, sqlite_url: str
) -> None:
    first, second = start(sqlite_url, 1, **ENV), start(sqlite_url, 1, **ENV)
    users = Users(behind(first, second), first)

    with users.sending(4):
        for served in (first, second):
            assert served.signal(signal.SIGTERM) == 0
            users.go_on()
            start(sqlite_url, 1, served.port, **ENV)
            # So long does nginx leave out a gateway that refused a connection.
            time.sleep(HEADER_SECONDS)
            users.go_on()

    assert users.failures == []


def test_one_gateway_is_restarted_while_systemd_keeps_its_socket_and_no_request_is_lost(
    start: MakeServed, behind: MakeNginx, sqlite_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as kept:
        served = start(sqlite_url, 1, passed=kept, **ENV)
        users = Users(behind(served), served)

        with users.sending(4):
            assert served.signal(signal.SIGTERM) == 0
            start(sqlite_url, 1, passed=kept, **ENV)

    assert users.failures == []


def test_a_gateway_that_is_away_is_told_in_json(client: httpx.Client, served: Served) -> None:
    served.signal(signal.SIGTERM)

    answer = client.post("/graphql", json=QUERY)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["errors"][0]["extensions"] == {"code": "STORE_UNAVAILABLE", "done": None}
