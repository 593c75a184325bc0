"""Operations that take too long, whose client goes away, or that are too many at once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from commands.command import until
from faults.around import COUNT, Session
from faults.conftest import MakeGateway

LOCKED = "LOCK TABLE customer"


def test_an_operation_over_its_deadline_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, somebody: Session
) -> None:
    acme = gateway(postgresql_url, deadline=0.5, pool_size=2)

    with somebody.transaction(LOCKED):
        # More of them than there are connections.
        for _ in range(3):
            response = acme.client.post(COUNT)

            assert response.status_code == 504
            assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
            assert somebody.waiting() == 0

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_the_operation_of_a_client_that_goes_away_is_stopped_on_the_server_too(
    gateway: MakeGateway, postgresql_url: str, somebody: Session
) -> None:
    acme = gateway(postgresql_url)

    with somebody.transaction(LOCKED):
        with pytest.raises(httpx.ReadTimeout):
            acme.client.http.post("/graphql", json={"query": COUNT}, timeout=0.5)
        until(lambda: somebody.waiting() == 0, "nobody waits any more")

    assert acme.client.data(COUNT) == {"customers": {"totalCount": 0}}


def test_more_operations_than_may_run_and_wait_are_sent_away(
    gateway: MakeGateway, postgresql_url: str, somebody: Session, background: ThreadPoolExecutor
) -> None:
    acme = gateway(postgresql_url, running_limit=1, waiting_limit=0)
    authorization = acme.client.http.headers["authorization"]

    with somebody.transaction(LOCKED):
        first = background.submit(acme.client.data, COUNT)
        somebody.until_waiting()
        response = httpx.post(
            f"{acme.base_url}/graphql", json={"query": COUNT}, headers={"authorization": authorization}
        )
        assert httpx.get(f"{acme.base_url}/healthz").status_code == 200

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert first.result() == acme.client.data(COUNT)
