"""Buckets in a real Redis: shared by gateways, and done without while it is away."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands.command import until
from conftest import MakeServer, free_port
from customergraph.settings import Settings
from factories import Tenant
from graphql_client import GraphQLClient

QUERY = "{ customers(first: 90) { nodes { id } } }"


@contextmanager
def redis(port: int, folder: Path) -> Iterator[None]:
    """Run a Redis that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server is installed (Debian's package redis-server is one)")
    command = [program, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        until(lambda: "Ready to accept connections" in str(process.stdout and process.stdout.readline()), "Redis")
        try:
            yield
        finally:
            process.terminate()
            process.communicate(timeout=10)


def test_two_gateways_share_one_bucket_and_answer_while_redis_is_away(
    serve: MakeServer, sqlite_url: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = Settings(
        database_url=sqlite_url, bucket_size=100, bucket_refill=1, redis_url=f"redis://127.0.0.1:{port}/0"
    )
    acme = Tenant(serve(settings), sqlite_url, "acme")
    acme.add_customers(*({} for _ in range(90)))
    token = acme.client.http.headers["authorization"].removeprefix("Bearer ")
    other = GraphQLClient(serve(settings), token)

    with redis(port, tmp_path):
        charged = [client.post(QUERY).status_code for client in (acme.client, other, acme.client)]
    away = [client.post(QUERY).status_code for client in (acme.client, other)]
    with redis(port, tmp_path):
        again = [client.post(QUERY).status_code for client in (other, acme.client)]

    assert charged == [200, 429, 429]
    assert away == [200, 200]
    # A Redis that kept nothing has full buckets.
    assert again == [200, 429]
    acme.close()
    other.close()
