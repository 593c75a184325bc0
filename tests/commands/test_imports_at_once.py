"""Two imports at the same time on PostgreSQL, which has many writers, end as if one had come after the other."""

from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID, uuid5

import pytest

import stores
from at_once import Job, at_once
from commands.command import Imports

pytestmark = pytest.mark.slow

LETTERS = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
# More than a batch each, and most of them in both files.
ONE, OTHER = range(6_000), range(7_500, 1_500, -1)
ALL = 7_501

SUMMARIES = "SELECT count(asked_at), count(messaged_at), count(reviewed_at) FROM customer"


@pytest.fixture
def two(postgresql_url: str, tmp_path: Path) -> list[Imports]:
    """Two imports into one project, each in a folder of its own."""
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = (Imports(postgresql_url, folder) for folder in folders)
    return [one.create_project(), other]


def customer(number: int) -> str:
    return f"Customer {number},c{number}@example.com"


# Two for each customer, so that both files hold the history of the same customers.
def message(number: int) -> str:
    times = f"2026-01-{number % 28 + 1:02},2026-02-{number % 27 + 1:02}"
    return f"{uuid5(LETTERS, str(number))},c{number // 2}@example.com,email,request,{times}"


def review(number: int) -> str:
    return f"{uuid5(LETTERS, str(number))},c{number // 2}@example.com,{number % 5 + 1},2026-03-{number % 28 + 1:02}"


HEADERS: dict[Callable[[int], str], tuple[str, str]] = {
    customer: ("customers", "first_name,email"),
    message: ("messages", "uuid,email,channel,template,scheduled_at,sent_at"),
    review: ("reviews", "uuid,email,score,created_at"),
}


def importing(imports: Imports, row: Callable[[int], str], numbers: Iterable[int], *, strict: bool = False) -> Job:
    kind, header = HEADERS[row]
    lines = list(map(row, numbers))
    return lambda: imports.csv(kind, header, *lines, strict=strict)


@pytest.mark.parametrize("strict", [False, True], ids=["batches", "strict"])
def test_each_row_is_there_once_and_the_summaries_of_customers_are_right(two: list[Imports], *, strict: bool) -> None:
    outcomes = [
        at_once(importing(two[0], row, ONE, strict=strict), importing(two[1], row, OTHER, strict=strict))
        for row in HEADERS
    ]

    for_both = [[(added + changed, rejected) for added, changed, rejected in pair] for pair in outcomes]
    assert for_both == [[(6_000, 0)] * 2] * len(HEADERS)
    assert [sum(added for added, _, _ in pair) for pair in outcomes] == [ALL] * len(HEADERS)
    url = two[0].store_url
    counts = "SELECT count(*), count(DISTINCT {}) FROM {}"
    keys = (("email_key", "customer"), ("uuid", "message"), ("uuid", "review"))
    assert [stores.rows(url, counts.format(*key)) for key in keys] == [[(ALL, ALL)]] * len(keys)
    assert stores.rows(url, SUMMARIES) == [(ALL // 2 + 1,) * 3]
    assert stores.problems(url) == stores.known_problems(url)


def test_messages_and_reviews_of_the_same_customers_are_all_in_their_summaries(two: list[Imports]) -> None:
    importing(two[0], customer, ONE)()

    outcomes = at_once(importing(two[0], message, ONE), importing(two[1], review, reversed(ONE)))

    assert outcomes == [(6_000, 0, 0)] * 2
    url = two[0].store_url
    assert stores.rows(url, SUMMARIES) == [(3_000,) * 3]
    assert stores.problems(url) == stores.known_problems(url)
