"""Statistics by period: charges, reviews and messages, in the days of the project's time zone."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from factories import Tenant, at
from graphql_client import GraphQLClient, cost
from mutations import on_customer
from recounts import Recount
from statements import recorded

STATS = """
query Stats($from: Date!, $to: Date!, $interval: StatsInterval, $location: String, $source: String) {
  stats(dateFrom: $from, dateTo: $to, interval: $interval) {
    revenue(locationSlug: $location) { periodStart currency amount refunded chargesCount }
    reviews(locationSlug: $location, source: $source) { periodStart reviewsCount averageScore scoreCounts }
    messages {
      periodStart channel scheduledCount sentCount deliveredCount openedCount clickedCount failedCount complainedCount
      canceledCount
    }
  }
}
"""
# Their clocks change by an hour, at midnight, and by half an hour.
ZONES = ("America/New_York", "Asia/Beirut", "Australia/Lord_Howe")
SPANS = [
    ("2026-01-01", "2026-12-31", "MONTH"),
    ("2026-01-15", "2026-11-02", "MONTH"),
    ("2026-02-04", "2026-05-01", "WEEK"),
    ("2026-03-02", "2026-04-12", "DAY"),
    ("2026-03-29", "2026-03-29", "DAY"),
    ("2025-02-01", "2025-03-01", "WEEK"),
]
STAGES = ("sent_at", "delivered_at", "opened_at", "clicked_at", "failed_at", "complained_at", "canceled_at")


def stats(
    client: GraphQLClient, first: str, last: str, interval: str = "MONTH", **arguments: str | None
) -> dict[str, Any]:
    answer: dict[str, Any] = client.data(STATS, **{"from": first, "to": last}, interval=interval, **arguments)["stats"]
    return answer


def some_times(zone: str, count: int) -> list[datetime]:
    """Return times of a year, half of them within an instant of a midnight there."""
    chance = random.Random(zone)  # noqa: S311 - reproducible
    times = [
        datetime(2025, 12, 20, tzinfo=UTC) + timedelta(seconds=chance.randrange(380 * 86_400)) for _ in range(count)
    ]
    for place in range(0, count, 2):
        day = datetime(2026, chance.choice((1, 3, 4, 10, 11)), chance.randrange(1, 31), tzinfo=ZoneInfo(zone))
        times[place] = day.astimezone(UTC) + chance.choice((-1, 0, 1)) * timedelta(microseconds=1)
    return times


def fill(tenant: Tenant, zone: str) -> None:
    """Add histories, and delete a customer with some."""
    chance = random.Random(1)  # noqa: S311 - reproducible
    customers = tenant.add_customers(*({} for _ in range(5)))
    owned = [{"customer_id": chance.choice(customers)} for _ in range(200)]
    times = some_times(zone, 200)
    amounts = [chance.choice((1, -1, 1)) * chance.randrange(10**6) for _ in owned]
    currencies = [chance.choice(("USD", "EUR", "JPY")) for _ in owned]
    tenant.add_charges(
        *(
            {**one, "charged_at": time, "amount": amount, "currency": currency}
            for one, time, amount, currency in zip(owned, times, amounts, currencies, strict=True)
        )
    )
    tenant.add_reviews(
        *({**one, "created_at": time, "score": chance.randrange(1, 6)} for one, time in zip(owned, times, strict=True))
    )
    tenant.add_messages(
        *(
            {
                **one,
                "scheduled_at": time,
                "channel": chance.choice(("EMAIL", "SMS")),
                **{stage: at(0) for stage in STAGES if chance.random() < 0.4},
            }
            for one, time in zip(owned, times, strict=True)
        )
    )
    tenant.client.data(on_customer("deleteCustomer"), id=customers[0])


@pytest.mark.parametrize("zone", ZONES)
def test_every_number_is_what_python_counts_from_the_rows(make_tenant: Callable[..., Tenant], zone: str) -> None:
    tenant = make_tenant("acme", timezone=zone)
    fill(tenant, zone)
    fill(make_tenant("other", timezone=zone), zone)

    for first, last, interval in SPANS:
        counted = stats(tenant.client, first, last, interval)

        expected = Recount(tenant, zone, date.fromisoformat(first), date.fromisoformat(last), interval)
        assert counted["revenue"] == expected.revenue()
        assert counted["reviews"] == expected.reviews()
        assert counted["messages"] == expected.messages()


def test_what_a_deleted_customer_left_behind_counts_and_what_went_with_it_does_not(
    acme: Tenant, client: GraphQLClient
) -> None:
    customer = acme.add_histories(1, each=2)[0]

    client.data(on_customer("deleteCustomer"), id=customer)

    counted = stats(client, "2026-03-01", "2026-03-31")
    assert counted["revenue"] == []
    assert [row["reviewsCount"] for row in counted["reviews"]] == [2]
    assert [row["scheduledCount"] for row in counted["messages"]] == [0, 0]


def test_currencies_are_never_added_up_and_refunds_are_told(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    acme.add_charges(
        {"customer_id": customer, "amount": 500},
        {"customer_id": customer, "amount": -200},
        {"customer_id": customer, "amount": -50, "currency": "EUR"},
    )

    assert stats(client, "2026-02-15", "2026-03-01")["revenue"] == [
        {"periodStart": "2026-03-01", "currency": "EUR", "amount": -50, "refunded": 50, "chargesCount": 1},
        {"periodStart": "2026-03-01", "currency": "USD", "amount": 300, "refunded": 200, "chargesCount": 2},
    ]


def test_sums_are_exact_and_one_beyond_64_bits_is_an_error_of_its_field(acme: Tenant, client: GraphQLClient) -> None:
    customer = acme.add_customer()
    largest = 2**63 - 1
    acme.add_charges(*({"customer_id": customer, "amount": amount} for amount in (largest, largest, -largest)))

    counted = stats(client, "2026-03-01", "2026-03-01")["revenue"]

    assert counted[0]["amount"] == counted[0]["refunded"] == largest
    acme.add_charges({"customer_id": customer, "amount": 1})
    answer = client.answer(STATS, **{"from": "2026-03-01", "to": "2026-03-01"})
    assert answer["errors"][0]["path"] == ["stats", "revenue", 0, "amount"]
    assert answer["errors"][0]["message"].startswith("The amounts add up to a number of more than 64 bits")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_revenue_and_reviews_are_narrowed(acme: Tenant, client: GraphQLClient) -> None:
    (here,) = acme.add_locations("here")
    customer = acme.add_customer()
    acme.add_charges({"customer_id": customer, "location_id": here}, {"customer_id": customer})
    acme.add_reviews(
        {"customer_id": customer, "location_id": here},
        {"customer_id": customer, "location_id": here, "source": "facebook"},
        {"customer_id": customer},
    )

    def counts(**arguments: str | None) -> tuple[int, int]:
        counted = stats(client, "2026-03-01", "2026-03-01", "MONTH", **arguments)
        return sum(row["chargesCount"] for row in counted["revenue"]), counted["reviews"][0]["reviewsCount"]

    assert counts() == counts(location=None, source=None) == (2, 3)
    assert counts(location="here") == (1, 2)
    assert counts(location="here", source="facebook") == (1, 1)
    assert counts(location="unknown", source="unknown") == (0, 0)


def test_400_periods_are_accepted_and_401_refused(client: GraphQLClient) -> None:
    assert len(stats(client, "2025-01-01", "2026-02-04", "DAY")["reviews"]) == 400
    assert len(stats(client, "1993-01-31", "2026-04-01", "MONTH")["reviews"]) == 400
    for first, last, interval in (
        ("2025-01-01", "2026-02-05", "DAY"),
        ("1993-01-31", "2026-05-01", "MONTH"),
        ("0001-01-01", "9999-12-31", "DAY"),
        ("2026-01-02", "2026-01-01", "DAY"),
    ):
        assert client.code(STATS, **{"from": first, "to": last}, interval=interval) == "BAD_USER_INPUT"


def test_the_ends_of_the_calendar_are_days_like_others(make_tenant: Callable[..., Tenant]) -> None:
    for zone in ("UTC", "America/New_York", "Pacific/Kiritimati"):
        client = make_tenant(zone.lower().replace("/", "-").replace("_", "-"), timezone=zone).client
        for first, last in (("0001-01-01", "0001-02-01"), ("9999-11-30", "9999-12-31")):
            for interval in ("DAY", "WEEK", "MONTH"):
                assert stats(client, first, last, interval)["reviews"][0]["periodStart"] == first


def test_the_default_and_null_are_months(client: GraphQLClient) -> None:
    for interval in ("", ", interval: null"):
        query = f'{{ stats(dateFrom: "2026-01-31", dateTo: "2026-03-01"{interval}) {{ reviews {{ periodStart }} }} }}'
        periods = [row["periodStart"] for row in client.data(query)["stats"]["reviews"]]
        assert periods == ["2026-01-31", "2026-02-01", "2026-03-01"]


def test_each_field_is_one_statement_however_many_periods(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(2)
    counts = {}

    for last in ("2026-01-01", "2026-12-31"):
        with recorded() as statements:
            stats(client, "2026-01-01", last, "DAY")
        counts[last] = statements

    assert len(counts["2026-01-01"]) == len(counts["2026-12-31"]) <= 3, counts


def test_two_spans_in_one_operation_are_counted_apart(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(2)
    one = "stats(dateFrom: {}, dateTo: {}, interval: DAY) {{ reviews {{ periodStart reviewsCount }} }}"
    spans = [('"2026-03-01"', '"2026-03-02"'), ('"2026-02-28"', '"2026-03-01"')]

    both = client.data("{ " + " ".join(f"s{n}: {one.format(*span)}" for n, span in enumerate(spans)) + " }")

    assert [[row["reviewsCount"] for row in both[name]["reviews"]] for name in ("s0", "s1")] == [[6, 0], [0, 6]]


def test_each_field_costs_500_and_its_rows_nothing(acme: Tenant, client: GraphQLClient) -> None:
    acme.add_histories(2)
    one = '{ stats(dateFrom: "2026-01-01", dateTo: "2026-12-31", interval: DAY) { reviews { periodStart } } }'

    answers = [client.answer(STATS, **{"from": "2026-01-01", "to": "2026-12-31"}), client.answer(one)]

    assert [cost(answer) for answer in answers] == [{"requested": n, "actual": n, "limit": 50_000} for n in (1500, 500)]
